"""Physics, optics: a thin lens with its principal rays; the image distance asked. Glance: which optical element?"""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np

from scigen.problems.procedural.canvas import glance_script
from scigen.problems.procedural.family import Drawing, Fact, Family, Glance, Label, Params, Statement, number
from scigen.records import ImageType, Plan, Subject

HEIGHT = 1.5
"""Height of the object in the units of the drawing, where the longer of the two distances is 6."""


def sample(rng: Random, difficulty: int) -> Params:
    """Difficulty 1: converging, real image; 2: diverging; 3: converging, object inside the focal length. In cm."""
    while True:
        f, u = Fraction(rng.randint(12, 80), 2), Fraction(rng.randint(60, 600), 10)
        focal = -f if difficulty == 2 else f
        if u == f or ((u < f) != (difficulty == 3) and difficulty != 2):
            continue
        image = 1 / (Fraction(1, focal) - Fraction(1, u))
        size = abs(image) / u
        readable = {1: Fraction(2, 5) <= size <= 2, 2: size >= Fraction(2, 5), 3: size <= Fraction(5, 2)}[difficulty]
        apart = abs(u - f) * 5 >= max(u, f) and abs(abs(image) - f) * 5 >= f
        if readable and apart and round(abs(image), 1) not in (u, f):
            lens = "diverging" if focal < 0 else "converging"
            return {
                "lens": lens,
                "drawn": lens,
                "focal": whole(focal),
                "object": whole(u),
                "image": whole(image),
            }


def whole(value: Fraction) -> int | float:
    """A number as JSON stores it: without a point where it is whole."""
    return int(value) if value.denominator == 1 else float(value)


def state(p: Params) -> Statement:
    f, u, v = abs(p["focal"]), p["object"], p["image"]
    value = str(v) if v == int(v) else f"{v:.1f}"
    other = "diverging" if p["lens"] == "converging" else "converging"
    places = "" if v == int(v) else ", to one decimal place"
    want = (
        f"Find the image distance in centimetres{places}; count it negative if the image is on the same side as the "
        "object."
    )
    apart, longer = number(u + f, 1), number(u + f + 1, 1)
    return Statement(
        question=f"An object stands {u} cm in front of a thin {p['lens']} lens whose focal length has the magnitude "
        f"{f} cm. {want}",
        multimodal_question=want,
        answer=value,
        leak=(f"dᵢ = {value} cm", f"{value.lstrip('-')} cm"),
        facts=(
            Fact("Which kind of lens is drawn?", p["lens"], (other, "plane", "cylindrical"), f"a {p['lens']} lens"),
            Fact(
                "How far is the object from the lens?",
                f"{u} cm",
                (f"{longer} cm", f"{f} cm", f"{apart} cm"),
                f"dₒ = {u} cm",
            ),
            Fact(
                "What is the magnitude of the focal length?",
                f"{f} cm",
                (f"{u} cm", f"{apart} cm", f"{number(u + f + 3, 1)} cm"),
                f"|f| = {f} cm",
            ),
            Fact(
                "On which side of the lens is the image?",
                "opposite side from the object" if v > 0 else "same side as the object",
                (
                    "same side as the object" if v > 0 else "opposite side from the object",
                    "inside the lens",
                    "at infinity",
                ),
                "where the rays or their extensions meet",
            ),
        ),
    )


def plan(p: Params) -> Plan:
    real = p["image"] > 0
    return Plan(
        content=f"A {p['lens']} lens, an upright object, two principal rays, the {'real' if real else 'virtual'} "
        "image, the focal points F and F′.",
        layout="Lens at x = 0, object on the left, to scale along the axis; one ray parallel to the axis and bent "
        f"{'through F′' if p['focal'] > 0 else 'away from F'}, one straight through the centre"
        + ("." if real else "; dashed extensions back to the image."),
        labels=f"dₒ = {p['object']} cm and |f| = {abs(p['focal'])} cm on arrows below, F and F′ at their dots.",
        constraints="1/f = 1/dₒ + 1/dᵢ holds in the drawing. The image distance is asked and must not be shown.",
    )


