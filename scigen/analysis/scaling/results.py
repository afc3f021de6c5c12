"""What a scaling study says, as closed and frozen shapes that go to JSON.

Accuracies are proportions (0..1), sizes are numbers of training rows, intervals are 95 %. `None` at the upper end of an
interval of sizes means that no number of rows can be named.
"""

from __future__ import annotations

from pydantic import Field

from scigen.analysis.results import Interval
from scigen.records import Part


class Quantity(Part):
    """A figure with its 95 % interval."""

    value: float
    ci95: Interval

    @property
    def clear(self) -> bool:
        """The interval leaves out zero."""
        return self.ci95[0] > 0 or self.ci95[1] < 0


class Point(Part):
    """The mean accuracy at one size."""

    size: int
    accuracy: Quantity
    above_mean: Quantity
    """Minus the mean over all sizes: what seeds and problems move at all sizes alike is not in its interval."""
    by_seed: dict[str, float]
    step: Quantity | None
    """Minus the mean accuracy at the next smaller size; None at the smallest."""


class RowsNeeded(Part):
    """The size at which a curve is one point above its value at the largest size; all sizes are None where never."""

    rows: float | None
    ci95: tuple[float | None, float | None]

    @property
    def can_be_said(self) -> bool:
        """There is a curve that gets there, and an upper end."""
        return self.rows is not None and self.ci95[1] is not None


class Extrapolation(Part):
    """What the curve fitted without the largest size says of it."""

    size: int
    predicted: float
    observed: float
    error: Quantity
    """Predicted minus observed."""


class CurvePoint(Part):
    """A place on the fitted curve, with its band."""

    size: float
    accuracy: Quantity


class FormFit(Part):
    """One form, fitted."""

    form: str
    label: str
    formula: str
    parameters: dict[str, Quantity]
    at_bound: tuple[str, ...] = ()
    """What ended at the edge of what is allowed, so that its value means little: "start", "end", "shape"."""
    squares: float
    """Weighted squares of the cells about the curve, seeds centred; weights have mean 1."""
    aicc: float | None
    """None when there are too few cells."""
    delta: float | None
    """AICc above the best form's."""
    selected: float = Field(ge=0, le=1)
    """Share of the draws in which it has the lowest AICc; of the squares where that does not exist."""
    extrapolation: Extrapolation | None
    """None with fewer than four sizes."""
    one_point: RowsNeeded
    curve: tuple[CurvePoint, ...]


class ScalingResult(Part):
    """One experiment at several sizes."""

    experiment: str
    benchmark: str
    problems: int
    answers: int
    """A problem."""
    seeds: tuple[int, ...]
    left_out: tuple[str, ...] = ()
    """Runs that are not in the fits, and why."""
    before: float | None
    """Mean accuracy before training, the same for all sizes of a seed."""
    points: tuple[Point, ...]
    growth: Quantity
    """Mean accuracy at the largest size minus that at the smallest."""
    fits: tuple[FormFit, ...]
    told_apart: bool
    """By the three conditions of `study`."""
    n_boot: int
    statements: tuple[str, ...]
