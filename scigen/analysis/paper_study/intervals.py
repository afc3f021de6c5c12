"""Means over problems, seeds and benchmarks with their 95 % intervals.

Problems are drawn again within each benchmark, and seeds are clusters where there are two or more
(`scigen.analysis.scaling.draws`, which says how). With one seed the interval is of problems alone: it does not hold
what another training would have given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from scigen.analysis.scaling.draws import draw_means, percentiles
from scigen.analysis.scaling.forms import Array
from scigen.statistics import wilson

N_BOOT = 2000
ByProblem = Mapping[str, float]


class Rate(BaseModel):
    """A mean, or a difference of means, with its interval; in 0..1, or -1..1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    ci95: tuple[float, float]
    problems: int
    seeds: int

    @property
    def clear(self) -> bool:
        """The interval leaves out zero: said of differences alone."""
        return self.ci95[0] > 0 or self.ci95[1] < 0


def accuracy(benchmarks: Sequence[Mapping[int, ByProblem]]) -> Rate | None:
    """Mean over benchmarks of accuracies by seed and problem. None without a common seed or problem."""
    tables = _tables(benchmarks)
    if tables is None:
        return None
    found = _rate(tables)
    if found.ci95[0] < found.ci95[1]:
        return found
    # A bootstrap of equal values has no width: 0 of 300 would read as certain.
    low, high = wilson(found.value * found.problems, found.problems)
    return found.model_copy(update={"ci95": (low, high)})


def difference(pairs: Sequence[tuple[Mapping[int, ByProblem], Mapping[int, ByProblem]]]) -> Rate | None:
    """Mean over benchmarks of a minus b, paired by problem and by seed; each pair is one benchmark.

    Where the two have no seed in common, their means over seeds are paired by problem. None where a benchmark has no
    problem that both answered.
    """
    gaps = [_paired(a, b) for a, b in pairs]
    tables = _tables(gaps)
    return None if tables is None else _rate(tables)


def _paired(a: Mapping[int, ByProblem], b: Mapping[int, ByProblem]) -> dict[int, ByProblem]:
    seeds = a.keys() & b.keys()
    if not seeds:
        a, b, seeds = {0: _over_seeds(a)}, {0: _over_seeds(b)}, {0}
    return {s: {p: a[s][p] - b[s][p] for p in a[s].keys() & b[s].keys()} for s in sorted(seeds)}


def _over_seeds(scores: Mapping[int, ByProblem]) -> ByProblem:
    common = set.intersection(*(set(v) for v in scores.values())) if scores else set()
    return {p: sum(v[p] for v in scores.values()) / len(scores) for p in common}


def _tables(benchmarks: Sequence[Mapping[int, ByProblem]]) -> list[Array] | None:
    """For each benchmark problems x seeds, of the seeds that all benchmarks have."""
    if not benchmarks:
        return None
    seeds = sorted(set.intersection(*(set(b) for b in benchmarks)))
    tables = []
    for scores in benchmarks:
        common = sorted(set.intersection(*(set(scores[s]) for s in seeds))) if seeds else []
        if not common:
            return None
        tables.append(np.array([[scores[s][p] for s in seeds] for p in common], dtype=float))
    return tables


def _rate(tables: Sequence[Array]) -> Rate:
    """Benchmarks count alike, whatever their sizes: each problem's deviation is weighed so that the plain mean over all
    problems is the mean of the benchmarks' means, which lets problems and seeds be drawn for all of them at once."""
    means = [t.mean() for t in tables]
    mean, problems = float(np.mean(means)), sum(len(t) for t in tables)
    weights = [problems / (len(tables) * len(t)) for t in tables]
    whole = np.concatenate([mean + w * (t - m) for w, t, m in zip(weights, tables, means, strict=True)])
    drawn = draw_means(whole[:, :, None], N_BOOT, seed=0)[:, 0]
    return Rate(value=mean, ci95=percentiles(drawn), problems=problems, seeds=whole.shape[1])
