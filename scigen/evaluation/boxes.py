"""Plane geometry of turned boxes: corners, overlap by the separating-axis theorem, what sticks out of the canvas."""

from __future__ import annotations

import math

from scigen.records import Box

Point = tuple[float, float]


def corners(box: Box) -> tuple[Point, Point, Point, Point]:
    """The four corners in pixels, y down."""
    cos, sin = math.cos(math.radians(box.angle)), math.sin(math.radians(box.angle))
    w, h = box.width / 2, box.height / 2

    def at(a: float, u: float) -> Point:
        return box.cx + a * cos - u * sin, box.cy - a * sin - u * cos

    return at(-w, -h), at(w, -h), at(w, h), at(-w, h)


def penetration(first: Box, second: Box) -> float:
    """How far, in pixels, one box must be moved to get clear of the other; 0 or less if they are apart."""
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
