"""Physics, waves: a transverse wave with dimension arrows; speed or frequency asked. Glance: how many crests?"""

from __future__ import annotations

from random import Random
from typing import Any

from scigen.problems.procedural.canvas import glance_script
from scigen.problems.procedural.family import Drawing, Fact, Family, Glance, Label, Params, Statement, number
from scigen.records import ImageType, Plan, Subject

SPAN = {1: 1, 2: 2, 3: 3}
"""How many wavelengths the dimension arrow spans at each difficulty."""


def sample(rng: Random, difficulty: int) -> Params:
    while True:
        wavelength = rng.randint(4, 40) / 10
        frequency = rng.randint(2, 20)
        p: dict[str, Any] = {
            "asked": "frequency" if difficulty == 3 else "speed",
            "wavelength": wavelength,
            "frequency": frequency,
            "amplitude": rng.randint(2, 9),
            "span": SPAN[difficulty],
            "drawn": rng.choice([3, 4]) if difficulty < 3 else 4,
        }
        given = {number(p["span"] * wavelength), str(p["amplitude"]), known(p)[1]}
        if result(p)[1] not in given:
            return p


def known(p: Params) -> tuple[str, str, str]:
    """Symbol, value and unit of what is given beside the lengths."""
    if p["asked"] == "speed":
        return "f", number(p["frequency"]), "Hz"
    return "v", number(p["wavelength"] * p["frequency"]), "m/s"


def result(p: Params) -> tuple[str, str, str]:
    """Symbol, value and unit of what is asked, from v = f λ."""
    if p["asked"] == "speed":
        return "v", number(p["wavelength"] * p["frequency"]), "m/s"
    return "f", number(p["frequency"]), "Hz"


def solve(p: Params) -> float:
    """Crests counted on the sampled curve give the wavelength; the speed is how far the crest moves in a second."""
    import numpy as np

    # One sample in a thousandth of a wave; the arrow runs from the first crest to the one `span` further on.
    x = np.arange(1000 * p["drawn"]) / 1000
    y = np.sin(2 * np.pi * x)
    crests = x[1:-1][(y[1:-1] >= y[:-2]) & (y[1:-1] > y[2:])]
    spanned = int(np.searchsorted(crests, crests[0] + p["span"] - 1e-6))
    wavelength = float(number(p["span"] * p["wavelength"])) / spanned
    if p["asked"] == "frequency":
        return float(known(p)[1]) / wavelength
    passed = np.arange(1, int(p["frequency"]) + 1) * wavelength
    return float(passed[-1])


def state(p: Params) -> Statement:
    symbol, value, unit = result(p)
    given, given_value, given_unit = known(p)
    other = "frequency" if p["asked"] == "speed" else "speed"
    length, span, amplitude = number(p["span"] * p["wavelength"]), p["span"], p["amplitude"]
    want = f"Find the {p['asked']} of the wave in {unit}."
    reach = (
        "two neighbouring crests"
        if span == 1
        else f"a crest and the {'second' if span == 2 else 'third'} crest after it"
    )
    return Statement(
        question=f"A transverse wave has an amplitude of {amplitude} cm and a {other} of {given_value} {given_unit}. "
        f"The distance between {reach} is {length} m. {want}",
        multimodal_question=f"The figure shows a transverse wave at one instant. {want}",
        answer=value,
        leak=(f"{symbol} = {value} {unit}", f"{value} {unit}"),
        facts=(
            Fact(
                "What is the amplitude of the wave?",
                f"{amplitude} cm",
                (f"{2 * amplitude} cm", f"{amplitude + 1} cm", f"{2 * amplitude + 3} cm"),
                f"A = {amplitude} cm",
            ),
            Fact(
                "How many wavelengths does the horizontal dimension arrow span?",
                str(span),
                (str(span + 1), str(span + 2), str(span + 3)),
                f"{length} m from crest to crest",
            ),
            Fact(
                f"What is the {other} of the wave?",
                f"{given_value} {given_unit}",
                (
                    f"{number(2 * float(given_value))} {given_unit}",
                    f"{number(float(given_value) + 1)} {given_unit}" if given_value != "1" else f"5 {given_unit}",
                    f"{number(float(given_value) + 7)} {given_unit}" if given_value != "7" else f"3 {given_unit}",
                ),
                f"{given} = {given_value} {given_unit}",
            ),
        ),
    )


