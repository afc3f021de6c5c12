"""The paper's figures from records: R_inv by date of release, domains, the judge, metrics against R_inv.

Each function gives a matplotlib figure and raises nothing on sparse data: what was not run is said in the plot. Ours
are filled, with 95 % intervals; the paper's values are hollow and have none. Code is square and blue, pixels are round
and orange, so that neither colour nor shape is needed alone. Save with `scigen.analysis.figures.to_png`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scigen.analysis.figures import BLUE, GREY, INK, ORANGE, PAPER, Theme
from scigen.analysis.plotting import DASHES, MARKERS, SERIES, new_figure, note, one_plot, say_nothing, styled
from scigen.analysis.point_labels import label_points
from scigen.evaluation.agreement import Coefficient, over_systems
from scigen.evaluation.evidence import Evidence, Paradigm
from scigen.evaluation.leaderboard import (
    BY_KEY,
    Cell,
    Column,
    Kind,
    Row,
    breakdown,
    leaderboard,
    published,
    subject_of,
)
from scigen.evaluation.leaderboard.board import header
from scigen.evaluation.leaderboard.columns import SHORT
from scigen.records import Dimension, Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = len(SERIES)
"""Generators that a plot with one line each shows; the best by R_inv."""


@styled
def r_inv_by_date(rows: Sequence[Row], *, theme: Theme = "light") -> Figure:
    """R_inv by the day each model came out. Systems whose day has no source are left out; ours stand at the same day.

    The step line is the best published value so far.
    """
    figure, axes = one_plot(7.6, 4.4)
    known = {name: system for name, system in published().systems.items() if system.released is not None}
    texts: list[tuple[float, float, str]] = []
    for row in _with(rows, "r_inv"):
        if row.name not in known or row.kind is Kind.CONTROL:
            continue
        released = known[row.name].released
        assert released is not None
        x = float(_days(released.day))
        _point(axes, x, None, row, BY_KEY["r_inv"], theme)
        if row.kind is Kind.PUBLISHED or not _has(rows, row.name, Kind.PUBLISHED):
            texts.append((x, 100 * row.cells["r_inv"].value, known[row.name].title))
    _best_so_far(axes, rows, theme)
    _dates(axes)
    axes.set(ylabel="R_inv (%)", ylim=(0, 100), xlabel="first public release of the model")
    _legend(axes, rows, theme, "r_inv", only=known.keys(), loc="lower right")
    _say_not_run(axes, [r for r in rows if r.kind is Kind.MEASURED and r.name in known], "our own R_inv")
    label_points(axes, texts)
    return figure


@styled
def domain_radar(
    evidence: Evidence,
    *,
    generators: Iterable[str] | None = None,
    group_of: Callable[[Problem], str | None] = subject_of,
    theme: Theme = "light",
) -> Figure:
    """R_inv by domain, one closed line a generator (the six best, unless named), with 95 % intervals.

    Domains with no image of any generator are left out; a generator without images in one has a gap there.
    """
    table = {name: groups for name, groups in breakdown(evidence, BY_KEY["r_inv"], group_of).items() if groups}
    rows = [
        r
        for r in leaderboard(evidence, with_published=False)
        if r.kind is Kind.MEASURED and len(table.get(r.name, ())) > 2
    ]
    wanted = list(generators) if generators is not None else [r.name for r in rows[:MOST]]
    shown = [name for name in wanted if name in table][:MOST]
    groups = sorted({group for name in shown for group in table[name]})
    if len(groups) < 3:
        figure, axes = one_plot(7.6, 4.4)
        say_nothing(axes, f"R_inv by domain: not run ({len(groups)} domains with images, 3 are needed)")
        return figure
    figure = new_figure(7.6, 5.2)
    polar: Any = figure.add_subplot(projection="polar")
    angles = np.linspace(0, 2 * np.pi, len(groups), endpoint=False)
    for i, name in enumerate(shown):
        aside = (i - (len(shown) - 1) / 2) * 0.045
        _radar_line(polar, angles + aside, [table[name].get(g) for g in groups], name, i)
    counts = {g: max(table[n][g].n or 0 for n in shown if g in table[n]) for g in groups}
    polar.set_xticks(angles, [f"{g}\n(n {counts[g]})" for g in groups])
    polar.set_theta_offset(np.pi / 2)
    polar.set_theta_direction(-1)
    polar.tick_params(axis="x", pad=14)
    polar.set_ylim(0, 100)
    polar.set_yticks([25, 50, 75, 100], ["25", "50", "75", "100 %"], fontsize=7.5)
    polar.set_rlabel_position(180 / len(groups))
    polar.spines["polar"].set_visible(False)
    figure.legend(loc="outside right center", title="R_inv with 95 % interval", alignment="left")
    return figure


@styled
def judge_bars(rows: Sequence[Row], *, theme: Theme = "light") -> Figure:
    """The judge's five dimensions over all images, bars with 95 % intervals for the six best measured generators.

    Where none was judged, the paper's six best, hatched and without intervals.
    """
    keys = [str(d) for d in Dimension]
    judged = [r for r in rows if r.kind is Kind.MEASURED and all(k in r.cells for k in keys)]
    ours = bool(judged)
    shown = (judged or [r for r in rows if r.kind is Kind.PUBLISHED and all(k in r.cells for k in keys)])[:MOST]
    figure, axes = one_plot(7.6, 3.9)
    if not shown:
        say_nothing(axes, "judge: not run")
        return figure
    width = 0.84 / len(shown)
    for i, row in enumerate(shown):
        cells = [row.cells[k] for k in keys]
        x = [n + (i - (len(shown) - 1) / 2) * width for n in range(len(keys))]
        face = SERIES[i] if ours else "none"
        axes.bar(
            x, [c.value for c in cells], width * 0.9, label=row.title, facecolor=face, edgecolor=SERIES[i], lw=1,
            hatch=None if ours else "/////"[: 1 + i],
        )  # fmt: skip
        if ours:
            axes.errorbar(x, [c.value for c in cells], yerr=_both([_ends(c, 1) for c in cells]), fmt="none",
                          ecolor=INK[theme], lw=1, capsize=2)  # fmt: skip
    axes.set_xticks(range(len(keys)), [_words(d) for d in Dimension])
    axes.set(ylim=(0, 2.05), ylabel="judge's mean (0 to 2)")
    axes.grid(visible=False, axis="x")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    if not ours:
        note(axes, "our own judge: not run; the paper's values")
    return figure


@styled
def expressiveness_against_precision(rows: Sequence[Row], *, theme: Theme = "light") -> Figure:
    """Judge's layout and precision across, expressiveness and richness up; 95 % intervals for ours."""
    x, y = (BY_KEY[d] for d in (Dimension.LAYOUT_PRECISION, Dimension.EXPRESSIVENESS_RICHNESS))
    figure, axes = one_plot(7.6, 5.0)
    texts = _scatter(axes, rows, x, y, theme)
    axes.set(xlabel="layout and precision (0 to 2)", ylabel="expressiveness and richness (0 to 2)")
    _legend(axes, rows, theme, x.key, y.key, loc="lower right")
    _say_not_run(axes, [r for r in _with(rows, x.key, y.key) if r.kind is Kind.MEASURED], "our own judge")
    label_points(axes, texts)
    return figure


