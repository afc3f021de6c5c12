"""Universal, graphs and flows: the flowchart of an algorithm; its output for an input asked."""

from __future__ import annotations

import re
from math import gcd
from random import Random
from typing import Any, NamedTuple

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement, distractors
from scigen.problems.procedural.placing import Point, inch_axes, text_size
from scigen.records import ImageType, Plan, Subject

COLOURS = (
    ("#dbe7f3", "#fdf1e3", "#e3f0da"),
    ("#ece2f3", "#f6f0cf", "#dfeeee"),
    ("#e8eefc", "#fbe3e3", "#eeeeee"),
    ("#f7f7f7", "#e9e9e9", "#ffffff"),
)
LEVELS = {1: ("branch",), 2: ("sum", "growth"), 3: ("parity", "subtraction", "jumps")}
USED = {"branch": 5, "sum": 3, "growth": 3, "parity": 3, "subtraction": 2, "jumps": 4}
"""How many of its five numbers a kind has a use for."""
STEP_X, STEP_Y = 1.3, 0.88
"""Inches between columns and between rows."""
BOX_H, DIAMOND_H = 0.42, 0.72
MOST_ROUNDS = 14
"""A loop that is run by hand should not go on longer."""


class Node(NamedTuple):
    """A box of the chart: its kind (io, do, if), what it says, its column and row, and where it leads to."""

    kind: str
    text: str
    column: float
    row: float
    following: tuple[str, ...]
    """One name; two for a decision, yes first; none at the end."""


def sample(rng: Random, difficulty: int) -> Params:
    """1: one decision; 2: a loop; 3: a loop with a decision in it. Loops end after at most MOST_ROUNDS rounds."""
    while True:
        kind = rng.choice(LEVELS[difficulty])
        p: dict[str, Any] = {
            "kind": kind,
            "n": rng.randint(3, 30),
            "k": [rng.randint(2, 9) if i < USED[kind] else 0 for i in range(5)],
            "mirror": rng.random() < 0.5,
            "colors": rng.randrange(len(COLOURS)),
        }
        if kind == "subtraction":
            p["k"][0] = rng.randint(4, 60)
            p["n"] = rng.randint(4, 60)
        outcome = run(p)
        given = {int(v) for node in nodes(p).values() for v in re.findall(r"\d+", node.text)} | {p["n"]}
        if outcome is not None and outcome not in given and len({n.text for n in nodes(p).values()}) == len(nodes(p)):
            return p


def run(p: Params) -> int | None:
    """What the algorithm prints, as a program; None if it goes on too long, or hardly begins."""
    a, b, c, d, e = p["k"]
    n, rounds = p["n"], 0
    match p["kind"]:
        case "branch":
            y = b * n + c if n > 2 * a else d * n - e
            return int(y + a) if y > 0 else None
        case "sum":
            s = sum(b * i for i in range(1, n + 1, c))
            rounds, value = len(range(1, n + 1, c)), a + s
        case "growth":
            value = n
            while value <= 40 * a:
                value, rounds = b * value - c, rounds + 1
                if rounds > MOST_ROUNDS or value <= 0:
                    return None
        case "parity":
            value = a + sum(b * i if i % 2 == 0 else -c for i in range(1, n + 1))
            rounds = n
        case "subtraction":
            x, y = n, a
            while x != y:
                x, y, rounds = (x - y, y, rounds + 1) if x > y else (x, y - x, rounds + 1)
            value = rounds * b + gcd(n, a)
        case _:
            value = n
            while value < 12 * a:
                value, rounds = (value + c if value % b == 0 else 2 * value - d), rounds + 1
                if rounds > MOST_ROUNDS or value <= 0:
                    return None
    return int(value) if 3 <= rounds <= MOST_ROUNDS else None


