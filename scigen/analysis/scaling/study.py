"""Cells of a study, one run each, to fitted forms with intervals, and to what the data can and cannot say.

Every figure has its interval from the same draws of problems and seeds (`draws`). Forms are compared on the cells, each
seed about its own level, by AICc. The data tell a form apart from the others when three things hold: its AICc is lower
by `CLEAR_DELTA`; it wins in `CLEAR_SHARE` of the draws; and it fits the cells better, its criterion being lower by
`CLEAR_DELTA` without any price for parameters too. Without the third, a form of two parameters would always win over
one of three on a dozen cells, whatever the data: that is thrift, not evidence. It reads no file.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scigen.analysis.scaling.draws import draw_means, percentiles, standard_errors
from scigen.analysis.scaling.fit import Curves, aicc, fit, profile
from scigen.analysis.scaling.forms import FORMS, Array, Form
from scigen.analysis.scaling.grid import Cell, Grid, grid_of
from scigen.analysis.scaling.results import (
    CurvePoint,
    Extrapolation,
    FormFit,
    Point,
    Quantity,
    RowsNeeded,
    ScalingResult,
)
from scigen.analysis.scaling.words import statements

CLEAR_DELTA = 2.0
"""Below it, two forms are about as good (Burnham and Anderson, Model Selection, 2002, section 2.6)."""
CLEAR_SHARE = 0.8
GAIN = 0.01
"""One point of accuracy."""
CURVE_POINTS = 41
AHEAD = 4.0
"""How far beyond the largest size the curves are drawn, as a factor."""


def study(
    cells: Sequence[Cell],
    experiment: str,
    benchmark: str,
    answers: int,
    n_boot: int = 1000,
    seed: int = 0,
    left_out: Sequence[str] = (),
) -> ScalingResult:
    """All forms, fitted and compared; `left_out` says which runs did not even come to be cells."""
    grid = grid_of(cells)
    drawn = draw_means(grid.scores, n_boot, seed)
    mean = grid.scores.mean((0, 1))
    fits = _fits(grid, drawn)
    points = [
        Point(
            size=int(size),
            accuracy=_quantity(mean[j], np.clip(drawn[:, j], 0, 1)),
            above_mean=_quantity(mean[j] - mean.mean(), drawn[:, j] - drawn.mean(1)),
            by_seed={str(s): float(grid.scores[:, i, j].mean()) for i, s in enumerate(grid.seeds)},
            step=_quantity(mean[j] - mean[j - 1], drawn[:, j] - drawn[:, j - 1]) if j else None,
        )
        for j, size in enumerate(grid.sizes)
    ]
    result = ScalingResult(
        experiment=experiment,
        benchmark=benchmark,
        problems=len(grid.scores),
        answers=answers,
        seeds=grid.seeds,
        left_out=(*left_out, *grid.left_out),
        before=grid.before,
        points=tuple(points),
        growth=_quantity(mean[-1] - mean[0], drawn[:, -1] - drawn[:, 0]),
        fits=fits,
        told_apart=_told_apart(fits, len(grid.seeds) * len(grid.sizes)),
        n_boot=n_boot,
        statements=(),
    )
    return result.model_copy(update={"statements": statements(result)})


def _told_apart(fits: Sequence[FormFit], cells: int) -> bool:
    ranked = sorted((f for f in fits if f.delta is not None), key=lambda f: f.delta or 0.0)
    if len(ranked) < len(fits):
        return False
    best, *others = ranked
    closest = min(cells * np.log(max(f.squares, 1e-300) / max(best.squares, 1e-300)) for f in others)
    return (others[0].delta or 0.0) >= CLEAR_DELTA and best.selected >= CLEAR_SHARE and bool(closest >= CLEAR_DELTA)


def _fits(grid: Grid, drawn: Array) -> tuple[FormFit, ...]:
    weights = weights_of(grid)
    mean, (groups, scatter) = grid.scores.mean((0, 1)), _scatter(grid, weights)
    n, offsets = groups * len(grid.sizes), groups - 1
    best = [fit(form, grid.sizes, mean, weights) for form in FORMS]
    again = [profile(form, grid.sizes, drawn, weights) for form in FORMS]
    squares = [scatter + groups * c.squares for c in best]
    counts = [form.parameters + offsets for form in FORMS]
    criteria = [aicc(s, n, k) for s, k in zip(squares, counts, strict=True)]
    known = [float(c[0]) for c in criteria if c is not None]
    selected = _selected([scatter + groups * c.squares for c in again], counts, n)
    ahead = _extrapolations(grid, drawn) if len(grid.sizes) > 3 else [None] * len(FORMS)
    return tuple(
        _form_fit(
            form, best[i], again[i], float(squares[i][0]), None if len(known) < len(FORMS) else known[i],
            min(known, default=0.0), selected[i], ahead[i], grid.sizes,
        )
        for i, form in enumerate(FORMS)
    )  # fmt: skip


def weights_of(grid: Grid) -> Array:
    """Of the size means in the fits: inverse squares of their standard errors over problems, with mean 1."""
    raw = 1 / standard_errors(grid.scores) ** 2
    return np.asarray(raw / raw.mean())


def _scatter(grid: Grid, weights: Array) -> tuple[int, float]:
    """Number of seeds, and the weighted squares of their cells about the size means, each seed about its own level."""
    by_seed, mean = grid.scores.mean(0), grid.scores.mean((0, 1))
    level = ((by_seed - mean) * weights).sum(1, keepdims=True) / weights.sum()
    return len(by_seed), float((weights * (by_seed - level - mean) ** 2).sum())


def _selected(squares: Sequence[Array], counts: Sequence[int], n: int) -> list[float]:
    scored = [aicc(s, n, k) for s, k in zip(squares, counts, strict=True)]
    table = np.array([s if a is None else a for s, a in zip(squares, scored, strict=True)])
    if any(a is None for a in scored):
        table = np.array(squares)
    winners = table.argmin(0)
    return [float((winners == i).mean()) for i in range(len(counts))]


def _extrapolations(grid: Grid, drawn: Array) -> list[Extrapolation]:
    """Each form, fitted without the largest size, at the largest size."""
    short, largest = grid.without_largest(), grid.sizes[-1:]
    weights, mean = weights_of(short), short.scores.mean((0, 1))
    observed, found = float(grid.scores[:, :, -1].mean()), []
    for form in FORMS:
        predicted = float(fit(form, short.sizes, mean, weights).value(largest)[0, 0])
        errors = profile(form, short.sizes, drawn[:, :-1], weights).value(largest)[:, 0] - drawn[:, -1]
        error = _quantity(predicted - observed, errors)
        found.append(Extrapolation(size=int(largest[0]), predicted=predicted, observed=observed, error=error))
    return found


def _form_fit(
    form: Form,
    best: Curves,
    drawn: Curves,
    squares: float,
    criterion: float | None,
    lowest: float,
    selected: float,
    extrapolation: Extrapolation | None,
    sizes: Array,
) -> FormFit:
    values, spread = best.named(), drawn.named()
    places = np.exp(np.linspace(np.log(sizes[0]), np.log(sizes[-1] * AHEAD), CURVE_POINTS))
    line, band = best.value(places)[0], drawn.value(places)
    return FormFit(
        form=form.name,
        label=form.label,
        formula=form.formula,
        parameters={name: _quantity(float(value[0]), spread[name]) for name, value in values.items()},
        at_bound=_at_bound(best),
        squares=squares,
        aicc=criterion,
        delta=None if criterion is None else criterion - lowest,
        selected=selected,
        extrapolation=extrapolation,
        one_point=_rows_needed(best.size_for_gain(GAIN), drawn.size_for_gain(GAIN)),
        curve=tuple(CurvePoint(size=float(n), accuracy=_quantity(line[i], band[:, i])) for i, n in enumerate(places)),
    )


def _at_bound(curve: Curves) -> tuple[str, ...]:
    found = []
    for name, value in (("start", curve.start[0]), ("end", curve.end[0])):
        if min(value, 1 - value) < 1e-6:
            found.append(name)
    if curve.form.shapes is not None:
        low, high = np.log(curve.form.shapes(curve.span))
        if not low + 1e-4 < np.log(curve.shape[0]) < high - 1e-4:
            found.append("shape")
    return tuple(found)


def _rows_needed(best: Array, drawn: Array) -> RowsNeeded:
    low, high = percentiles(drawn)
    return RowsNeeded(rows=_finite(best[0]), ci95=(_finite(low), _finite(high)))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _quantity(value: float, drawn: Array) -> Quantity:
    return Quantity(value=float(value), ci95=percentiles(drawn))
