"""Chemistry, crystals: the cubic cell of a metal (simple, body- or face-centred); radius, density or edge asked."""

from __future__ import annotations

from math import sqrt
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement, distractors, number
from scigen.problems.procedural.placing import inch_axes
from scigen.problems.procedural.unit_cell import CENTRE, CORNERS, FACES, Site, View
from scigen.records import ImageType, Plan, Subject

LATTICES = {"simple cubic": 1, "body-centred cubic": 2, "face-centred cubic": 4}
"""Atoms in a cell, by lattice."""
OTHER = "base-centred orthorhombic"
SITES: dict[str, tuple[Site, ...]] = {
    "simple cubic": CORNERS,
    "body-centred cubic": CORNERS + CENTRE,
    "face-centred cubic": CORNERS + FACES,
}
PER_EDGE = {"simple cubic": 1 / 2, "body-centred cubic": sqrt(3) / 4, "face-centred cubic": sqrt(2) / 4}
"""Radius of touching atoms over the edge."""
LEVELS = {1: ("radius", "neighbours"), 2: ("density", "molar mass"), 3: ("density by radius", "edge", "vacancies")}
AVOGADRO = 6.022e23
COLOURS = (("#e3a857", "#c8553d"), ("#8fb8de", "#3d6fa8"), ("#b7d5a0", "#5b9a4b"), ("#c9b6e4", "#7d5ba6"))
"""Of the corner atoms, of the others."""
UNIT = "g/cm³"


def sample(rng: Random, difficulty: int) -> Params:
    """1: from the edge to the radius; 2: edge, molar mass, density; 3: two steps more (radius, cube root)."""
    while True:
        p: dict[str, Any] = {
            "kind": rng.choice(LEVELS[difficulty]),
            "lattice": rng.choice(list(LATTICES)),
            "a": rng.randint(280, 620),
            "mass": round(rng.uniform(20, 210), 1),
            "vacant": round(rng.uniform(0.5, 6), 1),
            "turn": rng.choice([-28, -24, -20, 20, 24, 28]),
            "tilt": rng.choice([14, 17, 20]),
            "colors": rng.randrange(len(COLOURS)),
        }
        if not 1 <= density(p) <= 22:
            continue
        if p["kind"] == "density by radius":
            p["r"] = round(PER_EDGE[p["lattice"]] * p["a"])
        if p["kind"] in ("molar mass", "edge"):
            p["rho"] = round(density(p), 2)
        if answer_text(p) not in given(p).values():
            return p


def density(p: Params) -> float:
    return float(LATTICES[p["lattice"]] * p["mass"] / (AVOGADRO * (p["a"] * 1e-10) ** 3))


def answer_text(p: Params) -> str:
    kind, lattice = p["kind"], p["lattice"]
    n, ratio = LATTICES[lattice], PER_EDGE[lattice]
    if kind == "radius":
        return f"{p['a'] * ratio:.1f}"
    if kind == "neighbours":
        return f"{2 * p['a'] * ratio:.1f}"
    if kind == "density":
        return f"{density(p):.2f}"
    if kind == "molar mass":
        return f"{p['rho'] * AVOGADRO * (p['a'] * 1e-10) ** 3 / n:.1f}"
    if kind == "edge":
        return f"{(n * p['mass'] / (AVOGADRO * p['rho'])) ** (1 / 3) * 1e10:.1f}"
    if kind == "vacancies":
        return f"{density(p) * (1 - p['vacant'] / 100):.2f}"
    return f"{n * p['mass'] / (AVOGADRO * (p['r'] / ratio * 1e-10) ** 3):.2f}"


