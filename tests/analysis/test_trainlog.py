"""verl's metrics in both shapes, with resumed and torn lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scigen.analysis.results import Step
from scigen.analysis.trainlog import avg_at_k, read_metrics, train_steps
from scigen.errors import ScigenError

TRAIN = {
    "critic/score/mean": 0.25, "response_length/mean": 3.5, "actor/grad_norm": 0.7, "actor/entropy": 1.1,
    "timing_s/step": 2.25,
}  # fmt: skip


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_both_shapes_give_the_same_steps(tmp_path: Path) -> None:
    nested = write(tmp_path / "a.jsonl", {"step": 1, "data": TRAIN})
    flat = write(tmp_path / "b.jsonl", {"step": 1, **TRAIN})
    counted = write(tmp_path / "c.jsonl", {"training/global_step": 1, **TRAIN})
    expected = (Step(step=1, reward=0.25, response_length=3.5, grad_norm=0.7, entropy=1.1, seconds=2.25),)
    assert [train_steps(read_metrics(p)) for p in (nested, flat, counted)] == [expected] * 3


def test_a_step_done_again_counts_once_as_done_last(tmp_path: Path) -> None:
    path = write(
        tmp_path / "m.jsonl",
        {"step": 2, "data": {"critic/score/mean": 0.3}},
        {"step": 1, "data": {"critic/score/mean": 0.2}},
        {"step": 2, "data": {"critic/score/mean": 0.5, "actor/grad_norm": 1}},
    )
    assert [(s.step, s.reward, s.grad_norm) for s in train_steps(read_metrics(path))] == [(1, 0.2, None), (2, 0.5, 1.0)]


def test_validation_points_are_not_training_steps(tmp_path: Path) -> None:
    path = write(
        tmp_path / "m.jsonl",
        {"step": 0, "data": {"val-core/held_out/acc/mean@4": 0.4521, "val-core/held_out_blank/reward/mean@4": 0.25}},
        {"step": 1, "data": {**TRAIN, "actor/entropy": None}},
        {"step": 2, "data": {**TRAIN, "critic/score/mean": "nan", "val-core/held_out/acc/mean@4": 0.5}},
    )
    metrics = read_metrics(path)
    assert [s.step for s in train_steps(metrics)] == [1, 2]
    assert train_steps(metrics)[0].entropy is None
    assert train_steps(metrics)[1].reward is None
    assert avg_at_k(metrics, "held_out") == {0: 0.4521, 2: 0.5}
    assert avg_at_k(metrics, "held_out_blank") == {0: 0.25}


def test_only_a_torn_last_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text('{"step": 1, "data": {"critic/score/mean": 1}}\n{"step": 2, "da')
    assert list(read_metrics(path)) == [1]
    path.write_text('{"step": 1, "da\n{"step": 2, "data": {}}\n')
    with pytest.raises(ScigenError, match=r"m\.jsonl:1: not a line of metrics"):
        read_metrics(path)
    path.write_text('{"data": {}}\n')
    with pytest.raises(ScigenError, match=r"m\.jsonl:1: .*step"):
        read_metrics(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match=r"gone\.jsonl: no training metrics there"):
        read_metrics(tmp_path / "gone.jsonl")
