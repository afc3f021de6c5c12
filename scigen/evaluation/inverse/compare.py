"""Two generators on the problems that both have: difference, exact test and size of the effect."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scigen.evaluation.evidence import Evidence
from scigen.evaluation.inverse.rates import INVERSE, passes
from scigen.records import VerdictStatus
from scigen.statistics import Estimate, paired_bootstrap, wilson

DRAWS = 10_000
"""Random sign changes of the permutation test."""


@dataclass(frozen=True)
class Comparison:
    """`a` against `b`, paired by problem."""

    a: str
    b: str
    difference: Estimate
    """R_inv of a minus that of b, over all."""
    only_a: int
    """Problems that pass with a's image alone."""
    only_b: int
    p_passes: float
    """McNemar's exact test, two-sided: a binomial test of the discordant pairs against 1/2."""
    odds_ratio: float | None
    """only_a / only_b: how much likelier a problem is to pass with a alone than with b alone; None if only_b is 0."""
    odds_interval: tuple[float, float] | None
    """95 %, from Wilson's interval of only_a / (only_a + only_b); None without a discordant pair."""
    accuracy_difference: Estimate | None
    """Of the questions' accuracy, by problem."""
    p_accuracy: float | None
    """Sign-flip permutation test of the mean difference, two-sided."""


def compare(evidence: Evidence, a: str, b: str, evaluator: str = INVERSE) -> Comparison | None:
    """None if no problem has an image of both."""
    one, other = ({p: float(np.mean(x)) for p, x in _passes(evidence, g, evaluator).items()} for g in (a, b))
    common = sorted(one.keys() & other.keys())
    if not common:
        return None
    only_a = sum(one[p] > other[p] for p in common)
    only_b = sum(one[p] < other[p] for p in common)
    value, low, high = paired_bootstrap(one, other)
    accuracy, p_accuracy = _accuracy(evidence, a, b, evaluator)
    return Comparison(
        a=a,
        b=b,
        difference=Estimate(value, low, high, len(common)),
        only_a=only_a,
        only_b=only_b,
        p_passes=mcnemar(only_a, only_b),
        odds_ratio=only_a / only_b if only_b else None,
        odds_interval=_odds_interval(only_a, only_b),
        accuracy_difference=accuracy,
        p_accuracy=p_accuracy,
    )


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided p-value (McNemar 1947, in its binomial form); 1 without a discordant pair."""
    from scipy.stats import binomtest

    return float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0


def sign_flip(differences: Sequence[float], seed: int = 0, draws: int = DRAWS) -> float:
    """Two-sided p-value that the mean of paired differences is 0 (Fisher's permutation test, random signs).

    The observed signs count as one of the draws, so that p is never 0.
    """
    values = np.asarray(differences, dtype=float)
    values = values[values != 0]
    if not len(values):
        return 1.0
    rng, observed, reached, done = np.random.default_rng(seed), abs(values.sum()), 0, 0
    block = max(1, 4_000_000 // len(values))
    while done < draws:
        size = min(block, draws - done)
        signs = rng.integers(0, 2, size=(size, len(values))) * 2 - 1
        reached += int((np.abs(signs @ values) >= observed - 1e-12).sum())
        done += size
    return (reached + 1) / (draws + 1)


def _odds_interval(only_a: int, only_b: int) -> tuple[float, float] | None:
    if only_a + only_b == 0:
        return None
    low, high = wilson(only_a, only_a + only_b)
    return low / (1 - low), high / (1 - high) if high < 1 else math.inf


def _passes(evidence: Evidence, generator: str, evaluator: str) -> Mapping[str, Sequence[bool]]:
    return passes(evidence, evidence.verdicts_of(generator, evaluator))


def _accuracy(evidence: Evidence, a: str, b: str, evaluator: str) -> tuple[Estimate | None, float | None]:
    one, other = (_shares(evidence, g, evaluator) for g in (a, b))
    common = sorted(one.keys() & other.keys())
    if not common:
        return None, None
    value, low, high = paired_bootstrap(one, other)
    return Estimate(value, low, high, len(common)), sign_flip([one[p] - other[p] for p in common])


def _shares(evidence: Evidence, generator: str, evaluator: str) -> dict[str, float]:
    """Problem id to the share of right answers among those given."""
    found: dict[str, list[float]] = {}
    for verdict in evidence.verdicts_of(generator, evaluator):
        for answer in verdict.answers:
            if answer.status is VerdictStatus.SCORED:
                found.setdefault(verdict.problem_id, []).append(float(answer.correct))
    return {problem: float(np.mean(values)) for problem, values in found.items()}
