"""Math, sets and probability: a Venn diagram of two or three sets with counts. Glance: which region is shaded?"""

from __future__ import annotations

from random import Random

from scigen.problems.procedural.canvas import COLORS, EVEN, glance_script
from scigen.problems.procedural.family import (
    Drawing,
    Fact,
    Family,
    Glance,
    Label,
    Params,
    Statement,
    distractors,
    number,
)
from scigen.records import ImageType, Plan, Subject

TOPICS = (
    ("students", "study", ("Maths", "Art", "Music")),
    ("guests", "drink", ("Tea", "Coffee", "Juice")),
    ("members", "play", ("Chess", "Tennis", "Golf")),
    ("families", "keep", ("Cats", "Dogs", "Fish")),
)

REGIONS = {2: ("a", "ab", "b", "none"), 3: ("a", "b", "c", "ab", "ac", "bc", "abc", "none")}
PLACES = {
    2: {"a": (-1.05, 0), "ab": (0, 0), "b": (1.05, 0), "none": (1.75, -1.2)},
    3: {
        "a": (-0.95, 0.55),
        "b": (0.95, 0.55),
        "c": (0, -1.05),
        "ab": (0, 0.75),
        "ac": (-0.62, -0.38),
        "bc": (0.62, -0.38),
        "abc": (0, 0.02),
        "none": (1.8, -1.55),
    },
}


def sample(rng: Random, difficulty: int) -> Params:
    """1: how many in the union; 2: probability of exactly one of two; 3: how many in at least two of three."""
    size = 3 if difficulty == 3 else 2
    regions = REGIONS[size]
    base = {"topic": rng.randrange(len(TOPICS)), "sets": size, "spread": 0.6}
    while True:
        counts = rng.sample(range(2, 12 + 6 * difficulty), len(regions))
        # A total that divides a power of ten makes the probability an exact decimal.
        if difficulty != 2 or sum(counts) in (20, 25, 40, 50, 80):
            kind = ("union", "exactly_one", "at_least_two")[difficulty - 1]
            return {**base, "kind": kind, "counts": dict(zip(regions, counts, strict=True))}


def answer_value(p: Params) -> float:
    """Count of the union, probability of exactly one, or count of at least two, by `kind`."""
    counts = p["counts"]
    match p["kind"]:
        case "union":
            return float(sum(n for region, n in counts.items() if region != "none"))
        case "exactly_one":
            return float((counts["a"] + counts["b"]) / sum(counts.values()))
        case _:
            return float(sum(n for region, n in counts.items() if len(region) in (2, 3)))


def region_words(region: str, names: tuple[str, ...]) -> str:
    inside = [names["abc".index(letter)] for letter in region] if region != "none" else []
    if not inside:
        return "none of them"
    return " and ".join(inside) + (" only" if len(inside) < len(names) else "")


def state(p: Params) -> Statement:
    who, verb, all_names = TOPICS[p["topic"]]
    names = tuple(all_names[: p["sets"]])
    listed = ", ".join(f"{n} {region_words(region, names)}" for region, n in p["counts"].items())
    asked, sign = {
        "union": (f"How many {who} {verb} {names[0]} or {names[1]} (or both)?", "n"),
        "exactly_one": (
            f"One of the {who} is chosen at random. What is the probability that this one "
            f"{verb} exactly one of {names[0]} and {names[1]}? Give the exact decimal value.",
            "P",
        ),
        "at_least_two": (f"How many {who} {verb} at least two of {', '.join(names)}?", "n"),
    }[p["kind"]]
    answer = number(answer_value(p), 4)
    facts = [
        Fact(
            f"Which number stands in the region of {region_words(region, names)}?",
            str(p["counts"][region]),
            distractors(Random(p["counts"][region]), p["counts"][region], (-2, -1, 1, 2, 3, 5), 0),
            f"{p['counts'][region]} {region_words(region, names)}",
        )
        for region in ("a", "ab", "none")
    ]
    return Statement(
        question=f"Of a group of {who}, each may {verb} several of {', '.join(names)}: {listed}. {asked}",
        multimodal_question=f"The diagram shows how many {who} {verb} what. {asked}",
        answer=answer,
        leak=(f"{sign} = {answer}",),
        facts=tuple(facts),
    )


def plan(p: Params) -> Plan:
    _, _, all_names = TOPICS[p["topic"]]
    names = all_names[: p["sets"]]
    return Plan(
        content=f"A rectangle with {len(names)} overlapping circles: {', '.join(names)}.",
        layout="Equal circles, each overlapping each other one; the set names outside the circles, equal aspect.",
        labels="One count in each region, the last one outside all circles.",
        constraints="Every region exists and holds exactly one number. No sums or probabilities are shown.",
    )


