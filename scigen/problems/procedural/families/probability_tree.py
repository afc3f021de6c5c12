"""Math, probability: a tree of two or three stages; a joint, total or conditional probability asked."""

from __future__ import annotations

from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement
from scigen.problems.procedural.placing import Point, inch_axes, text_size
from scigen.records import ImageType, Plan, Subject

TOPICS = (
    ("part", ("line A", "line B", "line C"), ("faulty", "sound")),
    ("commuter", ("bus", "train", "bike"), ("late", "on time")),
    ("parcel", ("north", "south", "west"), ("damaged", "intact")),
    ("seed", ("sand", "clay", "peat"), ("sprouts", "dies")),
    ("message", ("work", "friends", "shop"), ("spam", "wanted")),
    ("student", ("maths", "physics", "biology"), ("pass", "fail")),
    ("bird", ("ringed", "tagged", "wild"), ("returns", "is lost")),
)
"""Who goes through the tree, the outcomes of the first stage, those of the second."""
ATTEMPTS = (
    ("A learner takes a driving test up to three times", ("pass", "fail")),
    ("An archer shoots up to three times, until the first hit", ("hit", "miss")),
    ("A program asks a server up to three times", ("reply", "timeout")),
    ("A climber tries a route up to three times", ("top", "fall")),
)
LEVELS = {1: ("joint", "total"), 2: ("bayes", "total of three"), 3: ("bayes of three", "third", "mean")}
COLOURS = (("#dbe7f3", "#fdf1e3"), ("#e3f0da", "#f3ecf7"), ("#f6f0cf", "#dfeeee"), ("#fbe3e3", "#e8eefc"))


def sample(rng: Random, difficulty: int) -> Params:
    """1: two stages; 2: a conditional probability, or three ways; 3: branches to be completed to 1, three attempts."""
    while True:
        kind = rng.choice(LEVELS[difficulty])
        if kind in ("third", "mean"):
            topic, first = rng.randrange(len(ATTEMPTS)), [rng.randint(15, 80) for _ in range(3)]
            second: list[int] = []
        else:
            ways = 3 if "three" in kind else 2
            topic = rng.randrange(len(TOPICS))
            cuts = sorted(rng.sample(range(10, 91), ways - 1))
            first = [b - a for a, b in zip([0, *cuts], [*cuts, 100], strict=True)]
            second = [rng.randint(4, 96) for _ in range(ways)]
        p = {
            "kind": kind,
            "topic": topic,
            "first": first,
            "second": second,
            "asked": rng.randrange(len(first)) if kind in ("joint", "bayes", "bayes of three") else 0,
            "outcome": rng.randrange(2) if second else 0,
            "colors": rng.randrange(len(COLOURS)),
            "down": rng.random() < 0.5,
        }
        values = [v for _, _, v, _ in branches(p)]
        shown = [f"{v / 100:.2f}" for v in values]
        if (
            min(values) >= 4
            and len(set(values)) == len(values)
            and not {answer_text(p), answer_text(p)[:-1]} & set(shown)
        ):
            return p


def branches(p: Params) -> list[tuple[str, str, int, bool]]:
    """Every branch: the node it starts at, the node it leads to (paths of digits), its percentage, whether printed."""
    first, second = p["first"], p["second"]
    found = []
    if not second:
        start = ""
        for v in first:
            found += [(start, start + "0", v, True), (start, start + "1", 100 - v, False)]
            start += "1"
        return found
    hidden = p["kind"] == "bayes of three"
    for i, v in enumerate(first):
        found.append(("", str(i), v, not hidden or i < len(first) - 1))
    for i, v in enumerate(second):
        found += [(str(i), f"{i}0", v, True), (str(i), f"{i}1", 100 - v, not hidden)]
    return found


def answer_value(p: Params) -> float:
    """By the law of total probability and Bayes' rule."""
    first = [v / 100 for v in p["first"]]
    if not p["second"]:
        a, b, c = first
        reached = [1.0, 1 - a, (1 - a) * (1 - b)]
        if p["kind"] == "mean":
            return float(sum(reached))
        return float(reached[2] * c / (a + reached[1] * b + reached[2] * c))
    second = [(v if p["outcome"] == 0 else 100 - v) / 100 for v in p["second"]]
    joint = [a * b for a, b in zip(first, second, strict=True)]
    if p["kind"] == "joint":
        return float(joint[p["asked"]])
    return float(sum(joint) if "total" in p["kind"] else joint[p["asked"]] / sum(joint))


def answer_text(p: Params) -> str:
    return f"{answer_value(p):.3f}"


