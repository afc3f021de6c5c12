"""Runs of words as 64-bit numbers, many texts at once: what near duplicates and contamination are counted in.

Hashes are the same in every process and on every machine. Nothing here decides what a duplicate is.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]

CACHED_WORDS = 250_000
"""Different words kept; numbers and typing errors never end, so the cache starts anew beyond."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def hash64(text: str) -> int:
    """The first 64 bits of BLAKE2b. Among a million texts two differing ones meet with a chance of 3 in 10^8."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


class Runs(NamedTuple):
    """Sets of hashes of several texts, one after the other."""

    hashes: Hashes
    """Ascending within each text, none twice."""
    starts: Indices
    """Where each text's hashes start, and at the end their number: one more than there are texts."""

    @property
    def rows(self) -> Indices:
        """The text each hash belongs to."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))


class _WordHashes(dict[str, int]):
    def __missing__(self, word: str) -> int:
        if len(self) >= CACHED_WORDS:
            self.clear()
        value = self[word] = hash64(word)
        return value


class Shingler:
    """Makes runs of `size` words; a shorter text is one run of all its words. Keeps hashes of words already seen."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._words = _WordHashes()

    def __call__(self, texts: Sequence[Sequence[str]]) -> Runs:
        """The different runs of each text (each with at least one word)."""
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        total = int(lengths.sum())
        flat = np.zeros(total + self.size, np.uint64)
        flat[:total] = np.fromiter((self._words[w] for text in texts for w in text), np.uint64, total)
        row = np.repeat(np.arange(len(texts)), lengths)
        place = np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        run = np.zeros(total, np.uint64)
        for offset in range(self.size):  # word by word, mixed after each: the order counts
            has = place + offset < lengths[row]
            run = _mix((run ^ np.where(has, flat[offset : offset + total], np.uint64(0))) * _FACTOR)
        first_of_run = (place == 0) | (place + self.size <= lengths[row])
        return distinct(row[first_of_run], run[first_of_run], len(texts))


def distinct(row: Indices, hashes: Hashes, texts: int) -> Runs:
    """Hashes that belong to rows 0 to `texts` - 1 as sorted sets."""
    order = np.lexsort((hashes, row))
    row, hashes = row[order], hashes[order]
    new = np.ones(len(row), bool)
    new[1:] = (row[1:] != row[:-1]) | (hashes[1:] != hashes[:-1])
    starts = np.zeros(texts + 1, np.int64)
    np.cumsum(np.bincount(row[new], minlength=texts), out=starts[1:])
    return Runs(hashes[new], starts)


def _mix(x: Hashes) -> Hashes:
    """The last steps of SplitMix64: every bit of the result depends on every bit given."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
