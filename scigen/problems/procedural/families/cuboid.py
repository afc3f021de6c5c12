"""Math, solid geometry: a cuboid in oblique view; volume, surface or space diagonal asked. Glance: which solid?"""

from __future__ import annotations

import math
from random import Random

import numpy as np

from scigen.problems.procedural.canvas import COLORS, EVEN, glance_script
from scigen.problems.procedural.family import Drawing, Fact, Family, Glance, Label, Params, Statement, distractors
from scigen.records import ImageType, Plan, Subject

QUADRUPLES = (
    (2, 3, 6, 7),
    (1, 2, 2, 3),
    (6, 10, 15, 19),
    (2, 6, 9, 11),
    (8, 9, 12, 17),
    (3, 4, 12, 13),
    (6, 13, 18, 23),
)
"""(a, b, c, d) with a^2 + b^2 + c^2 = d^2."""

DEPTH = (0.55 * math.cos(math.radians(38)), 0.55 * math.sin(math.radians(38)))
"""One unit of depth as it is drawn: foreshortened, up and to the right."""


def sample(rng: Random, difficulty: int) -> Params:
    """1: volume; 2: surface area; 3: space diagonal, a whole number."""
    unit = rng.choice(["cm", "m", "mm"])
    if difficulty == 3:
        *sides, _ = rng.choice([q for q in QUADRUPLES if len(set(q)) == 4])
        rng.shuffle(sides)
        factor = rng.randint(1, 3)
        w, d, h = (s * factor for s in sides)
        return {"kind": "diagonal", "w": w, "d": d, "h": h, "unit": unit}
    while True:
        w, d, h = rng.sample(range(3, 13), 3)
        if max(w, d, h) <= 3 * min(w, d, h):
            return {"kind": ("volume", "surface")[difficulty - 1], "w": w, "d": d, "h": h, "unit": unit}


def answer_value(p: Params) -> int:
    w, d, h = p["w"], p["d"], p["h"]
    match p["kind"]:
        case "volume":
            return int(w * d * h)
        case "surface":
            return int(2 * (w * d + d * h + h * w))
        case _:
            return math.isqrt(w * w + d * d + h * h)


def state(p: Params) -> Statement:
    w, d, h, unit = p["w"], p["d"], p["h"], p["unit"]
    asked, power, sign = {
        "volume": (f"volume of the cuboid in {unit}³", "³", "V"),
        "surface": (f"total surface area of the cuboid in {unit}²", "²", "S"),
        "diagonal": (f"length of the space diagonal AG in {unit}", "", "AG"),
    }[p["kind"]]
    answer = str(answer_value(p))
    sides = (("width", w), ("depth", d), ("height", h))
    return Statement(
        question=f"A cuboid is {w} {unit} wide, {d} {unit} deep and {h} {unit} high. Find the {asked}."
        + (" A is the front lower left vertex and G the back upper right one." if p["kind"] == "diagonal" else ""),
        multimodal_question=f"Find the {asked}.",
        answer=answer,
        leak=(f"{sign} = {answer} {unit}{power}", f"{answer} {unit}{power}"),
        facts=tuple(
            Fact(
                f"What is the {what} of the cuboid?",
                f"{value} {unit}",
                _wrong_lengths([v for _, v in sides if v != value], value, unit),
                f"{what} {value} {unit}",
            )
            for what, value in sides
        ),
    )


def _wrong_lengths(others: list[int], value: int, unit: str) -> tuple[str, str, str]:
    far = next(text for text in distractors(Random(value), value, (2, 3, 4, 5, 7), 0) if int(text) not in others)
    return f"{others[0]} {unit}", f"{others[1]} {unit}", f"{far} {unit}"


def plan(p: Params) -> Plan:
    diagonal = p["kind"] == "diagonal"
    return Plan(
        content="A cuboid in oblique view; the three edges behind it are dashed."
        + (" The space diagonal AG is drawn." if diagonal else ""),
        layout="Front face to scale, depth foreshortened and going up to the right, equal aspect, no axes.",
        labels="Width below the front edge, height left of the front edge, depth at the lower right edge"
        + (", A and G at their vertices." if diagonal else "."),
        constraints="Hidden edges dashed, all others solid. Only the three edge lengths are written.",
    )


