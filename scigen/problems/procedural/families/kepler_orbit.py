"""Physics, astronomy: an elliptic orbit about the Sun; its axis, eccentricity, period, far point or a speed asked."""

from __future__ import annotations

from math import cos, pi, radians, sin, sqrt
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement
from scigen.records import ImageType, Plan, Subject

SUN = 887.0
"""The Sun's GM in AU km²/s², so that distances in AU give speeds in km/s."""
ASKED = {1: ("axis", "eccentricity"), 2: ("period",), 3: ("aphelion", "speed")}
WORDS = {
    "axis": "semi-major axis of the orbit in AU, to two decimal places",
    "eccentricity": "eccentricity of the orbit, to three decimal places",
    "period": "orbital period in years, to two decimal places",
    "aphelion": "distance of the aphelion from the Sun in AU, to two decimal places",
    "speed": "speed at the perihelion in km/s, to one decimal place (GM of the Sun is 887 AU km²/s²)",
}
BODIES = ("planet", "comet", "asteroid", "probe")


def sample(rng: Random, difficulty: int) -> Params:
    while True:
        near = rng.randint(30, 250) / 100
        far = rng.randint(60, 900) / 100
        p: dict[str, Any] = {
            "asked": rng.choice(ASKED[difficulty]),
            "near": near,
            "far": far,
            "body": rng.choice(BODIES),
            "at": rng.randint(45, 135),
            "side": rng.choice([1, -1]),
            "focus": 1,
        }
        if p["asked"] == "aphelion":
            p["years"] = round(((near + far) / 2) ** 1.5, 2)
            p["far"] = round(2 * p["years"] ** (2 / 3) - near, 4)
        told = {near, *([p["years"]] if p["asked"] == "aphelion" else [far])}
        if 0.34 <= shape(p) <= 0.64 and float(result(p)[1]) not in told:
            return p


def shape(p: Params) -> float:
    """Eccentricity."""
    return float((p["far"] - p["near"]) / (p["far"] + p["near"]))


def result(p: Params) -> tuple[str, str, str]:
    """Symbol, value and unit of what is asked: from the ellipse, Kepler's third law and the vis-viva equation."""
    axis = (p["near"] + p["far"]) / 2
    match p["asked"]:
        case "axis":
            # In whole hundredths, halves up.
            doubled = round(100 * p["near"]) + round(100 * p["far"])
            return "a", f"{(doubled + 1) // 2 / 100:.2f}", "AU"
        case "eccentricity":
            return "e", f"{shape(p):.3f}", ""
        case "period":
            return "T", f"{axis**1.5:.2f}", "years"
        case "aphelion":
            return r"r_\mathrm{a}", f"{2 * p['years'] ** (2 / 3) - p['near']:.2f}", "AU"
        case _:
            return "v", f"{sqrt(SUN * (2 / p['near'] - 1 / axis)):.1f}", "km/s"


def solve(p: Params) -> float:
    """Conservation of energy and angular momentum; the period by quadrature over the distance."""
    import numpy as np
    from scipy.integrate import quad
    from scipy.optimize import brentq

    def fastest(near: float, far: float, gm: float) -> float:
        """Speed at the near point, from v² / 2 - gm / r and r v being the same at both ends."""
        return float(np.sqrt(2 * gm * (1 / near - 1 / far) / (1 - (near / far) ** 2)))

    def years(near: float, far: float) -> float:
        gm = 4 * pi**2
        v = fastest(near, far, gm)
        energy, spin = v**2 / 2 - gm / near, near * v
        middle, half = (near + far) / 2, (far - near) / 2

        def rate(u: float) -> float:
            r = middle - half * cos(u)
            return r * half * sin(u) / sqrt(2 * energy * r**2 + 2 * gm * r - spin**2)

        return 2 * float(quad(rate, 1e-4, pi - 1e-4)[0] * pi / (pi - 2e-4))

    near, far = p["near"], p["far"]
    match p["asked"]:
        case "axis" | "eccentricity":
            # r = q / (1 + e cos φ) at both ends, linear in q and e.
            q, e = np.linalg.solve(np.array([[1, -near], [1, far]]), np.array([near, far]))
            return float(e if p["asked"] == "eccentricity" else q / (1 - e**2))
        case "period":
            return years(near, far)
        case "aphelion":
            return float(brentq(lambda x: years(near, x) - p["years"], near * 1.05, near * 20, xtol=1e-9))
        case _:
            return fastest(near, far, SUN)


