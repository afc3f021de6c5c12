"""Biology, cells: an animal or a plant cell with numbered, measured organelles; real sizes and volumes asked."""

from __future__ import annotations

from fractions import Fraction
from math import atan2, cos, pi, sin
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement, distractors
from scigen.problems.procedural.placing import inch_axes
from scigen.records import ImageType, Plan, Subject

TASKS = {
    "nucleus": "holds the chromosomes",
    "mitochondrion": "carries out aerobic respiration",
    "Golgi apparatus": "modifies and packs proteins in a stack of flat sacs",
    "lysosome": "digests worn-out parts with enzymes",
    "chloroplast": "carries out photosynthesis",
    "vacuole": "is filled with cell sap",
}
"""Organelles, and what each does."""
LENGTHS = {
    "nucleus": (21, 28),
    "mitochondrion": (13, 18),
    "Golgi apparatus": (14, 19),
    "lysosome": (6, 9),
    "chloroplast": (15, 20),
    "vacuole": (34, 40),
}
"""Length in the drawing in millimetres."""
PLACES = {
    "animal": {
        "nucleus": (-0.55, 0.2, 0),
        "mitochondrion": (0.95, 0.62, 25),
        "Golgi apparatus": (0.55, -0.72, 10),
        "lysosome": (1.42, -0.12, 0),
    },
    "plant": {
        "nucleus": (-1.25, 0.45, 0),
        "mitochondrion": (-0.35, -0.98, 15),
        "chloroplast": (-0.1, 1.02, -12),
        "vacuole": (0.85, -0.1, 0),
        "Golgi apparatus": (-1.25, -0.62, 70),
    },
}
"""Centre in inches from that of the cell, and turn in degrees."""
MORE = {
    "animal": [
        ("mitochondrion", -1.3, -0.62, -35, 0.9),
        ("lysosome", 1.15, -0.5, 0, 0.8),
        ("mitochondrion", -0.1, 1.02, -8, 0.8),
    ],
    "plant": [("chloroplast", 1.45, 1.0, 15, 0.85), ("mitochondrion", 1.6, -0.95, -30, 0.8)],
}
"""Further ones without a pointer: name, place, turn, size against the measured one."""
ROUND = ("nucleus", "lysosome", "vacuole")
INCH_PER_MM = 0.038
LEVELS = {1: ("length",), 2: ("length by bar", "magnification"), 3: ("volume", "ratio")}
TINTS = (
    {"cell": "#f8efe2", "nucleus": "#b7a3cf", "mitochondrion": "#e79a6a", "Golgi apparatus": "#d98aa5"},
    {"cell": "#eef4ee", "nucleus": "#8fb3d9", "mitochondrion": "#e0a04f", "Golgi apparatus": "#b98ac2"},
    {"cell": "#f5f0f7", "nucleus": "#9fc3a8", "mitochondrion": "#d97f7f", "Golgi apparatus": "#d9b25f"},
)
FIXED = {"lysosome": "#9a7bb5", "chloroplast": "#7fb765", "vacuole": "#cfe4f2"}


def sample(rng: Random, difficulty: int) -> Params:
    """1: real length by the magnification; 2: by a scale bar; 3: volumes of round organelles."""
    while True:
        cell = rng.choice(list(PLACES))
        names = list(PLACES[cell])
        order = rng.sample(names, len(names))
        kind = rng.choice(LEVELS[difficulty])
        lengths = {name: rng.randint(*LENGTHS[name]) for name in order}
        rounds = [n for n in order if n in ROUND]
        asked = rng.sample(rounds, 2) if kind == "ratio" else [rng.choice(rounds if kind == "volume" else order)]
        p: dict[str, Any] = {
            "kind": kind,
            "cell": cell,
            "lengths": lengths,
            "asked": sorted(asked, key=lambda n: -lengths[n]),
            "times": rng.randrange(1200, 4001, 100),
            "bar": [rng.randint(14, 34), rng.choice([5, 10, 20])],
            "mirror": rng.random() < 0.5,
            "over": rng.random() < 0.5,
            "tints": rng.randrange(len(TINTS)),
        }
        if len(set(lengths.values())) < len(lengths) or p["bar"][0] in lengths.values():
            continue
        if "bar" in shown(p) and not 1000 <= 1000 * p["bar"][0] / p["bar"][1] <= 5000:
            continue
        if answer_text(p) not in {str(v) for v in (*lengths.values(), *p["bar"], p["times"])}:
            return p


def shown(p: Params) -> str:
    """Whether the scale is given by a bar or by the magnification."""
    return "bar" if p["kind"] in ("length by bar", "magnification") else "times"


def real(p: Params, name: str) -> float:
    """Length in micrometres."""
    if shown(p) == "bar":
        return float(p["lengths"][name] * p["bar"][1] / p["bar"][0])
    return float(p["lengths"][name] * 1000 / p["times"])


