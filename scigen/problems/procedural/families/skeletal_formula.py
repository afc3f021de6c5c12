"""Chemistry: a skeletal formula; atoms counted, formula, degree of unsaturation, molar mass or R centres asked.

The molecules are put together from scaffolds and substituents; what is drawn is laid out by RDKit (see `molecule`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement
from scigen.problems.procedural.molecule import canvas, is_clear, largest
from scigen.records import ImageType, Plan, Subject

SCAFFOLDS = (
    *("c1{}c{}c{}c{}c{}c1{}", "n1c{}c{}c{}c{}c1{}", "s1c{}c{}c{}c1{}", "o1c{}c{}c{}c1{}", "c1{}c{}ccc2c{}cccc12"),
    *("C1{}C{}C{}C{}C{}C1{}", "C1{}C{}C{}C{}C1{}", "C1=CC{}C{}C{}C1{}", "O1CC{}C{}C{}C1", "C1CN(C)CC{}C1{}"),
    *("CC{}C{}C{}CC", "CC{}CC{}C{}C", "CC=CC{}C{}C", "CC{}C(=O)C{}CC", "C=CC{}CC{}C"),
)
"""SMILES with places for substituents."""
CARBON = ("C", "CC", "C(C)C", "C=C", "CCC", "C#C")
HETERO = (
    *("O", "N", "Cl", "Br", "F", "I", "OC", "CO", "C=O", "C(C)=O", "C(=O)O", "C#N", "C(=O)OC", "C(N)=O", "CN"),
    *("OCC", "CCO", "NC", "CCl", "N(C)C", "S", "OC(C)=O"),
)
CENTRES = ("CC{}C{}CC", "CC{}CC{}CC", "CC{}C{}C{}C", "C1CCC{}C1{}", "C1CCCC{}C1{}", "CC{}CCC{}C", "CC{}CCCC")
"""Scaffolds for R and S. Without C=C or C≡C at a centre: RDKit's older rules misjudge those (duplicate atoms)."""
MASSES = {"C": 12.011, "H": 1.008, "N": 14.007, "O": 15.999, "S": 32.067, "F": 18.998, "Cl": 35.453, "Br": 79.904}
MASSES |= {"I": 126.904}
"""Relative atomic masses; the drawing gives those that are needed."""
VALENCE = {"C": 4, "N": 3, "O": 2, "S": 2, "F": 1, "Cl": 1, "Br": 1, "I": 1}
ASKED = {
    "carbon": ("number of carbon atoms", "How many carbon atoms are in one molecule of compound {}?"),
    "hydrogen": ("number of hydrogen atoms", "How many hydrogen atoms are in one molecule of compound {}?"),
    "formula": (
        "molecular formula",
        "What is the molecular formula of compound {}? Write C first, then H, then the other elements in alphabetical "
        "order, with plain digits, as in C2H6O.",
    ),
    "unsaturation": (
        "degree of unsaturation",
        "What is the degree of unsaturation of compound {} (rings plus π bonds)?",
    ),
    "mass": (
        "molar mass",
        "Find the molar mass of compound {} in g/mol, to two decimals, from the given relative atomic masses.",
    ),
    "percent": (
        "mass percentage of carbon",
        "Find the mass percentage of carbon in compound {}, to two decimals, from the given relative atomic masses.",
    ),
    "right": (
        "number of R centres",
        "How many stereocentres of compound {} have the R configuration?",
    ),
}
KINDS = {1: ("carbon", "hydrogen"), 2: ("formula", "unsaturation"), 3: ("mass", "percent", "right")}


def sample(rng: Random, difficulty: int) -> Params:
    """Difficulty 1: atoms of one kind; 2: formula or unsaturation; 3: molar mass, mass percentage or R centres."""
    asked = rng.choice(KINDS[difficulty])
    while True:
        template = rng.choice(CENTRES if asked == "right" else SCAFFOLDS)
        places = template.count("{}")
        count = min(places, rng.choice({1: (1, 2, 2), 2: (2, 2, 3), 3: (2, 3, 3)}[difficulty]))
        groups = [rng.choice(HETERO if i == 0 or rng.random() < 0.5 else CARBON) for i in range(count)]
        if asked == "right" and {"C=C", "C#C"} & set(groups):
            continue
        filled = [f"({g})" for g in groups] + [""] * (places - count)
        smiles = stereo(template.format(*rng.sample(filled, places)), rng, asked == "right")
        if smiles:
            break
    name = rng.choice("ABDGJKLMQTXYZ")
    colour = rng.random() < 0.5
    return {"asked": asked, "smiles": smiles, "name": name, "colour": colour, "missing": False}


