"""Math, analytic geometry: a circle, an ellipse or a parabola on a grid; foci, chords, tangents and areas asked."""

from __future__ import annotations

from math import atan2, cos, hypot, pi, sin, sqrt
from random import Random
from typing import Any

from scigen.problems.procedural.coordinate_grid import CoordinateGrid
from scigen.problems.procedural.family import (
    Drawing,
    Fact,
    Family,
    Label,
    Params,
    Statement,
    distractors,
)
from scigen.problems.procedural.placing import Page, Point
from scigen.records import ImageType, Plan, Subject

LEVELS = {
    1: ("circle radius", "ellipse foci", "parabola focus"),
    2: ("circle chord", "ellipse perimeter", "parabola chord"),
    3: ("circle tangent", "ellipse triangle", "parabola triangle"),
}
COLOURS = ("tab:blue", "tab:purple", "tab:green", "tab:red")
NAMES = ("ABCP", "KLMQ", "STUV", "DEGH")
REACH = 8
"""The grid runs from -REACH to REACH on both axes."""
SIDE = 5.0
"""Inches of the square figure."""
GRID = CoordinateGrid(REACH, SIDE)


def sample(rng: Random, difficulty: int) -> Params:
    """1: one property; 2: a chord or a focal triangle; 3: a tangent or the area of a triangle."""
    while True:
        p: dict[str, Any] = {
            "kind": rng.choice(LEVELS[difficulty]),
            "names": rng.choice(NAMES),
            "color": rng.choice(COLOURS),
            **{k: rng.randint(-4, 4) for k in ("x0", "y0")},
        }
        curve = p["kind"].split()[0]
        if curve == "circle":
            p |= {"dx": rng.randint(-5, 5), "dy": rng.randint(-5, 5)}
            r = hypot(p["dx"], p["dy"])
            fits = 2.8 <= r <= 6.5 and max(abs(p["x0"]), abs(p["y0"])) + r <= REACH and p["dx"] and p["dy"]
        elif curve == "ellipse":
            p |= {"a": rng.randint(2, 7), "b": rng.randint(2, 7)}
            fits = abs(p["a"] - p["b"]) >= 2 and abs(p["x0"]) + p["a"] <= 7 and abs(p["y0"]) + p["b"] <= 7
        else:
            p |= {"dx": rng.choice([-4, -3, -2, 2, 3, 4]), "dy": rng.choice([-6, -5, -4, -3, -2, 2, 3, 4, 5, 6])}
            far = abs(p["x0"] + p["dx"]) <= 7 and abs(p["y0"] + p["dy"]) <= 7
            fits = far and abs(p["dy"]) / p["dx"] ** 2 >= 0.2 and abs(p["y0"]) >= 1 and p["x0"] != 0
        if not fits:
            continue
        if p["kind"] in ("circle chord", "parabola chord", "parabola triangle"):
            p |= {"m": rng.choice([-2, -1, 0, 1, 2]), "c": rng.randint(-6, 6)}
            ends = crossings(p)
            if len(ends) < 2 or hypot(ends[0][0] - ends[1][0], ends[0][1] - ends[1][1]) < 2.5 or not p["c"]:
                continue
            if curve == "circle" and distance(p) < 0.3:
                continue
            if p["kind"] == "parabola triangle" and area(p["x0"], p["y0"], ends) < 2:
                continue
            if max(abs(v) for end in ends for v in end) > 7.2:
                continue
        if p["kind"] == "ellipse triangle":
            wide = p["a"] > p["b"]
            p |= {"t": rng.choice([-1, 1]) * rng.randint(1, max(1, (p["a"] if wide else p["b"]) - 1))}
        if p["kind"] == "circle tangent" and (abs(tangent_foot(p)) > 40 or p["y0"] == -p["dy"]):
            continue
        if not _tidy(p):
            continue
        if answer_text(p) not in [str(abs(v)) for v in p.values() if isinstance(v, int)]:
            return p


def crossings(p: Params) -> list[Point]:
    """Points of the curve on the line y = m x + c, by the quadratic formula."""
    x0, y0, m, c = p["x0"], p["y0"], p["m"], p["c"]
    if p["kind"].startswith("circle"):
        q = (1 + m * m, 2 * (m * (c - y0) - x0), x0**2 + (c - y0) ** 2 - p["dx"] ** 2 - p["dy"] ** 2)
    else:
        k = p["dy"] / p["dx"] ** 2
        q = (k, -2 * k * x0 - m, k * x0**2 + y0 - c)
    root = q[1] ** 2 - 4 * q[0] * q[2]
    if root <= 0:
        return []
    return [(x, m * x + c) for s in (-1, 1) for x in [(-q[1] + s * sqrt(root)) / (2 * q[0])]]


