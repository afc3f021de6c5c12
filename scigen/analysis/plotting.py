"""What the figures of a benchmark share: colours, empty plots that say why, the report's style."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

from scigen.analysis.figures import Theme, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's, in an order in which neighbours differ in lightness."""
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1)), (0, (1, 1)))
MARKERS = "osD^vP"

P = ParamSpec("P")


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draws in the report's style, light or dark by the keyword `theme`."""

    @wraps(draw)
    def inner(*args: P.args, **kwargs: P.kwargs) -> Figure:
        theme: Theme = "dark" if kwargs.get("theme") == "dark" else "light"
        with style(theme):
            return draw(*args, **kwargs)

    return inner


def new_figure(width: float, height: float) -> Figure:
    """An empty figure; sizes in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def one_plot(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure with one plot; sizes in inches."""
    figure = new_figure(width, height)
    return figure, figure.add_subplot()


def note(axes: Axes, text: str) -> None:
    """Small words in the upper left corner."""
    axes.text(0.01, 0.99, text, transform=axes.transAxes, fontsize=8.5, style="italic", va="top", alpha=0.75)


def say_nothing(axes: Axes, text: str) -> None:
    """Leaves the plot empty but for why it is."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=10, style="italic")
