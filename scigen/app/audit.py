"""`python scripts/curate.py audit=true`: a set's faults counted in a table, and a corrected release beside it.

The set is held in memory: this is for benchmarks, not for corpora.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table

from scigen.app.settings import Paths
from scigen.errors import ScigenError
from scigen.problems.audit.checks import Finding
from scigen.problems.audit.release import audit_figures, write_release
from scigen.problems.audit.repair import Change, corrected, read_changes
from scigen.problems.audit.tally import Row, Tally
from scigen.problems.duplicates import find_duplicates
from scigen.problems.malformed import Malformed
from scigen.problems.sources import Source
from scigen.records import Flag, Problem
from scigen.store import SetWriter, inputs_hash, write_atomic

PLAIN = ("key is", "right option", "stem says", "image types")
"""Rows that count what no flag stands for."""


class AuditSettings(Protocol):
    """What the audit reads of the command's settings."""

    @property
    def seed(self) -> int: ...
    @property
    def dry_run(self) -> bool: ...
    @property
    def paths(self) -> Paths: ...


def run_audit(source: Source, settings: AuditSettings, console: Console) -> None:
    """Audit the source, correct it, audit the release, and write all of it unless `dry_run`."""
    problems: list[Problem] = []
    faults: list[Malformed] = []
    pictures: dict[str, bytes] = {}
    for given in source.items():
        faults += given.faults
        if given.problem is not None:
            problems.append(given.problem)
            if given.problem.image is not None and given.image is not None:
                pictures[given.problem.image] = given.image
    if not problems:
        raise ScigenError(f"{source.name}: no item could be read, so there is nothing to audit. See its faults above.")
    near = near_duplicates(problems)
    before, after = Tally(), Tally()
    before.add_faults(faults)
    changes: list[Change] = list(read_changes(faults))
    release: list[Problem] = []
    for problem in problems:
        own = [f for f in before.add(problem, problem.id in near) if f.kind in (Flag.DUPLICATE, Flag.NEAR_DUPLICATE)]
        better, made = corrected(problem, _named(own, near.get(problem.id)), settings.seed)
        release.append(better)
        changes += made
    for problem in release:
        after.add(problem, problem.id in near)
    console.print(audit_table(source.name, before, after))
    console.print(f"faults without a flag: {before.open} in the source, {after.open} in the release")
    if settings.dry_run:
        console.print("dry run: nothing written")
        return
    name = source.name.replace("/", "-")
    folder = settings.paths.output / "release"
    write_release(folder, name, release, pictures, changes, before, after)
    inputs = inputs_hash("audit", source.settings(), settings.seed, [p.content_hash() for p in problems])
    with SetWriter(settings.paths.sets / "problems", Problem, inputs) as writer:
        for problem in release:
            if problem.image is not None and problem.image in pictures:
                writer.put_image(pictures[problem.image])
            if problem.key not in writer:
                writer.append(problem)
        writer.finish()
    figures = {"source": audit_figures(before), "release": audit_figures(after), "changes": len(changes)}
    _write(settings.paths.output / "audit.json", figures)
    _write(settings.paths.output / "summary.json", {**figures, "seed": settings.seed})
    console.print(f"corrected release of {len(release)} items and {len(changes)} changes in {folder}")
    console.print(
        f"the same as records in {settings.paths.sets / 'problems'}; figures in {settings.paths.output}/audit.json"
    )


def near_duplicates(problems: Sequence[Problem]) -> dict[str, str]:
    """Ids of problems that are nearly the same as an earlier one, answer included, with that one's id."""
    found = find_duplicates((p.id, p.question, p.answer) for p in problems)
    return {d.key: d.of for d in found if d.kind == "near"}


def _named(findings: Sequence[Finding], of: str | None) -> list[Finding]:
    """A near duplicate's finding says of what."""
    return [
        f.model_copy(update={"detail": f"is nearly the same as {of}"}) if f.kind is Flag.NEAR_DUPLICATE else f
        for f in findings
    ]


def audit_table(name: str, before: Tally, after: Tally) -> Table:
    """One row a kind of fault: source and release side by side."""
    table = Table(title=f"audit of {name}: {before.items} items, {before.quizzes} quizzes", title_justify="left")
    table.add_column("fault")
    for column in ("source", "%", "95 % interval", "release", "of these flagged"):
        table.add_column(column, justify="right")
    for row, new in zip(before.rows(), after.rows(), strict=True):
        low, high = row.interval
        plain = row.name.startswith(PLAIN)
        table.add_row(
            row.name,
            f"{row.count} of {row.of}",
            f"{100 * row.rate:.1f}",
            f"{100 * low:.1f} to {100 * high:.1f}",
            str(new.count),
            "" if plain else _flagged(new),
        )
    table.add_section()
    table.add_row("keys equally likely, p", f"{before.skew:.2g}", "", "", f"{after.skew:.2g}", "")
    return table


def _flagged(row: Row) -> str:
    return f"{row.flagged}" if not row.open else f"[red]{row.flagged}[/]"


def _write(path: Path, figures: dict[str, Any]) -> None:
    write_atomic(path, json.dumps(figures, indent=2).encode() + b"\n")
