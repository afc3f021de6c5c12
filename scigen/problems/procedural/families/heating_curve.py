"""Physics, thermodynamics: the heating curve of a pure substance; a latent heat or a heat capacity asked."""

from __future__ import annotations

from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement
from scigen.records import ImageType, Plan, Subject

ASKED = {1: ("fusion", "vaporisation"), 2: ("solid", "liquid"), 3: ("fusion", "vaporisation", "liquid")}
LEGS = {"solid": 0, "fusion": 1, "liquid": 2, "vaporisation": 3}
"""Which part of the curve tells what is asked."""
WIDE, TALL = 6.6, 4.4
"""Length of the axes in the units of the drawing."""


def sample(rng: Random, difficulty: int) -> Params:
    """Temperatures in °C; the ends of the five parts in kJ, or in minutes when a heater's power is told."""
    while True:
        power = rng.choice(range(100, 1600, 20)) if difficulty == 3 else 0
        parts = [rng.randint(6, 20) for _ in range(5)]
        scale = 1 if power else rng.choice([2, 5, 10])
        ends = [scale * sum(parts[: k + 1]) for k in range(5)]
        start = rng.randrange(-90, 25)
        rises = [rng.randint(30, 120) for _ in range(3)]
        p: dict[str, Any] = {
            "asked": rng.choice(ASKED[difficulty]),
            "mass": rng.randint(10, 250) / 100,
            "power": power,
            "ends": ends,
            "temperatures": [start + sum(rises[:k]) for k in range(4)],
            "slant": 0.0,
            "color": rng.choice(["#b3261e", "#15599b", "#7a4b00"]),
        }
        texts = [f"{t:g}" for t in (*p["temperatures"], *ends[:4])]
        apart = min(parts) >= 0.13 * sum(parts) and min(rises) >= 0.18 * sum(rises)
        size = {"solid": (0.3, 6), "liquid": (0.3, 6)}.get(p["asked"], (20, 3000))
        value = float(result(p)[1])
        told = {p["mass"], power, *p["temperatures"], *ends}
        if apart and len(set(texts)) == len(texts) and size[0] <= value <= size[1] and value not in told:
            return p


def nodes(p: Params) -> list[tuple[float, float]]:
    """The corners of the curve: (heat or time, temperature)."""
    a, b, c, d = p["temperatures"]
    e = p["ends"]
    return [(0, a), (e[0], b), (e[1], b), (e[2], c), (e[3], c), (e[4], d)]


def result(p: Params) -> tuple[str, str, str]:
    """Symbol, value and unit of what is asked: Q = m L on a plateau, Q = m c ΔT on a slope."""
    i = LEGS[p["asked"]]
    (x1, t1), (x2, t2) = nodes(p)[i : i + 2]
    heat = (x2 - x1) * (p["power"] * 60 / 1000 if p["power"] else 1)
    if p["asked"] in ("fusion", "vaporisation"):
        return rf"L_\mathrm{{{p['asked'][0]}}}", f"{heat / p['mass']:.1f}", "kJ/kg"
    return "c", f"{heat / (p['mass'] * (t2 - t1)):.2f}", "kJ/(kg K)"


def solve(p: Params) -> float:
    """Read off the sampled curve: the width of its flat stretches, the slope of its rising ones by least squares."""
    import numpy as np

    points = np.array(nodes(p), dtype=float)
    # Ten samples a unit: the corners are samples.
    x = np.arange(10 * p["ends"][-1] + 1) / 10
    y = np.interp(x, points[:, 0], points[:, 1])
    level = np.r_[False, np.abs(np.diff(y)) < 1e-9, False].astype(int)
    begins, stops = np.flatnonzero(np.diff(level) == 1), np.flatnonzero(np.diff(level) == -1)
    kilojoules = p["power"] * 0.06 if p["power"] else 1.0
    if p["asked"] in ("fusion", "vaporisation"):
        i = 0 if p["asked"] == "fusion" else 1
        return float((x[stops[i]] - x[begins[i]]) * kilojoules / p["mass"])
    part = slice(0, begins[0]) if p["asked"] == "solid" else slice(stops[0], begins[1])
    return float(kilojoules / (np.polyfit(x[part], y[part], 1)[0] * p["mass"]))


WORDS = {
    "fusion": "specific latent heat of fusion in kJ/kg, to one decimal place",
    "vaporisation": "specific latent heat of vaporisation in kJ/kg, to one decimal place",
    "solid": "specific heat capacity of the solid in kJ/(kg K), to two decimal places",
    "liquid": "specific heat capacity of the liquid in kJ/(kg K), to two decimal places",
}


def state(p: Params) -> Statement:
    symbol, value, unit = result(p)
    axis = "min" if p["power"] else "kJ"
    _, melt, boil, _ = p["temperatures"]
    e = p["ends"]
    heater = f" by a heater of {p['power']} W, without losses" if p["power"] else ""
    want = f"Find the {WORDS[p['asked']]}."
    after = "after" if p["power"] else "after taking up"
    course = (
        f"It starts at {p['temperatures'][0]} °C, reaches {melt} °C {after} {e[0]} {axis}, stays there up to {e[1]} "
        f"{axis}, reaches {boil} °C at {e[2]} {axis}, stays there up to {e[3]} {axis} and grows hotter again"
    )
    m = p["mass"]
    facts = [
        Fact(
            "At which temperature does the substance melt?",
            f"{melt} °C",
            (f"{melt - 9} °C", f"{melt + 7} °C", f"{melt + 13} °C"),
            f"first plateau at {melt} °C",
        ),
        Fact(
            "At which temperature does the substance boil?",
            f"{boil} °C",
            (f"{boil - 8} °C", f"{boil + 9} °C", f"{boil + 18} °C"),
            f"second plateau at {boil} °C",
        ),
        Fact(
            "What is the mass of the sample?",
            f"{m:.2f} kg",
            (f"{m + 0.15:.2f} kg", f"{m + 0.4:.2f} kg", f"{2 * m + 0.05:.2f} kg"),
            f"m = {m:.2f} kg",
        ),
    ]
    if p["power"]:
        w = p["power"]
        facts.append(
            Fact(
                "What is the power of the heater?",
                f"{w} W",
                (f"{w + 50} W", f"{2 * w} W", f"{w + 210} W" if w != 210 else "90 W"),
                f"P = {w} W",
            )
        )
    return Statement(
        question=f"A solid sample of {m:.2f} kg of a pure substance is heated{heater}. {course}. {want}",
        multimodal_question=f"The figure shows the heating curve of a pure substance, solid at first. {want}",
        answer=value,
        leak=(f"${symbol}$ = {value} {unit}", f"{value} {unit}"),
        facts=tuple(facts),
    )


