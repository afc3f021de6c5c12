"""Biology, molecular processes: a plasmid map with cut sites beside a gel; fragment lengths or a site asked."""

from __future__ import annotations

from itertools import pairwise
from math import cos, log10, pi, sin
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement, distractors
from scigen.problems.procedural.placing import Page, inch_axes
from scigen.records import ImageType, Plan, Subject

ENZYMES = ("EcoRI", "BamHI", "HindIII", "PstI", "SalI", "XhoI", "NotI", "KpnI", "SacI", "NdeI", "BglII", "SmaI")
GENES = ("ampR", "lacZ", "ori", "kanR", "gfp", "tetR")
LADDER = (10000, 8000, 6000, 5000, 4000, 3000, 2000, 1500, 1000, 500)
COLOURS = (("#4f81bd", "#d98b3a"), ("#5b9a6b", "#b5577a"), ("#7b68a6", "#c9a13b"), ("#3f8f9b", "#c0624e"))


def sample(rng: Random, difficulty: int) -> Params:
    """1: one digest, its longest or shortest fragment; 2: a double digest; 3: a site from the bands of two digests."""
    while True:
        size = rng.randrange(4000, 10001, 50)
        first, second = rng.sample(ENZYMES, 2)
        ones = {1: rng.randint(2, 4), 2: rng.randint(1, 2), 3: 1}[difficulty]
        twos = {1: rng.randint(1, 2), 2: rng.randint(1, 2), 3: 1}[difficulty]
        cuts = sorted(rng.sample(range(150, size - 149, 50), ones + twos))
        rng.shuffle(cuts)
        p: dict[str, Any] = {
            "kind": {1: "single", 2: "double", 3: "site"}[difficulty],
            "size": size,
            "enzymes": [first, second],
            "cuts": [sorted(cuts[:ones]), sorted(cuts[ones:])],
            "end": rng.choice(["longest", "shortest"]),
            "gene": rng.choice(GENES),
            "from": rng.randrange(0, 360, 5),
            "colors": rng.randrange(len(COLOURS)),
        }
        both = sorted(p["cuts"][0] + p["cuts"][1])
        pieces = fragments(size, both)
        if min(pieces) < 350 or len(set(pieces)) < len(pieces) or len(set(bands(p, "gel"))) < len(bands(p, "gel")):
            continue
        if difficulty == 3 and (abs(pieces[0] - pieces[1]) < 300 or p["cuts"][1][0] < p["cuts"][0][0]):
            continue
        shown = [*p["cuts"][0], *(p["cuts"][1] if difficulty < 3 else bands(p, "gel")), size, *LADDER]
        if answer_value(p) not in shown and _tidy(p):
            return p


def fragments(size: int, cuts: list[int]) -> list[int]:
    """Lengths between neighbouring cuts of a ring."""
    order = sorted(cuts)
    return [b - a for a, b in zip(order, [*order[1:], order[0] + size], strict=True)]


def bands(p: Params, lane: str) -> list[int]:
    """Lengths that the gel's filled lane shows: the second enzyme's, at level 3 those of both together."""
    cuts = p["cuts"][0] + p["cuts"][1] if p["kind"] == "site" else p["cuts"][1 if p["kind"] == "single" else 0]
    return sorted(fragments(p["size"], cuts), reverse=True)


def answer_value(p: Params) -> int:
    if p["kind"] == "site":
        return int(p["cuts"][1][0])
    cuts = p["cuts"][0] if p["kind"] == "single" else p["cuts"][0] + p["cuts"][1]
    pieces = fragments(p["size"], cuts)
    return max(pieces) if p["end"] == "longest" else min(pieces)


