"""The paper's experiments on GPUs: check the whole configuration, print the plan, train when the data is there."""

from __future__ import annotations

from typing import Any

from scigen.app import outcome, scores
from scigen.app.settings import HubPolicy, Settings, build
from scigen.app.stages import CONSOLE, Sets, Stages
from scigen.errors import ScigenError
from scigen.records import CheckResult, GeneratedImage, Problem
from scigen.store import read_set
from scigen.training.experiment_plan import Plan, describe_experiment, make_plan, require_data


def plan(settings: Settings, policy: HubPolicy, verl: dict[str, Any]) -> Plan:
    """What the run would do; `verl` is the merged configuration."""
    experiment = describe_experiment(
        name=settings.name,
        policy=policy.model,
        reward=settings.reward,
        problems=settings.problems,
        generator=settings.generator,
        evaluators=settings.filter["evaluators"],
        benchmark=settings.benchmark,
        sets=settings.paths.sets,
        val_only=bool(verl["trainer"]["val_only"]),
    )
    return make_plan(verl, experiment, settings.paths.output)


def make_train_set(settings: Settings, stages: Stages) -> Sets:
    """The train set of a finished problem set, image set and verdict set, by the experiment's filter."""
    from scigen.problems.scigenbench import answer_fault
    from scigen.training.trainset import build as build_trainset

    sets, name = settings.paths.sets, settings.generator["name"]
    keep = build(settings.filter, "filter")
    with stages.stage("train set"):
        problems = read_set(sets / "problems", Problem)
        images = read_set(sets / name, GeneratedImage)
        checks = read_set(sets / f"{name}-checks", CheckResult) if keep.evaluators else []
        folder = sets / f"trainset-{settings.name}"
        info = build_trainset(
            folder,
            problems,
            images,
            sets / name,
            checks,
            keep,
            split_of=lambda p: "train",
            trainable=lambda p: f"answer: {answer_fault(p.answer)}" if answer_fault(p.answer) else None,
            shown=settings.trainset.shown,
            prompt=settings.trainset.prompt,
            seed=settings.seed,
        )
        CONSOLE.print(f"rows {info.rows} in {folder}")
    return Sets(problems, images, checks, folder)


def prepare(settings: Settings, stages: Stages, plan: Plan, verl: dict[str, Any]) -> Sets | None:
    """What must be there before GPUs are asked for: data, and the GPUs. None when only the benchmarks are needed.

    Raises ScigenError with the command that makes each missing file.
    """
    require_data(plan)
    _require_gpus(verl)
    return None if plan.val_only else make_train_set(settings, stages)


def _require_gpus(verl: dict[str, Any]) -> None:
    import torch

    need = verl["trainer"]["n_gpus_per_node"]
    have = torch.cuda.device_count()
    if have < need:
        raise ScigenError(
            f"this machine has {have} GPUs and the experiment asks for {need} a node. Run it where they are, "
            f"choose another cluster=..., or add dry_run=true to see the plan."
        )


def run(settings: Settings, policy: HubPolicy, verl: dict[str, Any], stages: Stages) -> None:
    """Train, or evaluate alone, and print verl's AVG@4 of every benchmark. Not run here: no GPUs, weights or data."""
    from scigen.training.trainer.run import run as train

    prepare(settings, stages, plan(settings, policy, verl), verl)
    folder = settings.paths.output / "verl"
    with stages.stage("verl"):
        train(settings.verl, folder, cpu=False)
    by_step = scores.read_all(folder / "validation")
    CONSOLE.print(outcome.benchmark_table(by_step))
    outcome.write_benchmark_summary(settings, by_step, stages.seconds)
