"""Chemistry, spectra: a proton NMR spectrum with enlarged multiplets; hydrogens, J or the compound asked."""

from __future__ import annotations

from math import comb
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement, distractors
from scigen.problems.procedural.placing import inch_axes
from scigen.records import ImageType, Plan, Subject

Group = tuple[float, int, int]
"""Chemical shift in ppm, hydrogens, lines of the multiplet."""

ISOMERS: dict[str, dict[str, tuple[str, tuple[Group, ...]]]] = {
    "C3H6O2": {
        "methyl acetate": ("COC(C)=O", ((3.67, 3, 1), (2.06, 3, 1))),
        "ethyl formate": ("CCOC=O", ((8.03, 1, 1), (4.22, 2, 4), (1.31, 3, 3))),
        "propanoic acid": ("CCC(=O)O", ((11.7, 1, 1), (2.38, 2, 4), (1.16, 3, 3))),
    },
    "C4H8O2": {
        "ethyl acetate": ("CCOC(C)=O", ((4.12, 2, 4), (2.04, 3, 1), (1.26, 3, 3))),
        "methyl propanoate": ("CCC(=O)OC", ((3.67, 3, 1), (2.32, 2, 4), (1.15, 3, 3))),
        "propyl formate": ("CCCOC=O", ((8.07, 1, 1), (4.12, 2, 3), (1.70, 2, 6), (0.96, 3, 3))),
        "isopropyl formate": ("CC(C)OC=O", ((8.03, 1, 1), (5.13, 1, 7), (1.29, 6, 2))),
        "butanoic acid": ("CCCC(=O)O", ((11.5, 1, 1), (2.34, 2, 3), (1.68, 2, 6), (0.98, 3, 3))),
        "2-methylpropanoic acid": ("CC(C)C(=O)O", ((11.4, 1, 1), (2.58, 1, 7), (1.20, 6, 2))),
    },
    "C5H10O": {
        "pentan-3-one": ("CCC(=O)CC", ((2.44, 4, 4), (1.06, 6, 3))),
        "pentan-2-one": ("CCCC(C)=O", ((2.41, 2, 3), (2.13, 3, 1), (1.61, 2, 6), (0.93, 3, 3))),
        "3-methylbutan-2-one": ("CC(C)C(C)=O", ((2.58, 1, 7), (2.13, 3, 1), (1.10, 6, 2))),
        "2,2-dimethylpropanal": ("CC(C)(C)C=O", ((9.49, 1, 1), (1.08, 9, 1))),
    },
    "C5H10O2": {
        "propyl acetate": ("CCCOC(C)=O", ((4.02, 2, 3), (2.05, 3, 1), (1.65, 2, 6), (0.94, 3, 3))),
        "isopropyl acetate": ("CC(C)OC(C)=O", ((4.99, 1, 7), (2.02, 3, 1), (1.23, 6, 2))),
        "methyl butanoate": ("CCCC(=O)OC", ((3.67, 3, 1), (2.30, 2, 3), (1.66, 2, 6), (0.95, 3, 3))),
        "methyl 2-methylpropanoate": ("COC(=O)C(C)C", ((3.67, 3, 1), (2.55, 1, 7), (1.17, 6, 2))),
    },
    "C6H12O2": {
        "tert-butyl acetate": ("CC(=O)OC(C)(C)C", ((1.97, 3, 1), (1.45, 9, 1))),
        "methyl 2,2-dimethylpropanoate": ("COC(=O)C(C)(C)C", ((3.66, 3, 1), (1.20, 9, 1))),
        "ethyl butanoate": ("CCCC(=O)OCC", ((4.12, 2, 4), (2.28, 2, 3), (1.66, 2, 6), (1.26, 3, 3), (0.95, 3, 3))),
        "3,3-dimethylbutanoic acid": ("CC(C)(C)CC(=O)O", ((11.5, 1, 1), (2.23, 2, 1), (1.05, 9, 1))),
    },
}
"""By formula: compounds with their SMILES and first-order spectra, from high shift to low."""
PATTERNS = {1: "singlet", 2: "doublet", 3: "triplet", 4: "quartet", 6: "sextet", 7: "septet"}
MEGAHERTZ = (250, 300, 400, 500, 600)
COLOURS = ("#1f3b73", "#7a1f2b", "#1f5c3a", "#222222", "#4b2a70")


