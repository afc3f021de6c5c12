"""A checkpoint as a user names it -> a folder or hub name that transformers and verl load.

Taken: a folder of transformers files, a name on the hub, and what verl leaves behind: a run's folder, its checkpoints,
one `global_step_N`, or that one's `actor`. Shards are merged by verl's own model merger, which writes bfloat16.
It loads no model itself.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from scigen.errors import ScigenError
from scigen.store import inputs_hash, replacing, write_atomic

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
LATEST = "latest_checkpointed_iteration.txt"
"""verl writes the last whole step there."""
SHARDS = "model_world_size_*_rank_*.pt"
MERGER = "scigen.training.trainer.merge"


def locate(checkpoint: str) -> str:
    """The hub name, the folder of transformers files, or the `actor` folder of shards that is meant.

    Raises ScigenError when it is neither.
    """
    path = Path(checkpoint).expanduser()
    if not path.exists():
        if HUB_NAME.fullmatch(checkpoint) and not Path(path.parts[0]).exists():
            return checkpoint
        raise ScigenError(
            f"checkpoint={checkpoint}: there is no such folder, and it is no name on the hub (owner/name). Name a "
            "run's folder, a global_step_N of it, or a folder of transformers files."
        )
    if is_model(path):
        return str(path.resolve())
    actor = actor_of(path)
    saved = actor / "huggingface"
    return str((saved if is_model(saved) else actor).resolve())


def resolve_checkpoint(checkpoint: str, merged: Path) -> str:
    """The folder or hub name to load; sharded weights are merged into the folder `merged` once.

    Raises ScigenError when it is neither, when the checkpoint is incomplete, and with the merger's output when that
    fails.
    """
    found = locate(checkpoint)
    if not Path(found).is_dir() or is_model(Path(found)):
        return found
    return str(merge(Path(found), merged).resolve())


def is_model(folder: Path) -> bool:
    """Whether transformers can load a model from it: a config and weights."""
    return (folder / "config.json").is_file() and any(any(folder.glob(pattern)) for pattern in WEIGHTS)


def actor_of(path: Path) -> Path:
    """The folder with the policy's shards below a run, its checkpoints, or one step. Raises ScigenError if none is."""
    for below in (".", "checkpoints", "verl/checkpoints"):
        mark = path / below / LATEST
        if mark.is_file():
            path = path / below / f"global_step_{mark.read_text().strip()}"
            break
    actor = path / "actor" if (path / "actor").is_dir() else path
    if not any(actor.glob(SHARDS)):
        raise ScigenError(
            f"{path}: neither a folder of transformers files (config.json and *.safetensors) nor one of verl's "
            f"checkpoints ({SHARDS}). Name a run's folder, a global_step_N, or its actor."
        )
    return actor


def merge(actor: Path, folder: Path) -> Path:
    """The actor's shards as transformers files in `folder`; done once for the same shards.

    The weights are rounded to bfloat16 by verl's merger. Raises ScigenError for missing shards, and with the end of
    the merger's output when it fails.
    """
    _check_shards(actor)
    inputs = inputs_hash([(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in sorted(actor.glob(SHARDS))])
    mark = folder / "merged_from"
    if is_model(folder) and mark.exists() and mark.read_text() == inputs:
        return folder
    with replacing(folder) as part:
        command = [sys.executable, "-m", MERGER, "merge", "--backend", "fsdp"]
        done = subprocess.run(
            [*command, "--local_dir", str(actor), "--target_dir", str(part)],
            capture_output=True,
            text=True,
            env=_environment(),
        )
        if done.returncode != 0 or not is_model(part):
            end = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
            raise ScigenError(f"{actor}: verl's model merger ended with status {done.returncode}:\n{end}")
        write_atomic(part / mark.name, inputs.encode())
    return folder


def _check_shards(actor: Path) -> None:
    found = [re.fullmatch(r"model_world_size_(\d+)_rank_(\d+)\.pt", p.name) for p in actor.glob(SHARDS)]
    ranks = {int(m[2]) for m in found if m}
    worlds = {int(m[1]) for m in found if m}
    mend = "Copy the whole folder, or name another step."
    if len(worlds) != 1 or (missing := set(range(max(worlds))) - ranks):
        what = f"shards of runs on {sorted(worlds)} GPUs" if len(worlds) != 1 else f"no shard of rank {min(missing)}"
        raise ScigenError(f"{actor}: {what}. {mend}")
    for name in ("fsdp_config.json", "huggingface/config.json"):
        if not (actor / name).is_file():
            raise ScigenError(f"{actor}: has no {name}, which verl saves beside its shards. {mend}")


def _environment() -> Mapping[str, str]:
    # The merger needs no accelerator; verl would ask for one when it is imported.
    return os.environ | {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "TOKENIZERS_PARALLELISM": "false"}
