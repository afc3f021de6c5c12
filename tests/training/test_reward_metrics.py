"""Each rollout's outcome is on record, and a step's metrics are the means over all of them."""

from __future__ import annotations

import json
from pathlib import Path

from scigen.training.trainer import reward_metrics

ROWS = [
    {"rollout": "u_0_0", "score": 1.0, "unparsed": 0.0, "truncated": False, "reply": "A", "response_end": "so 4"},
    {"rollout": "u_1_0", "score": 0.0, "unparsed": 1.0, "truncated": True, "reply": "", "response_end": "µ"},
    {"rollout": "v_0_0", "score": 0.0, "unparsed": 1.0, "truncated": False, "reply": "INVALID", "response_end": ""},
    {"rollout": "v_1_0", "score": 0.0, "unparsed": 0.0, "truncated": False, "reply": "B", "response_end": "5"},
]


def test_means_are_over_all_rollouts_and_of_figures_only() -> None:
    assert reward_metrics.means(ROWS) == {
        "reward/score": 0.25,
        "reward/unparsed": 0.5,
        "reward/truncated": 0.25,
        "reward/rollouts": 4.0,
    }
    assert reward_metrics.means([]) == {"reward/rollouts": 0.0}


def test_a_figure_that_some_rollouts_lack_is_not_averaged() -> None:
    assert "reward/extra" not in reward_metrics.means([{**ROWS[0], "extra": 1.0}, ROWS[1]])


def test_a_step_done_again_replaces_its_file(tmp_path: Path) -> None:
    reward_metrics.write(ROWS[:1], tmp_path, 7)
    reward_metrics.write(ROWS, tmp_path, 7)
    lines = [json.loads(line) for line in (tmp_path / "rewards/7.jsonl").read_text().splitlines()]
    assert lines == [{"step": 7, **row} for row in ROWS]
