"""Chemistry: a Lewis structure on a square grid; pairs, bonds, hybridisation, charge or oxidation number asked."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement
from scigen.problems.procedural.molecule import SWAPPED, canvas
from scigen.records import ImageType, Plan, Subject

OUTER = {"H": 1, "C": 4, "N": 5, "O": 6, "F": 7, "Cl": 7, "Br": 7}
"""Electrons on the outer shell."""
BONDS = {"C": 4, "N": 3, "O": 2, "F": 1, "Cl": 1, "Br": 1}
SIDES = ((0, 1), (0, -1), (-1, 0), (1, 0))
CARBON_ASKED = ("hybrid", "oxidation")
ASKED = {
    "lone": ("number of lone pairs", "How many lone pairs of electrons has the structure of species {}?"),
    "bonding": (
        "number of bonding pairs",
        "How many bonding pairs of electrons has species {}? A double bond counts as two pairs.",
    ),
    "sigma": ("number of sigma bonds", "How many σ bonds has species {}?"),
    "valence": ("number of valence electrons", "How many valence electrons has species {} altogether?"),
    "hybrid": (
        "hybridisation of the highlighted carbon",
        "What is the hybridisation of the highlighted carbon atom of species {}? Write sp, sp2 or sp3.",
    ),
    "charge": (
        "charge of the species",
        "The formal charges of species {} are left out. What is its overall charge, in units of the elementary charge, "
        "with its sign (0 if it is neutral)?",
    ),
    "oxidation": (
        "oxidation number of the highlighted carbon",
        "What is the oxidation number of the highlighted carbon atom of species {}, with its sign (0 if it is zero)?",
    ),
}
KINDS = {1: ("lone", "bonding"), 2: ("sigma", "valence", "hybrid"), 3: ("charge", "charge", "oxidation")}

Atom = list[Any]
"""Symbol, column, row, lone pairs."""


def sample(rng: Random, difficulty: int) -> Params:
    """Difficulty 1: lone or bonding pairs; 2: σ bonds, valence electrons, hybridisation; 3: charge, oxidation state."""
    asked = rng.choice(KINDS[difficulty])
    while True:
        atoms, bonds = build(rng, rng.choice({1: (2, 3, 3, 4), 2: (3, 4, 4), 3: (2, 3, 4)}[difficulty]))
        if asked == "charge":
            for _ in range(rng.choice((1, 1, 2))):
                ionise(rng, atoms, bonds)
        symbols = Counter(a[0] for a in atoms)
        if symbols["C"] and any(symbols[e] == 1 for e in symbols if e not in "CH"):
            break
    carbons = [i for i, a in enumerate(atoms) if a[0] == "C"]
    mark = rng.choice(carbons) if asked in CARBON_ASKED else -1
    name, tint = rng.choice("ADGJLMQRTXYZ"), rng.choice(("#1f4fb4", "#c0271e", "#1a7f2e"))
    return {"asked": asked, "atoms": atoms, "bonds": bonds, "mark": mark, "name": name, "tint": tint}


def build(rng: Random, length: int) -> tuple[list[Atom], list[list[int]]]:
    """A neutral molecule on the grid: a chain along row 0, its substituents above and below. Bonds: i, j, order."""
    chain = ["C"] * length
    if length > 2 and rng.random() < 0.4:
        chain[rng.randrange(1, length - 1)] = rng.choice("NO")
    ends = [rng.choice(("C", "C", "N", "O")) if length > 2 and chain[k] == "C" else "C" for k in (1, -2)]
    chain[0], chain[-1] = (ends[0], "C") if rng.random() < 0.5 else ("C", ends[1])
    atoms: list[Atom] = [[symbol, k, 0, 0] for k, symbol in enumerate(chain)]
    orders = [1] * (length - 1)
    free = [BONDS[s] - (1 if k in (0, length - 1) else 2) for k, s in enumerate(chain)]
    k = rng.randrange(length - 1)
    if rng.random() < 0.55 and min(free[k], free[k + 1]) > 0:
        most = min(free[k], free[k + 1]) if {chain[k], chain[k + 1]} <= {"C", "N"} else 1
        extra = rng.randint(1, min(2, most))
        orders[k] += extra
        free[k], free[k + 1] = free[k] - extra, free[k + 1] - extra
    bonds = [[k, k + 1, order] for k, order in enumerate(orders)]
    for k, symbol in enumerate(chain):
        places = rng.sample(SIDES[:2], 2)
        if k in (0, length - 1):
            places.insert(0, (1 if k else -1, 0))
        plain = not any(order > 1 for i, j, order in bonds if k in (i, j))
        beside = {chain[n] for n in (k - 1, k + 1) if 0 <= n < length}
        dressed = 0 if symbol != "C" or beside & {"N", "O"} else rng.choice((0, 1, 1, 2))
        while free[k] > 0:
            dx, dy = places.pop(0)
            if symbol == "C" and free[k] > 1 and plain and dy and rng.random() < 0.15:
                free[k] -= 2
                dressed = 0
                _hang(atoms, bonds, k, "O", dx, dy, 2)
                continue
            group = rng.choice(("F", "Cl", "Br", "OH")[: 4 if dressed == 1 else 3]) if dressed and plain else "H"
            dressed = max(dressed - 1, 0)
            free[k] -= 1
            last = _hang(atoms, bonds, k, group[0] if group == "OH" else group, dx, dy, 1)
            if group == "OH":
                _hang(atoms, bonds, last, "H", dx, dy, 1)
    for i, atom in enumerate(atoms):
        if atom[0] != "H":
            atom[3] = (OUTER[atom[0]] - sum(order for a, b, order in bonds if i in (a, b))) // 2
    return atoms, bonds


def _hang(atoms: list[Atom], bonds: list[list[int]], at: int, symbol: str, dx: int, dy: int, order: int) -> int:
    atoms.append([symbol, atoms[at][1] + dx, atoms[at][2] + dy, 0])
    bonds.append([at, len(atoms) - 1, order])
    return len(atoms) - 1


def ionise(rng: Random, atoms: list[Atom], bonds: list[list[int]]) -> None:
    """Take a proton or a hydride off, or put a proton on a lone pair of nitrogen or oxygen. Octets else stay."""
    basic = [i for i, a in enumerate(atoms) if a[0] in ("N", "O") and a[3] and _charge(atoms, bonds, i) == 0]
    hydrogens = [
        b for b in bonds if atoms[b[1]][0] == "H" and atoms[b[0]][0] in "CNO" and not _charge(atoms, bonds, b[0])
    ]
    if basic and (not hydrogens or rng.random() < 0.4):
        i = rng.choice(basic)
        dx, dy = rng.choice(_free(atoms, bonds, i))
        taken = {(a[1], a[2]) for a in atoms}
        if (atoms[i][1] + dx, atoms[i][2] + dy) not in taken:
            atoms[i][3] -= 1
            _hang(atoms, bonds, i, "H", dx, dy, 1)
    elif hydrogens:
        bond = rng.choice(hydrogens)
        i, gone = bond[0], bond[1]
        saturated = all(order == 1 for a, b, order in bonds if i in (a, b))
        if atoms[i][0] != "C" or not saturated or rng.random() < 0.5:
            atoms[i][3] += 1
        bonds.remove(bond)
        del atoms[gone]
        for b in bonds:
            b[:2] = [k - (k > gone) for k in b[:2]]


def _free(atoms: list[Atom], bonds: list[list[int]], i: int) -> list[tuple[int, int]]:
    """Sides of atom i without a bond."""
    ends = [atoms[b if a == i else a] for a, b, _ in bonds if i in (a, b)]
    used = {(e[1] - atoms[i][1], e[2] - atoms[i][2]) for e in ends}
    return [s for s in SIDES if s not in used]


def _charge(atoms: list[Atom], bonds: list[list[int]], i: int) -> int:
    """Formal charge: outer electrons less those of the lone pairs and half of those in bonds."""
    return int(OUTER[atoms[i][0]] - 2 * atoms[i][3] - sum(order for a, b, order in bonds if i in (a, b)))


def answer(p: Params) -> str:
    atoms, bonds, mark = p["atoms"], p["bonds"], p["mark"]
    charge = sum(_charge(atoms, bonds, i) for i in range(len(atoms)))
    near = [(atoms[b if a == mark else a][0], order) for a, b, order in bonds if mark in (a, b)]
    match p["asked"]:
        case "lone":
            return str(sum(a[3] for a in atoms))
        case "bonding":
            return str(sum(order for _, _, order in bonds))
        case "sigma":
            return str(len(bonds))
        case "valence":
            return str(sum(OUTER[a[0]] for a in atoms) - charge)
        case "hybrid":
            return {2: "sp", 3: "sp2", 4: "sp3"}[len(near) + atoms[mark][3]]
        case "charge":
            return f"{charge:+d}" if charge else "0"
    number = sum({"H": -1, "C": 0}.get(symbol, 1) * order for symbol, order in near)
    return f"{number:+d}" if number else "0"


def solve(p: Params) -> str | float:
    """By electrons drawn instead of formal charges, and by RDKit: counts, hybridisation, oxidation numbers."""
    from rdkit import Chem
    from rdkit.Chem import rdMolDescriptors

    table = Chem.GetPeriodicTable()
    drawn = 2 * sum(order for _, _, order in p["bonds"]) + 2 * sum(a[3] for a in p["atoms"])
    outer = sum(table.GetNOuterElecs(a[0]) for a in p["atoms"])
    if p["asked"] == "charge":
        return float(outer - drawn)
    if p["asked"] == "valence":
        return float(drawn)
    edit = Chem.RWMol()
    for symbol, *_ in p["atoms"]:
        edit.AddAtom(Chem.Atom(symbol))
    for i, j, order in p["bonds"]:
        edit.AddBond(i, j, Chem.BondType.values[order])
    mol = edit.GetMol()
    Chem.SanitizeMol(mol)
    match p["asked"]:
        case "hybrid":
            return str(mol.GetAtomWithIdx(p["mark"]).GetHybridization()).lower()
        case "oxidation":
            mol.GetAtomWithIdx(p["mark"]).SetBoolProp("mark", True)
            mol = Chem.RemoveHs(mol)  # only implicit hydrogens are counted
            rdMolDescriptors.CalcOxidationNumbers(mol)
            return float(next(a.GetIntProp("OxidationNumber") for a in mol.GetAtoms() if a.HasProp("mark")))
        case "sigma":
            return float(Chem.AddHs(Chem.MolFromSmiles(Chem.MolToSmiles(mol))).GetNumBonds())
    pairs = sum(a.GetTotalValence() for a in mol.GetAtoms()) / 2
    return pairs if p["asked"] == "bonding" else outer / 2 - pairs


def words(p: Params) -> str:
    """Atoms numbered in their order, and what joins them."""
    atoms = p["atoms"]
    names = [f"{a[0]}{i + 1}" for i, a in enumerate(atoms)]
    joined = ", ".join(names[i] + "-=≡"[order - 1] + names[j] for i, j, order in p["bonds"])
    if p["asked"] != "charge":
        return f"{joined}; it is neutral and every atom but hydrogen has an octet"
    pairs = ", ".join(f"{name} {a[3]}" for name, a in zip(names, atoms, strict=True) if a[3])
    return f"{joined}; lone pairs: {pairs or 'none'}"


def state(p: Params) -> Statement:
    atoms, bonds = p["atoms"], p["bonds"]
    what, want = ASKED[p["asked"]]
    want = want.format(p["name"])
    result = answer(p)
    mark = f" The highlighted carbon is C{p['mark'] + 1}." if p["mark"] >= 0 else ""
    symbols = Counter(a[0] for a in atoms)
    hetero = [e for e in OUTER if e in symbols and e not in ("C", "H")]
    others = [" and ".join(s) for s in (["N"], ["O"], ["N", "O"], ["O", "F"], ["O", "Cl"], ["F", "Cl"]) if s != hetero]
    wrong = Random(words(p)).sample(others, 3)
    multiple = sum(order > 1 for _, _, order in bonds)
    return Statement(
        question=f"Species {p['name']} has the Lewis structure with these bonds (- single, = double, ≡ triple) between "
        f"numbered atoms: {words(p)}.{mark} {want}",
        multimodal_question=want,
        answer=result,
        leak=(f"{what}: {result}", f"{what} = {result}"),
        facts=(
            Fact("How many hydrogen atoms are drawn?", str(symbols["H"]), _near(symbols["H"]), f"{symbols['H']} H"),
            Fact("How many double or triple bonds are drawn?", str(multiple), _near(multiple), f"{multiple} of them"),
            Fact(
                "Which elements besides carbon and hydrogen does the species contain?",
                " and ".join(hetero),
                (wrong[0], wrong[1], wrong[2]),
                "the symbols of the atoms",
            ),
        ),
    )


def _near(n: int) -> tuple[str, str, str]:
    return str(n + 1), str(n + 2), str(n - 1 if n else n + 3)


def plan(p: Params) -> Plan:
    places = "; ".join(f"{s} ({x}, {y})" + (f" with {n} lone pairs" if n else "") for s, x, y, n in p["atoms"])
    disc = " A pale disc highlights the carbon that is asked about." if p["mark"] >= 0 else ""
    return Plan(
        content=f"The Lewis structure of species {p['name']}: every atom, bond and lone pair.{disc}",
        layout=f"Atoms on a square grid, bonds at right angles: {places}.",
        labels=f"The symbol at each atom, lone pairs as two dots on free sides; species {p['name']} below.",
        constraints="Hydrogen has two electrons, the other atoms an octet"
        + (", except carbocations; formal charges are left out. " if p["asked"] == "charge" else ". ")
        + f"The {ASKED[p['asked']][0]} is asked and must not be shown.",
    )


UNIT, GAP = 0.78, 0.2
"""Inches between neighbours on the grid, and from an atom's middle to the end of a bond."""


