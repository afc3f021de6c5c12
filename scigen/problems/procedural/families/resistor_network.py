"""Physics, circuits: resistors in series and parallel on a battery. Glance: which kind of circuit?"""

from __future__ import annotations

from random import Random

import numpy as np

from scigen.problems.procedural.canvas import glance_script
from scigen.problems.procedural.family import Drawing, Fact, Family, Glance, Label, Params, Statement, number
from scigen.records import ImageType, Plan, Subject

PAIRS = ((3, 6), (4, 12), (6, 12), (10, 15), (20, 30), (5, 20), (12, 24), (8, 24), (10, 40), (15, 30), (6, 30))
"""Pairs of resistances in ohms whose parallel resistance is whole."""
SUBSCRIPTS = "₁₂₃₄"
WORDS = {
    "series": "all in series",
    "parallel": "in parallel",
    "mixed": "R₁ in series with the parallel pair R₂ and R₃",
    "ladder": "R₁ and R₄ in series with the parallel pair R₂ and R₃",
}


def sample(rng: Random, difficulty: int) -> Params:
    layout = rng.choice({1: ["series", "parallel"], 2: ["series", "mixed"], 3: ["ladder"]}[difficulty])
    while True:
        pair = rng.sample(rng.choice(PAIRS), 2)
        if layout == "series":
            ohms = rng.sample(range(2, 25), 1 + difficulty)
        elif layout == "parallel":
            ohms = pair
        else:
            ohms = [rng.randint(2, 20), *pair, rng.randint(2, 20)][: 3 if layout == "mixed" else 4]
        total = resistance(layout, ohms)
        current = rng.choice([0.5, 1, 1.5, 2, 3])
        volts = total * current if difficulty == 3 else rng.choice([6, 9, 12, 24])
        if total not in ohms and len(set(ohms)) == len(ohms) and volts == int(volts) and volts <= 100:
            asked = "current" if difficulty == 3 else "resistance"
            return {"layout": layout, "ohms": ohms, "volts": int(volts), "asked": asked, "short": False}


def resistance(layout: str, ohms: list[int]) -> int:
    """Resistance of the whole network in ohms."""
    if layout == "series":
        return sum(ohms)
    if layout == "parallel":
        return ohms[0] * ohms[1] // (ohms[0] + ohms[1])
    return ohms[0] + ohms[1] * ohms[2] // (ohms[1] + ohms[2]) + sum(ohms[3:])


def state(p: Params) -> Statement:
    layout, ohms, volts = p["layout"], p["ohms"], p["volts"]
    total = resistance(layout, ohms)
    values = ", ".join(f"R{SUBSCRIPTS[i]} = {r} Ω" for i, r in enumerate(ohms))
    if p["asked"] == "current":
        answer, want = number(volts / total), "Find the current through the battery in amperes."
        leak = (f"I = {answer} A", f"{answer} A")
    else:
        answer, want = str(total), "Find the total resistance between the terminals of the battery in ohms."
        leak = (f"R = {answer} Ω", f"{answer} Ω")
    others = [w for k, w in WORDS.items() if k != layout]
    return Statement(
        question=f"A battery of {volts} V feeds {len(ohms)} resistors, {values}, connected as follows: "
        f"{WORDS[layout]}. {want}",
        multimodal_question=want,
        answer=answer,
        leak=leak,
        facts=(
            Fact("How are the resistors connected?", WORDS[layout], (others[0], others[1], others[2]), WORDS[layout]),
            Fact(
                "What is the voltage of the battery?",
                f"{volts} V",
                (f"{volts + 3} V", f"{2 * volts} V", f"{volts + 10} V" if volts != 10 else "5 V"),
                f"V = {volts} V",
            ),
            Fact(
                "What is the resistance of R₁?",
                f"{ohms[0]} Ω",
                (f"{ohms[0] + 1} Ω", f"{ohms[0] + 4} Ω", f"{ohms[0] + 10} Ω"),
                f"R₁ = {ohms[0]} Ω",
            ),
        ),
    )


def plan(p: Params) -> Plan:
    asked = "current" if p["asked"] == "current" else "total resistance"
    values = ", ".join(f"R{SUBSCRIPTS[i]} = {r} Ω" for i, r in enumerate(p["ohms"]))
    return Plan(
        content=f"A battery of {p['volts']} V and {len(p['ohms'])} resistors, {WORDS[p['layout']]}.",
        layout="A rectangular loop with the battery on the left; series resistors on the top and bottom wires, "
        "parallel ones as vertical branches between dots.",
        labels=f"{values}, each beside its resistor; V = {p['volts']} V beside the battery.",
        constraints=f"Wires meet at right angles and form closed loops. The {asked} is asked and must not be shown.",
    )


PLACES = {
    ("series", 2): ((3, 4, False), (6, 2, True)),
    ("series", 3): ((3, 4, False), (6, 2, True), (3, 0, False)),
    ("parallel", 2): ((3.1, 2, True), (6, 2, True)),
    ("mixed", 3): ((1.6, 4, False), (3.1, 2, True), (6, 2, True)),
    ("ladder", 4): ((1.6, 4, False), (3.1, 2, True), (6, 2, True), (1.6, 0, False)),
}
"""Centre of each resistor, and whether it stands upright."""


