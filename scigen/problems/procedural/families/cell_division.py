"""Biology, cells: a dividing cell with its chromosomes; chromosomes, chromatids, DNA, gametes or a zygote asked."""

from __future__ import annotations

from itertools import product
from math import cos, radians, sin
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement, distractors, number
from scigen.problems.procedural.placing import inch_axes
from scigen.records import ImageType, Plan, Subject

STAGES = {
    "mitosis": ("prophase", "metaphase", "anaphase"),
    "meiosis": ("metaphase I", "anaphase I", "metaphase II", "anaphase II"),
}
LEVELS = {1: ("chromosomes", "chromatids"), 2: ("DNA", "body cell"), 3: ("assortments", "zygote", "gamete DNA")}
COLOURS = (("#c0504d", "#3f6fb0"), ("#b8579a", "#3d8f6a"), ("#d08a2e", "#5a57a6"), ("#2f8f9b", "#a8503a"))
"""Of the chromosomes from one parent, and from the other."""


def sample(rng: Random, difficulty: int) -> Params:
    """1: counting; 2: back to the body cell; 3: gametes, also after a wrong separation in anaphase I."""
    while True:
        kind = rng.choice(LEVELS[difficulty])
        division = "meiosis" if kind == "zygote" else rng.choice(list(STAGES))
        stage = "anaphase I" if kind == "zygote" else rng.choice(STAGES[division])
        n = rng.randint(2, 4)
        p: dict[str, Any] = {
            "kind": kind,
            "division": division,
            "stage": stage,
            "sizes": sorted(rng.sample(range(20, 41, 2), n), reverse=True),
            "mix": [rng.random() < 0.5 for _ in range(n)],
            "turn": [rng.randrange(-40, 41, 5) for _ in range(2 * n)],
            "upright": rng.random() < 0.6,
            "colors": rng.randrange(len(COLOURS)),
            "dna": rng.randrange(20, 160, 2) / 10,
            "wrong": rng.choice([-1, 1]) if kind == "zygote" else 0,
        }
        shown = f"{number(p['dna'], 1)}"
        if answer_text(p) != shown:
            return p


def haploid(p: Params) -> int:
    return len(p["sizes"])


def drawn(p: Params) -> tuple[int, int]:
    """Chromosomes in the drawn cell, and chromatids of each."""
    n, stage = haploid(p), p["stage"]
    return {
        "prophase": (2 * n, 2),
        "metaphase": (2 * n, 2),
        "anaphase": (4 * n, 1),
        "metaphase I": (2 * n, 2),
        "anaphase I": (2 * n, 2),
        "metaphase II": (n, 2),
        "anaphase II": (2 * n, 1),
    }[stage]


def answer_text(p: Params) -> str:
    n, (count, each) = haploid(p), drawn(p)
    match p["kind"]:
        case "chromosomes":
            return str(count)
        case "chromatids":
            return str(count * each)
        case "body cell":
            return str(2 * n)
        case "assortments":
            return str(2**n)
        case "zygote":
            return str(2 * n + p["wrong"])
        case "gamete DNA":
            return f"{p['dna'] / (2 if p['stage'].endswith('II') else 4):.2f}"
    return f"{p['dna'] * (1 if p['stage'].endswith('II') else 2):.1f}"


def solve(p: Params) -> float:
    """The cell followed from interphase on, chromosome by chromosome, its chromatids counted."""
    pairs = range(haploid(p))
    cell = {(pair, parent): 2 for pair in pairs for parent in "mf"}
    single = p["dna"] / len(cell)
    if p["stage"].endswith("II"):
        cell = {(pair, parent): two for (pair, parent), two in cell.items() if parent == "m"}
    apart = p["stage"] in ("anaphase", "anaphase II")
    chromatids = [c for c, two in cell.items() for _ in range(two)]
    match p["kind"]:
        case "chromosomes":
            return float(len(chromatids) if apart else len(cell))
        case "chromatids":
            return float(len(chromatids))
        case "DNA":
            return float(len(chromatids) * single)
        case "gamete DNA":
            # Here the given mass is that of the drawn cell.
            share = p["dna"] / len(chromatids)
            return float(share * len({pair for pair, _ in chromatids}))
        case "body cell":
            return float(2 * len({pair for pair, _ in cell}))
        case "assortments":
            return float(len({tuple(zip(pairs, way, strict=True)) for way in product("mf", repeat=len(pairs))}))
    upper = [c for c in cell if c[1] == "m"]
    if p["wrong"] > 0:
        upper.append((0, "f"))
    else:
        upper.remove((0, "m"))
    return float(len(upper) + len(list(pairs)))


