"""Physics, magnetism: an ion turns half a circle in a uniform magnetic field; radius, speed, field or energy asked."""

from __future__ import annotations

from math import hypot
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement
from scigen.records import ImageType, Plan, Subject

ELEMENTARY = 1.60e-19
"""Elementary charge in C."""
UNIT_MASS = 1.66e-27
"""Atomic mass unit in kg."""
ASKED = {1: ("radius",), 2: ("speed", "field"), 3: ("energy", "voltage")}
WORDS = {
    "radius": "radius of the path in cm, to one decimal place",
    "speed": "speed of the ion in 10⁵ m/s, to two decimal places",
    "field": "magnitude of the magnetic field in T, to three decimal places",
    "energy": "kinetic energy of the ion in keV, to two decimal places",
    "voltage": "voltage in kV that has accelerated the ion from rest, to two decimal places",
}


def sample(rng: Random, difficulty: int) -> Params:
    while True:
        charge = rng.choice([1, 1, 2]) * rng.choice([1, 1, -1])
        p: dict[str, Any] = {
            "asked": rng.choice(ASKED[difficulty]),
            "mass": rng.randint(4, 60),
            "charge": charge,
            "speed": rng.randint(10, 90) / 10,
            "field": rng.randint(10, 150) / 100,
            "into": rng.choice([True, False]),
            "side": rng.choice([1, -1]),
            "flip": 1,
        }
        r = p["mass"] * UNIT_MASS * p["speed"] * 1e5 / (abs(charge) * ELEMENTARY * p["field"])
        p["radius"] = round(100 * r, 1)
        told = {float(p["mass"]), float(abs(charge)), *(p[k] for k in ("speed", "field") if k != p["asked"])}
        if 5 <= p["radius"] <= 60 and float(result(p)[1]) not in told | {p["radius"], 2 * p["radius"]}:
            return p
        if p["asked"] == "radius" and 5 <= p["radius"] <= 60 and p["radius"] not in told:
            return p


def result(p: Params) -> tuple[str, str, str]:
    """Symbol, value and unit of what is asked, from m v²/r = |q| v B."""
    m, q, r = p["mass"] * UNIT_MASS, abs(p["charge"]) * ELEMENTARY, p["radius"] / 100
    match p["asked"]:
        case "radius":
            return "r", f"{100 * m * p['speed'] * 1e5 / (q * p['field']):.1f}", "cm"
        case "speed":
            return "v", f"{q * p['field'] * r / m / 1e5:.2f}", "× 10⁵ m/s"
        case "field":
            return "B", f"{m * p['speed'] * 1e5 / (q * r):.3f}", "T"
        case "energy":
            return "E", f"{(q * p['field'] * r) ** 2 / (2 * m) / ELEMENTARY / 1e3:.2f}", "keV"
        case _:
            return "U", f"{q * (p['field'] * r) ** 2 / (2 * m) / 1e3:.2f}", "kV"


def solve(p: Params) -> float:
    """The equation of motion, solved by a matrix exponential: the circle through three places of the ion."""
    import numpy as np
    from scipy.linalg import expm
    from scipy.optimize import brentq

    m, q = p["mass"] * UNIT_MASS, abs(p["charge"]) * ELEMENTARY

    def radius(speed: float, field: float) -> float:
        """In cm. State: x, y in metres, their rates in m/s."""
        w = q * field / m
        rate = np.array([[0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, w], [0, 0, -w, 0]])
        turn = expm(rate / w)
        a = np.array([0, 0, speed, 0])
        b = turn @ a
        c = turn @ b
        sides = [hypot(*(u - v)[:2]) for u, v in ((a, b), (b, c), (c, a))]
        (x1, y1), (x2, y2) = (b - a)[:2], (c - a)[:2]
        return 100 * float(np.prod(sides) / (2 * abs(x1 * y2 - x2 * y1)))

    if p["asked"] == "radius":
        return radius(p["speed"] * 1e5, p["field"])
    if p["asked"] == "field":
        return float(brentq(lambda b: radius(p["speed"] * 1e5, b) - p["radius"], 1e-3, 20, xtol=1e-12))
    speed = float(brentq(lambda v: radius(v, p["field"]) - p["radius"], 1e3, 1e8, xtol=1e-6))
    if p["asked"] == "speed":
        return speed / 1e5
    joules = m * speed**2 / 2
    return float(joules / (ELEMENTARY if p["asked"] == "energy" else q) / 1e3)


def charge(q: int) -> str:
    return f"{'+' if q > 0 else '−'}{abs(q) if abs(q) > 1 else ''}e"


def given(p: Params) -> dict[str, str]:
    """What the drawing tells beside mass and charge: symbol to value with unit."""
    known = {"v": f"{p['speed']:.1f} × 10⁵ m/s", "B": f"{p['field']:.2f} T"}
    match p["asked"]:
        case "radius":
            return known
        case "speed":
            return {"B": known["B"], "r": f"{p['radius']:.1f} cm"}
        case "field":
            return {"v": known["v"], "r": f"{p['radius']:.1f} cm"}
        case _:
            return {"B": known["B"], "d": f"{2 * p['radius']:.1f} cm"}


