"""`python train.py mode=evaluate checkpoint=...`: verl's validation of any checkpoint alone, and its scores.

Nothing is trained. Each checkpoint and setting has a folder below `paths.output/evaluations`, with summary.json, verl's
log and the dumped responses; run again, a finished one is only printed.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from scigen.app import cluster, laptop, laptop_sets, outcome
from scigen.app.benchmark_scores import Scores, differences, last_scores, report
from scigen.app.cli import CONF
from scigen.app.settings import HubPolicy, Settings, TinyPolicy
from scigen.app.stages import CONSOLE, Stages
from scigen.errors import ScigenError
from scigen.store import inputs_hash, write_atomic
from scigen.training.benchmark_rows import read_rows
from scigen.training.checkpoints import locate, resolve_checkpoint
from scigen.training.scores import read_scores


def run(settings: Settings, verl: Mapping[str, Any]) -> None:
    """Validate the checkpoint and print its scores; `verl` is the merged configuration."""
    from scigen.training.trainer.run import run as validate

    checkpoint = checkpoint_of(settings)
    folder = evaluation_folder(settings, verl)
    folder.mkdir(parents=True, exist_ok=True)
    stages = Stages(folder)
    tiny = isinstance(settings.policy, TinyPolicy)
    if isinstance(settings.policy, HubPolicy):  # before a large checkpoint is merged
        cluster.prepare(settings, stages, cluster.plan(settings, settings.policy, dict(verl)), dict(verl))
    with stages.stage("checkpoint"):
        model = resolve_checkpoint(checkpoint, folder / "model")
        CONSOLE.print(f"{checkpoint}: weights of {locate(checkpoint)}", soft_wrap=True)
    overrides = _laptop_overrides(settings) if tiny else copy.deepcopy(cluster.verl_node(settings))
    overrides["actor_rollout_ref"]["model"]["path"] = model
    _find_agent_loops(overrides)
    overrides["trainer"] |= {
        "default_local_dir": str((folder / "verl" / "checkpoints").resolve()),
        "validation_data_dir": str((folder / "verl" / "generations").resolve()),
        "logger": ["console", "file"],  # the training's curves in W&B are not this run's
    }
    with stages.stage("verl"):
        validate(overrides, folder / "verl", cpu=tiny)
    files = [Path(f) for f in overrides["data"]["val_files"]]
    found = read_scores(folder / "verl" / "generations" / "0.jsonl", read_rows(files))
    others = {str(other): scores for other in settings.compare if (scores := last_scores(other))}
    report({"": found}, {f"this checkpoint minus {name}": (found, other) for name, other in others.items()})
    body = summary(settings, verl, model, found, others)
    body["wall_s"] = round(sum(stages.seconds.values()), 1)
    write_atomic(folder / "summary.json", json.dumps(body, indent=2).encode() + b"\n")
    CONSOLE.print(f"responses in {folder / 'verl' / 'generations'}, figures in {folder / 'summary.json'}")


def checkpoint_of(settings: Settings) -> str:
    """What is validated. Raises ScigenError when nothing is named and the policy is built by training itself."""
    if settings.checkpoint is not None:
        return settings.checkpoint
    if isinstance(settings.policy, HubPolicy):
        return settings.policy.model
    raise ScigenError(
        "mode=evaluate: no checkpoint is named, and the tiny policy has none to start with. Add checkpoint=, such as "
        "checkpoint=outputs/tiny-seed0 for the last step of a run."
    )


def evaluation_folder(settings: Settings, verl: Mapping[str, Any]) -> Path:
    """`evaluations/<checkpoint>-<hash>`: another checkpoint, step, benchmark, reward or sampling is another folder."""
    weights, sampling = locate(checkpoint_of(settings)), sampling_of(verl)
    digest = inputs_hash(weights, settings.benchmark, settings.reward, sampling, settings.seed)[:8]
    below = re.sub(r"(/verl)?/checkpoints/|/actor(/huggingface)?$", "/", weights)
    words = [w for w in re.split(r"[^\w.-]+", below) if w.strip(".")]
    return settings.paths.output / "evaluations" / f"{'-'.join(words[-2:])[-60:]}-{digest}"


def sampling_of(verl: Mapping[str, Any]) -> dict[str, Any]:
    """How responses are sampled in the validation."""
    rollout = verl["actor_rollout_ref"]["rollout"]
    val = {name: rollout["val_kwargs"][name] for name in ("n", "temperature", "top_p", "top_k")}
    loop = rollout["agent"].get("default_agent_loop")
    return {**val, "max_response_tokens": verl["data"]["max_response_length"], "agent_loop": loop}


def _laptop_overrides(settings: Settings) -> dict[str, Any]:
    sets = laptop_sets.make_sets(settings, Stages(settings.paths.output))
    return laptop.verl_overrides(settings, sets, settings.paths.policy)  # the checkpoint takes the policy's place


def _find_agent_loops(overrides: Mapping[str, Any]) -> None:
    """Make the path absolute: verl would look for it from each node's working folder."""
    agent = overrides["actor_rollout_ref"]["rollout"].get("agent", {})
    if path := agent.get("agent_loop_config_path"):
        agent["agent_loop_config_path"] = str(CONF.parent / path)


def summary(
    settings: Settings, verl: Mapping[str, Any], model: str, found: Scores, others: Mapping[str, Scores]
) -> dict[str, Any]:
    """summary.json of an evaluation."""
    return {
        "experiment": settings.name,
        "mode": "evaluate",
        "command": outcome.command_line(settings.paths.output / "evaluations"),
        "commit": outcome.commit(),
        "checkpoint": checkpoint_of(settings),
        "weights": locate(checkpoint_of(settings)),
        "model": model,
        "seed": settings.seed,
        "benchmark": settings.benchmark["name"],
        "reward": settings.reward["name"],
        "sampling": sampling_of(verl),
        "scores": {source: score.figures() for source, score in found.items()},
        "differences": {name: differences(found, other) for name, other in others.items()},
        "unit": "fraction",
    }


def plan_table(settings: Settings, verl: Mapping[str, Any]) -> Table:
    """What the evaluation would do, on a laptop."""
    sampling = sampling_of(verl)
    table = Table(title=f"evaluation of {settings.name}: nothing is started", show_header=False, title_justify="left")
    rows = {
        "checkpoint": locate(checkpoint_of(settings)),
        "benchmarks": ", ".join(settings.benchmark["data_sources"]),
        "responses": f"{sampling['n']} a problem at temperature {sampling['temperature']}, top_p {sampling['top_p']}, "
        f"top_k {sampling['top_k']}, at most {sampling['max_response_tokens']:,} tokens",
        "reward": str(settings.reward["name"]),
        "output": str(evaluation_folder(settings, verl)),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table
