"""Which texts may be alike: MinHash signatures (rensa), cut into bands; texts that share a band are candidates.

Finds candidates only; whether they are alike is measured on their shingles afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scigen.problems.duplicates.shingles import Hashes, Indices, Runs

SIGNATURE = 128
"""MinHashes of a signature."""
RECALL = 0.995
"""Least chance that two texts just at the threshold share a band."""
SEED = 1
CROWD, PIVOTS = 64, 32
PAIRS = 1 << 16
"""Candidate pairs given at once: what the first ones connect need not be compared again."""


def banding(threshold: float) -> tuple[int, int]:
    """Bands and rows of a band: the widest bands that still let 995 of 1,000 pairs at the threshold meet.

    A pair of Jaccard similarity s meets with probability 1 - (1 - s^rows)^bands (Broder's MinHash; Leskovec,
    Rajaraman, Ullman, Mining of Massive Datasets, section 3.4).
    """
    for rows in range(SIGNATURE, 1, -1):
        bands = SIGNATURE // rows
        if 1 - (1 - threshold**rows) ** bands >= RECALL:
            return bands, rows
    return SIGNATURE, 1


class Bands:
    """One 64-bit hash for each text and band: 8 bytes x bands a text is all that stays in memory."""

    def __init__(self, threshold: float) -> None:
        self.bands, self.rows = banding(threshold)
        self._parts: list[Hashes] = []

    def add(self, runs: Runs) -> None:
        """Sign the shingle sets of several texts."""
        from rensa import RMinHash

        if len(runs.starts) == 1:
            return
        count = self.bands * self.rows
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(
            runs.hashes, runs.starts.astype(np.uint64), num_perm=count, seed=SEED
        )
        digests = np.array(matrix.to_rows(), dtype=np.uint64).reshape(-1, self.bands, self.rows)
        band = np.zeros(digests.shape[:2], np.uint64)
        for row in range(self.rows):
            band = (band ^ digests[:, :, row]) * np.uint64(0x9E3779B97F4A7C15)
            band ^= band >> np.uint64(29)
        self._parts.append(np.ascontiguousarray(band.T))

    def candidates(self) -> Iterator[tuple[Indices, Indices]]:
        """Pairs of texts that share a band, smaller number first, band by band and a bounded number at a time.

        In a crowd of more than 64 texts with one band in common each is compared with the first 32 only: all pairs of
        a crowd would be its square. What is alike there is usually alike to one of these, or meets it in another band.
        """
        for band in range(self.bands):
            column = np.concatenate([np.zeros(0, np.uint64), *(part[band] for part in self._parts)])
            waiting: list[tuple[Indices, Indices]] = []
            for pair in _pairs_within(column):
                waiting.append(pair)
                if sum(len(first) for first, _ in waiting) >= PAIRS:
                    yield _joined(waiting)
                    waiting = []
            if waiting:
                yield _joined(waiting)


def _joined(pairs: list[tuple[Indices, Indices]]) -> tuple[Indices, Indices]:
    first, second = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return np.minimum(first, second), np.maximum(first, second)


def _pairs_within(column: Hashes) -> Iterator[tuple[Indices, Indices]]:
    """Pairs with equal values, at most `PAIRS` at a time."""
    order = np.argsort(column, kind="stable")
    value = column[order]
    new = np.ones(len(value), bool)
    new[1:] = value[1:] != value[:-1]
    start = np.flatnonzero(new)
    size = np.diff(np.append(start, len(value)))
    member = order[np.repeat(size > 1, size)]
    size = size[size > 1]
    place = np.arange(len(member)) - np.repeat(np.cumsum(size) - size, size)
    reach = np.repeat(size, size)
    for step in range(1, CROWD):  # in a small group: each with the one `step` places after it
        has = np.flatnonzero((reach <= CROWD) & (place + step < reach))
        yield from _cut(member[has], member[has + step])
    for pivot in range(PIVOTS):
        has = np.flatnonzero((reach > CROWD) & (place > pivot))
        yield from _cut(member[has - place[has] + pivot], member[has])


def _cut(first: Indices, second: Indices) -> Iterator[tuple[Indices, Indices]]:
    for at in range(0, len(first), PAIRS):
        yield first[at : at + PAIRS], second[at : at + PAIRS]
