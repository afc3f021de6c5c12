"""A finished run, read back from its folder: scores, differences, samples with their provenance, all for the report."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from rich.table import Table

from scigen.analysis.report import write_report
from scigen.analysis.results import (
    Answer,
    Difference,
    Measurement,
    ParquetRow,
    Role,
    RunResults,
    Sample,
    Score,
    SetFolders,
    Stage,
)
from scigen.analysis.tables import closing_table
from scigen.analysis.trainlog import read_metrics, train_steps
from scigen.app.settings import Settings
from scigen.app.stages import CONSOLE, Sets
from scigen.records import FilterDecision
from scigen.statistics import estimate, paired_bootstrap
from scigen.store import image_path, read_set, write_atomic
from scigen.training.avg_at_k import AvgAtK, read, steps

PACKAGES = ("scigen", "verl", "torch", "transformers", "ray", "hydra-core", "matplotlib", "datasets", "math-verify")
SAMPLES_PER_FAMILY = 3
"""Cards in the report: two textbook drawings (one of them spoilt where there is one) and one held-out one."""


Scores = Mapping[int, Mapping[str, AvgAtK]]
"""By step and data source."""


def scores(generations: Path) -> Scores:
    """AVG@4 of every validation."""
    return {step: read(generations / f"{step}.jsonl") for step in steps(generations)}


def measurements(by_step: Scores, families: Mapping[str, str], note: str, training: str = "GRPO") -> list[Measurement]:
    """Before, during and after the training on the held-out problems, and afterwards with white pages."""
    first, last = min(by_step), max(by_step)
    found = []
    for step, sources in sorted(by_step.items()):
        role = Role.BEFORE if step == first else Role.AFTER if step == last else Role.DURING
        label = {Role.BEFORE: f"Before {training}", Role.AFTER: f"After {training}"}.get(role, f"Step {step}")
        words = note if role is Role.BEFORE else ""
        found.append(measurement(sources["held_out"], families, role, label, words, step))
    blank = by_step[last]["held_out_blank"]
    found.append(measurement(blank, families, Role.BLANK_IMAGE, f"After {training}, shown white pages", "", None))
    return found


def measurement(
    score: AvgAtK, families: Mapping[str, str], role: Role, label: str, note: str, step: int | None
) -> Measurement:
    """An AvgAtK in the report's shape, with an interval for each family."""
    groups: dict[str, dict[str, list[float]]] = defaultdict(dict)
    for problem, share in score.by_problem.items():
        groups[families[problem]][problem] = [share]
    each = {name: estimate(values) for name, values in sorted(groups.items())}
    return Measurement(
        role=role,
        label=label,
        data_source=score.data_source,
        step=step,
        avg_at_4=score.avg_at_k,
        ci95=score.ci95,
        n=score.n_problems,
        truncated=score.truncated_rate,
        no_answer=score.no_answer_rate,
        per_family={name: Score(avg_at_4=e.value, ci95=(e.low, e.high), n=e.n) for name, e in each.items()},
        note=note,
    )


def differences(by_step: Scores) -> list[Difference]:
    """Paired by problem: after minus before, and after minus the same policy shown white pages."""
    first, last = by_step[min(by_step)], by_step[max(by_step)]
    after = last["held_out"].by_problem
    pairs = [
        ("after minus before", first["held_out"].by_problem, Role.BEFORE),
        ("after minus white pages", last["held_out_blank"].by_problem, Role.BLANK_IMAGE),
    ]
    return [difference(name, after, other, role) for name, other, role in pairs]


def difference(name: str, after: Mapping[str, float], other: Mapping[str, float], role: Role) -> Difference:
    """Mean difference over the problems that both answered, with its interval."""
    value, low, high = paired_bootstrap(after, other)
    return Difference(name=name, value=value, ci95=(low, high), n=len(after.keys() & other.keys()), against=role)


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


def samples_of(settings: Settings, sets: Sets, generations: Path) -> list[Sample]:
    """A few problems of each family with everything that was made of them."""
    by_key = {c.key.rsplit("/", 1)[0]: c for c in sets.checks}
    decisions = {d.key: d for d in read_set(sets.trainset / "decisions", FilterDecision)}
    rows = parquet_rows(sets.trainset, settings.paths.output)
    answers = {
        step: answers_of(generations / f"{step}.jsonl") for step in (min(steps(generations)), max(steps(generations)))
    }
    before, after = (answers[step] for step in sorted(answers)) if len(answers) > 1 else (answers[min(answers)],) * 2
    problems = {p.id: p for p in sets.problems}
    chosen = []
    for image in choose(sets):
        problem = problems[image.problem_id]
        png = image_path(settings.paths.sets / "images", image.image).read_bytes() if image.image else None
        decision = decisions.get(image.key)
        chosen.append(
            Sample(
                problem=problem,
                image=image,
                png=png,
                checks=(by_key[image.key],) if image.key in by_key else (),
                decision=decision,
                split=decision.split if decision else None,
                row=rows.get(problem.id),
                before=before.get((problem.id, "held_out"), ()),
                after=after.get((problem.id, "held_out"), ()),
                blank=after.get((problem.id, "held_out_blank"), ()),
            )
        )
    return chosen


