"""Physics, circuits: meters in a network, a Wheatstone bridge, or two batteries; a reading or a current asked."""

from __future__ import annotations

from math import atan2
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement, distractors
from scigen.problems.procedural.placing import Page, Point, inch_axes
from scigen.problems.procedural.schematic import Schematic
from scigen.records import ImageType, Plan, Subject

LEVELS = {
    1: ("ammeter", "voltmeter"),
    2: ("bridge voltage", "balance"),
    3: ("bridge current", "two batteries"),
}
SUBSCRIPTS = "₁₂₃₄₅"
COUNTS = {"ammeter": 3, "voltmeter": 3, "bridge voltage": 4, "balance": 4, "bridge current": 5, "two batteries": 3}
"""Number of resistors."""


def sample(rng: Random, difficulty: int) -> Params:
    """1: series and parallel with meters; 2: an unloaded or balanced bridge; 3: a loaded bridge or two batteries."""
    while True:
        kind = rng.choice(LEVELS[difficulty])
        p: dict[str, Any] = {
            "kind": kind,
            "ohms": rng.sample(range(2, 61), COUNTS[kind]),
            "volts": rng.sample(range(3, 25), 2 if kind == "two batteries" else 1),
            "diamond": rng.random() < 0.5 if kind.startswith("b") else False,
            "mirror": rng.random() < 0.5,
        }
        value = answer_value(p)
        if kind == "balance" and not 2 <= value <= 99:
            continue
        shown = {str(v) for v in (*p["ohms"], *p["volts"])}
        if value >= 0.02 and f"{value:g}" not in shown and f"{value:.3f}".rstrip("0").rstrip(".") not in shown:
            return p


def answer_value(p: Params) -> float:
    """By series and parallel, the voltage divider, Thevenin's or Millman's theorem."""
    r, v = p["ohms"], p["volts"]
    if p["kind"] in ("ammeter", "voltmeter"):
        pair = r[1] * r[2] / (r[1] + r[2])
        return float(v[0] / (r[0] + pair) if p["kind"] == "ammeter" else v[0] * pair / (r[0] + pair))
    if p["kind"] == "balance":
        return float(r[1] * r[2] / r[0])
    if p["kind"] == "two batteries":
        middle = (v[0] / r[0] + v[1] / r[1]) / (1 / r[0] + 1 / r[1] + 1 / r[2])
        return float(middle / r[2])
    open_circuit = abs(v[0] * (r[1] / (r[0] + r[1]) - r[3] / (r[2] + r[3])))
    if p["kind"] == "bridge voltage":
        return float(open_circuit)
    inner = r[0] * r[1] / (r[0] + r[1]) + r[2] * r[3] / (r[2] + r[3])
    return float(open_circuit / (inner + r[4]))


def solve(p: Params) -> float:
    """By nodal analysis; the balance by searching the resistance at which the galvanometer has no current."""
    from scigen.problems.procedural.nodal import potentials

    r, v = [float(x) for x in p["ohms"]], p["volts"]
    if p["kind"] in ("ammeter", "voltmeter"):
        at, (current,) = potentials([("A", "C", r[0]), ("C", "0", r[1]), ("C", "0", r[2])], [("A", "0", v[0])])
        return current if p["kind"] == "ammeter" else at["C"]
    if p["kind"] == "two batteries":
        resistors = [("A", "C", r[0]), ("B", "C", r[1]), ("C", "0", r[2])]
        at, _ = potentials(resistors, [("A", "0", v[0]), ("B", "0", v[1])])
        return at["C"] / r[2]

    def across(fourth: float, bridge: list[tuple[str, str, float]]) -> float:
        arms = [("A", "C", r[0]), ("C", "0", r[1]), ("A", "D", r[2]), ("D", "0", fourth)]
        at, _ = potentials([*arms, *bridge], [("A", "0", v[0])])
        return at["C"] - at["D"]

    if p["kind"] == "balance":
        from scipy.optimize import brentq

        return float(brentq(lambda fourth: across(fourth, [("C", "D", 7.0)]), 0.01, 1e4, xtol=1e-11))
    if p["kind"] == "bridge voltage":
        return abs(across(r[3], []))
    return abs(across(r[3], [("C", "D", r[4])])) / r[4]


def values(p: Params) -> list[str]:
    """The texts at the resistors."""
    known = [f"R{SUBSCRIPTS[i]} = {ohm} Ω" for i, ohm in enumerate(p["ohms"])]
    return [*known[:3], "R₄ = ?"] if p["kind"] == "balance" else known


def sources(p: Params) -> list[str]:
    return [f"V{SUBSCRIPTS[i]} = {v} V" if len(p["volts"]) > 1 else f"V = {v} V" for i, v in enumerate(p["volts"])]


