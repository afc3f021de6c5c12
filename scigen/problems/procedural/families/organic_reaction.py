"""Chemistry: an organic reaction with its product left out; formula, molar mass, yield or atom economy asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement, distractors
from scigen.problems.procedural.molecule import Sketch, canvas, is_clear, sketch
from scigen.records import ImageType, Plan, Subject


@dataclass(frozen=True)
class Kind:
    """One reaction: SMARTS over the drawn reactants; `consumed` and `lost` are small molecules as SMILES."""

    smarts: str
    reactants: tuple[str, ...]
    """Patterns of SMILES; each {} takes a group."""
    above: str
    below: str
    consumed: str = ""
    lost: str = ""


KINDS = {
    "esterification": Kind(
        "[CX3:1](=[O:2])[OX2H1].[OX2H1:3][CX4:4]>>[C:1](=[O:2])[O:3][C:4]",
        ("{}C(=O)O", "{}CO"),
        "conc. H₂SO₄",
        "reflux",
        lost="O",
    ),
    "amide formation": Kind(
        "[CX3:1](=[O:2])Cl.[NX3H2:3][CX4:4]>>[C:1](=[O:2])[N:3][C:4]",
        ("{}C(=O)Cl", "{}CN"),
        "pyridine",
        "0 °C",
        lost="Cl",
    ),
    "hydrogenation": Kind("[CX3:1]=[CX3:2]>>[C:1][C:2]", ("{}C=CC{}",), "H₂, Pd/C", "2 bar", consumed="[HH]"),
    "hydration": Kind("[CX3H1:1]=[CX3H2:2]>>[C:1](O)[C:2]", ("{}CC=C",), "H₂O, H₃PO₄", "300 °C", consumed="O"),
    "bromination": Kind("[CX3:1]=[CX3:2]>>[C:1](Br)[C:2]Br", ("{}C=CC{}",), "Br₂", "CH₂Cl₂", consumed="BrBr"),
    "hydrobromination": Kind("[CX3H1:1]=[CX3H2:2]>>[C:1](Br)[C:2]", ("{}CC=C",), "HBr", "ether", consumed="Br"),
    "dehydration": Kind("[CX4H1:1]([OX2H1])[CX4H2:2]>>[C:1]=[C:2]", ("{}CC(O)C{}",), "conc. H₃PO₄", "170 °C", lost="O"),
    "chlorination of an alcohol": Kind(
        "[CX4:1][OX2H1]>>[C:1]Cl", ("{}C(O)C{}",), "SOCl₂", "pyridine", consumed="O=S(Cl)Cl", lost="O=S=O.Cl"
    ),
    "ether synthesis": Kind(
        "[CX4:1][OX2H1:2].[CX4:3]Br>>[C:1][O:2][C:3]", ("{}CO", "{}CBr"), "NaH", "THF", "[NaH]", "[HH].[Na]Br"
    ),
}
"""`lost` of an alcohol's dehydration is water; HCl is written Cl, HBr Br, as SMILES does."""
GROUPS = (
    *("C", "CC", "CCC", "CC(C)", "CCCC", "CC(C)C", "C1CCCC1", "C1CCCCC1", "c1ccccc1", "Cc1ccc(cc1)", "Clc1ccc(cc1)"),
    *("COc1ccc(cc1)", "Fc1ccc(cc1)", "c1ccccc1C", "CCC(C)", "C1CC1", "Brc1ccc(cc1)", "Cc1cccc(c1)", "Clc1cccc(c1)"),
)
"""Alkyl and aryl groups as SMILES that go on at their last atom."""
ASKED = {
    "formula": (
        "molecular formula of the product",
        "What is the molecular formula of the organic product P? Write C first, then H, then the other elements in "
        "alphabetical order, with plain digits, as in C2H6O.",
    ),
    "molar mass": (
        "molar mass of the product",
        "Find the molar mass of the organic product P in g/mol, to one decimal.",
    ),
    "mass": (
        "mass of the product",
        "Compound A reacts completely with enough of the other substances. Find the mass of the organic product P in "
        "grams, to two decimals.",
    ),
    "yield": (
        "percentage yield",
        "All other substances are in excess over compound A. Find the percentage yield of the organic product P, to "
        "one decimal.",
    ),
    "start": (
        "mass of compound A",
        "All other substances are in excess over compound A. Find the mass of compound A in grams that gives the "
        "stated mass of the organic product P at the stated yield, to two decimals.",
    ),
    "economy": (
        "atom economy",
        "Find the atom economy for the organic product P in percent, to one decimal: its molar mass over that of all "
        "reactants consumed, one mole of each.",
    ),
}
LEVELS = {1: ("formula", "molar mass"), 2: ("mass", "economy"), 3: ("yield", "start")}
WEIGHTS = {"H": 1.008, "C": 12.011, "N": 14.007, "O": 15.999, "F": 18.998, "Na": 22.99, "S": 32.067, "Cl": 35.453}
WEIGHTS |= {"Br": 79.904}


