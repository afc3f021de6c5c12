"""Places texts where no ink is: a page measured in inches that knows its lines and finds a free spot beside a point.

It draws nothing and wraps no text. Widths are estimates for DejaVu Sans, a little on the large side.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

Point = tuple[float, float]

NARROW, WIDE = set("iljtfr.,;:'|!()[] °′1I/"), set("mwMW@%")
ENOUGH = 0.16
"""Inches of air around a text beyond which more is not better."""


def text_size(text: str, points: float = 12) -> Point:
    """Estimated width and height in inches of one line at a font size in points; mathtext counts as its letters."""
    plain = re.sub(r"\\[a-z]+|[${}_^\\]", "", text)
    em = sum(0.42 if c in NARROW else 0.95 if c in WIDE else 0.66 for c in plain)
    return em * points / 72, 0.95 * points / 72


def inch_axes(width: float, height: float) -> str:
    """Source that makes `ax` fill the figure, measured in inches from the lower left corner."""
    return (
        "ax.set_position([0, 0, 1, 1])\n"
        f"ax.set_xlim(0, {width:g})\n"
        f"ax.set_ylim(0, {height:g})\n"
        'ax.set_aspect("equal")\n'
        'ax.axis("off")'
    )


def fitted(points: Sequence[Point], box: tuple[float, float, float, float]) -> tuple[float, float, float]:
    """Scale and shift (s, dx, dy) that centre the points, as large as fits, in a box (left, bottom, right, top)."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    left, bottom, right, top = box
    s = min((right - left) / (max(xs) - min(xs) or 1), (top - bottom) / (max(ys) - min(ys) or 1))
    return s, (left + right - s * (min(xs) + max(xs))) / 2, (bottom + top - s * (min(ys) + max(ys))) / 2


class Page:
    """The ink of a drawing so far, as points at most 0.05 inches apart, and the free places left."""

    def __init__(self, width: float, height: float, margin: float = 0.06) -> None:
        self.width, self.height, self.margin = width, height, margin
        self._ink: list[Point] = []

    def line(self, *points: Point) -> None:
        """Add a polyline."""
        for (x1, y1), (x2, y2) in pairwise(points):
            steps = max(1, math.ceil(math.hypot(x2 - x1, y2 - y1) / 0.05))
            self._ink += [(x1 + (x2 - x1) * i / steps, y1 + (y2 - y1) * i / steps) for i in range(steps + 1)]

    def text(self, text: str, x: float, y: float, points: float = 12) -> None:
        """Add a text centred at (x, y)."""
        w, h = text_size(text, points)
        self.line(*((x + a * w / 2, y + b * h / 2) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))))

    def clearance(self, text: str, x: float, y: float, points: float = 12) -> float:
        """Inches between a text centred at (x, y) and the nearest ink or the page's edge; negative beyond the edge."""
        w, h = (v / 2 for v in text_size(text, points))
        m = self.margin
        edge = min(x - w - m, self.width - m - x - w, y - h - m, self.height - m - y - h)
        if edge < 0 or not self._ink:
            return edge
        import numpy as np

        ink = self._near(x, y, w + ENOUGH, h + ENOUGH)
        if not len(ink):
            return min(edge, 0.0) + ENOUGH
        away = np.hypot(np.maximum(np.abs(ink[:, 0] - x) - w, 0), np.maximum(np.abs(ink[:, 1] - y) - h, 0))
        return min(edge + ENOUGH, float(away.min()))

    def _near(self, x: float, y: float, w: float, h: float) -> Any:
        """Ink within a box of half sides w and h around a point, as an array of n x 2."""
        import numpy as np

        ink = np.asarray(self._ink).reshape(-1, 2)
        return ink[(np.abs(ink[:, 0] - x) <= w) & (np.abs(ink[:, 1] - y) <= h)]

    def beside(
        self, text: str, at: Point, gap: float = 0.1, points: float = 12, towards: float | None = None, far: int = 3
    ) -> Point:
        """Centre of the best free place for a text near `at`, which then counts as ink; arguments as in `spot`."""
        place = self.spot(text, at, gap, points, towards, far)[1]
        self.text(text, *place, points)
        return place

    def spot(
        self, text: str, at: Point, gap: float = 0.1, points: float = 12, towards: float | None = None, far: int = 3
    ) -> tuple[float, Point]:
        """How good the best place for a text near `at` is (more is better), and its centre.

        `gap`: least distance in inches; `towards`: preferred direction in radians; `far`: how many distances are tried.
        """
        import numpy as np

        w, h = (v / 2 for v in text_size(text, points))
        turn = np.tile(np.arange(24) * math.pi / 12, far)
        step = np.repeat(np.arange(far), 24)
        cos, sin = np.cos(turn), np.sin(turn)
        reach = gap + 0.07 * step + np.minimum(w / (np.abs(cos) + 1e-9), h / (np.abs(sin) + 1e-9))
        x, y = at[0] + reach * cos, at[1] + reach * sin
        m = self.margin
        edge = np.minimum.reduce([x - w - m, self.width - m - x - w, y - h - m, self.height - m - y - h])
        clear = np.full(len(x), ENOUGH)
        reach_x, reach_y = (gap + 0.07 * far + 2 * v + ENOUGH for v in (w, h))
        ink = self._near(*at, reach_x, reach_y)
        if len(ink):
            away_x = np.maximum(np.abs(ink[:, :1] - x) - w, 0)
            away_y = np.maximum(np.abs(ink[:, 1:] - y) - h, 0)
            clear = np.sqrt((away_x**2 + away_y**2).min(axis=0)).clip(max=ENOUGH)
        liking = 0.0 if towards is None else 0.03 * np.cos(turn - towards)
        score = np.where(edge < 0, edge - 1, clear + liking - 0.02 * step)
        k = int(np.argmax(np.round(score, 9)))
        return float(score[k]), (float(x[k]), float(y[k]))
