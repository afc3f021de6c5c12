"""R_inv, floor and comparison on cases worked out by hand, and against scipy."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from scigen.evaluation.base import NO_GENERATOR
from scigen.evaluation.evidence import Evidence
from scigen.evaluation.inverse.compare import compare, mcnemar, sign_flip
from scigen.evaluation.inverse.rates import by_group, rates
from scigen.records import Flag, Problem, Quiz, QuizAnswer, Subject, Verdict, VerdictStatus
from scigen.statistics import wilson

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import inverse_coverage


def problem(n: int, flags: Sequence[bool] = (False, False), subject: Subject | None = None) -> Problem:
    quizzes = tuple(
        Quiz(
            question="?",
            options={"A": "x", "B": "y"},
            correct_option="A",
            flags=(Flag.REFERS_TO_TEXT,) if flagged else (),
        )
        for flagged in flags
    )
    words = {"source": "s", "question": "?", "answer": "9", "multimodal_question": "?"}
    return Problem(id=f"p{n}", quizzes=quizzes, subject=subject, **words)


def verdict(n: int, right: str, generator: str = "g", evaluator: str = "inverse") -> Verdict:
    """`right`: 1 right, 0 wrong, x failed, a letter a quiz; empty for an image that is not there."""
    answers = tuple(
        QuizAnswer(quiz=q, order="AB", status=VerdictStatus.API_ERROR, error="500")
        if mark == "x"
        else QuizAnswer(
            quiz=q,
            order="AB",
            status=VerdictStatus.SCORED,
            said="A",
            chosen="A" if mark == "1" else "B",
            correct=mark == "1",
        )
        for q, mark in enumerate(right)
    )
    status = VerdictStatus.NO_IMAGE if not right else VerdictStatus.API_ERROR if "x" in right else VerdictStatus.SCORED
    return Verdict(
        problem_id=f"p{n}",
        generator=generator,
        evaluator=evaluator,
        status=status,
        passed=bool(answers) and all(a.correct for a in answers),
        answers=answers,
    )


def blind(n: int, right: str) -> Verdict:
    return verdict(n, right, NO_GENERATOR, "inverse_blind")


def test_r_inv_by_hand() -> None:
    """Ten images: four pass, three have a wrong answer, two are not there, one met an error of the vendor."""
    marks = ["11", "11", "11", "11", "10", "01", "00", "", "", "1x"]
    found = rates(Evidence.of([problem(n) for n in range(10)], (), [verdict(n, m) for n, m in enumerate(marks)]), "g")
    assert found.over_all is not None
    assert (found.over_all.value, found.over_all.n) == (0.4, 10)
    assert (found.over_all.low, found.over_all.high) == pytest.approx(wilson(4, 10))
    assert found.over_scored is not None
    assert (found.over_scored.value, found.over_scored.n) == (4 / 7, 7)
    assert found.accuracy is not None
    assert found.accuracy.value == pytest.approx((4 * 1 + 0.5 + 0.5 + 0 + 1) / 8), "by problem, of the answers given"
    assert found.statuses == {"scored": 7, "no_image": 2, "api_error": 1}
    assert found.floor is None
    assert found.adjusted is None


def test_the_floor_is_taken_off_by_abbotts_formula() -> None:
    """R = 6/10, F = 2/10: (0.6 - 0.2) / (1 - 0.2) = 1/2."""
    problems = [problem(n) for n in range(10)]
    verdicts = [verdict(n, "11" if n < 6 else "10") for n in range(10)]
    verdicts += [blind(n, "11" if n < 2 else "01") for n in range(10)]
    evidence = Evidence.of(problems, (), verdicts)
    found = rates(evidence, "g")
    assert found.floor is not None
    assert found.floor.value == 0.2
    assert found.adjusted is not None
    assert found.adjusted.value == pytest.approx(0.5)
    assert found.adjusted.low < 0.5 < found.adjusted.high


def test_a_blind_run_that_failed_does_not_lower_the_floor() -> None:
    """Of ten problems five have no blind answer: F = 1/5 of the other five, whose R is 3/5, so (0.6 - 0.2) / 0.8."""
    verdicts = [verdict(n, "11" if n % 5 < 3 else "10") for n in range(10)]
    verdicts += [blind(n, "1x" if n >= 5 else "11" if n == 0 else "01") for n in range(10)]
    found = rates(Evidence.of([problem(n) for n in range(10)], (), verdicts), "g")
    assert found.floor is not None
    assert (found.floor.value, found.floor.n) == (0.2, 5)
    assert found.adjusted is not None
    assert (found.adjusted.value, found.adjusted.n) == (pytest.approx(0.5), 5)
    assert found.floor_statuses == {"scored": 5, "api_error": 5}


def test_the_interval_above_the_floor_is_that_of_scipys_bootstrap() -> None:
    rng = np.random.default_rng(1)
    seen, unseen = rng.random(200) < 0.6, rng.random(200) < 0.15
    problems = [problem(n) for n in range(200)]
    verdicts = [verdict(n, "11" if ok else "10") for n, ok in enumerate(seen)]
    verdicts += [blind(n, "11" if ok else "10") for n, ok in enumerate(unseen)]
    found = rates(Evidence.of(problems, (), verdicts), "g").adjusted
    assert found is not None
    other = stats.bootstrap(
        (seen.astype(float), unseen.astype(float)),
        lambda r, f, axis: (r.mean(axis) - f.mean(axis)) / (1 - f.mean(axis)),
        paired=True,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(0),
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((other.low, other.high), abs=0.01)


def test_an_image_that_adds_nothing_is_at_zero_and_one_that_misleads_below() -> None:
    problems = [problem(n) for n in range(8)]
    floor = [blind(n, "11" if n < 4 else "10") for n in range(8)]
    same = [verdict(n, "11" if n >= 4 else "10") for n in range(8)]
    worse = [verdict(n, "10") for n in range(8)]
    for verdicts, value in ((same, 0.0), (worse, -1.0)):
        found = rates(Evidence.of(problems, (), [*floor, *verdicts]), "g").adjusted
        assert found is not None
        assert found.value == pytest.approx(value)


def test_flagged_quizzes_can_be_left_out() -> None:
    """p0 fails by a flagged quiz alone; p1 has no other quizzes and so no say."""
    problems = [problem(0, (False, True)), problem(1, (True, True)), problem(2)]
    evidence = Evidence.of(problems, (), [verdict(0, "10"), verdict(1, "11"), verdict(2, "11")])
    found = rates(evidence, "g")
    assert found.over_all is not None
    assert found.unflagged is not None
    assert (found.over_all.value, found.over_all.n) == (2 / 3, 3)
    assert (found.unflagged.value, found.unflagged.n) == (1.0, 2)


def test_groups() -> None:
    problems = [problem(n, subject=Subject.MATH if n < 3 else Subject.BIOLOGY) for n in range(5)] + [problem(5)]
    marks = ["11", "11", "10", "", "11", "11"]
    evidence = Evidence.of(problems, (), [verdict(n, m) for n, m in enumerate(marks)])
    found = by_group(evidence, "g", lambda p: None if p.subject is None else p.subject.value)
    assert {name: (r.over_all.value, r.over_all.n) for name, r in found.items() if r.over_all} == {
        "Math": (2 / 3, 3),
        "Biology": (0.5, 2),
    }


def test_two_generators_are_compared_in_pairs() -> None:
    """Of 20 common problems 8 pass with a alone, 2 with b alone, 6 with both: 14/20 against 8/20."""
    one = ["11"] * 8 + ["10"] * 2 + ["11"] * 6 + ["10"] * 4
    other = ["10"] * 8 + ["11"] * 2 + ["11"] * 6 + ["10"] * 4
    verdicts = [verdict(n, m, "a") for n, m in enumerate(one)] + [verdict(n, m, "b") for n, m in enumerate(other)]
    found = compare(Evidence.of([problem(n) for n in range(20)], (), verdicts), "a", "b")
    assert found is not None
    assert (found.only_a, found.only_b, found.odds_ratio) == (8, 2, 4.0)
    assert found.difference.value == pytest.approx(6 / 20)
    assert found.p_passes == pytest.approx(2 * sum(stats.binom.pmf(k, 10, 0.5) for k in (0, 1, 2)))
    assert found.odds_interval is not None
    assert found.odds_interval[0] < 4 < found.odds_interval[1]
    assert found.accuracy_difference is not None
    assert found.accuracy_difference.value == pytest.approx((8 * 0.5 - 2 * 0.5) / 20)


def test_the_tests_are_scipys() -> None:
    assert mcnemar(9, 3) == pytest.approx(stats.binomtest(3, 12).pvalue)
    assert mcnemar(0, 0) == 1.0
    differences = np.random.default_rng(2).normal(0.3, 1, 40)
    other = stats.permutation_test(
        (differences, np.zeros(40)), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=9999, rng=1
    ).pvalue
    assert sign_flip(differences) == pytest.approx(other, abs=0.015)
    assert sign_flip([0.0, 0.0]) == 1.0


@pytest.mark.slow
def test_intervals_hold_the_truth_if_options_are_permuted_and_do_not_if_they_are_not() -> None:
    """200 simulated runs; 95 % of them, give or take what 200 draws leave open (99.8 %: 90 to 99)."""
    permuted = inverse_coverage.simulate(200, 150, 0, permute=True)
    given = inverse_coverage.simulate(200, 150, 0, permute=False)
    for result in permuted:
        assert 180 <= result.covered <= 199, result
        assert abs(result.mean - result.truth) < 0.006, result
    accuracy, r_inv, _ = given
    assert accuracy.covered < 160
    assert r_inv.covered < 178
    assert accuracy.mean - accuracy.truth > 0.02, "who likes C is taken for someone who sees"
    assert r_inv.mean - r_inv.truth > 0.02
