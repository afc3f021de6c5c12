"""Physics, astronomy: two planets on circular orbits; an orbit, a distance or the elongation of the inner one asked."""

from __future__ import annotations

from math import acos, asin, cos, degrees, hypot, pi, radians, sin, sqrt
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement
from scigen.records import ImageType, Plan, Subject

Point = tuple[float, float]

CASES = {1: ("orbit",), 2: ("greatest", "reach"), 3: ("distance", "elongation")}
ASKED = {
    "orbit": "radius of the orbit of Q",
    "greatest": "greatest elongation of Q",
    "reach": "distance from P to Q",
    "distance": "distance from P to Q",
    "elongation": "elongation of Q",
}
UNITS = {"orbit": "AU", "greatest": "°", "reach": "AU", "distance": "AU", "elongation": "°"}
OUTER = 3.4
"""Radius of the outer orbit in the units of the drawing."""


def sample(rng: Random, difficulty: int) -> Params:
    while True:
        case = rng.choice(CASES[difficulty])
        outer, inner = rng.randint(60, 400) / 100, rng.randint(30, 340) / 100
        p: dict[str, Any] = {
            "case": case,
            "outer": outer,
            "inner": inner,
            "angle": rng.randint(30, 110) if difficulty == 3 else 0,
            "place": rng.randrange(0, 360, 15),
            "side": rng.choice([1, -1]),
            "squeeze": 1.0,
        }
        if not 0.5 <= inner / outer <= 0.8:
            continue
        if case in ("orbit", "reach"):
            p["angle"] = round(degrees(asin(inner / outer)), 1)
        if difficulty == 3 and elongation(p) < 31:
            continue
        if float(result(p)[1]) not in {outer, p["angle"], *([] if case in ("orbit", "reach") else [inner])}:
            return p


def elongation(p: Params) -> float:
    """Angle at P between the star and Q in degrees, by the law of cosines."""
    d = apart(p)
    return degrees(acos((p["outer"] ** 2 + d**2 - p["inner"] ** 2) / (2 * p["outer"] * d)))


def apart(p: Params) -> float:
    """Distance of the planets for the angle between them at the star."""
    return sqrt(p["outer"] ** 2 + p["inner"] ** 2 - 2 * p["outer"] * p["inner"] * cos(radians(p["angle"])))


def result(p: Params) -> tuple[str, str, str]:
    """Symbol, value and unit of what is asked; AU to two decimals, degrees to one."""
    match p["case"]:
        case "orbit":
            return "r", f"{p['outer'] * sin(radians(p['angle'])):.2f}", " AU"
        case "greatest":
            return r"\varepsilon", f"{degrees(asin(p['inner'] / p['outer'])):.1f}", "°"
        case "reach":
            return "d", f"{p['outer'] * cos(radians(p['angle'])):.2f}", " AU"
        case "distance":
            return "d", f"{apart(p):.2f}", " AU"
        case _:
            return r"\varepsilon", f"{elongation(p):.1f}", "°"


def solve(p: Params) -> float:
    """Places as complex numbers; the greatest elongation by a search over all places of Q on its orbit."""
    from cmath import exp, phase

    from scipy.optimize import brentq, minimize_scalar

    def seen(inner: float, turn: float) -> float:
        """Elongation in degrees; P lies at `outer` on the real axis, the star at 0."""
        return abs(degrees(phase((p["outer"] - inner * exp(1j * turn)) / p["outer"])))

    def best(inner: float) -> Point:
        """Greatest elongation and the distance there."""
        found = minimize_scalar(lambda t: -seen(inner, t), bounds=(0.01, pi - 0.01), options={"xatol": 1e-12})
        return -float(found.fun), abs(p["outer"] - inner * exp(1j * float(found.x)))

    match p["case"]:
        case "greatest":
            return best(p["inner"])[0]
        case "orbit" | "reach":
            top = p["outer"]
            inner = float(brentq(lambda r: best(r)[0] - p["angle"], 0.2 * top, 0.95 * top, xtol=1e-12))
            return inner if p["case"] == "orbit" else best(inner)[1]
        case "distance":
            return float(abs(p["outer"] - p["inner"] * exp(1j * radians(p["angle"]))))
        case _:
            return seen(p["inner"], radians(p["angle"]))


def given(p: Params) -> dict[str, str]:
    """What is given: name to value with unit."""
    known = {"radius of the orbit of P": f"{p['outer']:.2f} AU"}
    if p["case"] in ("orbit", "reach"):
        return {**known, "greatest elongation of Q": f"{p['angle']:.1f}°"}
    known["radius of the orbit of Q"] = f"{p['inner']:.2f} AU"
    if p["case"] != "greatest":
        known["angle between the planets at the star"] = f"{p['angle']}°"
    return known


