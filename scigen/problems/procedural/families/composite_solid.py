"""Math, solid geometry: cylinders, cones and hemispheres put together; volume or surface asked, hidden edges dashed."""

from __future__ import annotations

from math import asin, cos, hypot, pi, sin, sqrt
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement, distractors
from scigen.problems.procedural.placing import Point, inch_axes
from scigen.records import ImageType, Plan, Subject

SOLIDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "silo": ("a cylinder with a cone of the same radius on its top", ("cylinder", "cone up")),
    "funnel": ("a cylinder with a cone of the same radius, apex down, under it", ("cone down", "cylinder")),
    "dome": ("a cylinder with a hemisphere of the same radius on its top", ("cylinder", "hemisphere up")),
    "tube": ("a cylinder with a hemisphere of the same radius under it", ("hemisphere down", "cylinder")),
    "buoy": ("a cone, apex up, on a hemisphere of the same radius", ("hemisphere down", "cone up")),
    "cornet": ("a cone, apex down, with a hemisphere of the same radius on it", ("cone down", "hemisphere up")),
    "rocket": (
        "a cylinder with a cone on its top and a hemisphere under it, all of the same radius",
        ("hemisphere down", "cylinder", "cone up"),
    ),
    "plumb bob": (
        "a cylinder with a hemisphere on its top and a cone, apex down, under it, all of the same radius",
        ("cone down", "cylinder", "hemisphere up"),
    ),
}
"""Name: the words and the parts from below."""
SIMPLE = ("silo", "funnel", "dome", "tube", "buoy", "cornet")
COLOURS = ("#dbe9f6", "#e3f0da", "#fbe8d3", "#ece2f3", "#f6f0cf")
UNITS = ("cm", "m", "mm", "dm")
TRIPLES = (
    (3, 4),
    (4, 3),
    (5, 12),
    (6, 8),
    (8, 6),
    (8, 15),
    (9, 12),
    (12, 9),
    (15, 8),
    (12, 16),
    (15, 20),
    (7, 24),
    *((12, 5), (20, 15), (16, 12), (10, 24), (18, 24), (24, 18), (20, 21), (21, 20)),
)
"""Radius and height of cones whose slant height is whole."""
SIZE = (5.4, 4.6)
FLAT = 0.2
"""Ratio of the axes of a circle seen from the side and a little from above."""


def sample(rng: Random, difficulty: int) -> Params:
    """1: volume of two parts; 2: surface of two parts; 3: volume or surface from slant height and whole height."""
    while True:
        if difficulty == 3:
            solid = rng.choice(("silo", "funnel", "rocket", "plumb bob"))
            r, k = rng.choice(TRIPLES)
        else:
            solid = rng.choice(SIMPLE)
            r, k = rng.randint(3, 15), rng.randint(3, 24)
        h = rng.randint(3, 30)
        p: dict[str, Any] = {
            "solid": solid,
            "asked": {1: "volume", 2: "surface"}.get(difficulty) or rng.choice(("volume", "surface")),
            "given": "slant" if difficulty == 3 else "heights",
            "r": r,
            "h": h if "cylinder" in SOLIDS[solid][1] else 0,
            "k": k if "cone" in " ".join(SOLIDS[solid][1]) else 0,
            "unit": rng.choice(UNITS),
            "color": rng.choice(COLOURS),
            "side": rng.choice((-1, 1)),
        }
        parts = SOLIDS[solid][1]
        heights = [_height(p, part) for part in parts]
        values: list[float] = [
            r,
            *(v for v in (p["h"], p["k"]) if v),
            sum(heights),
            *([hypot(r, k)] if difficulty == 3 else []),
        ]
        if (
            1 <= sum(heights) / r <= 4
            and min(heights) >= 0.55 * r
            and len({round(v, 2) for v in values}) == len(values)
        ):
            return p


def _height(p: Params, part: str) -> int:
    return int(p[{"c": "k" if "cone" in part else "h", "h": "r"}[part[0]]])


def parts(p: Params) -> tuple[str, ...]:
    return SOLIDS[p["solid"]][1]


def _has(p: Params, what: str) -> bool:
    return any(part.startswith(what) for part in parts(p))


