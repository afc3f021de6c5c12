"""Biology, molecular processes: DNA, mRNA and a ribosome; the amino acids of a strand, also after a mutation."""

from __future__ import annotations

from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement
from scigen.problems.procedural.placing import inch_axes
from scigen.records import ImageType, Plan, Subject

ACIDS = {
    **{
        "Phe": "UUU UUC",
        "Leu": "UUA UUG CUU CUC CUA CUG",
        "Ile": "AUU AUC AUA",
        "Met": "AUG",
        "Val": "GUU GUC GUA GUG",
    },
    **{"Ser": "UCU UCC UCA UCG AGU AGC", "Pro": "CCU CCC CCA CCG", "Thr": "ACU ACC ACA ACG", "Ala": "GCU GCC GCA GCG"},
    **{"Tyr": "UAU UAC", "His": "CAU CAC", "Gln": "CAA CAG", "Asn": "AAU AAC", "Lys": "AAA AAG", "Asp": "GAU GAC"},
    **{"Glu": "GAA GAG", "Cys": "UGU UGC", "Trp": "UGG", "Arg": "CGU CGC CGA CGG AGA AGG", "Gly": "GGU GGC GGA GGG"},
}
"""The standard genetic code, by amino acid."""
CODE = {codon: acid for acid, codons in ACIDS.items() for codon in codons.split()}
STOPS = ("UAA", "UAG", "UGA")
PAIRS = {"A": "U", "T": "A", "G": "C", "C": "G"}
"""Base of the mRNA on a base of the template."""
TINTS = {"A": "#cfe3cd", "U": "#f4d9b0", "T": "#f4d9b0", "G": "#cddcf0", "C": "#f1cfd2"}
COLOURS = (("#8fa9c9", "#b9c9df"), ("#b49ac2", "#d5c6de"), ("#9fb88d", "#cbdac0"), ("#c9a68f", "#e3d0c3"))
LENGTHS = {1: (4, 5), 2: (4, 5), 3: (5, 6)}


def sample(rng: Random, difficulty: int) -> Params:
    """1: from the mRNA; 2: from the template strand of the DNA; 3: the template with one base exchanged."""
    while True:
        count = rng.choice(LENGTHS[difficulty])
        codons = ["AUG", *rng.sample(sorted(set(CODE) - {"AUG"}), count - 1), rng.choice(STOPS)]
        p: dict[str, Any] = {
            "kind": {1: "mRNA", 2: "template", 3: "mutant"}[difficulty],
            "codons": codons,
            "site": rng.randrange(1, count),
            "colors": rng.randrange(len(COLOURS)),
        }
        if difficulty == 3:
            place = rng.randrange(3)
            p |= {"place": 3 * rng.randrange(1, count) + place, "base": rng.choice("ATGC")}
            if template(p)[p["place"]] == p["base"] or peptide(p) == translated(codons) or not peptide(p):
                continue
            if len(peptide(p)) != len(translated(codons)):
                continue
        if len(set(strand(p))) == len(strand(p)):
            return p


def template(p: Params) -> str:
    """The template strand, 3' to 5', before the mutation."""
    back = {v: k for k, v in PAIRS.items()}
    return "".join(back[b] for b in "".join(p["codons"]))


def strand(p: Params) -> list[str]:
    """What the drawing shows, in threes: the mRNA, or the template as it was."""
    if p["kind"] == "mRNA":
        return list(p["codons"])
    whole = template(p)
    return [whole[i : i + 3] for i in range(0, len(whole), 3)]


def translated(codons: list[str]) -> str:
    found = []
    for codon in codons:
        if codon in STOPS:
            break
        found.append(CODE[codon])
    return "-".join(found)


def peptide(p: Params) -> str:
    if p["kind"] != "mutant":
        return translated(p["codons"])
    whole = template(p)
    changed = whole[: p["place"]] + p["base"] + whole[p["place"] + 1 :]
    rna = "".join(PAIRS[b] for b in changed)
    return translated([rna[i : i + 3] for i in range(0, len(rna), 3)])


def solve(p: Params) -> str:
    """By the code written as 64 letters in the order T, C, A, G, RDKit naming the amino acids, base by base."""
    from rdkit import Chem

    letters = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
    bases = list("".join(strand(p)))
    if p["kind"] == "mutant":
        bases[p["place"]] = p["base"]
    order = "UCAG" if p["kind"] == "mRNA" else "AGTC"
    digits = [order.index(b) for b in bases]
    chain = ""
    for i in range(0, len(digits), 3):
        letter = letters[16 * digits[i] + 4 * digits[i + 1] + digits[i + 2]]
        if letter == "*":
            break
        chain += letter
    mol = Chem.MolFromSequence(chain)
    found = {a.GetPDBResidueInfo().GetResidueNumber(): a.GetPDBResidueInfo().GetResidueName() for a in mol.GetAtoms()}
    return "-".join(found[k].strip().capitalize() for k in sorted(found))


