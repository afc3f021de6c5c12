"""Universal, apparatus: volume, mass or density of a body by displacement. Glance: how full is the cylinder?"""

from __future__ import annotations

from random import Random
from typing import Any

from scigen.problems.procedural.canvas import EVEN, glance_script
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

SCALES = {
    1: ((100, 5), (200, 10), (500, 25), (1000, 50), (250, 10), (50, 5)),
    2: ((50, 2), (25, 1), (100, 2), (250, 10), (500, 20), (1000, 50)),
    3: ((250, 10), (100, 2), (50, 2), (500, 20), (25, 1)),
}
"""By difficulty: capacity and smallest division in mL."""
LIQUIDS = {
    "water": ("#bfe0f5", "tab:blue", 10),
    "oil": ("#f7e7b0", "#a67c00", 9),
    "ethanol": ("#e3eef7", "#3b6f9c", 8),
    "brine": ("#cdebe3", "#1f7a67", 12),
}
"""Colours of a liquid and of its surface, and its density in tenths of g/cm³."""
OBJECTS = {
    "stone": "0.6",
    "lump of ore": "#b5835a",
    "glass bead": "#b9cfd8",
    "piece of metal": "#8f99a3",
    "crystal": "#c9b1d9",
    "pebble": "#c4b79f",
    "shell": "#f0ded2",
}
"""What is put in, and its colour."""


def sample(rng: Random, difficulty: int) -> Params:
    """1: volume; 2: mass from the density; 3: density from the mass, or what a balance shows under the liquid.

    Densities are in tenths of g/cm³ and masses in tenths of a gram, so that answers are exact.
    """
    capacity, step = rng.choice(SCALES[difficulty])
    while True:
        before = step * rng.randint(round(0.3 * capacity / step), round(0.6 * capacity / step))
        after = before + step * rng.randint(max(1, round(0.12 * capacity / step)), round(0.3 * capacity / step))
        if after > 0.92 * capacity or len({before, after, after - before}) < 3:
            continue
        heavy = rng.randint(14, 89)
        kind = {1: "volume", 2: "mass"}.get(difficulty) or rng.choice(("density", "apparent mass"))
        p: dict[str, Any] = {
            "kind": kind,
            "capacity": capacity,
            "step": step,
            "before": before,
            "after": after,
            "mass": number((after - before) * heavy / 10, 1) if difficulty > 1 else "",
            "liquid": rng.choice(list(LIQUIDS)),
            "object": rng.choice(list(OBJECTS)),
        }
        if number(answer_value(p), 1) not in (str(before), str(after)):
            return p


def liquid(p: Params) -> str:
    return str(p.get("liquid", "water"))


def thing(p: Params) -> str:
    return str(p.get("object", "stone"))


def answer_value(p: Params) -> float:
    """Volume in cm³, mass in g, density in g/cm³ or mass less that of the displaced liquid."""
    volume = p["after"] - p["before"]
    match p["kind"]:
        case "volume":
            return float(volume)
        case "mass":
            return float(p["mass"])
        case "density":
            return float(float(p["mass"]) / volume)
        case _:
            return float(float(p["mass"]) - volume * LIQUIDS[liquid(p)][2] / 10)


def notes(p: Params) -> list[str]:
    """The given labels besides the levels."""
    volume = p["after"] - p["before"]
    match p["kind"]:
        case "volume":
            return []
        case "mass":
            return [f"ρ = {number(float(p['mass']) / volume, 1)} g/cm³"]
        case "density":
            return [f"m = {p['mass']} g"]
        case _:
            return [f"m = {p['mass']} g", f"{liquid(p)}: ρ = {LIQUIDS[liquid(p)][2] / 10:.1f} g/cm³"]


