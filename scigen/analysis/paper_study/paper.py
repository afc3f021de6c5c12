"""The paper's tables with our own runs beside the published values. What was not run says so; nothing is filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scigen.analysis.paper_study.intervals import Rate
from scigen.analysis.paper_study.page import Cells, TableOf
from scigen.analysis.paper_study.published import PublishedTable, published_table
from scigen.analysis.paper_study.results import Row
from scigen.analysis.paper_study.rows import row_of
from scigen.analysis.paper_study.runs import StudyRun
from scigen.analysis.paper_study.words import NOT_RUN, signed, span
from scigen.analysis.verdict import percent
from scigen.evaluation.leaderboard import published as published_systems

UNKNOWN = "not among our numbers"
"""A value that the paper has and we do not."""
NO_GAIN = "–"


def paper_rows(runs: Sequence[StudyRun], begun: frozenset[str] = frozenset()) -> list[Row]:
    """A row for each of the paper's; gains are over our own baseline where it was run."""
    table = published_table()
    baseline = [r for r in runs if r.experiment == "baseline"]
    return [
        row_of(name, published.title, runs, list(table.benchmarks), name in begun, baseline)
        for name, published in table.rows.items()
    ]


def training_table(rows: Sequence[Row]) -> TableOf:
    """Accuracies, ours and published."""
    table = published_table()
    head = ["train set"]
    for benchmark in table.benchmarks.values():
        head += [f"{benchmark.title} %, ours", "published"]
    head += ["average %, ours", "published", "gain of the average, ours (points)", "published", "seeds", "steps"]
    return TableOf(
        title="Training: accuracy after reinforcement learning",
        note=(
            "AVG@4 at temperature 0.6 with 95 % intervals over problems, and over seeds where there are several. "
            "Published values are single runs without intervals. Gains are paired by problem, over our own baseline "
            "where it was run, else over the run's own first validation; published gains over the published baseline."
        ),
        head=tuple(head),
        rows=[_training_line(row, table) for row in rows],
        done=[row.state == "run" for row in rows],
    )


def _training_line(row: Row, table: PublishedTable) -> Cells:
    known = table.rows[row.name]
    cells = [row.title]
    for benchmark in table.benchmarks:
        score = row.scores.get(benchmark)
        cells += [span(score.accuracy) if score else _missing(row), _known(known.value(benchmark))]
    average = _known(known.average)
    if known.printed_average is not None:
        average += f" (the paper prints {known.printed_average})"
    start = table.rows["baseline"].average
    gain = None if known.average is None or start is None else known.average - start
    return (
        *cells,
        span(row.average) if row.average else _missing(row),
        average,
        NO_GAIN if row.name == "baseline" else signed(row.average_gain) if row.average_gain else _missing(row),
        NO_GAIN if row.name == "baseline" else UNKNOWN if gain is None else f"+{gain:.2f}",
        ", ".join(map(str, row.seeds)) or NOT_RUN,
        ", ".join(str(s) for s in sorted(set(row.steps))) or NOT_RUN,
    )


def format_table(rows: Sequence[Row]) -> TableOf:
    """Truncation and missing answers beside the gains: what a gain may be made of."""
    table = published_table()
    head = ["train set"]
    for benchmark in table.benchmarks.values():
        head += [f"{benchmark.title}: gain (points)", "truncated %", "no answer %"]
    lines = []
    for row in rows:
        cells = [row.title]
        for name in table.benchmarks:
            score = row.scores.get(name)
            if score is None:
                cells += [_missing(row)] * 3
                continue
            gain = NO_GAIN if row.name == "baseline" else signed(score.gain) if score.gain else "no start"
            cells += [
                gain,
                _change(score.truncated_before, score.truncated),
                _change(score.no_answer_before, score.no_answer),
            ]
        lines.append(tuple(cells))
    return TableOf(
        title="Training: gains beside truncation and missing answers",
        note=(
            "Before and after training. A response that is cut off or boxes nothing earns nothing, so a policy can "
            "gain by coming to an end in the right form. The paper gives none of these rates; study=controls measures "
            "that part."
        ),
        head=tuple(head),
        rows=lines,
        done=[row.state == "run" for row in rows],
    )