def solve(p: Params) -> float:
    """All paths of the tree enumerated with exact fractions, then counted by what they contain."""
    from fractions import Fraction

    leaves: dict[str, Fraction] = {"": Fraction(1)}
    for start, end, value, _ in branches(p):
        leaves[end] = leaves[start] * Fraction(value, 100)
    starts = {start for start, _, _, _ in branches(p)}
    leaves = {path: chance for path, chance in leaves.items() if path not in starts}
    if p["kind"] == "mean":
        return float(sum(len(path) * chance for path, chance in leaves.items()))
    if p["kind"] == "third":
        good = {path: chance for path, chance in leaves.items() if path.endswith("0")}
        return float(good["110"] / sum(good.values()))
    good = {path: chance for path, chance in leaves.items() if path[1] == str(p["outcome"])}
    one = sum(chance for path, chance in good.items() if path[0] == str(p["asked"]))
    if p["kind"] == "joint":
        return float(one)
    total = sum(good.values())
    return float(total if "total" in p["kind"] else one / total)


def name(p: Params, path: str) -> str:
    """The outcome a node stands for."""
    if not p["second"]:
        return ATTEMPTS[p["topic"]][1][int(path[-1])]
    _, firsts, seconds = TOPICS[p["topic"]]
    return firsts[int(path)] if len(path) == 1 else seconds[int(path[-1])]


def words(p: Params) -> tuple[str, str]:
    """What is known, in words, and what is asked."""
    if not p["second"]:
        what, (good, bad) = ATTEMPTS[p["topic"]]
        listed = ", ".join(f"{v / 100:.2f}" for v in p["first"])
        known = f'{what} and stops at the first "{good}". The probabilities of "{good}" in the first, second and third '
        known += f'attempt are {listed}; otherwise the attempt is "{bad}".'
        asked = {
            "mean": "Find the expected number of attempts",
            "third": f'It ended in "{good}". Find the conditional probability that it was the third attempt',
        }[p["kind"]]
        return known, asked
    who, firsts, seconds = TOPICS[p["topic"]]
    ways = len(p["first"])
    listed = ", ".join(f'"{n}" {v / 100:.2f}' for n, v in zip(firsts[:ways], p["first"], strict=True))
    second = ", ".join(f'{v / 100:.2f} after "{n}"' for n, v in zip(firsts[:ways], p["second"], strict=True))
    known = f'A {who} falls into one of {ways} groups with the probabilities {listed}. The outcome "{seconds[0]}" then '
    known += f'has the probability {second}; otherwise the outcome is "{seconds[1]}".'
    group, outcome = firsts[p["asked"]], seconds[p["outcome"]]
    if p["kind"] == "joint":
        return known, f'Find the probability that a {who} is "{group}" and the outcome is "{outcome}"'
    if "total" in p["kind"]:
        return known, f'Find the probability of the outcome "{outcome}"'
    return known, f'The outcome is "{outcome}". Find the conditional probability that the {who} was "{group}"'


def state(p: Params) -> Statement:
    known, asked = words(p)
    want = f"{asked}, to three decimal places."
    completed = " Branches without a number complete the others to 1." if not all(b[3] for b in branches(p)) else ""
    answer = answer_text(p)
    facts = [
        Fact(
            f'Which number stands on the branch from {_where(p, start)} to "{name(p, end)}"?',
            f"{value / 100:.2f}",
            _wrong(p, value),
            f"{value / 100:.2f}",
        )
        for start, end, value, shown in branches(p)
        if shown and end in ("0", "10", "110")
    ]
    stages = max(len(end) for _, end, _, _ in branches(p))
    ends = sum(end not in {b[0] for b in branches(p)} for _, end, _, _ in branches(p))
    facts.append(Fact("How many branchings follow each other at most?", *_count(stages), f"{stages} stages"))
    facts.append(Fact("How many ends has the tree?", *_count(ends), f"{ends} ends"))
    return Statement(
        question=f"{known} {want}",
        multimodal_question=f"{want}{completed}",
        answer=answer,
        leak=(f"{'E' if p['kind'] == 'mean' else 'P'} = {answer}", answer),
        facts=tuple(facts),
    )


def _where(p: Params, start: str) -> str:
    if not start:
        return "the start"
    return f'the {("", "first", "second")[len(start)]} "{name(p, start)}"' if not p["second"] else f'"{name(p, start)}"'


def _wrong(p: Params, value: int) -> tuple[str, str, str]:
    others = {v for _, _, v, _ in branches(p)}
    first, second, third = [
        v for d in range(3, 60, 4) for v in (value + d, value - d) if 0 < v < 100 and v not in others
    ][:3]
    return f"{first / 100:.2f}", f"{second / 100:.2f}", f"{third / 100:.2f}"


