"""Chemistry: an orbital box diagram with its arrows; electrons, unpaired electrons, element, magnetic moment asked."""

from __future__ import annotations

from math import sqrt
from random import Random

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement
from scigen.problems.procedural.molecule import canvas
from scigen.records import ImageType, Plan, Subject

SYMBOLS = (
    *("H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar", "K", "Ca"),
    *("Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr", "Rb", "Sr", "Y"),
    *("Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I", "Xe"),
)
"""Symbols by atomic number, from 1."""
CORES = {"He": 2, "Ne": 10, "Ar": 18, "Kr": 36}
ROWS = {"He": ("2s", "2p"), "Ne": ("3s", "3p"), "Ar": ("4s", "3d", "4p"), "Kr": ("5s", "4d", "5p")}
"""Subshells beyond each core, by rising energy."""
BOXES = {"s": 1, "p": 3, "d": 5}
ODD = {
    "Cr": (1, 5),
    "Cu": (1, 10),
    "Nb": (1, 4),
    "Mo": (1, 5),
    "Ru": (1, 7),
    "Rh": (1, 8),
    "Pd": (0, 10),
    "Ag": (1, 10),
}
"""Metals whose ns and (n-1)d do not fill by the rule."""
ASKED = {
    "unpaired": ("number of unpaired electrons", "How many unpaired electrons has the species?"),
    "outer": (
        "number of electrons beyond the core",
        "How many electrons of the species lie beyond its noble-gas core?",
    ),
    "total": ("total number of electrons", "How many electrons has the species altogether?"),
    "element": ("symbol of the element", "Which element is M? Give its chemical symbol."),
    "z": ("atomic number", "What is the atomic number of the element M?"),
    "neutrons": ("number of neutrons", "How many neutrons has the nucleus of M, of the stated mass number?"),
    "moment": (
        "magnetic moment of the ion",
        "The diagram shows the neutral atom M. Find the spin-only magnetic moment of its ion with the stated charge in "
        "its ground state, in Bohr magnetons, to two decimals. Electrons of the highest shell leave first.",
    ),
    "ion": (
        "number of unpaired electrons of the ion",
        "The diagram shows the neutral atom M. How many unpaired electrons has its ion with the stated charge in its "
        "ground state? Electrons of the highest shell leave first.",
    ),
}
NUCLEAR = ("element", "z", "neutrons")
KINDS = {1: ("unpaired", "outer", "total"), 2: ("element", "z", "neutrons"), 3: ("moment", "moment", "ion")}


def sample(rng: Random, difficulty: int) -> Params:
    """Difficulty 1: electrons counted, also of excited atoms; 2: the element of an ion; 3: the ion of a metal."""
    asked = rng.choice(KINDS[difficulty])
    core = rng.choice(("Ar", "Kr") if difficulty > 1 else ("He", "Ne", "Ar", "Ar", "Ar", "Kr", "Kr", "Kr"))
    charge = 0
    while True:
        if difficulty == 1:
            counts = [rng.randint(0 if n[1] == "p" else 1, 2 * BOXES[n[1]]) for n in ROWS[core]]
        elif difficulty == 2:
            charge = rng.choice((0, 0, 2, 2, 3, -1, -2))
            left = rng.randint(2, 18)
            counts = [left, 0, 0] if left <= 2 else [2, min(10, left - 2), max(0, left - 12)]
            if charge > 0:  # a cation of a metal has lost its outer s electrons first
                counts = [0, min(10, left), 0]
            z = CORES[core] + sum(counts) + charge
            if z > 53 or (charge == 0 and SYMBOLS[z - 1] in ODD):
                continue
            if (charge < 0) != (counts[2] == 6):  # anions, and only they, have closed shells here
                continue
        else:
            symbol = rng.choice([s for s in SYMBOLS[20:30] if core == "Ar"] or list(SYMBOLS[38:48]))
            z = SYMBOLS.index(symbol) + 1
            counts = [*ODD.get(symbol, (2, z - CORES[core] - 2)), 0]
            charge = rng.randint(1, 4)
            if charge >= z - CORES[core]:
                continue
        if sum(counts):
            break
    shown = rng.choice(("ladder", "row"))
    boxes = [arrange(rng, n, BOXES[name[1]]) for n, name in zip(counts, ROWS[core], strict=True)]
    colour = rng.choice(("#c0271e", "#1f4fb4", "#1a7f2e", "black"))
    first = rng.choice("ud")
    p = {"asked": asked, "core": core, "boxes": boxes, "charge": charge, "mass": 0}
    if asked == "neutrons":
        z = CORES[core] + sum(counts) + charge
        p["mass"] = z + round(z * rng.uniform(1.05, 1.4))
    return {**p, "layout": shown, "first": first, "color": colour}