def plan(p: Params) -> Plan:
    given, given_value, given_unit = known(p)
    length = number(p["span"] * p["wavelength"])
    return Plan(
        content=f"A sine wave of {p['drawn']} wavelengths about its rest line, with an arrow for the way it travels.",
        layout=f"x to the right, y up; dimension arrow over {p['span']} wavelength(s) from crest to crest, one from "
        "the rest line to the height of a crest, left of the curve.",
        labels=f"{length} m above its arrow, A = {p['amplitude']} cm beside its arrow, {given} = {given_value} "
        f"{given_unit} beside the arrow of travel.",
        constraints=f"All wavelengths equal. The {p['asked']} is asked and must not be shown.",
    )


def draw(p: Params) -> Drawing:
    n, span = p["drawn"], p["span"]
    # The curve starts at the rest line, so crest k lies at (k + 1/4) wavelengths.
    first = 12 / n / 4
    last = first + span * 12 / n
    body = f"""
        fig.subplots_adjust(0.02, 0.02, 0.98, 0.98)
        x = np.linspace(0, 12, 600)
        ax.plot(x, np.sin(2 * np.pi * {n} * x / 12), color="tab:blue", linewidth=2.4)
        ax.annotate("", xy=(12.9, 0), xytext=(-0.9, 0), arrowprops=dict(arrowstyle="-|>", color="black", linewidth=1.2))
        ax.annotate("", xy=(0, 2), xytext=(0, -1.5), arrowprops=dict(arrowstyle="-|>", color="black", linewidth=1.2))
        for x in ({first:.4g}, {last:.4g}):
            ax.plot([x, x], [1, 1.6], color="gray", linewidth=1, linestyle="--")
        ax.annotate("", xy=({last:.4g}, 1.45), xytext=({first:.4g}, 1.45), arrowprops=dict(
            arrowstyle="<|-|>", color="black", linewidth=1.4, shrinkA=0, shrinkB=0))
        ax.plot([-0.8, {first:.4g}], [1, 1], color="gray", linewidth=1, linestyle="--")
        ax.annotate("", xy=(-0.6, 1), xytext=(-0.6, 0), arrowprops=dict(
            arrowstyle="<|-|>", color="tab:red", linewidth=1.4, shrinkA=0, shrinkB=0))
        ax.annotate("", xy=(7.2, -1.55), xytext=(4.8, -1.55), arrowprops=dict(
            arrowstyle="-|>", color="tab:green", linewidth=2.4, mutation_scale=16))
        ax.set_xlim(-3.6, 13.6)
        ax.set_ylim(-2.2, 2.6)
        ax.axis("off")
    """
    given, given_value, given_unit = known(p)
    length, amplitude = number(span * p["wavelength"]), p["amplitude"]
    labels = (
        Label(
            f"{length} m",
            (first + last) / 2,
            1.72,
            wrong=f"{number(span * p['wavelength'] * 1.5)} m",
        ),
        Label(
            f"A = {amplitude} cm",
            -0.8,
            0.5,
            wrong=f"A = {amplitude + 3} cm",
            style={"color": "tab:red", "ha": "right"},
        ),
        Label(
            f"{given} = {given_value} {given_unit}",
            6,
            -1.85,
            wrong=f"{given} = {number(float(given_value) + 3)} {given_unit}",
            style={"color": "tab:green"},
        ),
        Label("x", 13.2, 0, given=False, style={"style": "italic"}),
        Label("y", -0.4, 1.9, given=False, style={"style": "italic"}),
    )
    return Drawing(body, labels)


def distort(p: Params) -> Params:
    """Twice as many waves: the dimension arrow no longer spans what it should."""
    return {**p, "drawn": 2 * p["drawn"]}


CRESTS = {"one": 1, "two": 2, "three": 3, "four": 4}


def glance_sample(rng: Random, answer: str) -> Params:
    return {
        "crests": CRESTS[answer],
        "width": rng.choice([72, 76, 80]),
        "height": rng.choice([36, 42, 48]),
        "x": rng.randrange(-6, 7, 2),
        "y": rng.randrange(-8, 9, 2),
        "color": rng.choice(["black", "tab:blue", "tab:red", "tab:green"]),
    }


def glance_draw(p: Params) -> str:
    return glance_script(f"""
        t = np.linspace(0, 1, 160)
        height = -{p["height"]} / 2 * np.cos(2 * np.pi * {p["crests"]} * t)
        ax.plot(48 + {p["x"]} + {p["width"]} * (t - 0.5), 48 + {p["y"]} + height,
                color="{p["color"]}", linewidth=3, solid_capstyle="round")
    """)


FAMILY = Family(
    name="transverse_wave",
    subject=Subject.PHYSICS,
    image_type=ImageType.WAVEFORM,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
    glance=Glance(
        question="How many crests does the wave have?",
        answers=tuple(CRESTS),
        sample=glance_sample,
        draw=glance_draw,
        content=("crests", "width", "height", "x", "y"),
    ),
)