COLUMNS = {"r_inv": ("R_inv %", 100.0, 1), "correctness_fidelity": ("C&F", 1.0, 2), "fid": ("FID", 1.0, 1)}
"""Of the leaderboard: title, factor, digits. The leaderboard's own page has the others."""


def image_table(measured: Mapping[str, Mapping[str, Any]]) -> TableOf:
    """The paper's systems and any other generator that was evaluated; `measured` is evaluation.json's leaderboard."""
    systems = published_systems().systems
    names = [*systems, *(name for name in measured if name not in systems)]
    head = ["generator", *(words for title, _, _ in COLUMNS.values() for words in (f"{title}, ours", "published"))]
    lines = []
    for name in names:
        cells = [systems[name].title if name in systems else name]
        values = systems[name].values() if name in systems else {}
        for key, (_, factor, digits) in COLUMNS.items():
            ours = measured.get(name, {}).get(key)
            cells += [_cell(ours, factor, digits) if ours else NOT_RUN]
            cells += [f"{factor * values[key]:.{digits}f}" if key in values else NO_GAIN]
        lines.append(tuple(cells))
    return TableOf(
        title="Images: how good the generators are",
        note=(
            "R_inv is the share of images from which all quizzes are answered; C&F the judge's correctness and "
            "fidelity, 0 to 2; FID over the real images of SeePhys. Ours with 95 % intervals over problems."
        ),
        head=tuple(head),
        rows=lines,
        done=[name in measured for name in names],
    )


def findings(rows: Sequence[Row]) -> list[str]:
    """Sentences on what was run; first of all, how much was."""
    table, run = published_table(), [row for row in rows if row.state == "run"]
    some = f"{len(run)} of the {len(rows)} rows of the training table were run here; the others say that they were not."
    said = [some if run else f"None of the {len(rows)} rows of the training table was run here, and each says so."]
    for row in run:
        for benchmark, score in row.scores.items():
            known = table.rows[row.name].value(benchmark)
            title, expected = table.benchmarks[benchmark].title, table.benchmarks[benchmark].problems
            if known is not None:
                said.append(f"{row.title}, {title}: {span(score.accuracy)} %; {_place(known, score.accuracy)}.")
            if score.accuracy.problems != expected:
                said.append(
                    f"{row.title}, {title}: tested on {score.accuracy.problems} problems, not the paper's {expected}: "
                    "not comparable with the published value."
                )
        if row.changed:
            said.append(f"{row.title}: run with {', '.join(row.changed)}, so it is not the paper's setting.")
    trained = [row for row in run if row.name != "baseline" and row.average_gain is not None]
    unclear = [row.title for row in trained if row.average_gain is not None and not row.average_gain.clear]
    if unclear:
        said.append(f"No clear gain: {', '.join(unclear)}.")
    if any(len(row.seeds) == 1 for row in trained):
        said.append("Rows with one seed: their intervals do not hold what another training would have given.")
    return said


def _place(known: float, ours: Rate) -> str:
    low, high = (100 * x for x in ours.ci95)
    inside = low <= known <= high
    return f"the published {known} lies {'inside' if inside else 'outside'} this interval"


def _known(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:.1f}" if round(value, 1) == value else f"{value:g}"


def _missing(row: Row) -> str:
    return NOT_RUN if row.state == "run" else row.state


def _change(before: float | None, after: float | None) -> str:
    if after is None:
        return "not said"
    return percent(after) if before is None else f"{percent(before)} → {percent(after)}"


def _cell(found: Sequence[float | None], factor: float, digits: int) -> str:
    value, low, high, n = found
    words = f"{factor * (value or 0):.{digits}f}"
    if low is not None and high is not None:
        words += f" ({factor * low:.{digits}f} to {factor * high:.{digits}f})"
    return words if n is None else f"{words}, n={n:.0f}"