SAID = {"v": "a speed of {}", "B": "a field of {}", "r": "a path of radius {}", "d": "entry and exit {} apart"}


def state(p: Params) -> Statement:
    symbol, value, unit = result(p)
    m, q = p["mass"], p["charge"]
    want = f"Find the {WORDS[p['asked']]} (e = 1.60 × 10⁻¹⁹ C, u = 1.66 × 10⁻²⁷ kg)."
    told = " and ".join(SAID[k].format(text) for k, text in given(p).items())
    up = bend(p) > 0
    name, text = next((k, t) for k, t in given(p).items() if k != "v")
    x, end = text.split(" ")
    asked = {"B": "the magnitude of the field", "r": "the radius of the path", "d": "the distance from entry to exit"}
    places = len(x.partition(".")[2])
    return Statement(
        question=f"An ion of mass {m} u and charge {charge(q)} enters a uniform magnetic field at right angles to it "
        f"and to the field's straight edge, and leaves it after half a circle. There are {told}. {want}",
        multimodal_question=f"The figure shows the path of an ion through a uniform magnetic field. {want}",
        answer=value,
        leak=(f"${symbol}$ = {value} {unit}", f"{value} {unit}"),
        facts=(
            Fact(
                "Which way does the magnetic field point?",
                "into the page" if p["into"] else "out of the page",
                ("out of the page" if p["into"] else "into the page", "to the top of the page", "to the right"),
                "crosses point into the page, dots out of it",
            ),
            Fact(
                "What is the mass of the ion?", f"{m} u", (f"{m + 3} u", f"{2 * m + 1} u", f"{m + 11} u"), f"m = {m} u"
            ),
            Fact(
                "Where does the ion leave the field?",
                "above the place where it enters" if up else "below the place where it enters",
                (
                    "below the place where it enters" if up else "above the place where it enters",
                    "through the opposite edge",
                    "nowhere",
                ),
                "half a circle",
            ),
            Fact(
                f"What is {asked[name]}?",
                text,
                (
                    f"{1.5 * float(x):.{places}f} {end}",
                    f"{2.2 * float(x):.{places}f} {end}",
                    f"{3.1 * float(x):.{places}f} {end}",
                ),
                f"{name} = {text}",
            ),
        ),
    )


def plan(p: Params) -> Plan:
    told = ", ".join(f"{k} = {t}" for k, t in given(p).items())
    return Plan(
        content=f"A region of uniform field {'into' if p['into'] else 'out of'} the page, an ion with the charge "
        f"{charge(p['charge'])} and its half circle.",
        layout=f"The ion enters from the {'left' if p['side'] > 0 else 'right'} at right angles to the edge and bends "
        f"{'up' if bend(p) > 0 else 'down'}; {'crosses' if p['into'] else 'dots'} in rows fill the region.",
        labels=f"m = {p['mass']} u and q = {charge(p['charge'])} at the ion; {told}, each at its arrow or its region.",
        constraints="The force is q v × B: the bend obeys it, and the circle's centre lies on the edge. The "
        f"{p['asked']} is asked and must not be shown.",
    )


def bend(p: Params) -> int:
    """+1 where the force on the entering ion points up the page, -1 where it points down."""
    way = (1 if p["charge"] > 0 else -1) * (1 if p["into"] else -1) * p["side"]
    return int(way)


