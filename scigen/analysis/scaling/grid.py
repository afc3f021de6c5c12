"""The cells of a scaling study, one run each, as one complete array of problems, seeds and sizes.

Nothing is filled in: a seed that lacks a size is left out whole, and said to be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from scigen.analysis.scaling.forms import Array
from scigen.errors import ScigenError


@dataclass(frozen=True)
class Cell:
    """One finished run: accuracy after training, problem by problem."""

    size: int
    seed: int
    by_problem: Mapping[str, float]
    before: float | None = None


@dataclass(frozen=True)
class Grid:
    """The complete part of a study."""

    sizes: Array
    seeds: tuple[int, ...]
    scores: Array
    """Problems x seeds x sizes."""
    before: float | None = None
    left_out: tuple[str, ...] = field(default=())

    def without_largest(self) -> Grid:
        return replace(self, sizes=self.sizes[:-1], scores=self.scores[:, :, :-1])


def grid_of(cells: Sequence[Cell]) -> Grid:
    """Cells in order of size and seed, on the problems that all of them have; seeds that lack a size are left out.

    Raises ScigenError for two cells of one size and seed, for fewer than three sizes, and when no seed is complete or
    no problem common.
    """
    by_key: dict[tuple[int, int], Cell] = {}
    for cell in cells:
        if (cell.size, cell.seed) in by_key:
            raise ScigenError(f"runs: two of size {cell.size} and seed {cell.seed}. Name one of them.")
        by_key[cell.size, cell.seed] = cell
    sizes = sorted({c.size for c in cells})
    if len(sizes) < 3:
        raise ScigenError(f"runs: {len(sizes)} sizes ({sizes}). A scaling study needs three or more, four to compare.")
    lacking = {s: [n for n in sizes if (n, s) not in by_key] for s in sorted({c.seed for c in cells})}
    seeds = tuple(s for s, missing in lacking.items() if not missing)
    if not seeds:
        raise ScigenError(f"runs: no seed has all sizes; missing are {lacking}. Train the missing cells.")
    chosen = {key: cell for key, cell in by_key.items() if key[1] in seeds}
    problems = sorted(set.intersection(*(set(c.by_problem) for c in chosen.values())))
    if not problems:
        raise ScigenError("runs: no problem is common to all runs. Were they tested on one benchmark?")
    scores = [[[chosen[n, s].by_problem[p] for n in sizes] for s in seeds] for p in problems]
    before = [c.before for c in chosen.values() if c.before is not None]
    said = [f"seed {s}: without sizes {missing}" for s, missing in lacking.items() if missing]
    dropped = max(len(c.by_problem) for c in chosen.values()) - len(problems)
    if dropped:
        said.append(f"{dropped} problems that not every run has")
    return Grid(
        np.array(sizes, dtype=float), seeds, np.array(scores),
        float(np.mean(before)) if len(before) == len(chosen) else None, tuple(said),
    )  # fmt: skip
