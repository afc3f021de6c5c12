"""Biology, ecology: a food web with arrows from the eaten to the eater; chains counted, energy followed."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement, distractors, number
from scigen.problems.procedural.placing import Page, inch_axes, text_size
from scigen.records import ImageType, Plan, Subject

HABITATS: dict[str, tuple[tuple[str, ...], ...]] = {
    "meadow": (
        ("grass", "clover", "oak", "nettle"),
        ("grasshopper", "aphid", "caterpillar", "snail", "beetle"),
        ("frog", "thrush", "hedgehog", "shrew"),
        ("fox", "hawk", "owl"),
    ),
    "lake": (
        ("algae", "reeds", "pondweed", "duckweed"),
        ("daphnia", "tadpole", "water snail", "mayfly", "midge"),
        ("perch", "newt", "minnow", "roach"),
        ("pike", "heron", "otter"),
    ),
    "sea": (
        ("diatoms", "red algae", "seagrass", "green algae"),
        ("krill", "copepod", "shrimp", "amphipod", "mysid"),
        ("herring", "squid", "cod", "mackerel"),
        ("seal", "tuna", "shark"),
    ),
    "savanna": (
        ("acacia", "red grass", "shrubs", "baobab"),
        ("ant", "termite", "dung beetle", "cricket", "locust"),
        ("hornbill", "mongoose", "bat", "lizard"),
        ("caracal", "eagle", "python"),
    ),
}
"""By habitat: names by level, producers first."""
COLOURS = ("#d5e8c8", "#f5ecc2", "#f6d9bd", "#efc6c1")
ROWS = {1: ((2, 3, 2, 1), (3, 3, 2, 1), (3, 2, 3, 1)), 2: ((3, 3, 3, 2), (2, 4, 3, 2)), 3: ((2, 2, 2, 1), (2, 3, 2, 1))}
"""How many boxes each row has, by difficulty."""
KINDS = {1: "chains to", 2: "all chains", 3: "energy"}


def sample(rng: Random, difficulty: int) -> Params:
    """1: chains that end at one animal; 2: all chains of the web; 3: energy that reaches the top along all chains."""
    while True:
        counts = rng.choice(ROWS[difficulty])
        habitat = rng.choice(list(HABITATS))
        rows = [rng.sample(names, n) for names, n in zip(HABITATS[habitat], counts, strict=True)]
        links = []
        for low, high in pairwise(rows):
            for i, eaten in enumerate(low):
                for j, eater in enumerate(high):
                    beside = abs((i + 0.5) / len(low) - (j + 0.5) / len(high))
                    if rng.random() < (0.9 if beside < 0.3 else 0.45 if beside < 0.55 else 0.0):
                        links.append([eaten, eater])
        p: dict[str, Any] = {"habitat": habitat, "rows": rows, "links": links, "kind": KINDS[difficulty]}
        if not _whole(p):
            continue
        if difficulty == 3:
            p["percent"] = [rng.choice([2, 3, 4, 5, 6, 8, 9, 10, 12, 14, 15]) for _ in links]
            p["energy"] = [rng.randrange(20, 96) * 1000 for _ in rows[0]]
            out: dict[str, int] = {}
            for (eaten, _), share in zip(links, p["percent"], strict=True):
                out[eaten] = out.get(eaten, 0) + share
            if max(out.values()) > 20 or energy(p) < 2 or len(set(p["energy"])) < len(rows[0]):
                continue
        elif not 3 <= chains(p) <= 24:
            continue
        if _layout(p) is not None:
            return p


def _whole(p: Params) -> bool:
    """Every animal eats, everything below the top is eaten."""
    eaten, eaters = {a for a, _ in p["links"]}, {b for _, b in p["links"]}
    low = {n for row in p["rows"][:-1] for n in row}
    high = {n for row in p["rows"][1:] for n in row}
    return low <= eaten and high <= eaters


def chains(p: Params) -> int:
    """How many ways lead up to each one from the producers: the sum over what it eats."""
    ways = {name: 1 for name in p["rows"][0]}
    for row in p["rows"][1:]:
        for name in row:
            ways[name] = sum(ways[a] for a, b in p["links"] if b == name)
    return sum(ways[name] for name in p["rows"][-1])


def energy(p: Params) -> float:
    """What reaches the top, level by level."""
    has: dict[str, float] = dict(zip(p["rows"][0], map(float, p["energy"]), strict=True))
    for row in p["rows"][1:]:
        for name in row:
            flows = zip(p["links"], p["percent"], strict=True)
            has[name] = sum(has[a] * share / 100 for (a, b), share in flows if b == name)
    return has[p["rows"][-1][0]]


def answer_text(p: Params) -> str:
    return f"{energy(p):.1f}" if p["kind"] == "energy" else str(chains(p))


def solve(p: Params) -> float:
    """Every chain listed one by one by networkx; energy as the product of the shares along it."""
    import networkx as nx

    web = nx.DiGraph()
    for i, (a, b) in enumerate(p["links"]):
        web.add_edge(a, b, share=p["percent"][i] / 100 if "percent" in p else 1.0)
    total = 0.0
    for i, start in enumerate(p["rows"][0]):
        for top in p["rows"][-1]:
            for path in nx.all_simple_paths(web, start, top):
                total += (p["energy"][i] if "energy" in p else 1) * _along(web, path)
    return total


def _along(web: Any, path: list[str]) -> float:
    share = 1.0
    for a, b in pairwise(path):
        share *= web.edges[a, b]["share"]
    return share


def words(p: Params) -> tuple[str, str]:
    """The web in words, and what is asked."""
    told = []
    shares = dict(zip(map(tuple, p["links"]), p.get("percent", []), strict=False))
    for row in p["rows"][1:]:
        for name in row:
            food = [a + (f" ({shares[a, b]} % of its energy)" if shares else "") for a, b in p["links"] if b == name]
            told.append(f"the {name} eats {', '.join(food)}")
    known = f"In a food web of a {p['habitat']} " + "; ".join(told) + "."
    top = p["rows"][-1][0]
    if p["kind"] == "energy":
        values = ", ".join(f"{n} {e} kJ" for n, e in zip(p["rows"][0], p["energy"], strict=True))
        known += f" The producers hold {values}."
        asked = "Each arrow passes on the given share of the energy that reaches its start. Find the energy in kJ that "
        return known, asked + f"reaches the {top} along all chains together, to one decimal place."
    if p["kind"] == "chains to":
        return known, f"How many food chains lead from a producer to the {top}?"
    return known, "How many food chains lead from a producer to a top predator, all together?"


def state(p: Params) -> Statement:
    known, asked = words(p)
    rows, links, answer = p["rows"], p["links"], answer_text(p)
    rng = Random(len(links) + len(known))
    animal = rows[2][0]
    food = sum(b == animal for _, b in links)
    names = [n for row in rows for n in row]
    arrows = len(links)
    near = distractors(rng, arrows, (-3, -2, -1, 1, 2, 3), 0)
    producers = len(rows[0])
    facts = [
        Fact("How many arrows has the web?", str(arrows), near),
        Fact("How many kinds of producers are drawn?", str(producers), _three(producers)),
        Fact(f"How many arrows end at the {animal}?", str(food), _three(food)),
    ]
    if p["kind"] == "energy":
        name, value = rows[0][0], p["energy"][0]
        wrong = distractors(rng, value, (-7000, -4000, 3000, 6000, 9000), 0)
        right = f"{value} kJ"
        facts[2] = Fact(
            f"Which energy is given for the {name}?", right, (f"{wrong[0]} kJ", f"{wrong[1]} kJ", f"{wrong[2]} kJ")
        )
    strangers = [n for other, rs in HABITATS.items() if other != p["habitat"] for row in rs for n in row]
    eaten = next(a for a, b in links if b == animal)
    no = [n for n in names if [n, animal] not in links and n != animal] + strangers
    facts.append(Fact(f"Which of these does the {animal} eat?", eaten, (no[0], no[1], no[2])))
    return Statement(
        question=f"{known} {asked}",
        multimodal_question=f"Arrows point from the eaten to the eater. {asked}",
        answer=answer,
        leak=(f"{answer} kJ" if p["kind"] == "energy" else f"{answer} chains", f"= {answer}"),
        facts=tuple(facts),
    )


def _three(right: int) -> tuple[str, str, str]:
    first, second, third = [str(n) for n in (1, 2, 3, 4, 5) if n != right][:3]
    return first, second, third


def plan(p: Params) -> Plan:
    known, _ = words(p)
    what = "energy that reaches the top" if p["kind"] == "energy" else "number of food chains"
    return Plan(
        content=known,
        layout="Four rows, producers at the bottom, top predators above; names in rounded boxes, one colour a row; "
        "straight arrows from the eaten to the eater.",
        labels="Each name in its box"
        + ("; the share on each arrow, the energy below each producer." if p["kind"] == "energy" else "."),
        constraints=f"Only the arrows of the web. The {what} is asked and must not be shown.",
    )


SIZE = (6.4, 4.7)
HIGH = 0.34


def _boxes(p: Params) -> dict[str, tuple[float, float, float]]:
    """Centre and width of each box in inches."""
    low = 0.75 if p["kind"] == "energy" else 0.4
    found = {}
    for k, row in enumerate(p["rows"]):
        y = low + (SIZE[1] - 0.35 - low) * k / (len(p["rows"]) - 1)
        for i, name in enumerate(row):
            x = SIZE[0] * (i + 0.5) / len(row) if len(row) > 1 else SIZE[0] / 2
            if len(row) == 2:
                x = SIZE[0] * (0.23 + 0.54 * i)
            found[name] = (x, y, max(0.9, text_size(name, 11.5)[0] + 0.16))
    return found


def _arrow(boxes: dict[str, tuple[float, float, float]], a: str, b: str, links: list[list[str]]) -> list[list[float]]:
    """From the upper side of one box to the lower side of the other; arrows at one box stand apart."""
    (x1, y1, w1), (x2, y2, w2) = boxes[a], boxes[b]
    out = sorted((boxes[c][0], c) for d, c in links if d == a)
    into = sorted((boxes[d][0], d) for d, c in links if c == b)
    i, j = [c for _, c in out].index(b), [d for _, d in into].index(a)
    s1, s2 = x1 + 0.55 * w1 * ((i + 0.5) / len(out) - 0.5), x2 + 0.55 * w2 * ((j + 0.5) / len(into) - 0.5)
    return [[s1, y1 + HIGH / 2 + 0.02], [s2, y2 - HIGH / 2 - 0.03]]


def _layout(p: Params) -> list[tuple[list[list[float]], tuple[float, float]]] | None:
    """The arrows and the places of the shares on them (away from other arrows); None if a share finds no place."""
    boxes = _boxes(p)
    arrows = [_arrow(boxes, a, b, p["links"]) for a, b in p["links"]]
    if "percent" not in p:
        return [(arrow, (0.0, 0.0)) for arrow in arrows]
    placed: list[tuple[list[list[float]], tuple[float, float]]] = []
    taken = Page(*SIZE)
    for k, arrow in enumerate(arrows):
        page = Page(*SIZE)
        for other in arrows[:k] + arrows[k + 1 :]:
            page.line((other[0][0], other[0][1]), (other[1][0], other[1][1]))
        (x1, y1), (x2, y2) = arrow
        text = f"{p['percent'][k]} %"
        spots = [(x1 + (x2 - x1) * t, y1 + (y2 - y1) * t) for t in (0.45, 0.35, 0.55, 0.28, 0.62)]
        air = [min(free.clearance(text, x, y, 10) for free in (page, taken)) for x, y in spots]
        if max(air) < 0.03:
            return None
        best = spots[max(range(len(spots)), key=[min(a, 0.06) for a in air].__getitem__)]
        taken.text(text, *best, 10)
        placed.append((arrow, best))
    return placed


def draw(p: Params) -> Drawing:
    boxes, layout = _boxes(p), _layout(p)
    assert layout is not None
    reverse = p.get("reversed", False)
    arrows = [[[round(v, 3) for v in point] for point in (arrow[::-1] if reverse else arrow)] for arrow, _ in layout]
    colour = {name: COLOURS[k] for k, row in enumerate(p["rows"]) for name in row}
    shapes = [
        (round(x - w / 2, 3), round(y - HIGH / 2, 3), round(w, 3), colour[name]) for name, (x, y, w) in boxes.items()
    ]
    body = f"""{inch_axes(*SIZE)}