def sample(rng: Random, difficulty: int) -> Params:
    """1: hydrogens of a signal from integrals; 2: a coupling constant; 3: which of the isomers."""
    while True:
        formula = rng.choice(list(ISOMERS))
        compound = rng.choice(list(ISOMERS[formula]))
        _, groups = ISOMERS[formula][compound]
        shift = rng.uniform(-0.03, 0.03)
        p: dict[str, Any] = {
            "kind": {1: "hydrogens", 2: "coupling", 3: "compound"}[difficulty],
            "formula": formula,
            "compound": compound,
            "ppm": [round(g[0] + shift + rng.uniform(-0.02, 0.02), 2) for g in groups],
            "hydrogens": [g[1] for g in groups],
            "lines": [g[2] for g in groups],
            "step": rng.choice([6, 6.5, 7, 7.5, 8, 9, 9.5, 11]),
            "mhz": rng.choice(MEGAHERTZ),
            "asked": rng.randrange(len(groups)),
            "color": rng.choice(COLOURS),
        }
        p["mm"] = [round(h * p["step"] + rng.choice([-0.5, 0, 0, 0.5])) for h in p["hydrogens"]]
        # Outermost lines of the asked multiplet in thousandths of a ppm.
        gaps = p["lines"][p["asked"]] - 1
        p["width"] = round(rng.uniform(6.4, 7.6) * gaps / p["mhz"] * 1000)
        if p["kind"] == "coupling" and gaps < 2:
            continue
        if len(set(p["mm"])) < len(set(p["hydrogens"])) or str(p["hydrogens"][p["asked"]]) in map(str, p["mm"]):
            continue
        total = sum(p["mm"])
        exact = [m * sum(p["hydrogens"]) / total for m in p["mm"]]
        if all(abs(e - h) < 0.3 for e, h in zip(exact, p["hydrogens"], strict=True)):
            return p


def coupling(p: Params) -> float:
    """J in Hz: the spacing of the lines times the frequency."""
    return float(p["width"] / 1000 * p["mhz"] / (p["lines"][p["asked"]] - 1)) if p["lines"][p["asked"]] > 1 else 7.0


def answer_text(p: Params) -> str:
    if p["kind"] == "compound":
        return str(p["compound"])
    if p["kind"] == "coupling":
        return f"{coupling(p):.1f}"
    return str(round(p["mm"][p["asked"]] * sum(p["hydrogens"]) / sum(p["mm"])))


def solve(p: Params) -> str | float:
    """By structure (RDKit: equivalence classes, neighbours, shifts by substituents), or by adding up spins."""
    if p["kind"] == "coupling":
        from itertools import product

        from scipy.optimize import brentq

        def spread(j: float) -> float:
            spins = product((-0.5, 0.5), repeat=p["lines"][p["asked"]] - 1)
            lines = [j * sum(s) / p["mhz"] for s in spins]
            return float(max(lines) - min(lines))

        return float(brentq(lambda j: spread(j) - p["width"] / 1000, 0, 50, xtol=1e-12))
    if p["kind"] == "hydrogens":
        smiles = ISOMERS[p["formula"]][p["compound"]][0]
        nearest = min(_predicted(smiles), key=lambda g: abs(g[0] - p["ppm"][p["asked"]]))
        return float(nearest[1])

    def mismatch(name: str) -> float:
        found = sorted(_predicted(ISOMERS[p["formula"]][name][0]), reverse=True)
        seen = sorted(zip(p["ppm"], p["hydrogens"], p["lines"], strict=True), reverse=True)
        if sorted(g[1:] for g in found) != sorted(g[1:] for g in seen):
            return 1000.0
        return float(sum(abs(a[0] - b[0]) + 10 * (a[1:] != b[1:]) for a, b in zip(found, seen, strict=True)))

    return min(ISOMERS[p["formula"]], key=mismatch)