def words(p: Params) -> tuple[str, str, str]:
    """The circuit in words, what is asked, and its sign and unit."""
    arms = "R₁ and R₂ in series, with C between them, lie parallel to R₃ and R₄ in series, with D between them"
    match p["kind"]:
        case "ammeter":
            return (
                "An ammeter and R₁ are in series with the parallel pair R₂ and R₃",
                "current that the ammeter reads in amperes",
                "I = {} A",
            )
        case "voltmeter":
            return (
                "R₁ is in series with the parallel pair R₂ and R₃, and a voltmeter is connected across that pair",
                "voltage that the voltmeter reads in volts",
                "U = {} V",
            )
        case "bridge voltage":
            return (
                f"{arms}; an ideal voltmeter joins C and D",
                "magnitude of the voltage that the voltmeter reads in volts",
                "U = {} V",
            )
        case "balance":
            return f"{arms}; the galvanometer between C and D reads zero", "resistance R₄ in ohms", "R₄ = {} Ω"
        case "bridge current":
            return (
                f"{arms}; R₅ joins C and D",
                "magnitude of the current through R₅ in amperes",
                "I = {} A",
            )
    return (
        "A battery V₁ in series with R₁ and a battery V₂ in series with R₂ both feed R₃: the three branches are "
        "parallel, and both positive poles point to the same node",
        "current through R₃ in amperes",
        "I = {} A",
    )


def state(p: Params) -> Statement:
    circuit, asked, sign = words(p)
    known = ", ".join([*sources(p), *(t for t in values(p) if "?" not in t)])
    answer = f"{answer_value(p):.3f}"
    want = f"Find the {asked} to three decimal places."
    note = " The galvanometer reads zero." if p["kind"] == "balance" else ""
    facts = [
        Fact(
            f"What is the resistance of R{SUBSCRIPTS[i]}?",
            f"{p['ohms'][i]} Ω",
            _ohms(p, i),
            values(p)[i],
        )
        for i in (0, 2)
    ]
    volts = p["volts"][0]
    wrong = distractors(Random(volts), volts, (-2, 1, 3, 5, 6), 0)
    facts.append(
        Fact(
            f"What is the voltage of the battery{' V₁' if len(p['volts']) > 1 else ''}?",
            f"{volts} V",
            (f"{wrong[0]} V", f"{wrong[1]} V", f"{wrong[2]} V"),
            sources(p)[0],
        )
    )
    n = COUNTS[p["kind"]]
    facts.append(Fact("How many resistors are drawn?", str(n), (str(n - 1), str(n + 1), str(n + 2)), f"{n} resistors"))
    fed = "The batteries are ideal" if len(p["volts"]) > 1 else "An ideal battery feeds the circuit"
    return Statement(
        question=f"{circuit}. {fed}. Given: {known}. {want}",
        multimodal_question=f"{want}{note}",
        answer=answer,
        leak=(sign.format(answer), answer),
        facts=tuple(facts),
    )


def _ohms(p: Params, i: int) -> tuple[str, str, str]:
    right = p["ohms"][i]
    others = [ohm for ohm in p["ohms"] if ohm != right]
    near = next(right + d for d in (1, 3, 5, 7, 9) if right + d not in others)
    return f"{others[0]} Ω", f"{others[1]} Ω", f"{near} Ω"


def plan(p: Params) -> Plan:
    circuit, asked, _ = words(p)
    shape = "the four arms as a diamond above the battery" if p["diamond"] else "branches upright between two rails"
    return Plan(
        content=f"{circuit}.",
        layout=f"Standard symbols, zigzag resistors, dots where wires join: {shape}.",
        labels="; ".join([*sources(p), *values(p)]) + ": each beside its symbol.",
        constraints=f"Every wire ends at a symbol or a dot; none cross. The {asked} is asked and must not be shown.",
    )


def draw(p: Params) -> Drawing:
    plot = _diamond if p["diamond"] else _rails
    size, parts, wires, dots, names = plot(p)
    if p.get("short"):
        wires = [*wires, (parts[-1][1], _aside(parts[-1][1], parts[-1][2]), parts[-1][2])]
    if p["mirror"]:
        parts = [(kind, _flip(a, size), _flip(b, size), text) for kind, a, b, text in parts]
        wires = [tuple(_flip(q, size) for q in wire) for wire in wires]
        dots = [_flip(q, size) for q in dots]
        names = [(name, _flip(q, size)) for name, q in names]
    art = Schematic()
    for kind, a, b, _ in parts:
        {"R": art.resistor, "V": art.battery}.get(kind, art.meter)(a, b)
    for wire in wires:
        art.wire(*wire)
    art.dot(*dots)
    page = Page(*size)
    art.ink(page)
    given = {*values(p), *sources(p)}
    labels: list[Label] = []
    middle = (size[0] / 2, size[1] / 2)
    for kind, a, b, text in parts:
        x, y = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
        if kind.startswith("M"):
            labels.append(Label(kind[1], x, y, given=False, style={"fontsize": 13}))
            continue
        reach = 0.2 if kind == "R" else 0.26
        out = atan2(y - middle[1], x - middle[0] + 1e-6)
        tx, ty = page.beside(text, (x, y), reach, 12, out)
        labels.append(Label(text, tx, ty, wrong=_wrong(text, given)))
        if kind == "V":
            along = ((a[0] - b[0]) * 0.12, (a[1] - b[1]) * 0.12)
            length = max(0.01, (along[0] ** 2 + along[1] ** 2) ** 0.5)
            px, py = x + along[0] / length * 0.17, y + along[1] / length * 0.17
            sx, sy = page.beside("+", (px, py), 0.1, 11)
            labels.append(Label("+", sx, sy, given=False, style={"fontsize": 11}))
    for name, q in names:
        nx, ny = page.beside(name, q, 0.07, 12, atan2(q[1] - middle[1], q[0] - middle[0] + 1e-6))
        labels.append(Label(name, nx, ny, given=False, style={"style": "italic"}))
    return Drawing(f"{inch_axes(*size)}\n{art.code()}", tuple(labels), size)


