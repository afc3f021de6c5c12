"""What is summed up from a folder's verdicts: files beside the sets. What was not run is left out or said so."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from scigen.analysis.benchmark_report import write_benchmark
from scigen.app.evaluate_view import agreement_table, calibration_table, drift_table, turned_words
from scigen.app.settings import Paths
from scigen.evaluation import NO_GENERATOR, verdict_set
from scigen.evaluation.calibration import Calibration, calibrate, calibrations_json, drift, turned
from scigen.evaluation.evidence import CONTROL_PREFIX, Evidence
from scigen.evaluation.inverse.compare import Comparison, compare
from scigen.evaluation.judge.agreement import agreements
from scigen.evaluation.judge.families import self_preference
from scigen.evaluation.leaderboard.board import Grid, boards
from scigen.evaluation.leaderboard.render import write_all
from scigen.evaluation.leaderboard.rows import Kind
from scigen.evaluation.run import settings_of
from scigen.store import read_manifest, write_atomic


def report(
    paths: Paths,
    problems: Path,
    generators: Sequence[str],
    before: Mapping[str, Calibration],
    seconds: float,
    console: Console,
) -> None:
    """Leaderboard, calibration, figures and evaluation.json, from all verdicts on these generators' images.

    `before` are an earlier run's calibrations, to compare with.
    """
    controls = [path.name for path in sorted(paths.sets.glob(f"{CONTROL_PREFIX}*")) if read_manifest(path) is not None]
    names = [*generators, *controls]
    found = [folder for name in (*names, NO_GENERATOR) for folder in _verdict_sets(paths, name)]
    evidence = Evidence.read(problems, [paths.sets / name for name in generators], found)
    leaderboard = boards(evidence)
    for grid in leaderboard[0].grids():
        if grid.columns and any(line.kind is not Kind.PUBLISHED for line in grid.lines):
            console.print(_terminal(grid))
    written = write_all(leaderboard, paths.output)
    write_benchmark(evidence, leaderboard[0].rows, paths.output)
    calibrations = {
        name: c
        for name in evidence.evaluators
        if (c := calibrate(evidence, name, settings=_settings(paths, generators, name))) is not None
    }
    if calibrations:
        console.print(calibration_table(calibrations))
        write_atomic(paths.output / "calibration.json", calibrations_json(calibrations))
    changes = {name: drift(calibrations[name], before[name]) for name in calibrations.keys() & before.keys()}
    if changes:
        console.print(drift_table(changes))
    settings = {name: turned(calibrations[name], before[name]) for name in changes}
    for name, differing in settings.items():
        if words := turned_words(name, differing):
            console.print(f"[yellow]note:[/] {words}")
    judges = [v for g in evidence.generators for v in evidence.verdicts_of(g, "judge")]
    if rated := [a for a in agreements(judges) if a.exact is not None]:
        console.print(agreement_table(rated))
    for warning in self_preference(evidence):
        console.print(f"[yellow]note:[/] {warning.words()}")
    summary = {
        "problems": len(evidence.problems),
        "generators": list(generators),
        "evaluators": _counts(evidence),
        "leaderboard": _figures(leaderboard[0].rows),
        "compared": [asdict(c) for c in _comparisons(evidence, generators)],
        "drift": {name: [c.model_dump(mode="json") for c in found] for name, found in changes.items()},
        "settings_that_differ": {
            name: None if differing is None else [t.model_dump(mode="json") for t in differing]
            for name, differing in settings.items()
        },
        "wall_s": round(seconds, 1),
    }
    write_atomic(paths.output / "evaluation.json", json.dumps(summary, indent=2).encode() + b"\n")
    console.print(
        f"leaderboard in {written['html']} (also .md, .csv, .tex); figures in {paths.output / 'evaluation.json'}"
    )


def _comparisons(evidence: Evidence, generators: Sequence[str]) -> Iterator[Comparison]:
    """R_inv of each two generators, paired."""
    for a, b in combinations(generators, 2):
        if (found := compare(evidence, a, b)) is not None:
            yield found


def _settings(paths: Paths, generators: Sequence[str], evaluator: str) -> dict[str, dict[str, Any]]:
    """The evaluator's settings by generator."""
    return {name: settings_of(verdict_set(paths.sets, name, evaluator)) for name in generators}


def _verdict_sets(paths: Paths, generator: str) -> Iterator[Path]:
    for folder in sorted(verdict_set(paths.sets, generator, "x").parent.glob("*")):
        if ".old-" not in folder.name and folder.suffix != ".shards" and read_manifest(folder) is not None:
            yield folder


def _counts(evidence: Evidence) -> dict[str, dict[str, Any]]:
    """`generator/evaluator` to statuses and passes."""
    found = {}
    for generator in (*evidence.generators, NO_GENERATOR):
        for evaluator in evidence.evaluators:
            if verdicts := evidence.verdicts_of(generator, evaluator):
                statuses = Counter(v.status.value for v in verdicts)
                found[f"{generator}/{evaluator}"] = {**statuses, "passed": sum(v.passed for v in verdicts)}
    return found


def _figures(rows: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Each measured row's cells: value, interval, number of problems."""
    return {
        row.name: {key: [cell.value, cell.low, cell.high, cell.n] for key, cell in row.cells.items()}
        for row in rows
        if row.values or row.images
    }


def _terminal(grid: Grid) -> Table:
    head, *body = grid.plain()
    table = Table(title=grid.title, title_justify="left", caption=grid.note, caption_justify="left")
    for n, name in enumerate(head):
        table.add_column(name, justify="left" if n < 2 else "right")
    for line in body:
        table.add_row(*line)
    return table
