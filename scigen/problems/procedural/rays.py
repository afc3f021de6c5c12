"""Source of a figure with one ray of light: arrow heads, dashed normals, arcs. The media behind it are the family's."""

from __future__ import annotations

from itertools import pairwise
from math import atan2, hypot, pi
from typing import Any

Point = tuple[float, float]


def turned(angle: float, s: int, v: int) -> float:
    """A direction in degrees after mirroring left-right (s = -1) and top-bottom (v = -1)."""
    angle = 180 - angle if s < 0 else angle
    return (-angle if v < 0 else angle) % 360


def figure(
    path: list[Point],
    normals: list[tuple[Point, Point]],
    arcs: list[tuple[Point, float, float]],
    size: float,
    back: str,
    window: tuple[float, float, float, float],
) -> str:
    """Source for a ray with arrow heads, dashed normals and arcs of radius `size` from a to b degrees."""

    def short(points: Any) -> list[tuple[float, float]]:
        return [(round(x, 3), round(y, 3)) for x, y in points]

    marks = [(*short([c])[0], round(a, 2), round(b, 2)) for c, a, b in arcs]
    heads = []
    for (x1, y1), (x2, y2) in pairwise(path):
        length, direction = hypot(x2 - x1, y2 - y1), atan2(y2 - y1, x2 - x1)
        if length > 0.9:
            heads.append((round((x1 + x2) / 2, 3), round((y1 + y2) / 2, 3), round(direction % (2 * pi), 4)))
    return f"""
        ax.set_position([0, 0, 1, 1])
        ax.set_aspect("equal")
        ax.axis("off"){back}
        for (x1, y1), (x2, y2) in {[tuple(short(pair)) for pair in normals]}:
            ax.plot([x1, x2], [y1, y2], color="0.35", linewidth=1.2, linestyle=(0, (5, 4)))
        for x, y, first, last in {marks}:
            a = np.radians(np.linspace(first, last, 40))
            ax.plot(x + {size} * np.cos(a), y + {size} * np.sin(a), color="black", linewidth=1.2)
        x, y = np.array({short(path)}).T
        ax.plot(x, y, color="tab:red", linewidth=2.2, solid_joinstyle="round")
        for x, y, a in {heads}:
            ax.annotate("", xy=(x + 0.18 * np.cos(a), y + 0.18 * np.sin(a)),
                        xytext=(x - 0.18 * np.cos(a), y - 0.18 * np.sin(a)), arrowprops=dict(
                            arrowstyle="-|>", color="tab:red", linewidth=2.2, mutation_scale=19, shrinkA=0, shrinkB=0))
        ax.set_xlim({window[0]:.4g}, {window[1]:.4g})
        ax.set_ylim({window[2]:.4g}, {window[3]:.4g})
    """
