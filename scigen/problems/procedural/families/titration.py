"""Universal, apparatus: a titration with burette and flask; concentration or mass from the two readings asked."""

from __future__ import annotations

import re
from collections import Counter
from random import Random
from typing import Any, NamedTuple

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement
from scigen.problems.procedural.placing import inch_axes
from scigen.records import ImageType, Plan, Subject


class Reaction(NamedTuple):
    """What reacts in a titration: `ratio` moles of the titrant with one mole of the analyte in the flask."""

    analyte: str
    titrant: str
    products: tuple[str, ...]
    ratio: int
    molar_mass: float
    """Of the analyte in g/mol."""


SIMPLE = (
    Reaction("HCl", "NaOH", ("NaCl", "H2O"), 1, 36.46),
    Reaction("HNO3", "NaOH", ("NaNO3", "H2O"), 1, 63.01),
    Reaction("HCl", "KOH", ("KCl", "H2O"), 1, 36.46),
    Reaction("CH3COOH", "NaOH", ("CH3COONa", "H2O"), 1, 60.05),
    Reaction("NH3", "HCl", ("NH4Cl",), 1, 17.03),
    Reaction("KOH", "HNO3", ("KNO3", "H2O"), 1, 56.11),
)
HARDER = (
    Reaction("H2SO4", "NaOH", ("Na2SO4", "H2O"), 2, 98.08),
    Reaction("H2C2O4", "KOH", ("K2C2O4", "H2O"), 2, 90.03),
    Reaction("Na2CO3", "HCl", ("NaCl", "H2O", "CO2"), 2, 105.99),
    Reaction("Ca(OH)2", "HCl", ("CaCl2", "H2O"), 2, 74.09),
    Reaction("Ba(OH)2", "HNO3", ("Ba(NO3)2", "H2O"), 2, 171.34),
    Reaction("H3PO4", "NaOH", ("Na3PO4", "H2O"), 3, 97.99),
)
ALL = SIMPLE + HARDER
LIQUIDS = ("#f9d5e5", "#fdebc8", "#d5e8f7", "#dff0d8")
"""Of the flask, by indicator."""
FULL = 50
"""Millilitres of the burette's scale."""
SIZE = (4.8, 5.7)
ZERO_Y, UNIT = 5.05, 0.054
"""Height of the scale's zero in inches, and inches a millilitre."""


def sample(rng: Random, difficulty: int) -> Params:
    """1: one to one; 2: two or three to one; 3: that, and the sample was diluted first, or its mass is asked."""
    while True:
        start, end = rng.randrange(20, 700, 5), rng.randrange(1200, 4750, 5)
        p: dict[str, Any] = {
            "reaction": rng.randrange(len(SIMPLE)) + (len(SIMPLE) if difficulty > 1 else 0),
            "kind": "concentration" if difficulty < 3 else rng.choice(("original", "mass")),
            "start": start,
            "end": end,
            "titrant": rng.choice((50, 80, 100, 120, 150, 200, 250)),
            "aliquot": rng.choice((10, 20, 25, 50)),
            "taken": rng.choice((5, 10, 15, 20)) if difficulty == 3 else 0,
            "flask": rng.choice((100, 200, 250, 500)) if difficulty == 3 else 0,
            "liquid": rng.randrange(len(LIQUIDS)),
            "mirror": rng.random() < 0.5,
        }
        if p["kind"] == "mass":
            p["taken"] = 0
        if p["aliquot"] == p["taken"] or p["aliquot"] * 4 > (p["flask"] or 1000):
            continue
        value = answer_value(p)
        low, high = {"concentration": (0.03, 0.6), "original": (0.5, 9), "mass": (0.3, 25)}[p["kind"]]
        # A third digit that is a 5 exactly would make the rounding a matter of taste.
        if end - start >= 900 and low <= value <= high and abs(value * 10**5 % 10 - 5) > 1e-6:
            return p


def reaction(p: Params) -> Reaction:
    return ALL[p["reaction"]]


def answer_value(p: Params) -> float:
    """Moles of titrant, of analyte, then concentration or mass."""
    used = (p["end"] - p["start"]) / 100 / 1000
    moles = used * p["titrant"] / 1000 / reaction(p).ratio
    concentration = moles / (p["aliquot"] / 1000)
    match p["kind"]:
        case "concentration":
            return float(concentration)
        case "original":
            return float(concentration * p["flask"] / p["taken"])
        case _:
            return float(concentration * p["flask"] / 1000 * reaction(p).molar_mass)


