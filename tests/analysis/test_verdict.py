"""The words follow from the numbers, also when these are bad news; the closing table holds them too."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from pydantic import ValidationError
from rich.console import Console

from scigen.analysis.report import IntervalScale, segments
from scigen.analysis.results import Difference, Measurement, Role, RunResults, Stage
from scigen.analysis.tables import closing_table
from scigen.analysis.verdict import duration, percent, points, verdict


def difference(value: float, low: float, high: float, against: Role) -> Difference:
    return Difference(name="x", value=value, ci95=(low, high), n=100, against=against)


def with_differences(run: RunResults, *differences: Difference) -> RunResults:
    return run.model_copy(update={"differences": differences})


def test_good_run(small_run: RunResults) -> None:
    words = verdict(small_run)
    assert words.title == "Training raised held-out accuracy from 45.2 to 60.1 %"
    assert "75 steps of reinforcement learning" in words.standfirst
    assert "7 min 24 s" in words.standfirst  # 4.2 + 61 + 3.1 + 2.2 + 62 + 311.4 = 443.9 s
    assert "it looks" in words.means
    assert "worse than the same seconds of further supervised steps: −6.8 points" in words.means
    assert "1.1 million parameters" in words.does_not_mean
    assert "Not compared" not in words.does_not_mean


def test_a_policy_that_does_not_look_is_said_not_to(small_run: RunResults) -> None:
    run = with_differences(small_run, difference(0.02, -0.01, 0.05, Role.BLANK_IMAGE))
    assert "it does not use the images" in verdict(run).means


def test_a_loss_is_called_a_loss(small_run: RunResults) -> None:
    words = verdict(with_differences(small_run, difference(-0.1, -0.15, -0.05, Role.BEFORE)))
    assert words.title.startswith("Training lowered")
    assert "rose" not in words.means
    assert "It was not tested whether the answers come from the images." in words.means


def test_no_clear_difference_to_supervised_steps(small_run: RunResults) -> None:
    words = verdict(with_differences(small_run, difference(0.01, -0.02, 0.04, Role.SUPERVISED)))
    assert "not clearly different from the same seconds" in words.means


def test_missing_controls_are_named(small_run: RunResults) -> None:
    kept = tuple(m for m in small_run.measurements if m.role not in (Role.CONTROL, Role.SUPERVISED))
    text = verdict(small_run.model_copy(update={"measurements": kept})).does_not_mean
    assert (
        "Not compared in this run: a policy trained on blank or shuffled images and further supervised steps." in text
    )


def test_numbers_as_printed() -> None:
    assert percent(0.4567) == "45.7"
    assert points(difference(-0.0678, -0.098, 0.035, Role.BEFORE)) == "−6.8 points (95 % interval −9.8 to +3.5)"
    assert [duration(s) for s in (3.14, 47, 632, 7260)] == ["3.1 s", "47 s", "10 min 32 s", "2 h 1 min"]


def test_bar_segments_fill_the_bar_passed_first() -> None:
    stage = Stage(name="s", unit="images", total=40, counts={"timeout": 4, "ok": 30, "blank": 6}, passed=("ok",))
    parts = segments(stage)
    assert [(p.name, p.share, p.passed) for p in parts] == [
        ("ok", 75.0, True), ("blank", 15.0, False), ("timeout", 10.0, False),
    ]  # fmt: skip


def test_interval_scale(small_run: RunResults) -> None:
    scale = IntervalScale.of(small_run)  # the highest end is 0.669 + 0.035 = 0.704
    assert scale.top == 0.8
    assert (scale.x(0), scale.x(0.4), scale.x(0.8)) == (5, 100, 195)


def test_rows_are_in_the_order_of_the_argument(small_run: RunResults) -> None:
    assert [m.role for m in small_run.verdict_rows()] == [
        Role.UNTRAINED, Role.BEFORE, Role.AFTER, Role.BLANK_IMAGE, Role.CONTROL, Role.SUPERVISED,
    ]  # fmt: skip
    assert [m.step for m in small_run.curve()] == [0, 15, 30, 45, 60, 75]


def test_impossible_measurements_are_refused() -> None:
    good = {"role": "after", "label": "x", "data_source": "d", "truncated": 0, "no_answer": 0, "n": 4}
    with pytest.raises(ValidationError, match="avg_at_4"):
        Measurement.model_validate({**good, "avg_at_4": 60.1, "ci95": (0.5, 0.7)})
    with pytest.raises(ValidationError, match="not \\(low, high\\)"):
        Measurement.model_validate({**good, "avg_at_4": 0.6, "ci95": (0.7, 0.5)})


def test_closing_table_holds_scores_differences_and_paths(small_run: RunResults) -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(
        closing_table(small_run.verdict_rows(), {"report": Path("outputs/x[1]/report.html")}, small_run.differences)
    )
    lines = console.export_text().splitlines()
    after = next(line for line in lines if line.startswith("After GRPO "))
    assert after.split() == ["After", "GRPO", "60.1", "56.6", "to", "63.6", "420", "1.2", "3.4"]
    assert any("after minus before" in x and "+14.9 points (95 % interval +12.1 to +17.8), 420" in x for x in lines)
    assert any("outputs/x[1]/report.html" in line for line in lines)
