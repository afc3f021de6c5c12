"""Chemistry: an energy-level diagram with transitions; energy or wavelength of a photon, kinetic energy asked.

Hydrogen-like ions and model atoms with levels of their own; all to scale, hydrogen-like ones from n = 2 up.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement, distractors
from scigen.problems.procedural.molecule import canvas
from scigen.records import ImageType, Plan, Subject

RYDBERG = 13.606
"""Energy of hydrogen's ground state below ionisation, in eV."""
HC = 1239.84
"""Planck's constant times the speed of light, in eV nm."""
ASKED = {
    "energy": ("photon energy", "Find the energy in eV of the photon of the drawn transition, to two decimals."),
    "wavelength": (
        "wavelength of the photon",
        f"Find the wavelength in nm of the photon of the drawn transition, to one decimal (hc = {HC} eV nm).",
    ),
    "cascade": (
        "wavelength of the photon marked λ",
        "The atom absorbs the photon whose wavelength is stated and returns to the lowest level in two steps. Find "
        f"the wavelength in nm of the photon marked λ, to one decimal (hc = {HC} eV nm).",
    ),
    "electron": (
        "kinetic energy of the electron",
        "A photon of the stated wavelength ionises the atom from the marked level. Find the kinetic energy in eV of "
        f"the electron that leaves, to two decimals (hc = {HC} eV nm).",
    ),
}


def sample(rng: Random, difficulty: int) -> Params:
    """Difficulty 1: energy of a photon; 2: wavelength; 3: the second photon of a cascade, or photoionisation."""
    style = {"color": rng.choice(("#c0271e", "#1f4fb4", "#6a2c91", "#1a7f2e")), "side": rng.choice(("left", "right"))}
    asked = {1: "energy", 2: "wavelength", 3: rng.choice(("cascade", "electron"))}[difficulty]
    while True:
        ion = difficulty == 2 and rng.random() < 0.15
        if ion:
            z = rng.randint(1, 6)
            levels = [round(-RYDBERG * z * z / n**2, 2) for n in (2, 3, 4, 5)]
        else:
            z = 0
            levels = [-rng.randint(420, 1400) / 100]
            for _ in range(3 if difficulty < 3 else rng.choice((3, 4))):
                levels.append(round(levels[-1] * rng.uniform(0.35, 0.8), 2))
        span = -levels[0]
        if min(b - a for a, b in zip(levels, [*levels[1:], 0.0], strict=True)) < span * (0.035 if ion else 0.075):
            continue
        high = rng.randrange(1, len(levels))
        low = rng.randrange(high)
        light = 0.0
        if asked == "cascade":
            if high < 2:
                continue
            low = rng.randrange(1, high)
            light = round(HC / (levels[high] - levels[0]), 1)
        elif asked == "electron":
            low = rng.randrange(len(levels) - 1)
            light = round(HC / (-levels[low] + rng.uniform(0.4, 6)), 1)
        up = rng.random() < 0.5 and asked in ("energy", "wavelength")
        p = {"asked": asked, "z": z, "levels": levels, "low": low, "high": high, "light": light, "up": up, **style}
        given = {f"{-e:.2f}" for e in levels} | {f"{light:.1f}"}
        if answer(p) not in given:  # else it could be read off
            return p


def answer(p: Params) -> str:
    levels, low, high = p["levels"], p["low"], p["high"]
    gap = levels[high] - levels[low]
    match p["asked"]:
        case "energy":
            return f"{gap:.2f}"
        case "wavelength":
            return f"{HC / gap:.1f}"
        case "cascade":
            return f"{HC / gap:.1f}"
    return f"{HC / p['light'] + levels[low]:.2f}"


def solve(p: Params) -> float:
    """In joules, with CODATA constants where the rounding allows it; the cascade by the sum of wavenumbers."""
    from scipy.constants import electron_volt, nano

    hc = HC * electron_volt * nano
    joule = [e * electron_volt for e in p["levels"]]
    match p["asked"]:
        case "energy" | "wavelength":
            frequency_over_c = abs(joule[p["low"]] - joule[p["high"]]) / hc
            return float(
                hc * frequency_over_c / electron_volt if p["asked"] == "energy" else 1 / frequency_over_c / nano
            )
        case "cascade":
            # Wavenumbers add: the whole way up is the step to the middle level and the one marked.
            whole = (joule[p["high"]] - joule[0]) / hc
            return float(1 / (whole - (joule[p["low"]] - joule[0]) / hc) / nano)
    photon = hc / (p["light"] * nano)
    return float((photon - (0 - joule[p["low"]])) / electron_volt)


def names(p: Params) -> list[str]:
    first = 2 if p["z"] else 1
    return [f"$n$ = {first + k}" for k in range(len(p["levels"]))]