def digits(p: Params) -> int:
    return 4 if p["kind"] == "concentration" else 3


def solve(p: Params) -> float:
    """The equation is balanced by the null space of its atoms, and the amounts are followed with exact fractions."""
    from fractions import Fraction

    import numpy as np

    r = reaction(p)
    sides = [_atoms(r.analyte), _atoms(r.titrant), *(_atoms(f) for f in r.products)]
    elements = sorted(set().union(*sides))
    atoms = np.array([[s[e] * (1 if i < 2 else -1) for i, s in enumerate(sides)] for e in elements])
    # The last right singular vector spans the null space of dimension one.
    null = np.linalg.svd(atoms)[2][-1]
    titrant_per_analyte = Fraction(float(null[1] / null[0])).limit_denominator(12)
    per_litre = Fraction(p["end"] - p["start"], 100) * Fraction(p["titrant"], 1000) / p["aliquot"] / titrant_per_analyte
    if p["kind"] == "concentration":
        return float(per_litre)
    in_flask = per_litre * Fraction(p["flask"], 1000)
    if p["kind"] == "mass":
        return float(in_flask * Fraction(str(r.molar_mass)))
    return float(in_flask / Fraction(p["taken"], 1000))


def _atoms(formula: str) -> Counter[str]:
    """How many atoms of each element: `Ca(OH)2` is Ca 1, O 2, H 2."""
    flat = re.sub(r"\(([^)]*)\)(\d+)", lambda m: m.group(1) * int(m.group(2)), formula)
    found: Counter[str] = Counter()
    for element, count in re.findall(r"([A-Z][a-z]?)(\d*)", flat):
        found[element] += int(count or 1)
    return found


def pretty(formula: str) -> str:
    return formula.translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def asked(p: Params) -> str:
    what = pretty(reaction(p).analyte)
    return {
        "concentration": f"concentration of {what} in the flask in mol/L to four decimal places",
        "original": f"concentration of {what} in the original sample in mol/L to three decimal places",
        "mass": f"mass of {what} in the whole of the stock solution in grams to three decimal places",
    }[p["kind"]]


def givens(p: Params) -> dict[str, str]:
    """The given labels by what they are about."""
    r = reaction(p)
    found = {
        "start": f"start {p['start'] / 100:.2f} mL",
        "end": f"end {p['end'] / 100:.2f} mL",
        "titrant": f"{pretty(r.titrant)}, {p['titrant'] / 1000:.3f} mol/L",
        "aliquot": f"{pretty(r.analyte)}, {p['aliquot']:.1f} mL",
    }
    if p["kind"] == "original":
        found["note"] = f"sample: {p['taken']:.1f} mL made up to {p['flask']} mL"
    if p["kind"] == "mass":
        found["note"] = f"stock: {p['flask']} mL, M = {r.molar_mass:.2f} g/mol"
    return found


def state(p: Params) -> Statement:
    r = reaction(p)
    answer = f"{answer_value(p):.{digits(p)}f}"
    start, end = f"{p['start'] / 100:.2f} mL", f"{p['end'] / 100:.2f} mL"
    before = {
        "concentration": "",
        "original": f"A sample of {p['taken']:.1f} mL was made up to {p['flask']} mL with water. ",
        "mass": f"A stock solution has a volume of {p['flask']} mL; the molar mass of the solute is "
        f"{r.molar_mass:.2f} g/mol. ",
    }[p["kind"]]
    sentence = f"Find the {asked(p)}. One mole of {pretty(r.analyte)} reacts with "
    sentence += f"{('one mole', 'two moles', 'three moles')[r.ratio - 1]} of {pretty(r.titrant)}."
    unit = " g" if p["kind"] == "mass" else " mol/L"
    return Statement(
        question=f"{before}{p['aliquot']:.1f} mL of the solution of {pretty(r.analyte)} in a flask are titrated with "
        f"{pretty(r.titrant)} of {p['titrant'] / 1000:.3f} mol/L; the burette reads {start} at the start and {end} at "
        f"the end point. {sentence}",
        multimodal_question=f"The flask is titrated to the end point. {sentence}",
        answer=answer,
        leak=(f"result: {answer}{unit}", f"{answer}{unit}"),
        facts=(
            Fact("What does the burette read at the end?", end, _readings(p["end"], p["start"]), f"end {end}"),
            Fact("What does the burette read at the start?", start, _readings(p["start"], p["end"]), f"start {start}"),
            Fact(
                "Which substance is dissolved in the burette?",
                pretty(r.titrant),
                _substances(r),
                f"{pretty(r.titrant)} in the burette",
            ),
            Fact(
                "Which volume of solution was put into the flask?",
                f"{p['aliquot']:.1f} mL",
                _volumes(p["aliquot"]),
                givens(p)["aliquot"],
            ),
        ),
    )


