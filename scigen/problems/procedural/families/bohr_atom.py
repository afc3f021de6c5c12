"""Chemistry: a shell model of an atom or ion. Glance: how many electrons are on the outer shell?"""

from __future__ import annotations

from math import cos, radians, sin
from random import Random

from scigen.problems.procedural.canvas import glance_script
from scigen.problems.procedural.family import Drawing, Fact, Family, Glance, Label, Params, Statement
from scigen.records import ImageType, Plan, Subject

ELEMENTS = {
    3: ("Li", 4),
    4: ("Be", 5),
    5: ("B", 6),
    6: ("C", 6),
    7: ("N", 7),
    8: ("O", 8),
    9: ("F", 10),
    10: ("Ne", 10),
    11: ("Na", 12),
    12: ("Mg", 12),
    13: ("Al", 14),
    14: ("Si", 14),
    15: ("P", 16),
    16: ("S", 16),
    17: ("Cl", 18),
    18: ("Ar", 22),
    19: ("K", 20),
    20: ("Ca", 20),
}
"""Symbol and number of neutrons of the commonest isotope, by atomic number."""
CHARGES = {3: 1, 4: 2, 7: -3, 8: -2, 9: -1, 11: 1, 12: 2, 13: 3, 15: -3, 16: -2, 17: -1, 19: 1, 20: 2}
"""Charge of the usual ion, by atomic number."""
CAPACITY = (2, 8, 8, 2)
SHELLS = "KLMN"


def shells(electrons: int) -> list[int]:
    """Electrons on each shell of an atom or ion of up to 20 electrons."""
    filled: list[int] = []
    for most in CAPACITY:
        if electrons > 0:
            filled.append(min(most, electrons))
            electrons -= most
    return filled


def sample(rng: Random, difficulty: int) -> Params:
    """Difficulty 1: valence electrons; 2: the symbol of the element; 3: the charge of an ion."""
    if difficulty == 3:
        z = rng.choice(sorted(CHARGES))
        return {"asked": "charge", "z": z, "shells": shells(z - CHARGES[z])}
    z = rng.choice([z for z in ELEMENTS if (z <= 18 if difficulty == 1 else z >= 6)])
    return {"asked": "valence" if difficulty == 1 else "symbol", "z": z, "shells": shells(z)}


def state(p: Params) -> Statement:
    z, filled = p["z"], list(p["shells"])
    symbol, neutrons = ELEMENTS[z]
    outer, total = filled[-1], sum(filled)
    if p["asked"] == "valence":
        answer, want = str(outer), "How many valence electrons does the atom have?"
        leak: tuple[str, ...] = (f"valence electrons: {outer}", f"{outer} valence electrons")
    elif p["asked"] == "symbol":
        answer, want = symbol, "What is the chemical symbol of this neutral atom?"
        leak = (f"element {symbol}", symbol) if symbol not in SHELLS else (f"element {symbol}",)
    else:
        charge = z - total
        answer, want = (
            f"{charge:+d}",
            "What is the charge of the ion, in units of the elementary charge, with its sign?",
        )
        leak = (f"charge {charge:+d}", f"{abs(charge)}{'+' if charge > 0 else '−'}")
    text = ", ".join(str(n) for n in filled)
    kind = "ion" if p["asked"] == "charge" else "neutral atom"
    return Statement(
        question=f"The nucleus of {'an ion' if kind == 'ion' else 'a neutral atom'} has {z} protons and {neutrons} "
        f"neutrons; the shells from the inside out hold {text} electrons. {want}",
        multimodal_question=want,
        answer=answer,
        leak=leak,
        facts=(
            Fact(
                "How many occupied electron shells are drawn?",
                str(len(filled)),
                (str(len(filled) + 1), str(len(filled) + 2), str(len(filled) + 3)),
                f"shells {text}",
            ),
            Fact(
                "How many electrons are on the outermost shell?",
                str(outer),
                (str(outer + 1), str(outer + 2), str(outer + 3) if outer < 4 else str(outer - 1)),
                f"shells {text}",
            ),
            Fact(
                "How many protons are in the nucleus?",
                str(z),
                (str(z + 1), str(z - 1), str(z + 4)),
                f"{z} protons",
            ),
        ),
    )


def plan(p: Params) -> Plan:
    z, filled = p["z"], list(p["shells"])
    asked = {"valence": "number of valence electrons", "symbol": "symbol of the element", "charge": "charge of the ion"}
    return Plan(
        content=f"A nucleus with {z} protons and {ELEMENTS[z][1]} neutrons, {len(filled)} shells with "
        f"{', '.join(str(n) for n in filled)} electrons.",
        layout="Concentric circles about the nucleus at even spacing; electrons on four sides, then in pairs.",
        labels=f"{z} p⁺ and {ELEMENTS[z][1]} n⁰ in the nucleus, {', '.join(SHELLS[: len(filled)])} on the shells.",
        constraints=f"One dot an electron, equal aspect. The {asked[p['asked']]} is asked and must not be shown.",
    )


