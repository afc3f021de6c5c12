"""Chemistry: the molecular ion of a mass spectrum with its isotope peaks; carbons, halogens or the formula asked."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import product
from random import Random

from scigen.problems.procedural.family import AXES_TRANSFORM, Drawing, Fact, Family, Label, Params, Statement
from scigen.records import ImageType, Plan, Subject

ELEMENTS = ("C", "H", "Br", "Cl", "N", "O")
NOMINAL = {"C": 12, "H": 1, "N": 14, "O": 16, "Cl": 35, "Br": 79}
HALOGENS = ("Cl", "Cl2", "Cl3", "Br", "Br2", "BrCl", "BrCl2")
ASKED = {
    "carbons": (
        "number of carbon atoms",
        "The molecule holds only C, H and O. How many carbon atoms does it hold, by the ratio of the peaks M + 1 and M "
        "(each carbon adds 1.08 % of M to M + 1; neglect what H and O add)?",
    ),
    "halogens": (
        "halogens of the molecule",
        "Which chlorine and bromine atoms does the molecule hold, by the pattern of its molecular ion? Write, for "
        "example, Cl, Cl2, Br2 or BrCl.",
    ),
    "formula": (
        "molecular formula",
        "The molecule holds C, H, the stated number of oxygen atoms, and chlorine or bromine as the pattern of its "
        "molecular ion shows. What is its molecular formula? The first peak is M, of the lightest isotopes, and each "
        "carbon adds 1.08 % of M to M + 1 (neglect what H and O add). Write C first, then H, then the other elements "
        "in alphabetical order, with plain digits, as in C2H5BrO.",
    ),
}


def sample(rng: Random, difficulty: int) -> Params:
    """Difficulty 1: carbons by M + 1; 2: halogens by the pattern; 3: the formula from both and the mass."""
    asked = {1: "carbons", 2: "halogens", 3: "formula"}[difficulty]
    halogens = (
        "" if difficulty == 1 else rng.choice(HALOGENS if difficulty == 2 else ("Cl", "Br", "Cl2", "Br2", "BrCl"))
    )
    carbons = rng.randint(3, 12)
    atoms = {"C": carbons, "O": rng.randint(0, 3)} | counts(halogens)
    unsaturation = rng.choice([u for u in (0, 0, 1, 1, 2, 4, 5, 6) if u <= carbons - 1])
    atoms["H"] = 2 * carbons + 2 - 2 * unsaturation - sum(counts(halogens).values())
    if atoms["H"] < 2:
        return sample(rng, difficulty)
    return {
        "asked": asked,
        "atoms": {e: atoms[e] for e in ELEMENTS if atoms.get(e)},
        "halogens": halogens,
        "scale": rng.randint(250, 1000) / 10,
        "color": rng.choice(("#1f4fb4", "#c0271e", "#1a7f2e", "black")),
        "drawn": "",
    }


def counts(formula: str) -> Counter[str]:
    """Halogen atoms of a text such as BrCl2."""
    found: Counter[str] = Counter()
    for symbol in ("Br", "Cl"):
        if symbol in formula:
            digit = formula.split(symbol)[1][:1]
            found[symbol] = int(digit) if digit.isdigit() else 1
    return found


@cache
def isotopes(symbol: str) -> tuple[float, ...]:
    """Abundances of an element's isotopes by mass above the lightest, as shares (RDKit's table)."""
    from rdkit.Chem import GetPeriodicTable

    table, least = GetPeriodicTable(), NOMINAL[symbol]
    return tuple(table.GetAbundanceForIsotope(symbol, least + k) / 100 for k in range(3))


def pattern(atoms: dict[str, int]) -> list[float]:
    """Abundances of M, M + 1, ... M + 7 as shares: the isotopes of all atoms, one after the other."""
    import numpy as np

    whole = np.ones(1)
    for symbol, n in atoms.items():
        for _ in range(n):
            whole = np.convolve(whole, isotopes(symbol))[:8]
    return [float(v) for v in np.pad(whole, (0, 8))[:8]]


def peaks(p: Params) -> list[tuple[int, float]]:
    """(m/z, relative abundance in % as printed) of the peaks that are worth drawing, lightest first."""
    atoms = p["atoms"]
    shares = pattern(atoms)
    mass = sum(NOMINAL[e] * n for e, n in atoms.items())
    heights = [round(p["scale"] * v / max(shares), 2) for v in shares]
    least = 0.008 * p["scale"]
    return [(mass + k, h) for k, h in enumerate(heights) if h >= least or k < 2]


def hill(atoms: dict[str, int]) -> str:
    return "".join(e + (str(n) if n > 1 else "") for e, n in atoms.items())


def answer(p: Params) -> str:
    answers = {"carbons": p["atoms"]["C"], "halogens": p["halogens"], "formula": hill(p["atoms"])}
    return str(answers[p["asked"]])


def solve(p: Params) -> str:
    """From the printed peaks alone: every composition tried against them, isotopes by the binomial theorem."""
    from math import comb

    lines = dict(peaks(p))
    mass = min(lines)
    carbons = round((lines[mass + 1] / lines[mass]) / 0.0108)
    if p["asked"] == "carbons":
        return str(carbons)

    def heavy(bromines: int, chlorines: int) -> list[float]:
        """Share of M + 0, + 2, + 4, + 6 from the halogens alone, over that of M."""
        found = [0.0] * 4
        for i, j in product(range(bromines + 1), range(chlorines + 1)):
            if i + j < 4:
                found[i + j] += comb(bromines, i) * 0.9728**i * comb(chlorines, j) * 0.3196**j
        return found

    def misfit(bromines: int, chlorines: int) -> float:
        seen = [lines.get(mass + 2 * k, 0.0) / lines[mass] for k in range(4)]
        return sum(abs(a - b) for a, b in zip(seen, heavy(bromines, chlorines), strict=True))

    pairs = [(b, c) for b, c in product(range(4), range(5)) if 0 < b + c < 5]
    bromines, chlorines = min(pairs, key=lambda bc: misfit(*bc))
    if p["asked"] == "halogens":
        return hill({e: n for e, n in (("Br", bromines), ("Cl", chlorines)) if n})
    rest = mass - 79 * bromines - 35 * chlorines - 16 * p["atoms"].get("O", 0) - 12 * carbons
    found = {"C": carbons, "H": rest, "Br": bromines, "Cl": chlorines, "O": p["atoms"].get("O", 0)}
    return hill({e: n for e, n in found.items() if n})


def state(p: Params) -> Statement:
    what, want = ASKED[p["asked"]]
    result, lines = answer(p), peaks(p)
    listed = ", ".join(f"m/z {m}: {h:.2f} %" for m, h in lines)
    oxygen = p["atoms"].get("O", 0)
    told = f" It holds {oxygen} oxygen atoms." if p["asked"] == "formula" else ""
    first, top = lines[0][0], max(lines, key=lambda line: line[1])
    others = [m for m in range(first - 3, first + 9) if m != top[0]]
    wrong = Random(result + str(first)).sample(others, 3)
    height = lines[1][1]
    values = [f"{height + s * p['scale']:.2f} %" for s in (0.04, 0.11, 0.23)]
    facts = [
        Fact(
            "At which m/z is the tallest peak?",
            str(top[0]),
            (str(wrong[0]), str(wrong[1]), str(wrong[2])),
            f"{top[1]:.2f} % at {top[0]}",
        ),
        Fact(
            "How many peaks are drawn?",
            str(len(lines)),
            (str(len(lines) + 1), str(len(lines) + 2), str(len(lines) - 1)),
            listed,
        ),
        Fact(
            "What is the abundance of the second peak from the left?",
            f"{height:.2f} %",
            (values[0], values[1], values[2]),
            f"m/z {first + 1}",
        ),
    ]
    return Statement(
        question=f"The molecular ion of a compound has these peaks (relative abundance): {listed}.{told} {want}",
        multimodal_question=want,
        answer=result,
        leak=(f"{what} = {result}", f"{what}: {result}"),
        facts=tuple(facts),
    )


def plan(p: Params) -> Plan:
    listed = ", ".join(f"{m}: {h:.2f} %" for m, h in peaks(p))
    return Plan(
        content=f"The region of the molecular ion of a mass spectrum as sticks: {listed}.",
        layout="m/z to the right, relative abundance in percent upwards, sticks to scale.",
        labels="At the top of each stick its m/z and its abundance"
        + ("; the number of oxygen atoms in the corner." if p["asked"] == "formula" else "."),
        constraints=f"Heights follow the natural isotopes. The {ASKED[p['asked']][0]} is asked and must not be shown.",
    )


def draw(p: Params) -> Drawing:
    lines = peaks(p)
    seen = {**p, "atoms": {**p["atoms"], **counts(p["drawn"])}} if p["drawn"] else p
    heights = {m: h for m, h in zip((m for m, _ in lines), (h for _, h in peaks(seen)), strict=False)}
    first, last, top = lines[0][0], lines[-1][0], max(h for _, h in lines)
    sticks = [[m, heights.get(m, 0.0)] for m, _ in lines]
    body = f"""
        fig.subplots_adjust(0.13, 0.14, 0.98, 0.97)
        for x, y in {sticks}:
            ax.plot([x, x], [0, y], color="{p["color"]}", linewidth=3.5, solid_capstyle="butt")
        ax.set_xlim({first - 1.2:g}, {max(last, first + 3) + 1.2:g})
        ax.set_ylim(0, {1.3 * top:.4g})
        ax.set_xticks(range({first - 1}, {max(last, first + 3) + 2}))
        ax.set_yticks(range(0, {int(min(1.2 * top, 100)) + 1}, {20 if top > 50 else 10}))
        ax.set_xlabel("$m/z$", fontsize=12)
        ax.set_ylabel("relative abundance / %", fontsize=12)
        ax.tick_params(labelsize=10)
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
    """
    labels = []
    for m, h in lines:
        wrong = f"{m}\n{h + 0.13 * top:.2f}"
        style = {"fontsize": 10, "va": "bottom", "linespacing": 1.15}
        labels.append(Label(f"{m}\n{h:.2f}", m, round(h + 0.02 * top, 3), wrong=wrong, style=style))
    if p["asked"] == "formula":
        oxygen = p["atoms"].get("O", 0)
        corner = {"transform": AXES_TRANSFORM, "ha": "right", "va": "top", "fontsize": 11}
        labels.append(Label(f"oxygen atoms: {oxygen}", 0.99, 0.98, wrong=f"oxygen atoms: {oxygen + 2}", style=corner))
    return Drawing(body, tuple(labels), size=(5.6, 3.9))


def distort(p: Params) -> Params:
    """The pattern of a molecule with other halogens, under the same labels."""
    return {**p, "drawn": "Cl3" if p["halogens"] in ("Br", "Br2") else "Br2"}


FAMILY = Family(
    name="mass_spectrum",
    subject=Subject.CHEMISTRY,
    image_type=ImageType.SPECTRA,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