def givens(p: Params) -> list[tuple[str, str, int]]:
    """Sign, words and value of each given length."""
    whole = sum(_height(p, part) for part in parts(p))
    found = [("r", "radius", p["r"])]
    if p["given"] == "slant":
        slant = round(hypot(p["r"], p["k"]))
        return [*found, ("s", "slant height of the cone", slant), ("H", "height of the whole solid", whole)]
    if _has(p, "cylinder"):
        found.append(("h", "height of the cylinder", p["h"]))
    if _has(p, "cone"):
        found.append(("k", "height of the cone", p["k"]))
    return found


def answer_value(p: Params) -> float:
    """Volume or outer surface, by the textbook formulas, from the given lengths."""
    known = {sign: value for sign, _, value in givens(p)}
    r = known["r"]
    k = known.get("k", 0) or (sqrt(known["s"] ** 2 - r**2) if "s" in known else 0)
    h = known.get("h", 0) or (known.get("H", 0) - k - (r if _has(p, "hemisphere") else 0))
    volume = surface = 0.0
    for part in parts(p):
        match part.split()[0]:
            case "cylinder":
                volume += pi * r**2 * h
                surface += 2 * pi * r * h + (pi * r**2 if len(parts(p)) == 2 else 0)
            case "cone":
                volume += pi * r**2 * k / 3
                surface += pi * r * sqrt(r**2 + k**2)
            case _:
                volume += 2 * pi * r**3 / 3
                surface += 2 * pi * r**2
    return volume if p["asked"] == "volume" else surface


def solve(p: Params) -> float:
    """The outline is turned around the axis: Gauss's quadrature of pi r^2 dz, or of 2 pi r ds and the flat ends."""
    import numpy as np

    nodes, weights = np.polynomial.legendre.leggauss(60)
    t, w = (nodes + 1) / 2, weights / 2
    total, ends = 0.0, {"bottom": 0.0, "top": 0.0}
    r = p["r"]
    for i, part in enumerate(parts(p)):
        one = np.ones_like(t)
        if part == "cylinder":
            radius, dr, dz = r * one, 0 * one, p["h"] * one
            ends = {"bottom": r if i == 0 else ends["bottom"], "top": r}
        elif part.startswith("cone"):
            radius, dr, dz = r * t, r * one, p["k"] * one
        else:
            radius, dr, dz = r * np.cos(pi / 2 * t), -r * pi / 2 * np.sin(pi / 2 * t), r * pi / 2 * np.cos(pi / 2 * t)
        if part.endswith("up"):
            ends["top"] = 0.0
        if p["asked"] == "volume":
            total += float(np.sum(w * pi * radius**2 * dz))
        else:
            total += float(np.sum(w * 2 * pi * radius * np.hypot(dr, dz)))
    return total if p["asked"] == "volume" else total + pi * (ends["bottom"] ** 2 + ends["top"] ** 2)


def state(p: Params) -> Statement:
    unit = p["unit"]
    listed = ", ".join(f"{words} {sign} = {value} {unit}" for sign, words, value in givens(p))
    power, sign = ("³", "V") if p["asked"] == "volume" else ("²", "S")
    what = "volume" if p["asked"] == "volume" else "total outer surface area"
    want = f"Find the {what} of the solid in {unit}{power} to one decimal place."
    answer = f"{answer_value(p):.1f}"
    facts = [
        Fact(
            f"What is the {words}?",
            f"{value} {unit}",
            _with_unit(p, value),
            f"{sign} = {value} {unit}",
        )
        for sign, words, value in givens(p)
    ]
    names = [part.split()[0] for part in parts(p)]
    lowest, highest = names[0], names[-1]
    facts.append(Fact("Which body is the lowest part of the solid?", *_bodies(lowest), f"{lowest} below"))
    if len(names) == 2:
        facts.append(Fact("Which body is the highest part of the solid?", *_bodies(highest), f"{highest} above"))
    return Statement(
        question=f"A solid is {SOLIDS[p['solid']][0]}: {listed}. {want}",
        multimodal_question=want,
        answer=answer,
        leak=(f"{sign} = {answer} {unit}{power}", f"{answer} {unit}{power}"),
        facts=tuple(facts),
    )


def _with_unit(p: Params, value: int) -> tuple[str, str, str]:
    others = [v for _, _, v in givens(p)]
    steps = [step for step in (-2, -1, 1, 2, 3, 4, 5, 6, 7) if value + step not in others]
    first, second, third = distractors(Random(value), value, steps, 0)
    return f"{first} {p['unit']}", f"{second} {p['unit']}", f"{third} {p['unit']}"


