"""Intervals agree with values worked by hand and cover the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from scigen import statistics
from scigen.statistics import cluster_bootstrap, cluster_means, estimate, paired_bootstrap, paired_ratio, wilson


def test_wilson_by_hand() -> None:
    # 1 of 10 with z = 1.96: z^2 = 3.8416; centre (0.1 + 0.19208) / 1.38416 = 0.21102;
    # half 1.96 / 1.38416 * sqrt(0.009 + 0.009604) = 0.19314
    assert wilson(1, 10) == pytest.approx((0.01788, 0.40416), abs=1e-4)
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81/263, 15/148 and 1/29
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_wilson_at_the_ends() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    # 0 of n has the closed form 0 .. z^2 / (n + z^2)
    assert wilson(0, 20) == pytest.approx((0.0, 3.841459 / 23.841459))
    low, high = wilson(20, 20)
    assert low == pytest.approx(20 / 23.841459)
    assert high == 1.0


@pytest.mark.parametrize(("successes", "n"), [(-1, 3), (4, 3)])
def test_wilson_refuses_impossible_counts(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"{successes} successes of {n} trials"):
        wilson(successes, n)


def test_each_cluster_weighs_the_same_however_many_values_it_has() -> None:
    # means 1 and 0, so 0.5, although five of six values are 1
    result = estimate({"a": [1, 1, 1, 1, 1], "b": [0], "nothing came back": []})
    assert (result.value, result.n) == (0.5, 2)
    # two clusters drawn twice give 0, 1/2 or 1, with probabilities 1/4, 1/2, 1/4
    assert (result.low, result.high) == (0.0, 1.0)
    assert cluster_means({"a": [1, 0, 0, 1], "b": [0.25]}) == {"a": 0.5, "b": 0.25}


def test_bootstrap_interval_of_many_clusters_is_the_normal_one() -> None:
    # 400 clusters, half 0 and half 1: standard error 0.5 / 20 = 0.025, so 0.5 +- 0.049
    low, high = cluster_bootstrap({str(i): [i % 2] * 4 for i in range(400)}, n_boot=20_000)
    assert (low, high) == pytest.approx((0.451, 0.549), abs=0.004)


def test_answers_to_one_problem_do_not_count_as_independent() -> None:
    one = {str(i): [float(i % 2)] for i in range(40)}
    many = {name: values * 100 for name, values in one.items()}
    assert cluster_bootstrap(one) == cluster_bootstrap(many)


def test_bootstrap_depends_on_the_seed_and_not_on_the_order_or_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    data = {str(i): [float(x)] for i, x in enumerate(np.random.default_rng(1).normal(size=50))}
    backwards = dict(reversed(data.items()))
    assert cluster_bootstrap(data, seed=3) == cluster_bootstrap(backwards, seed=3)
    assert cluster_bootstrap(data, seed=3) != cluster_bootstrap(data, seed=4)
    whole = cluster_bootstrap(data, seed=3)
    monkeypatch.setattr(statistics, "_CELLS", 500)
    assert cluster_bootstrap(data, seed=3) == pytest.approx(whole, abs=1e-12)


def test_paired_difference_uses_common_problems_only() -> None:
    after = {"p1": 1.0, "p2": 0.5, "p3": 0.75, "only after": 0.0}
    before = {"p1": 0.5, "p2": 0.5, "p3": 0.0, "only before": 1.0}
    difference, low, high = paired_bootstrap(after, before)
    assert difference == pytest.approx((0.5 + 0 + 0.75) / 3)
    # three problems drawn three times: the extremes 0 and 0.75 each have probability 1/27 > 2.5 %
    assert (low, high) == pytest.approx((0.0, 0.75))


def test_pairing_takes_out_what_problems_have_in_common() -> None:
    rng = np.random.default_rng(0)
    level = {str(i): float(x) for i, x in enumerate(rng.uniform(0, 0.9, size=100))}
    better = {name: x + 0.1 for name, x in level.items()}
    assert paired_bootstrap(better, level) == pytest.approx((0.1, 0.1, 0.1))
    low, high = cluster_bootstrap({name: [x] for name, x in level.items()})
    assert high - low > 0.08


def test_empty_input_is_refused() -> None:
    with pytest.raises(ValueError, match="no values in 1 clusters"):
        cluster_bootstrap({"a": []})
    with pytest.raises(ValueError, match="no problem in common: 1 on one side, 2 on the other"):
        paired_bootstrap({"a": 1.0}, {"b": 1.0, "c": 0.0})
    with pytest.raises(ValueError, match="n_boot"):
        cluster_bootstrap({"a": [1.0]}, n_boot=0)


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    """100 problems of unequal difficulty, 4 answers each. 400 runs put 95 % coverage between 92 % and 98 % (3 s.e.)."""
    rng = np.random.default_rng(7)
    hits = 0
    for run in range(400):
        ability = rng.beta(1.2, 1.2, size=100)  # mean 0.5
        answers = rng.random((100, 4)) < ability[:, None]
        low, high = cluster_bootstrap({str(i): row for i, row in enumerate(answers.astype(float))}, 400, seed=run)
        hits += low <= 0.5 <= high
    assert 0.92 <= hits / 400 <= 0.98


def test_treating_answers_as_independent_would_not_cover() -> None:
    """Why clusters: 4 equal answers a problem, counted as 400 trials, give an interval of half the width."""
    rng = np.random.default_rng(8)
    naive, clustered = 0, 0
    for run in range(300):
        right = rng.random(100) < 0.5
        low, high = wilson(int(right.sum()) * 4, 400)
        naive += low <= 0.5 <= high
        low, high = cluster_bootstrap({str(i): [float(r)] * 4 for i, r in enumerate(right)}, 400, seed=run)
        clustered += low <= 0.5 <= high
    assert naive / 300 < 0.8
    assert clustered / 300 > 0.9


def test_a_ratio_of_means_by_hand() -> None:
    """Two clusters, 1/2 and 0/1, drawn twice: 1/2 or 0 with chance 1/4 each, 1/3 with 1/2. Equal ratios: no width."""
    found = paired_ratio(np.array([1.0, 0.0]), np.array([2.0, 1.0]))
    assert (found.value, found.low, found.high, found.n) == (pytest.approx(1 / 3), 0.0, 0.5, 2)
    same = paired_ratio(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0]))
    assert (same.value, same.low, same.high) == pytest.approx((0.5, 0.5, 0.5))
    with pytest.raises(ValueError, match="whose sum is 0"):
        paired_ratio(np.zeros(2), np.zeros(2))
