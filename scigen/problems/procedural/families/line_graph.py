"""Math, analytic geometry: a line through two points, or two lines; slope, intercept or intersection asked.

Glance: in which quadrant is the point?
"""

from __future__ import annotations

import math
from fractions import Fraction
from random import Random

import numpy as np

from scigen.problems.procedural.canvas import COLORS, EVEN, glance_script
from scigen.problems.procedural.family import (
    Drawing,
    Fact,
    Family,
    Glance,
    Label,
    Params,
    Statement,
    distractors,
    number,
)
from scigen.records import ImageType, Plan, Subject

REACH = 6
"""The grid runs from -REACH to REACH on both axes."""


def sample(rng: Random, difficulty: int) -> Params:
    """1: slope; 2: y-intercept, which is not marked; 3: two lines and their intersection."""
    names = rng.choice(["AB", "PQ", "ST", "MN"])
    while True:
        if difficulty == 3:
            (m1, m2), x, y = rng.sample([-3, -2, -1, 1, 2, 3], 2), rng.randint(-3, 3), rng.randint(-3, 3)
            b1, b2 = y - m1 * x, y - m2 * x
            if max(abs(b1), abs(b2)) <= 5 and b1 and b2:
                return {"kind": "intersection", "lines": [[m1, b1], [m2, b2]], "names": names}
            continue
        x1, y1, x2, y2 = (rng.randint(-4, 4) for _ in range(4))
        if (
            x1 * x2 == 0
            or x2 - x1 < 2
            or y1 == y2
            or math.hypot(x2 - x1, y2 - y1) < 3.5
            or (x2 - x1) not in (2, 4, 5, 8)
        ):
            continue
        intercept = y1 - Fraction(y2 - y1, x2 - x1) * x1
        if difficulty == 1 or (abs(intercept) <= 5 and intercept != 0):
            kind = "slope" if difficulty == 1 else "intercept"
            return {"kind": kind, "points": [[x1, y1], [x2, y2]], "names": names}


def equation(m: float, b: int) -> str:
    slope = {1: "x", -1: "-x"}.get(int(m), f"{number(m)}x")
    return f"y = {slope} {'+' if b > 0 else '-'} {abs(b)}"


def slope_and_intercept(p: Params) -> tuple[Fraction, Fraction]:
    (x1, y1), (x2, y2) = p["points"]
    slope = Fraction(y2 - y1, x2 - x1)
    return slope, y1 - slope * x1


def intersection(p: Params) -> tuple[int, int]:
    (m1, b1), (m2, b2) = p["lines"]
    x = (b2 - b1) // (m1 - m2)
    return x, m1 * x + b1


def point_text(name: str, x: int, y: int) -> str:
    return f"{name}({x}, {y})"


def state(p: Params) -> Statement:
    if p["kind"] == "intersection":
        return _state_intersection(p)
    (x1, y1), (x2, y2) = p["points"]
    a, b = p["names"]
    first, second = point_text(a, x1, y1), point_text(b, x2, y2)
    slope, intercept = (float(v) for v in slope_and_intercept(p))
    if p["kind"] == "slope":
        asked, answer, leak = f"slope of the line {a}{b}", number(slope, 4), f"slope = {number(slope, 4)}"
    else:
        asked, answer, leak = (
            f"y-intercept of the line {a}{b}",
            number(intercept, 4),
            f"y-intercept = {number(intercept, 4)}",
        )
    return Statement(
        question=f"A straight line passes through {first} and {second}. Find the {asked}. "
        "Give the exact decimal value.",
        multimodal_question=f"Find the {asked} in the diagram. Give the exact decimal value.",
        answer=answer,
        leak=(leak,),
        facts=(
            _point_fact(a, x1, y1),
            _point_fact(b, x2, y2),
            Fact(
                "What does the line do from left to right?",
                "rise" if slope > 0 else "fall",
                ("fall" if slope > 0 else "rise", "stay level", "turn at the y-axis"),
                f"{first}, {second}",
            ),
        ),
    )


def _point_fact(name: str, x: int, y: int) -> Fact:
    wrong = dict.fromkeys(f"({u}, {v})" for u, v in ((y, x), (-x, y), (x, y + 1), (x + 1, y), (x - 1, y - 1)))
    wrong.pop(f"({x}, {y})", None)
    first, second, third = list(wrong)[:3]
    return Fact(f"What are the coordinates of {name}?", f"({x}, {y})", (first, second, third), point_text(name, x, y))


