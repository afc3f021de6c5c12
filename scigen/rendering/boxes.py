"""Plane geometry of turned boxes, and what follows from the boxes of texts alone: overlaps, cuts, the smallest.

The one place where these are worked out, for the record of a drawing and for the checks. No pixels are looked at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scigen.records import Box, DrawnText, TextCut, TextOverlap

OVERLAP_PX = 2.0
"""Two texts may reach this far into each other's box, which holds a little air."""
CUT_PX = 1.0
MOST_PAIRS = 20_000
"""Pairs of neighbours that are looked at; an honest drawing has a few hundred."""

MOST_OVERLAPS = 1000

Point = tuple[float, float]


def corners(box: Box) -> tuple[Point, Point, Point, Point]:
    """The four corners in pixels, y down."""
    cos, sin = math.cos(math.radians(box.angle)), math.sin(math.radians(box.angle))
    w, h = box.width / 2, box.height / 2

    def at(a: float, u: float) -> Point:
        return box.cx + a * cos - u * sin, box.cy - a * sin - u * cos

    return at(-w, -h), at(w, -h), at(w, h), at(-w, h)


def penetration(first: Box, second: Box) -> float:
    """How far, in pixels, one box must be moved to get clear of the other; 0 or less if they are apart.

    By the separating-axis theorem.
    """
    reach = math.hypot(first.width, first.height) + math.hypot(second.width, second.height)
    if math.hypot(first.cx - second.cx, first.cy - second.cy) > reach / 2:
        return 0.0
    p, q = corners(first), corners(second)
    depths = []
    for angle in (first.angle, first.angle + 90, second.angle, second.angle + 90):
        ax, ay = math.cos(math.radians(angle)), -math.sin(math.radians(angle))
        a = [x * ax + y * ay for x, y in p]
        b = [x * ax + y * ay for x, y in q]
        depths.append(min(max(a), max(b)) - max(min(a), min(b)))
    return min(depths)


def overhang(box: Box, width: int, height: int) -> float:
    """How many pixels of the box lie beyond the nearest edge of the canvas; 0 or less if it is inside."""
    points = corners(box)
    return max(max(-x, -y, x - width, y - height) for x, y in points)


def overlaps(texts: Sequence[DrawnText]) -> tuple[TextOverlap, ...]:
    """The pairs of texts that lie on each other, by index: at most `MOST_OVERLAPS`, among `MOST_PAIRS` neighbours."""
    spans = []
    for index, text in enumerate(texts):
        reach = math.hypot(text.box.width, text.box.height) / 2
        spans.append((text.box.cx - reach, text.box.cx + reach, index))
    spans.sort()
    found: list[TextOverlap] = []
    looked = 0
    for n, (_, right, i) in enumerate(spans):
        for left, _, j in spans[n + 1 :]:
            if left > right or looked >= MOST_PAIRS or len(found) >= MOST_OVERLAPS:
                break
            looked += 1
            one, other = texts[min(i, j)], texts[max(i, j)]
            depth = penetration(one.box, other.box)
            if depth > min(OVERLAP_PX, 0.25 * min(one.box.height, other.box.height)):
                found.append(TextOverlap(first=min(i, j), second=max(i, j), depth=round(depth, 2)))
    return tuple(sorted(found, key=lambda o: (o.first, o.second)))


def cuts(texts: Sequence[DrawnText], width: int, height: int) -> tuple[TextCut, ...]:
    """The texts that reach beyond a picture of this size, by index."""
    beyond = [(i, overhang(t.box, width, height)) for i, t in enumerate(texts)]
    return tuple(TextCut(text=i, beyond=round(px, 2)) for i, px in beyond if px > CUT_PX)


def smallest(texts: Sequence[DrawnText]) -> float | None:
    """The least font size in points; None without texts."""
    return min((t.size for t in texts), default=None)
