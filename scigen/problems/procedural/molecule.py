"""Skeletal formulas as plain Matplotlib: RDKit lays a molecule out, this turns it into lines, wedges and atom labels.

All lengths are inches, for an axes that fills the figure and is measured in inches (`canvas`), so that the widths of
labels are known and bonds can stop at them. It parses SMILES and draws nothing itself; RDKit is imported when needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from math import hypot
from typing import Any

from scigen.problems.procedural.family import Label

Point = tuple[float, float]
Segment = tuple[Point, Point]
Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""

CAP = 0.729
"""Height of a capital of DejaVu Sans in em; the widths below are of the same face."""
WIDTHS = {
    **{"H": 0.752, "C": 0.698, "N": 0.748, "O": 0.787, "F": 0.575, "S": 0.635, "P": 0.603, "B": 0.686, "I": 0.295},
    **{"l": 0.278, "r": 0.411, "i": 0.278, "₂": 0.401, "₃": 0.401, "⁺": 0.528, "⁻": 0.528},
}
SWAPPED = {"O": "S", "N": "P", "F": "I", "Cl": "F", "Br": "Cl", "I": "Br", "S": "O", "P": "N"}
"""Which element a wrong label shows."""


@dataclass(frozen=True)
class AtomLabel:
    """The text of one atom; `x`, `y` anchor it by its baseline, `box` is its ink."""

    text: str
    x: float
    y: float
    ha: str
    box: Box
    wrong: str


@dataclass(frozen=True)
class Sketch:
    """A laid-out molecule. `wedges` are filled triangles; `box` is the hull of all ink."""

    lines: tuple[Segment, ...]
    wedges: tuple[tuple[Point, Point, Point], ...]
    labels: tuple[AtomLabel, ...]
    size: float
    """Font size in points."""
    box: Box

    @property
    def width(self) -> float:
        return self.box[2] - self.box[0]

    @property
    def height(self) -> float:
        return self.box[3] - self.box[1]

    def centred(self, x: float, y: float) -> Sketch:
        """The same, with the middle of its box at (x, y)."""
        dx, dy = x - (self.box[0] + self.box[2]) / 2, y - (self.box[1] + self.box[3]) / 2

        def at(p: Point) -> Point:
            return p[0] + dx, p[1] + dy

        return Sketch(
            tuple((at(a), at(b)) for a, b in self.lines),
            tuple((at(a), at(b), at(c)) for a, b, c in self.wedges),
            tuple(replace(n, x=n.x + dx, y=n.y + dy, box=_shift(n.box, dx, dy)) for n in self.labels),
            self.size,
            _shift(self.box, dx, dy),
        )

    def code(self, color: str = "black", width: float = 1.8) -> str:
        """Source that draws the bonds into `ax`."""
        bonds = [[_pair(a), _pair(b)] for a, b in self.lines]
        code = [
            f"for (x1, y1), (x2, y2) in {bonds}:",
            f'    ax.plot([x1, x2], [y1, y2], color="{color}", linewidth={width:g}, solid_capstyle="round")',
        ]
        if self.wedges:
            corners = [[_pair(p) for p in wedge] for wedge in self.wedges]
            code += [f"for corners in {corners}:", f'    ax.fill(*zip(*corners), color="{color}", linewidth=0)']
        return "\n".join(code)

    def texts(self, colors: Mapping[str, str], given: bool = True) -> list[Label]:
        """The atom labels; a text that comes once is given (unless `given` is false), a repeated one is not."""
        count = [n.text for n in self.labels].count
        wrongs = {n.text for n in self.labels}
        found = []
        for n in self.labels:
            color = next((c for symbol, c in colors.items() if symbol in n.text), "black")
            style: dict[str, Any] = {"fontsize": self.size, "ha": n.ha, "va": "baseline"}
            if color != "black":
                style["color"] = color
            once = given and count(n.text) == 1
            wrong = n.wrong if once and n.wrong not in wrongs else None
            found.append(Label(n.text, round(n.x, 4), round(n.y, 4), given=once, wrong=wrong, style=style))
        return found


def canvas(width: float, height: float) -> str:
    """Source that makes `ax` fill the figure, measured in inches."""
    return f'ax.set_position([0, 0, 1, 1])\nax.set_xlim(0, {width:g})\nax.set_ylim(0, {height:g})\nax.axis("off")\n'


def largest(smiles: str, width: float, height: float, most: float = 0.62) -> Sketch:
    """The sketch with the longest bonds, at most `most`, that fits a box of this size; its font shrinks with it."""
    unit = most
    for _ in range(12):
        drawn = sketch(smiles, unit)
        if drawn.width <= width and drawn.height <= height:
            return drawn
        unit *= max(0.8, min(0.97, width / drawn.width, height / drawn.height))
    return drawn


@lru_cache(maxsize=4096)
def sketch(smiles: str, unit: float = 0.5) -> Sketch:
    """Lay a molecule out with bonds of `unit` inches; its corner is anywhere, see `Sketch.centred`."""
    from rdkit import Chem
    from rdkit.Chem import rdDepictor

    mol = Chem.MolFromSmiles(smiles)
    Chem.Kekulize(mol, clearAromaticFlags=True)
    rdDepictor.SetPreferCoordGen(False)
    rdDepictor.Compute2DCoords(mol, canonOrient=True, bondLength=1.0)
    rdDepictor.StraightenDepiction(mol)
    Chem.WedgeMolBonds(mol, mol.GetConformer())
    at = [(float(x) * unit, float(y) * unit) for x, y, _ in mol.GetConformer().GetPositions()]
    size = round(min(17.0, max(9.0, unit * 27)), 1)
    labels = {a.GetIdx(): _label(a, at, size) for a in mol.GetAtoms() if _labelled(a)}
    lines: list[Segment] = []
    wedges: list[tuple[Point, Point, Point]] = []
    for bond in mol.GetBonds():
        _bond(bond, at, labels, unit, size, lines, wedges)
    boxes = [n.box for n in labels.values()]
    xs = [p[0] for s in lines for p in s] + [p[0] for w in wedges for p in w] + [x for b in boxes for x in (b[0], b[2])]
    ys = [p[1] for s in lines for p in s] + [p[1] for w in wedges for p in w] + [y for b in boxes for y in (b[1], b[3])]
    return Sketch(tuple(lines), tuple(wedges), tuple(labels.values()), size, (min(xs), min(ys), max(xs), max(ys)))


@lru_cache(maxsize=4096)
def is_clear(smiles: str) -> bool:
    """Whether the layout is readable: no two atoms or labels crowd each other, no bond runs through a label."""
    from rdkit import Chem
    from rdkit.Chem import rdDepictor

    mol = Chem.MolFromSmiles(smiles)
    rdDepictor.SetPreferCoordGen(False)
    rdDepictor.Compute2DCoords(mol, canonOrient=True, bondLength=1.0)
    at = mol.GetConformer().GetPositions()
    if any(hypot(*(p - q)[:2]) < 0.8 for p, q in combinations(at, 2)):
        return False
    drawn = sketch(smiles)
    boxes = [n.box for n in drawn.labels]
    if any(_overlap(a, b) for a, b in combinations(boxes, 2)):
        return False
    return not any(_enters(line, box) for line in drawn.lines for box in boxes)


def formula_text(formula: str) -> str:
    """`C2H6O` as it is printed, with subscripts."""
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(c)] if c.isdigit() else c for c in formula)


def _labelled(atom: Any) -> bool:
    return bool(atom.GetSymbol() != "C" or atom.GetFormalCharge() or not atom.GetDegree())


def _label(atom: Any, at: Sequence[Point], size: float) -> AtomLabel:
    """Where the element's symbol is centred on the atom and its hydrogens stand away from the bonds."""
    symbol, hydrogens, charge = atom.GetSymbol(), atom.GetTotalNumHs(), atom.GetFormalCharge()
    em = size / 72
    x, y = at[atom.GetIdx()]
    tail = ("H" + ("", "₂", "₃")[hydrogens - 1]) if hydrogens else ""
    sign = {1: "⁺", -1: "⁻"}.get(charge, "")
    ways = []
    for other in atom.GetNeighbors():
        ox, oy = at[other.GetIdx()]
        length = hypot(ox - x, oy - y)
        ways.append(((ox - x) / length, (oy - y) / length))
    sides = {"left": (1.0, 0.0, 0.1), "right": (-1.0, 0.0, 0.0), "below": (0.0, -1.0, -1.0), "above": (0.0, 1.0, -0.98)}
    free = {
        side: bonus - max((dx * wx + dy * wy for wx, wy in ways), default=-1.0)
        for side, (dx, dy, bonus) in sides.items()
    }
    side = max(free, key=lambda s: free[s]) if tail else "left"
    half, base = _width(symbol) * em / 2, y - CAP * em / 2
    low, high = base - (0.12 * em if "₂" in tail or "₃" in tail else 0), base + CAP * em
    wrong = SWAPPED.get(symbol, "S")
    if side in ("above", "below"):
        gap = 0.912 * em  # line spacing 1.2 of DejaVu Sans
        text = f"{tail}\n{symbol}{sign}" if side == "above" else f"{symbol}{sign}\n{tail}"
        base, low, high = (base, low, high + gap) if side == "above" else (base - gap, low - gap, high)
        swapped = text.replace(symbol, wrong, 1)
        return AtomLabel(text, x, base, "center", (x - half, low, x + half, high), swapped)
    if side == "left":
        text = symbol + tail + sign
        return AtomLabel(
            text,
            x - half,
            base,
            "left",
            (x - half, low, x - half + _width(text) * em, high),
            wrong + text[len(symbol) :],
        )
    text = tail + symbol + sign
    right = x + half + _width(sign) * em
    return AtomLabel(text, right, base, "right", (right - _width(text) * em, low, right, high), tail + wrong + sign)