def distance(p: Params) -> float:
    """Of the centre from the line."""
    return float(abs(p["m"] * p["x0"] - p["y0"] + p["c"]) / hypot(p["m"], 1))


def area(x: float, y: float, ends: list[Point]) -> float:
    (ax, ay), (bx, by) = ends
    return abs((ax - x) * (by - y) - (bx - x) * (ay - y)) / 2


def tangent_foot(p: Params) -> float:
    """Where the tangent at the marked point of the circle meets the x-axis."""
    return float(p["x0"] + p["dx"] + p["dy"] * (p["y0"] + p["dy"]) / p["dx"])


def answer_value(p: Params) -> float:
    match p["kind"]:
        case "circle radius":
            return hypot(p["dx"], p["dy"])
        case "ellipse foci":
            return 2 * sqrt(abs(p["a"] ** 2 - p["b"] ** 2))
        case "parabola focus":
            return float(p["dx"] ** 2 / abs(4 * p["dy"]))
        case "circle chord":
            return 2 * sqrt(p["dx"] ** 2 + p["dy"] ** 2 - distance(p) ** 2)
        case "ellipse perimeter":
            return float(2 * max(p["a"], p["b"]) + 2 * sqrt(abs(p["a"] ** 2 - p["b"] ** 2)))
        case "parabola chord":
            (ax, ay), (bx, by) = crossings(p)
            return hypot(ax - bx, ay - by)
        case "circle tangent":
            return tangent_foot(p)
        case "ellipse triangle":
            long, short = max(p["a"], p["b"]), min(p["a"], p["b"])
            return float(sqrt(long**2 - short**2) * short * sqrt(1 - p["t"] ** 2 / long**2))
        case _:
            return area(p["x0"], p["y0"], crossings(p))


def answer_text(p: Params) -> str:
    text = f"{answer_value(p):.2f}"
    return "0.00" if text == "-0.00" else text


def solve(p: Params) -> float:
    """Numerically from definitions: equal distances for foci, roots of the substituted polynomial for chords."""
    import numpy as np
    from scipy.optimize import brentq

    x0, y0 = p["x0"], p["y0"]
    if p["kind"].startswith("ellipse"):
        long, short = max(p["a"], p["b"]), min(p["a"], p["b"])
        focus = brentq(lambda f: 2 * hypot(f, short) - (long + f) - (long - f), 0, long, xtol=1e-13)
        if p["kind"] == "ellipse foci":
            return float(2 * focus)
        if p["kind"] == "ellipse perimeter":
            return float(hypot(focus, short) * 2 + 2 * focus)
        t = p["t"]
        height = brentq(lambda y: hypot(t - focus, y) + hypot(t + focus, y) - 2 * long, 0, short, xtol=1e-13)
        return float(2 * focus * height / 2)
    if p["kind"] == "circle radius":
        return float(abs(complex(p["dx"], p["dy"])))
    if p["kind"] == "parabola focus":
        return float(brentq(lambda f: hypot(p["dx"], abs(p["dy"]) - f) - abs(p["dy"]) - f, 1e-9, 50, xtol=1e-13))
    if p["kind"] == "circle tangent":
        px, py = x0 + p["dx"], y0 + p["dy"]
        return float(np.linalg.solve([[p["dx"], p["dy"]], [0, 1]], [p["dx"] * px + p["dy"] * py, 0])[0])
    line = np.polynomial.Polynomial([p["c"], p["m"]])
    x = np.polynomial.Polynomial([-x0, 1])
    if p["kind"].startswith("circle"):
        roots = (x**2 + (line - y0) ** 2 - (p["dx"] ** 2 + p["dy"] ** 2)).roots()
    else:
        roots = (x**2 * (p["dy"] / p["dx"] ** 2) + y0 - line).roots()
    a, b = (np.array([r, line(r)]) for r in np.real(roots))
    if p["kind"].endswith("chord"):
        return float(np.linalg.norm(a - b))
    return float(abs(np.linalg.det(np.array([[*a, 1], [*b, 1], [x0, y0, 1]]))) / 2)


def marked(p: Params) -> list[tuple[str, float, float]]:
    """The points with coordinates that the problem gives: name, x, y."""
    x0, y0, names = p["x0"], p["y0"], p["names"]
    if p["kind"].startswith("ellipse"):
        return [(names[0], x0 + p["a"], y0), (names[1], x0, y0 + p["b"]), (names[2], x0, y0)]
    return [(names[2], x0, y0), (names[3], x0 + p["dx"], y0 + p["dy"])]