@styled
def metrics_against_r_inv(
    rows: Sequence[Row], keys: Sequence[str] = ("psnr", "fid"), *, theme: Theme = "light"
) -> Figure:
    """One panel a metric: does it predict R_inv? Spearman's rho over the paper's systems and over ours, tested by
    permutation; a dotted line where the blank page stands."""
    figure = new_figure(max(5.4, 4.3 * len(keys)), 4.6)
    panels = []
    for i, key in enumerate(keys):
        axes = figure.add_subplot(1, len(keys), i + 1)
        column = BY_KEY[key]
        panels.append((axes, _scatter(axes, rows, column, BY_KEY["r_inv"], theme)))
        axes.set(xlabel=header(column), ylim=(0, 100))
        axes.set_ylabel("R_inv (%)" if i == 0 else "")
        axes.set_title("\n".join(_rho(rows, key, kind) for kind in (Kind.PUBLISHED, Kind.MEASURED)), fontsize=8.5)
        blank = next((r for r in rows if r.kind is Kind.CONTROL and "blank" in r.name and key in r.cells), None)
        if blank is not None:
            value = column.scale * blank.cells[key].value
            axes.axvline(value, color=GREY, lw=1.2, ls=":")
            axes.annotate("blank page", (value, 0.02), xycoords=("data", "axes fraction"), rotation=90, fontsize=7.5,
                          xytext=(-2, 0), textcoords="offset points", ha="right", va="bottom")  # fmt: skip
        if i == 0:
            _legend(axes, rows, theme, "r_inv", key, loc="lower left")
    for axes, texts in panels:
        label_points(axes, texts, size=7)
    return figure


def _rho(rows: Sequence[Row], key: str, kind: Kind) -> str:
    whose = "paper" if kind is Kind.PUBLISHED else "ours"
    shown = [r for r in _with(rows, key, "r_inv") if r.kind is kind]
    table = {k: {r.name: r.cells[k].value for r in shown} for k in (key, "r_inv")}
    (found,) = over_systems(table, [Coefficient.SPEARMAN])
    if found.value is None:
        return f"{whose}: not run" if not shown else f"{whose}: rho undefined ({len(shown)} systems)"
    assert found.p is not None
    return f"{whose}: rho {found.value:+.2f}, p {found.p:.2f}, {found.n} systems"


