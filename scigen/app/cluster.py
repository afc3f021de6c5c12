"""The paper's experiments on GPUs: check the whole configuration, print the plan, train when the data is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from scigen.app import outcome
from scigen.app.benchmark_scores import before_and_after, report, training_figures
from scigen.app.contamination import read_verdicts
from scigen.app.settings import HubPolicy, Settings, build
from scigen.app.stages import CONSOLE, Sets, Stages
from scigen.app.tracking_training import log_training
from scigen.errors import ScigenError
from scigen.evaluation import verdict_set
from scigen.records import GeneratedImage, Verdict
from scigen.store import read_set
from scigen.training.experiment_plan import InputFile, Plan, describe_experiment, make_plan, require_data, require_rows
from scigen.training.memory_plan import MemoryPlan, memory_plan
from scigen.training.pixel_budget import PixelBudget, load_counter
from scigen.training.row_limit import RowLimit, require_fit

VLLM_IMAGES = 999
"""Images that vLLM takes in a prompt when nothing is said."""


def plan(settings: Settings, policy: HubPolicy, verl: dict[str, Any]) -> Plan:
    """What the run would do; `verl` is the merged configuration.

    Raises ScigenError where benchmarks were to be sized by another budget than training images.
    """
    sized = PixelBudget(**settings.benchmark.get("pixels", policy.pixels.model_dump()))
    if sized != policy.pixels:
        raise ScigenError(
            f"benchmark.pixels: {sized} is not policy.pixels: {policy.pixels}. Training and evaluation must see images "
            "of one budget: change both, and build the benchmarks anew."
        )
    experiment = describe_experiment(
        name=settings.name,
        policy=policy.model,
        reward=settings.reward,
        problems=settings.problems,
        generator=settings.generator,
        evaluators=settings.filter["evaluators"],
        contamination=settings.contamination.get("benchmarks", ()),
        benchmark=settings.benchmark,
        sets=settings.paths.sets,
        val_only=bool(verl["trainer"]["val_only"]),
    )
    others = other_train_sets(settings) if not verl["trainer"]["val_only"] else []
    experiment = replace(experiment, inputs=(*experiment.inputs, *others))
    return make_plan(verl, experiment, settings.paths.output)


def memory(settings: Settings, policy: HubPolicy, verl: dict[str, Any]) -> MemoryPlan:
    """What its GPUs and nodes would hold."""
    return memory_plan(verl, settings.cluster, policy.pixels.most_tokens)


def other_train_sets(settings: Settings) -> list[InputFile]:
    """Those that size or problems are taken from: an experiment makes its own before it looks for GPUs."""
    found = []
    for what, folder in (("size of", settings.trainset.size_of), ("problems of", settings.trainset.matched)):
        if folder is not None:
            name, _, seed = folder.name.removeprefix("trainset-").partition("-seed")
            command = f"python train.py +experiment={name} seed={seed or settings.seed}"
            found.append(InputFile(f"{what} {name}", folder / "trainset.json", command))
    return found


def train_set_folder(settings: Settings) -> Path:
    """Where its train set lies: each seed and selection has a folder of its own, as a sweep makes them side by side."""
    return settings.paths.sets / f"trainset-{settings.name}{settings.trainset.label}-seed{settings.seed}"


def verl_node(settings: Settings) -> dict[str, Any]:
    """The experiment's `verl:` node with its train set filled in; verl opens one even when it only validates."""
    data = settings.verl["data"]
    alone = settings.verl.get("trainer", {}).get("val_only", False)
    files = data["val_files"] if alone else [str(train_set_folder(settings) / "train.parquet")]
    return settings.verl | {"data": data | {"train_files": files}}


def make_train_set(settings: Settings, stages: Stages) -> Sets:
    """The train set of a finished problem set, image set and verdict set, by the experiment's filter."""
    from scigen.problems.answers import answer_fault
    from scigen.training.trainset import build as build_trainset

    sets, name = settings.paths.sets, settings.generator["name"]
    keep = build(settings.filter, "filter")
    with stages.stage("train set"):
        problems = [item.problem for item in build(settings.problems, "problems").items() if item.problem]
        images = read_set(sets / name, GeneratedImage)
        checks = [v for e in keep.evaluators for v in read_set(verdict_set(sets, name, e), Verdict)]
        folder = train_set_folder(settings)
        info = build_trainset(
            folder,
            problems,
            images,
            sets / name,
            checks,
            keep,
            split_of=lambda p: "train",
            trainable=lambda p: f"answer: {answer_fault(p.answer)}" if answer_fault(p.answer) else None,
            clean=build(settings.contamination, "contamination"),
            compared=read_verdicts(sets),
            shown=settings.trainset.shown,
            prompt=settings.trainset.prompt,
            seed=settings.seed,
            selection=settings.trainset.selection,
            asked=settings.trainset.asked,
            limit=row_limit(settings),
        )
        CONSOLE.print(f"rows {info.rows} in {folder}")
    require_rows(folder, info.rows["train"], settings.verl["data"]["train_batch_size"])
    return Sets(problems, images, checks, folder, folder)


def row_limit(settings: Settings) -> RowLimit:
    """The policy's pixel budget and longest prompt, with its own processor."""
    policy = settings.policy
    assert isinstance(policy, HubPolicy)
    return RowLimit(load_counter(policy.model, policy.pixels), settings.verl["data"]["max_prompt_length"])


def prepare(settings: Settings, stages: Stages, plan: Plan, verl: dict[str, Any]) -> Sets | None:
    """What must be there before verl starts: data, and the GPUs. None when only the benchmarks are needed.

    The train set is made first, so that a machine without GPUs can make it. Raises ScigenError with the command that
    makes each missing file.
    """
    require_data(plan)
    engine = verl["actor_rollout_ref"]["rollout"]["engine_kwargs"]["vllm"]
    most = engine.get("limit_mm_per_prompt", {}).get("image", VLLM_IMAGES)
    require_fit(map(Path, settings.benchmark["files"].values()), row_limit(settings), most)
    sets = None if plan.val_only else make_train_set(settings, stages)
    _require_gpus(verl)
    return sets


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

    sets = prepare(settings, stages, plan(settings, policy, verl), verl)
    folder = settings.paths.output / "verl"
    with stages.stage("verl"):
        train(verl_node(settings), folder, cpu=False, hooks=settings.reward.get("hooks", ()))
    ends = before_and_after(folder / "validation", [Path(f) for f in verl["data"]["val_files"]])
    report(ends, {"after minus before": (ends["after"], ends["before"])})
    outcome.write_benchmark_summary(settings, training_figures(ends), stages.seconds)
    if sets is not None:
        log_training(settings, sets.trainset, folder)