def equation(p: Params) -> str:
    m, c = p["m"], p["c"]
    if m == 0:
        return f"y = {c}".replace("-", "−")
    slope = {1: "x", -1: "−x"}.get(m, f"{m}x".replace("-", "−"))
    return f"y = {slope} {'+' if c > 0 else '−'} {abs(c)}"


def _point(name: str, x: float, y: float) -> str:
    return f"{name}({x:g}, {y:g})".replace("-", "−")


def words(p: Params) -> tuple[str, str]:
    """The given part of the problem, and what is asked."""
    points = marked(p)
    texts = [_point(*q) for q in points]
    kind = p["kind"]
    if kind.startswith("ellipse"):
        given = f"An ellipse with axes parallel to the coordinate axes has the centre {texts[2]} and the vertices "
        given += f"{texts[0]} and {texts[1]}."
    elif kind.startswith("circle"):
        given = f"A circle with the centre {texts[0]} passes through {texts[1]}."
    else:
        given = f"A parabola with its axis parallel to the y-axis has the vertex {texts[0]} and passes through "
        given += f"{texts[1]}."
    if "m" in p:
        given += f" The line {equation(p)} cuts it in two points."
    vertex = points[0][0]
    end = points[1][0]
    upper = p["names"][1]
    asked = {
        "circle radius": "the radius of the circle",
        "ellipse foci": "the distance between the two foci of the ellipse",
        "parabola focus": f"the distance from the vertex {vertex} of the parabola to its focus",
        "circle chord": "the length of the chord that the line cuts off",
        "ellipse perimeter": "the perimeter of the triangle formed by the two foci of the ellipse and "
        f"{upper if p.get('a', 0) > p.get('b', 0) else p['names'][0]}",
        "parabola chord": "the distance between the two points where the line meets the parabola",
        "circle tangent": f"the x-coordinate of the point where the tangent to the circle at {end} meets the x-axis",
        "ellipse triangle": "the area of the triangle formed by the two foci of the ellipse and a point of the "
        f"ellipse whose distance from the minor axis is {abs(p.get('t', 0))}",
        "parabola triangle": f"the area of the triangle formed by the vertex {vertex} and the two points where the "
        "line meets the parabola",
    }[kind]
    return given, asked


def state(p: Params) -> Statement:
    given, asked = words(p)
    want = f"Find {asked}, to two decimal places."
    answer = answer_text(p)
    facts = [_point_fact(*q) for q in marked(p)[:2]]
    curve = p["kind"].split()[0]
    first, second, third = (c for c in ("circle", "ellipse", "parabola", "hyperbola") if c != curve)
    facts.append(Fact("Which curve is drawn?", curve, (first, second, third), f"a {curve}"))
    if "m" in p:
        facts.append(
            Fact(
                "At which value of y does the straight line cross the y-axis?",
                str(p["c"]),
                distractors(Random(p["c"]), p["c"], (-3, -2, -1, 1, 2, 3), 0),
                equation(p),
            )
        )
    shown = answer.replace("-", "−")
    return Statement(
        question=f"{given} {want}",
        multimodal_question=want,
        answer=answer,
        leak=(f"answer = {shown}", shown),
        facts=tuple(facts),
    )


def _point_fact(name: str, x: float, y: float) -> Fact:
    wrong = dict.fromkeys((u, v) for u, v in ((y, x), (-x, y), (x, y + 1), (x + 1, y), (x - 1, y - 1)))
    wrong.pop((x, y), None)
    first, second, third = (f"({u:g}, {v:g})" for u, v in list(wrong)[:3])
    return Fact(f"What are the coordinates of {name}?", f"({x:g}, {y:g})", (first, second, third), _point(name, x, y))


def plan(p: Params) -> Plan:
    given, asked = words(p)
    line = f", and {equation(p)} beside the line" if "m" in p else ""
    return Plan(
        content=given,
        layout=f"Axes x and y from {-REACH} to {REACH} with arrows, unit grid, equal aspect; curve drawn exactly.",
        labels="Each given point as a dot with its name and coordinates" + line + ".",
        constraints=f"Points lie where their coordinates say. What is asked, {asked}, must not be shown; foci, tangent "
        "and triangle are not drawn.",
    )


def _curve(p: Params) -> list[Point]:
    """The curve as a fine polyline in the grid's coordinates, within the grid."""
    x0, y0 = p["x0"], p["y0"]
    squash = p.get("squash", 1.0)
    if p["kind"].startswith("parabola"):
        k = p["dy"] / p["dx"] ** 2 * squash
        xs = [x0 - 12 + i * 0.1 for i in range(241)]
        return [(x, y) for x in xs for y in [y0 + k * (x - x0) ** 2] if max(abs(x), abs(y)) <= REACH]
    a, b = (p["a"], p["b"]) if "a" in p else (hypot(p["dx"], p["dy"]),) * 2
    return [(x0 + a * cos(t), y0 + b * squash * sin(t)) for i in range(121) for t in [i * pi / 60]]


