"""The main run beside its controls and ablations: differences with intervals, and what they say in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scigen.analysis.paper_study.page import Cells, TableOf
from scigen.analysis.paper_study.results import Compared, Row
from scigen.analysis.paper_study.rows import Reading, compare, row_of
from scigen.analysis.paper_study.runs import StudyRun
from scigen.analysis.paper_study.words import NOT_RUN, signed, span
from scigen.analysis.verdict import percent


def compared_rows(
    main: Row,
    others: Mapping[str, str],
    runs: Sequence[StudyRun],
    benchmarks: Sequence[str],
    read: Reading,
    begun: frozenset[str] = frozenset(),
) -> list[Compared]:
    """Each of `others` (experiment to what it is, in words) against the main row."""
    rows = {name: row_of(name, name, runs, benchmarks, name in begun) for name in others}
    return [compare(main, rows[name], runs, what, read) for name, what in others.items()]


def comparison_table(
    title: str, note: str, main: Row, compared: Sequence[Compared], benchmarks: Mapping[str, str]
) -> TableOf:
    """One line a run, the main one first."""
    head = ["run", *(f"{title} %" for title in benchmarks.values()), "gain over its start (points)"]
    head += [f"{main.name} minus this (points)", "truncated %", "no answer %", "seeds", "reading"]
    lines = [_line(main, "", "", benchmarks)]
    for c in compared:
        gap = signed(c.main_minus_this) if c.main_minus_this else NOT_RUN if c.row.state != "run" else "not compared"
        lines.append(_line(c.row, gap, c.reading, benchmarks))
    return TableOf(
        title=title,
        note=note,
        head=tuple(head),
        rows=lines,
        done=[row.state == "run" for row in (main, *(c.row for c in compared))],
    )


def _line(row: Row, gap: str, reading: str, benchmarks: Mapping[str, str]) -> Cells:
    if row.state != "run":
        return (row.title, *[row.state] * len(benchmarks), *[row.state] * 5, reading)
    scores = [row.scores.get(b) for b in benchmarks]
    return (
        row.title,
        *(span(score.accuracy) if score else NOT_RUN for score in scores),
        signed(row.average_gain) if row.average_gain else "no start",
        gap,
        " / ".join("not said" if s is None or s.truncated is None else percent(s.truncated) for s in scores),
        " / ".join("not said" if s is None or s.no_answer is None else percent(s.no_answer) for s in scores),
        ", ".join(map(str, row.seeds)),
        reading,
    )


def findings(compared: Sequence[Compared]) -> list[str]:
    """The readings of what was run, then one sentence on what was not."""
    missing = [c.what for c in compared if c.row.state != "run"]
    said = [c.reading for c in compared if c.row.state == "run"]
    return [*said, f"Not run, so that nothing can be said of: {'; '.join(missing)}."] if missing else said


def title_of(main: Row, controls: Sequence[Compared]) -> str:
    """The headline: how many controls there are, and what the main run is."""
    done = sum(c.row.state == "run" for c in controls)
    if main.state != "run":
        return f"{main.name} and its controls: {main.state}"
    if not done:
        return f"{main.name}: no control was run"
    return f"What the gain of {main.name} is made of"