def draw(p: Params) -> Drawing:
    s, b = p["side"], bend(p)
    r = 1.95 + 0.45 * min(1.0, (p["radius"] - 5) / 40)
    turn = b * p["flip"]
    known = given(p)
    # A sign of the field is left out where it would touch the path, the radius or a text.
    signs = []
    for i in range(7):
        for j in range(11):
            x, y = 0.32 + 0.55 * i, -2.75 + 0.55 * j
            path = abs(hypot(x, y) - r) < 0.24
            radius = p["asked"] not in ("energy", "voltage") and x < r and -0.2 < y < 0.62
            name = "B" in known and x > 1.85 and y > 2.3
            if not (path or radius or name):
                signs.append((round(s * x, 2), round(y, 2)))
    measure = (
        f"""
        ax.annotate("", xy=(0, 0), xytext=({s * r:.4g}, 0), arrowprops=dict(
            arrowstyle="<|-", color="black", linewidth=1.3, shrinkA=0, shrinkB=0))
        ax.plot(0, 0, "o", color="black", markersize=4.5)"""
        if p["asked"] not in ("energy", "voltage")
        else f"""
        ax.annotate("", xy=({-s * 0.45:g}, {r:.4g}), xytext=({-s * 0.45:g}, {-r:.4g}), arrowprops=dict(
            arrowstyle="<|-|>", color="black", linewidth=1.3, shrinkA=0, shrinkB=0))"""
    )
    mark = (
        """ax.plot(x, y, "x", color="#54749c", markersize=6.5, markeredgewidth=1.3)"""
        if p["into"]
        else """ax.plot(x, y, "o", color="#54749c", markersize=3.6)"""
    )
    body = f"""
        ax.set_position([0, 0, 1, 1])
        ax.fill([0, {s * 3.95:g}, {s * 3.95:g}, 0], [-3.05, -3.05, 3.05, 3.05], facecolor="#eaf1fa", edgecolor="none")
        ax.plot([0, {s * 3.95:g}, {s * 3.95:g}, 0, 0], [-3.05, -3.05, 3.05, 3.05, -3.05],
                color="#54749c", linewidth=1.3)
        for x, y in {signs}:
            {mark}
        red = "tab:red"
        way = dict(arrowstyle="-|>", color=red, linewidth=2, mutation_scale=18, shrinkA=0, shrinkB=0)
        turn = np.linspace(-np.pi / 2, np.pi / 2, 80)
        ax.plot({s * r:.4g} * np.cos(turn), {r:.4g} * np.sin(turn), color=red, linewidth=2)
        for x1, x2, y in [({-s * 3.3:g}, 0, {-turn * r:.4g}), (0, {-s * 3.3:g}, {turn * r:.4g})]:
            ax.plot([x1, x2], [y, y], color=red, linewidth=2)
            middle = (2 * x1 + 3 * x2) / 5
            ax.annotate("", xy=(middle + np.sign(x2 - x1) * 0.2, y), xytext=(middle - np.sign(x2 - x1) * 0.2, y),
                        arrowprops=way)
        for a in (-0.8, 0.8):
            x, y = {s * r:.4g} * np.cos(a), {r:.4g} * np.sin(a)
            dx, dy = {-s * turn} * np.sin(a), {turn} * np.cos(a)
            ax.annotate("", xy=(x + 0.15 * dx, y + 0.15 * dy), xytext=(x - 0.15 * dx, y - 0.15 * dy),
                        arrowprops=way)
        ax.add_patch(plt.Circle(({-s * 3.3:g}, {-turn * r:.4g}), 0.24, facecolor="#fde7c8", edgecolor="black",
                                linewidth=1.6, zorder=3))
        ax.plot([{-s * 3.3 - 0.13:g}, {-s * 3.3 + 0.13:g}], [{-turn * r:.4g}] * 2,
                color="black", linewidth=1.8, zorder=4)
        if {p["charge"] > 0}:
            ax.plot([{-s * 3.3:g}] * 2, [{-turn * r - 0.13:.4g}, {-turn * r + 0.13:.4g}],
                    color="black", linewidth=1.8, zorder=4){measure}
        ax.set_xlim(-4.2, 4.2)
        ax.set_ylim(-3.36, 3.36)
        ax.set_aspect("equal")
        ax.axis("off")
    """
    other = f"−{charge(p['charge'])[1:]}" if p["charge"] > 0 else f"+{charge(p['charge'])[1:]}"
    labels = [
        Label(f"$m$ = {p['mass']} u", -s * 3.1, -b * (r - 0.5), wrong=f"$m$ = {p['mass'] + 9} u"),
        Label(
            f"$q$ = {charge(p['charge']).replace('e', '$e$')}",
            -s * 1.3,
            -b * (r - 0.5),
            wrong=f"$q$ = {other.replace('e', '$e$')}",
        ),
    ]
    red = {"color": "#b01c1c"}
    if "v" in known:
        text = f"$v = {p['speed']:.1f}\\times 10^{{5}}$ m/s"
        wrong = f"$v = {p['speed'] + 2.7:.1f}\\times 10^{{5}}$ m/s"
        labels.append(Label(text, -s * 1.7, -b * (r + 0.48), wrong=wrong, style=red))
    if "B" in known:
        labels.append(Label(f"$B$ = {p['field']:.2f} T", s * 2.95, 2.68, wrong=f"$B$ = {p['field'] + 0.45:.2f} T"))
    if "r" in known:
        labels.append(Label(f"$r$ = {known['r']}", s * (r - 0.1) / 2, 0.3, wrong=f"$r$ = {p['radius'] + 4.5:.1f} cm"))
    elif "d" in known:
        text, wrong = f"$d$ = {known['d']}", f"$d$ = {2 * p['radius'] + 7.5:.1f} cm"
        labels.append(Label(text, -s * 0.65, 0, wrong=wrong, style={"ha": "right" if s > 0 else "left"}))
    else:
        labels.append(Label("$r$", s * (r - 0.1) / 2, 0.3, given=False))
    return Drawing(body, tuple(labels))


def distort(p: Params) -> Params:
    """The ion bends the other way, against the force."""
    return {**p, "flip": -1}


FAMILY = Family(
    name="ion_in_field",
    subject=Subject.PHYSICS,
    image_type=ImageType.FIELD_DIAGRAM,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
