"""Scaling studies on simulated cells: draws against known variances, rules of comparison, what cannot be said."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from scigen.analysis.figures import to_png
from scigen.analysis.scaling import Cell, ScalingResult, page, scaling_figure, study
from scigen.analysis.scaling.draws import draw_means, percentiles, standard_errors
from scigen.analysis.scaling.grid import grid_of
from scigen.errors import ScigenError

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import scaling_coverage
from scaling_coverage import LAWS, SIZES, simulate

BY_NAME = {law.form.name: law for law in LAWS}


def cells_of(curve: dict[int, float], seeds: int = 3, problems: int = 100) -> list[Cell]:
    """Every seed has the curve's accuracy exactly, but for a hundredth up or down by seed and size in turn."""
    found = []
    for j, (size, accuracy) in enumerate(curve.items()):
        for s in range(seeds):
            right = round(problems * accuracy) + (s + j) % 3 - 1
            found.append(Cell(size, s, {f"p{i}": float(i < right) for i in range(problems)}, 0.3))
    return found


def test_the_draws_of_a_contrast_are_students_t_over_seeds_where_seeds_alone_vary() -> None:
    """All problems alike: the interval of growth is mean +- t(2) s / sqrt(3) of the seeds' own growths."""
    by_seed = np.array([[0.40, 0.45, 0.55], [0.42, 0.44, 0.50], [0.38, 0.47, 0.57]])
    scores = np.broadcast_to(by_seed, (200, 3, 3)).copy()
    growth = by_seed[:, 2] - by_seed[:, 0]
    half = stats.t.ppf(0.975, 2) * growth.std(ddof=1) / np.sqrt(3)
    drawn = draw_means(scores, 8_000, 0)
    low, high = percentiles(drawn[:, 2] - drawn[:, 0])
    assert low == pytest.approx(growth.mean() - half, abs=0.008)
    assert high == pytest.approx(growth.mean() + half, abs=0.008)


def test_the_draws_of_one_seed_are_those_of_problems() -> None:
    """Standard deviation of a mean over problems: s / sqrt(n)."""
    scores = np.random.default_rng(1).binomial(4, 0.5, (300, 1, 3)) / 4
    drawn = draw_means(scores, 8_000, 0)
    assert drawn.std(0) == pytest.approx(scores[:, 0].std(0) / np.sqrt(300), rel=0.03)
    assert standard_errors(scores) == pytest.approx(scores[:, 0].std(0, ddof=1) / np.sqrt(300))


def test_what_a_cell_has_by_chance_counts_once() -> None:
    """Problems and seeds without any effect: 20 seeds x 200 problems of coin tosses. The variance of a mean is that of
    all tosses over their number; problems and seeds drawn naively, side by side, would give twice that."""
    scores = np.random.default_rng(2).binomial(1, 0.5, (200, 20, 2)).astype(float)
    drawn = draw_means(scores, 8_000, 0)
    ratio = drawn.var(0) / (0.25 / 4000)
    assert (ratio > 0.6).all()
    assert (ratio < 1.7).all()


def test_a_steep_rise_is_seen_and_a_flat_line_is_not_taken_for_one() -> None:
    steep = study(cells_of({32: 0.3, 128: 0.4, 512: 0.5, 2048: 0.6}), "steep", "held_out", 4, 200)
    flat = study(cells_of({32: 0.45, 128: 0.45, 512: 0.45, 2048: 0.45}), "flat", "held_out", 4, 200)
    assert steep.growth.value == pytest.approx(0.3, abs=0.011)
    assert steep.growth.clear
    steps = [p.step for p in steep.points]
    assert steps[0] is None
    assert sum(s.value for s in steps if s is not None) == pytest.approx(steep.growth.value)
    assert "Accuracy rises from 32 to 2048 rows" in steep.statements[0]
    assert not flat.growth.clear
    assert "cannot be told apart" in flat.statements[0]
    assert not any(f.one_point.can_be_said for f in flat.fits)
    assert "cannot be said" in flat.statements[2]


