"""A finished run, read back from its folder: scores, differences, samples with their provenance, all for the report."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from scigen.analysis.report import write_report
from scigen.analysis.results import (
    Difference,
    Measurement,
    Role,
    RunResults,
    SetFolders,
    Stage,
)
from scigen.analysis.tables import closing_table
from scigen.analysis.trainlog import read_metrics, train_steps
from scigen.app.samples import samples_of
from scigen.app.scores import generations_of
from scigen.app.settings import Settings, TinyPolicy
from scigen.app.stages import CONSOLE, Sets
from scigen.records import FilterDecision
from scigen.store import read_set, write_atomic

PACKAGES = ("scigen", "verl", "torch", "transformers", "ray", "hydra-core", "matplotlib", "datasets", "math-verify")


def stages_of(sets: Sets) -> list[Stage]:
    """The funnel: what each stage was given and what became of it."""
    views = Counter(p.procedure.view if p.procedure else p.source for p in sets.problems)
    status = Counter(str(i.status) for i in sets.images)
    findings = Counter(str(f.kind) for c in sets.checks for f in c.findings)
    passed = sum(c.passed for c in sets.checks)
    decisions = read_set(sets.trainset / "decisions", FilterDecision)
    reasons = Counter(f"kept: {d.split}" if d.kept else d.reason for d in decisions)
    planted = sum(i.planted_defect is not None for i in sets.images)
    return [
        Stage(name="problems", unit="problems", total=len(sets.problems), counts=dict(views), passed=tuple(views)),
        Stage(
            name="images",
            unit="images",
            total=len(sets.images),
            counts=dict(status),
            passed=("ok",),
            note=f"{planted} textbook drawings were spoilt on purpose, to see what the checks catch.",
        ),
        Stage(
            name="checks",
            unit="images",
            total=len(sets.checks),
            counts={"passed": passed, **findings},
            passed=("passed",),
            note="An image can have several findings.",
        ),
        Stage(
            name="train set",
            unit="images",
            total=len(decisions),
            counts=dict(reasons),
            passed=("kept: train", "kept: held_out"),
            note="Textbook drawings go through every stage but training: they need sharper eyes than this policy's.",
        ),
    ]


def commit() -> str | None:
    """The commit of the code, with a mark if it was changed; None outside a git checkout."""
    root = Path(__file__).resolve().parents[2]
    try:
        found = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty"], capture_output=True, text=True, timeout=10
        )
    except OSError:
        return None
    return found.stdout.strip() or None if found.returncode == 0 else None


def command_line(run: Path) -> str:
    """The command that repeats this run, as Hydra recorded it."""
    recorded = run / ".hydra" / "overrides.yaml"
    overrides = yaml.safe_load(recorded.read_text()) if recorded.exists() else []
    return " ".join(["python train.py", *(str(o).removeprefix("++") for o in overrides)])


def results(
    settings: Settings,
    sets: Sets,
    found: Sequence[Measurement],
    compared: Sequence[Difference],
    seconds: Mapping[str, float],
    policy: str,
    parameters: int,
) -> RunResults:
    """Everything the report shows."""
    run = settings.paths.output
    metrics = run / "verl" / "metrics.jsonl"
    glance = [p for p in sets.problems if p.procedure and p.procedure.view == "glance"]
    options = [len(q.options) for p in glance for q in p.quizzes]
    where = {name: os.path.relpath(settings.paths.sets / name, run) for name in ("problems", "images", "checks")}
    return RunResults(
        experiment=settings.name,
        command=command_line(run),
        date=datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        seed=settings.seed,
        policy=policy,
        parameters=parameters,
        wall_seconds=dict(seconds),
        versions={name: version(name) for name in PACKAGES},
        commit=commit(),
        config_yaml=yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False),
        stages=tuple(stages_of(sets)),
        samples=tuple(samples_of(settings, sets, generations_of(run))),
        steps=train_steps(read_metrics(metrics)) if metrics.exists() else (),
        measurements=tuple(found),
        differences=tuple(compared),
        chance=sum(1 / n for n in options) / len(options) if options else None,
        folders=SetFolders(**where, trainset=os.path.relpath(sets.trainset, run)),
    )


def finish(settings: Settings, run: RunResults) -> None:
    """Write report, figures and summary.json; print the closing table."""
    folder = settings.paths.output
    files = write_report(run, folder)
    write_atomic(folder / "summary.json", json.dumps(summary(settings, run), indent=2).encode() + b"\n")
    paths = {"report": files.html, "figures": folder / "figures", "summary": folder / "summary.json"}
    CONSOLE.print(closing_table(run.verdict_rows(), paths, run.differences))


def summary(settings: Settings, run: RunResults) -> dict[str, Any]:
    """The closing table's figures. Rates are fractions from 0 to 1, intervals 95 %, clustered by problem."""
    training = settings.policy.training if isinstance(settings.policy, TinyPolicy) else "grpo"
    names = {Role.BEFORE: "before", Role.AFTER: "after", Role.BLANK_IMAGE: "blank_image"}
    scores = {
        names[m.role]: {
            "avg_at_4": m.avg_at_4, "ci95": m.ci95, "n": m.n, "truncated": m.truncated, "no_answer": m.no_answer,
        }
        for m in run.verdict_rows() if m.role in names
    }  # fmt: skip
    return {
        "experiment": run.experiment,
        "command": run.command,
        "seed": run.seed,
        "trained_on": settings.trainset.shown,
        "reward": settings.reward["name"],
        "training": training,
        "training_s": round(sum(s.seconds or 0 for s in run.steps), 1) or run.wall_seconds.get("supervised", 0.0),
        **scores,
        "differences": {d.name: {"value": d.value, "ci95": d.ci95, "n": d.n} for d in run.differences},
        "training_steps": run.training_steps,
        "wall_s": round(sum(run.wall_seconds.values()), 1),
        "wall_s_by_stage": run.wall_seconds,
        "counts": {s.name: {"total": s.total, **s.counts} for s in run.stages},
        "unit": "fraction",
    }


def write_benchmark_summary(settings: Settings, figures: Mapping[str, Any], seconds: Mapping[str, float]) -> None:
    """summary.json of a run on published benchmarks; `figures` are `benchmark_scores.training_figures`."""
    body = {"experiment": settings.name, "seed": settings.seed, **figures, "wall_s": sum(seconds.values())}
    write_atomic(settings.paths.output / "summary.json", json.dumps(body | {"unit": "fraction"}, indent=2).encode())