def solve(p: Params) -> float:
    """A ring of base pairs, cut and walked along; for a site, every position tried against the bands."""
    import numpy as np

    def pieces(cuts: list[int]) -> list[int]:
        ring = np.zeros(p["size"], dtype=int)
        ring[np.array(cuts) % p["size"]] = 1
        _, counts = np.unique(np.cumsum(ring) % len(cuts), return_counts=True)
        return sorted(counts.tolist(), reverse=True)

    if p["kind"] == "site":
        seen, known = bands(p, "gel"), p["cuts"][0][0]
        fits = [at for at in range(known + 50, p["size"], 50) if pieces([known, at]) == seen]
        near = [at for at in fits if (at - known == max(seen)) == (p["cuts"][1][0] - known == max(seen))]
        return float(near[0])
    cuts = p["cuts"][0] if p["kind"] == "single" else p["cuts"][0] + p["cuts"][1]
    found = pieces(cuts)
    return float(found[0] if p["end"] == "longest" else found[-1])


def words(p: Params) -> tuple[str, str]:
    """What is known without a picture, and what is asked."""
    first, second = p["enzymes"]
    listed = [f"{name} at {' and '.join(map(str, c))} bp" for name, c in zip(p["enzymes"], p["cuts"], strict=True)]
    known = f"A circular plasmid of {p['size']} bp is cut by "
    if p["kind"] == "site":
        long, short = bands(p, "gel")
        way = "longer" if p["cuts"][1][0] - p["cuts"][0][0] == long else "shorter"
        known += f"{listed[0]} and by {second} at one other site. Both together give {long} bp and {short} bp."
        asked = f"The {way} fragment lies clockwise from the {first} site to the {second} site; positions count "
        asked += f"clockwise from 0 at the top. Find the position of the {second} site in bp."
        return known, asked
    known += f"{listed[0]} and by {listed[1]}."
    what = first if p["kind"] == "single" else f"{first} and {second} together"
    return known, f"The plasmid is cut completely by {what}. Find the length of the {p['end']} fragment in bp."


def state(p: Params) -> Statement:
    known, asked = words(p)
    answer = str(answer_value(p))
    size, first = p["size"], p["enzymes"][0]
    wrong = distractors(Random(size), size, (-900, -550, 350, 700, 1250), 0)
    facts = [Fact("How long is the plasmid?", f"{size} bp", (f"{wrong[0]} bp", f"{wrong[1]} bp", f"{wrong[2]} bp"))]
    sites = len(p["cuts"][0])
    facts.append(
        Fact(
            f"How many cut sites of {first} are marked?",
            str(sites),
            tuple(str(n) for n in range(1, 6) if n != sites)[:3],  # type: ignore[arg-type]
        )
    )
    lane = bands(p, "gel")
    facts.append(
        Fact(
            "How many bands has the lane next to the ladder?",
            str(len(lane)),
            tuple(str(n) for n in range(1, 6) if n != len(lane))[-3:],  # type: ignore[arg-type]
        )
    )
    others = [g for g in GENES if g != p["gene"]]
    facts.append(Fact("Which gene is marked on the map?", p["gene"], (others[0], others[1], others[2]), p["gene"]))
    return Statement(
        question=f"{known} {asked}",
        multimodal_question=f"The picture shows the map of a plasmid, with positions in bp, and a gel. {asked}",
        answer=answer,
        leak=(f"{answer} bp", answer),
        facts=tuple(facts),
    )


def plan(p: Params) -> Plan:
    known, _ = words(p)
    asked = f"position of the {p['enzymes'][1]} site" if p["kind"] == "site" else f"length of the {p['end']} fragment"
    return Plan(
        content=known,
        layout="On the left the plasmid as a ring, positions clockwise from the top, a tick at each site, one gene as "
        "an arc with an arrow head; on the right a gel: a ladder, one lane with bands, wells at the top, distance "
        "falling with the logarithm of length.",
        labels="Enzyme and position at each tick, size in the middle, lengths beside the ladder, lanes numbered.",
        constraints=f"Ticks at their true angles, bands at their true heights. The {asked} is asked and must not be "
        "shown.",
    )


SIZE = (7.0, 4.3)
CENTRE, RADIUS = (2.3, 2.12), 1.08
GEL = (4.95, 6.75, 0.35, 3.75)


