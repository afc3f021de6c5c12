"""Intervals for the figures that are reported: Wilson for rates, bootstraps over problems for AVG@k and differences.

It does not test hypotheses and corrects for nothing: an interval here is 95 %, two-sided and for one comparison.
Answers to one problem are alike, so problems (clusters), not answers, are what is drawn again. Percentile bootstraps
are too narrow below about 20 clusters and have no width when all clusters are equal; state `n` beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
_Z = NormalDist().inv_cdf((1 + LEVEL) / 2)
_CELLS = 4_000_000
"""Drawn indices held at once, so that memory stays below some 64 MB whatever the number of clusters."""


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval; `n` counts clusters (problems)."""

    value: float
    low: float
    high: float
    n: int


def wilson(successes: float, n: float) -> tuple[float, float]:
    """95 % score interval of a rate, both ends in 0..1; (0, 1) when nothing was tried.

    Wilson (1927); Brown, Cai and DasGupta, Statistical Science 16 (2001), formula 4. For independent trials;
    clustered ones count as their effective number, which need not be whole.
    Raises ValueError unless 0 <= successes <= n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} trials")
    if n == 0:
        return 0.0, 1.0
    rate, zz = successes / n, _Z * _Z
    centre = (rate + zz / (2 * n)) / (1 + zz / n)
    half = _Z / (1 + zz / n) * float(np.sqrt(rate * (1 - rate) / n + zz / (4 * n * n)))
    # at the ends the formula is exact, its floating-point sum is not
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high


def effective_number(clusters: Sequence[Sequence[bool]]) -> float:
    """How many independent trials these are worth, whose rate would vary as much: from the number of clusters, if
    all trials of a cluster are alike, to that of trials, if they have nothing in common. For `wilson`.

    p (1 - p) / v with v the linearised variance of the rate over clusters, as surveys do (Dean and Pagano, The American
    Statistician 69, 2015); where it is 0, the number of clusters.
    """
    trials, count = sum(map(len, clusters)), len(clusters)
    rate = sum(map(sum, clusters)) / trials
    residuals = sum((sum(c) - rate * len(c)) ** 2 for c in clusters)
    if count < 2 or residuals == 0 or rate in (0, 1):
        return float(count)
    variance = count / (count - 1) * residuals / trials**2
    return min(float(trials), max(float(count), rate * (1 - rate) / variance))


def cluster_bootstrap(
    values_by_cluster: Mapping[str, Sequence[float]], n_boot: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """95 % percentile interval of the mean over clusters of the cluster means.

    Clusters without values are left out. The order of the mapping does not matter. Raises ValueError if no cluster has
    a value. With a single cluster both ends are its mean, which says nothing of its spread.
    """
    means = cluster_means(values_by_cluster)
    return _percentiles(np.array([means[c] for c in sorted(means)]), n_boot, seed)


def estimate(values_by_cluster: Mapping[str, Sequence[float]], n_boot: int = 2000, seed: int = 0) -> Estimate:
    """The mean over clusters of the cluster means (AVG@k when values are k scores a problem), with its interval."""
    means = cluster_means(values_by_cluster)
    low, high = cluster_bootstrap(values_by_cluster, n_boot, seed)
    return Estimate(float(np.mean([means[c] for c in sorted(means)])), low, high, len(means))


def paired_bootstrap(
    a: Mapping[str, float], b: Mapping[str, float], n_boot: int = 2000, seed: int = 0
) -> tuple[float, float, float]:
    """Mean of `a - b` over the problems that both have, and its 95 % percentile interval: (difference, low, high).

    Raises ValueError if they have no problem in common.
    """
    common = sorted(a.keys() & b.keys())
    if not common:
        raise ValueError(f"no problem in common: {len(a)} on one side, {len(b)} on the other")
    differences = np.array([a[c] - b[c] for c in common], dtype=float)
    low, high = _percentiles(differences, n_boot, seed)
    return float(differences.mean()), low, high


def cluster_means(values_by_cluster: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The mean of each cluster that has values, e.g. AVG@4 of each problem. Raises ValueError if none has."""
    means = {name: float(np.mean(values)) for name, values in values_by_cluster.items() if len(values)}
    if not means:
        raise ValueError(f"no values in {len(values_by_cluster)} clusters")
    return means


def _percentiles(values: NDArray[np.float64], n_boot: int, seed: int) -> tuple[float, float]:
    """2.5 and 97.5 percentiles of the mean of `values` drawn with replacement."""
    if n_boot < 1:
        raise ValueError(f"n_boot must be at least 1, got {n_boot}")
    means = np.concatenate([values[drawn].mean(axis=1) for drawn in _draws(len(values), n_boot, seed)])
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _draws(n: int, n_boot: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Indices of `n_boot` draws of n out of n with replacement, a draw a row, some rows at a time."""
    rng, block = np.random.default_rng(seed), max(1, _CELLS // n)
    for start in range(0, n_boot, block):
        yield rng.integers(0, n, size=(min(block, n_boot - start), n))


def paired_ratio(
    numerator: NDArray[np.float64], denominator: NDArray[np.float64], n_boot: int = 2000, seed: int = 0
) -> Estimate:
    """Mean of `numerator` over mean of `denominator`, one pair a cluster, with the 95 % percentile bootstrap interval.

    Draws whose denominator is 0 are left out. Raises ValueError for arrays of other lengths or a denominator of 0.
    """
    if numerator.shape != denominator.shape or not denominator.sum():
        raise ValueError(f"{numerator.shape} over {denominator.shape}, whose sum is {denominator.sum()}")
    n = len(numerator)
    sums = [(numerator[drawn].sum(axis=1), denominator[drawn].sum(axis=1)) for drawn in _draws(n, n_boot, seed)]
    above, below = np.hstack(sums)
    low, high = np.quantile(above[below > 0] / below[below > 0], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(numerator.sum() / denominator.sum()), float(low), float(high), n)