def state(p: Params) -> Statement:
    before, after, answer = p["before"], p["after"], number(answer_value(p), 2)
    what = thing(p)
    asked, leak = {
        "volume": (f"Find the volume of the {what} in cm³.", f"V = {answer} cm³"),
        "mass": (f"Find the mass of the {what} in grams.", f"m = {answer} g"),
        "density": (f"Find the density of the {what} in g/cm³.", f"density = {answer} g/cm³"),
        "apparent mass": (
            f"The {what} hangs from a thread under the {liquid(p)}. Find the mass in grams that a balance shows from "
            "which it hangs: its mass less that of the displaced liquid.",
            f"balance: {answer} g",
        ),
    }[p["kind"]]
    first, second = [*(note.split(" = ")[1] for note in notes(p)), "", ""][:2]
    told = {
        "volume": "",
        "mass": f" The {what} has a density of {first}.",
        "density": f" The {what} has a mass of {first}.",
        "apparent mass": f" The {what} has a mass of {first}, the {liquid(p)} a density of {second}.",
    }[p["kind"]]
    return Statement(
        question=f"A measuring cylinder holds {before} mL of {liquid(p)}. With a {what} under it the level is "
        f"{after} mL.{told} {asked}",
        multimodal_question=f"The {what} is put under the {liquid(p)}. {asked}",
        answer=answer,
        leak=(leak,),
        facts=(
            *(
                Fact(
                    f"What is the level of the liquid {when} the {what} is put in?",
                    f"{level} mL",
                    _wrong_levels(level, p["step"]),
                    f"{level} mL",
                )
                for when, level in (("before", before), ("after", after))
            ),
            Fact(f"In which cylinder is the {what}?", "the right one", ("the left one", "both", "neither"), what),
        ),
    )


def _wrong_levels(level: int, step: int) -> tuple[str, str, str]:
    first, second, third = distractors(Random(level), level, (-2 * step, -step, step, 2 * step, 3 * step), 0)
    return f"{first} mL", f"{second} mL", f"{third} mL"


def plan(p: Params) -> Plan:
    asked = {"volume": "volume", "mass": "mass", "density": "density", "apparent mass": "mass shown by the balance"}
    beside = "".join(f"; {note}" for note in notes(p))
    return Plan(
        content=f"Two equal measuring cylinders with {liquid(p)}, the right one with a {thing(p)} at the bottom.",
        layout=f"Scale from 0 to {p['capacity']} mL with a mark every {p['step']} mL, the same on both.",
        labels=f"Each level beside its surface{beside}.",
        constraints=f"The liquid stands at the written levels on the scale. The {asked[p['kind']]} of the {thing(p)} "
        "is asked and must not be shown, nor its volume.",
    )


def draw(p: Params) -> Drawing:
    capacity, step = p["capacity"], p["step"]
    top = 3.4
    unit = 3.0 / capacity
    major = capacity // 5
    fill, surface, _ = LIQUIDS[liquid(p)]
    wide = p["kind"] in ("mass", "apparent mass")
    stone = "np.c_[[3.23, 3.15, 3.31, 3.55, 3.75, 3.81, 3.65, 3.4], [0.06, 0.24, 0.42, 0.47, 0.36, 0.18, 0.06, 0.03]]"
    body = f"""
        ax.set_position([0.02, 0.02, 0.96, 0.96])
        ax.set_aspect("equal")
        ax.axis("off")
        ax.set_xlim(-0.05, {5.7 if wide else 5.2})
        ax.set_ylim(-0.3, 3.85)
        for x, level in ((0.6, {p["before"] * unit:.4g}), (3.05, {p["after"] * unit:.4g})):
            ax.fill([x, x + 0.85, x + 0.85, x], [0, 0, level, level], color="{fill}")
            ax.plot([x, x + 0.85], [level, level], color="{surface}", linewidth=1.8)
            wall_x = [x - 0.06, x, x, x + 0.85, x + 0.85, x + 0.91]
            wall_y = [{top + 0.06}, {top}, 0, 0, {top}, {top + 0.06}]
            ax.plot(wall_x, wall_y, color="black", linewidth=1.8)
            ax.plot([x - 0.2, x + 1.05], [-0.06, -0.06], color="black", linewidth=4)
            ax.hlines(np.arange(0, {capacity + 1}, {step}) * {unit:.6g}, x, x + 0.14, color="black", linewidth=0.8)
            ax.hlines(np.arange(0, {capacity + 1}, {major}) * {unit:.6g}, x, x + 0.26, color="black", linewidth=1.4)
            for value in range({major}, {capacity + 1}, {major}):
                ax.text(x - 0.08, value * {unit:.6g}, str(value), fontsize=9, ha="right", va="center")
            ax.plot([x + 0.85, x + 1.1], [level, level], color="{surface}", linewidth=1.2, linestyle=":")
        ax.fill(*{stone}.T, facecolor="{OBJECTS[thing(p)]}", edgecolor="black", linewidth=1.5)
    """
    labels = [
        Label(
            f"{level} mL",
            x,
            level * unit,
            wrong=f"{level + 2 * step} mL" if level + 2 * step != p["after"] else f"{level + 3 * step} mL",
            style={"ha": "left", "color": surface},
        )
        for x, level in ((1.75, p["before"]), (4.2, p["after"]))
    ]
    for note, (x, y, align) in zip(notes(p), ((4.1, 0.25, "left"), (2.25, 3.68, "center")), strict=False):
        before, value, unit_text = _parts(note)
        wrong = f"{before}{number(value + 1.5, 1)}{unit_text}"
        labels.append(Label(note, x, y, wrong=wrong, style={"ha": align}))
    return Drawing(body, tuple(labels), size=(5.4, 4.0) if wide else (5.0, 4.0))


