"""Physics, thermodynamics: a cycle in the p-V plane; the work in one cycle or the efficiency asked."""

from __future__ import annotations

from itertools import pairwise
from math import log
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement
from scigen.records import ImageType, Plan, Subject

KINDS = {1: ("rectangle", "wedge", "ramp"), 2: ("trapezium", "wedge", "ramp"), 3: ("isotherm", "efficiency")}
WIDE, TALL = 6.0, 4.6
"""Largest volume and pressure in the units of the drawing."""


def sample(rng: Random, difficulty: int) -> Params:
    """Levels in kPa, low to high (the middle one of a trapezium is its right corner), and volumes in L."""
    while True:
        kind = rng.choice(KINDS[difficulty])
        levels: list[float] = sorted(rng.sample(range(60, 900, 10), 3 if kind == "trapezium" else 2))
        volumes = sorted(k / 5 for k in rng.sample(range(5, 45), 2))
        if kind == "isotherm":
            # The lower pressure follows from the isotherm and is not told.
            levels = [levels[1] * volumes[0] / volumes[1], levels[1]]
        p: dict[str, Any] = {
            "kind": kind,
            "levels": levels,
            "volumes": volumes,
            "clockwise": difficulty == 1 or kind == "efficiency" or rng.choice([True, False]),
            "sag": 1.0,
            "color": rng.choice(["#15599b", "#a3341f", "#2f6f3e", "#5b3c88"]),
        }
        gaps = [(b - a) / levels[-1] for a, b in pairwise(levels)]
        clear = min(gaps) >= 0.2 and levels[0] >= 0.16 * levels[-1]
        broad = 0.3 <= (volumes[1] - volumes[0]) / volumes[1] <= 0.8
        if clear and broad and abs(float(result(p)[1])) not in {*levels, *volumes}:
            return p


def corners(p: Params) -> list[tuple[float, float]]:
    """(V, p) of A, B, C (and D) in the clockwise sense; the isotherm runs from A to B."""
    low, top = p["levels"][0], p["levels"][-1]
    v1, v2 = p["volumes"]
    match p["kind"]:
        case "wedge":
            return [(v1, low), (v1, top), (v2, low)]
        case "ramp":
            return [(v1, low), (v2, top), (v2, low)]
        case "isotherm":
            return [(v1, top), (v2, low), (v1, low)]
        case "trapezium":
            return [(v1, low), (v1, top), (v2, p["levels"][1]), (v2, low)]
        case _:
            return [(v1, low), (v1, top), (v2, top), (v2, low)]


def result(p: Params) -> tuple[str, str, str]:
    """Symbol, value and unit: kPa times L is J. A counter-clockwise cycle takes up work."""
    low, top = p["levels"][0], p["levels"][-1]
    v1, v2 = p["volumes"]
    wide = v2 - v1
    match p["kind"]:
        case "efficiency":
            heat = 1.5 * v1 * (top - low) + 2.5 * top * wide
            return r"\eta", f"{100 * (top - low) * wide / heat:.1f}", "%"
        case "isotherm":
            work = top * v1 * log(v2 / v1) - low * wide
        case "rectangle":
            work = (top - low) * wide
        case "trapezium":
            work = (top + p["levels"][1] - 2 * low) * wide / 2
        case _:
            work = (top - low) * wide / 2
    return "W", str(round(work) if p["clockwise"] else -round(work)), "J"


def legs(p: Params) -> list[tuple[Any, Any]]:
    """The cycle as arrays of volumes and pressures, leg by leg, in the sense in which it is run through."""
    import numpy as np

    points = corners(p)
    s = np.linspace(0, 1, 20_001)
    found = []
    for i, (v, q) in enumerate(points):
        w, r = points[(i + 1) % len(points)]
        volume = v + (w - v) * s
        pressure = v * q / volume if p["kind"] == "isotherm" and i == 0 else q + (r - q) * s
        found.append((volume, pressure))
    return found if p["clockwise"] else [(v[::-1], q[::-1]) for v, q in reversed(found)]


def solve(p: Params) -> float:
    """The integral of p dV along the sampled cycle; heat by the first law with the energy 3/2 p V."""
    import numpy as np

    work = heat = 0.0
    for volume, pressure in legs(p):
        done = float(np.trapezoid(pressure, volume))
        energy = 1.5 * float(pressure[-1] * volume[-1] - pressure[0] * volume[0])
        work += done
        heat += max(0.0, done + energy)
    return 100 * work / heat if p["kind"] == "efficiency" else round(work, 3)


