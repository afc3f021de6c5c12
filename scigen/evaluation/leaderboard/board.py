"""Everything that is shown of one part of the benchmark, laid out as tables of text: the base of every rendering."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scigen.evaluation.evidence import Evidence, Split
from scigen.evaluation.leaderboard.columns import BY_KEY, COLUMNS, SECTION_NOTES, Column, Section
from scigen.evaluation.leaderboard.rows import (
    Cell,
    Kind,
    Mark,
    Row,
    SetFigures,
    breakdown,
    image_type_of,
    leaderboard,
    subject_of,
)
from scigen.evaluation.leaderboard.sets import SET_FIGURES

NOT_RUN = "–"
TIED = "≈"
LEGEND = (
    f"In brackets 95 % intervals over problems. {NOT_RUN}: not run, or not published. Bold: better than every other "
    f"measured row in a paired comparison. {TIED}: indistinguishable from the best. Published values come without "
    "intervals and from another evaluator, so they are beside the measured ones, not among them."
)

Breakdown = Mapping[str, Mapping[str, Cell]]
"""Generator to group to value."""


@dataclass(frozen=True)
class Text:
    """One cell as it is shown."""

    text: str
    interval: str = ""
    mark: Mark | None = None
    cell: Cell | None = None
    """None where nothing was measured."""

    @property
    def whole(self) -> str:
        """Value, interval and mark in one string."""
        return " ".join(filter(None, (self.text, self.interval, TIED if self.mark is Mark.TIED else "")))


@dataclass(frozen=True)
class Line:
    """One row of a table."""

    name: str
    kind: Kind
    n: str
    """Number of problems, as a range where the columns differ."""
    texts: tuple[Text, ...]
    row: Row | None = None


@dataclass(frozen=True)
class Grid:
    """One table. Rectangular: every line has one text a header."""

    title: str
    note: str
    first: str
    """Header of the names."""
    headers: tuple[str, ...]
    lines: tuple[Line, ...]
    columns: tuple[Column, ...] = ()
    """The headers' columns, where each is one."""

    def plain(self) -> list[list[str]]:
        """Header and lines as text: name, kind, n, then a string a column. For a terminal's table."""
        head = [self.first, "", "n", *self.headers]
        body = [
            [line.name, "" if line.kind is Kind.MEASURED else str(line.kind), line.n, *(t.whole for t in line.texts)]
            for line in self.lines
        ]
        return [head, *body]


@dataclass(frozen=True)
class Board:
    """One part of the benchmark."""

    split: Split
    problems: int
    rows: tuple[Row, ...]
    by_subject: Breakdown
    by_image_type: Breakdown

    @classmethod
    def of(cls, evidence: Evidence, split: Split = Split.ALL, set_figures: Iterable[SetFigures] = SET_FIGURES) -> Board:
        """From records; see `leaderboard` and `breakdown`."""
        part = evidence if split is Split.ALL else evidence.narrowed(split.holds)
        column = BY_KEY["r_inv"]
        return cls(
            split,
            len(part.problems),
            tuple(leaderboard(part, split, set_figures=set_figures)),
            breakdown(part, column, subject_of),
            breakdown(part, column, image_type_of),
        )

    def grids(self) -> list[Grid]:
        """A table for each section that has values, then R_inv by subject and by image type."""
        found = [self.grid(section) for section in Section]
        found += [
            _group_grid("R_inv by subject", "subject", self.by_subject),
            _group_grid("R_inv by image type", "image type", self.by_image_type),
        ]
        return [grid for grid in found if grid.lines]

    def grid(self, section: Section) -> Grid:
        """One section. Columns without any value are left out, and so are published rows and controls."""
        columns = tuple(c for c in COLUMNS if c.section is section and any(c.key in r.cells for r in self.rows))
        rows = [r for r in self.rows if r.kind is Kind.MEASURED or any(c.key in r.cells for c in columns)]
        lines = tuple(
            Line(r.title, r.kind, _n(r, columns), tuple(text_of(r.cells.get(c.key), c) for c in columns), r)
            for r in (rows if columns else [])
        )
        return Grid(str(section), SECTION_NOTES[section], "generator", tuple(map(header, columns)), lines, columns)

    def outcomes(self) -> list[tuple[str, int, str, str]]:
        """Generator, image records, their statuses, and the evaluators' failures, in words; measured rows alone."""
        return [
            (
                row.title,
                row.images or 0,
                ", ".join(f"{status} {n}" for status, n in row.statuses.items()) or NOT_RUN,
                "; ".join(
                    f"{name}: " + ", ".join(f"{status} {n}" for status, n in counts.items())
                    for name, counts in row.failures.items()
                )
                or "none",
            )
            for row in self.rows
            if row.kind is not Kind.PUBLISHED
        ]


def boards(evidence: Evidence, set_figures: Sequence[SetFigures] = SET_FIGURES) -> list[Board]:
    """A board for the whole, and one for each part that has problems beside others."""
    found = [Board.of(evidence, split, set_figures) for split in Split]
    return found[:1] + [b for b in found[1:] if 0 < b.problems < found[0].problems]


def header(column: Column) -> str:
    """The column's title with its unit and which way is better."""
    arrow = {1: " ↑", -1: " ↓", 0: ""}[column.better]
    unit = f" ({column.unit})" if column.unit else ""
    return f"{column.title}{unit}{arrow}"


def text_of(cell: Cell | None, column: Column) -> Text:
    """A cell in the column's units."""
    if cell is None:
        return Text(NOT_RUN)

    def number(value: float) -> str:
        return f"{column.scale * value:.{column.digits}f}"

    interval = "" if cell.low is None or cell.high is None else f"[{number(cell.low)}, {number(cell.high)}]"
    return Text(number(cell.value), interval, cell.mark, cell)


def _n(row: Row, columns: Iterable[Column]) -> str:
    counts = sorted({c.n for column in columns if (c := row.cells.get(column.key)) is not None and c.n is not None})
    if not counts:
        return ""
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]}–{counts[-1]}"


def _group_grid(title: str, first: str, found: Breakdown) -> Grid:
    """Groups down, generators across."""
    generators = sorted(name for name, groups in found.items() if groups)
    groups = sorted({group for name in generators for group in found[name]})
    column = BY_KEY["r_inv"]
    lines = []
    for group in groups:
        cells = [found[name].get(group) for name in generators]
        counts = sorted({c.n for c in cells if c is not None and c.n is not None})
        n = str(counts[0]) if len(counts) == 1 else f"{counts[0]}–{counts[-1]}"
        lines.append(Line(group, Kind.MEASURED, n, tuple(text_of(c, column) for c in cells)))
    note = "Share of the images that pass inverse validation, over all, in per cent. Problems without one are in none."
    return Grid(title, note, first, tuple(generators), tuple(lines))
