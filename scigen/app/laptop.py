"""The whole chain on one machine, stage by stage; every stage goes on where it was stopped.

problems -> images -> checks -> train set -> warm start -> verl (GRPO, AVG@4) -> report
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from scigen.app.settings import Settings, TinyPolicy, build
from scigen.records import CheckResult, GeneratedImage, Problem
from scigen.store import inputs_hash, read_set, write_atomic

CONSOLE = Console()


class Stages:
    """Names, announces and times the stages. Times of stages that ran earlier are kept in `timings.json`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "timings.json"
        self.seconds: dict[str, float] = json.loads(self._path.read_bytes()) if self._path.exists() else {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds the block's wall time to what the stage took in earlier, interrupted runs."""
        CONSOLE.rule(f"[bold]{name}", align="left")
        start = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.monotonic() - start, 1)
            write_atomic(self._path, json.dumps(self.seconds, indent=2).encode())


def make_sets(settings: Settings, stages: Stages) -> Any:
    """Problems, images, checks and the train set, below `paths.sets`. Returns the train set's info."""
    from scigen.evaluation.run import evaluate
    from scigen.generators.run import generate
    from scigen.problems.sources import collect
    from scigen.training.trainset import build as build_trainset

    sets = settings.paths.sets
    source = build(settings.problems, "problems")
    generator = build(settings.generator, "generator")
    keep = build(settings.filter, "filter")
    with stages.stage("problems"):
        manifest = collect(source, sets / "problems")
        CONSOLE.print(f"{manifest.count} problems in {sets / 'problems'}")
    problems = read_set(sets / "problems", Problem)
    with stages.stage("images"):
        manifest = generate(problems, generator, sets / "images")
        CONSOLE.print(f"{manifest.count} images {manifest.by_status} in {sets / 'images'}")
    images = read_set(sets / "images", GeneratedImage)
    with stages.stage("checks"):
        manifest = evaluate(problems, images, sets / "checks")
        CONSOLE.print(f"{manifest.count} verdicts {manifest.by_status} in {sets / 'checks'}")
    checks = read_set(sets / "checks", CheckResult)
    with stages.stage("train set"):
        info = build_trainset(
            sets / f"trainset-{settings.trainset.shown}",
            problems,
            images,
            sets / "images",
            checks,
            keep,
            split_of=source.split_of,
            trainable=needs_sharp_eyes,
            shown=settings.trainset.shown,
            prompt=settings.trainset.prompt,
            seed=settings.seed,
        )
        CONSOLE.print(f"{info.rows} in {sets / f'trainset-{settings.trainset.shown}'}")
    return info


def needs_sharp_eyes(problem: Problem) -> str | None:
    """The tiny policy reads no small print: only glance problems are for it."""
    glance = problem.procedure is not None and problem.procedure.view == "glance"
    return None if glance else "not for this policy: needs more than 96 px"