def plain(name: str) -> str:
    return name.replace("$", "")


def volts(energy: float) -> str:
    return f"{energy:.2f} eV".replace("-", "−")


def species(p: Params) -> str:
    return ("H", "He⁺", "Li²⁺", "Be³⁺", "B⁴⁺", "C⁵⁺")[p["z"] - 1] if p["z"] else "model atom"


def state(p: Params) -> Statement:
    what, want = ASKED[p["asked"]]
    result, named = answer(p), [plain(n) for n in names(p)]
    listed = ", ".join(f"{n} {volts(e)}" for n, e in zip(named, p["levels"], strict=True))
    low, high = named[p["low"]], named[p["high"]]
    match p["asked"]:
        case "cascade":
            told = f"It absorbs {p['light']} nm from {named[0]} to {high}; λ belongs to {high} to {low}."
        case "electron":
            told = f"The photon has {p['light']} nm; the atom is in the level {low}."
        case _:
            told = f"The transition is from {low} to {high}." if p["up"] else f"The transition is from {high} to {low}."
    count = len(named)
    seed = Random(str(p["levels"]))
    steps = (-0.45, 0.38, 0.64, 1.2, -0.3)
    top, ground = p["levels"][-1], p["levels"][0]
    facts = [
        Fact("How many bound levels are drawn?", str(count), (str(count - 1), str(count + 1), str(count + 2)), listed),
        _level_fact(f"What is the energy of the level {named[0]}?", ground, seed, steps),
        _level_fact(f"What is the energy of the level {named[-1]}?", top, seed, (-0.12, 0.09, -0.23, -0.31)),
    ]
    if p["asked"] in ("energy", "wavelength"):
        right = "absorption, to a higher level" if p["up"] else "emission, to a lower level"
        other = "emission, to a lower level" if p["up"] else "absorption, to a higher level"
        facts.append(Fact("What does the arrow show?", right, (other, "ionisation", "no change of level"), "its head"))
    else:
        light = p["light"]
        wrong = tuple(f"{light + s:.1f} nm" for s in (12.4, 25.1, -8.7))
        facts.append(Fact("Which wavelength is stated?", f"{light:.1f} nm", (wrong[0], wrong[1], wrong[2]), "λ₀"))
    return Statement(
        question=f"A {species(p)} has the energy levels {listed}. {told} {want}".replace("A H ", "Hydrogen, H, "),
        multimodal_question=want,
        answer=result,
        leak=(f"{what} = {result}", f"{result} {'eV' if p['asked'] in ('energy', 'electron') else 'nm'}"),
        facts=tuple(facts),
    )


def _level_fact(question: str, energy: float, rng: Random, steps: tuple[float, ...]) -> Fact:
    wrong = [volts(float(w)) for w in distractors(rng, energy, steps)]
    return Fact(question, volts(energy), (wrong[0], wrong[1], wrong[2]), volts(energy))


def plan(p: Params) -> Plan:
    listed = ", ".join(f"{plain(n)} at {volts(e)}" for n, e in zip(names(p), p["levels"], strict=True))
    return Plan(
        content=f"Energy levels of a {species(p)}: {listed}, the ionisation limit at 0, and the transitions as arrows.",
        layout="Energy upwards, every level at its true height below the dashed limit; one upright arrow a photon.",
        labels="n at one end of each level and its energy at the other"
        + (f"; λ₀ = {p['light']:.1f} nm at the arrow of the absorbed photon." if p["light"] else "."),
        constraints=f"Arrows begin and end on their levels. The {ASKED[p['asked']][0]} is asked and must not be shown.",
    )


def spread(places: list[float], least: float) -> list[float]:
    """Heights of texts near `places` (rising), none nearer to its neighbour than `least`."""
    moved = list(places)
    for _ in range(200):
        for k in range(len(moved) - 1):
            lack = least - (moved[k + 1] - moved[k])
            if lack > 1e-6:
                moved[k] -= lack / 2
                moved[k + 1] += lack / 2
    return moved


