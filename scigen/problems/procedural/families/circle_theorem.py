"""Math, plane geometry: angles in a circle by its theorems (centre, tangents, cyclic quadrilateral), to scale."""

from __future__ import annotations

from math import atan2, cos, degrees, hypot, pi, radians, sin, tan
from random import Random
from typing import Any, NamedTuple

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement, distractors
from scigen.problems.procedural.placing import Page, Point, fitted, inch_axes
from scigen.records import ImageType, Plan, Subject

NAMES = ("ABCD", "PQRS", "KLMN", "EFGH", "UVWY")
FILLS = ("#e8f0fa", "#eef5e6", "#fdf1e3", "#f3ecf7")
LEVELS = {
    1: ("inscribed", "central", "thales", "opposite"),
    2: ("tangents", "alternate", "isosceles"),
    3: ("quadrilateral", "two tangents", "chords"),
}
SIZE = (5.0, 4.2)
SMALLEST = 24
"""Degrees; a mark of a smaller angle has no room for its text."""


class Setting(NamedTuple):
    """One kind of problem: letters 1 to 4 are the points of the circle in turn, O its centre, T outside, X inside."""

    words: str
    given: tuple[str, ...]
    """Angles by three letters, the vertex in the middle."""
    asked: str
    lines: tuple[str, ...]
    tangent: bool = False


SETTINGS = {
    "inscribed": Setting("{1}, {2} and {3} lie on a circle with centre O", ("1O2",), "132", ("1O2", "132")),
    "central": Setting("{1}, {2} and {3} lie on a circle with centre O", ("132",), "1O2", ("1O2", "132")),
    "thales": Setting(
        "{1}{2} is a diameter of a circle with centre O, and {3} lies on the circle", ("213",), "123", ("1231",)
    ),
    "opposite": Setting("The quadrilateral {1}{2}{3}{4} is inscribed in a circle", ("123",), "341", ("12341",)),
    "tangents": Setting(
        "T{1} and T{2} are tangents to a circle with centre O at {1} and {2}; {3} lies on the major arc {1}{2}",
        ("1T2",),
        "132",
        ("1T2", "132", "1O2"),
        True,
    ),
    "alternate": Setting(
        "{1}, {2} and {3} lie on a circle. T{1} is the tangent at {1}, with T on the same side of {1}{3} as {2}",
        ("T12", "213"),
        "123",
        ("T1", "1231"),
        True,
    ),
    "isosceles": Setting(
        "{1}, {2} and {3} lie on a circle with centre O, which is inside the triangle {1}{2}{3}",
        ("O12",),
        "132",
        ("1O2", "1231"),
    ),
    "quadrilateral": Setting(
        "The quadrilateral {1}{2}{3}{4} is inscribed in a circle with centre O whose diameter is {1}{2}",
        ("213", "124"),
        "324",
        ("12341", "13", "24"),
    ),
    "two tangents": Setting(
        "T{1} and T{2} are tangents to a circle with centre O at {1} and {2}; {3} lies on the major arc {1}{2}, and O "
        "is inside the triangle {1}{2}{3}",
        ("1T2", "O13"),
        "O23",
        ("1T2", "132", "1O2"),
        True,
    ),
    "chords": Setting(
        "The quadrilateral {1}{2}{3}{4} is inscribed in a circle; its diagonals meet at X",
        ("213", "134"),
        "1X2",
        ("12341", "13", "24"),
    ),
}


def sample(rng: Random, difficulty: int) -> Params:
    """1: one theorem; 2: a tangent or an isosceles triangle as well; 3: three steps, two given angles."""
    while True:
        kind = rng.choice(LEVELS[difficulty])
        p: dict[str, Any] = {
            "kind": kind,
            "arcs": _arcs(rng, kind),
            "turn": rng.randrange(0, 360, 5),
            "names": rng.choice(NAMES),
            "fill": rng.choice(FILLS),
        }
        values = [value for _, value in given_values(p)] + [answer_value(p)]
        fits = min(values) >= SMALLEST and min(p["arcs"]) >= 2 * SMALLEST
        if len(set(values)) == len(values) and fits and _tidy(p):
            return p


