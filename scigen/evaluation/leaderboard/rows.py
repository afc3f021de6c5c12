"""The leaderboard as plain data: one row a generator, worked out from records; the paper's rows beside them.

A cell that was not measured is not there; nothing stands in for it. A best value is marked only where a comparison
bears it out:

- Of the measured rows, the one with the best value is `BEST` if it beats each other row: the 95 % interval of the mean
  difference over the problems that both have (paired bootstrap) leaves out 0, on at least 20 problems. Against a
  column without values problem by problem (FID, KID), the two intervals must not overlap.
- Otherwise it and every row that it does not beat are `TIED`: indistinguishable from the best.

To be called the best, a row must win every comparison, each at 5 %; so no correction for their number is due. Published
rows and controls are never marked, nor is a value over fewer than 20 problems: it neither wins nor ties.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from scigen.evaluation.evidence import Evidence, Paradigm, Split
from scigen.evaluation.leaderboard.columns import BY_KEY, COLUMNS, Column, Values
from scigen.evaluation.leaderboard.published import published
from scigen.records import FAILED, Problem
from scigen.statistics import Estimate, estimate, paired_bootstrap, wilson

ENOUGH = 20
"""Problems that a paired comparison needs: a percentile bootstrap of fewer is too narrow (see scigen.statistics)."""


class Kind(StrEnum):
    """Where a row comes from."""

    MEASURED = "measured"
    CONTROL = "control"
    PUBLISHED = "published"


class Mark(StrEnum):
    """What may be said of a value among the measured rows."""

    BEST = "best"
    TIED = "indistinguishable from the best"


@dataclass(frozen=True)
class Cell:
    """A value, in the column's units before scaling. Published values come without interval and number of problems."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    mark: Mark | None = None

    @classmethod
    def of(cls, found: Estimate) -> Cell:
        """From an estimate."""
        return cls(found.value, found.low, found.high, found.n)

    def overlaps(self, other: Cell) -> bool:
        """Whether the two intervals share a point; a cell without interval overlaps all."""
        if self.low is None or self.high is None or other.low is None or other.high is None:
            return True
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True)
class Row:
    """One generator."""

    name: str
    title: str
    kind: Kind
    paradigm: Paradigm
    cells: Mapping[str, Cell] = field(default_factory=dict)
    """Column key to value; a column that is not here was not run."""
    images: int | None = None
    """Image records; None where there are none to count."""
    statuses: Mapping[str, int] = field(default_factory=dict)
    """Status of the image records to their number."""
    failures: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Evaluator to how often it failed, by status; evaluators that never failed are not listed."""
    values: Mapping[str, Values] = field(default_factory=dict, repr=False, compare=False)
    """Column key to problem id to value, for paired comparisons."""


SetFigures = Callable[[Evidence, str], Mapping[str, Estimate]]
"""Gives figures of a generator's whole set, such as FID, by column key."""


def leaderboard(
    evidence: Evidence,
    split: Split = Split.ALL,
    *,
    with_published: bool = True,
    set_figures: Iterable[SetFigures] = (),
) -> list[Row]:
    """Measured rows by R_inv, best first; then controls; then the paper's rows.

    Within each kind, rows with R_inv over fewer than 20 problems come after the others, and rows without it last.
    """
    part = evidence if split is Split.ALL else evidence.narrowed(split.holds)
    figures = tuple(set_figures)
    rows = marked([measured_row(part, name, figures) for name in part.generators])
    if with_published:
        rows += published_rows(split)
    order = list(Kind)
    return sorted(rows, key=lambda r: (order.index(r.kind), *_place(r)))


def measured_row(evidence: Evidence, generator: str, set_figures: Iterable[SetFigures] = ()) -> Row:
    """What the records say of one generator."""
    values = {c.key: found for c in COLUMNS if c.values is not None and (found := c.values(evidence, generator))}
    cells = {key: Cell.of(mean(found, BY_KEY[key])) for key, found in values.items()}
    for figures in set_figures:
        cells |= {key: Cell.of(found) for key, found in figures(evidence, generator).items()}
    images = evidence.images_of(generator)
    failures: dict[str, Counter[str]] = {}
    for evaluator in evidence.evaluators:
        bad = Counter(str(v.status) for v in evidence.verdicts_of(generator, evaluator) if v.status in FAILED)
        if bad:
            failures[evaluator] = bad
    paradigm = evidence.paradigm(generator)
    return Row(
        name=generator,
        title=generator,
        kind=Kind.CONTROL if paradigm is Paradigm.CONTROL else Kind.MEASURED,
        paradigm=paradigm,
        cells=cells,
        images=len(images) or None,
        statuses=dict(Counter(str(i.status) for i in images).most_common()),
        failures=failures,
        values=values,
    )


