"""The report's figures as PNG: training curves, AVG@4, families before and after, controls. One function a figure.

Colours are Okabe and Ito's, which colour-blind readers can tell apart; markers differ as well. Each figure exists in a
light and a dark version; the light one is what is saved in `figures/`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from scigen.analysis.results import Measurement, Role, RunResults, Score

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Theme = Literal["light", "dark"]

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8a8a8a"
DARK = {BLUE: "#56B4E9", ORANGE: "#E69F00", GREEN: "#2bc79a", GREY: "#8f8f8a"}
PAPER = {"light": "#ffffff", "dark": "#1b1b19"}
INK = {"light": "#222222", "dark": "#dcdad4"}
ROLE_COLOUR = {
    Role.UNTRAINED: GREY, Role.BEFORE: ORANGE, Role.AFTER: BLUE, Role.BLANK_IMAGE: GREY,
    Role.CONTROL: GREY, Role.SUPERVISED: GREEN,
}  # fmt: skip


def all_figures(results: RunResults) -> dict[str, Callable[[Theme], bytes]]:
    """Name to a function that draws it, for each figure that the run has data for."""
    figures: dict[str, Callable[[Theme], bytes]] = {}
    if any(s.reward is not None for s in results.steps):
        figures["reward"] = lambda theme: training_curves(results, theme)
    if len(results.curve()) > 1:
        figures["avg_at_4"] = lambda theme: accuracy_curve(results, theme)
    before, after = results.of(Role.BEFORE), results.of(Role.AFTER)
    if before and after and before.per_family.keys() & after.per_family.keys():
        figures["families"] = lambda theme: family_bars(before, after, theme)
    if len(results.verdict_rows()) > 1:
        figures["controls"] = lambda theme: comparison(results, theme)
    return figures


def training_curves(results: RunResults, theme: Theme = "light") -> bytes:
    """Mean reward a step (thin) with its running mean over 10 steps (thick); below it length, entropy and gradient."""
    with style(theme) as colour:
        from matplotlib.figure import Figure

        small = [
            ("response_length", "response length\n(tokens)"), ("entropy", "entropy\n(nats per token)"),
            ("grad_norm", "gradient norm"),
        ]  # fmt: skip
        small = [(f, label) for f, label in small if any(getattr(s, f) is not None for s in results.steps)]
        figure = Figure(figsize=(7.6, 4.6 if small else 3.0), layout="constrained")
        grid = figure.add_gridspec(2 if small else 1, max(1, len(small)), height_ratios=[1.7, 1] if small else [1])
        top = figure.add_subplot(grid[0, :])
        x, y = _series(results, "reward")
        top.plot(x, y, color=colour(BLUE), lw=0.8, alpha=0.45, label="each step")
        if len(y) > 10:
            top.plot(x, _running_mean(y, 10), color=colour(BLUE), lw=2, label="mean of the last 10 steps")
            top.legend(loc="lower right")
        top.set(xlabel="training step", ylabel="mean reward (0 to 1)", ylim=(0, max(0.5, 1.05 * max(y))))
        for i, (field, label) in enumerate(small):
            axes = figure.add_subplot(grid[1, i])
            axes.plot(*_series(results, field), color=colour(GREY), lw=1)
            axes.set(xlabel="training step", ylabel=label)
            axes.set_ylim(bottom=0)
        return to_png(figure)


def accuracy_curve(results: RunResults, theme: Theme = "light") -> bytes:
    """AVG@4 of the held-out problems at each validation, with 95 % intervals, and the blank-image floor."""
    with style(theme) as colour:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7.6, 3.4), layout="constrained")
        axes = figure.add_subplot()
        curve = results.curve()
        x = [m.step or 0 for m in curve]
        y = [100 * m.avg_at_4 for m in curve]
        axes.errorbar(x, y, yerr=_errors(curve), color=colour(BLUE), marker="o", ms=5, lw=1.6, capsize=3)
        blank = results.of(Role.BLANK_IMAGE)
        if blank is not None:
            low, high = (100 * v for v in blank.ci95)
            axes.axhspan(low, high, color=colour(GREY), alpha=0.25, lw=0)
            axes.axhline(100 * blank.avg_at_4, color=colour(GREY), lw=1)
            axes.annotate(blank.label, (1, 100 * blank.avg_at_4), xycoords=("axes fraction", "data"), ha="right",
                          va="bottom", xytext=(-4, 2), textcoords="offset points", fontsize=8.5)  # fmt: skip
        _chance(axes, results, colour(GREY))
        axes.set(xlabel="training step", ylabel="held-out AVG@4 (%)", ylim=(0, min(100, max(60, 1.25 * max(y)))))
        return to_png(figure)


def family_bars(before: Measurement, after: Measurement, theme: Theme = "light") -> bytes:
    """AVG@4 of each family before and after, with 95 % intervals, sorted by the score after."""
    with style(theme) as colour:
        from matplotlib.figure import Figure

        names = sorted(before.per_family.keys() & after.per_family.keys(), key=lambda f: after.per_family[f].avg_at_4)
        figure = Figure(figsize=(7.6, 1.2 + 0.42 * len(names)), layout="constrained")
        axes = figure.add_subplot()
        for scores, shift, hue, label, marker in (
            ([before.per_family[f] for f in names], -0.15, ORANGE, before.label, "s"),
            ([after.per_family[f] for f in names], 0.15, BLUE, after.label, "o"),
        ):
            places = [i + shift for i in range(len(names))]
            values = [100 * s.avg_at_4 for s in scores]
            axes.barh(places, values, 0.2, color=colour(hue), alpha=0.35)
            axes.errorbar(
                values, places, xerr=_errors(scores), fmt=marker, ms=5, lw=1.4, color=colour(hue), label=label
            )
        axes.set_yticks(range(len(names)), [f"{n.replace('_', ' ')}  ({after.per_family[n].n})" for n in names])
        axes.set(xlabel="held-out AVG@4 (%), 95 % interval; number of problems in brackets", xlim=(0, 101))
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.grid(visible=False, axis="y")
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(handles[::-1], labels[::-1], loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
        return to_png(figure)


def comparison(results: RunResults, theme: Theme = "light") -> bytes:
    """Every policy of the verdict table with its 95 % interval on one scale."""
    with style(theme) as colour:
        from matplotlib.figure import Figure

        rows = results.verdict_rows()[::-1]
        figure = Figure(figsize=(7.6, 1.0 + 0.4 * len(rows)), layout="constrained")
        axes = figure.add_subplot()
        for i, row in enumerate(rows):
            low, high = (100 * v for v in row.ci95)
            hue = colour(ROLE_COLOUR[row.role])
            axes.plot([low, high], [i, i], color=hue, lw=3, alpha=0.55, solid_capstyle="round")
            axes.plot([100 * row.avg_at_4], [i], "o" if row.role is not Role.BLANK_IMAGE else "s", color=hue, ms=8)
            axes.annotate(
                f"{100 * row.avg_at_4:.1f}", (high, i), xytext=(7, 0), textcoords="offset points", va="center"
            )
        _chance(axes, results, colour(GREY), vertical=True)
        axes.set_yticks(range(len(rows)), [r.label for r in rows])
        top = 100 * max(r.ci95[1] for r in rows)
        axes.set(xlabel="held-out AVG@4 (%), 95 % interval", xlim=(0, min(105, top + 12)), ylim=(-0.6, len(rows) - 0.4))
        axes.grid(visible=False, axis="y")
        return to_png(figure)


def _chance(axes: Any, results: RunResults, hue: str, vertical: bool = False) -> None:
    """A dotted line where guessing would be."""
    if results.chance is None:
        return
    value = 100 * results.chance
    (axes.axvline if vertical else axes.axhline)(value, color=hue, lw=1, ls=":")
    if vertical:
        axes.annotate("guessing", (value, 1), xycoords=("data", "axes fraction"), ha="center", va="bottom",
                      fontsize=8.5, xytext=(0, 2), textcoords="offset points")  # fmt: skip
    else:
        axes.annotate("guessing", (0, value), xycoords=("axes fraction", "data"), va="top", fontsize=8.5,
                      xytext=(4, -2), textcoords="offset points")  # fmt: skip


def _series(results: RunResults, field: str) -> tuple[list[int], list[float]]:
    pairs = [(s.step, getattr(s, field)) for s in results.steps if getattr(s, field) is not None]
    return [x for x, _ in pairs], [y for _, y in pairs]


def _running_mean(values: list[float], width: int) -> list[float]:
    """Mean of the last `width` values, of fewer at the beginning."""
    parts = (values[max(0, i + 1 - width) : i + 1] for i in range(len(values)))
    return [sum(part) / len(part) for part in parts]


def _errors(scores: list[Score] | list[Measurement]) -> list[list[float]]:
    """Lengths of the error bars in points, shape (2, len): below and above."""
    return [
        [max(0.0, 100 * (s.avg_at_4 - s.ci95[0])) for s in scores],
        [max(0.0, 100 * (s.ci95[1] - s.avg_at_4)) for s in scores],
    ]


@contextmanager
def style(theme: Theme) -> Iterator[Callable[[str], str]]:
    """Matplotlib settings of the theme while it is entered; gives a function from a light colour to the theme's.

    Colours without a counterpart in `DARK` are the same in both.
    """
    import matplotlib as mpl

    ink, paper = INK[theme], PAPER[theme]
    settings = {
        "figure.facecolor": paper, "axes.facecolor": paper, "savefig.facecolor": paper, "text.color": ink,
        "axes.edgecolor": ink, "axes.labelcolor": ink, "xtick.color": ink, "ytick.color": ink, "font.size": 9.5,
        "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.8, "axes.grid": True,
        "grid.color": ink, "grid.alpha": 0.13, "grid.linewidth": 0.7, "axes.axisbelow": True,
        "legend.frameon": False, "legend.fontsize": 8.5, "font.family": "DejaVu Sans",
    }  # fmt: skip
    with mpl.rc_context(settings):
        yield lambda hue: hue if theme == "light" else DARK.get(hue, hue)


def to_png(figure: Figure) -> bytes:
    """The figure as PNG, the same bytes for the same figure."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=170, metadata={"Software": None})
    return out.getvalue()