def given(p: Params) -> dict[str, str]:
    """What is given: name to value with unit."""
    known = {"distance of the perihelion from the Sun": f"{p['near']:.2f} AU"}
    if p["asked"] == "aphelion":
        return {**known, "orbital period": f"{p['years']:.2f} years"}
    return {**known, "distance of the aphelion from the Sun": f"{p['far']:.2f} AU"}


def state(p: Params) -> Statement:
    symbol, value, unit = result(p)
    want = f"Find the {WORDS[p['asked']]}."
    body = p["body"]
    values = " and ".join(f"the {k} is {v}" for k, v in given(p).items())
    facts = []
    for name, text in given(p).items():
        x, end = text.split(" ")
        a, b, c = (f"{float(x) * k:.2f} {end}" for k in (1.3, 1.7, 2.4))
        facts.append(Fact(f"What is the {name}?", text, (a, b, c), f"{name}: {text}"))
    left = "left" if p["side"] > 0 else "right"
    other = "right" if left == "left" else "left"
    facts.append(
        Fact(
            "Where does the Sun stand in the orbit?",
            f"in the {left} focus",
            (f"in the {other} focus", "in the centre", "outside the orbit"),
            "Kepler's first law",
        )
    )
    facts.append(
        Fact(
            "At which end of the long axis is the body fastest?",
            f"the {left} end",
            (f"the {other} end", "at both alike", "at neither"),
            "Kepler's second law: fastest where it is nearest to the Sun",
        )
    )
    return Statement(
        question=f"A {body} moves round the Sun on an ellipse: {values}. {want}".replace("A asteroid", "An asteroid"),
        multimodal_question=f"The figure shows the orbit of the {body} round the Sun, to scale. {want}",
        answer=value,
        leak=(f"${symbol}$ = {value} {unit}".strip(), f"{value} {unit}".strip()),
        facts=tuple(facts),
    )


def plan(p: Params) -> Plan:
    known = "; ".join(f"{k} {v}" for k, v in given(p).items())
    return Plan(
        content=f"The elliptic orbit of a {p['body']}, the Sun in a focus, the long axis, the empty focus.",
        layout=f"Long axis level, the Sun in the {'left' if p['side'] > 0 else 'right'} focus, the ellipse true to "
        f"scale (eccentricity {shape(p):.2f}); the {p['body']} on the upper half, moving counter-clockwise; dimension "
        "arrows below.",
        labels=f"{known}; the Sun and the {p['body']} named.",
        constraints="Perihelion is the end of the axis next to the Sun. The "
        f"{WORDS[p['asked']].split(' in ')[0].split(',')[0]} is asked and must not be shown.",
    )