for start, end in {arrows}:
    ax.annotate("", xy=end, xytext=start, arrowprops=dict(
        arrowstyle="-|>", color="0.25", lw=1.5, shrinkA=0, shrinkB=0, mutation_scale=14))
for x, y, width, color in {shapes}:
    ax.add_patch(plt.matplotlib.patches.FancyBboxPatch(
        (x, y), width, {HIGH}, boxstyle="round,pad=0,rounding_size=0.12", facecolor=color, edgecolor="0.2", lw=1.4))
"""
    everything = [n for rows in HABITATS.values() for row in rows for n in row]
    labels = []
    for i, (name, (x, y, _)) in enumerate(boxes.items()):
        strange = everything[(everything.index(name) + 17) % len(everything)]
        wrong = strange if i % 2 and strange not in boxes else None
        labels.append(Label(name, x, y, wrong=wrong, style={"fontsize": 11.5}))
    if p["kind"] == "energy":
        for name, value in zip(p["rows"][0], p["energy"], strict=True):
            x, y, _ = boxes[name]
            labels.append(Label(f"{value} kJ", x, y - 0.36, wrong=f"{value + 6000} kJ", style={"fontsize": 11}))
        white = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        once = [p["percent"].count(v) == 1 for v in p["percent"]]
        for share, (_, (x, y)), single in zip(p["percent"], layout, once, strict=True):
            other = next(v for v in (7, 11, 13, 16) if v not in p["percent"])
            wrong = f"{other} %" if single else None
            style = {"fontsize": 10, "bbox": white}
            labels.append(Label(f"{number(share)} %", x, y, given=single, wrong=wrong, style=style))
    return Drawing(body, tuple(labels), size=SIZE)


def distort(p: Params) -> Params:
    """The arrows point from the eater to the eaten."""
    return {**p, "reversed": True}


FAMILY = Family(
    name="food_web",
    subject=Subject.BIOLOGY,
    image_type=ImageType.ECOLOGICAL,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
