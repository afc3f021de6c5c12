"""The job of scripts/curate.py: a source's problems become a set; what is malformed is listed, item by item."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from scigen.app.settings import Closed, Paths, build, parse_as
from scigen.problems.sources import Collected, collect
from scigen.records import Problem
from scigen.store import write_atomic

SHOWN = 12
"""Malformed items printed; all are in the set."""


class CurateSettings(Closed):
    name: str
    seed: int
    dry_run: bool
    problems: dict[str, Any]
    paths: Paths


def run(config: Mapping[str, Any]) -> None:
    """Read, validate, write, count."""
    start = time.monotonic()
    settings = parse_as(CurateSettings, config)
    console = Console()
    source = build(settings.problems, "problems")
    collected: Collected = source.read()
    folder = settings.paths.sets / "problems"
    summary: dict[str, Any] = {
        "problems": len(collected.problems),
        "quizzes": sum(len(p.quizzes) for p in collected.problems),
        "by_image_type": _count(str(p.image_type) for p in collected.problems),
        "malformed": len(collected.malformed),
        "malformed_by_fault": _count(f"{m.severity}: {m.kind}" for m in collected.malformed),
        "seed": settings.seed,
    }
    if not settings.dry_run:
        summary["set_hash"] = collect(source, folder, collected).set_hash
    console.print(_table(collected.problems))
    for fault in collected.malformed[:SHOWN]:
        console.print(
            f"[yellow]{fault.severity}[/] {fault.item}: {fault.field}: {fault.fault}. {fault.mend}", markup=True
        )
    if len(collected.malformed) > SHOWN:
        console.print(f"... and {len(collected.malformed) - SHOWN} more")
    summary["wall_s"] = round(time.monotonic() - start, 1)
    if settings.dry_run:
        console.print(f"dry run: {summary['problems']} problems, {summary['malformed']} remarks; nothing written")
        return
    write_atomic(settings.paths.output / "summary.json", json.dumps(summary, indent=2).encode() + b"\n")
    console.print(f"{summary['problems']} problems in {folder}; {summary['malformed']} remarks in {folder}-malformed")
    console.print(f"figures in {settings.paths.output / 'summary.json'}")


def _count(items: Any) -> dict[str, int]:
    return dict(Counter(items).most_common())


def _table(problems: Any) -> Table:
    table = Table(title="problems by subject and image type", title_justify="left")
    for name in ("subject", "image type", "problems", "quizzes"):
        table.add_column(name, justify="right" if name in ("problems", "quizzes") else "left")
    groups: dict[tuple[str, str], list[Problem]] = {}
    for p in problems:
        groups.setdefault((str(p.subject or "-"), str(p.image_type or "-")), []).append(p)
    for (subject, image_type), group in sorted(groups.items()):
        table.add_row(subject, image_type, str(len(group)), str(sum(len(p.quizzes) for p in group)))
    table.add_section()
    table.add_row("all", "", str(len(problems)), str(sum(len(p.quizzes) for p in problems)))
    return table
