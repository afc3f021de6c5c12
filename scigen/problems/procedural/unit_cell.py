"""Cubic unit cells as plain Matplotlib: a turned cube, hidden edges dashed, atoms as shaded balls from back to front.

Points are fractions of the edge. It knows no chemistry and chooses no view; the scripts it gives stand alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import cos, hypot, radians, sin

Site = tuple[float, float, float]
Point = tuple[float, float]

CORNERS: tuple[Site, ...] = tuple((float(x), float(y), float(z)) for x, y, z in product((0, 1), repeat=3))
FACES: tuple[Site, ...] = ((0.5, 0.5, 0), (0.5, 0.5, 1), (0.5, 0, 0.5), (0.5, 1, 0.5), (0, 0.5, 0.5), (1, 0.5, 0.5))
CENTRE: tuple[Site, ...] = ((0.5, 0.5, 0.5),)
_HALVES = (0.0, 0.5, 1.0)
EDGES: tuple[Site, ...] = tuple(
    (x, y, z) for x in _HALVES for y in _HALVES for z in _HALVES if (x, y, z).count(0.5) == 1
)
QUARTERS: tuple[Site, ...] = tuple((x / 4, y / 4, z / 4) for x, y, z in product((1, 3), repeat=3))
ALTERNATE: tuple[Site, ...] = tuple(s for s in QUARTERS if s.count(0.75) % 2 == 0)
"""Four of the eight quarter places, no two in neighbouring octants: those of zinc blende."""

BALL = """
def ball(x, y, radius, color, order):
    base = np.array(plt.matplotlib.colors.to_rgb(color))
    for t in np.linspace(0, 1, 11):
        shade = base * (0.62 + 0.38 * t) + (1 - base) * 0.72 * t ** 2.2
        ax.add_patch(plt.Circle((x - 0.34 * radius * t, y + 0.34 * radius * t), radius * (1 - 0.93 * t),
                                color=np.clip(shade, 0, 1), linewidth=0, zorder=order))
    ax.add_patch(plt.Circle((x, y), radius, fill=False, edgecolor="0.2", linewidth=1, zorder=order))
"""
"""Source of the function that draws a ball."""


@dataclass(frozen=True)
class View:
    """How the cube stands: turned by `turn`, seen from `tilt` degrees above, of edge `edge` inches around `middle`."""

    turn: float
    tilt: float
    edge: float
    middle: Point

    def at(self, site: Site) -> tuple[float, float, float]:
        """x and y in inches, and how near the site is to the eye."""
        x, y, z = (v - 0.5 for v in site)
        a, e = radians(self.turn), radians(self.tilt)
        u, back = x * cos(a) - y * sin(a), x * sin(a) + y * cos(a)
        return (
            self.middle[0] + self.edge * u,
            self.middle[1] + self.edge * (z * cos(e) + back * sin(e)),
            z * sin(e) - back * cos(e),
        )

    def flat(self, site: Site) -> Point:
        x, y, _ = self.at(site)
        return round(x, 3), round(y, 3)

    def cube(self, radius: float) -> str:
        """Source of the twelve edges between balls of this radius (inches) at the corners; the hidden ones dashed."""
        hidden = min(CORNERS, key=lambda c: self.at(c)[2])
        code = []
        for i, a in enumerate(CORNERS):
            for b in CORNERS[i + 1 :]:
                if sum(v != w for v, w in zip(a, b, strict=True)) != 1:
                    continue
                cut = radius / self.edge
                (x1, y1), (x2, y2) = self.flat(_towards(a, b, cut)), self.flat(_towards(b, a, cut))
                style = 'color="0.45", lw=1.2, linestyle="--"' if hidden in (a, b) else 'color="black", lw=1.8'
                order = 10 + 10 * (self.at(a)[2] + self.at(b)[2]) / 2
                code.append(f"ax.plot([{x1}, {x2}], [{y1}, {y2}], {style}, zorder={order:.2f})")
        return "\n".join(code)

    def balls(self, atoms: Sequence[tuple[Site, float, str]]) -> str:
        """Source of the atoms (site, radius in inches, colour), the nearer ones over the farther ones."""
        rows = []
        for site, radius, color in atoms:
            x, y, near = self.at(site)
            rows.append((round(x, 3), round(y, 3), round(radius, 3), color, round(10.1 + 10 * near, 2)))
        return BALL + f"for x, y, radius, color, order in {rows}:\n    ball(x, y, radius, color, order)"

    def lines(self, pairs: Sequence[tuple[Site, Site]], style: str) -> str:
        """Source of thin lines between sites, behind everything."""
        rows = [(self.flat(a), self.flat(b)) for a, b in pairs]
        return f"for (x1, y1), (x2, y2) in {rows}:\n    ax.plot([x1, x2], [y1, y2], {style}, zorder=1)"

    def measure(self, gap: float) -> tuple[str, Point]:
        """Source of a double arrow along the lower edge in front, `gap` inches below it, and its middle."""
        low = [c for c in CORNERS if c[2] == 0]
        hidden = min(low, key=lambda c: self.at(c)[2])
        pairs = [
            (a, b)
            for a in low
            for b in low
            if a < b and hidden not in (a, b) and sum(v != w for v, w in zip(a, b, strict=True)) == 1
        ]
        a, b = max(pairs, key=lambda q: abs(self.at(q[0])[0] - self.at(q[1])[0]))
        (x1, y1), (x2, y2) = sorted((self.flat(a), self.flat(b)))
        length = hypot(x2 - x1, y2 - y1)
        nx, ny = (y2 - y1) / length, -(x2 - x1) / length
        ends = [(round(x + nx * gap, 3), round(y + ny * gap, 3)) for x, y in ((x1, y1), (x2, y2))]
        code = [
            f'ax.annotate("", xy={ends[1]}, xytext={ends[0]}, arrowprops=dict(',
            '    arrowstyle="<|-|>", color="black", lw=1.1, shrinkA=0, shrinkB=0, mutation_scale=12))',
        ]
        for (x, y), (ex, ey) in zip(((x1, y1), (x2, y2)), ends, strict=True):
            out = (round(ex + nx * 0.06, 3), round(ey + ny * 0.06, 3))
            code.append(f'ax.plot([{x}, {out[0]}], [{y}, {out[1]}], color="0.55", lw=0.8, zorder=0)')
        return "\n".join(code), ((ends[0][0] + ends[1][0]) / 2, (ends[0][1] + ends[1][1]) / 2)


def _towards(a: Site, b: Site, share: float) -> Site:
    """The point that lies `share` of the way from a to b."""
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2])
