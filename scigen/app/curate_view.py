"""What scripts/curate.py shows: a bar a stage, the closing funnel table, the forecast. Nothing is computed here."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from scigen.models import Estimate
from scigen.problems.curation.forecast import Forecast
from scigen.problems.curation.record import CurationRecord
from scigen.problems.curation.tally import Tally
from scigen.records import Problem


class StageBars:
    """A progress bar for each stage, with rate, cost so far and time left. Use as a context manager."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<14}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:>11}"),
            TextColumn("${task.fields[usd]:.4f}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task: TaskID | None = None
        self._start, self._new = 0.0, 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, tally: Tally, expected: int | None, record: CurationRecord | None) -> None:
        """See scigen.problems.curation.run.Watch."""
        if record is None or self._task is None:
            self._start, self._new = time.monotonic(), 0
            self._task = self._progress.add_task(
                tally.stage, total=expected, completed=tally.decided, rate="", usd=tally.usd
            )
            return
        self._new += 1
        seconds = time.monotonic() - self._start
        rate = f"{self._new / seconds:,.1f}/s" if seconds > 0.5 else ""
        self._progress.update(self._task, completed=tally.decided, rate=rate, usd=tally.usd)


def funnel_table(tallies: Sequence[Tally]) -> Table:
    """Items by stage; in = kept + dropped + failed (+ not reached, where the run was stopped)."""
    table = Table(title="curation: items", title_justify="left")
    table.add_column("stage", no_wrap=True)
    for column in ("in", "kept", "dropped", "failed"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("by reason and status")
    for t in tallies:
        reasons = [f"{reason} {n:,}" for reason, n in t.dropped.most_common()]
        reasons += [f"[yellow]{status} {n:,}[/]" for status, n in t.failed.most_common()]
        reasons += [f"not reached {t.waiting:,}"] * bool(t.waiting)
        numbers = (t.came_in, t.kept, t.dropped.total(), t.failed.total())
        table.add_row(t.stage, *(f"{n:,}" for n in numbers), ", ".join(reasons))
    if len(tallies) > 1:
        gone = (sum(t.dropped.total() for t in tallies), sum(t.failed.total() for t in tallies))
        table.add_section()
        waiting = f"not reached {tallies[-1].waiting:,}" if tallies[-1].waiting else ""
        table.add_row("all", *(f"{n:,}" for n in (tallies[0].came_in, tallies[-1].kept, *gone)), waiting)
    return table


def cost_table(tallies: Sequence[Tally]) -> Table:
    """Calls, tokens, dollars and seconds by stage; what an interrupted run had paid is counted in."""
    table = Table(title="curation: costs", title_justify="left")
    table.add_column("stage", no_wrap=True)
    for column in ("asked", "tokens in", "tokens out", "usd", "model s", "wall s"):
        table.add_column(column, justify="right", no_wrap=True)
    rows = [
        (t.stage, t.calls, t.input_tokens, t.output_tokens, t.usd, t.model_seconds, t.wall_seconds) for t in tallies
    ]
    for stage, calls, tokens_in, tokens_out, usd, model, wall in rows:
        counts = (f"{n:,}" for n in (calls, tokens_in, tokens_out))
        table.add_row(stage, *counts, f"{usd:.4f}", f"{model:.1f}", f"{wall:.1f}")
    if len(rows) > 1:
        sums = [sum(row[i] for row in rows) for i in range(1, 7)]  # type: ignore[misc]
        table.add_section()
        table.add_row("all", *(f"{n:,}" for n in sums[:3]), f"{sums[3]:.4f}", f"{sums[4]:.1f}", f"{sums[5]:.1f}")
    return table


def forecast_table(forecasts: Sequence[Forecast]) -> Table:
    """What each stage would ask, at most; calls that the journal answers already are not counted."""
    table = Table(title="forecast, as if every item were kept", title_justify="left")
    table.add_column("stage", no_wrap=True)
    for column in ("items", "calls", "tokens\nin", "tokens\nout", "usd\nlikely", "usd\nat most", "time"):
        table.add_column(column, justify="right", no_wrap=True)
    for stage, items, estimate in forecasts:
        table.add_row(stage, *_forecast_cells(items, estimate))
    total = sum((f.estimate for f in forecasts[1:]), forecasts[0].estimate)
    table.add_section()
    table.add_row("all", *_forecast_cells(forecasts[0].items, total))
    return table


def _forecast_cells(items: int, e: Estimate) -> Iterator[str]:
    yield from (short(n) for n in (items, e.calls - e.cached, e.input_tokens, e.output_tokens))
    yield from (f"{usd:.2f}" if e.priced else "?" for usd in (e.usd, e.usd_most))
    yield clock(e.seconds)


def short(n: int) -> str:
    """`9,999`, `12k`, `3.4M`."""
    if n < 10_000:
        return f"{n:,}"
    return f"{n / 1e3:.0f}k" if n < 1_000_000 else f"{n / 1e6:.1f}M"


def clock(seconds: float) -> str:
    """`1:02:03`, from seconds."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


class TypeCounts:
    """Problems and quizzes by subject and image type, counted as they pass."""

    def __init__(self) -> None:
        self.problems: Counter[tuple[str, str]] = Counter()
        self.quizzes: Counter[tuple[str, str]] = Counter()

    def counted(self, problems: Iterable[Problem]) -> int:
        """Count all of them and return how many there were."""
        n = 0
        for problem in problems:
            n += 1
            group = (str(problem.subject or "-"), str(problem.image_type or "-"))
            self.problems[group] += 1
            self.quizzes[group] += len(problem.quizzes)
        return n

    def by_image_type(self) -> dict[str, int]:
        """Problems by image type, the most frequent first; `None` where there is none."""
        types: Counter[str] = Counter()
        for (_, image_type), n in self.problems.items():
            types["None" if image_type == "-" else image_type] += n
        return dict(types.most_common())

    def table(self) -> Table:
        """The closing table."""
        table = Table(title="problems by subject and image type", title_justify="left")
        for name in ("subject", "image type", "problems", "quizzes"):
            table.add_column(name, justify="right" if name in ("problems", "quizzes") else "left")
        for group, n in sorted(self.problems.items()):
            table.add_row(*group, str(n), str(self.quizzes[group]))
        table.add_section()
        table.add_row("all", "", str(self.problems.total()), str(self.quizzes.total()))
        return table