def nodes(p: Params) -> dict[str, Node]:
    """The chart, in reading order; the first node is the input, the last one the output."""
    a, b, c, d, e = p["k"]
    match p["kind"]:
        case "branch":
            return {
                "in": Node("io", "input x", 0, 0, ("test",)),
                "test": Node("if", f"x > {2 * a} ?", 0, 1.1, ("yes", "no")),
                "yes": Node("do", f"y ← {b}·x + {c}", -0.85, 2.2, ("end",)),
                "no": Node("do", f"y ← {d}·x − {e}", 0.85, 2.2, ("end",)),
                "end": Node("do", f"y ← y + {a}", 0, 3.25, ("out",)),
                "out": Node("io", "output y", 0, 4.15, ()),
            }
        case "sum":
            return {
                "in": Node("io", "input n", 0, 0, ("start",)),
                "start": Node("do", f"s ← {a}, i ← 1", 0, 0.9, ("test",)),
                "test": Node("if", "i ≤ n ?", 0, 2, ("add", "out")),
                "add": Node("do", f"s ← s + {b}·i", 0, 3.1, ("next",)),
                "next": Node("do", f"i ← i + {c}", 0, 4, ("test",)),
                "out": Node("io", "output s", 1.25, 3.1, ()),
            }
        case "growth":
            return {
                "in": Node("io", "input x", 0, 0, ("test",)),
                "test": Node("if", f"x ≤ {40 * a} ?", 0, 1.1, ("do", "out")),
                "do": Node("do", f"x ← {b}·x − {c}", 0, 2.2, ("test",)),
                "out": Node("io", "output x", 1.25, 2.2, ()),
            }
        case "parity":
            return {
                "in": Node("io", "input n", 0, 0, ("start",)),
                "start": Node("do", f"s ← {a}, i ← 1", 0, 0.9, ("test",)),
                "test": Node("if", "i ≤ n ?", 0, 2, ("inner", "out")),
                "inner": Node("if", "i even ?", 0, 3.1, ("yes", "no")),
                "yes": Node("do", f"s ← s + {b}·i", -0.85, 4.15, ("next",)),
                "no": Node("do", f"s ← s − {c}", 0.85, 4.15, ("next",)),
                "next": Node("do", "i ← i + 1", 0, 5.1, ("test",)),
                "out": Node("io", "output s", 1.65, 2, ()),
            }
        case "subtraction":
            return {
                "in": Node("io", "input x", 0, 0, ("start",)),
                "start": Node("do", f"y ← {a}, s ← 0", 0, 0.9, ("test",)),
                "test": Node("if", "x ≠ y ?", 0, 2, ("inner", "out")),
                "inner": Node("if", "x > y ?", 0, 3.1, ("yes", "no")),
                "yes": Node("do", "x ← x − y", -0.85, 4.15, ("next",)),
                "no": Node("do", "y ← y − x", 0.85, 4.15, ("next",)),
                "next": Node("do", f"s ← s + {b}", 0, 5.1, ("test",)),
                "out": Node("io", "output s + x", 1.7, 2, ()),
            }
    return {
        "in": Node("io", "input x", 0, 0, ("test",)),
        "test": Node("if", f"x < {12 * a} ?", 0, 1.1, ("inner", "out")),
        "inner": Node("if", f"{b} divides x ?", 0, 2.2, ("yes", "no")),
        "yes": Node("do", f"x ← x + {c}", -0.85, 3.25, ("test",)),
        "no": Node("do", f"x ← 2·x − {d}", 0.85, 3.25, ("test",)),
        "out": Node("io", "output x", 1.65, 1.1, ()),
    }


def solve(p: Params) -> float:
    """The texts of the boxes are read and carried out one after another, along the arrows."""
    chart = nodes(p)
    store: dict[str, int] = {}
    at = "in"
    for _ in range(1000):
        node = chart[at]
        if node.kind == "io" and node.following:
            store[node.text.split()[1]] = p["n"]
        elif node.kind == "io":
            return float(_value(node.text.removeprefix("output "), store))
        elif node.kind == "do":
            for part in node.text.split(", "):
                name, expression = part.split(" ← ")
                store[name] = _value(expression, store)
        else:
            at = node.following[0 if _holds(node.text.removesuffix(" ?"), store) else 1]
            continue
        (at,) = node.following
    raise AssertionError("the chart does not end")


def _value(expression: str, store: dict[str, int]) -> int:
    """Of a sum of products such as `s + 3·i`."""
    total, sign = 0, 1
    for word in expression.split():
        if word in "+−":
            sign = 1 if word == "+" else -1
            continue
        product = 1
        for factor in word.split("·"):
            product *= store[factor] if factor in store else int(factor)
        total += sign * product
    return total


def _holds(condition: str, store: dict[str, int]) -> bool:
    if condition.endswith(" even"):
        return _value(condition.removesuffix(" even"), store) % 2 == 0
    left, relation, right = condition.split()
    a, b = _value(left, store), _value(right, store)
    return {">": a > b, "<": a < b, "≤": a <= b, "≠": a != b, "divides": a and b % a == 0}[relation] is True