def published_rows(split: Split = Split.ALL) -> list[Row]:
    """The paper's rows, as far as their values are over this part of the benchmark."""
    table = published()
    rows = []
    for name, system in table.systems.items():
        cells = {key: Cell(value) for key, value in table.values(name, split).items()}
        if cells:
            rows.append(Row(name, system.title, Kind.PUBLISHED, system.paradigm, cells))
    return rows


def mean(values: Values, column: Column) -> Estimate:
    """Mean over problems with its 95 % interval: Wilson's where the column is yes or no, else a bootstrap.

    Raises ValueError if there are no values.
    """
    if values and column.yes_no:
        hits, n = int(sum(values.values())), len(values)
        return Estimate(hits / n, *wilson(hits, n), n)
    return estimate({problem: [value] for problem, value in values.items()})


def marked(rows: Sequence[Row]) -> list[Row]:
    """The rows with `BEST` and `TIED` at the measured ones' cells; see the module."""
    marks: dict[str, dict[str, Mark]] = {row.name: {} for row in rows}
    for column in COLUMNS:
        if column.better == 0:
            continue
        among = [r for r in rows if r.kind is Kind.MEASURED and _enough(r.cells.get(column.key))]
        if len(among) < 2:
            continue
        first = max(among, key=lambda r: column.better * r.cells[column.key].value)
        tied = [r for r in among if r is not first and not beats(first, r, column)]
        marks[first.name][column.key] = Mark.TIED if tied else Mark.BEST
        for row in tied:
            marks[row.name][column.key] = Mark.TIED
    return [
        replace(r, cells={k: replace(c, mark=marks[r.name].get(k)) for k, c in r.cells.items()})
        if r.kind is Kind.MEASURED
        else r
        for r in rows
    ]


def beats(a: Row, b: Row, column: Column) -> bool:
    """Whether `a` is better than `b` in a column beyond chance; see the module."""
    if column.key in a.values and column.key in b.values:
        common = a.values[column.key].keys() & b.values[column.key].keys()
        if len(common) < ENOUGH:
            return False
        _, low, high = paired_bootstrap(a.values[column.key], b.values[column.key])
        return low > 0 if column.better > 0 else high < 0
    ours, theirs = a.cells[column.key], b.cells[column.key]
    return not ours.overlaps(theirs) and column.better * (ours.value - theirs.value) > 0


def breakdown(
    evidence: Evidence, column: Column, group_of: Callable[[Problem], str | None]
) -> dict[str, dict[str, Cell]]:
    """Generator to group to value, e.g. R_inv by subject. A problem without a group (None) is in none.

    Raises ValueError for a column that is no mean over problems.
    """
    if column.values is None:
        raise ValueError(f"column {column.key} has no values problem by problem")
    found: dict[str, dict[str, Cell]] = {}
    for generator in evidence.generators:
        groups: dict[str, dict[str, float]] = {}
        for problem_id, value in column.values(evidence, generator).items():
            group = group_of(evidence.problems[problem_id])
            if group is not None:
                groups.setdefault(group, {})[problem_id] = value
        found[generator] = {name: Cell.of(mean(groups[name], column)) for name in sorted(groups)}
    return found


def subject_of(problem: Problem) -> str | None:
    """The problem's subject, for `breakdown`."""
    return None if problem.subject is None else str(problem.subject)


def image_type_of(problem: Problem) -> str | None:
    """The problem's image type, for `breakdown`."""
    return None if problem.image_type is None else str(problem.image_type)


def _enough(cell: Cell | None) -> bool:
    return cell is not None and (cell.n or 0) >= ENOUGH


def _place(row: Row) -> tuple[int, float, str]:
    cell = row.cells.get("r_inv")
    if cell is None:
        return 2, 0.0, row.name
    return int(row.kind is not Kind.PUBLISHED and not _enough(cell)), -cell.value, row.name