def _ends(p: Params) -> tuple[Point, Point]:
    """Where the line leaves the grid."""
    m, c = p["m"], p["c"]
    at = sorted([(x, m * x + c) for x in (-REACH, REACH)] + [((y - c) / m, y) for y in (-REACH, REACH) if m])
    inside = [q for q in at if max(abs(v) for v in q) <= REACH + 1e-9]
    return inside[0], inside[-1]


def _places(p: Params) -> list[tuple[str, Point, float]]:
    """Each given text, its centre in inches, and the air around it."""
    page = Page(SIDE, SIDE, 0.3)
    page.line(*(GRID.inch(*q) for q in _curve(p)))
    for end in ((REACH, 0.0), (0.0, REACH)):
        page.line(GRID.inch(-end[0], -end[1]), GRID.inch(*end))
    if "m" in p:
        page.line(*(GRID.inch(*q) for q in _ends(p)))
    dots = [GRID.inch(x, y) for _, x, y in marked(p)]
    for x, y in dots:
        page.line((x - 0.04, y - 0.04), (x + 0.04, y + 0.04))
    found = []
    for (name, x, y), dot in zip(marked(p), dots, strict=True):
        text = _point(name, x, y)
        _, place = page.spot(text, dot, 0.09, 11, atan2(y - p["y0"], x - p["x0"]), 5)
        found.append((text, place, page.clearance(text, *place, 11)))
        page.text(text, *place, 11)
    if "m" in p:
        (ax, ay), (bx, by) = _ends(p)
        along = [(ax + (bx - ax) * f, ay + (by - ay) * f) for f in (0.06, 0.94, 0.12, 0.88, 0.2, 0.8)]
        _, place = max(page.spot(equation(p), GRID.inch(*q), 0.08, 11) for q in along)
        found.append((equation(p), place, page.clearance(equation(p), *place, 11)))
    return found


def _tidy(p: Params) -> bool:
    return min(air for _, _, air in _places(p)) > 0.04


def draw(p: Params) -> Drawing:
    marks = "".join(f'\nax.plot({x:g}, {y:g}, "o", color="black", markersize=6, zorder=3)' for _, x, y in marked(p))
    body = f"{GRID.code()}{_curve_code(p)}{marks}\n"
    if "m" in p:
        (ax, ay), (bx, by) = _ends(p)
        body += f'ax.plot([{ax:.5g}, {bx:.5g}], [{ay:.5g}, {by:.5g}], color="tab:orange", linewidth=1.8)\n'
    places = _places({**p, "squash": 1.0})
    texts = [text for text, _, _ in places]
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    labels: list[Label] = []
    for (name, x, y), (text, place, _) in zip(marked(p), places, strict=False):
        wrong = next(t for d in (2, 3, -2, -3) for t in [_point(name, x, y + d)] if t not in texts)
        labels.append(Label(text, *GRID.back(*place), wrong=wrong, style={"fontsize": 11, "bbox": box}))
    if "m" in p:
        other = equation({**p, "c": p["c"] + 3 if p["c"] != -3 else 2})
        style = {"fontsize": 11, "color": "#b35900", "bbox": box}
        labels.append(Label(equation(p), *GRID.back(*places[-1][1]), wrong=other, style=style))
    return Drawing(body, tuple(labels), (SIDE, SIDE))


def _curve_code(p: Params) -> str:
    x0, y0, squash = p["x0"], p["y0"], p.get("squash", 1.0)
    end = f', color="{p["color"]}", linewidth=2)'
    if p["kind"].startswith("parabola"):
        k = p["dy"] / p["dx"] ** 2 * squash
        xs = [x for x, _ in _curve(p)]
        return f"x = np.linspace({min(xs):.5g}, {max(xs):.5g}, 300)\nax.plot(x, {y0} + {k:.6g} * (x - {x0}) ** 2{end}"
    a, b = (p["a"], p["b"]) if "a" in p else (hypot(p["dx"], p["dy"]),) * 2
    return (
        "t = np.linspace(0, 2 * np.pi, 300)\n"
        f"ax.plot({x0} + {a:.6g} * np.cos(t), {y0} + {b * squash:.6g} * np.sin(t){end}"
    )


def distort(p: Params) -> dict[str, Any]:
    """The curve is pressed flat, so that it misses the marked points."""
    return {**p, "squash": 0.55}


FAMILY = Family(
    name="conic_section",
    subject=Subject.MATH,
    image_type=ImageType.ANALYTIC_GEOMETRY,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
