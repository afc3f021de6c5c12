"""Universal, tables: a table from which a density, a mean speed or a missing count follows. Glance: shaded cells."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np

from scigen.problems.procedural.canvas import COLORS, EVEN, glance_script
from scigen.problems.procedural.family import Drawing, Fact, Family, Glance, Label, Params, Statement, distractors
from scigen.records import ImageType, Plan, Subject

HEADS = {
    "density": ("Sample", "Mass (g)", "Volume (cm³)"),
    "speed": ("Leg", "Distance (km)", "Time (h)"),
    "missing": ("", "Bus", "Car", "Total"),
}
ROWS = {"density": ("A", "B", "C"), "speed": ("1st", "2nd", "3rd"), "missing": ("Girls", "Boys", "All")}


def sample(rng: Random, difficulty: int) -> Params:
    """1: density of one sample; 2: mean speed of three legs; 3: the empty cell of a two-way table. Whole answers.

    `cells` holds the numbers row by row, None for an empty cell; all numbers of a table differ.
    """
    kind = ("density", "speed", "missing")[difficulty - 1]
    while True:
        asked = 0
        if kind == "density":
            cells: list[list[int | None]] = [[(v := rng.randint(4, 30)) * rng.randint(2, 9), v] for _ in range(3)]
            asked = rng.randrange(3)
        elif kind == "speed":
            cells = [[rng.randint(8, 90), rng.randint(1, 6)] for _ in range(3)]
            if sum(r[0] or 0 for r in cells) % sum(r[1] or 0 for r in cells):
                continue
        else:
            a, b, c, d = (rng.randint(5, 40) for _ in range(4))
            # The asked cell d follows in two steps: the total of the cars, then the boys among them.
            cells = [[a, b, None], [c, None, None], [a + c, None, a + b + c + d]]
            asked = d
        numbers = [n for row in cells for n in row if n is not None]
        if len(set(numbers)) == len(numbers):
            return {"kind": kind, "cells": cells, "asked": asked, "rows": 3}


def answer_value(p: Params) -> int:
    cells = p["cells"]
    match p["kind"]:
        case "density":
            mass, volume = cells[p["asked"]]
            return int(mass // volume)
        case "speed":
            return int(sum(r[0] for r in cells) // sum(r[1] for r in cells))
        case _:
            return int(cells[2][2] - cells[2][0] - cells[0][1])


def state(p: Params) -> Statement:
    kind, cells = p["kind"], p["cells"]
    heads, rows = HEADS[kind][1:], ROWS[kind]
    listed = "; ".join(
        f"{row}: " + ", ".join(f"{head} {n}" for head, n in zip(heads, numbers, strict=True) if n is not None)
        for row, numbers in zip(rows, cells, strict=True)
    )
    asked, leak = {
        "density": (f"Find the density of sample {rows[p['asked'] % 3]} in g/cm³.", "density = {} g/cm³"),
        "speed": ("Find the mean speed of the whole trip in km/h.", "mean speed = {} km/h"),
        "missing": ("How many boys come by car?", "{} boys by car"),
    }[kind]
    answer = str(answer_value(p))
    facts = [
        Fact(
            f"Which number stands in row {rows[r]}, column {heads[c]}?",
            str(cells[r][c]),
            distractors(Random(cells[r][c]), cells[r][c], (-3, -2, 1, 2, 4, 10), 0),
            f"{rows[r]}: {heads[c]} {cells[r][c]}",
        )
        for r, c in ((0, 0), (0, 1), (1, 0))
    ]
    return Statement(
        question=f"A table gives: {listed}. {asked}",
        multimodal_question=f"Use the table. {asked}",
        answer=answer,
        leak=(leak.format(answer),),
        facts=tuple(facts),
    )


def plan(p: Params) -> Plan:
    heads, rows = HEADS[p["kind"]], ROWS[p["kind"]]
    return Plan(
        content=f"A table with the columns {', '.join(h for h in heads if h)} and the rows {', '.join(rows)}.",
        layout="Ruled grid with equal cells, shaded header row and first column.",
        labels="One number in the middle of each cell; empty cells stay empty.",
        constraints="The asked value is in no cell.",
    )


def draw(p: Params) -> Drawing:
    heads, names, rows = HEADS[p["kind"]], ROWS[p["kind"]], int(p["rows"])
    columns = len(heads)
    body = f"""
        ax.set_position([0.03, 0.03, 0.94, 0.94])
        ax.axis("off")
        ax.set_xlim(-0.05, {columns + 0.05:g})
        ax.set_ylim(-0.05, 4.45)
        ax.fill([0, {columns}, {columns}, 0], [3, 3, 4, 4], color="#dbe7f3")
        ax.fill([0, 1, 1, 0], [{3 - rows}, {3 - rows}, 3, 3], color="#f1f5fa")
        ax.hlines(range({3 - rows}, 5), 0, {columns}, color="black", linewidth=1.2)
        ax.vlines(range({columns + 1}), {3 - rows}, 4, color="black", linewidth=1.2)
    """
    labels = [
        Label(head, k + 0.5, 3.5, style={"fontsize": 12, "weight": "bold"}) for k, head in enumerate(heads) if head
    ]
    numbers = [n for row in p["cells"] for n in row]
    for r, (name, cells) in enumerate(zip(names, p["cells"], strict=True)):
        labels.append(Label(name, 0.5, 2.5 - r, style={"fontsize": 13}))
        labels += [
            Label(str(n), c + 1.5, 2.5 - r, wrong=str(_other(n, numbers)), style={"fontsize": 14})
            for c, n in enumerate(cells)
            if n is not None
        ]
    return Drawing(body, tuple(labels))


def _other(n: int, numbers: list[int | None]) -> int:
    """A number near `n` that no cell has."""
    return next(n + step for step in range(3, 20) if n + step not in numbers)


def distort(p: Params) -> Params:
    """The ruled grid lacks its last row."""
    return {**p, "rows": p["rows"] - 1}


COUNTS = ("one", "two", "three", "four")


def glance_sample(rng: Random, answer: str) -> Params:
    rows, columns = rng.choice([2, 3]), rng.choice([2, 3])
    shaded = rng.sample(range(rows * columns), COUNTS.index(answer) + 1)
    return {
        "rows": rows,
        "columns": columns,
        "shaded": sorted(shaded),
        "x": rng.choice(EVEN[1:-1]),
        "y": rng.choice(EVEN[1:-1]),
        "color": rng.choice(COLORS),
    }


def glance_draw(p: Params) -> str:
    rows, columns, side = p["rows"], p["columns"], 26
    left, low = 48 + p["x"] - columns * side // 2, 48 + p["y"] - rows * side // 2
    cells = ", ".join(f"({left + k % columns * side}, {low + k // columns * side})" for k in p["shaded"])
    return glance_script(f"""
        for cell in ({cells},):
            ax.add_patch(plt.Rectangle(cell, {side}, {side}, color="{p["color"]}"))
        ax.hlines(np.arange({rows + 1}) * {side} + {low}, {left}, {left + columns * side}, color="0.55", linewidth=2)
        ax.vlines(np.arange({columns + 1}) * {side} + {left}, {low}, {low + rows * side}, color="0.55", linewidth=2)
    """)


def solve(p: Params) -> float:
    """Density by a fraction, mean speed weighted by time, the empty cell from the table's linear equations."""
    cells = p["cells"]
    if p["kind"] == "density":
        return float(Fraction(*cells[p["asked"]]))
    if p["kind"] == "speed":
        return float(np.average([km / h for km, h in cells], weights=[h for _, h in cells]))
    (girls_bus, girls_car, _), (boys_bus, _, _), (_, _, everybody) = cells
    # unknowns: total of the girls, boys by car, total of the boys
    rows = [[1, 0, 0], [0, -1, 1], [1, 0, 1]]
    return float(np.linalg.solve(rows, [girls_bus + girls_car, boys_bus, everybody])[1])


FAMILY = Family(
    name="data_table",
    subject=Subject.UNIVERSAL,
    image_type=ImageType.TABLE_GRID,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
    glance=Glance(
        question="How many cells are shaded?",
        answers=COUNTS,
        sample=glance_sample,
        draw=glance_draw,
        content=("rows", "columns", "shaded", "x", "y"),
    ),
)
