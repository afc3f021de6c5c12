"""Universal, charts: a bar chart with printed values; difference, mean or share asked. Glance: the tallest bar."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from statistics import mean

from scigen.problems.procedural.canvas import COLORS, EVEN, glance_script
from scigen.problems.procedural.family import Drawing, Fact, Family, Glance, Label, Params, Statement, distractors
from scigen.records import ImageType, Plan, Subject

TOPICS = (
    ("Books sold", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat")),
    ("Trees planted", ("Ash", "Oak", "Elm", "Pine", "Yew", "Fir")),
    ("Rainfall (mm)", ("Jan", "Feb", "Mar", "Apr", "May", "Jun")),
    ("Birds seen", ("Tit", "Crow", "Owl", "Gull", "Wren", "Duck")),
)
COLOURS = ("#4c78a8", "#59a14f", "#e08b3e", "#9c6fb0")


def sample(rng: Random, difficulty: int) -> Params:
    """1: difference of two bars; 2: mean; 3: one bar's share of the total in percent. All whole numbers."""
    size = 3 + difficulty
    base = {"topic": rng.randrange(len(TOPICS)), "color": rng.choice(COLOURS)}
    while True:
        values = rng.sample(range(6, 50), size)
        i, j = rng.sample(range(size), 2)
        if values[i] < values[j]:
            i, j = j, i
        total = sum(values)
        whole = (values[i] - values[j] > 1, total % size == 0, 100 * values[i] % total == 0)[difficulty - 1]
        if whole:
            return {**base, "kind": ("difference", "mean", "share")[difficulty - 1], "values": values, "asked": [i, j]}


def answer_value(p: Params) -> int:
    values, (i, j) = p["values"], p["asked"]
    match p["kind"]:
        case "difference":
            return int(values[i] - values[j])
        case "mean":
            return sum(values) // len(values)
        case _:
            return int(100 * values[i] // sum(values))


def state(p: Params) -> Statement:
    title, all_names = TOPICS[p["topic"]]
    values, (i, j) = p["values"], p["asked"]
    names = all_names[: len(values)]
    asked, leak = {
        "difference": (f"By how much is the value of {names[i]} greater than that of {names[j]}?", "difference = {}"),
        "mean": ("What is the mean of all values?", "mean = {}"),
        "share": (f"What percentage of the total does {names[i]} make up?", "share = {}%"),
    }[p["kind"]]
    answer = str(answer_value(p))
    listed = ", ".join(f"{n} {v}" for n, v in zip(names, values, strict=True))
    order = sorted(range(len(values)), key=lambda k: values[k])
    tallest, *others = [names[k] for k in reversed(order)]
    return Statement(
        question=f"{title}: {listed}. {asked}",
        multimodal_question=f"The bar chart shows: {title}. {asked}",
        answer=answer,
        leak=(leak.format(answer),),
        facts=(
            Fact(
                "Which category has the tallest bar?",
                tallest,
                (others[0], others[1], others[2]),
                f"{tallest} {max(values)}",
            ),
            *(
                Fact(
                    f"What is the value of {names[k]}?",
                    str(values[k]),
                    distractors(Random(values[k]), values[k], (-4, -2, 2, 3, 5, 10), 0),
                    f"{names[k]} {values[k]}",
                )
                for k in (i, j)
            ),
        ),
    )


def plan(p: Params) -> Plan:
    title, names = TOPICS[p["topic"]]
    n = len(p["values"])
    return Plan(
        content=f"A bar chart with {n} bars: {', '.join(names[:n])}.",
        layout=f"Vertical axis from 0, named {title}; bars of equal width and one colour, faint horizontal grid.",
        labels="Each value above its bar, each category below its bar.",
        constraints="Bar heights in proportion to their values. No difference, mean or share is written.",
    )


def draw(p: Params) -> Drawing:
    title, names = TOPICS[p["topic"]]
    values = p["values"]
    top = 1.25 * max(values)
    body = f"""
        ax.set_position([0.13, 0.12, 0.84, 0.84])
        ax.bar(range({len(values)}), {list(values)}, width=0.6, color="{p["color"]}", zorder=2)
        ax.set_xlim(-0.6, {len(values) - 0.4:g})
        ax.set_ylim(0, {top:g})
        ax.set_xticks([])
        ax.set_ylabel("{title}", fontsize=12)
        ax.tick_params(labelsize=10)
        ax.grid(axis="y", color="0.88", linewidth=0.8)
        ax.spines[["top", "right"]].set_visible(False)
    """
    labels = [
        Label(str(v), k, v + 0.012 * top, wrong=str(_other(v, values)), style={"va": "bottom"})
        for k, v in enumerate(values)
    ]
    labels += [Label(name, k, -0.03 * top, style={"va": "top"}) for k, name in enumerate(names[: len(values)])]
    return Drawing(body, tuple(labels))


def _other(value: int, values: list[int]) -> int:
    """A number near `value` that no bar has."""
    return next(value + step for step in (7, 8, 9, 11, 12, 13, 14) if value + step not in values)


def distort(p: Params) -> Params:
    """Bars in the opposite order, the two outer values exchanged where that is the same."""
    return {**p, "values": list(reversed(p["values"]))}


PLACES = ("first", "second", "third", "fourth")


def glance_sample(rng: Random, answer: str) -> Params:
    heights = [rng.randrange(16, 45, 4) for _ in PLACES]
    heights[PLACES.index(answer)] = rng.randrange(64, 77, 4)
    return {"heights": heights, "x": rng.choice(EVEN[2:-2]), "color": rng.choice(COLORS)}


def glance_draw(p: Params) -> str:
    at = [17 + p["x"] + 21 * k for k in range(4)]
    return glance_script(f"""
        ax.bar({at}, {list(p["heights"])}, 14, 10, color="{p["color"]}")
        ax.plot([2, 94], [9, 9], color="black", linewidth=2)
    """)


def solve(p: Params) -> float:
    """By the statistics of the values, in exact fractions."""
    values, (i, j) = [Fraction(v) for v in p["values"]], p["asked"]
    found = {
        "difference": abs(values[i] - values[j]),
        "mean": mean(values),
        "share": 100 * (1 - sum(v for k, v in enumerate(values) if k != i) / sum(values)),
    }
    return float(found[p["kind"]])


FAMILY = Family(
    name="bar_chart",
    subject=Subject.UNIVERSAL,
    image_type=ImageType.PLOT_CHART,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
    glance=Glance(
        question="Which bar is the tallest?",
        answers=PLACES,
        sample=glance_sample,
        draw=glance_draw,
        content=("heights", "x"),
    ),
)
