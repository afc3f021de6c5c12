"""Physics, optics: refraction at a boundary, through layers and through a prism; an angle or an index asked."""

from __future__ import annotations

from itertools import pairwise
from math import asin, cos, degrees, radians, sin
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement
from scigen.problems.procedural.rays import Point, figure, turned
from scigen.records import ImageType, Plan, Subject

CASES = {1: ("angle",), 2: ("index", "critical"), 3: ("layers", "prism")}
ASKED = {
    "angle": "angle of refraction",
    "index": "refractive index of the second medium",
    "critical": "critical angle",
    "layers": "angle of refraction in the third medium",
    "prism": "angle of emergence from the prism",
}


def sample(rng: Random, difficulty: int) -> Params:
    """Angles of 15 to 75 degrees, so that each can be marked; bends of at least 4 degrees, so that each can be seen."""
    case = rng.choice(CASES[difficulty])
    while True:
        n = [
            rng.choice([1.0, *(rng.randint(130, 190) / 100 for _ in range(3))])
            for _ in range(3 if case == "layers" else 2)
        ]
        p: dict[str, Any] = {
            "case": case,
            "n": [1.0, rng.randint(140, 190) / 100] if case == "prism" else n,
            "theta": rng.randint(25, 68),
            "apex": rng.randint(35, 65) if case == "prism" else 0,
            "side": rng.choice([1, -1]),
            "up": rng.choice([False, True]) if case != "prism" else False,
            "bent": 1,
        }
        if case == "critical":
            if n[0] <= n[1] + 0.1:
                continue
            p["theta"] = round(degrees(asin(n[1] / n[0])), 1)
            if 30 <= p["theta"] <= 70:
                return p
            continue
        angles = inner(p)
        if angles is None or not all(15 <= a <= 75 for a in angles if case != "prism"):
            continue
        if case == "prism":
            r1, r2, out = angles
            if min(r1, r2) < 8 or not 18 <= out <= 70 or abs(out - p["theta"]) < 2:
                continue
            if p["theta"] - p["apex"] in (0, -16, 18):  # a told angle and a planted wrong one would be the same
                continue
        elif any(abs(a - b) < 4 for a, b in pairwise([p["theta"], *angles])):
            continue
        if case == "index":
            p["second"] = round(angles[0], 1)
            if p["second"] < 25:
                continue
        if float(result(p)[1]) not in {p["theta"], p["apex"], *p["n"][: 1 if case == "index" else 3]}:
            return p


def bend(angle: float, first: float, second: float) -> float | None:
    """Snell's law in degrees; None where the light is totally reflected."""
    s = first * sin(radians(angle)) / second
    return degrees(asin(s)) if abs(s) < 0.999 else None


def inner(p: Params) -> list[float] | None:
    """The angles after the angle of incidence, to the normals; None where the light does not come through."""
    n = p["n"]
    first = bend(p["theta"], n[0], n[1])
    if first is None or p["case"] in ("angle", "index"):
        return None if first is None else [first]
    if p["case"] == "layers":
        second = bend(first, n[1], n[2])
        return None if second is None else [first, second]
    rest = p["apex"] - first
    out = bend(rest, n[1], n[0])
    return None if out is None else [first, rest, out]


def result(p: Params) -> tuple[str, str, str]:
    """Symbol, value and unit of what is asked; an index to two decimals, an angle to one."""
    n = p["n"]
    if p["case"] == "critical":
        return r"\theta_c", f"{degrees(asin(n[1] / n[0])):.1f}", "°"
    if p["case"] == "index":
        return "n_2", f"{n[0] * sin(radians(p['theta'])) / sin(radians(p['second'])):.2f}", ""
    angles = inner(p)
    assert angles is not None
    symbol = {"angle": r"\theta_2", "layers": r"\theta_3", "prism": r"\theta_2"}[p["case"]]
    return symbol, f"{angles[-1]:.1f}", "°"