def sample(rng: Random, difficulty: int) -> Params:
    """Difficulty 1: formula or molar mass of the product; 2: its mass, atom economy; 3: yield, starting mass."""
    asked = rng.choice(LEVELS[difficulty])
    while True:
        # Weighted by how many different cases a reaction has.
        pool = [name for name, kind in KINDS.items() for _ in range(sum(r.count("{}") for r in kind.reactants))]
        name = rng.choice([k for k in pool if asked != "economy" or KINDS[k].lost])
        smiles = []
        for pattern in KINDS[name].reactants:
            first, *rest = rng.choices(GROUPS, k=pattern.count("{}"))
            rest = [r if set(r) == {"C"} else rng.choice(("C", "CC", "CCC")) for r in rest]
            smiles.append(pattern.format(first, *rest))
        if len(product(name, smiles)) == 1 and all(is_clear(s) for s in smiles):
            break
    start = rng.randint(20, 480) / 10
    percent = rng.randint(450, 960) / 10
    made = round(start * weight(product(name, smiles)[0]) / weight(smiles[0]) * percent / 100, 2)
    p = {"asked": asked, "reaction": name, "smiles": smiles, "start": start, "made": made, "percent": percent}
    p |= {"tint": rng.choice(("#e8f0fa", "#fbeee6", "#eaf5ea", "#f3edf9")), "missing": False}
    # An answer that happens to be a given number could be read off.
    shown = {f"{start:.2f}", f"{made:.2f}", f"{percent:.1f}"}
    return p if answer(p) not in shown else sample(rng, difficulty)


def product(reaction: str, smiles: list[str]) -> list[str]:
    """The different products of applying the reaction once; those with one answer have one."""
    from rdkit import Chem

    rule = _rule(reaction)
    found = set()
    for (made,) in rule.RunReactants(tuple(Chem.MolFromSmiles(s) for s in smiles)):
        Chem.SanitizeMol(made)
        found.add(Chem.MolToSmiles(made))
    # The two ways round of a dehydration give isomers: one formula, so any of them serves.
    return sorted(found)[:1] if reaction == "dehydration" else sorted(found)


@cache
def _rule(reaction: str) -> Any:
    from rdkit.Chem import rdChemReactions

    return rdChemReactions.ReactionFromSmarts(KINDS[reaction].smarts)


def weight(smiles: str) -> float:
    """Molar mass in g/mol, 0 for nothing."""
    from rdkit.Chem.Descriptors import MolWt  # type: ignore[attr-defined]

    return float(MolWt(_parsed(smiles))) if smiles else 0.0


def _parsed(smiles: str) -> Any:
    """Hydrogens that are written stay: RDKit warns of dihydrogen, whose hydrogens it cannot hide."""
    from rdkit import Chem

    how = Chem.SmilesParserParams()
    how.removeHs = False  # type: ignore[assignment]
    return Chem.MolFromSmiles(smiles, how)


def answer(p: Params) -> str:
    from rdkit import Chem
    from rdkit.Chem import rdMolDescriptors

    kind, (made,) = KINDS[p["reaction"]], product(p["reaction"], p["smiles"])
    ratio = weight(made) / weight(p["smiles"][0])
    match p["asked"]:
        case "formula":
            return str(rdMolDescriptors.CalcMolFormula(Chem.MolFromSmiles(made)))
        case "molar mass":
            return f"{weight(made):.1f}"
        case "mass":
            return f"{p['start'] * ratio:.2f}"
        case "yield":
            return f"{100 * p['made'] / (p['start'] * ratio):.1f}"
        case "start":
            return f"{p['made'] / ratio / (p['percent'] / 100):.2f}"
    return f"{100 * weight(made) / (sum(map(weight, p['smiles'])) + weight(kind.consumed)):.1f}"


def atoms(smiles: str) -> Counter[str]:
    """Atoms by element, hydrogens counted one by one."""
    from rdkit import Chem

    if not smiles:
        return Counter()
    return Counter(a.GetSymbol() for a in Chem.AddHs(_parsed(smiles)).GetAtoms())