def stereo(smiles: str, rng: Random, centres: bool) -> str:
    """The canonical SMILES, with random configurations where they are asked; empty if it will not make a good figure.

    With centres: one to four, each with four different neighbours whatever the others are.
    """
    from rdkit import Chem

    mol = Chem.MolFromSmiles(smiles)
    if mol is None or not 6 <= mol.GetNumHeavyAtoms() <= 17:
        return ""
    if centres:
        ranks = list(Chem.CanonicalRankAtoms(mol, breakTies=False))
        found = Chem.FindMolChiralCenters(mol, includeUnassigned=True, useLegacyImplementation=False)  # type: ignore[no-untyped-call]
        for i, _ in found:
            if (
                len({ranks[n.GetIdx()] for n in mol.GetAtomWithIdx(i).GetNeighbors()})
                < mol.GetAtomWithIdx(i).GetDegree()
            ):
                return ""
            way = rng.choice((Chem.ChiralType.CHI_TETRAHEDRAL_CW, Chem.ChiralType.CHI_TETRAHEDRAL_CCW))
            mol.GetAtomWithIdx(i).SetChiralTag(way)
        if not found:
            return ""
    smiles = Chem.MolToSmiles(mol)
    return smiles if is_clear(smiles) and any(n == 1 for n in Counter(_labels(smiles)).values()) else ""


def _labels(smiles: str) -> list[str]:
    return [n.text for n in largest(smiles, 4.4, 3.0).labels]


def counts(smiles: str) -> dict[str, int]:
    """Atoms by element, as one counts them: hydrogens are the valences that no bond takes."""
    mol = _kekule(smiles)
    found: Counter[str] = Counter()
    for atom in mol.GetAtoms():
        found[atom.GetSymbol()] += 1
        found["H"] += VALENCE[atom.GetSymbol()] - sum(int(b.GetBondTypeAsDouble()) for b in atom.GetBonds())
    return dict(found)


def _kekule(smiles: str) -> Any:
    from rdkit import Chem

    mol = Chem.MolFromSmiles(smiles)
    Chem.Kekulize(mol, clearAromaticFlags=True)
    return mol


def hill(found: dict[str, int]) -> str:
    """Carbon, hydrogen, then the others by letter."""
    order = ["C", "H", *sorted(set(found) - {"C", "H"})]
    return "".join(e + (str(found[e]) if found[e] > 1 else "") for e in order if found[e])


def answer(p: Params) -> str:
    found = counts(p["smiles"])
    mass = sum(n * MASSES[e] for e, n in found.items())
    match p["asked"]:
        case "carbon":
            return str(found["C"])
        case "hydrogen":
            return str(found["H"])
        case "formula":
            return hill(found)
        case "unsaturation":
            mol = _kekule(p["smiles"])
            return str(mol.GetRingInfo().NumRings() + sum(int(b.GetBondTypeAsDouble()) - 1 for b in mol.GetBonds()))
        case "mass":
            return f"{mass:.2f}"
        case "percent":
            return f"{100 * found['C'] * MASSES['C'] / mass:.2f}"
    from rdkit.Chem import rdCIPLabeler

    mol = _kekule(p["smiles"])
    rdCIPLabeler.AssignCIPLabels(mol)
    return str(sum(a.HasProp("_CIPCode") and a.GetProp("_CIPCode") == "R" for a in mol.GetAtoms()))


def solve(p: Params) -> str | float:
    """By RDKit's own hydrogens, formula, weight and older rules for R and S; unsaturation from the formula."""
    from rdkit import Chem
    from rdkit.Chem import rdMolDescriptors
    from rdkit.Chem.Descriptors import MolWt  # type: ignore[attr-defined]

    mol = Chem.AddHs(Chem.MolFromSmiles(p["smiles"]))
    symbols = Counter(a.GetSymbol() for a in mol.GetAtoms())
    match p["asked"]:
        case "carbon" | "hydrogen":
            return float(symbols["C" if p["asked"] == "carbon" else "H"])
        case "formula":
            return str(rdMolDescriptors.CalcMolFormula(mol))
        case "unsaturation":
            halogens = sum(symbols[e] for e in ("F", "Cl", "Br", "I"))
            return (2 * symbols["C"] + 2 + symbols["N"] - symbols["H"] - halogens) / 2
        case "mass":
            return float(MolWt(mol))
        case "percent":
            weight = Chem.GetPeriodicTable().GetAtomicWeight("C")
            return float(100 * symbols["C"] * weight / MolWt(mol))
    centres = Chem.FindMolChiralCenters(mol, useLegacyImplementation=True)  # type: ignore[no-untyped-call]
    return float(sum(way == "R" for _, way in centres))