def _ring(p: Params, at: float, radius: float) -> tuple[float, float]:
    turn = pi / 2 - 2 * pi * at / p["size"]
    return CENTRE[0] + radius * cos(turn), CENTRE[1] + radius * sin(turn)


def _sites(p: Params) -> list[tuple[str, int, str]]:
    """Text at each tick, position, and the text that a wrong drawing shows."""
    found = []
    for name, cuts in zip(p["enzymes"], p["cuts"], strict=True):
        for at in cuts:
            if p["kind"] == "site" and name == p["enzymes"][1]:
                continue
            found.append((f"{name} {at}", at, f"{name} {at + 25}"))
    return sorted(found, key=lambda s: s[1])


def _texts(p: Params) -> tuple[list[tuple[str, tuple[float, float], str]], float]:
    """Placed texts of the sites (text, centre, wrong) and the least air around them."""
    page = Page(4.62, SIZE[1], 0.06)
    page.line(*(_ring(p, p["size"] * i / 60, RADIUS + 0.06) for i in range(61)))
    for _, at, _ in _sites(p):
        page.line(_ring(p, at, RADIUS), _ring(p, at, RADIUS + 0.18))
    found, least = [], 1.0
    for text, at, wrong in _sites(p):
        turn = pi / 2 - 2 * pi * at / p["size"]
        _, place = page.spot(text, _ring(p, at, RADIUS + 0.18), 0.06, 10.5, turn, 3)
        least = min(least, page.clearance(text, *place, 10.5))
        page.text(text, *place, 10.5)
        found.append((text, place, wrong))
    return found, least


def _tidy(p: Params) -> bool:
    """Whether texts have room and bands are apart, at level 3 far enough for the lengths beside them."""
    heights = [_height(n) for n in bands(p, "gel")]
    apart = min((a - b for a, b in pairwise(heights)), default=1.0)
    return _texts(p)[1] > 0.02 and apart > (0.18 if p["kind"] == "site" else 0.07)


def _height(length: int) -> float:
    """Where a band lies in the gel, inches from below."""
    top, bottom = GEL[3] - 0.42, GEL[2] + 0.18
    return bottom + (top - bottom) * (log10(length) - log10(300)) / (log10(10000) - log10(300))