def _state_intersection(p: Params) -> Statement:
    (m1, b1), (m2, b2) = p["lines"]
    x, y = intersection(p)
    one, two = equation(m1, b1), equation(m2, b2)
    return Statement(
        question=f"Find the point of intersection of the lines {one} and {two}. Answer as (x, y).",
        multimodal_question="At which point do the two lines in the diagram meet? Answer as (x, y).",
        answer=f"({x}, {y})",
        leak=(f"({x}, {y})",),
        facts=(
            Fact("How many lines are drawn?", "2", ("1", "3", "4"), f"{one}, {two}"),
            *(
                Fact(
                    f"At which value of y does the line {equation(m, b)} cross the y-axis?",
                    str(b),
                    distractors(Random(b), b, (-3, -2, -1, 1, 2, 3)),
                    equation(m, b),
                )
                for m, b in p["lines"]
            ),
        ),
    )


def plan(p: Params) -> Plan:
    if p["kind"] == "intersection":
        one, two = (equation(m, b) for m, b in p["lines"])
        content, labels = f"The lines {one} and {two} on a grid.", "Each equation beside its line."
    else:
        a, b = p["names"]
        content = f"The points {a} and {b} and the straight line through them on a grid."
        labels = f"{a} and {b} with their coordinates, beside the points."
    return Plan(
        content=content,
        layout=f"Axes x and y from {-REACH} to {REACH}, unit grid, equal aspect.",
        labels=labels,
        constraints="Points and lines exactly where their coordinates say. The asked quantity is not written anywhere.",
    )


def draw(p: Params) -> Drawing:
    edge = REACH + 0.3
    if p["kind"] == "intersection":
        lines = [(m, b) for m, b in p["lines"]]
        points: list[tuple[int, int]] = []
        labels = _equation_labels(p)
    else:
        slope, intercept = slope_and_intercept(p)
        lines = [(float(slope), float(intercept))]
        points = [(x, y) for x, y in p["points"]]
        labels = _point_labels(p)
    code = [
        f'ax.plot([{-edge:g}, {edge:g}], [{b - m * edge:.6g}, {b + m * edge:.6g}], color="{c}", linewidth=2)'
        for (m, b), c in zip(lines, ("tab:blue", "tab:red"), strict=False)
    ]
    code += [f'ax.plot({x}, {y}, "o", color="black", markersize=7)' for x, y in points]
    head = f"""
        ax.set_position([0.07, 0.06, 0.88, 0.88])
        ax.set_aspect("equal")
        ax.set_xlim({-edge:g}, {edge:g})
        ax.set_ylim({-edge:g}, {edge:g})
        ax.set_xticks(range({-REACH}, {REACH + 1}))
        ax.set_yticks(range({-REACH}, {REACH + 1}))
        ax.tick_params(labelsize=9, length=0)
        ax.grid(color="0.88", linewidth=0.8)
        ax.spines[:].set_visible(False)
        for end in ([{edge:g}, 0], [0, {edge:g}]):
            ax.annotate("", xy=end, xytext=[-v for v in end], arrowprops=dict(arrowstyle="-|>", color="black", lw=1.2))
        ax.text({edge + 0.15:g}, 0, "x", fontsize=12, style="italic", ha="left", va="center")
        ax.text(0, {edge + 0.1:g}, "y", fontsize=12, style="italic", ha="center", va="bottom")
    """
    body = "\n".join([_dedent(head), *code])
    return Drawing(body, labels, size=(5.0, 5.0))


def _dedent(text: str) -> str:
    return "\n".join(line[8:] for line in text.strip("\n").rstrip().split("\n"))


BOX = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
HALF_CHAR, HALF_LINE = 0.115, 0.3
"""Half the width of a character and half the height of a line, in units of the grid at this figure size."""


def _beside(x: float, y: float, slope: float, side: int, text: str) -> tuple[float, float]:
    """Centre of a text that touches the line of this slope at (x, y) from one side."""
    nx, ny = -slope / math.hypot(1, slope) * side, 1 / math.hypot(1, slope) * side
    away = abs(nx) * HALF_CHAR * len(text) + abs(ny) * HALF_LINE + 0.3
    return x + nx * away, y + ny * away


