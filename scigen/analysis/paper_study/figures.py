"""Figures of a study of training runs. Ours are filled, with 95 % intervals; the paper's are hollow and have none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from scigen.analysis.figures import BLUE, GREY, INK, ORANGE, PAPER, Theme
from scigen.analysis.paper_study.intervals import Rate
from scigen.analysis.paper_study.published import PublishedRow
from scigen.analysis.paper_study.results import Compared, Row
from scigen.analysis.paper_study.words import NOT_RUN
from scigen.analysis.plotting import DASHES, SERIES, new_figure, say_nothing, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AVERAGE = "average"


@styled
def accuracies(
    rows: Sequence[Row],
    benchmarks: Mapping[str, str],
    published: Mapping[str, PublishedRow],
    *,
    theme: Theme = "light",
) -> Figure:
    """Accuracy of every row on every benchmark and on average; a row that was not run says so. `benchmarks`: titles."""
    columns = {**benchmarks, **({AVERAGE: "average"} if len(benchmarks) > 1 else {})}
    figure = new_figure(3.0 + 2.6 * len(columns), 0.9 + 0.36 * len(rows))
    panels = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
    for axes, (key, title) in zip(panels, columns.items(), strict=True):
        for y, row in enumerate(rows):
            known = published[row.name].value(key) if row.name in published else None
            if known is not None:
                axes.plot(known, y, "D", mfc=PAPER[theme], mec=ORANGE, ms=6, label="published" if y == 0 else None)
            found = row.average if key == AVERAGE else row.scores[key].accuracy if key in row.scores else None
            if found is not None:
                _interval(axes, found, y, BLUE, "ours" if y == 0 else None)
            else:
                axes.annotate(
                    row.state if row.state != "run" else NOT_RUN, (0.02, y), xycoords=("axes fraction", "data"),
                    ha="left", va="center", fontsize=7.5, style="italic", color=GREY,
                )  # fmt: skip
        axes.set(title=title, xlabel="AVG@k (%)", ylim=(len(rows) - 0.4, -0.7))
        axes.set_yticks(range(len(rows)), [row.title for row in rows])
        axes.margins(x=0.15)
    return figure


@styled
def curves(rows: Sequence[Row], benchmarks: Mapping[str, str], *, theme: Theme = "light") -> Figure:
    """Training reward and validations by step; bands from the least to the greatest seed where there are several."""
    names = {"reward": "training reward", **benchmarks}
    figure = new_figure(2.9 * len(names) + 0.6, 3.4)
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    drawn = [row for row in rows if row.curves]
    for axes, (key, title) in zip(panels, names.items(), strict=True):
        have = [(n, row) for n, row in enumerate(drawn) if key in row.curves]
        axes.set_title(title)
        if not have:
            say_nothing(axes, NOT_RUN)
            continue
        for n, row in have:
            points = row.curves[key].points
            x, colour = list(points), SERIES[n % len(SERIES)]
            mean, low, high = ([100 * points[step][i] for step in x] for i in range(3))
            axes.plot(x, mean, color=colour, ls=DASHES[n // len(SERIES) % len(DASHES)], lw=1.5, label=row.title)
            if len(row.seeds) > 1:
                axes.fill_between(x, low, high, color=colour, alpha=0.15, lw=0)
        axes.set(xlabel="training step", ylabel="%")
    handles, labels = next((a.get_legend_handles_labels() for a in panels if a.lines), ([], []))
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


@styled
def gaps(main: Row, compared: Sequence[Compared], *, theme: Theme = "light") -> Figure:
    """Gains over the start, and the main run minus each other one; both in points, with intervals."""
    figure = new_figure(9.0, 1.1 + 0.36 * (len(compared) + 1))
    left, right = figure.subplots(1, 2, sharey=True)
    rows = [main, *(c.row for c in compared)]
    for y, row in enumerate(rows):
        if row.average_gain is not None:
            _interval(left, row.average_gain, y, ORANGE if y == 0 else BLUE)
        else:
            _say(left, row.state if row.state != "run" else "no start", y)
    for y, c in enumerate(compared, 1):
        if c.main_minus_this is not None:
            _interval(right, c.main_minus_this, y, BLUE)
        else:
            _say(right, "not compared" if c.row.state == "run" else c.row.state, y)
    for axes, title in ((left, "gain over the start (points)"), (right, f"{main.name} minus this (points)")):
        axes.axvline(0, color=INK[theme], lw=0.8, alpha=0.6)
        axes.set(title=title, ylim=(len(rows) - 0.4, -0.6))
        axes.set_yticks(range(len(rows)), [row.title for row in rows])
    return figure


def _say(axes: Axes, text: str, y: int) -> None:
    axes.annotate(
        text, (0.98, y), xycoords=("axes fraction", "data"), ha="right", va="center", fontsize=8, style="italic",
        color=GREY,
    )  # fmt: skip


def _interval(axes: Axes, rate: Rate, y: int, colour: str, label: str | None = None) -> None:
    low, high = (100 * x for x in rate.ci95)
    axes.plot([low, high], [y, y], color=colour, lw=2, alpha=0.6, solid_capstyle="round")
    axes.plot(100 * rate.value, y, "o", color=colour, ms=6, label=label)
