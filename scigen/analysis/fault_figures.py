"""Figures of what goes wrong, where code and pixels differ, and how far the metrics agree.

They raise nothing on sparse data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from scigen.analysis.figures import BLUE, GREY, INK, ORANGE, PAPER, Theme
from scigen.analysis.plotting import SERIES, one_plot, say_nothing, styled
from scigen.evaluation.agreement import Coefficient, Correlation
from scigen.evaluation.evidence import Evidence
from scigen.evaluation.failure_modes import (
    Case,
    FailureMode,
    Tagged,
    by_generator,
    cases,
    rates,
    tag,
)
from scigen.evaluation.leaderboard import BY_KEY, image_type_of
from scigen.evaluation.leaderboard.paradigms import code_minus_pixels
from scigen.records import Dimension, Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

M = FailureMode
FAMILIES: Mapping[str, tuple[FailureMode, ...]] = {
    "not drawn": (M.REFUSED, M.NO_ANSWER, M.NO_SCRIPT, M.CODE_ERROR, M.BLANK, M.BAD_PICTURE),
    "wrong structure or science": (M.WRONG_STRUCTURE, M.IMPLAUSIBLE),
    "wrong or missing label": (M.MISSING_LABEL, M.WRONG_VALUE),
    "answer leaked": (M.LEAKED_ANSWER,),
    "text hard to read": (M.GARBLED_TEXT, M.TEXT_OVERLAP, M.CUT_TEXT, M.CROSSED_TEXT, M.UNREADABLE),
    "poor or sparse layout": (M.POOR_LAYOUT, M.SPARSE),
    "unexplained": (M.UNEXPLAINED,),
}
"""Families of modes, gravest first. An evaluator's failure is in none: it is no fault of the image."""
DRAWN = frozenset(FAMILIES["not drawn"])
FAMILY_COLOURS = ("#4d4d4d", SERIES[1], SERIES[0], SERIES[3], SERIES[2], SERIES[4], SERIES[5])
FAMILY_HATCHES = ("", "///", "", "...", "\\\\\\", "", "xxx")
SHORT_NAMES = {
    "r_inv": "R_inv", "r_inv_scored": "R_inv", "quiz_accuracy": "questions", "glassbox_pass": "glass-box",
    "ocr_coverage": "OCR coverage", "ocr_garbled": "garbled", "high_frequency": "high freq.",
}  # fmt: skip


@styled
def failure_mode_bars(
    evidence: Evidence, *, group_of: Callable[[Case], str | None] = by_generator, theme: Theme = "light"
) -> Figure:
    """One stacked bar a group: the share of its images by the gravest family of faults that each has."""
    tagged = [tag(case) for case in cases(evidence)]
    groups: dict[str, list[Tagged]] = {}
    for each in tagged:
        name = group_of(each.case)
        if name is not None:
            groups.setdefault(name, []).append(each)
    names = sorted(groups, key=lambda g: _faulty(groups[g]))
    figure, axes = one_plot(8.2, 1.7 + 0.36 * max(3, len(names)))
    if not names:
        say_nothing(axes, "failure modes: not run (no images)")
        return figure
    left = np.zeros(len(names))
    counts = [Counter(gravest(t) for t in groups[name]) for name in names]
    for family, hue, hatch in zip(FAMILIES, FAMILY_COLOURS, FAMILY_HATCHES, strict=True):
        share = np.array([100 * c[family] / c.total() for c in counts])
        if share.any():
            axes.barh(range(len(names)), share, 0.7, left=left, color=hue, hatch=hatch, ec=PAPER[theme], lw=0.6,
                      label=family)  # fmt: skip
        left += share
    for y, end in enumerate(left):
        checked = any(t.told - DRAWN for t in groups[names[y]])
        words = f"{end:.0f} %" if checked else f"{end:.0f} % (images not looked at: no evaluator was run)"
        axes.text(end + 0.7, y, words, va="center", fontsize=8)
    axes.set_yticks(range(len(names)), [f"{name}  ({len(groups[name])})" for name in names])
    axes.set(xlim=(0, 106), xlabel="images by their gravest fault (%); number of images in brackets")
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    if left.any():
        axes.legend(loc="lower center", bbox_to_anchor=(0.42, 1.0), ncols=3, handlelength=1.6)
    return figure