def draw(p: Params) -> Drawing:
    w, d, h, unit = float(p["w"]), float(p["d"]), float(p["h"]), p["unit"]
    dx, dy = d * DEPTH[0], d * DEPTH[1]
    s = max(w + dx, (h + dy) * 1.25)
    pad = 0.06 * s
    middle_x, middle_y = (w + dx) / 2, (h + dy) / 2
    code = [
        "ax.set_position([0.02, 0.02, 0.96, 0.96])",
        'ax.set_aspect("equal")',
        'ax.axis("off")',
        f"ax.set_xlim({middle_x - 0.68 * s:.4g}, {middle_x + 0.68 * s:.4g})",
        f"ax.set_ylim({middle_y - 0.54 * s:.4g}, {middle_y + 0.54 * s:.4g})",
        f"w, h, dx, dy = {w:g}, {h:g}, {dx:.4g}, {dy:.4g}",
        'ax.fill([0, w, w, 0], [0, 0, h, h], color="#eaf2fb")',
        'ax.fill([0, w, w + dx, dx], [h, h, h + dy, h + dy], color="#f6faff")',
        'ax.fill([w, w + dx, w + dx, w], [0, dy, h + dy, h], color="#d5e4f4")',
        'ax.plot([0, w, w, 0, 0], [0, 0, h, h, 0], color="black", linewidth=1.8)',
        'ax.plot([0, dx, w + dx, w + dx, w], [h, h + dy, h + dy, dy, 0], color="black", linewidth=1.8)',
        'ax.plot([w, w + dx], [h, h + dy], color="black", linewidth=1.8)',
        "for x, y in ((0, 0), (w + dx, dy), (dx, h + dy)):",
        '    ax.plot([dx, x], [dy, y], color="black", linewidth=1.2, linestyle="--")',
    ]
    labels = [
        Label(f"{w:g} {unit}", w / 2, -pad, wrong=f"{_off(p, w)} {unit}"),
        Label(f"{h:g} {unit}", -0.5 * pad, h / 2, wrong=f"{_off(p, h)} {unit}", style={"ha": "right"}),
        Label(
            f"{d:g} {unit}",
            w + dx / 2 + 0.5 * pad,
            dy / 2 - 0.4 * pad,
            wrong=f"{_off(p, d)} {unit}",
            style={"ha": "left", "va": "top"},
        ),
    ]
    if p["kind"] == "diagonal":
        code.append('ax.plot([0, w + dx], [0, h + dy], color="tab:red", linewidth=1.8, linestyle="--")')
        name_style = {"style": "italic", "fontsize": 14}
        labels += [
            Label("A", -0.6 * pad, -0.6 * pad, style=name_style),
            Label("G", w + dx + 0.6 * pad, h + dy + 0.6 * pad, style=name_style),
        ]
    return Drawing("\n".join(code), tuple(labels))


def _off(p: Params, side: float) -> int:
    """A length near `side` that no edge has."""
    return next(int(side) + step for step in (2, 3, 4, 5) if side + step not in (p["w"], p["d"], p["h"]))


def distort(p: Params) -> Params:
    """Width and height exchanged, doubling the height where they are close."""
    w, h = p["w"], p["h"]
    return {**p, "w": h, "h": w} if max(w, h) > 1.3 * min(w, h) else {**p, "h": 2 * h}


SOLIDS = ("cube", "cylinder", "cone", "sphere")


def glance_sample(rng: Random, answer: str) -> Params:
    return {
        "solid": answer,
        "size": rng.randrange(40, 57, 4),
        "x": rng.choice(EVEN),
        "y": rng.choice(EVEN),
        "color": rng.choice(COLORS[1:]),
    }


def glance_draw(p: Params) -> str:
    x, y, s, color = 48 + p["x"], 48 + p["y"], p["size"], p["color"]
    a, k, e = s / 2, s / 4, s / 3
    style = f'facecolor="{color}", edgecolor="black", linewidth=2'
    shapes = {
        "cube": f"""
            ax.fill([{x - a}, {x + k}, {x + k}, {x - a}], [{y - a}, {y - a}, {y + k}, {y + k}], {style})
            ax.fill([{x - a}, {x + k}, {x + a}, {x - k}], [{y + k}, {y + k}, {y + a}, {y + a}], {style})
            ax.fill([{x + k}, {x + a}, {x + a}, {x + k}], [{y - a}, {y - k}, {y + a}, {y + k}], {style})
        """,
        "cylinder": f"""
            low, high, half = {y - a + e / 2:g}, {y + a - e / 2:g}, {0.8 * a:g}
            t = np.linspace(np.pi, 2 * np.pi, 30)
            ax.fill({x} + half * np.r_[np.cos(t), 1, -1], np.r_[low + {e / 2:g} * np.sin(t), high, high], {style})
            t = np.linspace(0, 2 * np.pi, 50)
            ax.fill({x} + half * np.cos(t), high + {e / 2:g} * np.sin(t), fc="white", ec="black", lw=2)
        """,
        "cone": f"""
            t = np.linspace(np.pi, 2 * np.pi, 30)
            ax.fill({x} + {a} * np.r_[np.cos(t), 0], np.r_[{y - a + e / 2:g} + {e / 2:g} * np.sin(t), {y + a}], {style})
        """,
        "sphere": f"""
            t = np.linspace(0, 2 * np.pi, 60)
            ax.fill({x} + {a} * np.cos(t), {y} + {a} * np.sin(t), {style})
            ax.plot({x} + {a} * np.cos(t / 2), {y} - {e / 2:g} * np.sin(t / 2), color="black", linewidth=1.5)
        """,
    }
    return glance_script(shapes[p["solid"]])


def solve(p: Params) -> float:
    """From the vertices: volume as a determinant, faces as cross products, the diagonal as a vector's length."""
    edges = np.diag([p["w"], p["d"], p["h"]]).astype(float)
    if p["kind"] == "volume":
        return float(np.linalg.det(edges))
    if p["kind"] == "surface":
        return float(sum(2 * np.linalg.norm(np.cross(edges[i], edges[i - 1])) for i in range(3)))
    return float(np.linalg.norm(edges.sum(axis=0)))


FAMILY = Family(
    name="cuboid",
    subject=Subject.MATH,
    image_type=ImageType.SOLID_GEOMETRIC,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
    glance=Glance(
        question="Which solid is drawn?",
        answers=SOLIDS,
        sample=glance_sample,
        draw=glance_draw,
        content=("solid", "size", "x", "y"),
    ),
)
