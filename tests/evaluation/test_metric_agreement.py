"""Correlations are scipy's, their intervals cover, and what is not defined is None with a reason."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from scigen.evaluation.agreement import (
    Coefficient,
    Correlation,
    _weighted,
    correlate,
    holm,
    image_level,
    over_systems,
    published_level,
    scores,
    system_level,
)
from scigen.evaluation.evidence import Evidence
from scigen.evaluation.leaderboard import leaderboard
from scigen.records import Problem, Verdict, VerdictStatus

SCIPY = {
    Coefficient.SPEARMAN: stats.spearmanr, Coefficient.KENDALL: stats.kendalltau,
    Coefficient.POINT_BISERIAL: stats.pointbiserialr,
}  # fmt: skip


def pairs(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A 0/1 vector and one with ties that goes with it."""
    rng = np.random.default_rng(seed)
    x = (rng.random(n) < 0.5).astype(float)
    return x, np.round(x + rng.normal(0, 1, n), 1)


@pytest.mark.parametrize("coefficient", list(Coefficient))
def test_values_are_scipys_ties_included(coefficient: Coefficient) -> None:
    x, y = pairs(60)
    found = correlate("a", "b", x, y, [str(i) for i in range(60)], coefficient, n_boot=50)
    assert found.value == pytest.approx(SCIPY[coefficient](x, y).statistic)
    assert (found.n, found.problems) == (60, 60)


@pytest.mark.parametrize("coefficient", list(Coefficient))
def test_a_point_drawn_twice_counts_twice(coefficient: Coefficient) -> None:
    """The bootstrap's weights give what scipy gives for the sample written out."""
    x, y = pairs(30)
    weights = np.random.default_rng(1).multinomial(30, np.full(30, 1 / 30), size=5)
    found = _weighted(coefficient, x, y, weights.astype(float))
    for row, value in zip(weights, found, strict=True):
        drawn = np.repeat(np.arange(30), row)
        assert value == pytest.approx(SCIPY[coefficient](x[drawn], y[drawn]).statistic)


def test_images_of_one_problem_are_one_draw() -> None:
    """Each of 40 points written down four times tells no more: the interval is as wide, not half as wide."""
    x, y = pairs(40, 3)
    names = [str(i) for i in range(40)]
    one = correlate("a", "b", x, y, names, Coefficient.SPEARMAN)
    four = correlate("a", "b", np.tile(x, 4), np.tile(y, 4), names * 4, Coefficient.SPEARMAN)
    assert four.value == pytest.approx(one.value)
    assert (four.n, four.problems) == (160, 40)
    assert None not in (one.low, one.high, four.low, four.high)
    assert four.high - four.low == pytest.approx(one.high - one.low, rel=0.1)  # type: ignore[operator]


@pytest.mark.slow
def test_intervals_cover_the_truth() -> None:
    """200 sets of 50 problems with three images each, whose noise the images of a problem share: rho is known."""
    rng = np.random.default_rng(0)
    rho, hits, naive = 0.5, 0, 0
    truth = 6 / np.pi * np.arcsin(rho / 2)  # Spearman's of a bivariate normal
    for seed in range(200):
        z = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=50)
        x, y = np.repeat(z[:, 0], 3), np.repeat(z[:, 1], 3)
        names = np.repeat(np.arange(50), 3).astype(str).tolist()
        found = correlate("a", "b", x, y, names, Coefficient.SPEARMAN, n_boot=300, seed=seed)
        apart = correlate("a", "b", x, y, list(map(str, range(150))), Coefficient.SPEARMAN, n_boot=300, seed=seed)
        assert None not in (found.low, found.high, apart.low, apart.high)
        hits += found.low <= truth <= found.high  # type: ignore[operator]
        naive += apart.low <= truth <= apart.high  # type: ignore[operator]
    assert hits / 200 == pytest.approx(0.95, abs=0.045)
    assert naive / 200 < 0.85, "images as if each stood for itself: far too narrow"


@pytest.mark.parametrize("coefficient", [Coefficient.SPEARMAN, Coefficient.KENDALL])
def test_the_permutation_test_is_scipys(coefficient: Coefficient) -> None:
    x, y = np.array([1.0, 2, 3, 4, 5, 6]), np.array([2.0, 1, 4, 3, 6, 6])
    table = {"a": dict(zip("uvwxyz", x, strict=True)), "b": dict(zip("uvwxyz", y, strict=True))}
    (found,) = over_systems(table, [coefficient])
    exact = stats.permutation_test(
        (x,), lambda p: SCIPY[coefficient](p, y).statistic, permutation_type="pairings", n_resamples=np.inf
    )
    assert found.value == pytest.approx(exact.statistic)
    assert found.p == pytest.approx(exact.pvalue)
    assert (found.n, found.low) == (6, None)


def test_perfect_order_of_four_systems_is_not_beyond_chance() -> None:
    """By hand: 2 of the 24 orders are as far from 0, so p = 1/12."""
    table = {"a": {"u": 1.0, "v": 2.0, "w": 3.0, "x": 4.0}, "b": {"u": 0.1, "v": 0.2, "w": 0.3, "x": 0.9}}
    (found,) = over_systems(table, [Coefficient.SPEARMAN])
    assert (found.value, found.p) == (pytest.approx(1.0), pytest.approx(1 / 12))
    assert not found.clear