def _predicted(smiles: str) -> list[Group]:
    """Groups of equivalent hydrogens: rough shift by what is attached, number, lines by the n + 1 rule."""
    from rdkit import Chem

    mol = Chem.MolFromSmiles(smiles)
    ranks = list(Chem.CanonicalRankAtoms(mol, breakTies=False))
    found: dict[int, list[Any]] = {}
    for atom in mol.GetAtoms():
        hydrogens = atom.GetTotalNumHs()
        if not hydrogens:
            continue
        near = atom.GetNeighbors()
        carbonyl = any(b.GetBondTypeAsDouble() == 2 for b in atom.GetBonds())
        if atom.GetSymbol() == "O":
            shift = 11.5
        elif carbonyl:
            shift = 8.0 if any(n.GetSymbol() == "O" and n.GetDegree() == 2 for n in near) else 9.6
        else:
            shift = {3: 0.9, 2: 1.25, 1: 1.5}[hydrogens]
            for n in near:
                double = [b.GetBondTypeAsDouble() == 2 for b in n.GetBonds()]
                shift += 2.8 if n.GetSymbol() == "O" else 1.1 if any(double) else 0.0
                beyond = [m for m in n.GetNeighbors() if m.GetIdx() != atom.GetIdx() and n.GetSymbol() == "C"]
                shift += sum(0.35 for m in beyond if m.GetSymbol() == "O" and not any(double))
                shift += sum(0.2 for m in beyond if any(b.GetBondTypeAsDouble() == 2 for b in m.GetBonds()))
        lines = 1 + sum(
            n.GetTotalNumHs()
            for n in near
            if n.GetSymbol() == "C" and ranks[n.GetIdx()] != ranks[atom.GetIdx()] and atom.GetSymbol() == "C"
        )
        group = found.setdefault(ranks[atom.GetIdx()], [shift, 0, lines])
        group[1] += hydrogens
    return [(shift, hydrogens, lines) for shift, hydrogens, lines in found.values()]


def outer(p: Params) -> tuple[str, str]:
    """Where the outermost lines of the asked signal lie, in ppm."""
    high = round(p["ppm"][p["asked"]] * 1000) + p["width"] // 2
    return f"{high / 1000:.3f}", f"{(high - p['width']) / 1000:.3f}"


def pretty(formula: str) -> str:
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(c)] if c.isdigit() else c for c in formula)


ASKED = {
    "hydrogens": "the number of hydrogen atoms behind the signal",
    "coupling": "the coupling constant",
    "compound": "the name of the compound",
}


def state(p: Params) -> Statement:
    letters = "abcdef"[: len(p["ppm"])]
    asked, kind = letters[p["asked"]], p["kind"]
    listed = "; ".join(
        f"{k}: {PATTERNS[n]} at {d:.2f} ppm, integral step {m} mm"
        for k, n, d, m in zip(letters, p["lines"], p["ppm"], p["mm"], strict=True)
    )
    formula = pretty(p["formula"])
    known = f"The ¹H NMR spectrum of a compound {formula}, taken at {p['mhz']} MHz, has these signals: {listed}."
    answer = answer_text(p)
    if kind == "hydrogens":
        want = f"How many hydrogen atoms of one molecule give the signal {asked}?"
        leak: tuple[str, ...] = (f"{asked}: {answer} H", f"{answer} H")
    elif kind == "coupling":
        high, low = outer(p)
        known += f" The outermost lines of the signal {asked} lie at {high} ppm and {low} ppm."
        want = f"Find the coupling constant J of the signal {asked} in Hz, to one decimal place."
        leak = (f"J = {answer} Hz", answer)
    else:
        names = sorted(ISOMERS[p["formula"]])
        want = f"Which compound is it: {', '.join(names[:-1])} or {names[-1]}?"
        leak = (answer,)
    k = (p["asked"] + 1) % len(letters)
    other = [PATTERNS[n] for n in (p["lines"][k], 1, 3, 4, 2, 7)]
    patterns = list(dict.fromkeys(other))[:4]
    mm = p["mm"][k]
    near = distractors(Random(mm), mm, (-7, -5, 4, 6, 9, 12), 0)
    signals = len(letters)
    more = [n for n in (2, 3, 4, 5, 6) if n != signals][:3]
    return Statement(
        question=f"{known} {want}",
        multimodal_question=f"The picture shows a ¹H NMR spectrum with its multiplets enlarged. {want}",
        answer=answer,
        leak=leak,
        facts=(
            Fact(f"Which pattern has the signal {letters[k]}?", patterns[0], (patterns[1], patterns[2], patterns[3])),
            Fact(
                f"How high is the integral step of the signal {letters[k]}?",
                f"{mm} mm",
                (f"{near[0]} mm", f"{near[1]} mm", f"{near[2]} mm"),
                f"{letters[k]}: {mm} mm",
            ),
            Fact(
                "At which frequency was the spectrum taken?",
                f"{p['mhz']} MHz",
                (f"{p['mhz'] + 30} MHz", f"{p['mhz'] - 60} MHz", f"{p['mhz'] * 2 + 50} MHz"),
                f"{p['mhz']} MHz",
            ),
            Fact("How many signals has the spectrum?", str(signals), (str(more[0]), str(more[1]), str(more[2]))),
        ),
    )