def solve(p: Params) -> float:
    """From a block of 5 x 5 x 5 cells: atoms counted in the middle cell, nearest distance measured between them."""
    import numpy as np
    from scipy.optimize import brentq
    from scipy.spatial.distance import cdist

    whole = np.arange(5)
    steps = np.stack(np.meshgrid(whole, whole, whole), -1).reshape(-1, 3)
    atoms = np.unique((steps[:, None] + np.array(SITES[p["lattice"]])[None]).reshape(-1, 3), axis=0)
    count = int(((atoms >= 2) & (atoms < 3)).all(axis=1).sum())
    away = cdist([[2.0, 2.0, 2.0]], atoms)[0]
    nearest = float(away[away > 0].min())
    grams = p["mass"] / AVOGADRO

    def rho(edge: float) -> float:
        return float(count * grams / (edge * 1e-10) ** 3)

    match p["kind"]:
        case "radius":
            return nearest / 2 * float(p["a"])
        case "neighbours":
            return nearest * float(p["a"])
        case "density":
            return rho(p["a"])
        case "vacancies":
            return rho(p["a"]) * (100 - float(p["vacant"])) / 100
        case "molar mass":
            return float(brentq(lambda m: count * m / AVOGADRO - p["rho"] * (p["a"] * 1e-10) ** 3, 1, 1000, xtol=1e-12))
        case "edge":
            return float(brentq(lambda a: rho(a) - p["rho"], 100, 2000, xtol=1e-10))
    return rho(float(brentq(lambda a: nearest * a - 2 * p["r"], 100, 2000, xtol=1e-10)))


def given(p: Params) -> dict[str, str]:
    """What the drawing gives: symbol, and value with unit."""
    a, mass, kind = {"a": f"{p['a']} pm"}, {"M": f"{number(p['mass'], 1)} g/mol"}, p["kind"]
    return {
        "radius": a,
        "neighbours": a,
        "density": a | mass,
        "vacancies": a | mass | {"vacant": f"{number(p['vacant'], 1)} %"},
        "molar mass": a | {"ρ": f"{p.get('rho', 0):.2f} {UNIT}"},
        "edge": mass | {"ρ": f"{p.get('rho', 0):.2f} {UNIT}"},
        "density by radius": mass | {"r": f"{p.get('r', 0)} pm"},
    }[kind]


ASKED = {
    "radius": "the radius of an atom in pm, to one decimal place",
    "neighbours": "the distance between the centres of nearest neighbours in pm, to one decimal place",
    "density": f"the density of the metal in {UNIT}, to two decimal places",
    "vacancies": f"the density of the real crystal in {UNIT}, to two decimal places",
    "molar mass": "the molar mass of the metal in g/mol, to one decimal place",
    "edge": "the edge of the unit cell in pm, to one decimal place",
    "density by radius": f"the density of the metal in {UNIT}, to two decimal places",
}
NAMES = {
    "a": "edge a",
    "M": "molar mass M",
    "ρ": "density ρ",
    "r": "radius r of an atom",
    "vacant": "share of vacant sites",
}


def state(p: Params) -> Statement:
    shown, kind, lattice = given(p), p["kind"], p["lattice"]
    touch = "Atoms are touching spheres. " if kind in ("radius", "density by radius") else ""
    if kind == "vacancies":
        touch = "In the real crystal the given share of the sites is vacant and the cell keeps its size. "
    want = f"{touch}Use 6.022 × 10²³ per mole where needed. Find {ASKED[kind]}."
    listed = ", ".join(f"{NAMES[k]} = {v}" for k, v in shown.items())
    answer = answer_text(p)
    first, second = (k for k in LATTICES if k != lattice)
    atoms = len(SITES[lattice])
    symbol, text = next(iter(shown.items()))
    value = float(text.split()[0])
    digits = len(text.split()[0].partition(".")[2])
    wrong = distractors(
        Random(p["a"]), value, tuple(k * max(1, round(value / 12)) for k in (-3, -2, -1, 1, 2, 3)), digits
    )
    unit = text.partition(" ")[2]
    return Statement(
        question=f"A metal crystallises in a {lattice} lattice: {listed}. {want}",
        multimodal_question=want,
        answer=answer,
        leak=(f"answer: {answer}", answer),
        facts=(
            Fact("Which kind of unit cell is drawn?", lattice, (first, second, OTHER), "where the atoms are"),
            Fact(
                "How many balls are drawn in the cell, whole ones and those at corners and faces alike?",
                str(atoms),
                tuple(str(n) for n in (8, 9, 14, 12, 10) if n != atoms)[:3],  # type: ignore[arg-type]
                f"{atoms} balls",
            ),
            Fact(
                f"Which value is given for the {NAMES[symbol]}?",
                f"{number(value, digits)} {unit}",
                (f"{wrong[0]} {unit}", f"{wrong[1]} {unit}", f"{wrong[2]} {unit}"),
                f"{symbol} = {text}",
            ),
        ),
    )