def test_the_papers_table_the_judge_predicts_r_inv_and_fid_and_psnr_do_not() -> None:
    found = {(c.a, c.b): c for c in published_level([Coefficient.SPEARMAN])}
    r_inv = [30.79, 38.86, 42.97, 52.67, 57.75, 58.83, 63.52, 73.41, 56.38, 76.93, 77.87]
    fid = [93.27, 120.42, 77.31, 98.22, 104.70, 96.74, 112.52, 87.72, 121.55, 117.83, 107.67]
    scipys = stats.spearmanr(r_inv, fid)
    assert found["r_inv", "fid"].value == pytest.approx(scipys.statistic)
    assert found["r_inv", "fid"].value == pytest.approx(0.16, abs=0.005)
    assert found["r_inv", "fid"].p == pytest.approx(scipys.pvalue, abs=0.03)
    assert [found["r_inv", m].clear for m in ("fid", "psnr", "ssim", "clip_score")] == [False] * 4
    assert found["r_inv", "correctness_fidelity"].value == pytest.approx(0.85, abs=0.005)
    assert found["r_inv", "expressiveness_richness"].clear
    assert all(c.n == 11 for c in found.values())


def test_what_is_not_defined_is_none_with_its_reason() -> None:
    few = correlate("a", "b", np.array([1.0, 2]), np.array([1.0, 2]), ["p", "q"], Coefficient.SPEARMAN)
    assert (few.value, few.reason) == (None, "2 in common: at least 3 are needed")
    flat = correlate("a", "b", np.ones(5), np.arange(5.0), list("abcde"), Coefficient.KENDALL)
    assert (flat.value, flat.reason) == (None, "no variance: one side is all alike")
    assert not flat.clear
    one = correlate("a", "b", np.arange(5.0), np.arange(5.0), ["p"] * 5, Coefficient.SPEARMAN)
    assert (one.value, one.low, one.reason) == (pytest.approx(1.0), None, "no interval: fewer than 3 problems")
    rare = correlate("a", "b", np.eye(1, 8)[0], np.arange(8.0), list("abcdefgh"), Coefficient.POINT_BISERIAL)
    assert rare.value is not None
    assert rare.reason == "no interval: one side is all alike in too many draws"
    (system,) = over_systems({"a": {"u": 1, "v": 2, "w": 2}, "b": {"u": 1, "v": 1, "w": 1}}, [Coefficient.KENDALL])
    assert (system.value, system.p, system.reason) == (None, None, "no variance: one side is all alike")


def test_many_images_have_a_kendall_without_interval() -> None:
    x, y = pairs(1200)
    found = correlate("a", "b", x, y, [str(i) for i in range(1200)], Coefficient.KENDALL)
    assert found.value == pytest.approx(stats.kendalltau(x, y).statistic)
    assert found.reason == "no interval: more than 1000 images"


def make_evidence() -> Evidence:
    """30 problems, two generators and a control; the judge agrees with inverse validation on all but p0."""
    problems = [Problem(id=f"p{n}", source="t", question="?", answer="1", multimodal_question="?") for n in range(30)]
    verdicts = []
    for generator in ("a", "b", "control_blank"):
        for n, problem in enumerate(problems):
            right = n % 3 == 0
            common = {"problem_id": problem.id, "generator": generator, "status": VerdictStatus.SCORED}
            verdicts.append(Verdict(evaluator="inverse", passed=right, **common))  # type: ignore[arg-type]
            score = {"correctness_fidelity": 2.0 * (right and n > 0)}
            if not (generator == "b" and n == 29):
                verdicts.append(Verdict(evaluator="judge", measures=score, **common))  # type: ignore[arg-type]
    return Evidence.of(problems, [], verdicts)


def test_image_level_pairs_what_both_have_and_leaves_controls_out() -> None:
    evidence = make_evidence()
    assert {key: len(values) for key, values in scores(evidence).items()} == {
        "r_inv_scored": 60, "correctness_fidelity_scored": 59,
    }  # fmt: skip
    found = {c.coefficient: c for c in image_level(evidence, n_boot=200)}
    assert set(found) == set(Coefficient), "one side is 0 or 1, the other 0 to 2"
    x = [n % 3 == 0 for n in range(30)] * 2
    y = [2 * (n % 3 == 0 and n > 0) for n in range(30)] * 2
    for coefficient, c in found.items():
        assert (c.n, c.problems) == (59, 30)
        assert c.value == pytest.approx(SCIPY[coefficient](x[:-1], y[:-1]).statistic)
        assert c.clear


def test_system_level_is_over_measured_rows_alone() -> None:
    (found,) = [c for c in system_level(leaderboard(make_evidence())) if (c.a, c.b) == (
        "r_inv", "correctness_fidelity") and c.coefficient is Coefficient.SPEARMAN]  # fmt: skip
    assert (found.n, found.value, found.reason) == (2, None, "2 in common: at least 3 are needed")


def test_holm_by_hand() -> None:
    def tested(p: float | None) -> Correlation:
        return Correlation("a", "b", Coefficient.SPEARMAN, None if p is None else 0.5, p=p)

    assert holm([tested(p) for p in (0.04, None, 0.01, 0.03)]) == [0.06, None, 0.03, 0.06]
