"""Circuit diagrams as plain Matplotlib: schemdraw shapes the symbols, this takes their lines over into a script.

So a script of a circuit stands alone and needs no schemdraw in the sandbox. It writes no texts and solves no circuit.
Lengths are inches; schemdraw is imported when needed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan
from typing import Any

from scigen.problems.procedural.placing import Page, Point

UNIT = 0.52
"""Inches of one unit of schemdraw; a resistor's body is one unit long."""


@dataclass
class Schematic:
    """Symbols between points; `code` draws all that was added."""

    paths: list[list[Point]] = field(default_factory=list)
    circles: list[tuple[Point, float, bool]] = field(default_factory=list)
    """Centre, radius, whether filled."""

    def wire(self, *points: Point) -> None:
        self.paths.append([(round(x, 3), round(y, 3)) for x, y in points])

    def resistor(self, a: Point, b: Point) -> None:
        import schemdraw.elements as elm

        self._take(elm.ResistorIEEE().endpoints(*_units(a, b)))

    def battery(self, plus: Point, minus: Point) -> None:
        """One cell; its long line is at `plus`."""
        import schemdraw.elements as elm

        self._take(elm.BatteryCell().endpoints(*_units(plus, minus)))

    def meter(self, a: Point, b: Point) -> None:
        """An empty circle in a wire; its letter is a text of the drawing."""
        import schemdraw.elements as elm

        self._take(elm.MeterA().endpoints(*_units(a, b)))

    def dot(self, *points: Point) -> None:
        self.circles += [((round(x, 3), round(y, 3)), 0.045, True) for x, y in points]

    def _take(self, element: Any) -> None:
        """Places an element in a drawing of its own and keeps its lines and circles."""
        import schemdraw
        from schemdraw.segments import Segment, SegmentCircle

        drawing = schemdraw.Drawing(show=False)
        drawing.add(element)
        for raw in element.segments:
            segment = raw.xform(element.transform)
            if isinstance(segment, SegmentCircle):
                x, y = segment.center
                self.circles.append(((round(x * UNIT, 3), round(y * UNIT, 3)), round(segment.radius * UNIT, 3), False))
            elif isinstance(segment, Segment):
                path: list[Point] = []
                for x, y in segment.path:
                    if isnan(x):
                        self.paths.append(path)
                        path = []
                    else:
                        path.append((round(x * UNIT, 3), round(y * UNIT, 3)))
                self.paths.append(path)

    def code(self) -> str:
        """Source that draws everything into `ax`."""
        rows = ",\n".join(f"    {path}" for path in self.paths if len(path) > 1)
        lines = [
            f"for path in (\n{rows},\n):",
            '    ax.plot(*np.transpose(path), color="black", linewidth=1.7, solid_capstyle="round", '
            'solid_joinstyle="round", zorder=1)',
        ]
        for centre, radius, filled in self.circles:
            fill = "black" if filled else "white"
            lines.append(
                f'ax.add_patch(plt.Circle({centre}, {radius}, facecolor="{fill}", edgecolor="black", lw=1.7, zorder=2))'
            )
        return "\n".join(lines)

    def ink(self, page: Page) -> None:
        """Put all lines on a page."""
        for path in self.paths:
            page.line(*path)
        for (x, y), r, _ in self.circles:
            page.line((x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r), (x - r, y - r))


def _units(a: Point, b: Point) -> tuple[Point, Point]:
    return (a[0] / UNIT, a[1] / UNIT), (b[0] / UNIT, b[1] / UNIT)