@styled
def failure_mode_rates(
    evidence: Evidence, *, group_of: Callable[[Case], str | None] = by_generator, theme: Theme = "light"
) -> Figure:
    """Every mode by group: how many in a hundred images have it, of those about which it could be told, and the 95 %
    interval. A dash where it could not be told."""
    found = rates([tag(case) for case in cases(evidence)], group_of)
    groups = sorted({r.group for r in found})
    modes = [m for m in FailureMode if any(r.mode is m and r.count for r in found)]
    figure, axes = one_plot(2.6 + 0.95 * max(2, len(groups)), 1.3 + 0.34 * max(3, len(modes)))
    if not modes:
        say_nothing(axes, "failure modes: not run (no images)" if not found else "failure modes: none found")
        return figure
    from matplotlib.colors import LinearSegmentedColormap

    table = {(r.mode, r.group): r for r in found}
    grid = np.full((len(modes), len(groups)), np.nan)
    for i, mode in enumerate(modes):
        for j, group in enumerate(groups):
            rate = table.get((mode, group))
            if rate is None:
                axes.text(j, i, "–", ha="center", va="center", fontsize=8)
                continue
            grid[i, j] = 100 * rate.rate
            ink = "white" if grid[i, j] > 55 else "black"
            axes.text(j, i - 0.12, f"{100 * rate.rate:.0f}", ha="center", va="center", fontsize=8.5, color=ink)
            axes.text(j, i + 0.26, f"{100 * rate.low:.0f} to {100 * rate.high:.0f}", ha="center", va="center",
                      fontsize=6, color=ink)  # fmt: skip
    shades = LinearSegmentedColormap.from_list("rates", ["#f4f6f8", "#56a6d6", "#00466e"])
    axes.imshow(np.ma.masked_invalid(grid), cmap=shades, vmin=0, vmax=100, aspect="auto")
    axes.set_yticks(range(len(modes)), [str(m).replace("_", " ") for m in modes])
    axes.set_xticks(range(len(groups)), groups, rotation=30, ha="left", rotation_mode="anchor")
    axes.xaxis.tick_top()
    axes.set_title("images with the fault (%), 95 % interval", fontsize=9.5)
    _bare(axes)
    return figure


@styled
def code_against_pixels(
    evidence: Evidence, *, group_of: Callable[[Problem], str | None] = image_type_of, theme: Theme = "light"
) -> Figure:
    """R_inv of code minus that of pixels on the same problems, by group, with 95 % intervals; grey where it is not
    beyond chance."""
    found = code_minus_pixels(evidence, group_of)
    figure, axes = one_plot(7.6, 1.3 + 0.3 * max(4, len(found)))
    if not found:
        say_nothing(axes, "code against pixels: not run (no problem drawn by both)")
        return figure
    for y, d in enumerate(found):
        hue = GREY if not d.clear else BLUE if d.value > 0 else ORANGE
        if d.low is not None and d.high is not None:
            axes.plot([100 * d.low, 100 * d.high], [y, y], color=hue, lw=2.4, alpha=0.55, solid_capstyle="round")
        axes.plot([100 * d.value], [y], "s" if d.value > 0 else "o", color=hue, ms=6)
    axes.axvline(0, color=INK[theme], lw=0.9)
    axes.set_yticks(range(len(found)), [f"{d.group}  ({d.n})" for d in found])
    axes.set(xlabel="R_inv of code minus pixels (points), 95 % interval; problems in brackets")
    reach = max(100 * max(abs(d.value), abs(d.low or 0), abs(d.high or 0)) for d in found) + 4
    axes.set_xlim(-reach, reach)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_title("← pixels better        code better →", fontsize=9)
    return figure


