"""A few samples of a run with all that was made of them, from problem to parquet row and the policy's answers."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path

from scigen.analysis.results import Answer, ParquetRow, Sample
from scigen.app.settings import Settings
from scigen.app.stages import Sets
from scigen.records import FilterDecision, GeneratedImage
from scigen.store import image_path, read_set
from scigen.training.avg_at_k import steps


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


def choose(sets: Sets) -> list[GeneratedImage]:
    """Two textbook drawings a family, a spoilt one among them where there is one, and one held-out glance drawing."""
    decided = {d.problem_id: d for d in read_set(sets.trainset / "decisions", FilterDecision)}
    problems = {p.id: p for p in sets.problems}
    groups: dict[str, dict[str, list[GeneratedImage]]] = defaultdict(lambda: defaultdict(list))
    for image in sets.images:
        procedure = problems[image.problem_id].procedure
        if procedure is None or image.problem_id not in decided:  # set apart for the warm start
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

    datasets.disable_progress_bars()
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
