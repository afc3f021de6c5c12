"""The study's figure: cells, mean accuracies, the forms with their bands, and below them what each form leaves over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scigen.analysis.plotting import DASHES, MARKERS, SERIES, new_figure, styled
from scigen.analysis.scaling.results import FormFit, Quantity, ScalingResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@styled
def scaling_figure(result: ScalingResult) -> Figure:
    """Above: accuracy against rows with the bands of the forms that grow. Below: residuals of the size means."""
    figure = new_figure(8.0, 6.4)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[2.4, 1])
    grows = [f for f in result.fits if len(f.parameters) > 1]
    for i, fit in enumerate(grows):
        _curve(top, fit, i)
        _residuals(bottom, result, fit, i)
    _points(top, result)
    top.set(xscale="log", ylabel=f"AVG@{result.answers} on {result.benchmark}, %")
    top.axvline(result.points[-1].size, color="#8a8a8a", lw=0.8, ls=":")
    top.legend(loc="upper left", fontsize=8.5)
    if not result.told_apart:
        top.set_title("The data cannot tell these forms apart.", fontsize=10, loc="left")
    bottom.axhline(0, color="#8a8a8a", lw=0.8)
    bottom.set(xlabel="training rows (dotted: the largest trained on)", ylabel="observed minus\nfitted, points")
    ticks = [p.size for p in result.points]
    bottom.set_xticks(ticks, [str(t) for t in ticks])
    bottom.minorticks_off()
    bottom.set_title("bars: each size's mean about the mean of all sizes, 95 %", fontsize=8.5, loc="right")
    return figure


def _curve(axes: Axes, fit: FormFit, i: int) -> None:
    sizes = [p.size for p in fit.curve]
    low, high = ([100 * p.accuracy.ci95[end] for p in fit.curve] for end in (0, 1))
    axes.fill_between(sizes, low, high, color=SERIES[i], alpha=0.13, lw=0)
    axes.plot(sizes, [100 * p.accuracy.value for p in fit.curve], color=SERIES[i], ls=DASHES[i], label=fit.label)


def _points(axes: Axes, result: ScalingResult) -> None:
    sizes = [p.size for p in result.points]
    means = [100 * p.accuracy.value for p in result.points]
    for n, seed in enumerate(result.seeds):
        shares = [100 * p.by_seed[str(seed)] for p in result.points]
        axes.plot(sizes, shares, ls="", marker="x", ms=5, color="#8a8a8a", label=None if n else "one run")
    bars = _errors([p.accuracy for p in result.points])
    axes.errorbar(sizes, means, bars, fmt="o", color="#222222", ms=5, capsize=3, label="mean, 95 %", zorder=5)
    if result.before is not None:
        axes.axhline(100 * result.before, color="#8a8a8a", lw=1, ls="--", label="before training")


def _residuals(axes: Axes, result: ScalingResult, fit: FormFit, i: int) -> None:
    """Side by side, a little apart on the logarithmic axis, so that bars do not hide each other."""
    from numpy import interp, log

    grid = [p.size for p in fit.curve]
    fitted = interp(log([p.size for p in result.points]), log(grid), [p.accuracy.value for p in fit.curve])
    left = [100 * (p.accuracy.value - f) for p, f in zip(result.points, fitted, strict=True)]
    places = [p.size * 1.05 ** (i - 1) for p in result.points]
    bars = _errors([p.above_mean for p in result.points])
    axes.errorbar(places, left, bars, fmt=MARKERS[i], color=SERIES[i], ms=4, lw=0.8, capsize=2)


def _errors(quantities: Sequence[Quantity]) -> list[list[float]]:
    """Distances down and up to the ends of the intervals, in points."""
    down = [100 * (q.value - q.ci95[0]) for q in quantities]
    return [down, [100 * (q.ci95[1] - q.value) for q in quantities]]