def names(p: Params) -> str:
    return "ABCD"[: len(corners(p))]


def state(p: Params) -> Statement:
    symbol, value, unit = result(p)
    points, order = corners(p), names(p)
    run = order if p["clockwise"] else order[0] + order[:0:-1]
    if p["kind"] == "efficiency":
        want = "The gas is ideal and monatomic. Find the efficiency of the cycle in per cent, to one decimal place."
    else:
        want = (
            "Find the work that the gas does in one cycle in J, to the nearest joule; count it negative if work is "
            "done on the gas."
        )
    shown = [x for x, (_, q) in zip(order, points, strict=True) if p["kind"] != "isotherm" or q == p["levels"][-1]]
    where = ", ".join(
        f"{x} ({v:.1f} L{f', {q:.0f} kPa' if x in shown else ''})" for x, (v, q) in zip(order, points, strict=True)
    )
    curve = (
        "A and B lie on one isotherm of an ideal gas, C has the pressure of B; the other two legs are straight"
        if p["kind"] == "isotherm"
        else "all legs are straight"
    )
    sense = "clockwise" if p["clockwise"] else "counter-clockwise"
    top = p["levels"][-1]
    v1, v2 = (f"{v:.1f} L" for v in p["volumes"])
    kinds = ["at constant volume", "at constant pressure", "at constant temperature"]
    first = 2 if p["kind"] == "isotherm" else None if p["kind"] == "ramp" else 0
    facts = [
        Fact(
            "In which sense is the cycle run through?",
            sense,
            (
                "counter-clockwise" if p["clockwise"] else "clockwise",
                "in both senses in turn",
                "in none: it is not closed",
            ),
            "the arrow heads",
        ),
        Fact(
            "What is the highest pressure in the cycle?",
            f"{top} kPa",
            (f"{top + 40} kPa", f"{top + 90} kPa", f"{2 * top} kPa"),
            f"tick at {top}",
        ),
        Fact(
            "What is the largest volume in the cycle?",
            v2,
            (v1, f"{p['volumes'][1] + 0.8:.1f} L", f"{2 * p['volumes'][1]:.1f} L"),
            f"tick at {v2}",
        ),
    ]
    if first is not None:
        rest = [k for i, k in enumerate(kinds) if i != first]
        facts.append(
            Fact(
                "How is the leg between A and B run through?",
                kinds[first],
                (rest[0], rest[1], "along a slanted straight line"),
                kinds[first],
            )
        )
    return Statement(
        question=f"An ideal gas goes round the cycle {'-'.join(run)}-{run[0]} in the p-V plane with the corners "
        f"{where}; {curve}. {want}",
        multimodal_question=f"The p-V diagram shows a cycle of an ideal gas. {want}",
        answer=value,
        leak=(f"${symbol}$ = {value.replace('-', '−')} {unit}", f"{value} {unit}"),
        facts=tuple(facts),
    )


def plan(p: Params) -> Plan:
    asked = "efficiency" if p["kind"] == "efficiency" else "work in one cycle"
    return Plan(
        content=f"A p-V diagram with a closed cycle of {len(corners(p))} legs, run through "
        f"{'clockwise' if p['clockwise'] else 'counter-clockwise'}.",
        layout="Axes from the origin, V to the right and p up, both to scale; an arrow head on each leg; dotted guides "
        "from the corners to the axes.",
        labels=f"{', '.join(names(p))} at the corners, the told pressures (kPa) and volumes (L) as ticks"
        + (", the isotherm named." if p["kind"] == "isotherm" else "."),
        constraints=f"An isotherm is a hyperbola, p V constant. The {asked} is asked and must not be shown.",
    )


