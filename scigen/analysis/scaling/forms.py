"""The forms that accuracy may take as a function of the number N of training rows: three that grow, and none.

Accuracies are proportions. Every form goes from one height, `start`, to another, `end`, both in 0..1, by a weight h(N)
that has at most one parameter, its shape; that makes fitting thousands of bootstrap draws cheap (`fit`). A form may
fall as well as rise. Laws in the size of the policy or in compute are not here.

The saturating form is the hyperbola of Michaelis and Menten and not a logistic curve in log N, which has one parameter
more (its steepness): a study of four or five sizes cannot pay for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Weight = Callable[[Array, Array, "Span"], Array]


@dataclass(frozen=True)
class Span:
    """Smallest and largest size of a study: what some forms are anchored at."""

    smallest: float
    largest: float

    @property
    def log_ratio(self) -> float:
        return float(np.log(self.largest / self.smallest))


@dataclass(frozen=True)
class Form:
    """f(N) = start + (end - start) h(N), with start, end in 0..1."""

    name: str
    label: str
    formula: str
    weight: Weight
    """h of sizes, shape and span; shapes broadcast against sizes."""
    size_at: Weight
    """Its inverse: the size at which h has a value; infinite where it never has."""
    named: Callable[[Array, Array, Array, Span], dict[str, Array]]
    """The parameters of `formula`, from start, end and shape."""
    shapes: Callable[[Span], tuple[float, float]] | None = None
    """Bounds of the shape, both positive."""
    grows: bool = True

    @property
    def parameters(self) -> int:
        """Free ones."""
        return 1 + self.grows + (self.shapes is not None)

    def value(self, sizes: Array, start: Array, end: Array, shape: Array, span: Span) -> Array:
        """Accuracies (parameters x sizes)."""
        h = self.weight(sizes[None, :], shape[:, None], span)
        return np.asarray(start[:, None] + (end - start)[:, None] * h)

    def size_for(self, accuracy: Array, start: Array, end: Array, shape: Array, span: Span) -> Array:
        """The size at which each curve rises to an accuracy; infinite for curves that never do, or fall."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            h = (accuracy - start) / (end - start)
            found = self.size_at(h, shape, span)
        reached = (end > start) & (accuracy <= 1)
        return np.where(reached & np.isfinite(found), found, np.inf)


def _power_size(h: Array, b: Array, span: Span) -> Array:
    return np.where(h < 1, span.smallest * np.maximum(1 - h, 1e-300) ** (-1 / b), np.inf)


def _half_size(h: Array, k: Array, span: Span) -> Array:
    return np.where(h < 1, k * h / np.maximum(1 - h, 1e-300), np.inf)


NONE = Form(
    name="none",
    label="no growth",
    formula="a",
    weight=lambda sizes, shape, span: 0 * sizes * shape,
    size_at=lambda h, shape, span: np.full_like(h, np.inf),
    named=lambda start, end, shape, span: {"a": start},
    grows=False,
)
LOG_LINEAR = Form(
    name="log_linear",
    label="log-linear",
    formula="a + b ln N",
    weight=lambda sizes, shape, span: np.log(sizes / span.smallest) / span.log_ratio + 0 * shape,
    size_at=lambda h, shape, span: span.smallest * np.exp(np.minimum(h * span.log_ratio, 700)),
    named=lambda start, end, shape, span: {
        "a": start - (end - start) / span.log_ratio * np.log(span.smallest),
        "b": (end - start) / span.log_ratio,
    },
)
POWER_LAW = Form(
    name="power_law",
    label="power law with offset",
    formula="c - a N^-b",
    weight=lambda sizes, b, span: 1 - (sizes / span.smallest) ** -b,
    size_at=_power_size,
    named=lambda start, end, b, span: {"a": (end - start) * span.smallest**b, "b": b, "c": end},
    shapes=lambda span: (0.02, 4.0),
)
SATURATING = Form(
    name="saturating",
    label="saturating",
    formula="a + (c - a) N / (N + k)",
    weight=lambda sizes, k, span: sizes / (sizes + k),
    size_at=_half_size,
    named=lambda start, end, k, span: {"a": start, "c": end, "k": k},
    shapes=lambda span: (span.smallest / 20, span.largest * 20),
)
FORMS = (NONE, LOG_LINEAR, POWER_LAW, SATURATING)