def solve(p: Params) -> float:
    """Vectors: the ray's direction is broken at each face in turn (Heckbert's form); roots of that where needed."""
    import numpy as np
    from scipy.optimize import brentq

    def through(ray: Any, normal: Any, ratio: float) -> Any:
        c = -float(ray @ normal)
        return ratio * ray + (ratio * c - (1 - ratio**2 * (1 - c**2)) ** 0.5) * normal

    def between(ray: Any, normal: Any) -> float:
        return float(np.degrees(np.arccos(min(1.0, abs(float(ray @ normal))))))

    up, n = np.array([0.0, 1.0]), p["n"]
    t = radians(p["theta"])
    ray = np.array([sin(t), -cos(t)])
    match p["case"]:
        case "critical":
            return float(brentq(lambda a: n[0] ** 2 * (1 - cos(radians(a)) ** 2) - n[1] ** 2, 1, 89))
        case "index":
            seen = p["second"]
            return float(brentq(lambda m: between(through(ray, up, n[0] / m), up) - seen, n[0] * sin(t) + 1e-9, 4))
        case "prism":
            half = radians(p["apex"] / 2)
            left, right = np.array([-cos(half), sin(half)]), np.array([cos(half), sin(half)])
            turn = np.array([[cos(t), -sin(t)], [sin(t), cos(t)]])
            inside = through(turn @ -left, left, n[0] / n[1])
            return between(through(inside, -right, n[1] / n[0]), right)
        case _:
            for a, b in pairwise(n):
                ray = through(ray, up, a / b)
            return between(ray, up)


def told(p: Params) -> dict[str, str]:
    """What is given, as words of the problem: name to value."""
    n, names = p["n"], ("first", "second", "third")
    if p["case"] == "prism":
        given = {"refractive index of the prism": f"{n[1]:.2f}", "apex angle of the prism": f"{p['apex']}°"}
    else:
        shown = n[:1] if p["case"] == "index" else n
        given = {f"refractive index of the {w} medium": f"{x:.2f}" for w, x in zip(names, shown, strict=False)}
    if p["case"] != "critical":
        given["angle of incidence"] = f"{p['theta']}°"
    if p["case"] == "index":
        given["angle of refraction"] = f"{p['second']:.1f}°"
    return given


def state(p: Params) -> Statement:
    symbol, value, unit = result(p)
    given = told(p)
    story = {
        "angle": "Light goes from a first medium into a second one.",
        "index": "Light goes from a first medium into a second one.",
        "critical": "Light in a first medium meets the boundary to a second one so that it just grazes the boundary.",
        "layers": "Light goes through three media whose boundaries are parallel.",
        "prism": "Light goes through a prism in air (refractive index 1.00).",
    }[p["case"]]
    want = f"Find the {ASKED[p['case']]}" + (
        ", to two decimal places." if p["case"] == "index" else " in degrees, to one decimal place."
    )
    facts = []
    for name, text in list(given.items())[:3]:
        x, mark = (float(text[:-1]), "°") if text.endswith("°") else (float(text), "")
        steps = (6, 13, 21) if mark else (0.08, 0.17, 0.33)
        places = len(text.rstrip("°").partition(".")[2])
        a, b, c = (f"{x + step:.{places}f}{mark}" for step in steps)
        facts.append(Fact(f"What is the {name}?", text, (a, b, c), f"{name}: {text}"))
    if p["case"] in ("angle", "critical"):
        up, s = p["up"], p["side"]
        way = f"from {'below' if up else 'above'}, on the {'left' if s > 0 else 'right'}"
        others = [
            f"from {v}, on the {h}"
            for v in ("above", "below")
            for h in ("left", "right")
            if f"from {v}, on the {h}" != way
        ]
        facts.append(Fact("Where does the light come from?", way, (others[0], others[1], others[2]), "the first arrow"))
    values = ", ".join(f"the {k} is {v}" for k, v in given.items())
    return Statement(
        question=f"{story} Given: {values}. {want}",
        multimodal_question=f"The figure shows the path of a ray of light. {want}",
        answer=value,
        leak=(f"${symbol}$ = {value}{unit}", f"{value}{unit}"),
        facts=tuple(facts),
    )


def plan(p: Params) -> Plan:
    shape = {"prism": "a prism with a level base", "layers": "three media, one above the other"}
    return Plan(
        content=f"{shape.get(p['case'], 'Two media with a level boundary').capitalize()}, a ray with arrow heads, "
        "the normals where it meets a face.",
        layout=f"The ray comes from the {'left' if p['side'] > 0 else 'right'}{' below' if p['up'] else ''}; normals "
        "dashed, angles marked by arcs between ray and normal, all angles true.",
        labels="; ".join(f"{k} {v}" for k, v in told(p).items()) + "; each in its medium or at its arc.",
        constraints="Snell's law holds at every face: towards the normal into the denser medium. The "
        f"{ASKED[p['case']]} is asked and its value must not be shown.",
    )


def draw(p: Params) -> Drawing:
    return draw_prism(p) if p["case"] == "prism" else draw_media(p)


