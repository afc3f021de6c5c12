"""The main job: prepare data and policy, train with verl, measure, report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scigen.app import cluster, evaluate_checkpoint, laptop, laptop_sets
from scigen.app.settings import Settings, TinyPolicy, parse_as
from scigen.app.stages import CONSOLE, Stages
from scigen.app.tracking import set_environment
from scigen.errors import ScigenError


def run(config: Mapping[str, Any]) -> None:
    """Train as the composed configuration says, or only print the plan."""
    settings = parse_as(Settings, config)
    verl = merged(settings)  # a wrong key must show before any work is done
    if isinstance(settings.policy, TinyPolicy):
        laptop_sets.parts(settings)
    if settings.dry_run:
        _print_plan(settings, verl)
        return
    settings.paths.output.mkdir(parents=True, exist_ok=True)
    set_environment(settings)
    if settings.mode == "evaluate":
        evaluate_checkpoint.run(settings, verl)
        return
    if isinstance(settings.policy, TinyPolicy):
        laptop.run(settings, settings.policy, Stages(settings.paths.output))
    else:
        cluster.run(settings, settings.policy, verl, Stages(settings.paths.output))


def merged(settings: Settings) -> dict[str, Any]:
    """The `verl:` node merged over the installed verl's own configuration, and validated; no GPU is needed."""
    from scigen.training.trainer.compose import compose, validate

    tiny = isinstance(settings.policy, TinyPolicy)
    verl = compose(settings.verl if tiny else cluster.verl_node(settings))
    validate(verl, gpu=not tiny)
    return verl


def _print_plan(settings: Settings, verl: dict[str, Any]) -> None:
    if settings.mode == "evaluate":
        CONSOLE.print(evaluate_checkpoint.plan_table(settings, verl))
    if isinstance(settings.policy, TinyPolicy):
        if settings.mode == "train":
            CONSOLE.print(laptop.plan_table(settings, settings.policy, verl))
    else:
        from scigen.training.memory_table import print_memory
        from scigen.training.plan_table import print_plan

        print_plan(cluster.plan(settings, settings.policy, verl), CONSOLE)
        try:
            print_memory({settings.cluster["name"]: cluster.memory(settings, settings.policy, verl)}, CONSOLE)
        except ScigenError as e:  # a model whose shape nobody wrote down may be trained all the same
            CONSOLE.print(f"memory: not known, {e}", style="yellow", highlight=False)
    CONSOLE.print("dry run: the configuration is valid for the installed verl; nothing was started")