def arrange(rng: Random, electrons: int, boxes: int) -> list[int]:
    """Electrons by box, spread by Hund's rule; which boxes hold one more is drawn at random."""
    most, extra = divmod(electrons, boxes) if electrons < 2 * boxes else (2, 0)
    places = rng.sample(range(boxes), extra)
    return [most + (i in places) for i in range(boxes)]


def counts_of(p: Params) -> list[int]:
    return [sum(row) for row in p["boxes"]]


def after(p: Params) -> list[int]:
    """Electrons by subshell after the ion has formed: ns before (n-1)d."""
    counts, gone = counts_of(p), p["charge"]
    for k in (2, 0, 1):
        leave = min(counts[k], gone)
        counts[k], gone = counts[k] - leave, gone - leave
    return counts


def unpaired(electrons: int, boxes: int) -> int:
    """By Hund's rule."""
    return electrons if electrons <= boxes else 2 * boxes - electrons


def answer(p: Params) -> str:
    total = CORES[p["core"]] + sum(counts_of(p))
    rows = ROWS[p["core"]]
    single = sum(unpaired(n, BOXES[name[1]]) for n, name in zip(counts_of(p), rows, strict=True))
    z = int(total + p["charge"])
    match p["asked"]:
        case "unpaired":
            return str(single)
        case "outer":
            return str(sum(counts_of(p)))
        case "total":
            return str(total)
        case "element":
            return SYMBOLS[z - 1]
        case "z":
            return str(z)
        case "neutrons":
            return str(p["mass"] - z)
    n = sum(unpaired(n, BOXES[name[1]]) for n, name in zip(after(p), rows, strict=True))
    return str(n) if p["asked"] == "ion" else f"{sqrt(n * (n + 2)):.2f}"


def solve(p: Params) -> str | float:
    """Electron by electron: arrows counted one at a time, spins added up; RDKit's periodic table."""
    from rdkit.Chem import GetPeriodicTable

    table = GetPeriodicTable()
    arrows = sum(n for row in p["boxes"] for n in row)
    z = int(table.GetAtomicNumber(p["core"])) + arrows + p["charge"]
    match p["asked"]:
        case "unpaired":
            return float(sum(n == 1 for row in p["boxes"] for n in row))
        case "outer":
            return float(arrows)
        case "total":
            return float(z - p["charge"])
        case "element":
            return str(table.GetElementSymbol(z))
        case "z":
            return float(z)
        case "neutrons":
            return float(p["mass"] - z)
    # Take the electrons off one by one, then put those of each subshell back into empty boxes, spin up first.
    held = {name: sum(row) for name, row in zip(ROWS[p["core"]], p["boxes"], strict=True)}
    for _ in range(p["charge"]):
        highest = max((name for name in held if held[name]), key=lambda name: (name[0], "spd".index(name[1])))
        held[highest] -= 1
    spin = 0.0
    for name, n in held.items():
        seats = [0.5] * BOXES[name[1]] + [-0.5] * BOXES[name[1]]
        spin += sum(seats[:n])
    return 2 * spin if p["asked"] == "ion" else 2 * sqrt(spin * (spin + 1))


