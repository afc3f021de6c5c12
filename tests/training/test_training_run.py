"""What makes a training run the same run: its configuration and files, not where it lies or how long it goes on."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from scigen.training.trainer.run import identity_of


def config(folder: Path) -> dict[str, Any]:
    (folder / "start").mkdir(parents=True)
    (folder / "start" / "model.safetensors").write_bytes(b"weights")
    (folder / "train.parquet").write_bytes(b"rows")
    return {
        "data": {"train_files": [str(folder / "train.parquet")], "val_files": None, "seed": 0},
        "actor_rollout_ref": {"model": {"path": str(folder / "start"), "tokenizer_path": str(folder / "start")}},
        "trainer": {"total_training_steps": 60, "default_local_dir": str(folder / "checkpoints")},
    }


def test_a_longer_or_a_moved_run_is_the_same_run(tmp_path: Path) -> None:
    first = config(tmp_path / "a")
    longer = copy.deepcopy(first)
    longer["trainer"]["total_training_steps"] = 80
    assert identity_of(longer) == identity_of(first)
    assert identity_of(config(tmp_path / "b")) == identity_of(first)


def test_a_verifier_may_move_but_not_judge_otherwise(tmp_path: Path) -> None:
    def asking(**given: Any) -> dict[str, Any]:
        return first | {"reward": {"custom_reward_function": {"reward_kwargs": {"rule_first": True} | given}}}

    first = config(tmp_path / "a")
    here, there = asking(endpoint="http://127.0.0.1:8000/v1"), asking(endpoint="https://host/v1", key_env="V_API_KEY")
    assert identity_of(here) == identity_of(there)
    assert identity_of(asking(rule_first=False)) != identity_of(here)
    assert here["reward"]["custom_reward_function"]["reward_kwargs"]["endpoint"], "the configuration itself is whole"


def test_another_seed_train_set_or_start_is_another_run(tmp_path: Path) -> None:
    first = config(tmp_path / "a")
    before = identity_of(first)
    seed = copy.deepcopy(first)
    seed["data"]["seed"] = 1
    (tmp_path / "a" / "train.parquet").write_bytes(b"other rows")
    rows = identity_of(first)
    (tmp_path / "a" / "train.parquet").write_bytes(b"rows")
    (tmp_path / "a" / "start" / "model.safetensors").write_bytes(b"other weights")
    start = identity_of(first)
    assert len({before, identity_of(seed), rows, start}) == 4