def _point_labels(p: Params) -> tuple[Label, ...]:
    slope = float(slope_and_intercept(p)[0])
    labels = []
    for name, (x, y) in zip(p["names"], p["points"], strict=True):
        text = point_text(name, x, y)
        # The side towards the middle of the grid keeps the text inside; on the diagonal itself any side does.
        u, v = max((_beside(x, y, slope, side, text) for side in (1, -1)), key=lambda c: (_room(c[0], c[1], text), c))
        labels.append(Label(text, u, v, wrong=point_text(name, x, y + 2), style={"bbox": BOX}))
    return tuple(labels)


def _room(x: float, y: float, text: str) -> float:
    """How far the text stays off the frame and, less weighty, off the axes (at most 0.5)."""
    w, h = HALF_CHAR * len(text), HALF_LINE
    frame = min(REACH - abs(x) - w, REACH - abs(y) - h, 0.0)
    axes = min(abs(x) - w, abs(y) - h, 0.5)
    return 10 * frame + axes


def _equation_labels(p: Params) -> tuple[Label, ...]:
    (m1, b1), (m2, b2) = p["lines"]
    first = max(_spots(m1, b1), key=lambda s: _clearance(s, equation(m1, b1), m2, b2))
    second = max(
        _spots(m2, b2),
        key=lambda s: _clearance(s, equation(m2, b2), m1, b1) + min(0.0, math.dist(s, first) - 3) * 5,
    )
    return tuple(
        Label(equation(m, b), *spot, wrong=equation(-m, b), style={"bbox": BOX, "color": color})
        for (m, b), spot, color in zip(p["lines"], (first, second), ("tab:blue", "tab:red"), strict=True)
    )


def _spots(m: int, b: int) -> list[tuple[float, float]]:
    at = [(x / 2, m * x / 2 + b) for x in range(-2 * REACH, 2 * REACH + 1) if abs(m * x / 2 + b) <= REACH - 0.5]
    return [_beside(x, y, m, side, equation(m, b)) for x, y in at for side in (1, -1)]


def _clearance(spot: tuple[float, float], text: str, m: int, b: int) -> float:
    """How far a text stays off the other line (up to 1.2 units counts) and off frame and axes."""
    x, y = spot
    half = HALF_CHAR * len(text) * abs(m) + HALF_LINE
    off_line = (abs(m * x + b - y) - half) / math.hypot(1, m)
    return 4 * min(off_line, 1.2) + _room(x, y, text)


def distort(p: Params) -> Params:
    """The line mirrored in the y-axis, or the first of two lines falling where it should rise."""
    if p["kind"] == "intersection":
        (m, b), other = p["lines"]
        return {**p, "lines": [[-m, b], other]} if -m != other[0] else {**p, "lines": [[2 * m, -b], other]}
    (x1, y1), (x2, y2) = p["points"]
    return {**p, "points": [[x1, y2], [x2, y1]]}


QUADRANTS = {"first": (1, 1), "second": (-1, 1), "third": (-1, -1), "fourth": (1, -1)}


def glance_sample(rng: Random, answer: str) -> Params:
    sx, sy = QUADRANTS[answer]
    return {
        "x": rng.choice(EVEN),
        "y": rng.choice(EVEN),
        "dx": sx * rng.randrange(16, 29, 2),
        "dy": sy * rng.randrange(16, 29, 2),
        "color": rng.choice(COLORS[1:]),
    }


def glance_draw(p: Params) -> str:
    x, y = 48 + p["x"], 48 + p["y"]
    return glance_script(f"""
        ax.plot([0, 96], [{y}, {y}], color="black", linewidth=2)
        ax.plot([{x}, {x}], [0, 96], color="black", linewidth=2)
        ax.plot({x + p["dx"]}, {y + p["dy"]}, "o", color="{p["color"]}", markersize=12)
    """)


def solve(p: Params) -> str | float:
    """Two points by a fitted line, two lines by a linear system."""
    if p["kind"] == "intersection":
        rows = [[m, -1] for m, _ in p["lines"]]
        x, y = np.linalg.solve(rows, [-b for _, b in p["lines"]])
        return f"({round(x)}, {round(y)})"
    (x1, y1), (x2, y2) = p["points"]
    slope, intercept = np.polyfit([x1, x2], [y1, y2], 1)
    return float(slope if p["kind"] == "slope" else intercept)


FAMILY = Family(
    name="line_graph",
    subject=Subject.MATH,
    image_type=ImageType.ANALYTIC_GEOMETRY,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
    glance=Glance(
        question="In which quadrant is the point?",
        answers=tuple(QUADRANTS),
        sample=glance_sample,
        draw=glance_draw,
        content=("x", "y", "dx", "dy"),
    ),
)
