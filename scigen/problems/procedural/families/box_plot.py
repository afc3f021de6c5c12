"""Universal, charts: box plots of two or three groups; spread, outlier limits or counts by quartiles asked."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement, distractors, number
from scigen.records import ImageType, Plan, Subject

TOPICS = (
    ("Score (points)", ("Class A", "Class B", "Class C")),
    ("Height (cm)", ("Beans", "Peas", "Maize")),
    ("Waiting time (min)", ("Bus", "Tram", "Metro")),
    ("Mass (g)", ("Apples", "Pears", "Plums")),
    ("Speed (km/h)", ("Road 1", "Road 2", "Road 3")),
    ("Age (years)", ("Choir", "Band", "Theatre")),
    ("Battery life (h)", ("Type X", "Type Y", "Type Z")),
    ("Noise (dB)", ("Morning", "Noon", "Evening")),
)
COLOURS = ("#8fb4d9", "#a5cf94", "#f2bb84", "#c3a6d4", "#e6a3a3", "#d9c97a")
FIVE = ("minimum", "lower quartile", "median", "upper quartile", "maximum")
LEVELS = {
    1: ("quartile ranges", "ranges"),
    2: ("upper limit", "lower limit", "one count"),
    3: ("all counts", "percentage"),
}
SPAN = 100
"""The value axis runs from 0 to SPAN."""
OFF_MARKS = [v for v in range(4, 97) if v % 10]
"""Values: one on a mark of the axis would be written twice."""
LEAST = 5
"""Least distance of two numbers of one plot, so that their texts do not touch."""


def sample(rng: Random, difficulty: int) -> Params:
    """1: two spreads compared; 2: a limit for outliers, or a count in one group; 3: counts over all groups."""
    groups = 2 if difficulty == 1 else 3
    while True:
        rows = [sorted(rng.sample(OFF_MARKS, 5)) for _ in range(groups)]
        flat = [v for row in rows for v in row]
        if len(set(flat)) < len(flat) or any(b - a < LEAST for row in rows for a, b in pairwise(row)):
            continue
        kind = rng.choice(LEVELS[difficulty])
        p: dict[str, Any] = {
            "kind": kind,
            "topic": rng.randrange(len(TOPICS)),
            "rows": rows,
            "colors": rng.sample(range(len(COLOURS)), groups),
            "upright": rng.random() < 0.5,
        }
        if kind in ("one count", "all counts", "percentage"):
            p["sizes"] = [4 * n for n in rng.sample(range(10, 61), groups)]
            p["cuts"] = [rng.randint(1, 3) for _ in range(groups)]
        if difficulty == 1 and answer_value(p) <= 0:
            p["rows"] = rows[::-1]
        spreads = [row[3] - row[1] for row in rows]
        if answer_value(p) > 0 and len(set(spreads)) == groups and not set(answers(p)) & {str(v) for v in flat}:
            return p


def answer_value(p: Params) -> float:
    rows = p["rows"]
    spreads = [row[3] - row[1] for row in rows]
    widest = spreads.index(max(spreads))
    match p["kind"]:
        case "quartile ranges":
            return float(spreads[0] - spreads[1])
        case "ranges":
            return float(rows[0][4] - rows[0][0] - rows[1][4] + rows[1][0])
        case "upper limit":
            return float(rows[widest][3] + 1.5 * spreads[widest])
        case "lower limit":
            narrow = spreads.index(min(spreads))
            return float(rows[narrow][1] - 1.5 * spreads[narrow])
        case "one count":
            return float(p["sizes"][0] * (4 - p["cuts"][0]) // 4)
    above = sum(n * (4 - cut) // 4 for n, cut in zip(p["sizes"], p["cuts"], strict=True))
    return float(above) if p["kind"] == "all counts" else 100 * above / sum(p["sizes"])


def answers(p: Params) -> tuple[str, ...]:
    return (f"{answer_value(p):.1f}" if p["kind"] == "percentage" else number(answer_value(p), 1),)


def solve(p: Params) -> float:
    """Data with these box plots are made up, and NumPy's quartiles or a count of them answer."""
    import numpy as np

    if "sizes" in p:
        counts = []
        for row, n, cut in zip(p["rows"], p["sizes"], p["cuts"], strict=True):
            inner = [np.linspace(a, b, n // 4 + 2)[1:-1] for a, b in pairwise(row)]
            counts.append(int(np.sum(np.concatenate(inner) > row[cut])))
        if p["kind"] == "one count":
            return float(counts[0])
        return float(sum(counts)) if p["kind"] == "all counts" else float(sum(counts) / sum(p["sizes"]) * 100)
    quartiles = [np.percentile(row, [0, 25, 50, 75, 100]) for row in p["rows"]]
    if p["kind"] == "ranges":
        return float(np.ptp(quartiles[0]) - np.ptp(quartiles[1]))
    spreads = [q[3] - q[1] for q in quartiles]
    if p["kind"] == "quartile ranges":
        return float(spreads[0] - spreads[1])
    if p["kind"] == "upper limit":
        q = quartiles[int(np.argmax(spreads))]
        return float(q[3] * 2.5 - q[1] * 1.5)
    q = quartiles[int(np.argmin(spreads))]
    return float(q[1] * 2.5 - q[3] * 1.5)


def names(p: Params) -> tuple[str, ...]:
    return TOPICS[p["topic"]][1][: len(p["rows"])]


def asked(p: Params) -> str:
    groups = names(p)
    unit = TOPICS[p["topic"]][0]
    match p["kind"]:
        case "quartile ranges":
            return f"By how much is the interquartile range of {groups[0]} greater than that of {groups[1]}?"
        case "ranges":
            return f"By how much is the range of {groups[0]} greater than that of {groups[1]}?"
        case "upper limit":
            return (
                "For the group with the greatest interquartile range, find the upper limit for outliers, which is the "
                "upper quartile plus 1.5 times the interquartile range. Give the exact decimal value."
            )
        case "lower limit":
            return (
                "For the group with the least interquartile range, find the lower limit for outliers, which is the "
                "lower quartile minus 1.5 times the interquartile range. Give the exact decimal value."
            )
    cuts = [f"above {row[cut]} in {n}" for row, cut, n in zip(p["rows"], p["cuts"], groups, strict=True)]
    sizes = ", ".join(f"{n} of {size} values" for n, size in zip(groups, p["sizes"], strict=True))
    if p["kind"] == "one count":
        return (
            f"The plot of {groups[0]} stands for {p['sizes'][0]} different values of: {unit}. "
            f"How many of them are {cuts[0].removesuffix(f' in {groups[0]}')}?"
        )
    listed = ", ".join(cuts[:-1]) + f" or {cuts[-1]}"
    want = "How many values in all are" if p["kind"] == "all counts" else "What percentage of all values is"
    end = ", to one decimal place?" if p["kind"] == "percentage" else "?"
    return f"The plots stand for different values of: {unit}; {sizes}. {want} {listed}{end}"


def state(p: Params) -> Statement:
    title, _ = TOPICS[p["topic"]]
    groups, rows = names(p), p["rows"]
    listed = "; ".join(
        f"{n}: " + ", ".join(f"{what} {v}" for what, v in zip(FIVE, row, strict=True))
        for n, row in zip(groups, rows, strict=True)
    )
    (answer,) = answers(p)
    highest = max(range(len(rows)), key=lambda k: rows[k][2])
    facts = [
        Fact(
            f"What is the {FIVE[k]} of {groups[i]}?",
            str(rows[i][k]),
            _others(rows[i], k),
            f"{groups[i]}: {FIVE[k]} {rows[i][k]}",
        )
        for i, k in ((0, 0), (1, 4))
    ]
    rest = [g for g in TOPICS[p["topic"]][1] if g != groups[highest]]
    facts.append(
        Fact("Which group has the highest median?", groups[highest], (rest[0], rest[1], "all the same"), listed)
    )
    lie = "upright" if p["upright"] else "lying"
    facts.append(
        Fact(
            "How do the box plots stand?",
            "side by side, upright" if p["upright"] else "one above the other, lying",
            (
                "one above the other, lying" if p["upright"] else "side by side, upright",
                "slanting",
                "in a circle",
            ),
            lie,
        )
    )
    return Statement(
        question=f"{title}, by group. {listed}. {asked(p)}",
        multimodal_question=asked(p),
        answer=answer,
        leak=(f"answer = {answer}", answer),
        facts=tuple(facts),
    )


def _others(row: list[int], k: int) -> tuple[str, str, str]:
    far = next(t for t in distractors(Random(row[k]), row[k], (-3, 2, 4), 0) if int(t) not in row)
    return str(row[1]), str(row[3]), far


def plan(p: Params) -> Plan:
    title, _ = TOPICS[p["topic"]]
    return Plan(
        content=f"Box plots of {', '.join(names(p))}.",
        layout=f"One {'vertical' if p['upright'] else 'horizontal'} axis from 0 to {SPAN}, named {title}, with a faint "
        "grid; one box from quartile to quartile a group, the median as a thick line, whiskers to both ends.",
        labels="The five numbers of each plot beside it, the group's name at the other axis.",
        constraints="Boxes and whiskers to scale. Ranges, limits, counts and percentages must not be shown; asked is: "
        f"{asked(p)}",
    )


def draw(p: Params) -> Drawing:
    title, _ = TOPICS[p["topic"]]
    rows = p.get("drawn", p["rows"])
    n = len(rows)
    fills = [COLOURS[c] for c in p["colors"]]
    value, other = ("y", "x") if p["upright"] else ("x", "y")
    size = (4.2 + 0.9 * (n - 2), 5.0) if p["upright"] else (6.0, 2.9 + 0.8 * (n - 2))
    box = [0.8 / size[0], 0.45 / size[1], 1 - 0.95 / size[0], 1 - 0.6 / size[1]]
    if not p["upright"]:
        box = [0.95 / size[0], 0.62 / size[1], 1 - 1.15 / size[0], 1 - 0.72 / size[1]]
    code = [
        f"ax.set_position({[round(v, 4) for v in box]})",
        f"ax.set_{value}lim(0, {SPAN})",
        f"ax.set_{other}lim({(-0.6, n - 0.35) if p['upright'] else (n - 0.45, -0.65)})",
        f"ax.set_{other}ticks([])",
        f"ax.set_{value}ticks(range(0, {SPAN + 1}, 10))",
        "ax.tick_params(labelsize=9)",
        f'ax.set_{value}label("{title}", fontsize=11)',
        f'ax.grid(axis="{value}", color="0.9", linewidth=0.8)',
        "ax.set_axisbelow(True)",
        'ax.spines[["top", "right"]].set_visible(False)',
    ]
    for i, (row, fill) in enumerate(zip(rows, fills, strict=True)):
        low, q1, middle, q3, high = row
        lines: list[tuple[list[float], list[float], float]] = [
            ([low, q1], [i, i], 1.6),
            ([q3, high], [i, i], 1.6),
            ([low, low], [i - 0.1, i + 0.1], 1.6),
            ([high, high], [i - 0.1, i + 0.1], 1.6),
            ([q1, q3, q3, q1, q1], [i - 0.2, i - 0.2, i + 0.2, i + 0.2, i - 0.2], 1.6),
            ([middle, middle], [i - 0.2, i + 0.2], 3.0),
        ]
        along, across = [q1, q3, q3, q1], [i - 0.2, i - 0.2, i + 0.2, i + 0.2]
        first, second = (across, along) if p["upright"] else (along, across)
        code.append(f'ax.fill({_r(first)}, {_r(second)}, color="{fill}", linewidth=0)')
        for along, across, width in lines:
            first, second = (across, along) if p["upright"] else (along, across)
            code.append(f'ax.plot({_r(first)}, {_r(second)}, color="black", linewidth={width}, solid_capstyle="butt")')
    labels: list[Label] = []
    every = {v for row in p["rows"] for v in row}
    for i, (group, row) in enumerate(zip(names(p), p["rows"], strict=True)):
        for k, v in enumerate(row):
            wrong = next(w for d in (3, -3, 4, -4, 6, -6, 7, 8, 9) for w in [v + d] if w not in every and w > 0)
            beside = i + 0.25 if p["upright"] else i - 0.27
            x, y = (beside, v) if p["upright"] else (v, beside)
            style: dict[str, Any] = {"fontsize": 10, "ha": "left"} if p["upright"] else {"fontsize": 10, "va": "bottom"}
            if k in (0, 4) and p["upright"]:
                x -= 0.11
            labels.append(Label(str(v), x, y, wrong=str(wrong), style=style))
        x, y = (i, -3) if p["upright"] else (-2, i)
        style = {"va": "top"} if p["upright"] else {"ha": "right"}
        labels.append(Label(group, x, y, style={"fontsize": 11, **style}))
    return Drawing("\n".join(code), tuple(labels), size)


def _r(values: list[float]) -> list[float]:
    return [round(v, 2) for v in values]


def distort(p: Params) -> dict[str, Any]:
    """The first plot is drawn as its mirror image, the others in the place of their neighbours."""
    rows = p["rows"]
    return {**p, "drawn": [[SPAN - v for v in reversed(rows[-1])], *rows[:-1]]}


FAMILY = Family(
    name="box_plot",
    subject=Subject.UNIVERSAL,
    image_type=ImageType.PLOT_CHART,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