def draw(p: Params) -> Drawing:
    levels, volumes, points = p["levels"], p["volumes"], corners(p)
    x_unit, y_unit = WIDE / volumes[1], TALL / levels[-1]
    curve = []
    arrows = []
    for i, (v, q) in enumerate(points):
        w, r = points[(i + 1) % len(points)]
        steps = 40 if p["kind"] == "isotherm" and i == 0 else 1
        leg = []
        for k in range(steps + 1):
            u = v + (w - v) * k / steps
            leg.append((u, v * q / u if steps > 1 else q + (r - q) * k / steps))
        curve += leg[:-1]
        if steps > 1:
            a, b = leg[18], leg[22]
        else:
            a, b = ((k * v + (1 - k) * w, k * q + (1 - k) * r) for k in (0.53, 0.45))
        arrows.append((a, b) if p["clockwise"] else (b, a))

    def place(v: float, q: float) -> tuple[float, float]:
        """In units of the drawing; a wrong figure has its upper part too low."""
        low = levels[0]
        return round(v * x_unit, 3), round((low + (q - low) * p["sag"]) * y_unit, 3)

    guides = []
    for v in volumes:
        top = max(q for u, q in points if u == v)
        guides.append(([round(v * x_unit, 3)] * 2, [0, round(top * y_unit, 3)]))
    told = [q for q in levels if p["kind"] != "isotherm" or q == levels[-1]]
    for q in told:
        far = max(v for v, r in points if r == q)
        guides.append(([0, round(far * x_unit, 3)], [round(q * y_unit, 3)] * 2))
    body = f"""
        ax.set_position([0, 0, 1, 1])
        ax.set_aspect("equal")
        ax.axis("off")
        for xs, ys in {guides}:
            ax.plot(xs, ys, color="0.5", linewidth=1, linestyle=":")
        x, y = np.array({[place(v, q) for v, q in curve]}).T
        ax.fill(x, y, color="{p["color"]}", alpha=0.12, linewidth=0)
        ax.plot(np.r_[x, x[0]], np.r_[y, y[0]], color="{p["color"]}", linewidth=2.2, solid_joinstyle="round")
        for tail, head in {[(place(*a), place(*b)) for a, b in arrows]}:
            ax.annotate("", xy=head, xytext=tail, arrowprops=dict(
                arrowstyle="-|>", color="{p["color"]}", linewidth=2.2, mutation_scale=20, shrinkA=0, shrinkB=0))
        x, y = np.array({[place(v, q) for v, q in points]}).T
        ax.plot(x, y, "o", color="{p["color"]}", markersize=6)
        for head in ({WIDE + 0.95:g}, 0), (0, {TALL + 0.85:g}):
            ax.annotate("", xy=head, xytext=(0, 0), arrowprops=dict(
                arrowstyle="-|>", color="black", linewidth=1.5, mutation_scale=15, shrinkA=0, shrinkB=0))
        for v in {[round(v * x_unit, 3) for v in volumes]}:
            ax.plot([v, v], [-0.08, 0.08], color="black", linewidth=1.3)
        for q in {[round(q * y_unit, 3) for q in told]}:
            ax.plot([-0.08, 0.08], [q, q], color="black", linewidth=1.3)
        ax.set_xlim(-0.95, {WIDE + 1.3:g})
        ax.set_ylim(-0.75, {TALL + 1.05:g})
    """
    middle = (sum(v for v, _ in points) / len(points), sum(q for _, q in points) / len(points))
    labels = []
    for name, (v, q) in zip(names(p), points, strict=True):
        dx, dy = (0.24 if v > middle[0] else -0.24), (0.26 if q > middle[1] else -0.26)
        labels.append(Label(name, v * x_unit + dx, q * y_unit + dy, style={"fontsize": 13, "style": "italic"}))
    for q in told:
        labels.append(Label(str(q), -0.18, q * y_unit, wrong=str(q + 125), style={"ha": "right"}))
    for v in volumes:
        labels.append(Label(f"{v:.1f}", v * x_unit, -0.32, wrong=f"{v + 1.3:.1f}"))
    if p["kind"] == "isotherm":
        v = 0.45 * volumes[0] + 0.55 * volumes[1]
        at = (v * x_unit + 0.25, volumes[0] * levels[1] / v * y_unit + 0.28)
        labels.append(Label("isotherm", *at, style={"ha": "left", "color": p["color"]}))
    labels.append(Label("$p$ (kPa)", 0.2, TALL + 0.8, given=False, style={"ha": "left"}))
    labels.append(Label("$V$ (L)", WIDE + 0.85, -0.32, given=False))
    return Drawing(body, tuple(labels), size=(5.3, round(5.3 * (TALL + 1.8) / (WIDE + 2.25), 2)))


def distort(p: Params) -> Params:
    """The upper part of the cycle lies too low, so that its corners miss their ticks."""
    return {**p, "sag": 0.66}


FAMILY = Family(
    name="pv_cycle",
    subject=Subject.PHYSICS,
    image_type=ImageType.THERMODYNAMIC,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