def answer_text(p: Params) -> str:
    first = p["asked"][0]
    match p["kind"]:
        case "magnification":
            return str(round(1000 * p["bar"][0] / p["bar"][1]))
        case "volume":
            return f"{pi / 6 * real(p, first) ** 3:.1f}"
        case "ratio":
            return f"{(p['lengths'][first] / p['lengths'][p['asked'][1]]) ** 3:.1f}"
    return f"{real(p, first):.1f}"


def solve(p: Params) -> float:
    """Lengths in metres as exact fractions; volumes as sums of thin discs (scipy)."""
    from scipy.integrate import quad

    milli, micro = Fraction(1, 1000), Fraction(1, 1_000_000)
    on_paper = {name: mm * milli for name, mm in p["lengths"].items()}
    bar_mm, bar_um = p["bar"]
    times = (bar_mm * milli) / (bar_um * micro) if shown(p) == "bar" else Fraction(p["times"])
    if p["kind"] == "magnification":
        return float(times)

    def volume(name: str) -> float:
        radius = float(on_paper[name] / times / micro) / 2
        return float(quad(lambda x: pi * (radius * radius - x * x), -radius, radius)[0])

    if p["kind"] == "volume":
        return volume(p["asked"][0])
    if p["kind"] == "ratio":
        return volume(p["asked"][0]) / volume(p["asked"][1])
    return float(on_paper[p["asked"][0]] / times / micro)


def scale(p: Params) -> str:
    if shown(p) == "bar":
        return f"a scale bar of {p['bar'][0]} mm stands for {p['bar'][1]} µm"
    return f"the magnification is {p['times']} times"


def wanted(p: Params) -> str:
    tasks = [f"the organelle that {TASKS[name]}" for name in p["asked"]]
    match p["kind"]:
        case "magnification":
            return "Find the magnification of the drawing as a whole number."
        case "volume":
            return f"Take {tasks[0]} as a sphere and find its real volume in µm³, to one decimal place."
        case "ratio":
            return (
                f"Take both as spheres. How many times the volume of {tasks[1]} is that of {tasks[0]}? "
                "Give one decimal place."
            )
    return f"Find the real length of {tasks[0]} in µm, to one decimal place."


def state(p: Params) -> Statement:
    answer, names = answer_text(p), list(p["lengths"])
    listed = ", ".join(f"{i + 1} {name} {mm} mm" for i, (name, mm) in enumerate(p["lengths"].items()))
    rng = Random(listed)
    k = rng.randrange(len(names))
    length = p["lengths"][names[k]]
    near = distractors(rng, length, (-5, -3, 4, 6, 9), 0)
    # The organelle asked for is named by what it does; the quiz asks for another one's pointer.
    other = next(name for name in rng.sample(names, len(names)) if name not in p["asked"])
    wrong = rng.sample([n for n in TASKS if n != other], 3)
    unit = {"magnification": " times", "volume": " µm³", "ratio": " times"}.get(p["kind"], " µm")
    facts = [
        Fact(f"Which organelle does the pointer {names.index(other) + 1} show?", other, (wrong[0], wrong[1], wrong[2])),
        Fact(
            f"Which length is written at the pointer {k + 1}?",
            f"{length} mm",
            (f"{near[0]} mm", f"{near[1]} mm", f"{near[2]} mm"),
        ),
        Fact(
            "What kind of cell is drawn?",
            f"{p['cell']} cell",
            ("animal cell" if p["cell"] == "plant" else "plant cell", "bacterial cell", "red blood cell"),
        ),
    ]
    if shown(p) == "bar":
        um = p["bar"][1]
        facts.append(
            Fact(
                "For which real length does the scale bar stand?",
                f"{um} µm",
                (f"{um * 2} µm", f"{um + 3} µm", f"{um * 5} µm"),
            )
        )
    else:
        m = p["times"]
        facts.append(
            Fact("Which magnification is given?", f"× {m}", (f"× {m + 300}", f"× {m - 500}", f"× {2 * m + 100}"))
        )
    return Statement(
        question=f"In a drawing of a {p['cell']} cell the organelles have these lengths: {listed}; {scale(p)}. "
        f"{wanted(p)}",
        multimodal_question="The picture shows a cell; beside the number of each pointer stands the length of the "
        f"organelle in the drawing. {wanted(p)}",
        answer=answer,
        leak=(f"answer: {answer}{unit}", f"= {answer}"),
        facts=tuple(facts),
    )


