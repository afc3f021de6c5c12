"""Universal, tables: the payoff matrix of a game; dominant strategies, an equilibrium or a mixed strategy asked."""

from __future__ import annotations

from itertools import combinations
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement
from scigen.problems.procedural.placing import inch_axes, text_size
from scigen.records import ImageType, Plan, Subject

GAMES = (
    ("Firm A", "Firm B", ("raise", "keep", "cut"), ("advertise", "wait", "leave")),
    ("Row", "Column", ("Up", "Middle", "Down"), ("Left", "Centre", "Right")),
    ("Lion", "Hyena", ("chase", "stalk", "rest"), ("fight", "share", "flee")),
    ("Striker", "Keeper", ("high", "low", "chip"), ("dive", "stay", "rush")),
    ("Seller", "Buyer", ("ask", "bundle", "auction"), ("accept", "haggle", "walk")),
    ("Plant", "Insect", ("toxin", "nectar", "thorns"), ("bite", "pollinate", "skip")),
)
COLOURS = (("#dbe7f3", "#f7fafd"), ("#e3f0da", "#f8fbf5"), ("#fbe8d3", "#fffaf3"), ("#ece2f3", "#fbf8fd"))
LEVELS = {1: ("dominant",), 2: ("equilibrium", "sum"), 3: ("probability", "value")}


def sample(rng: Random, difficulty: int) -> Params:
    """1: 2 x 2 with dominant strategies; 2: 3 x 3 by iterated dominance; 3: 3 x 3 whose rest is a mixed equilibrium."""
    size = 2 if difficulty == 1 else 3
    while True:
        cells = [[[rng.randint(0, 12), rng.randint(0, 12)] for _ in range(size)] for _ in range(size)]
        p: dict[str, Any] = {
            "kind": rng.choice(LEVELS[difficulty]),
            "game": rng.randrange(len(GAMES)),
            "cells": cells,
            "player": rng.randrange(2),
            "colors": rng.randrange(len(COLOURS)),
        }
        flat = [tuple(cell) for row in cells for cell in row]
        if len(set(flat)) < len(flat) or any(_ties(cells, side) for side in (0, 1)):
            continue
        rows, columns = left_over(cells)
        if (len(rows), len(columns)) != ((2, 2) if difficulty == 3 else (1, 1)):
            continue
        if difficulty == 1 and not all(_dominates(cells, side) for side in (0, 1)):
            continue
        if difficulty == 3 and (size == 3 and not _mixed(p, rows, columns)):
            continue
        return p


def _payoffs(cells: list[list[list[int]]], side: int) -> list[list[int]]:
    """One player's payoffs, own strategies as rows."""
    own = [[cell[side] for cell in row] for row in cells]
    return own if side == 0 else [list(column) for column in zip(*own, strict=True)]


def _ties(cells: list[list[list[int]]], side: int) -> bool:
    """Whether two strategies of a player ever give the same against the same reply."""
    return any(len(set(column)) < len(column) for column in zip(*_payoffs(cells, side), strict=True))


def _dominates(cells: list[list[list[int]]], side: int) -> bool:
    first, second = _payoffs(cells, side)
    return all(a > b for a, b in zip(first, second, strict=True)) or all(
        a < b for a, b in zip(first, second, strict=True)
    )


def left_over(cells: list[list[list[int]]]) -> tuple[list[int], list[int]]:
    """Rows and columns left after strictly dominated ones are struck out again and again."""
    left = [list(range(len(cells))), list(range(len(cells[0])))]
    payoffs = [_payoffs(cells, side) for side in (0, 1)]
    changed = True
    while changed:
        changed = False
        for side in (0, 1):
            own, other = left[side], left[1 - side]
            for s in own:
                if any(all(payoffs[side][t][o] > payoffs[side][s][o] for o in other) for t in own if t != s):
                    own.remove(s)
                    changed = True
                    break
    return left[0], left[1]


def _mixed(p: Params, rows: list[int], columns: list[int]) -> bool:
    """Whether the 2 x 2 game left over has no pure equilibrium."""
    cells = p["cells"]
    (a, b), (c, d) = ([cells[r][k] for k in columns] for r in rows)
    best_row = (a[0] > c[0], b[0] > d[0])
    best_column = (a[1] > b[1], c[1] > d[1])
    return bool(best_row[0] != best_row[1] and best_column[0] != best_column[1] and best_row[0] != best_column[0])


def mixture(p: Params) -> tuple[float, float]:
    """Probability of the first row left, and the column player's expected payoff, in the mixed equilibrium."""
    rows, columns = left_over(p["cells"])
    (a, b), (c, d) = ([p["cells"][r][k][1] for k in columns] for r in rows)
    x = (d - c) / (a - b - c + d)
    return x, x * a + (1 - x) * c