def _readings(right: int, other: int) -> tuple[str, str, str]:
    first, second, third = [right + d for d in (100, 250, -15, 40, 70) if right + d != other][:3]
    return f"{first / 100:.2f} mL", f"{second / 100:.2f} mL", f"{third / 100:.2f} mL"


def _substances(r: Reaction) -> tuple[str, str, str]:
    first, second = [f for f in ("NaCl", "H₂SO₄", "KMnO₄", "I₂") if f not in (pretty(r.titrant), pretty(r.analyte))][:2]
    return pretty(r.analyte), first, second


def _volumes(right: int) -> tuple[str, str, str]:
    first, second, third = (v for v in (10, 20, 25, 50) if v != right)
    return f"{first:.1f} mL", f"{second:.1f} mL", f"{third:.1f} mL"


def plan(p: Params) -> Plan:
    return Plan(
        content="A burette in the clamp of a stand above a conical flask: a titration.",
        layout=f"Burette with a scale from 0 at the top to {FULL} mL, a mark each millilitre; liquid up to the end "
        f"reading, a dashed line at the start reading; stand at the {'right' if p['mirror'] else 'left'}.",
        labels="; ".join(givens(p).values()) + ": each beside what it tells of.",
        constraints=f"The readings lie at their places on the scale. The {asked(p)}, is asked and must not be shown; "
        "nor the volume used.",
    )