def plan(p: Params) -> Plan:
    listed = ", ".join(f"{k} = {v}" for k, v in given(p).items())
    return Plan(
        content=f"The {p['lattice']} unit cell of a metal, with {len(SITES[p['lattice']])} balls.",
        layout=f"A cube turned by {p['turn']}° and seen from {p['tilt']}° above; hidden edges dashed; atoms as shaded "
        "balls of one size, nearer ones over farther ones.",
        labels=f"{listed}; the edge on a double arrow below the cell.",
        constraints=f"Balls only at lattice points. What is asked, {ASKED[p['kind']]}, must not be shown.",
    )


SIZE = (4.9, 4.4)


def draw(p: Params) -> Drawing:
    lattice = p.get("drawn", p["lattice"])
    corner, other = COLOURS[p["colors"]]
    view = View(p["turn"], p["tilt"], 2.25, (SIZE[0] / 2, 2.5))
    atoms = [(s, 0.2, corner if s in CORNERS else other) for s in SITES[lattice]]
    guides: list[tuple[Site, Site]] = []
    if lattice == "body-centred cubic":
        guides = [(c, (1 - c[0], 1 - c[1], 1 - c[2])) for c in CORNERS[:4]]
    if lattice == "face-centred cubic":
        ends = [(f, c) for f in FACES for c in CORNERS if sum(abs(v - w) for v, w in zip(f, c, strict=True)) == 1]
        guides = [(f, c) for f, c in ends]
    code, (mx, my) = view.measure(0.36)
    body = "\n".join(
        [
            inch_axes(*SIZE),
            view.lines(guides, 'color="0.72", lw=0.9, linestyle=":"') if guides else "",
            view.cube(0.2),
            view.balls(atoms),
            code,
        ]
    )
    shown = given(p)
    texts = {k: f"${k}$ = {v}" if k != "vacant" else f"vacant sites: {v}" for k, v in shown.items()}
    labels = [
        Label(texts.get("a", "$a$"), mx, my - 0.22, wrong=f"$a$ = {p['a'] + 40} pm" if "a" in shown else "$b$"),
        Label("metal X", 0.75, 4.15, wrong="metal Z", style={"fontweight": "bold"}),
    ]
    wrongs = {
        "M": f"$M$ = {number(p['mass'] + 20, 1)} g/mol",
        "ρ": f"$ρ$ = {p.get('rho', 0) + 2:.2f} {UNIT}",
        "r": f"$r$ = {p.get('r', 0) + 30} pm",
        "vacant": f"vacant sites: {number(p['vacant'] + 4, 1)} %",
    }
    extra = [k for k in shown if k != "a"]
    for i, k in enumerate(extra):
        x = SIZE[0] / 2 if len(extra) == 1 else SIZE[0] * (0.3 + 0.4 * i)
        labels.append(Label(texts[k], x, 0.25, wrong=wrongs[k]))
    return Drawing(body, tuple(labels), size=SIZE)


def distort(p: Params) -> Params:
    """The atoms are those of another lattice."""
    names = list(LATTICES)
    return {**p, "drawn": names[(names.index(p["lattice"]) + 1) % 3]}


FAMILY = Family(
    name="cubic_cell",
    subject=Subject.CHEMISTRY,
    image_type=ImageType.CRYSTAL_STRUCTURE,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