def answer_value(p: Params) -> float:
    if p["kind"] in ("probability", "value"):
        return mixture(p)[0 if p["kind"] == "probability" else 1]
    (row,), (column,) = left_over(p["cells"])
    cell = p["cells"][row][column]
    return float(sum(cell) if p["kind"] == "sum" else cell[p["player"]])


def solve(p: Params) -> float:
    """Every pair of supports is tried: indifference as linear equations, best replies checked by counting."""
    import numpy as np

    a, b = (np.array([[cell[side] for cell in row] for row in p["cells"]], dtype=float) for side in (0, 1))
    n = len(a)
    found = []
    for k in range(1, n + 1):
        for rows in combinations(range(n), k):
            for columns in combinations(range(n), k):
                mixes = []
                for game, own, other in ((b.T, columns, rows), (a, rows, columns)):
                    # The other player's mix makes all own strategies of the support equally good.
                    system = np.zeros((k + 1, k + 1))
                    system[:k, :k], system[:k, k], system[k, :k] = game[np.ix_(own, other)], -1, 1
                    if abs(np.linalg.det(system)) < 1e-9:
                        break
                    mix = np.zeros(n)
                    mix[list(other)] = np.linalg.solve(system, [0] * k + [1])[:k]
                    mixes.append(mix)
                if len(mixes) < 2 or min(m.min() for m in mixes) < -1e-9:
                    continue
                x, y = mixes
                if (a @ y).max() <= x @ a @ y + 1e-9 and (x @ b).max() <= x @ b @ y + 1e-9:
                    found.append((x, y))
    assert len(found) == 1
    x, y = found[0]
    if p["kind"] == "probability":
        return float(x[left_over(p["cells"])[0][0]])
    if p["kind"] == "value":
        return float(x @ b @ y)
    return float(x @ (a + b) @ y) if p["kind"] == "sum" else float(x @ (a, b)[p["player"]] @ y)


def names(p: Params) -> tuple[str, str, tuple[str, ...], tuple[str, ...]]:
    """Row player, column player, and their strategies."""
    one, two, rows, columns = GAMES[p["game"]]
    n = len(p["cells"])
    return one, two, rows[:n], columns[:n]


def asked(p: Params) -> str:
    one, two, rows, _ = names(p)
    who = (one, two)[p["player"]]
    match p["kind"]:
        case "dominant":
            return f"Both players have a dominant strategy and play it. What is the payoff of {who}?"
        case "equilibrium":
            return f"Strike out dominated strategies until one outcome is left. What is the payoff of {who} there?"
        case "sum":
            return "Strike out dominated strategies until one outcome is left. What is the sum of both payoffs there?"
        case "probability":
            first = rows[left_over(p["cells"])[0][0]]
            return (
                f'In the only Nash equilibrium, which is mixed, with what probability does {one} play "{first}"? '
                "Give it to three decimal places."
            )
    return (
        f"In the only Nash equilibrium, which is mixed, what is the expected payoff of {two}, to three decimal places?"
    )


def answer_text(p: Params) -> str:
    value = answer_value(p)
    return f"{value:.3f}" if p["kind"] in ("probability", "value") else f"{value:.0f}"


def cell_text(cell: list[int]) -> str:
    return f"({cell[0]}, {cell[1]})"


def state(p: Params) -> Statement:
    one, two, rows, columns = names(p)
    listed = "; ".join(
        f'"{r}": ' + ", ".join(f'{cell_text(cell)} against "{c}"' for c, cell in zip(columns, row, strict=True))
        for r, row in zip(rows, p["cells"], strict=True)
    )
    answer = answer_text(p)
    order = f"Each cell holds the payoffs ({one}, {two})."
    flat = [cell_text(cell) for row in p["cells"] for cell in row]
    facts = [
        Fact(
            f'Which pair of payoffs stands where "{rows[i]}" meets "{columns[k]}"?',
            cell_text(p["cells"][i][k]),
            _pairs(cell_text(p["cells"][i][k]), flat, i),
            f"{rows[i]}, {columns[k]}: {cell_text(p['cells'][i][k])}",
        )
        for i, k in ((0, 1), (1, 0))
    ]
    third = next(g for g in GAMES if g[0] != one)
    facts.append(
        Fact("Whose strategies are the rows of the table?", one, (two, third[0], third[1]), f"{one} at the left")
    )
    n = len(rows)
    facts.append(
        Fact("How many cells with payoffs has the table?", str(n * n), ("2", "3", "6"), f"{n} rows, {n} columns")
    )
    return Statement(
        question=f"{one} and {two} choose a strategy each at the same time. {order} {one} plays {listed}. {asked(p)}",
        multimodal_question=f"{order} {asked(p)}",
        answer=answer,
        leak=(f"answer = {answer}", f"result: {answer}"),
        facts=tuple(facts),
    )