def _scatter(axes: Axes, rows: Sequence[Row], x: Column, y: Column, theme: Theme) -> list[tuple[float, float, str]]:
    """Draws the points and gives their names, for `label_points` once all else is drawn."""
    shown = [r for r in _with(rows, x.key, y.key) if r.kind is not Kind.CONTROL]
    if not shown:
        say_nothing(axes, f"{x.title} and {y.title}: not run")
    for row in shown:
        _point(axes, x.scale * row.cells[x.key].value, x, row, y, theme)
    axes.margins(x=0.14, y=0.10)
    return [(x.scale * r.cells[x.key].value, y.scale * r.cells[y.key].value, r.title) for r in shown]


def _point(axes: Axes, at: float, x: Column | None, row: Row, y: Column, theme: Theme) -> None:
    """One system: a filled marker with its intervals, or the paper's hollow one."""
    hue, marker = _look(row)
    cell = row.cells[y.key]
    ours = row.kind is Kind.MEASURED
    bars: dict[str, Any] = {}
    if ours:
        bars["yerr"] = _both([_ends(cell, y.scale)])
        if x is not None:
            bars["xerr"] = _both([_ends(row.cells[x.key], x.scale)])
    axes.errorbar(
        [at], [y.scale * cell.value], fmt=marker, ms=7, color=hue, mfc=hue if ours else PAPER[theme], mew=1.5, lw=1.1,
        capsize=2, zorder=3 if ours else 2, **bars,
    )  # fmt: skip


def _radar_line(axes: Axes, angles: np.ndarray, cells: Sequence[Cell | None], name: str, i: int) -> None:
    def ring(values: list[float]) -> np.ndarray:
        return np.array([*values, values[0]])

    around = np.append(angles, angles[0])
    low, value, high = (
        ring(
            [
                np.nan if c is None else 100 * (getattr(c, end) if getattr(c, end) is not None else c.value)
                for c in cells
            ]
        )
        for end in ("low", "value", "high")
    )
    axes.plot(around, value, color=SERIES[i], ls=DASHES[i], marker=MARKERS[i], ms=5, lw=1.5, label=name, zorder=3)
    axes.vlines(around, low, high, color=SERIES[i], lw=1.6, alpha=0.55, zorder=2)


def _best_so_far(axes: Axes, rows: Sequence[Row], theme: Theme) -> None:
    points = []
    for row in rows:
        released = published().systems[row.name].released if row.kind is Kind.PUBLISHED else None
        if released is not None and "r_inv" in row.cells:
            points.append((float(_days(released.day)), 100 * row.cells["r_inv"].value))
    points.sort()
    if len(points) > 1:
        best = np.maximum.accumulate([y for _, y in points])
        axes.step(
            [x for x, _ in points],
            best,
            where="post",
            color=GREY,
            lw=1,
            alpha=0.7,
            zorder=1,
            label="best published so far",
        )


def _days(day: Any) -> float:
    from matplotlib.dates import date2num

    return float(date2num(day))


def _dates(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, DateFormatter

    axes.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=7))
    axes.xaxis.set_major_formatter(DateFormatter("%b %Y"))
    axes.margins(x=0.12)


def _legend(
    axes: Axes, rows: Sequence[Row], theme: Theme, *keys: str, only: Iterable[str] | None = None, **where: Any
) -> None:
    """Only what is in the plot."""
    from matplotlib.lines import Line2D

    names = None if only is None else set(only)
    kinds = {
        (r.kind, _look(r))
        for r in _with(rows, *keys)
        if r.kind is not Kind.CONTROL and (names is None or r.name in names)
    }
    handles = [
        Line2D([], [], ls="", marker=marker, ms=6.5, color=hue, mew=1.5,
               mfc=hue if kind is Kind.MEASURED else PAPER[theme],
               label=f"{'code' if marker == 's' else 'pixel'}, {'ours' if kind is Kind.MEASURED else 'published'}")
        for kind, (hue, marker) in sorted(kinds)
    ]  # fmt: skip
    lines = [line for line in axes.lines if not str(line.get_label()).startswith("_")]
    if handles or lines:
        axes.legend(handles=[*handles, *lines], **where)


def _look(row: Row) -> tuple[str, str]:
    return (BLUE, "s") if row.paradigm is Paradigm.CODE else (ORANGE, "o")


def _with(rows: Iterable[Row], *keys: str) -> list[Row]:
    return [r for r in rows if all(k in r.cells for k in keys)]


def _has(rows: Iterable[Row], name: str, kind: Kind) -> bool:
    return any(r.name == name and r.kind is kind for r in rows)


def _ends(cell: Cell, scale: float) -> tuple[float, float]:
    """Lengths of the interval below and above the value; 0 where there is none."""
    if cell.low is None or cell.high is None:
        return 0.0, 0.0
    return max(0.0, scale * (cell.value - cell.low)), max(0.0, scale * (cell.high - cell.value))


def _both(ends: Sequence[tuple[float, float]]) -> np.ndarray:
    return np.array(ends).T


def _words(dimension: Dimension) -> str:
    first, second = str(dimension).split("_")
    return f"{first} and\n{second}\n({SHORT[dimension]})"


def _say_not_run(axes: Axes, found: Sequence[Row], what: str) -> None:
    if not found:
        note(axes, f"{what}: not run")
