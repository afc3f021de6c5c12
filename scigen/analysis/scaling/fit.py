"""Weighted least squares for one curve (scipy, several starts) and for thousands of draws at once (profiled).

Given the shape, a form is linear in its two heights, so a grid over the shape with an exact solution at each of its
points finds the best curve; `fit` starts scipy there and elsewhere and keeps the best. Both respect the bounds 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scigen.analysis.scaling.forms import Array, Form, Span

GRID = 48
"""Shapes tried, evenly in their logarithm; then as many again between the neighbours of the best."""


@dataclass(frozen=True)
class Curves:
    """Parameters of B curves of one form, and their weighted sums of squares."""

    form: Form
    span: Span
    start: Array
    end: Array
    shape: Array
    squares: Array

    def value(self, sizes: Array) -> Array:
        """Accuracies, B x sizes."""
        return self.form.value(sizes, self.start, self.end, self.shape, self.span)

    def named(self) -> dict[str, Array]:
        """The parameters of the form's formula."""
        return self.form.named(self.start, self.end, self.shape, self.span)

    def size_for_gain(self, gain: float) -> Array:
        """The size at which each curve is `gain` above its value at the largest size of the study."""
        at_largest = self.value(np.array([self.span.largest]))[:, 0]
        return self.form.size_for(at_largest + gain, self.start, self.end, self.shape, self.span)


def profile(form: Form, sizes: Array, means: Array, weights: Array) -> Curves:
    """The best curve for each row of `means` (B x J)."""
    span = Span(float(sizes.min()), float(sizes.max()))
    if form.shapes is None:
        return _best(form, span, sizes, means, weights, np.ones((len(means), 1)))
    low, high = np.log(form.shapes(span))
    coarse = _best(form, span, sizes, means, weights, np.exp(np.linspace(low, high, GRID))[None, :])
    step = (high - low) / (GRID - 1)
    around = np.log(coarse.shape)[:, None] + np.linspace(-step, step, GRID)[None, :]
    return _best(form, span, sizes, means, weights, np.exp(np.clip(around, low, high)))


def _best(form: Form, span: Span, sizes: Array, means: Array, weights: Array, shapes: Array) -> Curves:
    """The best of the given shapes (1 or B x T) for each row of `means`."""
    h = form.weight(sizes[None, None, :], shapes[:, :, None], span)  # 1 or B x T x J
    start, end = _heights(h, means[:, None, :], weights) if form.grows else _one_height(h, means, weights)
    fitted = start[..., None] + (end - start)[..., None] * h
    squares = (weights * (means[:, None, :] - fitted) ** 2).sum(-1)
    rows, best = np.arange(len(means)), squares.argmin(1)
    shape = np.broadcast_to(shapes, squares.shape)
    return Curves(form, span, start[rows, best], end[rows, best], shape[rows, best], squares[rows, best])


def _one_height(h: Array, means: Array, weights: Array) -> tuple[Array, Array]:
    level = np.clip((weights * means).sum(-1, keepdims=True) / weights.sum(), 0, 1)
    return level, level


def _heights(h: Array, y: Array, w: Array) -> tuple[Array, Array]:
    """The two heights in 0..1 with the least squares: inside the square if the free solution is, else on an edge."""
    p, q = 1 - h, h
    pp, qq, pq = (w * p * p).sum(-1), (w * q * q).sum(-1), (w * p * q).sum(-1)
    py, qy = (w * p * y).sum(-1), (w * q * y).sum(-1)
    determinant = np.maximum(pp * qq - pq * pq, 1e-12 * pp * qq + 1e-300)
    start, end = (qq * py - pq * qy) / determinant, (pp * qy - pq * py) / determinant
    inside = (start >= 0) & (start <= 1) & (end >= 0) & (end <= 1)
    best_start, best_end = np.where(inside, start, 0.0), np.where(inside, end, 0.0)
    least = np.where(inside, -np.inf, np.inf)
    for edge in (0.0, 1.0):
        other = np.clip((qy - edge * pq) / np.maximum(qq, 1e-300), 0, 1)
        another = np.clip((py - edge * pq) / np.maximum(pp, 1e-300), 0, 1)
        for s, e in ((np.full_like(other, edge), other), (another, np.full_like(another, edge))):
            squares = s * s * pp + e * e * qq + 2 * s * e * pq - 2 * s * py - 2 * e * qy
            better = squares < least
            best_start, best_end = np.where(better, s, best_start), np.where(better, e, best_end)
            least = np.where(better, squares, least)
    return best_start, best_end


def fit(form: Form, sizes: Array, mean: Array, weights: Array) -> Curves:
    """The best curve through `mean` (J), by scipy's bounded least squares from the profiled solution and others."""
    from scipy.optimize import least_squares

    guess = profile(form, sizes, mean[None, :], weights)
    if not form.grows:
        return guess
    span, root = guess.span, np.sqrt(weights)
    low, high = form.shapes(span) if form.shapes else (1.0, 1.0)

    def curve(parameters: Array) -> Array:
        shape = np.exp(parameters[2:]) if form.shapes else np.ones(1)
        return np.asarray(form.value(sizes, parameters[:1], parameters[1:2], shape, span)[0])

    lower, upper = [0.0, 0.0], [1.0, 1.0]
    shapes = [guess.shape[0]]
    if form.shapes:
        lower, upper = [*lower, np.log(low)], [*upper, np.log(high)]
        shapes += list(np.exp(np.linspace(np.log(low), np.log(high), 5)[1:-1]))
    best = None
    for shape in shapes:
        first = np.array([guess.start[0], guess.end[0], np.log(shape)])[: len(lower)]
        inner = np.clip(first, np.array(lower) + 1e-9, np.array(upper) - 1e-9)
        found = least_squares(lambda x: root * (curve(x) - mean), inner, bounds=(lower, upper), xtol=1e-12, ftol=1e-12)
        best = found if best is None or found.cost < best.cost else best
    assert best is not None
    shape = np.exp(best.x[2:]) if form.shapes else np.ones(1)
    return Curves(form, span, best.x[:1], best.x[1:2], shape, np.array([2 * best.cost]))


def aicc(squares: Array, n: int, parameters: int) -> Array | None:
    """Corrected Akaike criterion of least squares with an unknown variance, which counts as one parameter more.

    Hurvich and Tsai, Biometrika 76 (1989). None when there are too few observations for the correction.
    """
    k = parameters + 1
    if n - k - 1 <= 0:
        return None
    out: Array = n * np.log(np.maximum(squares, 1e-300) / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1)
    return out