Part = tuple[str, Point, Point, str]
"""R, V (a battery) or M with a meter's letter; the two ends (plus first); the text."""
Plot = tuple[tuple[float, float], list[Part], list[tuple[Point, ...]], list[Point], list[tuple[str, Point]]]
"""Size, parts, wires, dots, named nodes."""


def _bridge_part(p: Params) -> tuple[str, str]:
    if p["kind"] == "bridge current":
        return "R", values(p)[4]
    return ("MV", "") if p["kind"] == "bridge voltage" else ("MG", "")


def _diamond(p: Params) -> Plot:
    a, b, c, d = (0.75, 2.7), (4.55, 2.7), (2.65, 4.25), (2.65, 1.15)
    r = values(p)
    kind, text = _bridge_part(p)
    parts = [
        ("R", a, c, r[0]),
        ("R", c, b, r[1]),
        ("R", a, d, r[2]),
        ("R", d, b, r[3]),
        (kind, c, d, text),
        ("V", (2.15, 0.45), (3.15, 0.45), sources(p)[0]),
    ]
    wires = [(a, (0.35, 2.7), (0.35, 0.45), (2.15, 0.45)), (b, (4.95, 2.7), (4.95, 0.45), (3.15, 0.45))]
    return (5.3, 4.65), parts, list(wires), [a, b, c, d], [("C", c), ("D", d)]


def _rails(p: Params) -> Plot:
    top, low, left = 3.7, 0.45, 1.15
    r = values(p)
    if p["kind"] == "two batteries":
        xs = (1.3, 3.0, 4.7)
        parts = [
            ("V", (xs[0], 2.0), (xs[0], low), sources(p)[0]),
            ("R", (xs[0], top), (xs[0], 2.0), r[0]),
            ("V", (xs[2], 2.0), (xs[2], low), sources(p)[1]),
            ("R", (xs[2], top), (xs[2], 2.0), r[1]),
            ("R", (xs[1], top), (xs[1], low), r[2]),
        ]
        wires: list[tuple[Point, ...]] = [((xs[0], y), (xs[2], y)) for y in (top, low)]
        return (6.0, 4.2), parts, wires, [(xs[1], top), (xs[1], low)], []
    battery = ("V", (left, top), (left, low), sources(p)[0])
    if p["kind"] in ("ammeter", "voltmeter"):
        first, second, third = 3.1, 4.6, 6.25
        parts = [
            battery,
            ("MA", (left, top), (left + 0.8, top), ""),
            ("R", (left + 0.8, top), (first, top), r[0]),
            ("R", (first, top), (first, low), r[1]),
            ("MV", (third, top), (third, low), ""),
            ("R", (second, top), (second, low), r[2]),
        ]
        wires = [((first, top), (third, top)), ((left, low), (third, low))]
        dots = [(x, y) for x in (first, second) for y in (top, low)]
        return (6.65, 4.2), parts, wires, dots, []
    one, two, middle = 2.75, 4.6, (top + low) / 2
    kind, text = _bridge_part(p)
    c, d = (one, middle), (two, middle)
    parts = [
        battery,
        ("R", (one, top), c, r[0]),
        ("R", c, (one, low), r[1]),
        ("R", (two, top), d, r[2]),
        ("R", d, (two, low), r[3]),
        (kind, c, d, text),
    ]
    wires = [((left, y), (two, y)) for y in (top, low)]
    return (5.9, 4.2), parts, wires, [c, d, (one, top), (one, low)], [("C", c), ("D", d)]


def _flip(q: Point, size: tuple[float, float]) -> Point:
    return size[0] - q[0], q[1]


def _aside(a: Point, b: Point) -> Point:
    """A point beside the middle of a part, for a wire around it."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    return (a[0] + b[0]) / 2 - 0.22 * dy, (a[1] + b[1]) / 2 + 0.22 * dx


def _wrong(text: str, given: set[str]) -> str | None:
    """The text with another number; None for one without."""
    name, _, value = text.partition(" = ")
    if value == "?":
        return None
    number, unit = value.split()
    return next(t for d in (7, 8, 9) for t in [f"{name} = {int(number) + d} {unit}"] if t not in given)


def distort(p: Params) -> dict[str, Any]:
    """A bare wire runs around one part and shorts it."""
    return {**p, "short": True}


FAMILY = Family(
    name="bridge_circuit",
    subject=Subject.PHYSICS,
    image_type=ImageType.CIRCUIT,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
