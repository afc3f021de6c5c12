"""Chemistry: a particle in a box; energies of levels, wavelength of a transition, or a probability from |ψ|² asked."""

from __future__ import annotations

from math import pi, sin
from random import Random

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement, distractors
from scigen.problems.procedural.molecule import canvas
from scigen.records import ImageType, Plan, Subject

UNIT = 0.37603
"""h²/(8 m) of the electron in eV nm²."""
HC = 1239.84
"""In eV nm."""
ASKED = {
    "energy": (
        "energy of the marked level",
        "A particle is in a box with infinite walls. One energy is stated. Find the energy in eV of the level marked "
        "with a question mark, to two decimals.",
    ),
    "wavelength": (
        "wavelength of the photon",
        "An electron in a box with infinite walls makes the drawn transition. Find the wavelength of the photon in nm, "
        f"to the nearest whole number (h²/8m = {UNIT} eV nm², hc = {HC} eV nm).",
    ),
    "probability": (
        "probability",
        "The curve is |ψ|² of a particle in a box with infinite walls. Find the probability of finding the particle in "
        "the shaded section, to three decimals.",
    ),
}


def sample(rng: Random, difficulty: int) -> Params:
    """Difficulty 1: another level's energy; 2: wavelength of a transition; 3: the probability of a section."""
    style = {"color": rng.choice(("#1f4fb4", "#c0271e", "#1a7f2e", "#6a2c91"))}
    length = rng.randint(40, 250) / 100
    if difficulty == 3:
        n = rng.randint(1, 6)
        while True:
            start, end = sorted(round(length * rng.uniform(0.12, 0.88), 2) for _ in range(2))
            if 0.2 * length < end - start < 0.7 * length:
                p = {"asked": "probability", "n": n, "length": length, "start": start, "end": end, **style}
                return {**p, "drawn": n}
    levels = rng.choice((3, 4, 4, 5))
    low, high = sorted(rng.sample(range(1, levels + 1), 2))
    p = {"levels": levels, "low": low, "high": high, "even": False, **style}
    if difficulty == 2:
        return {"asked": "wavelength", "length": length, "up": rng.random() < 0.5, **p}
    known = rng.choice((low, high))
    energy = round(rng.randint(8, 260) / 100 * known**2, 2)
    return {"asked": "energy", "known": known, "energy": energy, **p}


def answer(p: Params) -> str:
    match p["asked"]:
        case "energy":
            unknown = p["low"] + p["high"] - p["known"]
            return f"{p['energy'] * unknown**2 / p['known'] ** 2:.2f}"
        case "wavelength":
            gap = UNIT * (p["high"] ** 2 - p["low"] ** 2) / p["length"] ** 2
            return f"{HC / gap:.0f}"
    a, b, k = p["start"] / p["length"], p["end"] / p["length"], 2 * pi * p["n"]
    return f"{b - a - (sin(k * b) - sin(k * a)) / k:.3f}"


def solve(p: Params) -> float:
    """By integration: |ψ|² over the section, and kinetic energies as integrals of (dψ/dx)², ψ by differences."""
    import numpy as np
    from scipy.integrate import simpson

    def kinetic(n: int, length: float) -> float:
        """In units of ħ²/(2m): the slope of ψ squared, integrated."""
        x = np.linspace(0, length, 20001)
        psi = np.sin(n * np.pi * x / length)
        norm = float(simpson(psi**2, x=x))
        return float(simpson(np.gradient(psi, x, edge_order=2) ** 2, x=x)) / norm

    match p["asked"]:
        case "energy":
            unknown = p["low"] + p["high"] - p["known"]
            return float(p["energy"] * kinetic(unknown, 1.0) / kinetic(p["known"], 1.0))
        case "wavelength":
            gap = kinetic(p["high"], p["length"]) - kinetic(p["low"], p["length"])
            return float(HC / (gap * UNIT / np.pi**2))
    x = np.linspace(p["start"], p["end"], 4001)
    return float(simpson(2 / p["length"] * np.sin(p["n"] * np.pi * x / p["length"]) ** 2, x=x))