def draw(p: Params) -> Drawing:
    width, height, low, high = 5.2, 4.1, 0.45, 3.55
    scale = (high - low) / -p["levels"][0]
    at = [round(high + e * scale, 3) for e in p["levels"]]
    drawn = [round(high + e * scale, 3) for e in p.get("drawn", p["levels"])]
    left, right = 1.25, 3.95
    texts = [round(y, 3) for y in spread([*at, high], 0.21)]
    code = [
        f"for y in {drawn}:",
        f'    ax.plot([{left}, {right}], [y, y], color="black", linewidth=2, solid_capstyle="butt")',
        f'ax.plot([{left}, {right}], [{high}, {high}], color="0.35", linewidth=1.3, linestyle=(0, (5, 3)))',
        f'ax.annotate("", xy=(0.3, {height - 0.2:g}), xytext=(0.3, 0.3), arrowprops=dict(',
        '    arrowstyle="-|>", color="black", linewidth=1.4, mutation_scale=14, shrinkA=0, shrinkB=0))',
    ]
    for y, text in zip([*at, high], texts, strict=True):
        if abs(y - text) > 0.01:  # a thin leader to a text that had to give way
            code.append(f'ax.plot([{right}, {right + 0.17}], [{y}, {text}], color="0.6", linewidth=0.8)')
            code.append(f'ax.plot([{left - 0.17}, {left}], [{text}, {y}], color="0.6", linewidth=0.8)')
    arrows: list[tuple[float, float, float, str]] = []
    a, b = drawn[p["low"]], drawn[p["high"]]
    places = (1.9, 2.6, 3.3) if p["side"] == "left" else (3.3, 2.6, 1.9)
    match p["asked"]:
        case "energy" | "wavelength":
            arrows.append((2.25 if p["side"] == "left" else 2.95, a if p["up"] else b, b if p["up"] else a, p["color"]))
        case "cascade":
            arrows += [(places[0], drawn[0], b, "0.3"), (places[1], b, a, p["color"]), (places[2], a, drawn[0], "0.3")]
        case _:
            arrows.append((places[0], a, high + 0.33, p["color"]))
            code.append(f'ax.plot({places[0]}, {high + 0.4:.3f}, "o", color="{p["color"]}", markersize=7)')
            code.append(
                f'ax.plot({places[0]}, {a}, "o", color="white", markeredgecolor="black", markersize=7, zorder=4)'
            )
    for x, y1, y2, color in arrows:
        code.append(f'ax.annotate("", xy=({x}, {y2:.3f}), xytext=({x}, {y1:.3f}), arrowprops=dict(')
        code.append(f'    arrowstyle="-|>", color="{color}", linewidth=2, mutation_scale=15, shrinkA=0, shrinkB=0))')
    labels = []
    gap: dict[str, Any] = {"fontsize": 11.5}
    for name, e, y in zip(names(p), p["levels"], texts, strict=False):
        labels.append(Label(name, left - 0.2, y, style={**gap, "ha": "right"}))
        wrong = volts(round(e - 0.37, 2))
        labels.append(Label(volts(e), right + 0.2, y, wrong=wrong, style={**gap, "ha": "left"}))
    labels.append(Label("0 eV", right + 0.2, texts[-1], given=False, style={**gap, "ha": "left"}))
    labels.append(Label("$E$", 0.5, height - 0.25, given=False, style={"fontsize": 13}))
    if p["z"]:
        labels.append(
            Label(species(p), 2.6, height - 0.22, wrong="Na¹⁰⁺", style={"fontsize": 13, "fontweight": "bold"})
        )
    white = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    if p["light"]:
        x, y1, y2, _ = arrows[0]
        inside = [y for y in at if min(y1, y2) <= y <= max(y1, y2)]
        bounds = sorted({*inside, min(y1, y2), min(max(y1, y2), high)})
        below, above = max(pairwise(bounds), key=lambda s: s[1] - s[0])
        ha, dx = ("left", 0.1) if p["side"] == "left" and p["asked"] == "electron" else ("right", -0.1)
        if p["asked"] == "cascade":
            ha, dx = ("right", -0.1) if p["side"] == "left" else ("left", 0.1)
        wrong = f"{p['light'] + 15.3:.1f} nm"
        style = {"fontsize": 11, "ha": ha, "bbox": white, "color": "0.15"}
        labels.append(
            Label(f"{p['light']:.1f} nm", round(x + dx, 3), round((below + above) / 2, 3), wrong=wrong, style=style)
        )
    if p["asked"] == "cascade":
        x, _, _, color = arrows[1]
        style = {"fontsize": 14, "ha": "left", "color": color, "bbox": white}
        between = sorted([y for y in at if at[p["low"]] <= y <= at[p["high"]]])
        below, above = max(pairwise(between), key=lambda s: s[1] - s[0])
        labels.append(Label("$\\lambda$", round(x + 0.1, 3), round((below + above) / 2, 3), given=False, style=style))
    return Drawing(canvas(width, height) + "\n".join(code), tuple(labels), size=(width, height))


def distort(p: Params) -> Params:
    """The levels are drawn at even steps."""
    count = len(p["levels"])
    return {**p, "drawn": [p["levels"][0] * (count - k) / count for k in range(count)]}


FAMILY = Family(
    name="energy_levels",
    subject=Subject.CHEMISTRY,
    image_type=ImageType.ORBITAL_QUANTUM,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
