"""Universal, apparatus: a stone's volume by displacement in a measuring cylinder. Glance: how full is the cylinder?"""

from __future__ import annotations

from random import Random

from scigen.problems.procedural.canvas import EVEN, glance_script
from scigen.problems.procedural.family import Drawing, Fact, Family, Glance, Label, Params, Statement, distractors
from scigen.records import ImageType, Plan, Subject

SCALES = {1: (100, 10), 2: (50, 2), 3: (250, 10)}
"""By difficulty: capacity and smallest division in mL."""


def sample(rng: Random, difficulty: int) -> Params:
    """1 and 2: volume of one stone, coarse and fine scale; 3: density of a stone of known mass (whole g/cm³)."""
    capacity, step = SCALES[difficulty]
    while True:
        before = step * rng.randint(round(0.3 * capacity / step), round(0.6 * capacity / step))
        after = before + step * rng.randint(max(1, round(0.12 * capacity / step)), round(0.3 * capacity / step))
        mass = (after - before) * rng.randint(2, 8)
        if after <= 0.92 * capacity and len({before, after, after - before}) == 3:
            kind = "density" if difficulty == 3 else "volume"
            return {"kind": kind, "capacity": capacity, "step": step, "before": before, "after": after, "mass": mass}


def answer_value(p: Params) -> int:
    volume = p["after"] - p["before"]
    return int(p["mass"] // volume if p["kind"] == "density" else volume)


def state(p: Params) -> Statement:
    before, after, answer = p["before"], p["after"], str(answer_value(p))
    density = p["kind"] == "density"
    asked = "Find the density of the stone in g/cm³." if density else "Find the volume of the stone in cm³."
    weighed = f" The stone has a mass of {p['mass']} g." if density else ""
    return Statement(
        question=f"A measuring cylinder holds {before} mL of water. With a stone under water the level is {after} mL."
        f"{weighed} {asked}",
        multimodal_question=f"The stone is put under water. {asked}",
        answer=answer,
        leak=(f"density = {answer} g/cm³" if density else f"V = {answer} cm³",),
        facts=(
            *(
                Fact(
                    f"What is the level of the water {when} the stone is put in?",
                    f"{level} mL",
                    _wrong_levels(level, p["step"]),
                    f"{level} mL",
                )
                for when, level in (("before", before), ("after", after))
            ),
            Fact("In which cylinder is the stone?", "the right one", ("the left one", "both", "neither"), "stone"),
        ),
    )


def _wrong_levels(level: int, step: int) -> tuple[str, str, str]:
    first, second, third = distractors(Random(level), level, (-2 * step, -step, step, 2 * step, 3 * step), 0)
    return f"{first} mL", f"{second} mL", f"{third} mL"


def plan(p: Params) -> Plan:
    return Plan(
        content="Two equal measuring cylinders with water, the right one with a stone at the bottom.",
        layout=f"Scale from 0 to {p['capacity']} mL with a mark every {p['step']} mL, the same on both.",
        labels="Each level beside its surface" + (", the mass beside the stone." if p["kind"] == "density" else "."),
        constraints="Water stands at the written levels on the scale. Volume and density of the stone are not shown.",
    )


def draw(p: Params) -> Drawing:
    capacity, step = p["capacity"], p["step"]
    top = 3.4
    unit = 3.0 / capacity
    major = capacity // 5
    stone = "np.c_[[3.23, 3.15, 3.31, 3.55, 3.75, 3.81, 3.65, 3.4], [0.06, 0.24, 0.42, 0.47, 0.36, 0.18, 0.06, 0.03]]"
    body = f"""
        ax.set_position([0.02, 0.02, 0.96, 0.96])
        ax.set_aspect("equal")
        ax.axis("off")
        ax.set_xlim(-0.05, 5.2)
        ax.set_ylim(-0.3, 3.85)
        for x, level in ((0.6, {p["before"] * unit:.4g}), (3.05, {p["after"] * unit:.4g})):
            ax.fill([x, x + 0.85, x + 0.85, x], [0, 0, level, level], color="#bfe0f5")
            ax.plot([x, x + 0.85], [level, level], color="tab:blue", linewidth=1.8)
            wall_x = [x - 0.06, x, x, x + 0.85, x + 0.85, x + 0.91]
            wall_y = [{top + 0.06}, {top}, 0, 0, {top}, {top + 0.06}]
            ax.plot(wall_x, wall_y, color="black", linewidth=1.8)
            ax.plot([x - 0.2, x + 1.05], [-0.06, -0.06], color="black", linewidth=4)
            ax.hlines(np.arange(0, {capacity + 1}, {step}) * {unit:.6g}, x, x + 0.14, color="black", linewidth=0.8)
            ax.hlines(np.arange(0, {capacity + 1}, {major}) * {unit:.6g}, x, x + 0.26, color="black", linewidth=1.4)
            for value in range({major}, {capacity + 1}, {major}):
                ax.text(x - 0.08, value * {unit:.6g}, str(value), fontsize=9, ha="right", va="center")
            ax.plot([x + 0.85, x + 1.1], [level, level], color="tab:blue", linewidth=1.2, linestyle=":")
        ax.fill(*{stone}.T, facecolor="0.6", edgecolor="black", linewidth=1.5)
    """
    labels = [
        Label(
            f"{level} mL",
            x,
            level * unit,
            wrong=f"{level + 2 * step} mL" if level + 2 * step != p["after"] else f"{level + 3 * step} mL",
            style={"ha": "left", "color": "tab:blue"},
        )
        for x, level in ((1.75, p["before"]), (4.2, p["after"]))
    ]
    if p["kind"] == "density":
        labels.append(Label(f"m = {p['mass']} g", 4.1, 0.25, wrong=f"m = {p['mass'] + 15} g", style={"ha": "left"}))
    return Drawing(body, tuple(labels))


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


FAMILY = Family(
    name="measuring_cylinder",
    subject=Subject.UNIVERSAL,
    image_type=ImageType.EXP_SETUP,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    glance=Glance(
        question="How full is the cylinder?",
        answers=tuple(LEVELS),
        sample=glance_sample,
        draw=glance_draw,
        content=("level", "width", "height", "x", "y"),
    ),
)