def state(p: Params) -> Statement:
    chart = nodes(p)
    names = {name: str(i) for i, name in enumerate(chart, 1)}
    steps = []
    for name, node in chart.items():
        if node.kind == "if":
            yes, no = (names[f] for f in node.following)
            steps.append(f"{names[name]}: {node.text} If yes, go to {yes}, if no, go to {no}")
        else:
            then = f", then go to {names[node.following[0]]}" if node.following else " and stop"
            steps.append(f"{names[name]}: {node.text}{then}")
    variable = chart["in"].text.split()[1]
    answer = str(run(p))
    test, out = chart["test"], chart["out"]
    number = int(re.findall(r"\d+", chart.get("start", chart["test"]).text)[0])
    where = "start" if "start" in chart else "test"
    first = chart[where].text.split()[0]
    below = f"Which number does {first} get in the box below the input?"
    decisions = sum(node.kind == "if" for node in chart.values())
    three = [t for t in ("x > y ?", "i ≤ n ?", "x ≠ y ?", "x < y ?") if t != test.text]
    return Statement(
        question=f"An algorithm has these steps. {'. '.join(steps)}. What is the output for the input "
        f"{variable} = {p['n']}?",
        multimodal_question=f"What is the output of the algorithm for the input {variable} = {p['n']}?",
        answer=answer,
        leak=(f"output = {answer}", f"result {answer}"),
        facts=(
            Fact("What is the first decision from the top?", test.text, (three[0], three[1], three[2]), test.text),
            Fact("How many decisions (diamonds) has the chart?", *_count(decisions), f"{decisions} diamonds"),
            Fact(
                below if where == "start" else "Which number stands in the uppermost diamond?",
                str(number),
                distractors(Random(number), number, (-1, 1, 2, 3, 5), 0),
                chart[where].text,
            ),
            Fact(
                "What does the last box put out?",
                out.text.removeprefix("output "),
                _outputs(out.text.removeprefix("output ")),
                out.text,
            ),
        ),
    )


def _count(n: int) -> tuple[str, tuple[str, str, str]]:
    first, second, third = (str(k) for k in (1, 2, 3, 4) if k != n)
    return str(n), (first, second, third)


def _outputs(right: str) -> tuple[str, str, str]:
    first, second, third = [t for t in ("x", "y", "s", "n", "i") if t != right][:3]
    return first, second, third


def plan(p: Params) -> Plan:
    chart = nodes(p)
    texts = {kind: ", ".join(n.text for n in chart.values() if n.kind == kind) for kind in ("io", "do", "if")}
    return Plan(
        content=f"A flowchart: parallelograms ({texts['io']}), boxes ({texts['do']}), diamonds ({texts['if']}).",
        layout="From the top down in rows, arrows at right angles; loops return outside the boxes to above their test.",
        labels="Each text in its shape, yes and no at the exits of each diamond.",
        constraints="Every arrow joins two shapes and no two arrows cross. The output for the input is asked and must "
        "not be shown, nor any value on the way.",
    )


def _half(node: Node) -> Point:
    """Half the width and height of a node's shape in inches."""
    width = text_size(node.text, 11)[0]
    if node.kind == "if":
        return max(0.78, width / 2 + 0.3), DIAMOND_H / 2
    return max(0.62, width / 2 + (0.2 if node.kind == "io" else 0.12)), BOX_H / 2


def _routes(p: Params, at: dict[str, Point], outer: float) -> list[tuple[list[Point], str]]:
    """Polylines of the arrows, and the word at the start of each (yes, no or nothing)."""
    chart = nodes(p)
    found: list[tuple[list[Point], str]] = []
    for name, node in chart.items():
        x, y = at[name]
        w, h = _half(node)
        for i, target in enumerate(node.following):
            tx, ty = at[target]
            tw, th = _half(chart[target])
            word = ("yes", "no")[i] if node.kind == "if" else ""
            if ty > y - 0.01 and abs(ty - y) > 0.01:
                # Back to above the test: out of the side for a branch, else out of the bottom and round.
                entry = ty + th + 0.16
                side = -1 if x <= tx + 0.01 else 1
                if abs(x - tx) < 0.01:
                    found.append(([(x - w, y), (-outer, y), (-outer, entry), (tx, entry)], word))
                else:
                    low = y - h - 0.22
                    low_path = [(x, y - h), (x, low), (-outer, low), (-outer, entry), (tx, entry)]
                    found.append((low_path if side < 0 else [(x, y - h), (x, low), (at["yes"][0], low)], word))
            elif abs(x - tx) < 0.01:
                found.append(([(x, y - h), (tx, ty + th)], word))
            elif abs(y - ty) < 0.01:
                sign = 1 if tx > x else -1
                found.append(([(x + sign * w, y), (tx - sign * tw, ty)], word))
            elif node.kind == "if":
                sign = 1 if tx > x else -1
                found.append(([(x + sign * w, y), (tx, y), (tx, ty + th)], word))
            else:
                middle = ty + th + 0.2
                found.append(([(x, y - h), (x, middle), (tx, middle), (tx, ty + th)], word))
    return found