def draw_media(p: Params) -> Drawing:
    """Level boundaries; everything is made for light from above on the left and mirrored at the end."""
    case, n, s, v = p["case"], p["n"], p["side"], -1 if p["up"] else 1
    levels = [0.95, -0.95] if case == "layers" else [0.0]
    angles = [float(p["theta"])]
    if case == "critical":
        angles.append(90.0 if p["bent"] > 0 else 125.0)
    else:
        found = inner(p)
        assert found is not None
        angles += found
    edge, wide = 3.25, 4.05
    hits: list[Point] = [(0.0, levels[0])]
    if case == "layers":
        shift = 1.9 * sin(radians(angles[1])) / cos(radians(angles[1]))
        hits = [(-shift / 2, 0.95), (shift / 2, -0.95)]
    t, last = radians(angles[0]), radians(angles[-1] * (1 if case == "critical" else p["bent"]))
    way = min((edge - levels[0]) / cos(t), (wide + hits[0][0]) / sin(t))
    if abs(cos(last)) < 0.01:
        end = (wide - 0.4, 0.0)
    else:
        far = min((edge + levels[-1]) / abs(cos(last)), (wide - abs(hits[-1][0])) / abs(sin(last)))
        end = (hits[-1][0] + far * sin(last), hits[-1][1] - far * cos(last))
    path = [(hits[0][0] - way * sin(t), hits[0][1] + way * cos(t)), *hits, end]
    arcs: list[tuple[Point, float, float]] = [(hits[0], 90, 90 + angles[0])]
    if case != "critical":
        arcs.append((hits[-1], 270, 270 + angles[-1]))
    bands = []
    tops = [3.4, *levels, -3.4]
    for i, x in enumerate(n):
        depth = (x - 1) / 0.9
        color = tuple(round(c, 3) for c in (0.97 - 0.27 * depth, 0.98 - 0.14 * depth, 1.0 - 0.03 * depth))
        bands.append((v * tops[i], v * tops[i + 1], color))
    size = 1.15 if case == "layers" else 1.35

    def at(centre: Point, middle: float, half: float, width: float) -> Point:
        """Where a text of this width fits between normal and ray, near the arc."""
        reach = max(size + 0.4, (width / 2 + 0.14) / sin(radians(half)))
        return centre[0] + reach * cos(radians(middle)), centre[1] + reach * sin(radians(middle))

    labels: list[Label] = []

    def put(text: str, xy: Point, wrong: str | None, given: bool = True) -> None:
        labels.append(Label(text, s * xy[0], v * xy[1], given=given, wrong=wrong))

    place = at(hits[0], 90 + angles[0] / 2, angles[0] / 2, 0.62)
    if case == "critical":
        put(r"$\theta_c$", place, None, False)
    else:
        put(f"{p['theta']}°", place, f"{p['theta'] + 16}°")
        place = at(hits[-1], 270 + angles[-1] / 2, angles[-1] / 2, 0.85 if case == "index" else 0.45)
        if case == "index":
            put(f"{p['second']:.1f}°", place, f"{p['second'] + 9:.1f}°")
        else:
            put(rf"$\theta_{len(n)}$", place, None, False)
    spots = [(2.75, 2.85), (-2.75, -2.85)] if case != "layers" else [(2.75, 2.85), (-2.9, 0.0), (-2.75, -2.85)]
    if case == "layers" and hits[0][0] - 0.2 < -1.7:
        spots[1] = (2.9, 0.0)
    for i, (x, spot) in enumerate(zip(n, spots, strict=True)):
        if case == "index" and i == 1:
            put("$n_2$", spot, None, False)
        else:
            put(f"$n_{i + 1}$ = {x:.2f}", spot, f"$n_{i + 1}$ = {x + 0.24:.2f}")
    normals = [((0.0, 2.75), (0.0, -2.75))]
    if case == "layers":
        normals = [((hits[0][0], 2.6), (hits[0][0], -0.3)), ((hits[1][0], 0.3), (hits[1][0], -2.6))]
    mirrored = [((s * x, v * y), min(turned(a, s, v), turned(b, s, v)), abs(b - a)) for (x, y), a, b in arcs]
    body = figure(
        path=[(s * x, v * y) for x, y in path],
        normals=[((s * x, v * y), (s * u, v * w)) for (x, y), (u, w) in normals],
        arcs=[(c, a, a + d) for c, a, d in mirrored],
        size=size,
        back=f"""
        for top, bottom, color in {bands}:
            ax.fill([-4.2, 4.2, 4.2, -4.2], [top, top, bottom, bottom], color=color, linewidth=0)
        for y in {[v * y for y in levels]}:
            ax.plot([-4.2, 4.2], [y, y], color="0.25", linewidth=1.6)""",
        window=(-4.2, 4.2, -3.4, 3.4),
    )
    return Drawing(body, tuple(labels), size=(5.04, 4.08))