def _parts(note: str) -> tuple[str, float, str]:
    """What is before its value, the value, and the unit."""
    before, _, rest = note.partition(" = ")
    value, _, unit = rest.partition(" ")
    return f"{before} = ", float(value), f" {unit}"


def distort(p: Params) -> Params:
    """The levels exchanged: the water falls when the stone comes in."""
    return {**p, "before": p["after"], "after": p["before"]}


LEVELS = {"empty": 0.0, "quarter": 0.25, "half": 0.5, "full": 1.0}


def glance_sample(rng: Random, answer: str) -> Params:
    return {
        "level": answer,
        "width": rng.randrange(28, 45, 4),
        "height": rng.randrange(64, 77, 4),
        "x": rng.choice(EVEN),
        "y": rng.choice(EVEN[2:-2]),
        "color": rng.choice(["tab:blue", "tab:green", "tab:purple", "tab:red"]),
    }


def glance_draw(p: Params) -> str:
    w, h = p["width"], p["height"]
    left, low = 48 + p["x"] - w / 2, 48 + p["y"] - h / 2
    level = h * LEVELS[p["level"]]
    return glance_script(f"""
        ax.add_patch(plt.Rectangle(({left:g}, {low:g}), {w}, {level:g}, color="{p["color"]}"))
        a, b, c, d = {left:g}, {left + w:g}, {low:g}, {low + h:g}
        ax.plot([a, a, b, b], [d, c, c, d], color="black", linewidth=3)
    """)


def solve(p: Params) -> float:
    """By counting the divisions that the level rises, each of which is a volume and a mass of its own."""
    from fractions import Fraction

    volume = sum(p["step"] for _ in range(p["before"], p["after"], p["step"]))
    match p["kind"]:
        case "volume":
            return float(volume)
        case "mass":
            return float(volume * Fraction(notes(p)[0].split(" = ")[1].split()[0]))
        case "density":
            return float(Fraction(str(p["mass"])) / volume)
    displaced = volume * Fraction(notes(p)[1].split(" = ")[1].split()[0])
    return float(Fraction(str(p["mass"])) - displaced)


FAMILY = Family(
    name="measuring_cylinder",
    subject=Subject.UNIVERSAL,
    image_type=ImageType.EXP_SETUP,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
    glance=Glance(
        question="How full is the cylinder?",
        answers=tuple(LEVELS),
        sample=glance_sample,
        draw=glance_draw,
        content=("level", "width", "height", "x", "y"),
    ),
)