def draw(p: Params) -> Drawing:
    chart = nodes(p)
    raw = {name: (n.column * STEP_X, -n.row * STEP_Y) for name, n in chart.items()}
    lowest = min(y - _half(chart[k])[1] for k, (_, y) in raw.items())
    leftmost = min(x - _half(chart[k])[0] for k, (x, _) in raw.items())
    rightmost = max(x + _half(chart[k])[0] for k, (x, _) in raw.items())
    loops = p["kind"] != "branch"
    outer = -leftmost + 0.28
    if loops:
        leftmost -= 0.28
    below = 0.25 if p["kind"] == "jumps" else 0.0
    size = (round(rightmost - leftmost + 0.5, 2), round(BOX_H / 2 - lowest + 0.5 + below, 2))
    sign = -1 if p["mirror"] else 1
    origin = size[0] / 2 - sign * (leftmost + rightmost) / 2

    def place(q: Point) -> Point:
        return round(origin + sign * q[0], 3), round(size[1] - 0.25 - BOX_H / 2 + q[1], 3)

    fills = COLOURS[p["colors"]]
    code = [inch_axes(*size)]
    labels: list[Label] = []
    routes = _routes(p, raw, outer)
    for i, (route, word) in enumerate(routes):
        if i == p.get("missing"):
            continue
        points = [place(q) for q in route]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        if len(points) > 2:
            code.append(f'ax.plot({xs[:-1]}, {ys[:-1]}, color="black", linewidth=1.5, zorder=1)')
        joins = len(route) == 3 and route[-1][1] == route[-2][1] and not word
        if joins:
            code.append(f'ax.plot({xs[-2:]}, {ys[-2:]}, color="black", linewidth=1.5, zorder=1)')
            continue
        code.append(
            f'ax.annotate("", xy={points[-1]}, xytext={points[-2]}, arrowprops=dict('
            'arrowstyle="-|>", color="black", linewidth=1.5, shrinkA=0, shrinkB=0, mutation_scale=13))'
        )
    for route, word in routes:
        if word:
            (x, y), (nx, _) = place(route[0]), place(route[1])
            across = abs(nx - x) > 0.01
            dx, dy = (0.2 if nx > x else -0.2, 0.13) if across else (0.22, -0.09)
            labels.append(Label(word, x + dx, y + dy, given=False, style={"fontsize": 10, "color": "0.25"}))
    given = {node.text for node in chart.values()}
    for name, node in chart.items():
        x, y = place(raw[name])
        w, h = _half(node)
        shape = {
            "io": [(-w - 0.08, -h), (w - 0.08, -h), (w + 0.08, h), (-w + 0.08, h)],
            "do": [(-w, -h), (w, -h), (w, h), (-w, h)],
            "if": [(-w, 0), (0, -h), (w, 0), (0, h)],
        }[node.kind]
        corners = [(round(x + dx, 3), round(y + dy, 3)) for dx, dy in shape]
        fill = fills[("do", "if", "io").index(node.kind)]
        code.append(
            f'ax.add_patch(plt.Polygon({corners}, closed=True, facecolor="{fill}", edgecolor="black", '
            "linewidth=1.6, zorder=2))"
        )
        labels.append(Label(node.text, x, y, wrong=_wrong(node.text, given), style={"fontsize": 11}))
    return Drawing("\n".join(code), tuple(labels), size)


def _wrong(text: str, given: set[str]) -> str | None:
    """The text with another number in it; None for one without a number."""
    found = list(re.finditer(r"\d+", text))
    if not found:
        return None
    at = found[0]
    changed = (text[: at.start()] + str(int(at.group()) + d) + text[at.end() :] for d in (2, 3, 4))
    return next(t for t in changed if t not in given)


def distort(p: Params) -> dict[str, Any]:
    """One arrow is missing: the one that closes the loop, or that leads to the end."""
    count = sum(len(node.following) for node in nodes(p).values())
    return {**p, "missing": count - 1}


FAMILY = Family(
    name="flowchart",
    subject=Subject.UNIVERSAL,
    image_type=ImageType.GRAPH_FLOW,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
