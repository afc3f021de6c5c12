"""Scores on benchmarks, printed and for summary.json: of one checkpoint, or before and after a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scigen.app.stages import CONSOLE
from scigen.training.avg_at_k import steps
from scigen.training.benchmark_rows import read_rows
from scigen.training.score_table import gain_table, group_tables, score_table
from scigen.training.scores import BenchmarkScores, paired, read_scores

Scores = Mapping[str, BenchmarkScores]
"""By data source."""


def last_scores(run: Path) -> Scores | None:
    """The scores of a finished run's last validation, or of an evaluation; None where there is none."""
    for below in ("verl/generations", "verl/validation", "verl-after/generations"):
        folder = run / below
        if folder.is_dir() and (found := steps(folder)):
            return read_scores(folder / f"{found[-1]}.jsonl")
    return None


def before_and_after(validations: Path, parquets: Sequence[Path]) -> dict[str, Scores]:
    """The scores of a training's first and last validation."""
    found, rows = steps(validations), read_rows(parquets)
    ends = {"before": found[0], "after": found[-1]}
    return {name: read_scores(validations / f"{step}.jsonl", rows) for name, step in ends.items()}


def report(named: Mapping[str, Scores], gains: Mapping[str, tuple[Scores, Scores]]) -> None:
    """Print scores by name, the last ones by group too, and paired differences by title."""
    CONSOLE.print(score_table(named))
    for table in group_tables(named):
        CONSOLE.print(table)
    for title, (after, before) in gains.items():
        CONSOLE.print(gain_table(f"{title}, paired by problem", after, before))


def differences(after: Scores, before: Scores) -> dict[str, Any]:
    """For the summary: paired differences by data source and metric, for the problems that both have."""
    found: dict[str, Any] = {}
    for source in sorted(after.keys() & before.keys()):
        if after[source].by_problem["avg"].keys() & before[source].by_problem["avg"].keys():
            gains = paired(after[source], before[source])
            found[source] = {m: {"value": v.value, "ci95": [v.low, v.high], "n": v.n} for m, v in gains.items()}
    return found


def training_figures(named: Mapping[str, Scores]) -> dict[str, Any]:
    """For a training's summary: the closing table's figures, all of them under `scores`, and what was gained."""
    short = {
        name: {
            source: {
                "avg_at_4": s.avg.value,
                "ci95": [s.avg.low, s.avg.high],
                "n": s.avg.n,
                "truncated": s.truncated.value if s.truncated else None,
                "no_answer": s.no_answer.value if s.no_answer else None,
                "step": s.step,
            }
            for source, s in scores.items()
        }
        for name, scores in named.items()
    }
    whole = {name: {source: s.figures() for source, s in scores.items()} for name, scores in named.items()}
    gained = {"after minus before": differences(named["after"], named["before"])}
    return {**short, "scores": whole, "differences": gained}
