"""One finished training run as a study reads it: its validations, problem by problem, and its reward curve.

It reads summary.json, verl's validation dumps, and the metrics; a run without a dump has no scores and is an error.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from scigen.analysis.trainlog import read_metrics, train_steps
from scigen.errors import ScigenError
from scigen.training.avg_at_k import AvgAtK, read, steps

Scores = Mapping[str, AvgAtK]
"""By data source."""
DUMPS = ("verl/validation", "verl/generations")
"""Where verl dumps validations: on GPUs, and on the laptop."""
ENDS = ("verl-before/generations", "verl-after/generations")
"""Of a supervised run, which validates its two ends by themselves."""


@dataclass(frozen=True)
class StudyRun:
    """A finished run."""

    folder: Path
    experiment: str
    seed: int
    by_step: Mapping[int, Scores]
    """Every validation; the last is the run's result."""
    rewards: Mapping[int, float] = field(default_factory=dict)
    """Mean training reward by step."""
    changed: tuple[str, ...] = ()
    """Overrides that it was started with, beyond experiment, seed and folders."""

    @property
    def first(self) -> Scores | None:
        """The validation before training; None if there is none but the last."""
        return self.by_step[min(self.by_step)] if len(self.by_step) > 1 else None

    @property
    def last(self) -> Scores:
        return self.by_step[max(self.by_step)]


def read_study_run(folder: Path, wanted: Collection[str], untrained: str = "") -> StudyRun | None:
    """The run in `folder`; None for a summary of something else than one of the `wanted` experiments.

    Of evaluations (mode=evaluate) only those of the `untrained` policy count, as runs without training. Raises
    ScigenError for a run without validations.
    """
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_bytes())
    if summary.get("experiment") not in wanted:
        return None
    if summary.get("mode") == "evaluate" and summary.get("checkpoint") != untrained:
        return None
    by_step = _validations(folder)
    if not by_step:
        raise ScigenError(
            f"{folder}: finished, but it has no validation dump ({', '.join(DUMPS)}). Restore the folder, or leave it "
            "out of runs=..."
        )
    metrics = folder / "verl" / "metrics.jsonl"
    logged = train_steps(read_metrics(metrics)) if metrics.exists() else ()
    return StudyRun(
        folder=folder,
        experiment=str(summary["experiment"]),
        seed=int(summary["seed"]),
        by_step=by_step,
        rewards={s.step: s.reward for s in logged if s.reward is not None},
        changed=_changed(folder),
    )


def _validations(folder: Path) -> dict[int, Scores]:
    for below in DUMPS:
        if found := steps(folder / below):
            return {step: read(folder / below / f"{step}.jsonl") for step in found}
    ends = [folder / below for below in ENDS]
    return {n: read(end / f"{steps(end)[-1]}.jsonl") for n, end in enumerate(ends) if steps(end)}


def _changed(folder: Path) -> tuple[str, ...]:
    recorded = folder / ".hydra" / "overrides.yaml"
    overrides = yaml.safe_load(recorded.read_text()) if recorded.exists() else []
    free = ("+experiment", "+sweep", "experiment", "seed", "paths.", "cluster", "tracking", "compare", "dry_run")
    return tuple(str(o).removeprefix("++") for o in overrides if not str(o).startswith(free))


def experiment_of(folder: Path) -> str | None:
    """The experiment of a run that is not finished, from the configuration that it was started with."""
    config = folder / ".hydra" / "config.yaml"
    found = yaml.safe_load(config.read_text()) if config.exists() else None
    name = found.get("name") if isinstance(found, dict) else None
    return None if name is None else str(name)
