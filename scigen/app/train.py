"""The main job: prepare data and policy, train with verl, measure, report."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from scigen.app import cluster, laptop
from scigen.app.settings import Settings, TinyPolicy, parse_as
from scigen.app.stages import CONSOLE, Stages


def run(config: Mapping[str, Any]) -> None:
    """Train as the composed configuration says, or only print the plan."""
    settings = parse_as(Settings, config)
    verl = merged(settings)  # a wrong key must show before any work is done
    if isinstance(settings.policy, TinyPolicy):
        laptop.parts(settings)
    if settings.dry_run:
        _print_plan(settings, verl)
        return
    settings.paths.output.mkdir(parents=True, exist_ok=True)
    os.environ["WANDB_MODE"] = settings.tracking.mode
    os.environ.setdefault("WANDB_DIR", str(settings.paths.output.resolve()))
    if isinstance(settings.policy, TinyPolicy):
        laptop.run(settings, settings.policy, Stages(settings.paths.output))
    else:
        cluster.run(settings, settings.policy, verl, Stages(settings.paths.output))


def merged(settings: Settings) -> dict[str, Any]:
    """The `verl:` node merged over the installed verl's own configuration, and validated; no GPU is needed."""
    from scigen.training.trainer.compose import compose, validate

    verl = compose(settings.verl)
    validate(verl, gpu=not isinstance(settings.policy, TinyPolicy))
    return verl


def _print_plan(settings: Settings, verl: dict[str, Any]) -> None:
    if isinstance(settings.policy, TinyPolicy):
        CONSOLE.print(laptop.plan_table(settings, settings.policy, verl))
    else:
        from scigen.training.plan_table import print_plan

        print_plan(cluster.plan(settings, settings.policy, verl), CONSOLE)
    CONSOLE.print("dry run: the configuration is valid for the installed verl; nothing was started")