def words(p: Params) -> tuple[str, str]:
    shown = " ".join(strand(p))
    if p["kind"] == "mRNA":
        known = f"A ribosome reads an mRNA with the bases 5′ {shown} 3′."
        return known, "Write the amino acids that it joins, with three letters each and hyphens, as in Met-Gly."
    known = f"The template strand of a gene has the bases 3′ {shown} 5′."
    if p["kind"] == "template":
        return known, "Write the amino acids of the chain, with three letters each and hyphens, as in Met-Gly."
    known += f" Base number {p['place'] + 1} of this strand, counted from its 3′ end, is exchanged for {p['base']}."
    return (
        known,
        "Write the amino acids of the chain after the exchange, with three letters each and hyphens, as in Met-Gly.",
    )


def state(p: Params) -> Statement:
    known, asked = words(p)
    shown, answer = strand(p), peptide(p)
    k = p["site"]
    ring = {"A": "C", "C": "G", "G": "A", "T": "A", "U": "C"}
    codon = shown[k]
    twists = [codon[:i] + ring[codon[i]] + codon[i + 1 :] for i in range(3)]
    last = shown[0]
    ends = [last[:i] + ring[last[i]] + last[i + 1 :] for i in range(3)]
    acid = "mRNA" if p["kind"] == "mRNA" else "DNA"
    count = len(shown)
    facts = [
        Fact(f"Which bases has triplet number {k + 1} from the left?", codon, (twists[0], twists[1], twists[2])),
        Fact("Which bases has the first triplet from the left?", last, (ends[0], ends[1], ends[2])),
        Fact("How many triplets has the strand?", str(count), (str(count - 1), str(count + 1), str(count + 2))),
    ]
    facts.append(
        Fact(
            "Which kind of strand is drawn with its bases?",
            acid,
            ("a protein", "a lipid", "DNA" if acid == "mRNA" else "mRNA"),
        )
    )
    if p["kind"] == "mutant":
        others = [b for b in "ACGT" if b != p["base"]]
        facts.append(Fact("Which base is put in at the arrow?", p["base"], (others[0], others[1], others[2])))
    return Statement(
        question=f"{known} {asked}",
        multimodal_question=asked,
        answer=answer,
        leak=(answer, answer.replace("-", " – ")),
        facts=tuple(facts),
    )


def plan(p: Params) -> Plan:
    known, _ = words(p)
    return Plan(
        content=known,
        layout="The strand as a row of tiles, one a base, in groups of three, with its ends marked; "
        + (
            "a ribosome of two subunits around it, an empty chain of beads above."
            if p["kind"] == "mRNA"
            else "below it the empty row of the mRNA and an empty chain of beads."
        ),
        labels="One letter a tile, 5′ and 3′ at the ends" + ("; the new base at an arrow." if "base" in p else "."),
        constraints="Bases in the order of the problem. The chain of amino acids is asked and must not be shown.",
    )


SIZE = (6.9, 3.7)
TILE = 0.26
FONT = round(TILE * 72 / 0.60205 / 2, 3)
"""Points at which two letters of DejaVu Sans Mono, one of them a space, are as wide as a tile."""