def draw(p: Params) -> Drawing:
    reach = max(p["object"], abs(p["image"]), abs(p["focal"]))
    unit = 6 / reach
    f, u, v = p["focal"] * unit, p["object"] * unit, p["image"] * unit
    h = HEIGHT if abs(v) <= u else HEIGHT * max(0.5, u / abs(v))
    tall = -h * v / u
    top = max(h, abs(tall), 1.2) + 0.5
    # Both rays leave the lens towards (or as if from) the tip of the image; they are drawn up to the right margin.
    end = v * 1.15 if v > 0 else max(4.0, abs(f))
    bent = [h, h - end * h / f]
    straight = -h * end / u
    floor = min(bent[1], straight, tall, 0.0)
    below = min(floor, -top)
    roof = max(top, bent[1]) if bent[1] < 4 else top
    bulge = 0.32
    edge = f"{bulge} * (1 - s ** 2)" if p["drawn"] == "converging" else f"0.1 + {bulge - 0.1:g} * s ** 2"
    back = ""
    if v < 0:
        back = f"""
        ax.plot([0, {v:.4g}], [{h:.4g}, {tall:.4g}], color="tab:red", linewidth=1.2, linestyle="--")"""
        if abs(v) > u:
            back += f"""
        ax.plot([{-u:.4g}, {v:.4g}], [{h:.4g}, {tall:.4g}], color="tab:green", linewidth=1.2, linestyle="--")"""
    left = -max(u, -v, abs(f)) - 0.8
    right = max(end, abs(f)) + 0.8
    d1 = below - 0.5
    d2 = below - 1.8
    body = f"""
        fig.subplots_adjust(0.02, 0.02, 0.98, 0.98)
        ax.plot([{left:.4g}, {right:.4g}], [0, 0], color="black", linewidth=1)
        s = np.linspace(-1, 1, 60)
        edge = {edge}
        ax.fill(np.r_[edge, -edge[::-1]], {top:.4g} * np.r_[s, s[::-1]],
                facecolor="#cfe6f7", edgecolor="black", linewidth=1.8)
        ax.plot([{-u:.4g}, 0, {end:.4g}], [{h:.4g}, {h:.4g}, {bent[1]:.4g}], color="tab:red", linewidth=1.6)
        ax.plot([{-u:.4g}, {end:.4g}], [{h:.4g}, {straight:.4g}], color="tab:green", linewidth=1.6){back}
        for x, y, color, style in [({-u:.4g}, {h:.4g}, "black", "-"),
                                   ({v:.4g}, {tall:.4g}, "tab:blue", "{"-" if v > 0 else "--"}")]:
            ax.plot([x, x], [0, y], color=color, linewidth=2.4, linestyle=style)
            ax.plot(x, y, "^" if y > 0 else "v", color=color, markersize=9)
        ax.plot([{-abs(f):.4g}, {abs(f):.4g}], [0, 0], "o", color="black", markersize=5)
        for x, y in [({-u:.4g}, {d2:.4g}), ({-abs(f):.4g}, {d1:.4g})]:
            ax.plot([x, x], [-0.12, y - 0.12], color="gray", linewidth=0.9, linestyle=":")
            ax.annotate("", xy=(0, y), xytext=(x, y), arrowprops=dict(
                arrowstyle="<|-|>", color="black", linewidth=1.2, shrinkA=0, shrinkB=0))
        ax.plot([0, 0], [{-top:.4g}, {d2 - 0.12:.4g}], color="gray", linewidth=0.9, linestyle=":")
        ax.set_xlim({left:.4g}, {right:.4g})
        ax.set_ylim({d2 - 1.1:.4g}, {roof + 0.9:.4g})
        ax.axis("off")
    """
    white = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    focal, distance = abs(p["focal"]), p["object"]
    labels = (
        Label(
            f"dₒ = {distance} cm", -u / 2, d2 - 0.55, wrong=f"dₒ = {number(distance + 6, 1)} cm", style={"bbox": white}
        ),
        Label(
            f"|f| = {focal} cm", -abs(f) / 2, d1 - 0.55, wrong=f"|f| = {number(focal + 4, 1)} cm", style={"bbox": white}
        ),
        Label("F", -abs(f) - 0.3, -0.45, style={"style": "italic", "fontsize": 13}),
        Label("F′", abs(f) + 0.35, 0.45, style={"style": "italic", "fontsize": 13}),
    )
    return Drawing(body, labels, size=(6.0, 4.0))


def distort(p: Params) -> Params:
    """The lens has the other shape, while the rays stay."""
    return {**p, "drawn": "diverging" if p["drawn"] == "converging" else "converging"}


ELEMENTS = ("converging", "diverging", "mirror", "prism")


def glance_sample(rng: Random, answer: str) -> Params:
    return {
        "element": answer,
        "gap": rng.choice([16, 18, 20]),
        "x": rng.randrange(-6, 7, 2),
        "y": rng.randrange(-8, 9, 2),
        "color": rng.choice(["tab:orange", "tab:red", "tab:green", "tab:purple"]),
    }


def glance_draw(p: Params) -> str:
    return glance_script(f"""
        element, x, y, gap, color = "{p["element"]}", 48 + {p["x"]}, 48 + {p["y"]}, {p["gap"]}, "{p["color"]}"
        s = np.linspace(-1, 1, 30)
        if element in ("converging", "diverging"):
            edge = 9 * (1 - s ** 2) if element == "converging" else 2 + 9 * s ** 2
            ax.fill(x + np.r_[edge, -edge[::-1]], y + 36 * np.r_[s, s[::-1]], color="black")
            for up in (-1, 1):
                out = 4 if element == "converging" else gap + 18
                ax.plot([x - 44, x, x + 38], [y + up * gap, y + up * gap, y + up * out], color=color, linewidth=3)
        elif element == "mirror":
            ax.fill([x + 10, x + 22, x + 22, x + 10], [y - 36, y - 36, y + 36, y + 36], color="black")
            ax.plot([x - 40, x + 10, x - 40], [y + gap + 10, y, y - gap - 10], color=color, linewidth=3)
        else:
            ax.fill([x - 28, x + 28, x], [y - 22, y - 22, y + 28], color="black")
            ax.plot([x - 46, x - 14], [y - 10, y + 3], color=color, linewidth=3)
            ax.plot([x + 14, x + 46], [y + 3, y - gap], color=color, linewidth=3)
    """)


def solve(p: Params) -> float:
    """By ray transfer matrices: where every ray from a point of the object meets the axis again."""
    lens, way = np.array([[1, 0], [-1 / p["focal"], 1]]), np.array([[1, p["object"]], [0, 1]])
    height, angle = (lens @ way) @ np.array([0, 1])
    return float(-height / angle)


FAMILY = Family(
    name="thin_lens",
    subject=Subject.PHYSICS,
    image_type=ImageType.OPTICAL_RAY,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
    glance=Glance(
        question="Which optical element is drawn: a converging lens, a diverging lens, a mirror or a prism?",
        answers=ELEMENTS,
        sample=glance_sample,
        draw=glance_draw,
        content=("element", "gap", "x", "y"),
    ),
)
