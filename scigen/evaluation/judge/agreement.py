"""How far judges agree with themselves and with each other: quadratically weighted kappa, with its interval.

Cohen, Psychological Bulletin 70 (1968); with quadratic weights it is close to an intraclass correlation. Where nobody's
ratings vary kappa does not exist: it is None then, neither 0 nor 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from scigen.records import Dimension, Rating, Verdict, VerdictStatus
from scigen.statistics import LEVEL, Estimate, effective_number, wilson

SCORES = 3
"""Ratings are 0, 1 or 2."""
Pairs = Sequence[tuple[int, int]]
Image = tuple[str, str]
"""Problem and generator."""


@dataclass(frozen=True)
class Agreement:
    """Of two raters, or of one at two readings, in one dimension."""

    first: str
    second: str
    dimension: Dimension
    kappa: Estimate | None
    """`n` counts images. None where it does not exist: too few pairs, or ratings that do not vary."""
    exact: Estimate | None
    """Share of images with equal ratings; `n` counts images, the interval takes those of one problem as alike."""
    mean_difference: float | None
    """Second minus first: a rater who is milder throughout."""


def agreements(verdicts: Iterable[Verdict]) -> list[Agreement]:
    """Of each judge's first reading with its second, third, ...; then of each two judges at their first readings."""
    by_rater: dict[tuple[str, int], dict[Image, Rating]] = {}
    for verdict in verdicts:
        for rating in verdict.ratings:
            if rating.status is VerdictStatus.SCORED:
                by_rater.setdefault((rating.judge, rating.repeat), {})[verdict.problem_id, verdict.generator] = rating
    raters = sorted(by_rater)
    pairs = [(a, b) for a, b in combinations(raters, 2) if a[0] == b[0] and a[1] == 0]
    pairs += [(a, b) for a, b in combinations(raters, 2) if a[0] != b[0] and a[1] == b[1] == 0]
    return [agreement(_name(a), _name(b), by_rater[a], by_rater[b], d) for a, b in pairs for d in Dimension]


def agreement(
    first: str, second: str, ones: Mapping[Image, Rating], others: Mapping[Image, Rating], dimension: Dimension
) -> Agreement:
    """Over the images that both rated."""
    both = sorted(ones.keys() & others.keys())
    pairs = [(ones[k].scores[dimension], others[k].scores[dimension]) for k in both]
    if not pairs:
        return Agreement(first, second, dimension, None, None, None)
    equal: dict[str, list[bool]] = {}
    for (problem, _), (a, b) in zip(both, pairs, strict=True):
        equal.setdefault(problem, []).append(a == b)
    rate, n = sum(a == b for a, b in pairs) / len(pairs), effective_number(list(equal.values()))
    return Agreement(
        first=first,
        second=second,
        dimension=dimension,
        kappa=kappa_interval(pairs, [problem for problem, _ in both]),
        exact=Estimate(rate, *wilson(rate * n, n), len(pairs)),
        mean_difference=sum(b - a for a, b in pairs) / len(pairs),
    )


def kappa(pairs: Pairs) -> float | None:
    """Quadratically weighted kappa, at most 1; None without pairs or where the ratings do not vary."""
    found = _kappas(_counts(pairs)[None])
    return None if np.isnan(found[0]) else float(found[0])


def kappa_interval(
    pairs: Pairs, problems: Sequence[str] | None = None, draws: int = 2000, seed: int = 0
) -> Estimate | None:
    """Kappa with its 95 % percentile bootstrap interval over problems; draws without variation are left out.

    `problems` names each pair's problem: images of one problem by several generators are alike. Without it each pair
    is a problem of its own. `n` counts pairs.
    """
    value = kappa(pairs)
    if value is None:
        return None
    by_problem: dict[str | int, list[tuple[int, int]]] = {}
    for place, pair in enumerate(pairs):
        by_problem.setdefault(problems[place] if problems else place, []).append(pair)
    # problems with equal tables are drawn together, which is the same and keeps memory small
    flat = np.array([_counts(found).ravel() for found in by_problem.values()])
    tables, times = np.unique(flat, axis=0, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(flat), times / len(flat), size=draws) @ tables
    found = _kappas(drawn.reshape(draws, SCORES, SCORES))
    low, high = np.nanquantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high), len(pairs))


def _counts(pairs: Pairs) -> NDArray[np.int64]:
    table = np.zeros((SCORES, SCORES), dtype=np.int64)
    for a, b in pairs:
        table[a, b] += 1
    return table


def _kappas(tables: NDArray[np.int64]) -> NDArray[np.float64]:
    """(draws, 3, 3) counts to (draws,) kappas, NaN where there is none."""
    place = np.arange(SCORES)
    weight = (place[:, None] - place[None, :]) ** 2
    n = tables.sum(axis=(1, 2))
    expected = tables.sum(axis=2)[:, :, None] * tables.sum(axis=1)[:, None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = n * (tables * weight).sum(axis=(1, 2)) / (expected * weight).sum(axis=(1, 2))
    return np.asarray(np.where(np.isfinite(ratio), 1 - ratio, np.nan), dtype=np.float64)


def _name(rater: tuple[str, int]) -> str:
    judge, repeat = rater
    return judge if repeat == 0 else f"{judge}, reading {repeat + 1}"