def state(p: Params) -> Statement:
    found, mol = counts(p["smiles"]), _kekule(p["smiles"])
    what, want = ASKED[p["asked"]]
    want = want.format(p["name"])
    result = answer(p)
    masses = ", ".join(f"{e} {MASSES[e]}" for e in found) if p["asked"] in ("mass", "percent") else ""
    given = f" The relative atomic masses are {masses}." if masses else ""
    rings = mol.GetRingInfo().NumRings()
    double = sum(int(b.GetBondTypeAsDouble()) == 2 for b in mol.GetBonds())
    hetero = [e for e in ("N", "O", "S", "F", "Cl", "Br", "I") if e in found]
    sets = [" and ".join(s) for s in (["N"], ["O"], ["N", "O"], ["O", "S"], ["Cl", "O"], ["N", "S"]) if s != hetero]
    places = Random(p["smiles"]).sample(sets, 3)
    return Statement(
        question=f"Compound {p['name']} has the structure with the SMILES string {p['smiles']}.{given} {want}",
        multimodal_question=want,
        answer=result,
        leak=(f"{what}: {result}", result if p["asked"] in ("formula", "mass", "percent") else f"{what} = {result}"),
        facts=(
            Fact("How many rings are drawn?", str(rings), _near(rings), f"{rings} rings"),
            Fact("How many double bonds are drawn?", str(double), _near(double), f"{double} double bonds"),
            Fact(
                "Which elements besides carbon and hydrogen does the molecule contain?",
                " and ".join(hetero),
                (places[0], places[1], places[2]),
                "the atoms written as letters",
            ),
        ),
    )


def _near(n: int) -> tuple[str, str, str]:
    return str(n + 1), str(n + 2), str(n - 1 if n else n + 3)


def plan(p: Params) -> Plan:
    found = counts(p["smiles"])
    masses = f" {', '.join(f'{e} {MASSES[e]}' for e in found)} below." if p["asked"] in ("mass", "percent") else ""
    return Plan(
        content=f"The skeletal formula of {p['smiles']}, named compound {p['name']}.",
        layout="Bonds of one length at angles of 120°, rings as regular polygons, second lines of double bonds inside "
        "the rings" + ("; solid and hashed wedges at the stereocentres." if p["asked"] == "right" else "."),
        labels=f"Symbols at the atoms other than carbon, with their hydrogens; compound {p['name']} below.{masses}",
        constraints="Every carbon has four bonds counting its unwritten hydrogens; bonds stop short of the symbols. "
        f"The {ASKED[p['asked']][0]} is asked and must not be shown.",
    )


COLOURS = {
    "N": "#1f4fb4",
    "O": "#c0271e",
    "S": "#8a6d00",
    "Br": "#8b2f12",
    "Cl": "#1a7f2e",
    "F": "#1a7f2e",
    "I": "#5b2a86",
}


def draw(p: Params) -> Drawing:
    keyed = p["asked"] in ("mass", "percent")
    foot = 0.95 if keyed else 0.62
    molecule = largest(p["smiles"], 4.5, 3.15 if not keyed else 2.85, most=0.72)
    found = list(counts(p["smiles"])) if keyed else []
    width, height = max(3.8, molecule.width + 0.7, 0.96 * len(found) + 0.2), max(2.6, molecule.height + foot + 0.35)
    molecule = molecule.centred(width / 2, foot + (height - foot) / 2)
    seen = replace(molecule, lines=molecule.lines[1:]) if p["missing"] else molecule
    labels = molecule.texts(COLOURS if p["colour"] else {})
    other = "W" if p["name"] != "W" else "V"
    style = {"fontsize": 13, "fontweight": "bold"}
    labels.append(Label(f"compound {p['name']}", width / 2, foot - 0.3, wrong=f"compound {other}", style=style))
    if keyed:
        step = min(1.05, (width - 0.2) / len(found))
        for i, e in enumerate(found):
            x = width / 2 + (i - (len(found) - 1) / 2) * step
            wrong = f"{e}: {MASSES[e] + 2:g}"
            labels.append(Label(f"{e}: {MASSES[e]:g}", round(x, 3), 0.27, wrong=wrong, style={"fontsize": 10.5}))
    return Drawing(canvas(width, height) + seen.code(), tuple(labels), size=(round(width, 2), round(height, 2)))


def distort(p: Params) -> Params:
    """One line of a bond is missing."""
    return {**p, "missing": True}


FAMILY = Family(
    name="skeletal_formula",
    subject=Subject.CHEMISTRY,
    image_type=ImageType.MOLECULAR_STRUCTURE,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