def draw(p: Params) -> Drawing:
    backbone, accent = COLOURS[p["colors"]]
    shift = p.get("shift", 0)
    ticks = []
    for name, cuts in zip(p["enzymes"], p["cuts"], strict=True):
        if p["kind"] == "site" and name == p["enzymes"][1]:
            continue
        for at in cuts:
            a, b = _ring(p, at + shift, RADIUS - 0.06), _ring(p, at + shift, RADIUS + 0.18)
            ticks.append([[round(a[0], 3), round(b[0], 3)], [round(a[1], 3), round(b[1], 3)]])
    left, right, low, high = GEL
    lanes = [left + 0.52, left + 1.0, left + 1.48]
    ladder = [round(_height(n), 3) for n in LADDER]
    shown = [n + shift if i == 0 else n - shift for i, n in enumerate(bands(p, "gel"))]
    lane = [round(_height(max(n, 300)), 3) for n in shown]
    zero = [_ring(p, 0, RADIUS - 0.1), _ring(p, 0, RADIUS + 0.1)]
    body = f"""{inch_axes(*SIZE)}
ax.add_patch(plt.Circle({CENTRE}, {RADIUS}, fill=False, edgecolor="{backbone}", lw=6))
turn = np.radians(90 - np.linspace({p["from"]}, {p["from"] + 62}, 60))
x, y = {CENTRE[0]} + {RADIUS} * np.cos(turn), {CENTRE[1]} + {RADIUS} * np.sin(turn)
ax.plot(x, y, color="{accent}", lw=9, solid_capstyle="butt")
ax.annotate("", xy=(x[-1] + 9 * (x[-1] - x[-2]), y[-1] + 9 * (y[-1] - y[-2])), xytext=(x[-1], y[-1]), arrowprops=dict(
    arrowstyle="-|>,head_width=0.55,head_length=0.7", color="{accent}", lw=4, shrinkA=0, shrinkB=0))
for xs, ys in {ticks}:
    ax.plot(xs, ys, color="black", lw=1.8)
ax.plot({[round(q[0], 3) for q in zero]}, {[round(q[1], 3) for q in zero]}, color="0.5", lw=1.3)
ax.add_patch(plt.Rectangle(({left + 0.22:.3f}, {low}), {right - left - 0.22:.3f}, {high - low:.3f}, facecolor="#e9edf2",
                           edgecolor="0.3", lw=1.4))
for x in {[round(v, 3) for v in lanes]}:
    ax.add_patch(plt.Rectangle((x - 0.17, {high - 0.24:.3f}), 0.34, 0.09, facecolor="white", edgecolor="0.4", lw=1))
for y in {ladder}:
    ax.plot([{lanes[0] - 0.15:.3f}, {lanes[0] + 0.15:.3f}], [y, y], color="0.35", lw=2, solid_capstyle="butt")
    ax.plot([{left + 0.14:.3f}, {left + 0.22:.3f}], [y, y], color="0.3", lw=1)
for y in {lane}:
    ax.plot([{lanes[1] - 0.17:.3f}, {lanes[1] + 0.17:.3f}], [y, y], color="{backbone}", lw=3.6, solid_capstyle="butt")
"""
    labels = [Label(text, x, y, wrong=wrong, style={"fontsize": 10.5}) for text, (x, y), wrong in _texts(p)[0]]
    labels.append(Label(f"{p['size']} bp", CENTRE[0], CENTRE[1] - 0.13, wrong=f"{p['size'] + 800} bp"))
    middle = pi / 2 - (p["from"] + 31) * pi / 180
    gene = (CENTRE[0] + 0.72 * cos(middle), CENTRE[1] + 0.72 * sin(middle))
    style = {"fontsize": 11, "style": "italic", "color": accent}
    labels.append(Label(p["gene"], *gene, given=False, style=style))
    labels.append(Label("plasmid", CENTRE[0], CENTRE[1] + 0.13, given=False, style={"color": "0.4", "fontsize": 11}))
    for n in LADDER:
        style = {"fontsize": 9, "ha": "right", "va": "center_baseline"}
        labels.append(Label(str(n), left + 0.1, _height(n), given=False, style=style))
    names = {"single": ("2", "1"), "double": ("1", "1 + 2"), "site": ("1 + 2", "")}[p["kind"]]
    enzymes = {"1": p["enzymes"][0], "2": p["enzymes"][1], "1 + 2": "both", "": ""}
    heads = [("ladder", lanes[0]), (enzymes[names[0]], lanes[1]), (enzymes[names[1]], lanes[2])]
    for text, x in heads:
        if text:
            labels.append(Label(text, x - 0.06, high + 0.08, given=False, style=_SLANT))
    if names[1]:
        labels.append(Label("?", lanes[2], (low + high) / 2, given=False, style={"fontsize": 15}))
    if p["kind"] == "site":
        long, short = bands(p, "gel")
        for n in (long, short):
            style = {"fontsize": 9.5, "ha": "left"}
            labels.append(Label(f"{n} bp", lanes[1] + 0.24, _height(n), wrong=f"{n + 75} bp", style=style))
    return Drawing(body, tuple(labels), size=SIZE)


_SLANT = {"fontsize": 10, "rotation": 35, "ha": "left", "va": "bottom", "rotation_mode": "anchor"}


def distort(p: Params) -> Params:
    """Ticks and bands are elsewhere than their labels say."""
    return {**p, "shift": p["size"] // 5}


FAMILY = Family(
    name="plasmid_digest",
    subject=Subject.BIOLOGY,
    image_type=ImageType.MOLECULAR_PROCESS,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