def _bond(
    bond: Any,
    at: Sequence[Point],
    labels: Mapping[int, AtomLabel],
    unit: float,
    size: float,
    lines: list[Segment],
    wedges: list[tuple[Point, Point, Point]],
) -> None:
    """Append the lines or the wedge of one bond, shortened where it meets a label."""
    i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
    a, b = at[i], at[j]
    ux, uy = (b[0] - a[0]) / hypot(b[0] - a[0], b[1] - a[1]), (b[1] - a[1]) / hypot(b[0] - a[0], b[1] - a[1])
    nx, ny = -uy, ux
    pad = 0.16 * size / 72

    def line(offset: float, short: float = 0.0) -> Segment:
        p = (
            a[0] + nx * offset + ux * (0 if i in labels else short),
            a[1] + ny * offset + uy * (0 if i in labels else short),
        )
        q = (
            b[0] + nx * offset - ux * (0 if j in labels else short),
            b[1] + ny * offset - uy * (0 if j in labels else short),
        )
        return _clip(p, q, labels[i].box if i in labels else None, labels[j].box if j in labels else None, pad)

    order, apart = int(bond.GetBondTypeAsDouble()), 0.16 * unit
    direction = str(bond.GetBondDir())
    if direction in ("BEGINWEDGE", "BEGINDASH"):
        p, q = line(0)
        wide = 0.11 * unit
        if direction == "BEGINWEDGE":
            wedges.append((p, (q[0] + nx * wide, q[1] + ny * wide), (q[0] - nx * wide, q[1] - ny * wide)))
        else:
            for k in range(1, 7):
                t, w = k / 6, wide * k / 6
                m = (p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1]))
                lines.append(((m[0] + nx * w, m[1] + ny * w), (m[0] - nx * w, m[1] - ny * w)))
    elif order == 1:
        lines.append(line(0))
    elif order == 3:
        lines.extend((line(0), line(0.8 * apart), line(-0.8 * apart)))
    else:
        side = _side(bond, at, (nx, ny))
        if side:
            lines.extend((line(0), line(side * apart, 0.6 * apart)))
        else:
            lines.extend((line(apart / 2), line(-apart / 2)))


