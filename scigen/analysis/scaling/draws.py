"""What the mean accuracies of a study might have been with other problems and other seeds.

Problems are drawn again; seeds are clusters, each with its own deviation from the mean curve, and there are few of
them. Drawing three seeds again from three gives intervals that are far too narrow, so their part is drawn from
Student's t: the deviations of the seeds with normal weights, over the root of a chi square with one degree of freedom
less than there are seeds. For what is linear in the means, as the slope in log N, that is the t interval over seeds.

The seeds' deviations hold what problems and answers add to one cell by chance, and so do the problems' means; it is
taken out of the latter, so that it counts once (as in the two-way clustering of Cameron, Gelbach and Miller 2011).
One seed alone says nothing of seeds: then the draws are of problems only.
"""

from __future__ import annotations

import numpy as np

from scigen.analysis.scaling.forms import Array
from scigen.statistics import LEVEL

_CELLS = 4_000_000
"""Drawn counts held at once."""


def draw_means(scores: Array, n_boot: int, seed: int) -> Array:
    """`n_boot` draws of the mean of each size (B x J) from scores (problems x seeds x sizes), in 0..1 but for noise."""
    problems, seeds, sizes = scores.shape
    rng = np.random.default_rng(seed)
    mean, by_problem = scores.mean((0, 1)), scores.mean(1)
    centred = (by_problem - mean) @ _shrink(scores).T
    drawn = np.empty((n_boot, sizes))
    block = max(1, _CELLS // problems)
    for start in range(0, n_boot, block):
        counts = rng.multinomial(problems, np.full(problems, 1 / problems), size=min(block, n_boot - start))
        drawn[start : start + block] = counts @ centred / problems
    if seeds > 1:
        deviations = scores.mean(0) - mean
        normal = rng.standard_normal((n_boot, seeds)) @ deviations / np.sqrt(seeds * (seeds - 1))
        drawn += normal / np.sqrt(rng.chisquare(seeds - 1, n_boot) / (seeds - 1))[:, None]
    return np.asarray(mean + drawn)


def percentiles(drawn: Array) -> tuple[float, float]:
    """The 95 % interval; each end is one of the draws, since between a number and infinity nothing can be put."""
    low = np.quantile(drawn, (1 - LEVEL) / 2, method="lower")
    high = np.quantile(drawn, (1 + LEVEL) / 2, method="higher")
    return float(low), float(high)


def standard_errors(scores: Array) -> Array:
    """Of each size's mean over problems: what the fit weighs by. At least that of half a problem."""
    by_problem = scores.mean(1)
    return np.asarray(np.maximum(by_problem.std(0, ddof=1) / np.sqrt(len(by_problem)), 0.5 / len(by_problem)))


def _shrink(scores: Array) -> Array:
    """The matrix (J x J) that leaves of the problems' means what lies in the problems, not in their meeting a seed."""
    problems, seeds, sizes = scores.shape
    by_problem, by_seed, mean = scores.mean(1), scores.mean(0), scores.mean((0, 1))
    total = np.atleast_2d(np.cov(by_problem, rowvar=False))
    if seeds == 1:
        return np.eye(sizes)
    rest = scores - by_problem[:, None] - by_seed[None] + mean
    chance = np.einsum("psi,psj->ij", rest, rest) / ((problems - 1) * (seeds - 1))
    return _root(total - chance / seeds) @ _inverse_root(total)


def _root(matrix: Array) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)


def _inverse_root(matrix: Array) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    keep = values > 1e-12 * max(values.max(), 1e-300)
    inverse = np.where(keep, 1 / np.sqrt(np.where(keep, values, 1)), 0)
    return np.asarray((vectors * inverse) @ vectors.T)