def _arcs(rng: Random, kind: str) -> list[int]:
    """Arcs in degrees from each point to the next, all even, 360 together."""
    if kind == "thales":
        first = 2 * rng.randint(SMALLEST, 90 - SMALLEST)
        return [180, first, 180 - first]
    if kind == "quadrilateral":
        one, two = 2 * rng.randint(24, 38), 2 * rng.randint(24, 38)
        return [180, one, two, 180 - one - two]
    if kind in ("opposite", "chords"):
        arcs = [2 * rng.randint(26, 70) for _ in range(3)]
        return [*arcs, 360 - sum(arcs)]
    first, second = 2 * rng.randint(30, 56 if SETTINGS[kind].tangent else 75), 2 * rng.randint(50, 75)
    return [first, second, 360 - first - second]


def given_values(p: Params) -> list[tuple[str, int]]:
    """The given angles in degrees, found from the arcs: half an arc at the circle, the whole arc at the centre."""
    a = p["arcs"]
    match p["kind"]:
        case "inscribed":
            return [("1O2", a[0])]
        case "central":
            return [("132", a[0] // 2)]
        case "thales":
            return [("213", a[1] // 2)]
        case "opposite":
            return [("123", (a[2] + a[3]) // 2)]
        case "tangents":
            return [("1T2", 180 - a[0])]
        case "alternate":
            return [("T12", a[0] // 2), ("213", a[1] // 2)]
        case "isosceles":
            return [("O12", 90 - a[0] // 2)]
        case "quadrilateral":
            return [("213", a[1] // 2), ("124", a[3] // 2)]
        case "two tangents":
            return [("1T2", 180 - a[0]), ("O13", 90 - a[2] // 2)]
        case _:
            return [("213", a[1] // 2), ("134", a[3] // 2)]


def answer_value(p: Params) -> int:
    """Degrees, by the theorems, from the given angles alone."""
    first, *more = [value for _, value in given_values(p)]
    match p["kind"]:
        case "inscribed":
            return first // 2
        case "central":
            return 2 * first
        case "thales" | "isosceles":
            return 90 - first
        case "opposite":
            return 180 - first
        case "tangents":
            return (180 - first) // 2
        case "alternate" | "chords":
            return int(180 - first - more[0])
        case "quadrilateral":
            return int(90 - first - more[0])
        case _:
            return int((180 - first) // 2 - more[0])


def points(p: Params) -> dict[str, Point]:
    """Coordinates on the unit circle, and of T and X where the kind has them."""
    found: dict[str, Point] = {"O": (0.0, 0.0)}
    angle = float(p["turn"])
    for i, arc in enumerate(p["arcs"]):
        found[str(i + 1)] = (cos(radians(angle)), sin(radians(angle)))
        angle += arc
    turn, half = radians(p["turn"]), radians(p["arcs"][0] / 2)
    if p["kind"] == "alternate":
        found["T"] = (cos(turn) - 1.1 * sin(turn), sin(turn) + 1.1 * cos(turn))
    elif SETTINGS[p["kind"]].tangent:
        found["T"] = (cos(turn + half) / cos(half), sin(turn + half) / cos(half))
    if p["kind"] == "chords":
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = (found[k] for k in "1234")
        cross = (cx - ax) * (dy - by) - (cy - ay) * (dx - bx)
        t = ((bx - ax) * (dy - by) - (by - ay) * (dx - bx)) / cross
        found["X"] = (ax + t * (cx - ax), ay + t * (cy - ay))
    return found


def solve(p: Params) -> float:
    """The angle measured in the coordinates of the points."""
    at = points(p)
    first, vertex, last = (complex(*at[k]) for k in SETTINGS[p["kind"]].asked)
    ratio = (first - vertex) / (last - vertex)
    return abs(degrees(atan2(ratio.imag, ratio.real)))


def named(text: str, p: Params) -> str:
    for i, name in enumerate(p["names"], 1):
        text = text.replace(f"{{{i}}}", name).replace(str(i), name)
    return text


def state(p: Params) -> Statement:
    setting = SETTINGS[p["kind"]]
    given = [(f"∠{named(k, p)}", v) for k, v in given_values(p)]
    asked, answer = f"∠{named(setting.asked, p)}", str(answer_value(p))
    listed = " and ".join(f"{name} = {value}°" for name, value in given)
    want = f"Find {asked} in degrees."
    on = p["names"][: len(p["arcs"])]
    last = "T" if setting.tangent else "X" if p["kind"] == "chords" else "O"
    where = {
        "T": ("Which named point lies outside the circle?", "T is outside"),
        "X": ("At which point do two chords cross inside the circle?", "the diagonals meet at X"),
        "O": ("Which named point lies inside the circle?", "O is the centre"),
    }[last]
    facts = [
        Fact(
            f"What is the size of {name}?",
            f"{value}°",
            _degrees(distractors(Random(value), value, (-12, -7, 5, 9, 14), 0)),
            f"{name} = {value}°",
        )
        for name, value in given
    ]
    if p["kind"] != "opposite":
        facts.append(Fact(where[0], last, (on[0], on[1], on[2]), where[1]))
    facts.append(Fact("How many of the named points lie on the circle?", *_count(len(on)), ", ".join(on)))
    tangent = "tangent" if setting.tangent else "no tangent"
    kinds = ("1", "2", "3")
    lines = {"alternate": "1"}.get(p["kind"], "2" if setting.tangent else "0")
    facts.append(
        Fact(
            "How many tangents to the circle are drawn?",
            lines,
            tuple(k for k in ("0", *kinds) if k != lines),  # type: ignore[arg-type]
            tangent,
        )
    )
    return Statement(
        question=f"{named(setting.words, p)}. {listed}. {want}",
        multimodal_question=want,
        answer=answer,
        leak=(f"{asked} = {answer}°", f"{answer}°"),
        facts=tuple(facts),
    )


def _degrees(values: tuple[str, str, str]) -> tuple[str, str, str]:
    return f"{values[0]}°", f"{values[1]}°", f"{values[2]}°"


def _count(n: int) -> tuple[str, tuple[str, str, str]]:
    first, second, third = (str(k) for k in (2, 3, 4, 5) if k != n)
    return str(n), (first, second, third)


def plan(p: Params) -> Plan:
    setting = SETTINGS[p["kind"]]
    lines = ", ".join(named(line, p) for line in setting.lines)
    listed = ", ".join(f"∠{named(k, p)} = {v}°" for k, v in given_values(p))
    asked = f"∠{named(setting.asked, p)}"
    return Plan(
        content=f"{named(setting.words, p)}. Lines {lines}.",
        layout="The circle fills the page; points on it by their true arcs, equal aspect, no axes.",
        labels=f"An arc and the value at each given angle: {listed}; a double arc at the asked one; names outside.",
        constraints="Angles to scale: an inscribed angle is half the central one, a tangent is perpendicular to the "
        f"radius. The angle {asked} is asked and must not be shown; no right angle is marked.",
    )


def layout(p: Params) -> tuple[dict[str, Point], float, Page]:
    """The points in inches, the radius, and a page with all lines on it."""
    unit = points(p)
    hull = [(cos(k * pi / 18), sin(k * pi / 18)) for k in range(36)] + [unit[k] for k in unit]
    r, dx, dy = fitted(hull, (0.42, 0.42, SIZE[0] - 0.42, SIZE[1] - 0.42))
    at = {k: (r * x + dx, r * y + dy) for k, (x, y) in unit.items()}
    page = Page(*SIZE)
    page.line(*((r * cos(k * pi / 60) + dx, r * sin(k * pi / 60) + dy) for k in range(121)))
    for line in SETTINGS[p["kind"]].lines:
        page.line(*(at[k] for k in line))
    return at, r, page


def _mark(at: dict[str, Point], angle: str) -> tuple[float, float, Point, float]:
    """First and last direction of an angle in degrees, its vertex, and how far from it its text stands."""
    a, v, b = (at[k] for k in angle)
    start, end = (degrees(atan2(q[1] - v[1], q[0] - v[0])) for q in (a, b))
    if (end - start) % 360 > 180:
        start, end = end, start
    end = start + (end - start) % 360
    return start, end, v, max(0.5, 0.24 / tan(radians(min(end - start, 120) / 2)))


def _texts(p: Params, at: dict[str, Point]) -> list[tuple[str, Point]]:
    """Each given value and where it stands."""
    found = []
    for angle, value in given_values(p):
        start, end, (x, y), far = _mark(at, angle)
        middle = radians((start + end) / 2)
        found.append((f"{value}°", (x + far * cos(middle), y + far * sin(middle))))
    return found


def _tidy(p: Params) -> bool:
    """Whether every value stands clear of the lines, and no two named points crowd each other."""
    at, _, page = layout(p)
    shown = [v for k, v in at.items() if k != "O" or _has_centre(p)]
    apart = min(hypot(a[0] - b[0], a[1] - b[1]) for i, a in enumerate(shown) for b in shown[:i])
    return apart > 0.45 and all(page.clearance(text, x, y, 11) > 0.03 for text, (x, y) in _texts(p, at))


def _has_centre(p: Params) -> bool:
    return p["kind"] not in ("opposite", "chords", "alternate")


def draw(p: Params) -> Drawing:
    at, r, page = layout(p)
    setting = SETTINGS[p["kind"]]
    turned = p.get("bulge", 1.0)
    x, y = at["O"]
    code = [
        inch_axes(*SIZE),
        "from matplotlib.patches import Arc, Ellipse",
        f"ax.add_patch(Ellipse(({x:.4g}, {y:.4g}), {2 * r:.4g}, {2 * r * turned:.4g}, "
        f'facecolor="{p["fill"]}", edgecolor="black", linewidth=1.8))',
    ]
    for line in setting.lines:
        xs, ys = [round(at[k][0], 3) for k in line], [round(at[k][1], 3) for k in line]
        code.append(f'ax.plot({xs}, {ys}, color="black", linewidth=1.6, solid_joinstyle="round")')
    marks = [(angle, "tab:blue") for angle, _ in given_values(p)] + [(setting.asked, "tab:red")]
    for angle, color in marks:
        start, end, (vx, vy), far = _mark(at, angle)
        # The arc of a narrow angle lies close to its value, so that one sees what the value belongs to.
        steps = [radians(start + (end - start) * i / 12) for i in range(13)]
        page.line(*((vx + 0.3 * cos(a), vy + 0.3 * sin(a)) for a in steps))
        for radius in (0.24, 0.3) if angle == setting.asked else (max(0.3, far - 0.24),):
            code.append(
                f"ax.add_patch(Arc(({vx:.4g}, {vy:.4g}), {2 * radius:g}, {2 * radius:g}, theta1={start:.2f}, "
                f'theta2={end:.2f}, color="{color}", linewidth=1.5))'
            )
    dots = [k for k in at if k != "O" or _has_centre(p)]
    code.append(
        f"ax.plot({[round(at[k][0], 3) for k in dots]}, {[round(at[k][1], 3) for k in dots]}, "
        '"o", color="black", markersize=4.5)'
    )
    labels: list[Label] = []
    taken = [value for _, value in given_values(p)]
    for text, (tx, ty) in _texts(p, at):
        wrong = next(v for v in (int(text[:-1]) + 11, int(text[:-1]) + 13, int(text[:-1]) + 15) if v not in taken)
        labels.append(Label(text, tx, ty, wrong=f"{wrong}°", style={"color": "tab:blue", "fontsize": 11}))
        page.text(text, tx, ty, 11)
    for k in dots:
        name = named(k, p)
        out = atan2(at[k][1] - y, at[k][0] - x) if k != "O" else None
        lx, ly = page.beside(name, at[k], 0.07, 13, out)
        labels.append(Label(name, lx, ly, style={"fontsize": 13, "style": "italic"}))
    return Drawing("\n".join(code), tuple(labels), SIZE)


def distort(p: Params) -> dict[str, Any]:
    """The circle is flattened, so that the points no longer lie on it."""
    return {**p, "bulge": 0.72}


FAMILY = Family(
    name="circle_theorem",
    subject=Subject.MATH,
    image_type=ImageType.PLANE_GEOMETRIC,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