def _side(bond: Any, at: Sequence[Point], normal: Point) -> int:
    """On which side the second line of a double bond lies: into the ring, else towards the neighbours; 0: astride."""
    mol, a = bond.GetOwningMol(), at[bond.GetBeginAtomIdx()]
    rings = [r for r in mol.GetRingInfo().AtomRings() if bond.GetBeginAtomIdx() in r and bond.GetEndAtomIdx() in r]
    ends = (bond.GetBeginAtom(), bond.GetEndAtom())
    if rings:
        near = max(rings, key=lambda r: sum(b.GetBondTypeAsDouble() == 2 for b in _within(mol, r)))
    elif any(e.GetDegree() == 1 for e in ends):
        return 0
    else:
        near = [n.GetIdx() for e in ends for n in e.GetNeighbors() if n.GetIdx() not in (x.GetIdx() for x in ends)]
    lean = sum((at[k][0] - a[0]) * normal[0] + (at[k][1] - a[1]) * normal[1] for k in near)
    return 1 if lean > 1e-6 else -1


def _within(mol: Any, ring: Sequence[int]) -> list[Any]:
    return [b for b in mol.GetBonds() if b.GetBeginAtomIdx() in ring and b.GetEndAtomIdx() in ring]


def _clip(p: Point, q: Point, at_p: Box | None, at_q: Box | None, pad: float) -> Segment:
    """The part of the line from p to q outside the boxes of the labels at its ends, `pad` away from them."""
    start, end = 0.0, 1.0
    if at_p:
        start = _leaves(p, q, at_p, pad)
    if at_q:
        end = 1 - _leaves(q, p, at_q, pad)

    def along(t: float) -> Point:
        return p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])

    return along(start), along(end)


def _leaves(p: Point, q: Point, box: Box, pad: float) -> float:
    """Share of the way from p (in the box) to q at which the line leaves the box."""
    ways = []
    for k in (0, 1):
        step = q[k] - p[k]
        if abs(step) > 1e-9:
            wall = box[2 + k] + pad if step > 0 else box[k] - pad
            ways.append((wall - p[k]) / step)
    return max(0.0, min(ways))


def _width(text: str) -> float:
    return sum(WIDTHS.get(c, 0.7) for c in text)


def _pair(p: Point) -> list[float]:
    return [round(p[0], 3), round(p[1], 3)]


def _shift(box: Box, dx: float, dy: float) -> Box:
    return box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] + 0.03 and b[0] < a[2] + 0.03 and a[1] < b[3] + 0.03 and b[1] < a[3] + 0.03


def _enters(line: Segment, box: Box) -> bool:
    """Whether one of 20 points along the line lies in the box."""
    (x1, y1), (x2, y2) = line
    points = ((x1 + k / 19 * (x2 - x1), y1 + k / 19 * (y2 - y1)) for k in range(20))
    return any(box[0] - 0.02 < x < box[2] + 0.02 and box[1] - 0.02 < y < box[3] + 0.02 for x, y in points)
