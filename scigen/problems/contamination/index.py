"""The benchmarks that nothing may be trained on, ready to compare with: texts by runs of words, pictures by hashes.

Kept in memory: about 10 kB an item while it is built, and less than 2 kB after.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from scigen.errors import ScigenError
from scigen.problems.contamination.pictures import Fingerprint, NoFingerprint, fingerprint
from scigen.problems.contamination.texts import TextIndex
from scigen.problems.duplicates.shingles import Indices
from scigen.records import Problem
from scigen.store import inputs_hash

BLOCK = 64
"""Pictures compared with all of a benchmark's at once."""


class BenchmarkItem(NamedTuple):
    """One item of a benchmark."""

    benchmark: str
    id: str
    text: str
    image: bytes | None = None

    @classmethod
    def of(cls, benchmark: str, problem: Problem, image: bytes | None) -> Self:
        """From a source's problem and its picture."""
        return cls(benchmark, problem.id, problem.question, image)


@dataclass(frozen=True)
class Limits:
    """From where on a problem counts as contaminated. docs/contamination.md has the measurements behind them."""

    words: int = 8
    """Words of a run."""
    text: float = 0.3
    """Share of runs in common; unrelated problems share less than a tenth, copies with four words changed often 0.5."""
    stock: int = 3
    """A run in more of a benchmark's items than this is a stock phrase."""
    bits: int = 56
    """Differing bits of 256 between two pictures; different diagrams differ in 86 and more."""

    def __post_init__(self) -> None:
        if self.words < 1 or not 0 < self.text <= 1 or self.stock < 1 or not 0 <= self.bits < 128:
            raise ScigenError(f"{self}: words and stock from 1 on, text above 0 and at most 1, bits from 0 to 127.")


class PictureMatch(NamedTuple):
    item: int
    bits: int
    """That differ."""


class BenchmarkIndex:
    """One benchmark."""

    def __init__(
        self,
        name: str,
        ids: list[str],
        texts: list[str],
        pictured: Collection[int],
        prints: dict[int, Fingerprint],
        limits: Limits,
    ) -> None:
        """`pictured`: numbers of the items that have a picture; `prints`: hashes of those that could be read."""
        self.name = name
        self.ids = ids
        self.texts = TextIndex(texts, limits.words, limits.stock)
        self.pictured = frozenset(pictured)
        self._owner: Indices = np.fromiter(prints, np.int64, len(prints))
        self._prints = np.array(list(prints.values()), np.uint64).reshape(-1, 2, 4).transpose(1, 2, 0).copy()

    def closest_pictures(self, prints: Fingerprint) -> list[PictureMatch | None]:
        """For each picture, shape (n, 2, 4), the item that differs in the fewest bits, of the page or of its ink.

        Every pair is compared: 6,000 pictures take 0.1 ms, far less than to read one picture.
        """
        if not len(self._owner):
            return [None] * len(prints)
        found: list[PictureMatch | None] = []
        for at in range(0, len(prints), BLOCK):
            block = prints[at : at + BLOCK]
            bits = np.minimum(*(self._differing(block[:, which], which) for which in (0, 1)))
            best = bits.argmin(axis=1)
            found += [PictureMatch(int(self._owner[b]), int(row[b])) for b, row in zip(best, bits, strict=True)]
        return found

    def _differing(self, hashes: Fingerprint, which: int) -> npt.NDArray[np.uint16]:
        """Differing bits of each hash, shape (n, 4), and each of the benchmark's, of the page (0) or its ink (1)."""
        bits = np.zeros((len(hashes), self._prints.shape[2]), np.uint16)
        for part in range(4):
            bits += np.bitwise_count(hashes[:, part, None] ^ self._prints[which, part])
        return bits


class Index:
    """All benchmarks."""

    def __init__(self, benchmarks: Iterable[BenchmarkIndex], limits: Limits, content: str) -> None:
        self.benchmarks = {b.name: b for b in benchmarks}
        self.limits = limits
        self.inputs = inputs_hash(content, asdict(limits))
        """Hash of items and limits: equal indexes give equal verdicts."""

    @classmethod
    def build(cls, items: Iterable[BenchmarkItem], limits: Limits | None = None) -> Self:
        """Index the items of one or several benchmarks; an item whose picture cannot be read is compared by its text.

        Raises ScigenError if there is none, and for an id that comes twice in one benchmark.
        """
        limits = limits or Limits()
        ids: dict[str, dict[str, None]] = {}
        texts: dict[str, list[str]] = {}
        pictured: dict[str, list[int]] = {}
        prints: dict[str, dict[int, Fingerprint]] = {}
        digest = hashlib.sha256()
        for item in items:
            known = ids.setdefault(item.benchmark, {})
            if item.id in known:
                raise ScigenError(f'benchmark {item.benchmark}: the id "{item.id}" comes twice. Mend its source.')
            picture = hashlib.sha256(item.image).hexdigest() if item.image is not None else ""
            digest.update(repr((item.benchmark, item.id, item.text, picture)).encode("utf-8", "backslashreplace"))
            if item.image is not None:
                pictured.setdefault(item.benchmark, []).append(len(known))
                with suppress(NoFingerprint):
                    prints.setdefault(item.benchmark, {})[len(known)] = fingerprint(item.image)
            known[item.id] = None
            texts.setdefault(item.benchmark, []).append(item.text)
        if not ids:
            raise ScigenError("no benchmark item to compare with. Give at least one benchmark.")
        return cls(
            (
                BenchmarkIndex(n, list(ids[n]), texts[n], pictured.get(n, []), prints.get(n, {}), limits)
                for n in sorted(ids)
            ),
            limits,
            digest.hexdigest(),
        )