ASKED = {
    "chromosomes": "How many chromosomes (count the centromeres) does the drawn cell contain?",
    "chromatids": "How many chromatids does the drawn cell contain? A chromosome with one thread counts as one.",
    "DNA": "How many picograms of DNA does the drawn cell contain, to one decimal place?",
    "body cell": "How many chromosomes has a body cell of this species before it doubles its DNA?",
    "assortments": "How many different gametes can one individual form if its chromosomes assort independently and do "
    "not cross over?",
    "zygote": "The second division is normal. A gamete from the cell marked P fuses with a normal "
    "gamete. How many chromosomes has the zygote?",
    "gamete DNA": "How many picograms of DNA are in one normal gamete of this species, to two decimal places?",
}
SHORT = {
    "chromosomes": "number of chromosomes",
    "chromatids": "number of chromatids",
    "DNA": "DNA content of the drawn cell",
    "body cell": "number of chromosomes of a body cell",
    "assortments": "number of different gametes",
    "zygote": "number of chromosomes of the zygote",
    "gamete DNA": "DNA content of a gamete",
}


def mass(p: Params) -> str:
    """The given mass of DNA as the drawing words it, or nothing."""
    where = {"DNA": "body cell in G₁", "gamete DNA": "drawn cell"}.get(p["kind"])
    return f"{where}: {number(p['dna'], 1)} pg DNA" if where else ""


def described(p: Params) -> str:
    """What the drawing shows, in words."""
    count, each = drawn(p)
    n = haploid(p)
    threads = "two chromatids" if each == 2 else "one thread"
    text = f"{count} chromosomes of {threads} each"
    if p["stage"] == "metaphase I":
        text = f"{n} pairs of homologous chromosomes, of {threads} each, at the equator"
    elif p["stage"].startswith("metaphase"):
        text += " in a row at the equator"
    elif p["stage"].startswith("anaphase"):
        up = count // 2 + p["wrong"]
        text += f", {up} on the way to the pole P and {count - up} on the way to the other"
    return text


def state(p: Params) -> Statement:
    answer = answer_text(p)
    asked = ASKED[p["kind"]]
    given = f" Given: {mass(p)}." if mass(p) else ""
    unit = {"DNA": " pg", "gamete DNA": " pg", "chromatids": " chromatids", "assortments": " gametes"}
    stages = ["prophase", "metaphase", "anaphase"]
    now = p["stage"].split()[0]
    other = [s for s in [*stages, "telophase"] if s != now]
    threads = "two chromatids" if drawn(p)[1] == 2 else "one chromatid"
    wrong = ["one chromatid", "two chromatids", "three chromatids", "four chromatids"]
    wrong.remove(threads)
    facts = [
        Fact("In which phase of the division is the cell?", now, (other[0], other[1], other[2])),
        Fact("Of how many chromatids is each drawn chromosome made?", threads, (wrong[0], wrong[1], wrong[2])),
        Fact(
            "Which kind of division is named?",
            p["division"],
            ("meiosis" if p["division"] == "mitosis" else "mitosis", "binary fission", "budding"),
        ),
    ]
    if mass(p):
        value = float(p["dna"])
        near = distractors(Random(value), value, (-0.6, 1.4, 2.6, 4.2, value + 0.2), 1)
        facts.append(
            Fact(
                "Which mass of DNA is given?",
                f"{number(value, 1)} pg",
                (f"{near[0]} pg", f"{near[1]} pg", f"{near[2]} pg"),
            )
        )
    return Statement(
        question=f"A cell of an animal is in {p['stage']} of {p['division']}: {described(p)}.{given} {asked}",
        multimodal_question=f"The picture shows a cell of an animal in division. {asked}",
        answer=answer,
        leak=(f"answer: {answer}{unit.get(p['kind'], ' chromosomes')}", f"= {answer}"),
        facts=tuple(facts),
    )


