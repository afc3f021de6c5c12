"""The tables that a command prints when it ends. It prints nothing itself: give them to a rich console."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scigen.analysis.results import Difference, Measurement
from scigen.analysis.verdict import percent, points


def closing_table(
    rows: Sequence[Measurement], paths: Mapping[str, Path | str], differences: Sequence[Difference] = ()
) -> RenderableType:
    """AVG@4 of each policy with interval, problems, truncated and no-answer rates; differences; where things are."""
    table = Table(title="Held-out AVG@4", title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    table.add_column("policy", no_wrap=True)
    for name in ("AVG@4\n%", "95 %\ninterval", "problems\n", "truncated\n%", "no answer\n%"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        low, high = (percent(x) for x in row.ci95)
        table.add_row(
            Text(row.label), percent(row.avg_at_4), f"{low} to {high}", str(row.n), percent(row.truncated),
            percent(row.no_answer),
        )  # fmt: skip
    compared = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for difference in differences:
        compared.add_row(Text(difference.name), f"{points(difference)}, {difference.n} problems")
    places = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    places.add_column(no_wrap=True)
    places.add_column(overflow="fold")
    for name, path in paths.items():
        places.add_row(Text(name), Text(str(path)))
    parts: list[RenderableType] = [table]
    if differences:
        parts += ["", compared]
    return Group(*parts, "", places)