@styled
def agreement_heat_map(
    found: Sequence[Correlation],
    *,
    coefficient: Coefficient = Coefficient.SPEARMAN,
    theme: Theme = "light",
) -> Figure:
    """Correlations of all pairs of metrics. Grey where chance is not ruled out at 5 %; a dash where not defined.

    Below each value its 95 % interval, or over generators p of the permutation test.
    """
    shown = [c for c in found if c.coefficient is coefficient]
    names = list(dict.fromkeys(name for c in shown for name in (c.a, c.b)))
    figure, axes = one_plot(1.9 + 0.78 * max(4, len(names)), 1.5 + 0.56 * max(4, len(names)))
    if not shown:
        say_nothing(axes, "metric agreement: not run")
        return figure
    from matplotlib.colors import to_rgba

    picture = np.tile(np.array(to_rgba(PAPER[theme])), (len(names), len(names), 1))
    for c in shown:
        i, j = sorted((names.index(c.a), names.index(c.b)), reverse=True)
        picture[i, j] = _shade(c, theme)
        dark = c.clear and c.value is not None and abs(c.value) > 0.55
        ink = "white" if dark else "black" if c.clear else INK[theme]
        value = "–" if c.value is None else f"{c.value:+.2f}"
        axes.text(j, i - 0.14 * (c.value is not None), value, ha="center", va="center", fontsize=8.5, color=ink,
                  weight="bold" if c.clear else "normal")  # fmt: skip
        if c.value is not None:
            axes.text(j, i + 0.24, _below(c), ha="center", va="center", fontsize=6, color=ink)
    axes.imshow(picture, aspect="auto")
    axes.set_xticks(range(len(names) - 1), [_name(n) for n in names[:-1]], rotation=35, ha="right",
                    rotation_mode="anchor")  # fmt: skip
    axes.set_yticks(range(1, len(names)), [_name(n) for n in names[1:]])
    axes.set(xlim=(-0.5, len(names) - 1.5), ylim=(len(names) - 0.5, 0.5))
    n = sorted({c.n for c in shown if c.value is not None})
    unit = "images" if any(c.problems for c in shown) else "systems"
    counted = "" if not n else f", {n[0]} {unit}" if n[0] == n[-1] else f", {n[0]} to {n[-1]} {unit}"
    below = "95 % interval" if unit == "images" else "p of a permutation test"
    axes.set_title(f"{_coefficient_name(coefficient)}{counted}\nbelow it {below}; grey: not beyond chance", fontsize=9)
    _bare(axes)
    return figure


def gravest(tagged: Tagged) -> str | None:
    """The first family that one of the image's modes belongs to; None if it has no fault."""
    return next((family for family, modes in FAMILIES.items() if tagged.modes & set(modes)), None)


def _faulty(members: Sequence[Tagged]) -> float:
    return sum(gravest(t) is not None for t in members) / len(members)


def _shade(c: Correlation, theme: Theme) -> tuple[float, float, float, float]:
    """Blue for together, orange for against, the stronger the deeper; grey where chance is not ruled out."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    if c.value is None or not c.clear:
        return to_rgba(GREY, 0.22)
    scale = LinearSegmentedColormap.from_list("agreement", ["#8c3400", "#D55E00", "#f7f3ee", "#56a6d6", "#00466e"])
    return scale((c.value + 1) / 2)


def _below(c: Correlation) -> str:
    if c.low is not None and c.high is not None:
        return f"{c.low:+.2f} to {c.high:+.2f}"
    if c.p is not None:
        return f"p {c.p:.3f}" if c.p >= 0.001 else "p < 0.001"
    return "no interval"


def _name(key: str) -> str:
    if key in SHORT_NAMES:
        return SHORT_NAMES[key]
    title = BY_KEY[key].title if key in BY_KEY else key.replace("_", " ")
    return f"judge {title}" if key.removesuffix("_scored") in {str(d) for d in Dimension} else title


def _coefficient_name(coefficient: Coefficient) -> str:
    return {
        Coefficient.SPEARMAN: "Spearman's rho", Coefficient.KENDALL: "Kendall's tau-b",
        Coefficient.POINT_BISERIAL: "point-biserial r",
    }[coefficient]  # fmt: skip


def _bare(axes: Axes) -> None:
    """No frame, no grid, no tick marks: the cells are enough."""
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
