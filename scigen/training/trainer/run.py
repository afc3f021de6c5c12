"""One training run in a folder: composed, validated, started, resumed, and not done twice."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scigen.store import inputs_hash, move_aside, write_atomic
from scigen.training.policy.warm_start import file_hash, folder_hash

FREE = (
    *("total_training_steps", "total_epochs", "test_freq", "save_freq", "max_actor_ckpt_to_keep", "logger"),
    *("default_local_dir", "validation_data_dir", "rollout_data_dir", "project_name", "experiment_name"),
)
"""Keys of `trainer` that may change between two starts of the same run: how long, where, and what it is called."""
REACHED = ("endpoint", "key_env", "concurrency", "attempts", "attempt_s", "deadline_s")
"""Arguments of the verifier's reward that say how it is reached, not what it says: its server may move."""


def run(overrides: Mapping[str, Any], folder: Path, cpu: bool, hooks: Sequence[Mapping[str, Any]] = ()) -> None:
    """Train below `folder` as `overrides`, merged over verl's own configuration, say; `hooks` look at every step.

    A run that was stopped goes on from its last checkpoint; a finished one is left alone. A folder that holds a run
    of another configuration, train set or starting policy is moved aside to `<folder>.old-<n>`.
    Raises ScigenError for a wrong key, for a verifier's endpoint that does not reply, and with the end of the log when
    verl fails.
    """
    from scigen.training.trainer.compose import compose, validate
    from scigen.training.trainer.launch import train
    from scigen.training.verifier.preflight import preflight

    config = compose(overrides)
    validate(config, gpu=not cpu)
    identity, whole = identity_of(config), inputs_hash(config)
    mark, done = folder / "inputs", folder / "done"
    if folder.exists() and any(folder.iterdir()) and not (mark.exists() and mark.read_text() == identity):
        move_aside(folder)
    if done.exists() and done.read_text() == whole:
        return
    preflight(config)
    write_atomic(mark, identity.encode())
    train(config, folder, cpu, folder / "verl.log", hooks)
    write_atomic(done, whole.encode())


def identity_of(config: Mapping[str, Any]) -> str:
    """Hash of what makes a run this run: its configuration but for lengths, loggers and places, and its files."""
    fixed = copy.deepcopy(dict(config))
    for key in FREE:
        fixed["trainer"].pop(key, None)
    of_reward = fixed.get("reward", {}).get("custom_reward_function", {}).get("reward_kwargs") or {}
    for key in REACHED:
        of_reward.pop(key, None)
    data = fixed["data"]
    files = [Path(f) for key in ("train_files", "val_files") for f in _listed(data.pop(key, None))]
    start = Path(config["actor_rollout_ref"]["model"]["path"])
    contents = [file_hash(f) if f.exists() else str(f) for f in files]
    return inputs_hash(_without(fixed, str(start)), contents, folder_hash(start) if start.is_dir() else "")


def _without(node: Any, path: str) -> Any:
    """The tree without a path that verl's interpolations have copied to several places."""
    if isinstance(node, Mapping):
        return {key: _without(value, path) for key, value in node.items()}
    return "" if node == path and Path(path).is_dir() else node


def _listed(value: Any) -> list[str]:
    return [] if value is None else [str(v) for v in value] if isinstance(value, list | tuple) else [str(value)]