def _pairs(right: str, flat: list[str], start: int) -> tuple[str, str, str]:
    """Three other pairs of the table, last ones first."""
    first, second, third = (
        [text for text in flat[::-1] if text != right][start : start + 3][:3]
        if len(flat) > 4
        else [text for text in flat if text != right]
    )
    return first, second, third


def plan(p: Params) -> Plan:
    one, two, rows, columns = names(p)
    return Plan(
        content=f"The payoff matrix of {one} (rows {', '.join(rows)}) against {two} (columns {', '.join(columns)}).",
        layout=f"A ruled table of {len(rows)} rows and {len(columns)} columns, strategies in shaded heads, {one} at "
        f"the left and {two} above.",
        labels="In each cell the pair of payoffs, the row player's first: "
        + "; ".join(", ".join(cell_text(cell) for cell in row) for row in p["cells"])
        + ".",
        constraints="Each pair in its own cell, nothing struck out or emphasised. The answer to this must not be "
        f"shown: {asked(p)}",
    )


def draw(p: Params) -> Drawing:
    one, two, rows, columns = names(p)
    n, m = len(rows), len(columns)
    head = max(text_size(text, 12)[0] for text in rows) + 0.35
    wide = max(1.15, *(text_size(text, 12)[0] + 0.3 for text in columns))
    high, top = (0.62, 0.5) if n == 3 else (0.75, 0.55)
    side = text_size(one, 12)[0] + 0.3
    size = (side + head + m * wide + 0.2, n * high + top + 0.65)
    left, floor = side + head, 0.15
    dark, light = COLOURS[p["colors"]]
    lines = p.get("lines", m)
    roof, right = floor + n * high, left + lines * wide
    code = [
        inch_axes(*size),
        f'ax.add_patch(plt.Rectangle(({left:.4g}, {floor:.4g}), {lines * wide:.4g}, {n * high:.4g}, color="{light}"))',
        f'ax.add_patch(plt.Rectangle(({left:.4g}, {roof:.4g}), {lines * wide:.4g}, {top:.4g}, color="{dark}"))',
        f'ax.add_patch(plt.Rectangle(({side:.4g}, {floor:.4g}), {head:.4g}, {n * high:.4g}, color="{dark}"))',
    ]
    for k in range(n + 1):
        width = 1.8 if k in (0, n) else 1.0
        y = floor + k * high
        code.append(f'ax.plot([{side:.4g}, {right:.4g}], [{y:.4g}, {y:.4g}], color="black", linewidth={width})')
    for k in range(lines + 1):
        width = 1.8 if k in (0, lines) else 1.0
        x = left + k * wide
        code.append(f'ax.plot([{x:.4g}, {x:.4g}], [{floor:.4g}, {roof + top:.4g}], color="black", linewidth={width})')
    code.append(
        f'ax.plot([{left:.4g}, {right:.4g}], [{roof + top:.4g}, {roof + top:.4g}], color="black", linewidth=1.8)\n'
        f'ax.plot([{side:.4g}, {side:.4g}], [{floor:.4g}, {roof:.4g}], color="black", linewidth=1.8)'
    )
    flat = [cell_text(cell) for row in p["cells"] for cell in row]
    bold = {"fontweight": "bold"}
    labels = [
        Label(one, side / 2, floor + n * high / 2, style=bold),
        Label(two, left + m * wide / 2, roof + top + 0.24, style=bold),
    ]
    labels += [Label(text, left + (k + 0.5) * wide, roof + top / 2) for k, text in enumerate(columns)]
    for i, (text, row) in enumerate(zip(rows, p["cells"], strict=True)):
        y = floor + (n - i - 0.5) * high
        labels.append(Label(text, side + head / 2, y))
        for k, cell in enumerate(row):
            wrong = next(w for d in (2, 3, 4, 5, 6) for w in [cell_text([cell[0], cell[1] + d])] if w not in flat)
            labels.append(Label(cell_text(cell), left + (k + 0.5) * wide, y, wrong=wrong, style={"fontsize": 13}))
    return Drawing("\n".join(code), tuple(labels), size)


def distort(p: Params) -> dict[str, Any]:
    """The table has one column too few, so that the last pairs stand outside it."""
    return {**p, "lines": len(p["cells"][0]) - 1}


FAMILY = Family(
    name="payoff_matrix",
    subject=Subject.UNIVERSAL,
    image_type=ImageType.TABLE_GRID,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