def _bodies(right: str) -> tuple[str, tuple[str, str, str]]:
    first, second, third = (b for b in ("cylinder", "cone", "hemisphere", "pyramid") if b != right)
    return right, (first, second, third)


def plan(p: Params) -> Plan:
    asked = "volume" if p["asked"] == "volume" else "surface area"
    return Plan(
        content=f"A solid: {SOLIDS[p['solid']][0]}.",
        layout="Axis upright as a chain line, seen from the side and a little from above; circles as flat ellipses, "
        "their hidden halves dashed, all else solid.",
        labels="Dimension arrows beside the solid with "
        + ", ".join(f"{sign} = {value} {p['unit']}" for sign, _, value in givens(p))
        + "; the slant height, if given, along the edge of the cone.",
        constraints=f"Lengths to scale, equal aspect. The {asked} is asked and must not be shown.",
    )


def draw(p: Params) -> Drawing:
    heights = [_height(p, part) * p.get("stretch", {}).get(part[0], 1) for part in parts(p)]
    below = FLAT * p["r"] if parts(p)[0] == "cylinder" else 0.0
    above = FLAT * p["r"] if parts(p)[-1] == "cylinder" else 0.0
    unit = min(3.45 / (sum(heights) + below + above), 2.5 / (2 * p["r"]))
    r, side = p["r"] * unit, p["side"]
    ys = [0.0]
    for height in heights:
        ys.append(ys[-1] + height * unit)
    shift = SIZE[1] / 2 + 0.3 - (ys[-1] + above * unit - below * unit) / 2
    ys = [y + shift for y in ys]
    x = SIZE[0] / 2 + side * (0.2 if p["given"] == "slant" else -0.45)
    code = [
        inch_axes(*SIZE),
        f'x, r, flat, ink, fill = {x:.4g}, {r:.4g}, {FLAT * r:.4g}, "black", "{p["color"]}"',
        "t = np.linspace(0, np.pi, 90)",
    ]
    for part, y1, y2 in zip(parts(p), ys, ys[1:], strict=False):
        code += _part(part, y1, y2, r)
    for i, y in enumerate(ys):
        if 0 < i < len(parts(p)) or (i == 0 and parts(p)[0] == "cylinder") or (i and parts(p)[-1] == "cylinder"):
            top = i == len(parts(p))
            code.append(f"ax.plot(x + r * np.cos(t), {y:.4g} - flat * np.sin(t), color=ink, linewidth=1.8)")
            back = "linewidth=1.8" if top else "linewidth=1.1, linestyle=(0, (5, 3))"
            code.append(f"ax.plot(x + r * np.cos(t), {y:.4g} + flat * np.sin(t), color=ink, {back})")
    code.append(
        f"ax.plot([x, x], [{ys[0] - below * unit - 0.1:.4g}, {ys[-1] + above * unit + 0.15:.4g}], "
        'color="0.4", linewidth=0.9, linestyle="-.")'
    )
    labels = _dimensions(p, code, x, r, ys, below * unit)
    return Drawing("\n".join(code), tuple(labels), SIZE)


def _part(part: str, y1: float, y2: float, r: float) -> list[str]:
    """Source of one part's fill and outline."""
    y1, y2 = round(y1, 3), round(y2, 3)
    if part == "cylinder":
        return [
            f"ax.fill_between(x + r * np.cos(t), {y1} - flat * np.sin(t), {y2} + flat * np.sin(t), color=fill, lw=0)",
            f"ax.plot([x - r, x - r], [{y1}, {y2}], color=ink, linewidth=1.8)",
            f"ax.plot([x + r, x + r], [{y1}, {y2}], color=ink, linewidth=1.8)",
        ]
    up = part.endswith("up")
    base, end, sign = (y1, y2, 1) if up else (y2, y1, -1)
    if part.startswith("cone"):
        touch = asin(min(1.0, FLAT * r / (y2 - y1)))
        tx, ty = r * cos(touch), base + sign * FLAT * r * sin(touch)
        return [
            f"ax.fill([x - r, x, x + r], [{base}, {end}, {base}], color=fill, linewidth=0)",
            f"ax.fill_between(x + r * np.cos(t), {base} - flat * np.sin(t), {base} + flat * np.sin(t), "
            "color=fill, lw=0)",
            f"ax.plot([x - {tx:.4g}, x, x + {tx:.4g}], [{ty:.4g}, {end}, {ty:.4g}], color=ink, linewidth=1.8)",
        ]
    return [
        f"ax.fill_between(x + r * np.cos(t), {base} - {sign} * flat * np.sin(t), {base} + {sign} * r * np.sin(t), "
        "color=fill, lw=0)",
        f"ax.plot(x + r * np.cos(t), {base} + {sign} * r * np.sin(t), color=ink, linewidth=1.8)",
    ]


