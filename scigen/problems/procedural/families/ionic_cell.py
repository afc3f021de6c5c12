"""Chemistry, crystals: an ionic unit cell (distances, density), or a plane in a cubic cell and Bragg's law."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from math import asin, atan2, degrees, dist, hypot, radians, sin, sqrt
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement, distractors, number
from scigen.problems.procedural.placing import inch_axes
from scigen.problems.procedural.unit_cell import (
    ALTERNATE,
    CENTRE,
    CORNERS,
    EDGES,
    FACES,
    QUARTERS,
    Site,
    View,
)
from scigen.records import ImageType, Plan, Subject

PLACES = {
    "corners": CORNERS,
    "corners and face centres": CORNERS + FACES,
    "edge centres and cell centre": EDGES + CENTRE,
    "cell centre": CENTRE,
    "face centres": FACES,
    "edge centres": EDGES,
    "centres of all eight octants": QUARTERS,
    "centres of four of the eight octants": ALTERNATE,
}
STRUCTURES: dict[str, tuple[dict[str, tuple[str, int]], float, int]] = {
    "rock salt": ({"X": ("corners and face centres", 4), "M": ("edge centres and cell centre", 4)}, 0.5, 6),
    "caesium chloride": ({"X": ("corners", 1), "M": ("cell centre", 1)}, sqrt(3) / 2, 8),
    "zinc blende": (
        {"X": ("corners and face centres", 4), "M": ("centres of four of the eight octants", 4)},
        sqrt(3) / 4,
        4,
    ),
    "fluorite": ({"M": ("corners and face centres", 4), "X": ("centres of all eight octants", 8)}, sqrt(3) / 4, 8),
    "antifluorite": ({"X": ("corners and face centres", 4), "M": ("centres of all eight octants", 8)}, sqrt(3) / 4, 4),
    "rhenium trioxide": ({"M": ("corners", 1), "X": ("edge centres", 3)}, 0.5, 6),
    "perovskite": ({"Q": ("corners", 1), "M": ("cell centre", 1), "X": ("face centres", 3)}, 0.5, 6),
}
"""By name: places and number of each ion in a cell; distance M to X over the edge; how many X surround an M."""
PLANES: tuple[tuple[int, int, int], ...] = (
    (1, 0, 0),
    (0, 0, 1),
    (1, 1, 0),
    (1, 0, 1),
    (0, 1, 1),
    (1, 1, 1),
    (2, 0, 0),
    (0, 0, 2),
    (2, 1, 0),
    (1, 1, 2),
)
PLANES += ((0, 2, 1), (2, 1, 1), (2, 2, 1), (1, 2, 0), (1, 0, 2))
LEVELS = {1: ("distance", "coordination"), 2: ("density", "formula mass"), 3: ("angle", "wavelength")}
AVOGADRO = 6.022e23
COLOURS = (("#4f81bd", "#8dbb5a", "#d97b3f"), ("#c0504d", "#e0b04a", "#5c88b5"), ("#7b62a8", "#63b3a6", "#c9a13b"))
"""Of the ions M, X, Q."""
RADII = {"M": 0.13, "X": 0.185, "Q": 0.22}
SIZE = (5.8, 4.3)


def sample(rng: Random, difficulty: int) -> Params:
    """1: distance or coordination number; 2: counting for the density or the formula mass; 3: Bragg reflection."""
    while True:
        kind = rng.choice(LEVELS[difficulty])
        p: dict[str, Any] = {
            "kind": kind,
            "structure": rng.choice(list(STRUCTURES)),
            "a": rng.randint(360, 680),
            "turn": rng.choice([-28, -25, -22, 22, 25, 28]),
            "tilt": rng.choice([13, 16, 19]),
            "colors": rng.randrange(len(COLOURS)),
        }
        if difficulty == 2:
            ions = STRUCTURES[p["structure"]][0]
            p["mass"] = {ion: round(rng.uniform(*((14, 130) if ion == "X" else (20, 140))), 1) for ion in ions}
            p["rho"] = round(density(p, formula_mass(p)), 2)
            if not 1.5 <= p["rho"] <= 9 or len(set(p["mass"].values())) < len(ions):
                continue
        if difficulty == 3:
            p |= {"plane": rng.choice(PLANES), "wave": rng.choice([71, 120, 154, 179, 194]), "theta": 0}
            sine = p["wave"] / (2 * spacing(p))
            if not 0.08 < sine < 0.85 or seen_area(p) < 0.2:
                continue
            p["theta"] = round(degrees(asin(sine)), 1)
        if answer_text(p) not in [v.split()[0] for v in given(p).values()]:
            return p


def formula(structure: str) -> str:
    """The simplest formula, as QMX3, without subscripts."""
    ions = STRUCTURES[structure][0]
    least = min(n for _, n in ions.values())
    return "".join(f"{ion}{ions[ion][1] // least if ions[ion][1] > least else ''}" for ion in "QMX" if ion in ions)


def units(structure: str) -> int:
    return min(n for _, n in STRUCTURES[structure][0].values())


def formula_mass(p: Params) -> float:
    ions = STRUCTURES[p["structure"]][0]
    return float(sum(p["mass"][ion] * n for ion, (_, n) in ions.items()) / units(p["structure"]))


def density(p: Params, molar: float) -> float:
    return float(units(p["structure"]) * molar / (AVOGADRO * (p["a"] * 1e-10) ** 3))


def spacing(p: Params) -> float:
    """d of the shaded plane in pm: a over the root of h² + k² + l²."""
    return float(p["a"] / sqrt(sum(h * h for h in p["plane"])))


def answer_text(p: Params) -> str:
    _, ratio, around = STRUCTURES[p["structure"]]
    match p["kind"]:
        case "distance":
            return f"{ratio * p['a']:.1f}"
        case "coordination":
            return str(around)
        case "density":
            return f"{density(p, formula_mass(p)):.2f}"
        case "formula mass":
            return f"{p['rho'] * AVOGADRO * (p['a'] * 1e-10) ** 3 / units(p['structure']):.1f}"
        case "angle":
            return f"{degrees(asin(p['wave'] / (2 * spacing(p)))):.1f}"
    return f"{2 * spacing(p) * sin(radians(p['theta'])):.1f}"


def solve(p: Params) -> float:
    """From a block of cells: ions counted and distances measured; d as the distance of a plane through three points."""
    import numpy as np
    from scipy.optimize import brentq
    from scipy.spatial.distance import cdist

    if "plane" in p:
        # Three points of the plane: on the axes it meets, else moved along the axis that it never meets.
        met = [np.eye(3)[i] / h for i, h in enumerate(p["plane"]) if h]
        points = [*met, *(met[0] + np.eye(3)[i] for i, h in enumerate(p["plane"]) if not h)][:3]
        normal = np.cross(points[1] - points[0], points[2] - points[0])
        d = abs(normal @ points[0]) / np.linalg.norm(normal) * p["a"]
        if p["kind"] == "angle":
            return float(brentq(lambda t: 2 * d * np.sin(np.radians(t)) - p["wave"], 0, 90, xtol=1e-12))
        return float(brentq(lambda w: np.degrees(np.arcsin(w / (2 * d))) - p["theta"], 0, 2 * d, xtol=1e-11))
    steps = np.array(list(product(range(5), repeat=3)), dtype=float)
    block = {}
    for ion, (place, _) in STRUCTURES[p["structure"]][0].items():
        block[ion] = np.unique((steps[:, None] + np.array(PLACES[place])[None]).reshape(-1, 3), axis=0)
    inside = {ion: int(((at >= 2) & (at < 3)).all(axis=1).sum()) for ion, at in block.items()}
    if p["kind"] in ("distance", "coordination"):
        home = block["M"][((block["M"] >= 2) & (block["M"] < 3)).all(axis=1)][:1]
        away = cdist(home, block["X"])[0]
        if p["kind"] == "distance":
            return float(away.min() * p["a"])
        return float((away < away.min() + 1e-6).sum())
    volume = (p["a"] * 1e-10) ** 3
    if p["kind"] == "density":
        return float(sum(n * p["mass"][ion] for ion, n in inside.items()) / AVOGADRO / volume)
    return float(p["rho"] * volume * AVOGADRO / np.gcd.reduce(list(inside.values())))


def given(p: Params) -> dict[str, str]:
    """What the drawing gives: symbol, and value with unit."""
    shown = {"a": f"{p['a']} pm"}
    match p["kind"]:
        case "density":
            shown |= {f"M({ion})": f"{number(m, 1)} g/mol" for ion, m in sorted(p["mass"].items())}
        case "formula mass":
            shown["ρ"] = f"{p['rho']:.2f} g/cm³"
        case "angle":
            shown["λ"] = f"{p['wave']} pm"
        case "wavelength":
            shown["θ"] = f"{p['theta']}°"
    return shown


ASKED = {
    "distance": "the shortest distance between the centres of an ion M and an ion X in pm, to one decimal place",
    "coordination": "the coordination number of M, that is, how many ions X are nearest to an ion M",
    "density": "the density of the compound in g/cm³, to two decimal places",
    "formula mass": "the molar mass of the formula unit in g/mol, to one decimal place",
    "angle": "the glancing angle θ of the first-order reflection in degrees, to one decimal place",
    "wavelength": "the wavelength of the X-rays in pm, to one decimal place",
}
USE = "Use 6.022 × 10²³ per mole. "


def where(p: Params) -> str:
    ions = STRUCTURES[p["structure"]][0]
    return ", ".join(f"ions {ion} at the {place}" for ion, (place, _) in sorted(ions.items()))


def state(p: Params) -> Statement:
    kind, shown = p["kind"], given(p)
    listed = ", ".join(f"{k} = {v}" for k, v in shown.items())
    use = USE if kind in ("density", "formula mass") else ""
    answer = answer_text(p)
    a = p["a"]
    near = distractors(Random(a), a, (-60, -40, 30, 50, 80), 0)
    facts = [Fact("How long is the edge of the cell?", f"{a} pm", (f"{near[0]} pm", f"{near[1]} pm", f"{near[2]} pm"))]
    if "plane" in p:
        rays = "X-rays are reflected in first order, at the glancing angle θ, by the family of the shaded plane"
        want = f"{rays}; the corner O of the primitive cubic cell lies in the next plane. Find {ASKED[kind]}."
        indices = " ".join(map(str, p["plane"]))
        known = f"A primitive cubic crystal has the edge a = {a} pm; {listed}. The shaded plane is ({indices})."
        corners = len(polygon(p["plane"]))
        facts.append(
            Fact("How many corners has the shaded area?", str(corners), _three(corners, (3, 4, 5, 6, 7))),
        )
        touched = sum(abs(sum(h * v for h, v in zip(p["plane"], c, strict=True)) - 1) < 1e-9 for c in CORNERS)
        facts.append(
            Fact("How many balls have their centres in the shaded plane?", str(touched), _three(touched, range(7)))
        )
    else:
        want = f"{use}Find {ASKED[kind]}."
        known = f"The cubic unit cell of an ionic compound has {where(p)}; {listed}."
        for ion, (place, _) in sorted(STRUCTURES[p["structure"]][0].items())[:2]:
            wrong = [name for name in PLACES if name != place]
            first, second, third = Random(f"{a}{ion}").sample(wrong, 3)
            facts.append(Fact(f"Where are the balls of the ion {ion}?", f"at the {place}", (first, second, third)))
        facts[1:] = [
            Fact(f.question, f.right, (f"at the {f.wrong[0]}", f"at the {f.wrong[1]}", f"at the {f.wrong[2]}"))
            for f in facts[1:]
        ]
        ions = STRUCTURES[p["structure"]][0]
        count = sum(len(PLACES[place]) for place, _ in ions.values())
        facts.append(
            Fact("How many balls are drawn in the cell altogether?", str(count), _three(count, range(7, 28, 3)))
        )
    return Statement(
        question=f"{known} {want}",
        multimodal_question=want,
        answer=answer,
        leak=(f"answer: {answer}", f"= {answer}"),
        facts=tuple(facts),
    )


def _three(right: int, others: Iterable[int]) -> tuple[str, str, str]:
    first, second, third = [str(n) for n in others if n != right][:3]
    return first, second, third


def plan(p: Params) -> Plan:
    shown = ", ".join(f"{k} = {v}" for k, v in given(p).items())
    what = f"the plane ({' '.join(map(str, p['plane']))}), corner O" if "plane" in p else where(p)
    return Plan(
        content=f"A cubic unit cell: {what}.",
        layout=f"A cube turned by {p['turn']}° and seen from {p['tilt']}° above, hidden edges dashed; shaded balls, "
        "nearer ones over farther ones; a key on the right.",
        labels=f"{shown}; the edge on a double arrow below the cell.",
        constraints="Every ball exactly at its place, one colour and size an ion. What is asked, "
        f"{ASKED[p['kind']]}, must not be shown.",
    )


def polygon(plane: Iterable[int]) -> list[Site]:
    """Corners of the part of the plane h x + k y + l z = 1 within the cell, in order around it."""
    h, k, m = plane
    found: set[Site] = set()
    for i, a in enumerate(CORNERS):
        for b in CORNERS[i + 1 :]:
            if sum(v != w for v, w in zip(a, b, strict=True)) != 1:
                continue
            fa, fb = (h * c[0] + k * c[1] + m * c[2] - 1 for c in (a, b))
            if fa * fb <= 0 and fa != fb:
                t = fa / (fa - fb)
                x, y, z = (round(v + t * (w - v), 6) for v, w in zip(a, b, strict=True))
                found.add((x, y, z))
            elif fa == fb == 0:
                found |= {a, b}
    # Ordered by the angle in the plane itself, whose directions u and v are at right angles to (h, k, l).
    middle = [sum(c[i] for c in found) / len(found) for i in range(3)]
    u = (k, -h, 0) if h or k else (1, 0, 0)
    v = (u[1] * m - u[2] * k, u[2] * h - u[0] * m, u[0] * k - u[1] * h)
    length = hypot(*u), hypot(*v)

    def turn(c: Site) -> float:
        a, b = (sum(w * (x - y) for w, x, y in zip(way, c, middle, strict=True)) for way in (u, v))
        return atan2(b / length[1], a / length[0])

    return sorted(found, key=turn)


def seen_area(p: Params) -> float:
    """Of the shaded plane as it is drawn, with an edge of 1; small if it is seen from the side."""
    view = View(p["turn"], p["tilt"], 1, (0, 0))
    corners = [view.at(c) for c in polygon(p["plane"])]
    pairs = zip(corners, [*corners[1:], corners[0]], strict=True)
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)) / 2


def _bonds(structure: str) -> list[tuple[Site, Site]]:
    """Pairs of nearest ions M and X within the cell."""
    ions, nearest, _ = STRUCTURES[structure]
    pairs = product(PLACES[ions["M"][0]], PLACES[ions["X"][0]])
    return [(a, b) for a, b in pairs if dist(a, b) < nearest + 0.01]


def draw(p: Params) -> Drawing:
    colors = dict(zip("MXQ", COLOURS[p["colors"]], strict=True))
    view = View(p["turn"], p["tilt"], 2.2, (2.15, 2.42))
    structure = p.get("drawn", p["structure"])
    parts = [inch_axes(*SIZE)]
    labels: list[Label] = []
    if "plane" in p:
        corners = [view.flat(c) for c in polygon(p.get("shaded", p["plane"]))]
        parts.append(
            f'ax.fill(*zip(*{corners}), facecolor="{colors["X"]}", alpha=0.5, edgecolor="{colors["M"]}", '
            "lw=1.6, zorder=9)"
        )
        atoms = [(c, 0.11, "#b9bec6") for c in CORNERS]
        trim = 0.11
        x, y = view.flat((0, 0, 0))
        labels.append(Label("O", x - 0.28, y - 0.1, wrong="P", style={"fontsize": 13}))
    else:
        atoms = [
            (s, RADII[ion], colors[ion]) for ion, (place, _) in STRUCTURES[structure][0].items() for s in PLACES[place]
        ]
        if structure not in ("rock salt", "rhenium trioxide"):
            parts.append(view.lines(_bonds(structure), 'color="0.7", lw=1.6'))
        trim = next(r for s, r, _ in atoms if s == (0, 0, 0))
    code, (mx, my) = view.measure(0.36)
    parts += [view.cube(trim), view.balls(atoms), code]
    shown = given(p)
    labels.append(Label(f"$a$ = {p['a']} pm", mx, my - 0.24, wrong=f"$a$ = {p['a'] + 40} pm"))
    x = 4.15
    if "plane" in p:
        parts.append(f'ax.add_patch(plt.Rectangle(({x}, 2.9), 0.3, 0.2, facecolor="{colors["X"]}", alpha=0.5))')
        labels.append(Label("plane", x + 0.45, 3, given=False, style={"ha": "left"}))
        symbol, value = list(shown.items())[1]
        wrong = f"{p['wave'] + 20} pm" if symbol == "λ" else f"{p['theta'] + 7:.1f}°"
        labels.append(Label(f"${symbol}$ = {value}", x, 2.5, wrong=f"${symbol}$ = {wrong}", style={"ha": "left"}))
    else:
        for i, ion in enumerate(sorted(STRUCTURES[p["structure"]][0])):
            y = 3.1 - 0.52 * i
            parts.append(f'ball({x + 0.2}, {y:.3f}, {RADII[ion]}, "{colors[ion]}", 20)')
            mass = p.get("mass", {}).get(ion) if p["kind"] == "density" else None
            text = f"ion {ion}" if mass is None else f"{ion}: {number(mass, 1)} g/mol"
            other = None if mass is None else f"{ion}: {number(mass + 15, 1)} g/mol"
            labels.append(Label(text, x + 0.5, y, wrong=other, style={"ha": "left", "fontsize": 11}))
        if p["kind"] == "formula mass":
            wrong = f"$ρ$ = {p['rho'] + 1.5:.2f} g/cm³"
            labels.append(
                Label(f"$ρ$ = {p['rho']:.2f} g/cm³", x, 1.35, wrong=wrong, style={"ha": "left", "fontsize": 11})
            )
    return Drawing("\n".join(parts), tuple(labels), size=SIZE)


def distort(p: Params) -> Params:
    """Another plane is shaded, or the ions are at the places of another structure."""
    if "plane" in p:
        at = PLANES.index(tuple(p["plane"]))
        return {**p, "shaded": PLANES[(at + 5) % len(PLANES)]}
    other = {"rock salt": "zinc blende", "fluorite": "rock salt", "caesium chloride": "rhenium trioxide"}
    return {**p, "drawn": other.get(p["structure"], "caesium chloride")}


FAMILY = Family(
    name="ionic_cell",
    subject=Subject.CHEMISTRY,
    image_type=ImageType.CRYSTAL_STRUCTURE,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