def state(p: Params) -> Statement:
    symbol, value, unit = result(p)
    case = p["case"]
    when = " when Q is at its greatest elongation" if case == "reach" else ""
    places = "in AU, to two decimal places" if UNITS[case] == "AU" else "in degrees, to one decimal place"
    want = f"Find the {ASKED[case]}{when} {places}."
    story = (
        "The planets P and Q move round the star S on circles in one plane, Q on the inner one. The elongation of Q is "
        "the angle between Q and S seen from P."
    )
    values = ", ".join(f"the {k} is {v}" for k, v in given(p).items())
    facts = []
    for name, text in given(p).items():
        if text.endswith("°"):
            x = float(text[:-1])
            places_ = len(text[:-1].partition(".")[2])
            a, b, c = (f"{x + step:.{places_}f}°" for step in (7, 16, 25))
        else:
            x = float(text.split(" ")[0])
            a, b, c = (f"{x * k:.2f} AU" for k in (1.25, 1.6, 2.1))
        facts.append(Fact(f"What is the {name}?", text, (a, b, c), f"{name}: {text}"))
    facts.append(Fact("What stands in the centre of the orbits?", "S", ("P", "Q", "nothing"), "the star S"))
    if case in ("orbit", "greatest", "reach"):
        facts.append(
            Fact(
                "At which point do the lines of the triangle meet at a right angle?",
                "Q",
                ("P", "S", "at none"),
                "the line of sight touches the inner orbit at Q",
            )
        )
    return Statement(
        question=f"{story} Given: {values}. {want}",
        multimodal_question=f"{story} {want}",
        answer=value,
        leak=(f"${symbol}$ = {value}{unit}", f"{value}{unit}"),
        facts=tuple(facts),
    )


def plan(p: Params) -> Plan:
    known = "; ".join(f"{k} {v}" for k, v in given(p).items())
    touch = "" if p["angle"] and p["case"] in ("distance", "elongation") else ", touching the inner orbit at Q"
    return Plan(
        content="A star S, the circular orbits of the planets P (outer) and Q (inner), the triangle S P Q.",
        layout=f"S in the centre, radii true to scale, P at {p['place']}° from the right; line of sight P Q{touch}.",
        labels=f"{known}; the names S, P, Q beside their bodies.",
        constraints="At the greatest elongation the line of sight is a tangent, with a right angle at Q. The "
        f"{ASKED[p['case']]} is asked and must not be shown.",
    )