def choose(sets: Sets) -> list[Any]:
    """Two textbook drawings a family, a spoilt one among them where there is one, and one held-out glance drawing."""
    decided = {d.problem_id: d for d in read_set(sets.trainset / "decisions", FilterDecision)}
    problems = {p.id: p for p in sets.problems}
    groups: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for image in sets.images:
        procedure = problems[image.problem_id].procedure
        if procedure is None:
            continue
        held_out = procedure.view == "glance" and decided[image.problem_id].split == "held_out"
        kind = "held_out" if held_out else "spoilt" if image.planted_defect else procedure.view
        groups[procedure.family][kind].append(image)
    chosen = []
    for _, kinds in sorted(groups.items()):
        textbook = [*kinds["textbook"][:1], *kinds["spoilt"][:1], *kinds["textbook"][1:2]][:2]
        chosen += [*textbook, *kinds["held_out"][:1]]
    return chosen


def parquet_rows(trainset: Path, run: Path) -> dict[str, ParquetRow]:
    """Where each problem lies in the train set."""
    import datasets

    found = {}
    for name in ("train", "held_out"):
        path = trainset / f"{name}.parquet"
        if path.exists():
            table = datasets.Dataset.from_parquet(str(path)).select_columns(["extra_info"])
            for n, row in enumerate(table):
                found[row["extra_info"]["problem_id"]] = ParquetRow(file=os.path.relpath(path, run), row=n)
    return found


def answers_of(dump: Path) -> dict[tuple[str, str], tuple[Answer, ...]]:
    """The policy's answers in one validation dump, by problem and data source."""
    found: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    with dump.open(encoding="utf-8") as f:
        for line in f:
            row = json.loads(line)
            found[row["problem_id"], row["data_source"]].append(Answer(text=row["output"], correct=bool(row["acc"])))
    return {key: tuple(answers) for key, answers in found.items()}


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
    generations = run / ("verl" if metrics.exists() else "verl-after") / "generations"
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
        samples=tuple(samples_of(settings, sets, generations)),
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
    write_atomic(folder / "summary.json", json.dumps(summary(run), indent=2).encode() + b"\n")
    paths = {"report": files.html, "figures": folder / "figures", "summary": folder / "summary.json"}
    CONSOLE.print(closing_table(run.verdict_rows(), paths, run.differences))


def summary(run: RunResults) -> dict[str, Any]:
    """The closing table's figures. Rates are fractions from 0 to 1, intervals 95 %, clustered by problem."""
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
        **scores,
        "differences": {d.name: {"value": d.value, "ci95": d.ci95, "n": d.n} for d in run.differences},
        "training_steps": len(run.steps),
        "wall_s": round(sum(run.wall_seconds.values()), 1),
        "wall_s_by_stage": run.wall_seconds,
        "counts": {s.name: {"total": s.total, **s.counts} for s in run.stages},
        "unit": "fraction",
    }


def benchmark_table(by_step: Scores) -> Table:
    """AVG@4 of each benchmark at the first and the last validation."""
    table = Table(title="AVG@4", title_justify="left")
    for name in ("step", "benchmark", "AVG@4 %", "95 % interval", "problems", "truncated %", "no answer %"):
        table.add_column(name, justify="left" if name == "benchmark" else "right")
    for step in sorted({min(by_step), max(by_step)}):
        for source, score in by_step[step].items():
            low, high = score.ci95
            rates = [score.avg_at_k, score.truncated_rate, score.no_answer_rate]
            avg, truncated, no_answer = (f"{100 * r:.1f}" for r in rates)
            interval = f"{100 * low:.1f} to {100 * high:.1f}"
            table.add_row(str(step), source, avg, interval, str(score.n_problems), truncated, no_answer)
    return table


def write_benchmark_summary(settings: Settings, by_step: Scores, seconds: Mapping[str, float]) -> None:
    """summary.json of a run on published benchmarks."""
    steps_ = {"before": min(by_step), "after": max(by_step)}
    scores_ = {
        name: {
            source: {
                "avg_at_4": s.avg_at_k, "ci95": s.ci95, "n": s.n_problems, "truncated": s.truncated_rate,
                "no_answer": s.no_answer_rate, "step": step,
            }
            for source, s in by_step[step].items()
        }
        for name, step in steps_.items()
    }  # fmt: skip
    body = {"experiment": settings.name, "seed": settings.seed, **scores_, "wall_s": sum(seconds.values())}
    write_atomic(settings.paths.output / "summary.json", json.dumps(body | {"unit": "fraction"}, indent=2).encode())