def ion_name(charge: int) -> str:
    size = "" if abs(charge) == 1 else "²³⁴"[abs(charge) - 2]
    return "M" + (size + ("⁺" if charge > 0 else "⁻") if charge else "")


def state(p: Params) -> Statement:
    what, want = ASKED[p["asked"]]
    result, rows, counts = answer(p), ROWS[p["core"]], counts_of(p)
    held = ", ".join(f"{name} {n}" for name, n in zip(rows, counts, strict=True))
    ion = f" The ion is {ion_name(p['charge'])}." if p["asked"] in ("moment", "ion") else ""
    ion += f" The mass number is {p['mass']}." if p["mass"] else ""
    species = ion_name(p["charge"]) if p["asked"] in NUCLEAR else "a species"
    if p["asked"] in ("moment", "ion"):
        species = "the neutral atom M"
    k = max(range(len(rows)), key=lambda k: (counts[k] % (2 * BOXES[rows[k][1]]) != 0, k))
    cores = [f"[{c}]" for c in CORES if c != p["core"]]
    empty = sum(n == 0 for row in p["boxes"] for n in row)
    double = sum(n == 2 for row in p["boxes"] for n in row)
    return Statement(
        question=f"Beyond the core [{p['core']}], {species} has these electrons: {held}, spread over the boxes "
        f"by Hund's rule.{ion} {want}",
        multimodal_question=want,
        answer=result,
        leak=(f"{what} = {result}", f"{what}: {result}"),
        facts=(
            Fact(
                "Which noble-gas core is written?", f"[{p['core']}]", (cores[0], cores[1], cores[2]), f"[{p['core']}]"
            ),
            Fact("How many boxes are empty?", str(empty), _near(empty), f"{empty} empty boxes"),
            Fact("How many boxes hold a pair of arrows?", str(double), _near(double), f"{double} pairs"),
            Fact(
                f"How many electrons does the {rows[k]} subshell hold?",
                str(counts[k]),
                _near(counts[k]),
                f"{rows[k]} {counts[k]}",
            ),
        ),
    )


def _near(n: int) -> tuple[str, str, str]:
    return str(n + 1), str(n + 2), str(n - 1 if n else n + 3)


def plan(p: Params) -> Plan:
    rows = ", ".join(f"{n} with {row}" for n, row in zip(ROWS[p["core"]], p["boxes"], strict=True))
    steps = "rising with energy beside an energy axis" if p["layout"] == "ladder" else "on one line"
    name = f", {ion_name(p['charge'])} as the name" if p["charge"] or p["asked"] in NUCLEAR else ""
    return Plan(
        content=f"The core [{p['core']}] and boxes of the subshells {', '.join(ROWS[p['core']])} with half arrows.",
        layout=f"Rows of touching square boxes, {steps}; electrons by box: {rows}.",
        labels=f"[{p['core']}] at the lower left, the subshell's name at each row{name}"
        + (f", mass number {p['mass']}." if p["mass"] else "."),
        constraints="At most two electrons of opposite spin in a box (Pauli), single ones parallel (Hund). "
        f"The {ASKED[p['asked']][0]} is asked and must not be shown.",
    )


SIDE = 0.44