def state(p: Params) -> Statement:
    what, want = ASKED[p["asked"]]
    result = answer(p)
    if p["asked"] == "probability":
        n, length, start, end = p["n"], p["length"], p["start"], p["end"]
        question = f"A box is {length:.2f} nm long; |ψ|² has {n} maxima. The section runs from {start:.2f} nm to "
        question += f"{end:.2f} nm, measured from the left wall. {want}"
        facts = [
            Fact(
                "How many maxima has the curve?", str(n), (str(n + 1), str(n + 2), str(n - 1 or n + 3)), f"{n} maxima"
            ),
            _value("What is the length of the box?", length),
            _value("Where does the shaded section begin?", start),
            _value("Where does the shaded section end?", end),
        ]
    else:
        low, high, count = p["low"], p["high"], p["levels"]
        facts = [
            Fact(
                "How many levels are drawn?",
                str(count),
                (str(count + 1), str(count - 1), str(count + 2)),
                f"n = 1 to {count}",
            )
        ]
        pairs = [f"n = {a} and n = {b}" for b in range(2, 6) for a in range(1, b)]
        here = f"n = {low} and n = {high}"
        wrong = Random(here + str(count)).sample([t for t in pairs if t != here], 3)
        if p["asked"] == "energy":
            unknown = low + high - p["known"]
            question = f"The level n = {p['known']} has the energy {p['energy']:.2f} eV; n = {unknown} is asked. {want}"
            others = [f"n = {k}" for k in range(1, 6) if k != unknown][:3]
            facts.append(
                Fact(
                    "Which level has the question mark?",
                    f"n = {unknown}",
                    (others[0], others[1], others[2]),
                    "the mark",
                )
            )
            energy = distractors(Random(here), p["energy"], (0.25, 0.6, 1.1, 2.3))
            grams = [f"{float(e):.2f} eV" for e in energy]
            text = f"{p['energy']:.2f} eV"
            facts.append(Fact("Which energy is written?", text, (grams[0], grams[1], grams[2]), text))
        else:
            order = (low, high) if p["up"] else (high, low)
            question = (
                f"The box is {p['length']:.2f} nm long; the transition is from n = {order[0]} to n = {order[1]}. {want}"
            )
            facts.append(Fact("Which levels does the arrow join?", here, (wrong[0], wrong[1], wrong[2]), "its ends"))
            facts.append(_value("What is the length of the box?", p["length"]))
    return Statement(
        question=question,
        multimodal_question=want,
        answer=result,
        leak=(f"{what} = {result}", f"{result} nm" if p["asked"] == "wavelength" else f"= {result}"),
        facts=tuple(facts),
    )


def _value(question: str, value: float) -> Fact:
    texts = [f"{value + s:.2f} nm" for s in (0.07, 0.16, 0.33)]
    return Fact(question, f"{value:.2f} nm", (texts[0], texts[1], texts[2]), f"{value:.2f} nm")


def plan(p: Params) -> Plan:
    asked = ASKED[p["asked"]][0]
    if p["asked"] == "probability":
        return Plan(
            content=f"|ψ|² with {p['n']} maxima between two hard walls {p['length']:.2f} nm apart; a shaded section.",
            layout=f"The curve to scale over the box; the shade from {p['start']:.2f} nm to {p['end']:.2f} nm.",
            labels="L on an arrow below, the ends of the section at dashed lines.",
            constraints=f"|ψ|² is zero at the walls. The {asked} is asked and must not be shown.",
        )
    told = f"{p['energy']:.2f} eV at n = {p['known']}" if p["asked"] == "energy" else f"L = {p['length']:.2f} nm below"
    return Plan(
        content=f"Levels n = 1 to {p['levels']} of a particle in a box with their wave functions"
        + (", an arrow between two of them." if p["asked"] == "wavelength" else ", a question mark at one of them."),
        layout="Hard walls left and right; levels at heights in the ratio of n², each ψ drawn about its level.",
        labels=f"n at each level, {told}.",
        constraints=f"ψ vanishes at the walls and has n - 1 nodes. The {asked} is asked and must not be shown.",
    )


LEFT, RIGHT = 0.95, 3.75
WALLS = """for x in ({left}, {right} + 0.12):
    ax.add_patch(plt.Rectangle((x - 0.12, {low}), 0.12, {tall}, facecolor="0.88", edgecolor="0.45", hatch="////", lw=0))
ax.plot([{left}, {left}, {right}, {right}], [{top}, {low}, {low}, {top}], color="black", linewidth=2)
"""


def draw(p: Params) -> Drawing:
    return _density(p) if p["asked"] == "probability" else _levels(p)


def _ruler(y: float, x1: float, x2: float) -> str:
    return (
        f'ax.annotate("", xy=({x1:.3f}, {y}), xytext=({x2:.3f}, {y}), arrowprops=dict('
        'arrowstyle="<|-|>", color="black", linewidth=1.2, mutation_scale=11, shrinkA=0, shrinkB=0))\n'
    )