def plan(p: Params) -> Plan:
    return Plan(
        content=f"A cell in {p['stage']} of {p['division']}: {described(p)}.",
        layout="A round cell, two poles with centrioles and thin spindle fibres, chromosomes in two colours, one a "
        "parent; homologous chromosomes of equal length.",
        labels=f"The kind of division, P at one pole, a pointer to the membrane{'; ' + mass(p) if mass(p) else ''}.",
        constraints=f"Each chromosome can be counted, none overlap. The {SHORT[p['kind']]} is asked and must not be "
        "shown; the phase is not named.",
    )


SIZE = (5.6, 4.4)
MIDDLE = (2.8, 2.2)
WIDE, HIGH = 2.05, 1.6
"""Half the axes of the cell in inches, across and along the spindle."""


def layout(p: Params) -> list[tuple[float, float, int, int, float, int]]:
    """Each chromosome: across, along, size, parent (0 or 1), turn in degrees, way it moves (0: two threads)."""
    sizes, mix, stage = list(p["sizes"]), list(p["mix"]), p["stage"]
    n = len(sizes)
    every = [(s, k) for s in sizes for k in (0, 1)]
    if stage == "prophase":
        found = []
        for i, (s, k) in enumerate(every):
            columns = n
            x = 2.5 * ((i // 2 + 0.5) / columns - 0.5)
            y = 0.42 if (i + i // 2) % 2 else -0.42
            found.append((x, y, s, k, float(p["turn"][i]), 0))
        return found
    if stage == "metaphase":
        return [((i - n + 0.5) * 0.4, 0.0, s, k, 0.0, 0) for i, (s, k) in enumerate(every)]
    if stage == "metaphase I":
        row = []
        for i, (s, m) in enumerate(zip(sizes, mix, strict=True)):
            x = (i - (n - 1) / 2) * 0.82
            row += [(x, 0.2, s, int(m), 90.0, 0), (x, -0.2, s, int(not m), 90.0, 0)]
        return row
    if stage == "metaphase II":
        return [
            ((i - (n - 1) / 2) * 0.6, 0.0, s, int(m), 0.0, 0) for i, (s, m) in enumerate(zip(sizes, mix, strict=True))
        ]
    if stage == "anaphase I":
        up = [(s, int(m)) for s, m in zip(sizes, mix, strict=True)]
        down = [(s, int(not m)) for s, m in zip(sizes, mix, strict=True)]
        if p["wrong"] > 0:
            up.append(down.pop())
        elif p["wrong"] < 0:
            down.append(up.pop())
        groups, way = ((0.78, up), (-0.78, down)), 0
    else:
        same = every if stage == "anaphase" else [(s, int(m)) for s, m in zip(sizes, mix, strict=True)]
        groups, way = ((0.72, same), (-0.72, same)), 1
    gap = 0.5 if way == 0 else 0.38
    return [
        ((i - (len(group) - 1) / 2) * gap, y, s, k, 0.0, way * (1 if y > 0 else -1))
        for y, group in groups
        for i, (s, k) in enumerate(group)
    ]


def _threads(x: float, y: float, size: int, turn: float, way: int) -> list[list[tuple[float, float]]]:
    """The polylines of one chromosome: two bowed threads that touch, or one bent towards its pole."""
    half = size / 100 * 0.8
    steps = [k / 6 - 1 for k in range(13)]
    if way:
        return [[(x + t * 0.12, y + way * (0.12 - half * 1.3 * abs(t) ** 1.3)) for t in steps]]
    lines = []
    a = radians(turn)
    for side in (-1, 1):
        line = [(side * (0.028 + 0.085 * t * t), half * t) for t in steps]
        lines.append([(x + u * cos(a) - v * sin(a), y + u * sin(a) + v * cos(a)) for u, v in line])
    return lines


def _place(p: Params, x: float, y: float) -> tuple[float, float]:
    """From the cell's own directions (across, along the spindle) to inches."""
    u, v = (x, y) if p["upright"] else (y * 1.2, x)
    return round(MIDDLE[0] + u, 3), round(MIDDLE[1] + v, 3)


def draw(p: Params) -> Drawing:
    lost = p.get("lost", 0)
    q = {**p, "sizes": p["sizes"][lost:], "mix": p["mix"][lost:]} if lost else p
    chromosomes = layout(q)
    strands, dots, fibres = [], [], []
    poles = [_place(p, 0, 1.38), _place(p, 0, -1.38)]
    for x, y, size, parent, turn, way in chromosomes:
        color = COLOURS[p["colors"]][parent]
        strands += [([_place(p, *at) for at in line], color) for line in _threads(x, y, size, turn, way)]
        at = _place(p, x, y + 0.12 * way)
        dots.append(at)
        if p["stage"] != "prophase":
            if p["stage"].startswith("anaphase") or p["stage"] == "metaphase I":
                fibres.append([poles[0 if y > 0 else 1], at])
            else:
                fibres += [[poles[0], at], [poles[1], at]]
    wide, high = (WIDE, HIGH) if p["upright"] else (HIGH * 1.25, WIDE * 0.87)
    if p["stage"] == "prophase":
        nucleus = _place(p, 0, 0)
        inner = (
            f"ax.add_patch(plt.matplotlib.patches.Ellipse({nucleus}, {1.62 * wide:.3f}, {1.35 * high:.3f}, fill=False, "
        )
        inner += 'edgecolor="0.5", lw=1.3, linestyle="--"))'
    else:
        inner = ""
    body = f"""{inch_axes(*SIZE)}
ax.add_patch(plt.matplotlib.patches.Ellipse({MIDDLE}, {2 * wide:.3f}, {2 * high:.3f},
                                            facecolor="#fbf6e6", edgecolor="0.2", lw=2))
{inner}
for (x1, y1), (x2, y2) in {fibres}:
    ax.plot([x1, x2], [y1, y2], color="0.72", lw=0.9, zorder=1.5)
for x, y in {poles}:
    ax.add_patch(plt.Rectangle((x - 0.07, y - 0.03), 0.14, 0.06, facecolor="#7fae6b", edgecolor="0.25", lw=1))
    ax.add_patch(plt.Rectangle((x - 0.03, y - 0.07), 0.06, 0.14, facecolor="#a9cf98", edgecolor="0.25", lw=1))
for points, color in {strands}:
    ax.plot(*zip(*points), color="0.15", lw=6.2, solid_capstyle="round", zorder=2)
for points, color in {strands}:
    ax.plot(*zip(*points), color=color, lw=4.6, solid_capstyle="round", zorder=3)
for x, y in {dots}:
    ax.plot(x, y, "o", color="0.1", markersize=3.6, zorder=4)
"""
    px, py = poles[0]
    corner = (MIDDLE[0] + wide * cos(radians(-38)), MIDDLE[1] + high * sin(radians(-38)))
    pointer = [round(corner[0], 3), round(corner[0] + 0.22, 3)], [round(corner[1], 3), round(corner[1] - 0.3, 3)]
    body += f"ax.plot({pointer[0]}, {pointer[1]}, color='0.3', lw=1.1)\n"
    labels = [
        Label(
            p["division"],
            0.15,
            4.15,
            wrong="meiosis" if p["division"] == "mitosis" else "mitosis",
            style={"ha": "left", "fontweight": "bold"},
        ),
        Label("P", *((px + 0.24, py) if p["upright"] else (px, py + 0.24)), wrong="Q", style={"style": "italic"}),
        Label(
            "membrane",
            min(corner[0] + 0.26, SIZE[0] - 0.45),
            corner[1] - 0.42,
            wrong="cell wall",
            style={"fontsize": 11},
        ),
    ]
    if mass(p):
        wrong = mass(p).replace(number(p["dna"], 1), number(p["dna"] + 2.2, 1))
        labels.append(Label(mass(p), SIZE[0] - 0.15, 4.15, wrong=wrong, style={"ha": "right"}))
    return Drawing(body, tuple(labels), size=SIZE)


def distort(p: Params) -> Params:
    """The longest chromosomes are missing."""
    return {**p, "lost": 1}


FAMILY = Family(
    name="cell_division",
    subject=Subject.BIOLOGY,
    image_type=ImageType.CELL_DIAGRAM,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