def plan(p: Params) -> Plan:
    axis = "time in min" if p["power"] else "heat in kJ"
    heater = f" and P = {p['power']} W" if p["power"] else ""
    return Plan(
        content="A heating curve of five straight parts: rise, level, rise, level, rise.",
        layout=f"Temperature in °C up, {axis} to the right, both to scale; dotted guides from the corners to the axes.",
        labels=f"Ticks at {', '.join(map(str, p['temperatures']))} °C and at {', '.join(map(str, p['ends'][:4]))}; "
        f"m = {p['mass']:.2f} kg{heater} in the free corner.",
        constraints="The temperature stays the same while the substance melts and boils. The "
        f"{WORDS[p['asked']].split(' in ')[0]} is asked and must not be shown.",
    )


def draw(p: Params) -> Drawing:
    points = nodes(p)
    low, high = p["temperatures"][0], p["temperatures"][-1]

    def place(x: float, t: float) -> tuple[float, float]:
        return round(x / p["ends"][-1] * WIDE, 3), round(0.45 + (t - low) / (high - low) * (TALL - 0.45), 3)

    at = [place(*xy) for xy in points]
    rise = p["slant"]
    drawn = [(x, round(y + rise * (-1 if i in (1, 3) else 1 if i in (2, 4) else 0), 3)) for i, (x, y) in enumerate(at)]
    xs = [x for x, _ in at[1:5]]
    ys = [at[0][1], at[1][1], at[3][1], at[5][1]]
    body = f"""
        ax.set_position([0, 0, 1, 1])
        ax.set_aspect("equal")
        ax.axis("off")
        for x, y in {at[1:5]}:
            ax.plot([x, x], [0, y], color="0.55", linewidth=1, linestyle=":")
        for x, y in {[at[1], at[3], at[5]]}:
            ax.plot([0, x], [y, y], color="0.55", linewidth=1, linestyle=":")
        x, y = np.array({drawn}).T
        ax.plot(x, y, color="{p["color"]}", linewidth=2.4, solid_joinstyle="round")
        ax.plot(x[1:5], y[1:5], "o", color="{p["color"]}", markersize=5)
        for head in ({WIDE + 0.6:g}, 0), (0, {TALL + 0.75:g}):
            ax.annotate("", xy=head, xytext=(0, 0), arrowprops=dict(
                arrowstyle="-|>", color="black", linewidth=1.5, mutation_scale=15, shrinkA=0, shrinkB=0))
        for x in {xs}:
            ax.plot([x, x], [-0.08, 0.08], color="black", linewidth=1.3)
        for y in {ys}:
            ax.plot([-0.08, 0.08], [y, y], color="black", linewidth=1.3)
        ax.set_xlim(-0.95, {WIDE + 0.8:g})
        ax.set_ylim(-1.1, {TALL + 0.95:g})
    """
    labels = []
    for y, t in zip(ys, p["temperatures"], strict=True):
        text, wrong = (f"{v}".replace("-", "−") for v in (t, other(t, p)))
        labels.append(Label(text, -0.18, y, wrong=wrong, style={"ha": "right"}))
    for x, end in zip(xs, p["ends"], strict=False):
        labels.append(Label(str(end), x, -0.32, wrong=str(other(end, p))))
    side = {"ha": "right"}
    last = 0.55 if not p["power"] else 0.95
    clear = {**side, "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1.5}}
    labels.append(
        Label(f"$m$ = {p['mass']:.2f} kg", WIDE + 0.45, last, wrong=f"$m$ = {p['mass'] + 0.65:.2f} kg", style=clear)
    )
    if p["power"]:
        labels.append(
            Label(f"$P$ = {p['power']} W", WIDE + 0.45, 0.45, wrong=f"$P$ = {p['power'] + 250} W", style=clear)
        )
    axis = "time (min)" if p["power"] else "heat supplied (kJ)"
    labels.append(Label(axis, WIDE / 2, -0.8, given=False))
    labels.append(Label("temperature (°C)", 0.2, TALL + 0.7, given=False, style={"ha": "left"}))
    return Drawing(body, tuple(labels), size=(5.4, round(5.4 * (TALL + 2.05) / (WIDE + 1.75), 2)))


def other(value: int, p: Params) -> int:
    """A number near `value` that stands nowhere on the axes."""
    return next(value + k for k in range(12, 60) if value + k not in (*p["temperatures"], *p["ends"]))


def distort(p: Params) -> Params:
    """The plateaus rise, as if the temperature grew while the substance melts and boils."""
    return {**p, "slant": 0.28}


FAMILY = Family(
    name="heating_curve",
    subject=Subject.PHYSICS,
    image_type=ImageType.THERMODYNAMIC,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