def draw(p: Params) -> Drawing:
    sign = -1 if p["mirror"] else 1
    x = SIZE[0] / 2 - sign * 0.35

    def level(reading: float) -> float:
        return round(ZERO_Y - reading / 100 * UNIT, 3)

    end, start = level(p.get("drawn", p["end"])), level(p["start"])
    foot = round(ZERO_Y - FULL * UNIT - 0.12, 3)
    rod = round(x - sign * 1.25, 3)
    reach = round(x + sign * 0.5, 3)
    body = f"""
{inch_axes(*SIZE)}
ax.set_ylim(-0.1, {SIZE[1] - 0.1:g})
x, s, top, foot = {x:.4g}, {sign}, {ZERO_Y + 0.28:.4g}, {foot}
r = 0.15
# stand, clamp
ax.add_patch(plt.Rectangle(({min(rod - sign * 0.3, x + sign * 0.95):.4g}, 0.22), {abs(rod - x) + 1.25:.4g}, 0.13,
                           facecolor="0.55", edgecolor="black", linewidth=1.4))
ax.add_patch(plt.Rectangle(({rod - 0.05:.4g}, 0.35), 0.1, 5.05, facecolor="0.75", edgecolor="black", linewidth=1.2))
for y in (4.79, 2.75):
    ax.plot([{rod:.4g}, x - s * r], [y, y], color="0.3", linewidth=5, solid_capstyle="butt", zorder=1)
    ax.add_patch(plt.Rectangle(({rod - 0.11:.4g}, y - 0.1), 0.22, 0.2,
                               facecolor="0.35", edgecolor="black", linewidth=1.0))
# flask and what is in it
fx, fy = x + np.array([-0.16, -0.16, -0.62, -0.55, 0.55, 0.62, 0.16, 0.16]), np.array(
    [1.62, 1.28, 0.48, 0.37, 0.37, 0.48, 1.28, 1.62])
ax.fill(x + np.array([-0.46, -0.62, -0.55, 0.55, 0.62, 0.46]), [0.75, 0.48, 0.37, 0.37, 0.48, 0.75],
        color="{LIQUIDS[p["liquid"]]}", linewidth=0)
ax.plot(x + np.array([-0.46, 0.46]), [0.75, 0.75], color="0.35", linewidth=1.2)
ax.plot(fx, fy, color="black", linewidth=1.8, solid_joinstyle="round")
ax.plot([x - 0.21, x - 0.16], [1.64, 1.62], color="black", linewidth=1.8)
ax.plot([x + 0.16, x + 0.21], [1.62, 1.64], color="black", linewidth=1.8)
# burette: liquid, tube, stopcock, tip
t = np.linspace(-1, 1, 30)
ax.fill(np.r_[x - r, x + r * t, x + r, x + 0.04, x + 0.03, x - 0.03, x - 0.04],
        np.r_[foot + 0.08, {end} + 0.05 * t ** 2 - 0.02, foot + np.array([0.08, -0.08, -0.46, -0.46, -0.08])],
        color="#cfe6f7", linewidth=0, zorder=1)
ax.plot(x + r * t, {end} + 0.05 * t ** 2 - 0.02, color="tab:blue", linewidth=1.5)
for k in (-1, 1):
    ax.plot([x + k * r, x + k * r, x + k * 0.04, x + k * 0.04, x + k * 0.025],
            [top, foot + 0.08, foot - 0.08, foot - 0.32, foot - 0.5], color="black", linewidth=1.5)
ax.add_patch(plt.Rectangle((x - 0.09, foot - 0.24), 0.18, 0.12,
                           facecolor="0.4", edgecolor="black", linewidth=1.0, zorder=3))
ax.plot([x + s * 0.09, x + s * 0.27], [foot - 0.18, foot - 0.18], color="black", linewidth=3)
# scale
for v in range({FULL + 1}):
    y, long = {ZERO_Y} - v * {UNIT}, 0.2 if v % 10 == 0 else 0.15 if v % 5 == 0 else 0.09
    ax.plot([x - s * r, x - s * (r - long)], [y, y], color="black", linewidth=1.1 if v % 5 == 0 else 0.7)
    if v % 10 == 0:
        ax.text(x - s * (r + 0.16), y, str(v), fontsize=9, ha="center", va="center", bbox=dict(
            facecolor="white", edgecolor="none", pad=0.6))
# readings
ax.plot([x - s * r, {reach}], [{start}, {start}], color="tab:red", linewidth=1.2, linestyle="--")
ax.plot([x + s * r, {reach}], [{end} - 0.02, {end} - 0.02], color="tab:blue", linewidth=1.2)
"""
    align = "left" if sign > 0 else "right"
    side = {"ha": align}
    texts = givens(p)
    labels = [
        Label(texts["start"], reach + sign * 0.07, start, wrong=f"start {(p['start'] + 310) / 100:.2f} mL"),
        Label(texts["end"], reach + sign * 0.07, level(p["end"]) - 0.02, wrong=f"end {(p['end'] + 220) / 100:.2f} mL"),
        Label(texts["titrant"], x + sign * 0.26, ZERO_Y + 0.3, wrong=_wrong_strength(p)),
        Label(
            texts["aliquot"], x + sign * 0.42, 1.25, wrong=f"{pretty(reaction(p).analyte)}, {p['aliquot'] + 15:.1f} mL"
        ),
    ]
    styled = [
        Label(t.text, t.x, t.y, wrong=t.wrong, style={"fontsize": 11, **side, "color": color})
        for t, color in zip(labels, ("tab:red", "tab:blue", "black", "black"), strict=True)
    ]
    if "note" in texts:
        changed = {**p, "flask": p["flask"] + 150}
        styled.append(Label(texts["note"], SIZE[0] / 2, 0.05, wrong=givens(changed)["note"], style={"fontsize": 10}))
    return Drawing(body, tuple(styled), SIZE)


def _wrong_strength(p: Params) -> str:
    return givens({**p, "titrant": p["titrant"] + 30})["titrant"]


def distort(p: Params) -> dict[str, Any]:
    """The liquid stands at another place of the scale than its reading."""
    return {**p, "drawn": p["end"] + (900 if p["end"] < 3500 else -1100)}


FAMILY = Family(
    name="titration",
    subject=Subject.UNIVERSAL,
    image_type=ImageType.EXP_SETUP,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