def draw(p: Params) -> Drawing:
    s, e = p["side"], shape(p)
    a = 3.9
    b, c = a * sqrt(1 - e**2), a * e
    sun = -c * p["focus"]
    t = radians(p["at"])
    x, y = a * cos(t), b * sin(t)
    # Counter-clockwise: the tangent at the body.
    length = sqrt((a * sin(t)) ** 2 + (b * cos(t)) ** 2)
    dx, dy = -a * sin(t) / length, b * cos(t) / length
    low = -b - 0.75
    aphelion = p["asked"] == "aphelion"
    ends = [(-a, -c)] if aphelion else [(-a, -c), (-c, a)]
    speed = (
        f"""
        ax.annotate("", xy=({-s * a:.4g}, {-s * 1.25:g}), xytext=({-s * a:.4g}, 0), arrowprops=dict(
            arrowstyle="-|>", color="tab:red", linewidth=2, mutation_scale=17, shrinkA=0, shrinkB=0))"""
        if p["asked"] == "speed"
        else ""
    )
    body = f"""
        ax.set_position([0, 0, 1, 1])
        ax.set_aspect("equal")
        ax.axis("off")
        t = np.linspace(0, 2 * np.pi, 400)
        ax.plot([{-a:g}, {a:g}], [0, 0], color="0.45", linewidth=1.1, linestyle=(0, (6, 4)))
        ax.plot({a:g} * np.cos(t), {b:.4g} * np.sin(t), color="#15599b", linewidth=2)
        ax.plot({s * sun:.4g}, 0, "o", color="#f5b301", markeredgecolor="#8a6500", markersize=19, zorder=3)
        ax.plot({s * c:.4g}, 0, "+", color="0.3", markersize=9, markeredgewidth=1.4)
        ax.plot([{-a:g}, {a:g}], [0, 0], "o", color="black", markersize=4.5)
        ax.annotate("", xy=({s * x + 1.15 * dx:.4g}, {y + s * 1.15 * dy:.4g}), xytext=({s * x:.4g}, {y:.4g}),
                    arrowprops=dict(arrowstyle="-|>", color="tab:green", linewidth=2, mutation_scale=17,
                                    shrinkA=0, shrinkB=0))
        ax.plot({s * x:.4g}, {y:.4g}, "o", color="#4d7fb8", markeredgecolor="black", markersize=11, zorder=4){speed}
        for x1, x2 in {[(round(s * u, 3), round(s * v, 3)) for u, v in ends]}:
            ax.annotate("", xy=(x1, {low:.4g}), xytext=(x2, {low:.4g}), arrowprops=dict(
                arrowstyle="<|-|>", color="black", linewidth=1.2, shrinkA=0, shrinkB=0))
            for x in (x1, x2):
                top = -0.3 if abs(x) < {a - 0.1:g} else -0.1
                ax.plot([x, x], [top, {low - 0.15:.4g}], color="0.5", linewidth=0.9, linestyle=":")
        ax.set_xlim(-4.75, 4.75)
        ax.set_ylim({low - 0.85:.4g}, {b + 0.75:.4g})
    """
    near, far = p["near"], p["far"]
    labels = [
        Label(
            rf"$r_\mathrm{{p}}$ = {near:.2f} AU",
            s * (-a - c) / 2 - s * max(0, 0.7 - (a - c) / 2) * 0.5,
            low - 0.45,
            wrong=rf"$r_\mathrm{{p}}$ = {near + 0.55:.2f} AU",
        ),
        Label("Sun", s * -c, 0.55, style={"color": "#7a5900"}),
        # Inside the ellipse, clear of the arrow.
        Label(p["body"], s * x * 0.84, y * 0.84 - 0.14),
    ]
    if aphelion:
        labels.insert(
            1,
            Label(
                f"$T$ = {p['years']:.2f} years",
                s * 1.2,
                low - 0.45,
                wrong=f"$T$ = {p['years'] + 2.25:.2f} years",
            ),
        )
    else:
        labels.insert(
            1,
            Label(
                rf"$r_\mathrm{{a}}$ = {far:.2f} AU",
                s * (a - c) / 2,
                low - 0.45,
                wrong=rf"$r_\mathrm{{a}}$ = {far + 1.35:.2f} AU",
            ),
        )
    if p["asked"] == "speed":
        labels.append(Label("$v$", -s * (a + 0.35), -s * 0.8, given=False, style={"color": "tab:red", "fontsize": 13}))
    height = (b + 0.75) - (low - 0.85)
    return Drawing(body, tuple(labels), size=(5.7, round(5.7 * height / 9.5, 2)))


def distort(p: Params) -> Params:
    """The Sun stands in the centre of the ellipse."""
    return {**p, "focus": 0}


FAMILY = Family(
    name="kepler_orbit",
    subject=Subject.PHYSICS,
    image_type=ImageType.ASTRONOMICAL,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