def plan(p: Params) -> Plan:
    listed = ", ".join(f"{i + 1} {name} ({mm} mm)" for i, (name, mm) in enumerate(p["lengths"].items()))
    return Plan(
        content=f"A {p['cell']} cell with {listed}; {scale(p)}.",
        layout=f"{'A rounded rectangle with a wall' if p['cell'] == 'plant' else 'An oval cell'}, each organelle "
        "in its usual shape and colour, all in proportion; thin pointers to numbers outside.",
        labels="Number and measured length at each pointer, the scale below; no names.",
        constraints="Lengths in proportion to the given ones. What is asked must not be shown: "
        f"{wanted(p)[0].lower()}{wanted(p)[1:]}",
    )


SIZE = (6.7, 4.5)
MIDDLE = (3.35, 2.55)
HALF = (2.15, 1.5)
"""Half the axes of the cell in inches."""

SHAPES = """
Ellipse, Box = plt.matplotlib.patches.Ellipse, plt.matplotlib.patches.FancyBboxPatch
def turned(points, x, y, degrees):
    a = np.radians(degrees)
    return points @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) + [x, y]
def organelle(name, x, y, degrees, length, color):
    if name in ("nucleus", "lysosome", "vacuole"):
        ax.add_patch(Ellipse((x, y), length, length, facecolor=color, edgecolor="0.25", lw=1.7))
    if name == "nucleus":
        ax.add_patch(Ellipse((x, y), 0.9 * length, 0.9 * length, fill=False, edgecolor="0.35", lw=0.9))
        ax.add_patch(Ellipse((x + 0.1 * length, y + 0.08 * length), 0.3 * length, 0.3 * length, facecolor="0.35", lw=0))
    if name in ("mitochondrion", "chloroplast"):
        ax.add_patch(Ellipse((x, y), length, 0.5 * length, angle=degrees, facecolor=color, edgecolor="0.25", lw=1.7))
    if name == "mitochondrion":
        u = np.linspace(-0.38, 0.38, 13)
        v = 0.15 * np.sqrt(1 - (u / 0.46) ** 2) * np.where(np.arange(13) % 2, 1, -1)
        ax.plot(*turned(length * np.c_[u, v], x, y, degrees).T, color="0.3", lw=1.2)
    if name == "chloroplast":
        for u in (-0.28, 0, 0.28):
            for v in (-0.09, -0.03, 0.03, 0.09):
                ends = turned(length * np.array([[u - 0.09, v], [u + 0.09, v]]), x, y, degrees)
                ax.plot(*ends.T, color="#2f6b2f", lw=1.8, solid_capstyle="round")
    if name == "Golgi apparatus":
        u = np.linspace(-0.5, 0.5, 30)
        for k, part in enumerate((1, 0.92, 0.8, 0.62)):
            sac = turned(length * np.c_[part * u, 0.16 * (k - 1.5) - 0.5 * (part * u) ** 2], x, y, degrees)
            ax.plot(*sac.T, color="0.25", lw=6.4, solid_capstyle="round")
            ax.plot(*sac.T, color=color, lw=4.2, solid_capstyle="round")
"""


def _at(p: Params, x: float, y: float) -> tuple[float, float]:
    """From the cell's own directions to inches, mirrored as the parameters say."""
    return MIDDLE[0] + (-x if p["mirror"] else x), MIDDLE[1] + (-y if p["over"] else y)


def _turn(p: Params, degrees: int) -> int:
    return -degrees if p["mirror"] != p["over"] else degrees