def centres(p: Params) -> list[tuple[float, float]]:
    s = float(p["spread"])
    return [(-s, 0.0), (s, 0.0)] if p["sets"] == 2 else [(-s, 0.35), (s, 0.35), (0.0, 0.35 - 1.7 * s)]


def draw(p: Params) -> Drawing:
    low, high = (-1.5, 1.75) if p["sets"] == 2 else (-1.9, 2.0)
    names = TOPICS[p["topic"]][2][: p["sets"]]
    circles = [
        f'ax.add_patch(plt.Circle(({x:g}, {y:g}), 1, facecolor="{c}", alpha=0.18))\n'
        f'ax.add_patch(plt.Circle(({x:g}, {y:g}), 1, fill=False, edgecolor="{c}", linewidth=2))'
        for (x, y), c in zip(centres(p), ("tab:blue", "tab:red", "tab:green"), strict=False)
    ]
    body = "\n".join(
        [
            "ax.set_position([0.02, 0.02, 0.96, 0.96])",
            'ax.set_aspect("equal")',
            "ax.set_xlim(-2.15, 2.15)",
            f"ax.set_ylim({low - 0.1:g}, {high + 0.35:g})",
            'ax.axis("off")',
            f"ax.add_patch(plt.Rectangle((-2.05, {low:g}), 4.1, {high - low:g}, fill=False, linewidth=1.5))",
            *circles,
        ]
    )
    name_places = [(-1.1, 1.2), (1.1, 1.2)] if p["sets"] == 2 else [(-1.2, 1.55), (1.2, 1.55), (-1.15, -1.35)]
    labels = [
        Label(str(n), *PLACES[p["sets"]][region], wrong=str(_other_count(n, p)), style={"fontsize": 14})
        for region, n in p["counts"].items()
    ]
    labels += [
        Label(name, *place, style={"fontsize": 13, "style": "italic"})
        for name, place in zip(names, name_places, strict=True)
    ]
    return Drawing(body, tuple(labels))


def _other_count(n: int, p: Params) -> int:
    """A count near `n` that no region has."""
    return next(n + step for step in range(3, 40) if n + step not in p["counts"].values())


def distort(p: Params) -> Params:
    """Circles that no longer overlap."""
    return {**p, "spread": 1.03}


REGION_WORDS = ("left", "middle", "right", "outside")


def glance_sample(rng: Random, answer: str) -> Params:
    return {
        "region": answer,
        "radius": rng.randint(21, 25),
        "apart": rng.randrange(22, 29, 2),
        "x": rng.choice(EVEN[1:-1]),
        "y": rng.choice(EVEN),
        "color": rng.choice(COLORS[1:]),
    }


def glance_draw(p: Params) -> str:
    r, d, color = p["radius"], p["apart"] / 2, p["color"]
    left, right = f"({48 + p['x'] - d:g}, {48 + p['y']})", f"({48 + p['x'] + d:g}, {48 + p['y']})"
    fills = {
        "left": f'ax.add_patch(plt.Circle({left}, {r}, color="{color}"))\n'
        f'ax.add_patch(plt.Circle({right}, {r}, color="white"))',
        "right": f'ax.add_patch(plt.Circle({right}, {r}, color="{color}"))\n'
        f'ax.add_patch(plt.Circle({left}, {r}, color="white"))',
        "middle": f'lens = ax.add_patch(plt.Circle({left}, {r}, color="{color}"))\n'
        f"lens.set_clip_path(plt.Circle({right}, {r}, transform=ax.transData))",
        "outside": f'ax.add_patch(plt.Rectangle((0, 0), 96, 96, color="{color}"))\n'
        f'for centre in ({left}, {right}):\n    ax.add_patch(plt.Circle(centre, {r}, color="white"))',
    }
    lines = (
        f"for centre in ({left}, {right}):\n"
        f'    ax.add_patch(plt.Circle(centre, {r}, fill=False, edgecolor="black", linewidth=2))'
    )
    return glance_script(fills[p["region"]] + "\n" + lines)


def solve(p: Params) -> float:
    """By counting out: every member is in the sets of its region."""
    members = [set(region) - set("none") for region, n in p["counts"].items() for _ in range(n)]
    inside = [len(m) for m in members]
    if p["kind"] == "exactly_one":
        return inside.count(1) / len(members)
    return float(sum(n >= (1 if p["kind"] == "union" else 2) for n in inside))


FAMILY = Family(
    name="venn",
    subject=Subject.MATH,
    image_type=ImageType.SET_PROBABILITY,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
    glance=Glance(
        question="Which region is shaded?",
        answers=REGION_WORDS,
        sample=glance_sample,
        draw=glance_draw,
        content=("region", "radius", "apart", "x", "y"),
    ),
)