def solve(p: Params) -> str | float:
    """By the balance of atoms: reactants and what is consumed, less what is lost; no product is ever built."""
    kind = KINDS[p["reaction"]]
    whole = sum((atoms(s) for s in p["smiles"]), Counter(atoms(kind.consumed)))
    made = whole - atoms(kind.lost)

    def mass(found: Counter[str]) -> float:
        return sum(n * WEIGHTS[e] for e, n in found.items())

    moles = float(p["start"]) / mass(atoms(p["smiles"][0]))
    match p["asked"]:
        case "formula":
            order = ["C", "H", *sorted(set(made) - {"C", "H"})]
            return "".join(e + (str(made[e]) if made[e] > 1 else "") for e in order)
        case "molar mass":
            return mass(made)
        case "mass":
            return moles * mass(made)
        case "yield":
            return float(p["made"]) / mass(made) / moles * 100
        case "start":
            return float(p["made"]) / float(p["percent"]) * 100 / mass(made) * mass(atoms(p["smiles"][0]))
    return 100 - 100 * mass(atoms(kind.lost)) / mass(whole)


def given(p: Params) -> dict[str, str]:
    """The values beside the scheme: texts by where they belong, A or P."""
    match p["asked"]:
        case "mass":
            return {"A": f"{p['start']:.1f} g"}
        case "yield":
            return {"A": f"{p['start']:.1f} g", "P": f"{p['made']:.2f} g"}
        case "start":
            return {"P": f"{p['made']:.2f} g", "yield": f"yield {p['percent']:.1f} %"}
    return {}


def state(p: Params) -> Statement:
    kind = KINDS[p["reaction"]]
    what, want = ASKED[p["asked"]]
    result = answer(p)
    if p["asked"] != "formula":
        found = sum((atoms(s) for s in (*p["smiles"], kind.consumed)), Counter())
        want += " Relative atomic masses: " + ", ".join(f"{e} {WEIGHTS[e]}" for e in WEIGHTS if e in found) + "."
    compounds = " and ".join(f"{n} ({s})" for n, s in zip("AB", p["smiles"], strict=False))
    values = given(p)
    told = ", ".join(f"{v} of {k}" if k != "yield" else v for k, v in values.items())
    other = Random(str(p["smiles"])).sample([k for k in KINDS.values() if k.above != kind.above], 3)
    unused = [k.below for k in KINDS.values() if k.below != kind.below]
    below = Random(str(p["smiles"])).sample(sorted(set(unused)), 3)
    carbon = atoms(p["smiles"][0])["C"]
    facts = [
        Fact("What is written above the reaction arrow?", kind.above, _three([k.above for k in other]), kind.above),
        Fact("What is written below the reaction arrow?", kind.below, _three(below), kind.below),
        Fact(
            "How many carbon atoms has compound A?",
            str(carbon),
            (str(carbon + 1), str(carbon - 1), str(carbon + 2)),
            f"{carbon} corners and ends",
        ),
    ]
    if "A" in values:
        wrong = distractors(Random(carbon), p["start"], (-1.2, 1.5, 3, 4.4, 10), 1)
        grams = _three([f"{float(w):.1f} g" for w in wrong])
        facts.append(Fact("What mass of compound A is given?", values["A"], grams, values["A"]))
    return Statement(
        question=f"In the {p['reaction']}, written with SMILES, {compounds} react{'' if len(p['smiles']) > 1 else 's'} "
        f"with {kind.above} ({kind.below}) to an organic product P{': ' + told if told else ''}. {want}",
        multimodal_question=want,
        answer=result,
        leak=(f"{what}: {result}", result),
        facts=tuple(facts),
    )


def _three(texts: list[str]) -> tuple[str, str, str]:
    a, b, c = texts
    return a, b, c


def plan(p: Params) -> Plan:
    kind = KINDS[p["reaction"]]
    names = " + ".join(f"{n} {s}" for n, s in zip("AB", p["smiles"], strict=False))
    told = ", ".join(given(p).values())
    return Plan(
        content=f"The {p['reaction']} as a scheme: skeletal formulas of {names}, an arrow, and a dashed box with a "
        "question mark for the product P.",
        layout="On one line from left to right: reactants joined by plus signs, the arrow, the box; one bond length.",
        labels=f"{kind.above} above and {kind.below} below the arrow; A, B and P under their places"
        + (f"; {told} beside them." if told else "."),
        constraints="Every carbon has four bonds; atoms are conserved. The product stays a question mark. "
        f"The {ASKED[p['asked']][0]} is asked and must not be shown.",
    )