def _dimensions(p: Params, code: list[str], x: float, r: float, ys: list[float], below: float) -> list[Label]:
    """Adds the dimension arrows to `code` and gives their labels."""
    unit, side = p["unit"], p["side"]
    values = {sign: value for sign, _, value in givens(p)}
    where: list[tuple[str, Point, Point, Point, str]] = []
    foot = ys[0] - below - 0.38
    where.append(("r", (x, foot), (x + side * r, foot), (x + side * r / 2, foot - 0.2), "center"))
    for i, part in enumerate(parts(p)):
        sign = {"cylinder": "h", "cone": "k"}.get(part.split()[0])
        if sign in values:
            at = x + side * (r + 0.35)
            middle = (ys[i] + ys[i + 1]) / 2
            where.append((sign, (at, ys[i]), (at, ys[i + 1]), (at + side * 0.14, middle), _align(side)))
        if sign == "k" and "s" in values:
            apex, rim = (ys[i + 1], ys[i]) if part.endswith("up") else (ys[i], ys[i + 1])
            away = 0.16
            length = hypot(r, apex - rim)
            nx, ny = side * abs(apex - rim) / length * away, (1 if apex > rim else -1) * r / length * away
            a, b = (x + nx, apex + ny), (x + side * r + nx, rim + ny)
            tag = ((a[0] + b[0]) / 2 + side * 0.1, (a[1] + b[1]) / 2 + ny * 0.9)
            where.append(("s", a, b, tag, _align(side)))
    if "H" in values:
        at = x - side * (r + 0.35)
        where.append(("H", (at, ys[0]), (at, ys[-1]), (at - side * 0.14, (ys[0] + ys[-1]) / 2), _align(-side)))
    labels = []
    for sign, (ax, ay), (bx, by), (lx, ly), align in where:
        code.append(
            f'ax.annotate("", xy=({ax:.4g}, {ay:.4g}), xytext=({bx:.4g}, {by:.4g}), arrowprops=dict('
            'arrowstyle="<|-|>", color="black", linewidth=1.1, shrinkA=0, shrinkB=0, mutation_scale=11))'
        )
        if sign != "s":
            ends = [(ax, ay), (bx, by)]
            for ex, ey in ends:
                if sign == "r":
                    code.append(_thin((ex, ey - 0.06), (ex, ys[0] if ex != x else ys[0] - below)))
                else:
                    inside = x if _pointed(p, ey, ys) else x + (r if ex > x else -r)
                    code.append(_thin((ex + (0.06 if ex > x else -0.06), ey), (inside, ey)))
        wrong = values[sign] + next(d for d in (3, 4, 5, 6) if values[sign] + d not in values.values())
        labels.append(
            Label(f"${sign}$ = {values[sign]} {unit}", lx, ly, wrong=f"${sign}$ = {wrong} {unit}", style={"ha": align})
        )
    return labels


def _pointed(p: Params, y: float, ys: list[float]) -> bool:
    """Whether the solid has only its axis at this end, an apex or a pole."""
    return (y == ys[0] and parts(p)[0].endswith("down")) or (y == ys[-1] and parts(p)[-1].endswith("up"))


def _thin(a: Point, b: Point) -> str:
    return (
        f"ax.plot([{a[0]:.4g}, {b[0]:.4g}], [{a[1]:.4g}, {b[1]:.4g}], "
        'color="0.55", linewidth=0.8, linestyle=":", zorder=1)'
    )


def _align(side: float) -> str:
    return "left" if side > 0 else "right"


def distort(p: Params) -> dict[str, Any]:
    """One part is drawn much too tall or too flat."""
    tall = "c" if _has(p, "c") else "h"
    return {**p, "stretch": {tall: 0.45 if _height(p, parts(p)[-1]) > p["r"] else 1.9}}


FAMILY = Family(
    name="composite_solid",
    subject=Subject.MATH,
    image_type=ImageType.SOLID_GEOMETRIC,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