def draw_prism(p: Params) -> Drawing:
    """An isosceles prism, apex on top; made for light from the left and mirrored at the end."""
    n, s = p["n"][1], p["side"]
    found = inner(p)
    assert found is not None
    half = p["apex"] / 2
    tall = 4.2
    foot = tall * sin(radians(half)) / cos(radians(half))
    # Directions in degrees: outward normals of the left and the right face, then the ray.
    left, right = 180 - half, half
    inside = left + 180 + found[0]
    outside = right - found[2] * p["bent"]
    inner_slope = radians(inside)
    enter = (-foot * 0.56, tall * 0.44)
    # The right face is x = foot (1 - y / tall).
    k = (foot * (1 - enter[1] / tall) - enter[0]) / (cos(inner_slope) + foot / tall * sin(inner_slope))
    leave = (enter[0] + k * cos(inner_slope), enter[1] + k * sin(inner_slope))
    incoming = left + p["theta"]
    start = (enter[0] + 2.9 * cos(radians(incoming)), enter[1] + 2.9 * sin(radians(incoming)))
    end = (leave[0] + 2.9 * cos(radians(outside)), leave[1] + 2.9 * sin(radians(outside)))

    def along(xy: Point, angle: float, by: float) -> Point:
        return xy[0] + by * cos(radians(angle)), xy[1] + by * sin(radians(angle))

    normals = [
        (along(enter, left, 1.9), along(enter, left, -0.55)),
        (along(leave, right, 1.9), along(leave, right, -0.55)),
    ]
    arcs = [(enter, left, incoming), (leave, right - found[2], right)]
    labels = []
    # Between ray and normal, far enough out to fit.
    out1 = max(1.45, 0.5 / sin(radians(p["theta"] / 2)))
    x, y = along(enter, left + p["theta"] / 2, out1)
    labels.append(Label(f"{p['theta']}°", s * x, y, wrong=f"{p['theta'] + 16}°"))
    x, y = along(leave, right - found[2] / 2, max(1.4, 0.4 / sin(radians(found[2] / 2))))
    labels.append(Label(r"$\theta_2$", s * x, y, given=False))
    deep = max(1.15, 0.42 / (sin(radians(half)) / cos(radians(half))) + 0.25)
    labels.append(Label(f"{p['apex']}°", 0, tall - deep, wrong=f"{p['apex'] + 18}°"))
    labels.append(Label(f"$n$ = {n:.2f}", 0, 0.42, wrong=f"$n$ = {n + 0.24:.2f}"))
    low = min(-0.35, start[1] - 0.2, end[1] - 0.2)
    high = max(tall + 0.4, normals[0][0][1] + 0.3, normals[1][0][1] + 0.3)
    wide = max(-start[0], end[0], -normals[0][0][0], normals[1][0][0]) + 0.3
    arc = f"0.62 * np.cos(a), {tall:g} + 0.62 * np.sin(a)"
    body = figure(
        path=[(s * x, y) for x, y in (start, enter, leave, end)],
        normals=[((s * x, y), (s * u, w)) for (x, y), (u, w) in normals],
        arcs=[((s * c[0], c[1]), *sorted((a if s > 0 else 180 - a, b if s > 0 else 180 - b))) for c, a, b in arcs],
        size=1.0,
        back=f"""
        ax.fill([{-foot:.4g}, {foot:.4g}, 0], [0, 0, {tall:g}], facecolor="#d8e8f6", edgecolor="black", linewidth=1.8)
        a = np.radians(np.linspace({270 - half:g}, {270 + half:g}, 30))
        ax.plot({arc}, color="black", linewidth=1.2)""",
        window=(-wide, wide, low, high),
    )
    scale = min(5.6 / (2 * wide), 4.6 / (high - low))
    return Drawing(body, tuple(labels), size=(round(2 * wide * scale, 2), round((high - low) * scale, 2)))


def distort(p: Params) -> Params:
    """The ray leaves the last face on the wrong side of the normal (or, at the critical angle, back up)."""
    return {**p, "bent": -1}


FAMILY = Family(
    name="refraction",
    subject=Subject.PHYSICS,
    image_type=ImageType.OPTICAL_RAY,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
