"""Names beside points in a plot, placed so that they cover neither points, nor bars, nor each other.

Greedy and without chance: the most crowded point first, each at the cheapest of some places around it. (adjustText was
tried; with a dozen systems it left names on points and on each other.)
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RADII = (7.0, 12.0, 19.0, 28.0, 40.0, 56.0)
"""Distances from the point to the nearest edge of its name, in points."""
ANGLES = np.deg2rad([20, -20, 160, -160, 90, -90, 50, -50, 130, -130, 0, 180])
LEADER = 12.0
"""From this distance on a line leads to the point."""
MARKER = 5.5
"""Half the width of what a marker covers, in points."""
ON_TEXT, ON_BAR, OUTSIDE = 60.0, 40.0, 200.0
"""Cost of a name's being covered wholly by names or markers, by bars and lines, or by what is not the plot."""

Boxes = NDArray[np.float64]
"""Shape (n, 4): left, bottom, right, top in pixels."""


def label_points(
    axes: Axes, texts: Sequence[tuple[float, float, str]], *, size: float = 7.5, colour: str = "0.5"
) -> None:
    """Writes each name beside its (x, y). Call it when all else is drawn: limits, legend, titles."""
    if not texts:
        return
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    pixel = figure.dpi / 72
    points = axes.transData.transform([(x, y) for x, y, _ in texts])
    extents = [_extent(axes, name, size) for _, _, name in texts]
    bars, solid = _obstacles(axes, pixel)
    inside = axes.get_window_extent()
    frame = np.array([inside.x0, inside.y0, inside.x1, inside.y1])
    crowd = [float(np.exp(-np.hypot(*(points - p).T) / (40 * pixel)).sum()) for p in points]
    for i in sorted(range(len(texts)), key=lambda i: (-crowd[i], i)):
        offsets, boxes = _places(points[i], extents[i], pixel)
        cost = (
            ON_TEXT * _covered(boxes, solid)
            + ON_BAR * _covered(boxes, bars)
            + OUTSIDE * (1 - _covered(boxes, frame[None]))
            + np.repeat(RADII, len(ANGLES)) / 10
        )
        leaders = [_leader(points[i], offset, pixel) for offset in offsets]
        led = np.repeat(RADII, len(ANGLES)) >= LEADER
        cost += ON_TEXT * led * np.array([_covered(dots, solid).mean() for dots in leaders])
        best = int(np.argmin(cost))
        far = bool(led[best])
        solid = np.vstack([solid, boxes[best]])
        bars = np.vstack([bars, leaders[best]]) if far else bars
        note = axes.annotate(
            texts[i][2], texts[i][:2], xytext=offsets[best] / pixel, textcoords="offset points", ha="center",
            va="center", fontsize=size, zorder=4,
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.6, "shrinkA": 0, "shrinkB": 4} if far else None,
        )  # fmt: skip
        note.set_in_layout(False)


def _extent(axes: Axes, name: str, size: float) -> tuple[float, float]:
    probe = axes.text(0, 0, name, fontsize=size)
    box = probe.get_window_extent()
    probe.remove()
    return box.width + 2, box.height


def _places(point: NDArray[np.float64], extent: tuple[float, float], pixel: float) -> tuple[Boxes, Boxes]:
    """Centres of the name relative to the point, and its boxes, radius by radius."""
    half = np.array(extent) / 2
    ways = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
    offsets = np.concatenate([ways * r * pixel + np.sign(np.round(ways, 6)) * half for r in RADII])
    centres = point + offsets
    return offsets, np.hstack([centres - half, centres + half])


def _leader(point: NDArray[np.float64], offset: NDArray[np.float64], pixel: float) -> Boxes:
    """The line from a point to its name's centre as a row of dots, without the part that the marker covers."""
    length = float(np.hypot(*offset))
    start = min(1.0, 1.5 * MARKER * pixel / length)
    centres = point + np.linspace(start, 0.9, 12)[:, None] * offset
    return np.hstack([centres - pixel / 2, centres + pixel / 2])


def _covered(boxes: Boxes, by: Boxes) -> NDArray[np.float64]:
    """Share of each box that the others cover, summed over them; shape (len(boxes),)."""
    if len(by) == 0:
        return np.zeros(len(boxes))
    width = np.minimum(boxes[:, None, 2], by[None, :, 2]) - np.maximum(boxes[:, None, 0], by[None, :, 0])
    height = np.minimum(boxes[:, None, 3], by[None, :, 3]) - np.maximum(boxes[:, None, 1], by[None, :, 1])
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return np.asarray((width.clip(0) * height.clip(0)).sum(axis=1) / area, dtype=float)


def _obstacles(axes: Axes, pixel: float) -> tuple[Boxes, Boxes]:
    """Boxes of bars and lines, and of markers, texts and the legend."""
    bars: list[Any] = []
    solid: list[Any] = [(-9, -9, -8, -8)]
    for line in axes.lines:
        path = line.get_transform().transform(line.get_xydata())
        if line.get_marker() not in (None, "None", "", " ", "|", "_"):
            solid += [(x - MARKER * pixel, y - MARKER * pixel, x + MARKER * pixel, y + MARKER * pixel) for x, y in path]
        if line.get_linestyle() != "None":
            bars += [_thick(a, b, pixel) for a, b in pairwise(path)]
    for collection in axes.collections:
        for shape in collection.get_paths():
            corners = axes.transData.transform(shape.vertices)
            bars += [_thick(a, b, pixel) for a, b in pairwise(corners)]
    legend = axes.get_legend()
    for artist in (*axes.texts, *([legend] if legend is not None else [])):
        box = artist.get_window_extent()
        solid.append((box.x0, box.y0, box.x1, box.y1))
    return np.array(bars, dtype=float).reshape(-1, 4), np.array(solid, dtype=float)


def _thick(a: NDArray[np.float64], b: NDArray[np.float64], pixel: float) -> tuple[float, float, float, float]:
    """The box around a line from a to b, with room on each side."""
    room = 2 * pixel
    return min(a[0], b[0]) - room, min(a[1], b[1]) - room, max(a[0], b[0]) + room, max(a[1], b[1]) + room