def _fitted(smiles: list[str]) -> list[Sketch]:
    """All molecules with bonds of one length, at most 4.2 inches wide together."""
    for k in range(12):
        drawn = [sketch(s, 0.48 - 0.015 * k) for s in smiles]
        if sum(d.width for d in drawn) <= 4.2 and max(d.height for d in drawn) <= 2.1:
            break
    return drawn


def draw(p: Params) -> Drawing:
    kind, values = KINDS[p["reaction"]], given(p)
    drawn = _fitted(p["smiles"])
    foot = 0.85 if values else 0.65
    tall = max(1.15, *(d.height for d in drawn))
    height, middle = round(tall + foot + 0.45, 2), foot + 0.1 + tall / 2
    code: list[str] = []
    symbols: list[Label] = []
    labels: list[Label] = []
    bold, small = {"fontsize": 13, "fontweight": "bold"}, {"fontsize": 11}
    x = 0.4
    for i, (d, name) in enumerate(zip(drawn, "AB", strict=False)):
        if i:
            labels.append(Label("+", round(x + 0.3, 3), middle, given=False, style={"fontsize": 17}))
            x += 0.6
        d = d.centred(x + d.width / 2, middle)
        seen = replace(d, lines=d.lines[1:]) if p["missing"] and not i else d
        code.append(seen.code())
        symbols += d.texts({})
        wrong = "C" if i == 0 else "D"
        labels.append(Label(name, round(x + d.width / 2, 3), foot - 0.2, wrong=wrong, style=bold))
        if name in values:
            spot = round(max(x + d.width / 2, 0.5), 3)
            labels.append(Label(values[name], spot, foot - 0.52, wrong=f"{p['start'] + 6.3:.1f} g", style=small))
        x += d.width
    x += 0.3
    long = 1.5
    code.append(
        f'ax.annotate("", xy=({x + long:.3f}, {middle:.3f}), xytext=({x:.3f}, {middle:.3f}), '
        'arrowprops=dict(arrowstyle="-|>", color="black", linewidth=1.8, mutation_scale=18, shrinkA=0, shrinkB=0))'
    )
    other = next(k for k in KINDS.values() if k.above != kind.above and k.below != kind.below)
    labels.append(Label(kind.above, round(x + long / 2 - 0.05, 3), middle + 0.2, wrong=other.above, style=small))
    labels.append(Label(kind.below, round(x + long / 2 - 0.05, 3), middle - 0.2, wrong=other.below, style=small))
    if "yield" in values:
        spot = round(x + long / 2 - 0.05, 3)
        wrong = f"yield {p['percent'] - 12.5:.1f} %"
        labels.append(Label(values["yield"], spot, middle - 0.46, wrong=wrong, style=small))
    x += long + 0.25
    side = 1.05
    code.append(
        f"ax.add_patch(plt.Rectangle(({x:.3f}, {middle - side / 2:.3f}), {side}, {side}, "
        f'facecolor="{p["tint"]}", edgecolor="0.35", linewidth=1.5, linestyle=(0, (4, 3))))'
    )
    labels.append(Label("?", round(x + side / 2, 3), middle, given=False, style={"fontsize": 24, "color": "0.25"}))
    labels.append(Label("P", round(x + side / 2, 3), foot - 0.2, wrong="Q", style=bold))
    if "P" in values:
        spot = round(x + side / 2, 3)
        labels.append(Label(values["P"], spot, foot - 0.52, wrong=f"{p['made'] + 2.35:.2f} g", style=small))
    width = round(x + side + 0.35, 2)
    return Drawing(canvas(width, height) + "\n".join(code), (*_unique(symbols), *labels), size=(width, height))


def _unique(labels: list[Label]) -> list[Label]:
    """Texts that come in both molecules are not given: a missing one could not be told."""
    count: Any = Counter(label.text for label in labels)
    texts = set(count)
    return [
        replace(b, given=b.given and count[b.text] == 1, wrong=b.wrong if b.wrong not in texts else None)
        for b in labels
    ]


def distort(p: Params) -> Params:
    """One line of a bond of compound A is missing."""
    return {**p, "missing": True}


FAMILY = Family(
    name="organic_reaction",
    subject=Subject.CHEMISTRY,
    image_type=ImageType.REACTION_SCHEME,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