def _levels(p: Params) -> Drawing:
    long = p["asked"] == "wavelength"
    low, width = (0.75 if long else 0.35), 5.0
    top = 4.25
    height = top + 0.15
    count = p["levels"]
    unit = (top - 0.5 - low) / count**2
    step = (top - 0.5 - low) / count
    at = [round(low + (k * step if p["even"] else k * k * unit), 3) for k in range(1, count + 1)]
    true = [round(low + k * k * unit, 3) for k in range(1, count + 1)]
    swing = round(min(0.3, 1.25 * unit), 3)
    code = WALLS.format(left=LEFT, right=RIGHT, low=low, tall=round(top - low, 3), top=top)
    code += f"""t = np.linspace(0, 1, 400)
for n, y in enumerate({at}, 1):
    x, psi = {LEFT} + {RIGHT - LEFT:g} * t, y + {swing} * np.sin(n * np.pi * t)
    ax.plot([{LEFT}, {RIGHT}], [y, y], color="0.45", linewidth=1.1)
    ax.fill_between(x, y, psi, color="{p["color"]}", alpha=0.16, linewidth=0)
    ax.plot(x, psi, color="{p["color"]}", linewidth=1.8)
"""
    labels = [Label(f"$n$ = {k}", LEFT - 0.22, y, style={"fontsize": 12, "ha": "right"}) for k, y in enumerate(true, 1)]
    if long:
        code += _ruler(low - 0.28, LEFT, RIGHT)
        middle = (LEFT + RIGHT) / 2
        white = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        text = f"$L$ = {p['length']:.2f} nm"
        wrong = f"$L$ = {p['length'] + 0.45:.2f} nm"
        labels.append(Label(text, middle, round(low - 0.28, 3), wrong=wrong, style={"fontsize": 12, "bbox": white}))
        y1, y2 = at[p["low"] - 1], at[p["high"] - 1]
        y1, y2 = (y1, y2) if p["up"] else (y2, y1)
        x = RIGHT + 0.5
        code += f"""for y in ({y1}, {y2}):
    ax.plot([{RIGHT + 0.14}, {x + 0.25}], [y, y], color="0.6", linewidth=1, linestyle=(0, (4, 3)))
ax.annotate("", xy=({x}, {y2}), xytext=({x}, {y1}), arrowprops=dict(
    arrowstyle="-|>", color="black", linewidth=2, mutation_scale=16, shrinkA=0, shrinkB=0))
"""
        labels.append(
            Label(
                "$\\lambda$ = ?",
                x + 0.12,
                (true[p["low"] - 1] + true[p["high"] - 1]) / 2,
                given=False,
                style={"fontsize": 13, "ha": "left"},
            )
        )
    else:
        known, unknown = p["known"], p["low"] + p["high"] - p["known"]
        text, wrong = f"{p['energy']:.2f} eV", f"{p['energy'] + 0.85:.2f} eV"
        style = {"fontsize": 12, "ha": "left"}
        labels.append(Label(text, RIGHT + 0.22, true[known - 1], wrong=wrong, style=style))
        labels.append(Label("?", RIGHT + 0.22, true[unknown - 1], given=False, style={**style, "fontsize": 15}))
    return Drawing(canvas(width, height) + code, tuple(labels), size=(width, height))


def _density(p: Params) -> Drawing:
    width, height, low, top, left, right = 5.0, 3.4, 1.05, 3.2, 0.45, 4.55
    scale = (right - left) / p["length"]
    x1, x2 = round(left + p["start"] * scale, 3), round(left + p["end"] * scale, 3)
    code = WALLS.format(left=left, right=right, low=low, tall=round(top - low, 3), top=top)
    code += f"""t = np.linspace(0, 1, 600)
x, y = {left} + {right - left:g} * t, {low} + 1.7 * np.sin({p["drawn"]} * np.pi * t) ** 2
inside = (x >= {x1}) & (x <= {x2})
ax.fill_between(x[inside], {low}, y[inside], color="{p["color"]}", alpha=0.3, linewidth=0)
ax.plot(x, y, color="{p["color"]}", linewidth=2)
for edge in ({x1}, {x2}):
    ax.plot([edge, edge], [{low - 0.12}, {low + 1.85}], color="0.3", linewidth=1.1, linestyle=(0, (4, 3)))
{_ruler(0.3, left, right)}ax.plot([{left}, {left}], [0.18, {low}], color="0.6", linewidth=0.8)
ax.plot([{right}, {right}], [0.18, {low}], color="0.6", linewidth=0.8)
"""
    white = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    text, wrong = f"$L$ = {p['length']:.2f} nm", f"$L$ = {p['length'] + 0.45:.2f} nm"
    labels = [Label(text, (left + right) / 2, 0.3, wrong=wrong, style={"fontsize": 12, "bbox": white})]
    for edge, x in ((p["start"], x1), (p["end"], x2)):
        wrong = f"{edge + 0.17 * p['length']:.2f} nm"
        if wrong in (f"{p['start']:.2f} nm", f"{p['end']:.2f} nm"):
            wrong = f"{edge + 0.21 * p['length']:.2f} nm"
        labels.append(Label(f"{edge:.2f} nm", x, low - 0.27, wrong=wrong, style={"fontsize": 11}))
    labels.append(Label("$|\\psi|^2$", left + 0.12, top - 0.08, given=False, style={"fontsize": 13, "ha": "left"}))
    return Drawing(canvas(width, height) + code, tuple(labels), size=(width, height))


def distort(p: Params) -> Params:
    """Levels at even steps, or a curve with one maximum more."""
    return {**p, "drawn": p["drawn"] + 1} if p["asked"] == "probability" else {**p, "even": True}


FAMILY = Family(
    name="particle_box",
    subject=Subject.CHEMISTRY,
    image_type=ImageType.ORBITAL_QUANTUM,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
