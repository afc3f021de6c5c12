"""Do the metrics agree? Correlations of what evaluators say of the same images, and of the same generators.

Image by image, the interval comes from drawing problems again (images of one problem are alike). Over generators there
are few points, so the test is by permutation. A correlation that is not defined (fewer than three points, or one side
all alike) is None and says why; it is never 0. Nothing is corrected for the number of pairs, except by `holm`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from scigen.evaluation.evidence import CONTROL_PREFIX, Evidence
from scigen.evaluation.leaderboard.columns import BY_KEY, COLUMNS
from scigen.evaluation.leaderboard.published import published
from scigen.evaluation.leaderboard.rows import Kind, Row

IMAGE_METRICS: tuple[str, ...] = (
    "r_inv_scored", "quiz_accuracy", "correctness_fidelity_scored", "layout_precision_scored",
    "readability_occlusion_scored", "scientific_plausibility_scored", "expressiveness_richness_scored",
    "glassbox_pass", "ocr_coverage", "ocr_garbled", "psnr", "ssim", "ms_ssim", "clip_score", "high_frequency",
)  # fmt: skip
"""Columns of the leaderboard with a value an image: those over scored images, so that what is missing is not low."""
SYSTEM_METRICS: tuple[str, ...] = tuple(c.key for c in COLUMNS if c.key not in ("drawn", "usd", "seconds"))
EXACT = 7
"""Up to so many generators all permutations are gone through: 5,040."""
PERMUTATIONS = 9_999
KENDALL_MOST = 1_000
"""Images above which Kendall's tau comes without interval: its bootstrap needs a table of all pairs."""

Vector = NDArray[np.float64]


class Coefficient(StrEnum):
    """How two metrics are compared."""

    SPEARMAN = "spearman"
    KENDALL = "kendall"
    """tau-b."""
    POINT_BISERIAL = "point_biserial"
    """Pearson's r where one of the two is 0 or 1."""


@dataclass(frozen=True)
class Correlation:
    """One coefficient of two metrics."""

    a: str
    b: str
    coefficient: Coefficient
    value: float | None
    low: float | None = None
    high: float | None = None
    """95 % interval, image by image; None over generators."""
    p: float | None = None
    """Two-sided permutation test, over generators; None image by image."""
    n: int = 0
    """Images, or generators."""
    problems: int = 0
    """Clusters; 0 over generators."""
    reason: str = ""
    """Why there is no value, or no interval."""

    @property
    def clear(self) -> bool:
        """Whether chance is ruled out at 5 %: the interval leaves out 0, or the test says so."""
        if self.low is not None and self.high is not None:
            return self.low > 0 or self.high < 0
        return self.p is not None and self.p < 0.05


def scores(evidence: Evidence, metrics: Iterable[str] = IMAGE_METRICS) -> dict[str, dict[tuple[str, str], float]]:
    """Metric to (problem, generator) to value; metrics without any are not there. Controls are left out."""
    found: dict[str, dict[tuple[str, str], float]] = {}
    for key in metrics:
        read = BY_KEY[key].values
        if read is None:
            raise ValueError(f"column {key} has no value for an image")
        values = {
            (problem, generator): value
            for generator in evidence.generators
            if not generator.startswith(CONTROL_PREFIX)
            for problem, value in read(evidence, generator).items()
        }
        if values:
            found[key] = values
    return found


def image_level(
    evidence: Evidence,
    coefficients: Sequence[Coefficient] = tuple(Coefficient),
    *,
    metrics: Iterable[str] = IMAGE_METRICS,
    n_boot: int = 1000,
    seed: int = 0,
) -> list[Correlation]:
    """Every pair of metrics over the images that both have a value for, all generators together.

    Point-biserial is given for pairs in which exactly one side is 0 or 1. Pooled over generators a correlation holds
    differences between generators too; narrow the evidence to one of them to leave these out.
    """
    table = scores(evidence, metrics)
    found = []
    for a, b in combinations(table, 2):
        common = sorted(table[a].keys() & table[b].keys())
        x = np.array([table[a][key] for key in common], dtype=float)
        y = np.array([table[b][key] for key in common], dtype=float)
        clusters = [problem for problem, _ in common]
        for coefficient in coefficients:
            if coefficient is Coefficient.POINT_BISERIAL and _binary(x) == _binary(y):
                continue
            found.append(correlate(a, b, x, y, clusters, coefficient, n_boot=n_boot, seed=seed))
    return found