def draw(p: Params) -> Drawing:
    atoms, bonds = p["atoms"], p["bonds"]
    columns, rows = [a[1] for a in atoms], [a[2] for a in atoms]
    wide, tall = (max(columns) - min(columns)) * UNIT, (max(rows) - min(rows)) * UNIT
    width, height = max(3.6, wide + 1.3), tall + 1.9
    left, low = (width - wide) / 2 - min(columns) * UNIT, 1.05 - min(rows) * UNIT
    at = [(left + a[1] * UNIT, low + a[2] * UNIT) for a in atoms]
    lines, dots = [], []
    for i, j, order in bonds:
        (x1, y1), (x2, y2) = at[i], at[j]
        dx, dy = (x2 - x1) / UNIT, (y2 - y1) / UNIT
        for shift in {1: (0.0,), 2: (-0.05, 0.05), 3: (-0.085, 0.0, 0.085)}[order]:
            start = (x1 + GAP * dx - shift * dy, y1 + GAP * dy + shift * dx)
            end = (x2 - GAP * dx - shift * dy, y2 - GAP * dy + shift * dx)
            lines.append([round(v, 3) for v in (*start, *end)])
    for i, (x, y) in enumerate(at):
        free = _free(atoms, bonds, i)
        far = [s for s in free if (s[0] * -1, s[1] * -1) not in free]
        if atoms[i][3] == 1 and far:
            free = far + [s for s in free if s not in far]
        elif atoms[i][3] == 2 and far:
            free = [s for s in free if s not in far] + far
        for dx, dy in free[: atoms[i][3]]:
            reach = 0.21 if dy else 0.19 + 0.05 * (len(atoms[i][0]) - 1)
            for s in (-0.05, 0.05):
                dots.append([round(x + reach * dx + s * dy, 3), round(y + reach * dy + s * dx, 3)])
    halo = ""
    if p["mark"] >= 0:
        x, y = at[p["mark"]]
        halo = f'ax.add_patch(plt.Circle(({x:.3f}, {y:.3f}), 0.2, facecolor="#ffe08a", edgecolor="none"))\n'
    body = f"""{canvas(width, height)}{halo}for x1, y1, x2, y2 in {lines}:
    ax.plot([x1, x2], [y1, y2], color="black", linewidth=1.8)
for x, y in {dots}:
    ax.add_patch(plt.Circle((x, y), 0.026, color="{p["tint"]}", linewidth=0))
"""
    count = Counter(a[0] for a in atoms)
    labels = []
    for (symbol, *_), (x, y) in zip(atoms, at, strict=True):
        once, wrong = count[symbol] == 1, SWAPPED.get(symbol)
        wrong = wrong if once and wrong not in count else None
        style = {"fontsize": 15, "va": "center_baseline"}
        labels.append(Label(symbol, round(x, 3), round(y, 3), given=once, wrong=wrong, style=style))
    caption = {"fontsize": 13, "fontweight": "bold"}
    labels.append(Label(f"species {p['name']}", width / 2, 0.36, wrong="species W", style=caption))
    return Drawing(body, tuple(labels), size=(round(width, 2), round(height, 2)))


def distort(p: Params) -> Params:
    """The first double or triple bond is drawn single; without one, the first bond double."""
    bonds = [list(b) for b in p["bonds"]]
    k = next((k for k, b in enumerate(bonds) if b[2] > 1), 0)
    bonds[k][2] = 1 if bonds[k][2] > 1 else 2
    return {**p, "bonds": bonds}


FAMILY = Family(
    name="lewis_structure",
    subject=Subject.CHEMISTRY,
    image_type=ImageType.MOLECULAR_STRUCTURE,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