def _count(n: int) -> tuple[str, tuple[str, str, str]]:
    return str(n), (str(n - 1), str(n + 1), str(n + 2))


def plan(p: Params) -> Plan:
    _, asked = words(p)
    listed = ", ".join(f"{_where(p, a)} to {name(p, b)} {v / 100:.2f}" for a, b, v, shown in branches(p) if shown)
    return Plan(
        content="A probability tree; the name of each outcome in a box at its node.",
        layout=f"It grows from {'the top down' if p['down'] else 'left to right'} with straight branches, ends aligned",
        labels=f"Probabilities in the middle of their branches: {listed}.",
        constraints="The branches of one node add up to 1. No product and no sum of probabilities is written; the "
        f"answer to this must not be shown: {asked}.",
    )


def _nodes(p: Params) -> dict[str, Point]:
    """Depth and place across of each node; ends are one apart."""
    children: dict[str, list[str]] = {}
    for start, end, _, _ in branches(p):
        children.setdefault(start, []).append(end)
    at: dict[str, Point] = {}
    free = [0.0]

    def settle(path: str) -> float:
        if path not in children:
            across = free[0]
            free[0] += 1.0
        else:
            below = [settle(child) for child in children[path]]
            across = (below[0] + below[-1]) / 2
        at[path] = (float(len(path)), across)
        return across

    settle("")
    return at


def draw(p: Params) -> Drawing:
    at = _nodes(p)
    deep, wide = max(d for d, _ in at.values()), max(a for _, a in at.values())
    ends = [name(p, path) for path in at if path]
    widest = max(text_size(text, 12)[0] for text in ends) + 0.24
    if p["down"]:
        gap = max(widest + 0.12, 1.0)
        size = (max(4.2, wide * gap + widest + 0.3), 3.9 if deep == 2 else 4.8)
        step = (size[1] - 0.75) / deep
        left = (size[0] - wide * gap) / 2
        place = {k: (left + a * gap, size[1] - 0.3 - d * step) for k, (d, a) in at.items()}
    else:
        size = (5.6 if deep == 2 else 6.4, max(3.4, wide * 0.72 + 0.8))
        step = (size[0] - 0.45 - widest / 2) / deep
        gap = (size[1] - 0.7) / wide
        place = {k: (0.3 + d * step, size[1] - 0.35 - a * gap) for k, (d, a) in at.items()}
    code = [inch_axes(*size)]
    labels: list[Label] = []
    shown = {v for _, _, v, printed in branches(p) if printed}
    for start, end, value, printed in branches(p):
        (ax, ay), (bx, by) = place[start], place[end]
        if end != p.get("missing"):
            code.append(f'ax.plot([{ax:.4g}, {bx:.4g}], [{ay:.4g}, {by:.4g}], color="0.3", linewidth=1.6, zorder=1)')
        if printed:
            # The box at the outer node takes room from the branch: the number stands in the middle of what is seen.
            share = (bx - ax - widest / 2) / (bx - ax) / 2 + (0.04 if start else 0.0) if not p["down"] else 0.5
            share = share + widest / 4 / (bx - ax) if start and not p["down"] else share
            x, y = ax + (bx - ax) * share, ay + (by - ay) * share
            wrong = next(v for d in (7, 9, 11, 13, -8, -10) for v in [value + d] if v < 98 and v not in shown)
            style = {"fontsize": 11, "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1.2}}
            labels.append(Label(f"{value / 100:.2f}", x, y, wrong=f"{wrong / 100:.2f}", style=style))
    code.append(f'ax.plot({place[""][0]:.4g}, {place[""][1]:.4g}, "o", color="black", markersize=8, zorder=3)')
    fills = COLOURS[p["colors"]]
    for path, (x, y) in place.items():
        if path:
            w = text_size(name(p, path), 12)[0] + 0.2
            fill = fills[int(path[-1]) % 2 if len(path) > 1 or not p["second"] else 0]
            code.append(
                f"ax.add_patch(plt.Rectangle(({x - w / 2:.4g}, {y - 0.15:.4g}), {w:.4g}, 0.3, "
                f'facecolor="{fill}", edgecolor="black", linewidth=1.4, zorder=2))'
            )
            given = bool(p["second"]) and len(path) == 1
            labels.append(Label(name(p, path), x, y, given=given, style={"fontsize": 12}))
    return Drawing("\n".join(code), tuple(labels), size)


def distort(p: Params) -> dict[str, Any]:
    """The branch to the last end is not drawn."""
    return {**p, "missing": branches(p)[-1][1]}


FAMILY = Family(
    name="probability_tree",
    subject=Subject.MATH,
    image_type=ImageType.SET_PROBABILITY,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
