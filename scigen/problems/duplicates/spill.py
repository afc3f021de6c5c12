"""Sets of shingles in a temporary file: they are read once more for the pairs that may be alike."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO, Self

import numpy as np

from scigen.problems.duplicates.shingles import Indices, Runs

BATCH = 1 << 14
"""Pairs compared at once."""


class Spill:
    """Shingle sets by number, in the order of adding. Use as a context manager; the file goes with it.

    Keeps the low 32 bits of each shingle: within one pair of texts of 100 shingles two different ones meet with a
    chance of 1 in 400,000, and then the similarity is off by one shingle.
    """

    def __init__(self, folder: Path | None) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._lengths: list[Indices] = []
        self._starts: Indices = np.zeros(1, np.int64)
        self._data = np.zeros(0, np.uint32)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        del self._data
        self._file.close()

    def add(self, runs: Runs) -> None:
        """Append the sets of several texts."""
        self._file.write(runs.hashes.astype(np.uint32).tobytes())
        self._lengths.append(np.diff(runs.starts))

    def __len__(self) -> int:
        return len(self._starts) - 1

    def seal(self) -> None:
        """Make what was added readable; nothing can be added after."""
        self._file.flush()
        lengths = np.concatenate([np.zeros(1, np.int64), *self._lengths])
        self._starts = np.cumsum(lengths)
        self._lengths = []
        if self._starts[-1]:
            self._data = np.memmap(self._file, np.uint32, "r")

    def jaccard(self, first: Indices, second: Indices) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Shared shingles over all shingles of each pair: exact but for the meeting of 32-bit hashes."""
        out = np.empty(len(first))
        for at in range(0, len(first), BATCH):
            a, b = first[at : at + BATCH], second[at : at + BATCH]
            both = np.concatenate([self._gather(a), self._gather(b)])
            both.sort()
            pair = (both[1:][both[1:] == both[:-1]] >> np.uint64(32)).astype(np.int64)
            shared = np.bincount(pair, minlength=len(a))
            out[at : at + BATCH] = shared / (self._length(a) + self._length(b) - shared)
        return out

    def _length(self, of: Indices) -> Indices:
        return self._starts[of + 1] - self._starts[of]

    def _gather(self, of: Indices) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
        """All shingles of the sets, with the place of the set in the upper 32 bits; each once for a pair."""
        lengths = self._length(of)
        ends = np.cumsum(lengths)
        at = np.arange(ends[-1]) + np.repeat(self._starts[of] - (ends - lengths), lengths)
        place = np.repeat(np.arange(len(of), dtype=np.uint64), lengths) << np.uint64(32)
        shingles = place | self._data[at].astype(np.uint64)
        return np.unique(shingles)  # two shingles of one text may share their low 32 bits
