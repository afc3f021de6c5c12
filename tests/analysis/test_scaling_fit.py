"""Fits of scaling laws against closed forms, scipy and a brute search; forms on cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import linregress

from scigen.analysis.scaling.fit import aicc, fit, profile
from scigen.analysis.scaling.forms import FORMS, LOG_LINEAR, NONE, POWER_LAW, SATURATING, Form, Span

SIZES = np.array([64.0, 128.0, 256.0, 512.0, 1024.0])
EVEN = np.ones(5)


def test_log_linear_is_the_straight_line_in_log_n() -> None:
    mean = np.array([0.41, 0.46, 0.45, 0.52, 0.53])
    line = linregress(np.log(SIZES), mean)
    found = fit(LOG_LINEAR, SIZES, mean, EVEN).named()
    assert found["b"][0] == pytest.approx(line.slope, rel=1e-6)
    assert found["a"][0] == pytest.approx(line.intercept, rel=1e-6)


def test_weights_are_those_of_weighted_least_squares() -> None:
    """Normal equations with numpy: weights are inverse squares of standard errors."""
    mean, weights = np.array([0.41, 0.46, 0.45, 0.52, 0.53]), np.array([1.0, 4.0, 1.0, 9.0, 2.0])
    design = np.stack([np.ones(5), np.log(SIZES)], 1)
    intercept, slope = np.linalg.solve(design.T * weights @ design, design.T * weights @ mean)
    found = fit(LOG_LINEAR, SIZES, mean, weights).named()
    assert (found["a"][0], found["b"][0]) == pytest.approx((intercept, slope), rel=1e-6)


@pytest.mark.parametrize(
    ("form", "truth"),
    [
        (LOG_LINEAR, {"a": 0.3, "b": 0.03}),
        (POWER_LAW, {"c": 0.7, "a": 2.0, "b": 0.5}),
        (SATURATING, {"a": 0.35, "c": 0.6, "k": 200.0}),
    ],
    ids=lambda x: x.name if isinstance(x, Form) else "",
)
def test_exact_points_give_back_the_parameters_of_the_formula(form: Form, truth: dict[str, float]) -> None:
    """Points by the formula as it is written, here in Python: a + b ln N, c - a N^-b, a + (c - a) N / (N + k)."""
    names = {"ln": math.log, **truth}
    formulas = {
        "log_linear": "a + b * ln(n)",
        "power_law": "c - a * n ** -b",
        "saturating": "a + (c - a) * n / (n + k)",
    }
    mean = np.array([eval(formulas[form.name], {**names, "n": n}) for n in SIZES])  # noqa: S307
    found = fit(form, SIZES, mean, EVEN)
    assert found.squares[0] < 1e-12
    for name, value in truth.items():
        assert found.named()[name][0] == pytest.approx(value, rel=2e-3), name


def test_many_curves_at_once_are_as_good_as_scipy_one_by_one() -> None:
    rng = np.random.default_rng(0)
    means = 0.45 + 0.04 * np.log2(SIZES / 64) / 4 + rng.normal(0, 0.02, (6, 5))
    for form in FORMS:
        together = profile(form, SIZES, means, EVEN)
        alone = [fit(form, SIZES, mean, EVEN).squares[0] for mean in means]
        assert together.squares == pytest.approx(alone, abs=2e-7), form.name


def test_heights_stay_within_0_and_1_and_are_the_best_there() -> None:
    """Noisy points near the ceiling; every pair of heights on a grid of a hundredth is worse or as good."""
    rng = np.random.default_rng(3)
    mean = np.clip(np.array([0.9, 0.97, 1.0, 1.02, 1.05]) + rng.normal(0, 0.02, 5), 0, None)
    heights = np.linspace(0, 1, 101)
    start, end = (x.ravel() for x in np.meshgrid(heights, heights))
    for form in (LOG_LINEAR, SATURATING, POWER_LAW):
        found = profile(form, SIZES, mean[None], EVEN)
        assert 0 <= found.start[0] <= 1
        assert 0 <= found.end[0] <= 1
        values = form.value(SIZES, start, end, np.full_like(start, found.shape[0]), found.span)
        assert found.squares[0] <= ((mean - values) ** 2).sum(1).min() + 1e-12


def rows_for(form: Form, accuracy: float, start: float, end: float, shape: float = 1.0) -> float:
    one = [np.array([x]) for x in (accuracy, start, end, shape)]
    return float(form.size_for(*one, Span(64, 1024))[0])


def test_rows_for_a_gain_by_hand() -> None:
    """Log-linear from .40 at 64 to .48 at 1024: four doublings of .02; one point more is half a doubling."""
    assert rows_for(LOG_LINEAR, 0.49, 0.40, 0.48) == pytest.approx(1024 * 2**0.5)
    # .40 + (.60 - .40) N / (N + 100) is .56 where N / (N + 100) = .8
    assert rows_for(SATURATING, 0.56, 0.4, 0.6, 100) == pytest.approx(400)
    # .60 - .20 (64 / N)^.5 is .55 where 64 / N = 1/16
    assert rows_for(POWER_LAW, 0.55, 0.4, 0.6, 0.5) == pytest.approx(1024)


def test_where_a_curve_never_rises_so_far_no_rows_are_named() -> None:
    for form in (POWER_LAW, SATURATING):
        assert rows_for(form, 0.61, 0.4, 0.6, 0.5) == np.inf, "its ceiling is .60"
    assert rows_for(LOG_LINEAR, 0.45, 0.5, 0.4) == np.inf, "it falls"
    assert rows_for(NONE, 0.41, 0.4, 0.4) == np.inf
    assert rows_for(LOG_LINEAR, 1.01, 0.5, 1.0) == np.inf, "no accuracy is above 1"


def test_aicc_by_hand() -> None:
    """n ln(S/n) + 2K + 2K(K+1)/(n-K-1) with K = 2 + 1: 10 ln(.01) + 6 + 24/6 = -36.0517."""
    value = aicc(np.array([0.1]), 10, 2)
    assert value is not None
    assert value[0] == pytest.approx(-36.0517, abs=1e-4)
    assert aicc(np.array([0.1]), 4, 2) is None, "n - K - 1 is 0"