def test_forms_are_told_apart_only_where_none_other_fits_as_closely() -> None:
    """A straight line in log N can always be bent a little: a power law follows it, so the forms stay apart by thrift
    alone, and the study does not claim to know."""
    result = study(cells_of({32: 0.3, 128: 0.4, 512: 0.5, 2048: 0.6}), "line", "held_out", 4, 200)
    deltas = {f.form: f.delta for f in result.fits}
    assert deltas["log_linear"] == 0.0
    assert deltas["none"] is not None
    assert deltas["none"] > 2
    assert not result.told_apart
    assert result.statements[1].startswith("The data cannot tell the forms apart: AICc is lowest for log-linear")


def test_a_law_that_bends_hard_is_told_from_the_line() -> None:
    """Ten sizes of the hyperbola with k = 300: level at both ends of three decades, where no other form can be."""
    curve = {n: 0.2 + 0.6 * n / (n + 300) for n in (4, 8, 16, 32, 128, 512, 2048, 8192, 32768, 131072)}
    result = study(cells_of(curve, problems=400), "bend", "held_out", 4, 200)
    assert result.told_apart
    best = next(f for f in result.fits if f.delta == 0)
    assert best.form == "saturating"
    assert best.parameters["k"].value == pytest.approx(300, rel=0.15)
    assert best.extrapolation is not None
    assert abs(best.extrapolation.error.value) < 0.01
    line = next(f for f in result.fits if f.form == "log_linear")
    assert line.extrapolation is not None
    assert line.extrapolation.error.value > 0.05, "a line goes on rising"


def test_the_result_survives_json_and_its_page_and_figure_are_made() -> None:
    result = study(simulate(BY_NAME["log_linear"], SIZES, 3, 60, np.random.default_rng(0)), "x", "held_out", 4, 50)
    assert ScalingResult.model_validate_json(result.model_dump_json()) == result
    text = page([result], {"x": "scaling.png"})
    for fit in result.fits:
        assert f"| {fit.label}: {fit.formula} |" in text
    assert all(s in text for s in result.statements)
    assert to_png(scaling_figure(result)).startswith(b"\x89PNG")


def test_seeds_that_lack_a_size_are_left_out_and_named() -> None:
    cells = [c for c in cells_of({32: 0.4, 128: 0.45, 512: 0.5}) if (c.size, c.seed) != (512, 1)]
    grid = grid_of(cells)
    assert grid.seeds == (0, 2)
    assert grid.scores.shape == (100, 2, 3)
    assert grid.left_out == ("seed 1: without sizes [512]",)


def test_what_cannot_be_studied_is_refused_with_a_reason() -> None:
    cells = cells_of({32: 0.4, 128: 0.45, 512: 0.5})
    with pytest.raises(ScigenError, match="two of size 32 and seed 0"):
        grid_of([*cells, cells[0]])
    with pytest.raises(ScigenError, match="2 sizes"):
        grid_of([c for c in cells if c.size != 32])
    with pytest.raises(ScigenError, match="no seed has all sizes"):
        grid_of([c for c in cells if (c.size, c.seed) not in {(32, 0), (128, 1), (512, 2)}])
    with pytest.raises(ScigenError, match="no problem is common"):
        grid_of([Cell(c.size, c.seed, {f"{c.size}-{c.seed}": 1.0}) for c in cells])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "studies"), [("log_linear", 200), ("saturating", 120)])
def test_intervals_hold_the_truth_of_a_known_law(name: str, studies: int) -> None:
    """95 % of them, give or take what so many studies leave open: within the central 99.9 % of a binomial with a
    chance of 0.95, and at the upper end all of them, since intervals may be a little too wide."""
    held = scaling_coverage.covered(BY_NAME[name], SIZES, 3, 240, studies, n_boot=300)
    for quantity, count in held.items():
        assert count >= stats.binom.ppf(0.0005, studies, 0.95), (quantity, count)