def seats(count: int, radius: float) -> list[tuple[float, float]]:
    """Places of up to 8 electrons on a shell: one at each of four sides, then paired; the diagonals stay free."""
    sides = (90, 270, 0, 180)
    gap = 11.0
    places = []
    for i, side in enumerate(sides):
        here = (count > i) + (count > i + 4)
        places += [radians(side + d * gap) for d in ((), (0,), (-1, 1))[here]]
    return [(radius * cos(a), radius * sin(a)) for a in places]


def draw(p: Params) -> Drawing:
    z, filled = p["z"], list(p["shells"])
    radii = [1.35 + 0.75 * i for i in range(len(filled))]
    dots = [(round(x, 3), round(y, 3)) for n, r in zip(filled, radii, strict=True) for x, y in seats(n, r)]
    reach = max(radii[-1], 2.1) + 0.75
    body = f"""
        fig.subplots_adjust(0.02, 0.02, 0.98, 0.98)
        for radius in {[round(r, 3) for r in radii]}:
            ax.add_patch(plt.Circle((0, 0), radius, facecolor="none", edgecolor="gray", linewidth=1.5))
        ax.add_patch(plt.Circle((0, 0), 0.85, facecolor="#f9d9c3", edgecolor="black", linewidth=1.8))
        x, y = zip(*{dots})
        ax.plot(x, y, "o", color="tab:blue", markersize=9, markeredgecolor="black", markeredgewidth=0.8)
        ax.set_xlim({-reach:.4g}, {reach:.4g})
        ax.set_ylim({-reach + 0.4:.4g}, {reach + 0.2:.4g})
        ax.set_aspect("equal")
        ax.axis("off")
    """
    neutrons = ELEMENTS[z][1]
    white = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    # Fewer shells are drawn larger, so the nucleus' text may stay at one size; four shells need it smaller.
    size = 13 - len(filled)
    labels = [
        Label(f"{z} p⁺", 0, 0.3, wrong=f"{z + 2} p⁺", style={"fontsize": size, "color": "tab:red"}),
        Label(f"{neutrons} n⁰", 0, -0.3, wrong=f"{neutrons + 3} n⁰", style={"fontsize": size}),
    ]
    for shell, r in zip(SHELLS, radii, strict=False):
        d = r * cos(radians(45))
        labels.append(Label(shell, d, d, style={"style": "italic", "fontsize": 11, "bbox": white}))
    return Drawing(body, tuple(labels), size=(4.6, 4.4))


def distort(p: Params) -> Params:
    """One electron of the outer shell is missing, or one too many where there is just one."""
    filled = list(p["shells"])
    filled[-1] += -1 if filled[-1] > 1 else 1
    return {**p, "shells": filled}


COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4}


def glance_sample(rng: Random, answer: str) -> Params:
    return {
        "electrons": COUNTS[answer],
        "turn": rng.randrange(-20, 21, 5),
        "radius": rng.choice([28, 30, 32]),
        "x": rng.randrange(-6, 7, 2),
        "y": rng.randrange(-6, 7, 2),
        "color": rng.choice(["black", "tab:blue", "tab:red", "tab:green"]),
    }


def glance_draw(p: Params) -> str:
    return glance_script(f"""
        x, y, radius, n = 48 + {p["x"]}, 48 + {p["y"]}, {p["radius"]}, {p["electrons"]}
        t = np.linspace(0, 2 * np.pi, 60)
        ax.plot(x + radius * np.cos(t), y + radius * np.sin(t), color="gray", linewidth=1.2)
        ax.plot(x, y, "o", color="tab:orange", markersize=10)
        a = np.radians(90 + {p["turn"]}) + 2 * np.pi * np.arange(n) / n
        ax.plot(x + radius * np.cos(a), y + radius * np.sin(a), "o", color="{p["color"]}", markersize=11)
    """)


def solve(p: Params) -> str:
    """From RDKit's periodic table."""
    from rdkit.Chem import GetPeriodicTable

    table = GetPeriodicTable()
    match p["asked"]:
        case "valence":
            return str(table.GetNOuterElecs(p["z"]))
        case "symbol":
            return str(table.GetElementSymbol(p["z"]))
        case _:
            return f"{table.GetAtomicNumber(ELEMENTS[p['z']][0]) - sum(p['shells']):+d}"


FAMILY = Family(
    name="bohr_atom",
    subject=Subject.CHEMISTRY,
    image_type=ImageType.ELECTRON_CONFIG,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
    glance=Glance(
        question="How many electrons are on the outer shell?",
        answers=tuple(COUNTS),
        sample=glance_sample,
        draw=glance_draw,
        content=("electrons", "turn", "radius", "x", "y"),
    ),
)