def plan(p: Params) -> Plan:
    listed = ", ".join(f"{PATTERNS[n]} at {d:.2f} ppm" for n, d in zip(p["lines"], p["ppm"], strict=True))
    ends = (
        f", {' and '.join(outer(p))} below the outermost lines of the asked signal" if p["kind"] == "coupling" else ""
    )
    return Plan(
        content=f"A ¹H NMR spectrum of {pretty(p['formula'])} at {p['mhz']} MHz: {listed}.",
        layout="The chemical shift falls from left to right on the axis below; above it, in boxes, each multiplet "
        "enlarged with its integral as a step.",
        labels=f"A letter at each signal, the steps {', '.join(f'{m} mm' for m in p['mm'])} in the boxes{ends}, "
        "formula and frequency at the top.",
        constraints="Lines of a multiplet as the rows of Pascal's triangle, areas as the hydrogens. What is asked, "
        f"{ASKED[p['kind']]}, must not be shown.",
    )


SIZE = (6.4, 4.5)
LEFT, RIGHT = 0.35, 6.05
FLOOR, TOP = 0.72, 2.2
BOXES = (2.82, 4.08)


def draw(p: Params) -> Drawing:
    ppm, lines, hydrogens = list(p["ppm"]), list(p["lines"]), list(p["hydrogens"])
    shown = p.get("drawn", lines)
    most = int(max(ppm) + 0.9) + 0.5
    spread = (RIGHT - LEFT) / (most + 0.3)
    j = coupling(p)
    rows = [
        [d, h, [comb(n - 1, k) / 2 ** (n - 1) for k in range(n)]] for d, h, n in zip(ppm, hydrogens, shown, strict=True)
    ]
    peaks = "[" + ", ".join(f"({d}, {h}, {[round(w, 5) for w in ws]})" for d, h, ws in rows) + "]"
    count = len(ppm)
    gap = 0.1
    wide = min(1.5, (RIGHT - LEFT + 0.3 - gap * (count - 1)) / count)
    first = SIZE[0] / 2 - (count * wide + (count - 1) * gap) / 2
    tallest = max(p["mm"])
    body = f"""{inch_axes(*SIZE)}
peaks, J = {peaks}, {j / p["mhz"]:.6f}
delta = np.linspace(-0.3, {most}, 6000)
signal = np.zeros_like(delta)
for centre, hydrogens, weights in peaks:
    for k, weight in enumerate(weights):
        line = centre + (k - (len(weights) - 1) / 2) * J
        signal += hydrogens * weight / (1 + ((delta - line) / 0.012) ** 2)
ax.plot({LEFT} + ({most} - delta) * {spread:.4f}, {FLOOR + 0.06} + {TOP - FLOOR:.3g} * signal / signal.max(),
        color="{p["color"]}", lw=1.3)
ax.plot([{LEFT}, {RIGHT}], [{FLOOR}, {FLOOR}], color="black", lw=1.3)
for tick in range(0, {int(most) + 1}):
    x = {LEFT} + ({most} - tick) * {spread:.4f}
    ax.plot([x, x], [{FLOOR}, {FLOOR - 0.07}], color="black", lw=1.1)
for i, (centre, hydrogens, weights) in enumerate(peaks):
    left = {first:.4f} + i * {wide + gap:.4f}
    ax.add_patch(plt.Rectangle((left, {BOXES[0]}), {wide:.4f}, {BOXES[1] - BOXES[0]:.4g}, facecolor="#f7f7f4",
                               edgecolor="0.55", lw=1))
    u = np.linspace(-1, 1, 900)
    y = sum(w / (1 + ((u - (k - (len(weights) - 1) / 2) * 0.2) / 0.014) ** 2) for k, w in enumerate(weights))
    ax.plot(left + {wide:.4f} * (0.5 + 0.44 * u), {BOXES[0] + 0.24} + 0.66 * y / y.max(), color="{p["color"]}", lw=1.2)
    rise = 0.5 * (1 + np.tanh((u - 0) / 0.28)) * 0.66 * {list(p["mm"])}[i] / {tallest}
    ax.plot(left + {wide:.4f} * (0.5 + 0.44 * u), {BOXES[0] + 0.25} + rise, color="#d9822b", lw=1.2)
"""
    labels: list[Label] = []
    for tick in range(int(most) + 1):
        x = LEFT + (most - tick) * spread
        labels.append(Label(str(tick), x, FLOOR - 0.2, given=False, style={"fontsize": 10}))
    labels.append(Label("$\\delta$ / ppm", SIZE[0] / 2, 0.2, given=False, style={"fontsize": 11}))
    letters = "abcdef"[:count]
    tops = _tops(rows, j / p["mhz"])
    xs = _apart([LEFT + (most - d) * spread for d in ppm], 0.24)
    for i, (letter, x) in enumerate(zip(letters, xs, strict=True)):
        near = [tops[k] for k in range(count) if abs(LEFT + (most - ppm[k]) * spread - x) < 0.16]
        y = FLOOR + 0.2 + (TOP - FLOOR) * max(near)
        labels.append(Label(letter, x, y, given=False, style={"fontsize": 12, "style": "italic"}))
        middle = first + i * (wide + gap) + wide / 2
        text = f"{letter}: {p['mm'][i]} mm"
        labels.append(
            Label(text, middle, BOXES[1] - 0.15, wrong=f"{letter}: {p['mm'][i] + 8} mm", style={"fontsize": 10.5})
        )
        if p["kind"] == "coupling" and i == p["asked"]:
            high, low = outer(p)
            apart = max(0.44 * wide * 0.2 * (lines[i] - 1) / 2, 0.24)
            for text, side in ((high, -1), (low, 1)):
                wrong = f"{float(text) - side * 0.02:.3f}"
                labels.append(Label(text, middle + side * apart, BOXES[0] + 0.12, wrong=wrong, style={"fontsize": 9.5}))
    labels.append(
        Label(pretty(p["formula"]), 0.3, 4.3, wrong=pretty(p["formula"].replace("O", "N")), style={"ha": "left"})
    )
    labels.append(Label(f"{p['mhz']} MHz", 6.15, 4.3, wrong=f"{p['mhz'] + 30} MHz", style={"ha": "right"}))
    return Drawing(body, tuple(labels), size=SIZE)


def _tops(rows: list[list[Any]], j: float) -> list[float]:
    """Height of each signal's tallest point over that of the tallest of all."""
    found = []
    for d, h, weights in rows:
        grid = [d + k * j / 8 for k in range(-40, 41)]
        lines = [d + (k - (len(weights) - 1) / 2) * j for k in range(len(weights))]
        found.append(
            max(sum(h * w / (1 + ((g - x) / 0.012) ** 2) for x, w in zip(lines, weights, strict=True)) for g in grid)
        )
    return [f / max(found) for f in found]


def _apart(xs: list[float], least: float) -> list[float]:
    """The same places from left to right, moved so that neighbours are at least this far apart."""
    placed = list(xs)
    for _ in range(60):
        for i in range(len(placed) - 1):
            short = least - (placed[i + 1] - placed[i])
            if short > 0:
                placed[i] -= short / 2
                placed[i + 1] += short / 2
    return placed


def distort(p: Params) -> Params:
    """Every multiplet has lines that its neighbours do not give."""
    return {**p, "drawn": [5 if n < 4 else 2 for n in p["lines"]]}


FAMILY = Family(
    name="nmr_spectrum",
    subject=Subject.CHEMISTRY,
    image_type=ImageType.SPECTRA,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