def correlate(
    a: str,
    b: str,
    x: Vector,
    y: Vector,
    clusters: Sequence[str],
    coefficient: Coefficient,
    *,
    n_boot: int = 1000,
    seed: int = 0,
) -> Correlation:
    """One coefficient with its interval by drawing clusters again, shapes (n,). Draws in which it is not defined are
    left out; with more than a tenth of them so, there is no interval."""
    names, index = np.unique(np.array(clusters, dtype=str), return_inverse=True)
    n, problems = len(x), len(names)
    reason = _undefined(x, y)
    if reason:
        return Correlation(a, b, coefficient, None, n=n, problems=problems, reason=reason)
    value = _coefficient(coefficient, x, y)
    plain = Correlation(a, b, coefficient, value, n=n, problems=problems)
    if coefficient is Coefficient.KENDALL and n > KENDALL_MOST:
        return replace(plain, reason=f"no interval: more than {KENDALL_MOST} images")
    if problems < 3:
        return replace(plain, reason="no interval: fewer than 3 problems")
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(problems, np.full(problems, 1 / problems), size=n_boot)
    block = max(1, 2_000_000 // n)
    drawn = np.concatenate(
        [_weighted(coefficient, x, y, draws[i : i + block, index].astype(float)) for i in range(0, n_boot, block)]
    )
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < 0.9 * n_boot:
        return replace(plain, reason="no interval: one side is all alike in too many draws")
    low, high = np.quantile(drawn, [0.025, 0.975])
    return replace(plain, low=float(low), high=float(high))


def system_level(
    rows: Iterable[Row],
    coefficients: Sequence[Coefficient] = (Coefficient.SPEARMAN, Coefficient.KENDALL),
    *,
    metrics: Iterable[str] = SYSTEM_METRICS,
    seed: int = 0,
) -> list[Correlation]:
    """Every pair of the leaderboard's columns over its measured rows."""
    measured = [row for row in rows if row.kind is Kind.MEASURED]
    table = {key: {r.name: r.cells[key].value for r in measured if key in r.cells} for key in metrics}
    return over_systems({key: values for key, values in table.items() if values}, coefficients, seed=seed)


def published_level(
    coefficients: Sequence[Coefficient] = (Coefficient.SPEARMAN, Coefficient.KENDALL), *, seed: int = 0
) -> list[Correlation]:
    """Every pair of columns of the paper's own table, over its eleven systems: which metric predicts which."""
    table: dict[str, dict[str, float]] = {}
    for name, system in published().systems.items():
        for key, value in system.values().items():
            table.setdefault(key, {})[name] = value
    return over_systems(table, coefficients, seed=seed)


def over_systems(
    table: Mapping[str, Mapping[str, float]],
    coefficients: Sequence[Coefficient] = (Coefficient.SPEARMAN, Coefficient.KENDALL),
    *,
    seed: int = 0,
) -> list[Correlation]:
    """Every pair of metrics (metric to system to value) with a two-sided permutation test.

    All permutations up to 7 systems, else 9,999 drawn ones; p counts those at least as far from 0, and drawn ones add
    the observed order (Phipson and Smyth 2010), so that it is never 0.
    """
    found = []
    for a, b in combinations(table, 2):
        common = sorted(table[a].keys() & table[b].keys())
        x = np.array([table[a][key] for key in common], dtype=float)
        y = np.array([table[b][key] for key in common], dtype=float)
        for coefficient in coefficients:
            reason = _undefined(x, y)
            if reason:
                found.append(Correlation(a, b, coefficient, None, n=len(common), reason=reason))
                continue
            value, p = _permutation_test(coefficient, x, y, seed)
            found.append(Correlation(a, b, coefficient, value, p=p, n=len(common)))
    return found


def holm(found: Sequence[Correlation]) -> list[float | None]:
    """p corrected for the number of tests (Holm 1979), in the same order; None where there is none."""
    order = sorted((c.p, i) for i, c in enumerate(found) if c.p is not None)
    corrected: list[float | None] = [None] * len(found)
    worst = 0.0
    for place, (p, i) in enumerate(order):
        worst = max(worst, min(1.0, (len(order) - place) * p))
        corrected[i] = worst
    return corrected


def _permutation_test(coefficient: Coefficient, x: Vector, y: Vector, seed: int) -> tuple[float, float]:
    n = len(x)
    value = _coefficient(coefficient, x, y)
    if n <= EXACT:
        orders = np.array(list(permutations(range(n))))
    else:
        rng = np.random.default_rng(seed)
        orders = rng.permuted(np.tile(np.arange(n), (PERMUTATIONS, 1)), axis=1)
    if coefficient is Coefficient.KENDALL:
        p, q = _signs(x), _signs(y)
        permuted = np.einsum("ij,bij->b", p, q[orders[:, :, None], orders[:, None, :]]) / math.sqrt(
            float((p**2).sum() * (q**2).sum())
        )
    else:
        if coefficient is Coefficient.SPEARMAN:
            x, y = stats.rankdata(x), stats.rankdata(y)
        u, v = (x - x.mean()) / np.linalg.norm(x - x.mean()), (y - y.mean()) / np.linalg.norm(y - y.mean())
        permuted = v[orders] @ u
    extreme = int((np.abs(permuted) >= abs(value) - 1e-12).sum())
    share = extreme / len(orders) if n <= EXACT else (extreme + 1) / (len(orders) + 1)
    return value, share


def _coefficient(coefficient: Coefficient, x: Vector, y: Vector) -> float:
    if coefficient is Coefficient.KENDALL:
        return float(stats.kendalltau(x, y).statistic)
    if coefficient is Coefficient.SPEARMAN:
        return float(stats.spearmanr(x, y).statistic)
    return float(stats.pearsonr(x, y).statistic)


def _weighted(coefficient: Coefficient, x: Vector, y: Vector, weights: NDArray[np.float64]) -> Vector:
    """The coefficient of the sample in which point i occurs weights[b, i] times, for each b; nan where undefined."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if coefficient is Coefficient.KENDALL:
            p, q = _signs(x), _signs(y)

            def total(m: NDArray[np.float64]) -> Vector:
                return np.asarray(((weights @ m) * weights).sum(axis=1), dtype=float)

            return np.asarray(total(p * q) / np.sqrt(total(p * p) * total(q * q)), dtype=float)
        if coefficient is Coefficient.SPEARMAN:
            u, v = _ranks(x, weights), _ranks(y, weights)
        else:
            u, v = np.broadcast_to(x, weights.shape), np.broadcast_to(y, weights.shape)
        n = weights.sum(axis=1, keepdims=True)
        u = u - (weights * u).sum(axis=1, keepdims=True) / n
        v = v - (weights * v).sum(axis=1, keepdims=True) / n
        spread = (weights * u * u).sum(axis=1) * (weights * v * v).sum(axis=1)
        found = (weights * u * v).sum(axis=1) / np.sqrt(spread)
        return np.asarray(np.where(spread > 1e-18, found, np.nan), dtype=float)


def _ranks(x: Vector, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean ranks of the points in samples in which they occur `weights` times; shape of weights."""
    _, group = np.unique(x, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(group[order]) > 0])
    tied = np.add.reduceat(weights[:, order], starts, axis=1)
    return np.asarray((np.cumsum(tied, axis=1) - tied / 2 + 0.5)[:, group], dtype=float)


def _signs(x: Vector) -> NDArray[np.float64]:
    return np.asarray(np.sign(x[:, None] - x[None, :]), dtype=float)


def _undefined(x: Vector, y: Vector) -> str:
    """Why there is no correlation; empty if there is one."""
    if len(x) < 3:
        return f"{len(x)} in common: at least 3 are needed"
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return "no variance: one side is all alike"
    return ""


def _binary(x: Vector) -> bool:
    return bool(np.isin(x, (0.0, 1.0)).all())
