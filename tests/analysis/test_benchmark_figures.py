"""Figures show the records' numbers, say what was not run, and their labels can be read. PNGs were also looked at."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
from simulated_benchmark import benchmark

from scigen.analysis.benchmark_figures import (
    domain_radar,
    expressiveness_against_precision,
    judge_bars,
    metrics_against_r_inv,
    r_inv_by_date,
)
from scigen.analysis.fault_figures import (
    agreement_heat_map,
    code_against_pixels,
    failure_mode_bars,
    failure_mode_rates,
)
from scigen.analysis.figures import to_png
from scigen.evaluation.agreement import Coefficient, Correlation, image_level, published_level
from scigen.evaluation.evidence import Evidence
from scigen.evaluation.failure_modes import by_subject
from scigen.evaluation.leaderboard import Row, leaderboard

NOTHING = Evidence.of([])
ALIKE = {"coder_large": "gemini3_pro_imgcoder", "pixel_mid": "flux2_flex"}


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """The simulated benchmark, two of its generators under names that the paper has too."""
    made = benchmark(100)

    def named(record: Any) -> Any:
        return record.model_copy(update={"generator": ALIKE.get(record.generator, record.generator)})

    return Evidence.of(made.problems.values(), map(named, made.images), map(named, made.verdicts))


@pytest.fixture(scope="module")
def rows(evidence: Evidence) -> list[Row]:
    return leaderboard(evidence)


def words(figure: Any) -> list[str]:
    """All texts of a figure."""
    from matplotlib.text import Text

    return [t.get_text() for t in figure.findobj(Text) if t.get_text()]


def points(axes: Any, marker: str) -> set[tuple[float, float]]:
    return {
        (round(float(x), 6), round(float(y), 6))
        for line in axes.lines
        if line.get_marker() == marker
        for x, y in line.get_xydata()
    }


EMPTY: dict[str, Callable[[], Any]] = {
    "our own R_inv: not run": lambda: r_inv_by_date(leaderboard(NOTHING)),
    "R_inv by domain: not run": lambda: domain_radar(NOTHING),
    "our own judge: not run; the paper's values": lambda: judge_bars(leaderboard(NOTHING)),
    "judge: not run": lambda: judge_bars([]),
    "our own judge: not run": lambda: expressiveness_against_precision(leaderboard(NOTHING)),
    "ours: not run": lambda: metrics_against_r_inv(leaderboard(NOTHING)),
    "PSNR and R_inv: not run": lambda: metrics_against_r_inv([]),
    "failure modes: not run (no images)": lambda: failure_mode_bars(NOTHING),
    "failure modes: not run": lambda: failure_mode_rates(NOTHING),
    "code against pixels: not run": lambda: code_against_pixels(NOTHING),
    "metric agreement: not run": lambda: agreement_heat_map([]),
}


@pytest.mark.parametrize("said", EMPTY)
def test_what_was_not_run_is_said_in_the_plot(said: str) -> None:
    figure = EMPTY[said]()
    assert any(said in text for text in words(figure))
    assert to_png(figure).startswith(b"\x89PNG")


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_figure_is_drawn_in_both_themes(evidence: Evidence, rows: list[Row], theme: Any) -> None:
    figures = [
        r_inv_by_date(rows, theme=theme), domain_radar(evidence, theme=theme), judge_bars(rows, theme=theme),
        expressiveness_against_precision(rows, theme=theme), metrics_against_r_inv(rows, theme=theme),
        code_against_pixels(evidence, theme=theme),
        failure_mode_bars(evidence, theme=theme), failure_mode_rates(evidence, group_of=by_subject, theme=theme),
        agreement_heat_map(image_level(evidence, [Coefficient.SPEARMAN], n_boot=50), theme=theme),
    ]  # fmt: skip
    papers = {figure.get_facecolor()[:3] for figure in figures}
    assert len(papers) == 1
    assert (papers.pop()[0] > 0.5) == (theme == "light")
    assert to_png(figures[0]) == to_png(r_inv_by_date(rows, theme=theme)), "the same records, the same bytes"


def test_dates_have_the_papers_systems_and_ours_at_the_same_day(rows: list[Row]) -> None:
    from datetime import date

    from matplotlib.dates import date2num

    axes = r_inv_by_date(rows).axes[0]
    ours = next(r for r in rows if r.name == "flux2_flex" and r.kind == "measured").cells["r_inv"].value
    day = float(date2num(date(2025, 11, 25)))
    assert {(day, 58.83), (day, round(100 * ours, 6))} <= points(axes, "o")
    assert (float(date2num(date(2025, 11, 18))), 77.87) in points(axes, "s")
    assert len([t for t in axes.texts if t.get_text() == "FLUX.2-flex"]) == 1


def test_the_metric_panels_say_how_well_they_predict(rows: list[Row]) -> None:
    figure = metrics_against_r_inv(rows)
    psnr, fid = (axes.get_title() for axes in figure.axes)
    assert psnr.startswith("paper: rho +0.55, p 0.09, 11 systems\nours: rho ")
    assert fid == "paper: rho +0.16, p 0.64, 11 systems\nours: not run"
    blank = next(r for r in rows if r.name == "control_blank").cells["psnr"].value
    assert any(line.get_linestyle() == ":" and line.get_xdata()[0] == blank for line in figure.axes[0].lines)


def test_a_radars_points_are_the_breakdowns(evidence: Evidence) -> None:
    from scigen.evaluation.leaderboard import BY_KEY, breakdown, subject_of

    axes = domain_radar(evidence, generators=["pixel_old"]).axes[0]
    cells = breakdown(evidence, BY_KEY["r_inv"], subject_of)["pixel_old"]
    drawn = axes.lines[0].get_ydata()
    assert list(drawn[:-1]) == pytest.approx([100 * cells[s].value for s in sorted(cells)])
    assert drawn[-1] == drawn[0], "the line closes"


def test_stacked_bars_hold_each_faulty_image_once(evidence: Evidence) -> None:
    from scigen.evaluation.failure_modes import FailureMode, cases, tag

    axes = failure_mode_bars(evidence).axes[0]
    total = sum(patch.get_width() for patch in axes.patches)
    tagged = [tag(c) for c in cases(evidence)]
    expected = 0.0
    for name in {t.case.generator for t in tagged}:
        mine = [t for t in tagged if t.case.generator == name]
        expected += 100 * sum(bool(t.modes - {FailureMode.EVALUATOR_FAILED}) for t in mine) / len(mine)
    assert total == pytest.approx(expected)


def test_a_bar_of_images_that_nobody_looked_at_says_so(evidence: Evidence) -> None:
    bare = Evidence.of(evidence.problems.values(), evidence.images)
    assert any("no evaluator was run" in t for t in words(failure_mode_bars(bare)))


def test_the_heat_map_greys_what_is_not_beyond_chance_and_dashes_what_is_undefined() -> None:
    spearman = Coefficient.SPEARMAN
    found = [
        Correlation("r_inv", "psnr", spearman, 0.8, 0.6, 0.9, n=50, problems=50),
        Correlation("r_inv", "ssim", spearman, 0.1, -0.2, 0.4, n=50, problems=50),
        Correlation("psnr", "ssim", spearman, None, n=2, reason="2 in common: at least 3 are needed"),
    ]
    figure = agreement_heat_map(found)
    picture = figure.axes[0].images[0].get_array()
    clear, unclear, undefined = picture[1, 0], picture[2, 0], picture[2, 1]
    assert clear[2] > clear[0] + 0.3, "blue"
    assert unclear[0] == pytest.approx(unclear[2])
    assert list(unclear) == list(undefined)
    assert {"+0.80", "+0.60 to +0.90", "+0.10", "–"} <= set(words(figure))


def test_names_cover_neither_points_nor_each_other() -> None:
    """The paper's eleven systems, in three plots."""
    from matplotlib.text import Text

    rows = leaderboard(NOTHING)
    for figure in (r_inv_by_date(rows), expressiveness_against_precision(rows), metrics_against_r_inv(rows)):
        figure.draw_without_rendering()
        for axes in figure.axes:
            names = {r.title for r in rows}
            # of the words alone: an annotation's own extent has its leader in it
            boxes = [Text.get_window_extent(t) for t in axes.texts if t.get_text() in names]
            assert len(boxes) == 11
            assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
            frame = axes.get_window_extent()
            for box in boxes:
                assert frame.x0 <= box.x0
                assert box.x1 <= frame.x1
                for marker in "os":
                    for x, y in axes.transData.transform(list(points(axes, marker))):
                        assert not box.contains(x, y)


def test_published_agreement_is_drawn_with_its_test() -> None:
    figure = agreement_heat_map(published_level([Coefficient.SPEARMAN]))
    assert {"+0.16", "p 0.642", "judge C&F", "FID"} <= set(words(figure))
    assert "11 systems\nbelow it p of a permutation test" in figure.axes[0].get_title()