def draw(p: Params) -> Drawing:
    rows = ROWS[p["core"]]
    ladder = p["layout"] == "ladder"
    wide = [SIDE * BOXES[n[1]] for n in rows]
    if ladder:
        width, height = 5.1, 3.35 if len(rows) > 2 else 2.7
        left = [1.55, 2.35, 1.55] if len(rows) > 2 else [1.55, 2.25]
        low = [0.78, 1.46, 2.3] if len(rows) > 2 else [0.78, 1.62]
    else:
        left, x = [], 1.15
        for w in wide:
            left.append(x)
            x += w + 0.35
        width, height, low = x + 0.05, 2.1, [0.95] * len(rows)
    cells, stems = [], []
    for row, x0, y0 in zip(p["boxes"], left, low, strict=True):
        for i, n in enumerate(row):
            x, y = x0 + i * SIDE, y0
            cells.append([round(x, 3), round(y, 3)])
            up = p["first"] == "u"
            if n == 2:
                stems += [[round(x + 0.14, 3), round(y, 3), 1], [round(x + 0.30, 3), round(y, 3), 0]]
            elif n == 1:
                stems.append([round(x + 0.22, 3), round(y, 3), int(up)])
    axis = ""
    if ladder:
        axis = f"""ax.annotate("", xy=(0.45, {height - 0.25:g}), xytext=(0.45, 0.3), arrowprops=dict(
    arrowstyle="-|>", color="black", linewidth=1.5, mutation_scale=15, shrinkA=0, shrinkB=0))
"""
    body = f"""{canvas(round(width, 2), height)}{axis}for x, y in {cells}:
    ax.add_patch(plt.Rectangle((x, y), {SIDE}, {SIDE}, facecolor="#f6f3ea", edgecolor="black", linewidth=1.5))
for x, y, up in {stems}:
    tail, head = (0.06, 0.38) if up else (0.38, 0.06)
    ax.annotate("", xy=(x, y + head), xytext=(x, y + tail), arrowprops=dict(
        arrowstyle="->", color="{p["color"]}", linewidth=1.6, mutation_scale=9, shrinkA=0, shrinkB=0))
"""
    other = {"He": "Ne", "Ne": "Ar", "Ar": "Kr", "Kr": "Ar"}[p["core"]]
    at = (1.1, low[0] + SIDE / 2) if ladder else (0.62, 0.95 + SIDE / 2)
    labels = [Label(f"[{p['core']}]", *at, wrong=f"[{other}]", style={"fontsize": 14})]
    for name, x, y, w in zip(rows, left, low, wide, strict=True):
        wrong = f"{int(name[0]) + 2}{name[1]}"
        spot, ha = ((x + w + 0.12, y + SIDE / 2), "left") if ladder else ((x + w / 2, y - 0.24), "center")
        spot = round(spot[0], 3), round(spot[1], 3)
        labels.append(Label(name, *spot, wrong=wrong, style={"fontsize": 13, "ha": ha}))
    if ladder:
        style = {"fontsize": 12, "rotation": 90}
        labels.append(Label("energy", 0.22, round(height / 2, 3), given=False, style=style))
    text = ""
    if p["asked"] in NUCLEAR:
        text = ion_name(p["charge"])
        wrong = ion_name(p["charge"] + (1 if p["charge"] < 4 else -1)) if p["charge"] else "Q"
    elif p["asked"] in ("moment", "ion"):
        text = f"M → {ion_name(p['charge'])}"
        wrong = f"M → {ion_name(p['charge'] - 1 if p['charge'] > 1 else 2)}"
    if text:
        x, y = (3.9, low[0] + SIDE / 2) if ladder else (width / 2, 1.82)
        if p["mass"] and not ladder:
            x -= 0.7
        labels.append(Label(text, round(x, 3), round(y, 3), wrong=wrong, style={"fontsize": 14, "fontweight": "bold"}))
        if p["mass"]:
            x, y = (x, y - 0.34) if ladder else (x + 1.4, y)
            number = f"mass number {p['mass']}"
            size = {"fontsize": 11.5}
            labels.append(Label(number, round(x, 3), round(y, 3), wrong=f"mass number {p['mass'] + 3}", style=size))
    return Drawing(body, tuple(labels), size=(round(width, 2), height))


def distort(p: Params) -> Params:
    """One arrow more in the first box that is not full, else one fewer in the last box."""
    boxes = [list(row) for row in p["boxes"]]
    open_ = next(((r, i) for r, row in enumerate(boxes) for i, n in enumerate(row) if n < 2), None)
    if open_:
        boxes[open_[0]][open_[1]] += 1
    else:
        boxes[-1][-1] -= 1
    return {**p, "boxes": boxes}


FAMILY = Family(
    name="orbital_boxes",
    subject=Subject.CHEMISTRY,
    image_type=ImageType.ELECTRON_CONFIG,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