def draw(p: Params) -> Drawing:
    shown = strand(p)
    dark, pale = COLOURS[p["colors"]]
    gap = 0.1
    wide = len(shown) * 3 * TILE + (len(shown) - 1) * gap
    left = SIZE[0] / 2 - wide / 2
    lefts = [left + k * (3 * TILE + gap) for k in range(len(shown))]
    y = 1.35 if p["kind"] == "mRNA" else 2.55
    colors = [
        TINTS[b] for codon in shown[:: -1 if p.get("turned") else 1] for b in codon[:: -1 if p.get("turned") else 1]
    ]
    tiles = [(round(lefts[i // 3] + (i % 3) * TILE, 4), c) for i, c in enumerate(colors)]
    beads = [round(SIZE[0] / 2 + 0.52 * (k - (len(shown) - 2) / 2), 3) for k in range(len(shown) - 1)]
    bead_y = 3.1 if p["kind"] == "mRNA" else 0.5
    code = [inch_axes(*SIZE)]
    rna = "mRNA" if p["kind"] == "mRNA" else "template strand"
    labels = [
        Label("5′" if p["kind"] == "mRNA" else "3′", left - 0.25, y, given=False, style={"fontsize": 13}),
        Label("3′" if p["kind"] == "mRNA" else "5′", left + wide + 0.25, y, given=False, style={"fontsize": 13}),
    ]
    if p["kind"] == "mRNA":
        middle = lefts[p["site"]] + 1.5 * TILE
        code.append(
            f'ax.add_patch(plt.matplotlib.patches.Ellipse(({middle:.3f}, {y + 0.62}), 2.1, 1.15, facecolor="{dark}", '
            'edgecolor="0.25", lw=1.6))\n'
            f'ax.add_patch(plt.matplotlib.patches.Ellipse(({middle:.3f}, {y - 0.36}), 1.8, 0.62, facecolor="{pale}", '
            'edgecolor="0.25", lw=1.6))'
        )
        labels.append(Label("ribosome", middle, y + 0.72, given=False, style={"fontsize": 12}))
        labels.append(Label(rna, left, y - 0.9, wrong="DNA", style={"ha": "left"}))
        labels.append(Label("chain of amino acids", SIZE[0] / 2, bead_y + 0.38, given=False, style={"fontsize": 11}))
    else:
        labels.append(
            Label(rna, left, y + (0.95 if "base" in p else 0.42), wrong="coding strand", style={"ha": "left"})
        )
        code.append(
            f"for x in {[round(x, 4) for x in lefts]}:\n"
            f"    for k in range(3):\n"
            f'        ax.add_patch(plt.Rectangle((x + k * {TILE}, 1.42), {TILE}, 0.36, facecolor="white", '
            'edgecolor="0.55", lw=1, linestyle=":"))'
        )
        steps = [(SIZE[0] / 2, 2.3, 1.84, "transcription"), (SIZE[0] / 2, 1.36, 0.8, "translation")]
        for x, high, low, text in steps:
            code.append(
                f'ax.annotate("", xy=({x:g}, {low}), xytext=({x:g}, {high}), arrowprops=dict('
                f'arrowstyle="-|>", color="{dark}", lw=2.4, shrinkA=0, shrinkB=0, mutation_scale=16))'
            )
            labels.append(Label(text, x + 0.2, (high + low) / 2, given=False, style={"ha": "left", "fontsize": 11}))
        labels.append(Label("mRNA", left, 1.95, given=False, style={"ha": "left", "fontsize": 11}))
    code.append(
        # The tiles have no edges: an edge between two letters of one text would run through that text.
        f"for x in {[round(x, 4) for x in lefts]}:\n"
        f"    ax.add_patch(plt.Rectangle((x, {y - 0.2:g}), {3 * TILE:.2f}, 0.4, facecolor='white', "
        "edgecolor='0.35', lw=1.2))\n"
        f"for x, color in {tiles}:\n"
        f"    ax.add_patch(plt.Rectangle((x + 0.012, {y - 0.19:g}), {TILE - 0.024:.3f}, 0.38, facecolor=color, lw=0))\n"
        f"ax.plot([{left:.3f}, {left + wide:.3f}], [{y - 0.23:g}, {y - 0.23:g}], color='0.25', lw=3, "
        "solid_capstyle='butt')\n"
        f"xs = {beads}\n"
        f'ax.plot(xs, [{bead_y}] * len(xs), color="0.4", lw=2)\n'
        "for x in xs:\n"
        f'    ax.add_patch(plt.Circle((x, {bead_y}), 0.19, facecolor="{pale}", edgecolor="0.25", lw=1.5, zorder=3))'
    )
    swap = {"A": "G", "G": "A", "C": "A", "T": "C", "U": "C"}
    for k, (codon, x) in enumerate(zip(shown, lefts, strict=True)):
        other = codon[0] + swap[codon[1]] + codon[2]
        wrong = other if k and other not in shown else None
        style = {"fontsize": FONT, "family": "monospace"}
        labels.append(Label(" ".join(codon), x + 1.5 * TILE, y, wrong=wrong and " ".join(wrong), style=style))
    for x in beads:
        labels.append(Label("?", x, bead_y, given=False, style={"fontsize": 12, "zorder": 4}))
    if "base" in p:
        at = lefts[p["place"] // 3] + (p["place"] % 3 + 0.5) * TILE
        code.append(
            f'ax.annotate("", xy=({at:.3f}, {y + 0.2}), xytext=({at:.3f}, {y + 0.52}), arrowprops=dict('
            'arrowstyle="-|>", color="#b03030", lw=2, shrinkA=0, shrinkB=0, mutation_scale=14))'
        )
        wrong = next(b for b in "GATC" if b != p["base"])
        style = {"fontsize": 15, "color": "#b03030", "fontweight": "bold"}
        labels.append(Label(p["base"], at, y + 0.66, wrong=wrong, style=style))
    return Drawing("\n".join(code), tuple(labels), size=SIZE)


def distort(p: Params) -> Params:
    """The tiles have the colours of the strand read from the other end, and the ribosome is elsewhere."""
    return {**p, "turned": True, "site": 1 + p["site"] % (len(p["codons"]) - 2)}


FAMILY = Family(
    name="translation",
    subject=Subject.BIOLOGY,
    image_type=ImageType.MOLECULAR_PROCESS,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