def draw(p: Params) -> Drawing:
    case, s = p["case"], p["side"]
    general = case in ("distance", "elongation")
    ratio = sin(radians(p["angle"])) if case in ("orbit", "reach") else p["inner"] / p["outer"]
    r = OUTER * ratio
    apex = degrees(asin(ratio))
    turn = float(p["angle"]) if general else 90 - apex
    first, second = radians(p["place"]), radians(p["place"] + s * turn)
    planet = (OUTER * cos(first), OUTER * sin(first))
    inner = (r * cos(second), r * sin(second))
    drawn = (p["squeeze"] * inner[0], p["squeeze"] * inner[1])
    right = ""
    if not general:
        # A small square at Q between the directions to S and to P.
        toward = hypot(planet[0] - inner[0], planet[1] - inner[1])
        u = ((planet[0] - inner[0]) / toward * 0.28, (planet[1] - inner[1]) / toward * 0.28)
        w = (-cos(second) * 0.28, -sin(second) * 0.28)
        xs = [round(drawn[0] + v, 3) for v in (u[0], u[0] + w[0], w[0])]
        ys = [round(drawn[1] + v, 3) for v in (u[1], u[1] + w[1], w[1])]
        right = f"""
        ax.plot({xs}, {ys}, color="black", linewidth=1.2)"""
    # The marked angle: at P for elongations, at S for the angle between the planets.
    away = degrees(first) + 180
    sight = s * (apex if not general else elongation(p))
    arcs = [(planet, away, away - sight, 0.95)] if case != "distance" else []
    if general:
        arcs.append(((0.0, 0.0), degrees(first), degrees(first) + s * turn, 0.75))
    marks = [(round(c[0], 3), round(c[1], 3), round(min(a, b), 2), round(max(a, b), 2), size) for c, a, b, size in arcs]
    body = f"""
        ax.set_position([0, 0, 1, 1])
        ax.set_aspect("equal")
        ax.axis("off")
        t = np.linspace(0, 2 * np.pi, 300)
        for radius in ({OUTER}, {r * p["squeeze"]:.4g}):
            ax.plot(radius * np.cos(t), radius * np.sin(t), color="0.55", linewidth=1.3, linestyle=(0, (6, 3)))
        ax.plot([0, {planet[0]:.4g}], [0, {planet[1]:.4g}], color="black", linewidth=1.6)
        ax.plot([0, {drawn[0]:.4g}], [0, {drawn[1]:.4g}], color="black", linewidth=1.6)
        ax.plot([{planet[0]:.4g}, {drawn[0]:.4g}], [{planet[1]:.4g}, {drawn[1]:.4g}],
                color="tab:red", linewidth=1.8){right}
        for x, y, low, high, size in {marks}:
            t = np.radians(np.linspace(low, high, 40))
            ax.plot(x + size * np.cos(t), y + size * np.sin(t), color="black", linewidth=1.2)
        ax.plot(0, 0, "o", color="#f5b301", markeredgecolor="#8a6500", markersize=18, zorder=3)
        for x, y, color, size in [({planet[0]:.4g}, {planet[1]:.4g}, "#4d7fb8", 12),
                                  ({drawn[0]:.4g}, {drawn[1]:.4g}, "#c98a5a", 9)]:
            ax.plot(x, y, "o", color=color, markeredgecolor="black", markersize=size, zorder=3)
        ax.set_xlim(-4.1, 4.1)
        ax.set_ylim(-4.1, 4.1)
    """
    white = {"bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1}}
    labels: list[Label] = []

    def beside(a: Point, b: Point, off: Point, half: float) -> Point:
        """A place next to the line a b, away from `off`, where a text 2 `half` wide is clear of the line and, as far as
        can be, of the inner orbit."""
        dx, dy = b[0] - a[0], b[1] - a[1]
        length = hypot(dx, dy)
        nx, ny = -dy / length, dx / length
        if nx * (off[0] - a[0]) + ny * (off[1] - a[1]) > 0:
            nx, ny = -nx, -ny
        gap = abs(nx) * half + abs(ny) * 0.17 + 0.1
        spots = [(a[0] + k * dx + gap * nx, a[1] + k * dy + gap * ny) for k in (0.5, 0.42, 0.58, 0.34, 0.66)]
        return max(spots, key=lambda xy: min(abs(hypot(*xy) - r), half + 0.2))

    def value(text: str, wrong: str | None, xy: Point, known: bool = True) -> None:
        labels.append(Label(text, *xy, given=known, wrong=wrong, style=white))

    outer = f"$R$ = {p['outer']:.2f} AU"
    value(outer, f"$R$ = {p['outer'] + 0.75:.2f} AU", beside((0, 0), planet, inner, 0.88))
    if case in ("orbit", "reach"):
        value("$r$", None, beside((0, 0), inner, planet, 0.12), False)
    else:
        text, wrong = f"$r$ = {p['inner']:.2f} AU", f"$r$ = {p['inner'] + 0.55:.2f} AU"
        value(text, wrong, beside((0, 0), inner, planet, 0.85))

    def within(centre: Point, start: float, sweep: float, half: float, arc: float) -> Point:
        middle = radians(start + sweep / 2)
        reach = max(
            arc + half * abs(cos(middle)) + 0.17 * abs(sin(middle)) + 0.12, (half + 0.1) / sin(radians(abs(sweep) / 2))
        )
        return centre[0] + reach * cos(middle), centre[1] + reach * sin(middle)

    if case in ("orbit", "reach"):
        value(f"{p['angle']:.1f}°", f"{p['angle'] + 12:.1f}°", within(planet, away, -sight, 0.42, 0.95))
    elif case != "distance":
        value(r"$\varepsilon$", None, within(planet, away, -sight, 0.1, 0.95), False)
    if general:
        value(f"{p['angle']}°", f"{p['angle'] + 24}°", within((0, 0), degrees(first), s * turn, 0.24, 0.75))
    if case in ("reach", "distance"):
        value("$d$", None, beside(planet, inner, (0, 0), 0.12), False)
    names = {"style": {"fontsize": 13, "style": "italic"}}
    back = radians(p["place"] + s * turn / 2 + 180)
    labels.append(Label("S", 0.45 * cos(back), 0.45 * sin(back), **names))  # type: ignore[arg-type]
    labels.append(Label("P", planet[0] * 1.115, planet[1] * 1.115, **names))  # type: ignore[arg-type]
    out = (r + 0.36) / r
    labels.append(Label("Q", inner[0] * out, inner[1] * out, **names))  # type: ignore[arg-type]
    return Drawing(body, tuple(labels), size=(5.0, 5.0))


def distort(p: Params) -> Params:
    """The inner orbit is too small, so that lengths and angles are wrong."""
    return {**p, "squeeze": 0.68}


FAMILY = Family(
    name="planet_elongation",
    subject=Subject.PHYSICS,
    image_type=ImageType.ASTRONOMICAL,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