def draw(p: Params) -> Drawing:
    places = PLACES[p["layout"], len(p["ohms"])]
    branch = '\n        ax.plot([3.1, 3.1], [0, 4], "o-", color="black", linewidth=1.8, markersize=6)'
    short = '\n        ax.plot([0.65, 0.65], [0, 4], "o-", color="black", linewidth=1.8, markersize=6)'
    extra = (branch if p["layout"] != "series" else "") + (short if p["short"] else "")
    body = f"""
        fig.subplots_adjust(0.02, 0.02, 0.98, 0.98)
        ax.plot([0, 6, 6, 0, 0], [0, 0, 4, 4, 0], color="black", linewidth=1.8){extra}
        ax.plot([0, 0], [1.85, 2.15], color="white", linewidth=4)
        ax.plot([-0.5, 0.5], [2.15, 2.15], color="black", linewidth=1.8)
        ax.plot([-0.25, 0.25], [1.85, 1.85], color="black", linewidth=4, solid_capstyle="butt")
        ax.plot(-0.35, 2.5, "+", color="black", markersize=8)
        along = np.array([-0.8, -0.6, -0.5, -0.3, -0.1, 0.1, 0.3, 0.5, 0.6, 0.8])
        across = 0.24 * np.array([0, 0, 1, -1, 1, -1, 1, -1, 0, 0])
        for x, y, upright in {list(places)}:
            dx, dy = (across, along) if upright else (along, across)
            ax.plot(x + dx[[1, -2]], y + dy[[1, -2]], color="white", linewidth=5)
            ax.plot(x + dx, y + dy, color="black", linewidth=1.8)
        ax.set_xlim(-2.3, 8.1)
        ax.set_ylim(-1.3, 5.5)
        ax.set_aspect("equal")
        ax.axis("off")
    """
    volts = p["volts"]
    labels = [Label(f"V = {volts} V", -0.7, 2, wrong=f"V = {volts + 5} V", style={"ha": "right"})]
    for i, (ohm, (x, y, upright)) in enumerate(zip(p["ohms"], places, strict=True)):
        lx, ly = (x + 0.4, y) if upright else (x, y + (0.6 if y else -0.6))
        name = f"R{SUBSCRIPTS[i]}"
        style = {"ha": "left" if upright else "center"}
        labels.append(Label(f"{name} = {ohm} Ω", lx, ly, wrong=f"{name} = {ohm + 7} Ω", style=style))
    return Drawing(body, tuple(labels))


def distort(p: Params) -> Params:
    """A bare wire shorts the battery out."""
    return {**p, "short": True}


CIRCUITS = ("series", "parallel", "single", "open")


def glance_sample(rng: Random, answer: str) -> Params:
    return {
        "circuit": answer,
        "width": rng.choice([66, 68, 70, 72, 74]),
        "x": rng.randrange(-6, 7, 2),
        "y": rng.randrange(-8, 9, 2),
        "color": rng.choice(["black", "tab:blue", "tab:red", "tab:green"]),
    }


def glance_draw(p: Params) -> str:
    return glance_script(f"""
        circuit, x, y, w = "{p["circuit"]}", 48 + {p["x"]}, 46 + {p["y"]}, {p["width"]} / 2
        ax.plot([x - w, x - w, x + w, x + w], [y + 26, y - 26, y - 26, y + 26], color="black", linewidth=2)
        if circuit == "open":
            wires = [(-w, -16, 26), (16, w, 26)]
        else:
            wires = [(-w, w, 26)] + [(-w, w, 0)] * (circuit == "parallel")
        for left, right, up in wires:
            ax.plot([x + left, x + right], [y + up, y + up], color="black", linewidth=2)
        boxes = {{"series": [(-17, 26), (17, 26)], "parallel": [(0, 26), (0, 0)], "single": [(0, 26)], "open": []}}
        for dx, dy in boxes[circuit]:
            left, low = x + dx - 12, y + dy - 8
            ax.fill([left, left + 24, left + 24, left], [low, low, low + 16, low + 16], color="{p["color"]}", zorder=3)
        ax.plot([x, x], [y - 26, y - 26], "|", color="black", markersize=14, markeredgewidth=4)
    """)


def solve(p: Params) -> float:
    """By nodal analysis: Kirchhoff's current law at every node, 1 A fed in."""
    n = len(p["ohms"])
    ends = {
        "series": [(i, i + 1) for i in range(n)],
        "parallel": [(0, 1)] * n,
        "mixed": [(0, 1), (1, 2), (1, 2)],
        "ladder": [(0, 1), (1, 2), (1, 2), (2, 3)],
    }[p["layout"]]
    last = max(b for _, b in ends)
    conductance = np.zeros((last + 1, last + 1))
    for (a, b), ohms in zip(ends, p["ohms"], strict=True):
        for i, j, sign in ((a, a, 1), (b, b, 1), (a, b, -1), (b, a, -1)):
            conductance[i, j] += sign / ohms
    fed = np.zeros(last)
    fed[0] = 1.0
    total = float(np.linalg.solve(conductance[:last, :last], fed)[0])
    return p["volts"] / total if p["asked"] == "current" else total


FAMILY = Family(
    name="resistor_network",
    subject=Subject.PHYSICS,
    image_type=ImageType.CIRCUIT,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
    glance=Glance(
        question="Which kind of circuit is drawn (two boxes in series or in parallel, a single one, or an open wire)?",
        answers=CIRCUITS,
        sample=glance_sample,
        draw=glance_draw,
        content=("circuit", "width", "x", "y"),
    ),
)
