"""How work on a set is shown: a bar with rate, cost so far and time left."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from scigen.records import GeneratedImage, Status, Verdict, VerdictStatus
from scigen.store import RECORDS

GOOD = frozenset({Status.OK.value, VerdictStatus.SCORED.value, VerdictStatus.NOT_APPLICABLE.value})
"""Statuses of records that are not counted as failed."""


class RecordBar:
    """A bar over the records of one set. Use as a context manager; call it with each record."""

    def __init__(self, console: Console, title: str, total: int, folder: Path) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:>10}"),
            TextColumn("${task.fields[usd]:.4f}"),
            TextColumn("{task.fields[failed]}"),
            TimeRemainingColumn(),
            console=console,
        )
        path = folder / RECORDS
        done = sum(1 for _ in path.open("rb")) if path.exists() else 0
        self._task = self._progress.add_task(
            title, total=total, completed=min(done, total), rate="", usd=0.0, failed=""
        )
        self._usd, self._made, self._failed = 0.0, 0, 0

    def __enter__(self) -> Self:
        self._start = time.monotonic()
        self._progress.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, record: GeneratedImage | Verdict) -> None:
        self._made += 1
        self._usd += record.cost_usd
        self._failed += record.status.value not in GOOD
        seconds = time.monotonic() - self._start
        rate = f"{self._made / seconds:,.1f}/s" if seconds > 0.5 else ""
        failed = f"[yellow]{self._failed} failed[/]" if self._failed else ""
        self._progress.update(self._task, advance=1, rate=rate, usd=self._usd, failed=failed)


def duration(seconds: float) -> str:
    """In seconds, minutes or hours, whichever reads best."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