def draw(p: Params) -> Drawing:
    tints: dict[str, str] = {**TINTS[p["tints"]], **FIXED}
    stretch = p.get("stretch", 1.0)
    rows = []
    for name, x, y, turn, size in MORE[p["cell"]]:
        rows.append(
            (name, *_round(_at(p, x, y)), _turn(p, turn), p["lengths"].get(name, 7) * INCH_PER_MM * size, tints[name])
        )
    for name, mm in p["lengths"].items():
        x, y, turn = PLACES[p["cell"]][name]
        rows.append((name, *_round(_at(p, x, y)), _turn(p, turn), mm * INCH_PER_MM * stretch, tints[name]))
    rows = [(n, x, y, turn, round(size, 4), color) for n, x, y, turn, size, color in rows]
    left, low = MIDDLE[0] - HALF[0], MIDDLE[1] - HALF[1]
    if p["cell"] == "plant":
        outline = (
            f"ax.add_patch(Box(({left:.3f}, {low:.3f}), {2 * HALF[0]}, {2 * HALF[1]}, "
            'boxstyle="round,pad=0,rounding_size=0.35", facecolor="#b9cf9a", edgecolor="0.2", lw=1.8))\n'
            f"ax.add_patch(Box(({left + 0.09:.3f}, {low + 0.09:.3f}), "
            f"{2 * HALF[0] - 0.18:.2f}, {2 * HALF[1] - 0.18:.2f}, "
            f'boxstyle="round,pad=0,rounding_size=0.28", facecolor="{tints["cell"]}", edgecolor="0.3", lw=1.4))'
        )
    else:
        outline = (
            f"ax.add_patch(Ellipse({MIDDLE}, {2 * HALF[0]}, {2 * HALF[1]}, "
            f'facecolor="{tints["cell"]}", edgecolor="0.2", lw=2.2))'
        )
    pointers, labels = [], []
    for i, (name, (tip, end)) in enumerate(zip(p["lengths"], _pointers(p), strict=True)):
        mm = p["lengths"][name]
        pointers.append([[round(tip[0], 3), round(end[0], 3)], [round(tip[1], 3), round(end[1], 3)]])
        dx, dy = (end[0] - MIDDLE[0]) / HALF[0], (end[1] - MIDDLE[1]) / HALF[1]
        aside = 1.05 if p["cell"] == "plant" else 0.45
        side = "left" if dx > aside else "right" if dx < -aside else "center"
        x, y = (
            (end[0] + (0.06 if dx > 0 else -0.06), end[1])
            if side != "center"
            else (end[0], end[1] + (0.13 if dy > 0 else -0.13))
        )
        labels.append(
            Label(f"{i + 1}: {mm} mm", x, y, wrong=f"{i + 1}: {mm + 11} mm", style={"ha": side, "fontsize": 11})
        )
    x0 = SIZE[0] / 2
    extra = ""
    if shown(p) == "bar":
        mm, um = p["bar"]
        half = mm * INCH_PER_MM / 2
        ends = [round(x0 - half, 3), round(x0 + half, 3)]
        extra = f"ax.plot({ends}, [0.3, 0.3], color='black', lw=3, solid_capstyle='butt')\n"
        extra += f"for x in {ends}:\n    ax.plot([x, x], [0.23, 0.37], color='black', lw=1.4)"
        labels.append(Label(f"{um} µm", x0 + half + 0.15, 0.3, wrong=f"{um * 4} µm", style={"ha": "left"}))
        labels.append(Label(f"bar: {mm} mm", x0 - half - 0.15, 0.3, wrong=f"bar: {mm + 12} mm", style={"ha": "right"}))
    else:
        labels.append(Label(f"magnification × {p['times']}", x0, 0.3, wrong=f"magnification × {p['times'] + 700}"))
    nx, ny = _at(p, *PLACES[p["cell"]]["nucleus"][:2])
    nucleus = p["lengths"]["nucleus"] * INCH_PER_MM / 2
    way = 180 if p["mirror"] else 0
    body = f"""{inch_axes(*SIZE)}
{SHAPES.strip()}
{outline}
for k, radius in enumerate(({nucleus + 0.1:.3f}, {nucleus + 0.2:.3f})):
    a = np.radians({way} + np.linspace(-50 + 8 * k, 50 - 8 * k, 40))
    u, v = np.cos(a), np.sin(a)
    ax.plot({nx:.3f} + radius * u, {ny:.3f} + radius * v, color="#8a9bb8", lw=2.2, solid_capstyle="round")
    radius += 0.035
    ax.plot({nx:.3f} + radius * u[::4], {ny:.3f} + radius * v[::4], ".", color="0.25", markersize=3)
for row in {rows}:
    organelle(*row)
for xs, ys in {pointers}:
    ax.plot(xs, ys, color="0.15", lw=1)
    ax.plot(xs[0], ys[0], "o", color="0.15", markersize=3.5)
{extra}
"""
    return Drawing(body, tuple(labels), size=SIZE)


def _round(at: tuple[float, float]) -> tuple[float, float]:
    return round(at[0], 3), round(at[1], 3)


def _pointers(p: Params) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Where each pointer starts (in the organelle) and ends (outside the cell), by the direction from the centre."""
    tips = []
    for name in p["lengths"]:
        x, y, _ = PLACES[p["cell"]][name]
        reach = p["lengths"][name] * INCH_PER_MM * (0.28 if name == "nucleus" else 0.1)
        away = (x * x + y * y) ** 0.5
        tips.append(_at(p, x + reach * x / away, y + reach * y / away))
    found = []
    for x, y in tips:
        turn = atan2((y - MIDDLE[1]) / HALF[1], (x - MIDDLE[0]) / HALF[0])
        u, v = cos(turn), sin(turn)
        if p["cell"] == "plant":
            u, v = u / max(abs(u), abs(v)), v / max(abs(u), abs(v))
        found.append(((x, y), (MIDDLE[0] + 1.09 * HALF[0] * u, MIDDLE[1] + 1.09 * HALF[1] * v)))
    return found


def distort(p: Params) -> Params:
    """The measured organelles are drawn far too small."""
    return {**p, "stretch": 0.5}


FAMILY = Family(
    name="cell_organelles",
    subject=Subject.BIOLOGY,
    image_type=ImageType.CELL_DIAGRAM,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
