"""The funnel as a picture: one bar a stage, what was kept, dropped by reason, failed. Numbers are the tallies'.

Colours are Okabe and Ito's, which colour-blind readers can tell apart; failures are hatched as well.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from scigen.problems.curation.tally import Tally

KEPT, FAILED, WAITING = "#0072B2", "#8a8a8a", "#e4e4e0"
DROPPED = ("#D55E00", "#E69F00", "#CC79A7", "#F0E442", "#8C510A", "#C7A76C")
INK = "#222222"
NAMED_FROM = 0.045
"""Share of all items from which a segment carries its own number."""
MOST_NAMED = 6


def funnel_figure(tallies: Sequence[Tally], title: str) -> bytes:
    """PNG of the funnel; bars are items, widest where the first stage begins."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    most = max((t.came_in for t in tallies), default=0) or 1
    figure = Figure(figsize=(8.6, 1.35 + 0.62 * len(tallies)), dpi=160, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for row, tally in enumerate(tallies):
        _bar(axes, row, tally, most)
    axes.set_yticks(range(len(tallies)), [t.stage for t in tallies])
    axes.set_ylim(len(tallies) - 0.5, -0.55)
    axes.set_xlim(0, most * 1.16)
    axes.set_xlabel("items", color=INK)
    axes.tick_params(axis="y", length=0, labelsize=10, colors=INK)
    axes.tick_params(axis="x", colors="#666666", labelsize=8)
    axes.xaxis.set_major_locator(_whole_numbers())
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#bbbbbb")
    axes.set_title(title, loc="left", fontsize=11, color=INK, fontweight="bold")
    _legend(axes, tallies)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _bar(axes: Any, row: int, tally: Tally, most: int) -> None:
    left = 0
    segments = [("kept", tally.kept, KEPT, "")]
    segments += [
        (reason, n, DROPPED[i % len(DROPPED)], "") for i, (reason, n) in enumerate(tally.dropped.most_common())
    ]
    segments += [(status, n, FAILED, "////") for status, n in tally.failed.most_common()]
    segments += [("waiting", tally.waiting, WAITING, "")]
    named: list[tuple[str, str]] = []
    for name, n, colour, hatch in segments:
        if not n:
            continue
        axes.barh(row, n, left=left, height=0.46, color=colour, hatch=hatch, edgecolor="white", linewidth=0.6)
        if n >= NAMED_FROM * most:
            pale = colour in (WAITING, "#F0E442", "#E69F00", "#C7A76C")
            axes.text(left + n / 2, row, f"{n:,}", ha="center", va="center", fontsize=8, color=INK if pale else "white")
        if name != "kept":
            named.append((f"{name.replace('_', ' ')} {n:,}", colour))
        left += n
    share = f"{100 * tally.kept / tally.came_in:.1f} % kept" if tally.came_in else "nothing came in"
    axes.text(left + most * 0.012, row, share, va="center", fontsize=8.5, color=INK)
    if named:
        _caption(axes, row, named)


def _caption(axes: Any, row: int, named: Sequence[tuple[str, str]]) -> None:
    """Reasons and statuses under the bar, each behind a square of its colour."""
    from matplotlib.offsetbox import AnnotationBbox, HPacker, TextArea

    rest = len(named) - MOST_NAMED
    shown = [*named[:MOST_NAMED], *([(f"and {rest} more kinds", WAITING)] if rest > 0 else [])]
    parts: list[Any] = []
    for words, colour in shown:
        parts.append(TextArea("\N{BLACK SQUARE}", textprops={"color": colour, "fontsize": 8}))
        parts.append(TextArea(words + "  ", textprops={"color": "#555555", "fontsize": 7}))
    packed = HPacker(children=parts, pad=0, sep=2, align="center")
    axes.add_artist(AnnotationBbox(packed, (0, row + 0.27), box_alignment=(0, 1), frameon=False, pad=0))


def _whole_numbers() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=6, integer=True)


def _legend(axes: Any, tallies: Sequence[Tally]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=KEPT, label="kept"), Patch(facecolor=DROPPED[0], label="dropped, a colour a reason")]
    if any(t.failed for t in tallies):
        handles.append(Patch(facecolor=FAILED, hatch="////", edgecolor="white", label="failed, can be tried again"))
    if any(t.waiting for t in tallies):
        handles.append(Patch(facecolor=WAITING, label="not reached yet"))
    axes.figure.legend(handles=handles, loc="outside lower center", fontsize=8, frameon=False, ncols=len(handles))
