"""Biology, genetics: a Punnett square with its gametes. Glance: how many offspring show the dominant trait?"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from random import Random

from scigen.problems.procedural.canvas import glance_script
from scigen.problems.procedural.family import Drawing, Fact, Family, Glance, Label, Params, Statement
from scigen.records import ImageType, Plan, Subject

LETTERS = "ABDEGHQRT"
"""Letters whose capital and small forms look different."""
MONO = (("Aa", "Aa"), ("Aa", "aa"), ("AA", "Aa"), ("AA", "aa"))
DI = (("AaBb", "AaBb"), ("AaBb", "aabb"), ("AaBb", "Aabb"), ("AaBb", "aaBb"))
ASKED = {1: "dominant", 2: "heterozygous", 3: "both dominant"}


def sample(rng: Random, difficulty: int) -> Params:
    """Difficulty 1: share of dominant offspring; 2: share of heterozygous ones; 3: two genes, 16 offspring."""
    letters = rng.sample(LETTERS, 2)
    parents = rng.choice(DI if difficulty == 3 else MONO[:3] if difficulty == 2 else MONO)
    table = str.maketrans({"A": letters[0], "a": letters[0].lower(), "B": letters[1], "b": letters[1].lower()})
    mother, father = (parent.translate(table) for parent in rng.sample(parents, 2))
    size = 4 if difficulty == 3 else 2
    return {
        "asked": ASKED[difficulty],
        "mother": mother,
        "father": father,
        "filled": rng.randint(0, size - 1),
        "lines": size,
    }


def gametes(parent: str) -> list[str]:
    """All gametes of a genotype such as "Aa" or "AaBb", in the usual order."""
    return ["".join(g) for g in product(*(parent[i : i + 2] for i in range(0, len(parent), 2)))]


def cross(first: str, second: str) -> str:
    """Genotype of an offspring of two gametes, capitals first."""
    return "".join("".join(sorted(pair)) for pair in zip(first, second, strict=True))


def offspring(p: Params) -> list[str]:
    """Genotypes row by row: one row a gamete of the father, one column a gamete of the mother."""
    return [cross(m, f) for f in gametes(p["father"]) for m in gametes(p["mother"])]


def count(p: Params) -> int:
    """How many cells of the square have what is asked."""
    if p["asked"] == "heterozygous":
        return sum(o[0].isupper() != o[1].isupper() for o in offspring(p))
    return sum(all(o[i].isupper() for i in range(0, len(o), 2)) for o in offspring(p))


def mistaken(parent: str) -> str:
    """Another genotype of the same genes: heterozygous pairs become recessive, the others heterozygous."""
    pairs = [parent[i : i + 2] for i in range(0, len(parent), 2)]
    return "".join(q.lower() if q[0] != q[1] else q[0].upper() + q[1].lower() for q in pairs)


def state(p: Params) -> Statement:
    n, mother, father = count(p), p["mother"], p["father"]
    cells = len(offspring(p))
    if p["asked"] == "both dominant":
        want = "Of the 16 cells, how many offspring show both dominant traits?"
        answer, leak = str(n), (f"{n} of 16", f"{n}/16")
    else:
        what = "show the dominant trait" if p["asked"] == "dominant" else "are heterozygous"
        want = f"What percentage of the offspring {what}? Give a whole number."
        answer = str(100 * n // cells)
        leak = (f"{answer} %", f"{n} of {cells}")
    big, small = mother[0].upper(), mother[0].lower()
    others = [g for g in (big + big, big + small, small + small) if g != mother]
    if len(mother) == 4:
        x, y = mother[0].upper(), mother[2].upper()
        every = [a + b for a in (x + x, x + x.lower(), x.lower() * 2) for b in (y + y, y + y.lower(), y.lower() * 2)]
        others = [g for g in every if g != mother]
    third = f"{big}{big}{big}" if len(others) < 3 else others[2]
    # The cell asked for in the quiz is the last one, which is never filled in.
    last = offspring(p)[-1]
    wrong = [o for o in dict.fromkeys([*offspring(p), *others, mother, father, third]) if o != last][:3]
    return Statement(
        question=f"A mother with the genotype {mother} and a father with the genotype {father} are crossed; capital "
        f"letters are dominant{' and the genes assort independently' if cells == 16 else ''}. {want}",
        multimodal_question=f"Capital letters are dominant. {want}",
        answer=answer,
        leak=leak,
        facts=(
            Fact("What is the genotype of the mother?", mother, (others[0], others[1], third), f"mother: {mother}"),
            Fact(
                "How many offspring cells has the square?",
                str(cells),
                ("6", "9", "12"),
                f"{p['lines']} gametes of each parent",
            ),
            Fact(
                "Which genotype belongs in the bottom right cell?",
                last,
                (wrong[0], wrong[1], wrong[2]),
                "the last gamete of each parent",
            ),
        ),
    )


def plan(p: Params) -> Plan:
    what = (
        "number of offspring with both dominant traits"
        if p["asked"] == "both dominant"
        else f"percentage of {p['asked']} offspring"
    )
    size = len(gametes(p["mother"]))
    return Plan(
        content=f"A Punnett square of {size} by {size} cells for the parents {p['mother']} and {p['father']}.",
        layout="A square grid; the mother's gametes head the columns, the father's the rows.",
        labels=f"mother: {p['mother']} above, father: {p['father']} on the left, gametes at the heads; "
        f"{p['filled'] or 'none'} of the cells filled in, from the top left.",
        constraints=f"Each cell combines its two gametes. The {what} is asked and must not be shown.",
    )


def draw(p: Params) -> Drawing:
    lines = p["lines"]
    columns, rows = gametes(p["mother"]), gametes(p["father"])
    size = len(columns)
    body = f"""
        fig.subplots_adjust(0.02, 0.02, 0.98, 0.98)
        ax.fill([0, 4, 4, 0], [4, 4, 4.7, 4.7], facecolor="#fbe3e4", edgecolor="black", linewidth=1.8)
        ax.fill([0, 0, -0.9, -0.9], [0, 4, 4, 0], facecolor="#dfeafa", edgecolor="black", linewidth=1.8)
        for t in np.linspace(0, 4, {lines + 1}):
            ax.plot([t, t], [0, 4.7], color="black", linewidth=1.8)
            ax.plot([-0.9, 4], [t, t], color="black", linewidth=1.8)
        ax.set_xlim(-1.9, 4.6)
        ax.set_ylim(-0.2, 6.1)
        ax.set_aspect("equal")
        ax.axis("off")
    """
    step = 4 / size
    font = {"fontsize": 14 if size == 2 else 12, "style": "italic"}
    m, f = p["mother"], p["father"]
    labels = [
        Label(f"mother: {m}", 2, 5.05, wrong=f"mother: {mistaken(m)}"),
        Label(f"father: {f}", -1.3, 2, wrong=f"father: {mistaken(f)}", style={"rotation": 90}),
    ]
    for i in range(size):
        middle = step * (i + 0.5)
        labels.append(Label(columns[i], middle, 4.35, given=False, style=font))
        labels.append(Label(rows[i], -0.45, 4 - middle, given=False, style=font))
    for i, genotype in enumerate(offspring(p)[: p["filled"]]):
        x, y = step * (i % size + 0.5), 4 - step * (i // size + 0.5)
        labels.append(Label(genotype, x, y, given=False, style={**font, "color": "gray"}))
    return Drawing(body, tuple(labels), size=(4.6, 4.4))


def distort(p: Params) -> Params:
    """The grid has one row and one column too many."""
    return {**p, "lines": p["lines"] + 1}


COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4}


def glance_sample(rng: Random, answer: str) -> Params:
    return {
        "cells": sorted(rng.sample(range(4), COUNTS[answer])),
        "side": rng.choice([32, 34, 36]),
        "x": rng.randrange(-8, 9, 2),
        "y": rng.randrange(-8, 9, 2),
        "color": rng.choice(["black", "tab:blue", "tab:red", "tab:green"]),
    }


def glance_draw(p: Params) -> str:
    return glance_script(f"""
        x, y, side = 48 + {p["x"]}, 48 + {p["y"]}, {p["side"]}
        for i in range(4):
            left, low = x - side * (1 - i % 2), y - side * (i // 2)
            ax.fill([left, left + side, left + side, left], [low, low, low + side, low + side],
                    facecolor="{p["color"]}" if i in {list(p["cells"])} else "white", edgecolor="gray", linewidth=2)
    """)


def solve(p: Params) -> float:
    """By the product of the genes' probabilities, without the square."""
    share = Fraction(1)
    for i in range(0, len(p["mother"]), 2):
        small = [Fraction(sum(a.islower() for a in parent[i : i + 2]), 2) for parent in (p["mother"], p["father"])]
        if p["asked"] == "heterozygous":
            share *= small[0] * (1 - small[1]) + small[1] * (1 - small[0])
        else:
            share *= 1 - small[0] * small[1]
    return float(share * (16 if p["asked"] == "both dominant" else 100))


FAMILY = Family(
    name="punnett_square",
    subject=Subject.BIOLOGY,
    image_type=ImageType.GENETICS,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
    glance=Glance(
        question="The dark cells of this Punnett square show the dominant trait. How many offspring show it?",
        answers=tuple(COUNTS),
        sample=glance_sample,
        draw=glance_draw,
        content=("cells", "side", "x", "y"),
    ),
)
