"""Math, plane geometry: a right triangle with two sides given; a length or an area asked.

Glance: what kind of angle?
"""

from __future__ import annotations

from math import gcd, hypot, isqrt
from random import Random

from scigen.problems.procedural.canvas import glance_script
from scigen.problems.procedural.family import Drawing, Fact, Family, Glance, Label, Params, Statement, number
from scigen.records import ImageType, Plan, Subject

TRIPLES = tuple(
    (m * m - n * n, 2 * m * n, m * m + n * n)
    for m in range(2, 11)
    for n in range(1, m)
    if (m - n) % 2 and gcd(m, n) == 1 and 1 / 3 < (m * m - n * n) / (2 * m * n) < 3
)
"""Euclid's primitive triples, but for those too flat to be drawn well."""
LEVELS = {1: ("hypotenuse", "leg"), 2: ("perimeter", "area"), 3: ("altitude", "inradius")}
LONGEST = {1: 100, 2: 150, 3: 200}
"""The longest hypotenuse by difficulty."""
NAMES = ("ABC", "PQR", "XYZ", "DEF", "KLM", "STU", "GHJ", "UVW")
FILLS = ("#e8f0fa", "#eef5e6", "#fdf1e3", "#f3ecf7")


def sample(rng: Random, difficulty: int) -> Params:
    """1: the third side; 2: perimeter, or area from leg and hypotenuse; 3: altitude or inradius."""
    a, b, c = rng.choice([t for t in TRIPLES if t[2] <= LONGEST[difficulty]])
    k = rng.randint(1, LONGEST[difficulty] // c)
    if rng.random() < 0.5:
        a, b = b, a
    return {
        "a": a * k,
        "b": b * k,
        "c": c * k,
        "names": rng.choice(NAMES),
        "asked": rng.choice(LEVELS[difficulty]),
        "unit": rng.choice(("cm", "m", "mm", "km")),
        "fill": rng.choice(FILLS),
        "mirror": rng.random() < 0.5,
    }


def kind(p: Params) -> str:
    return str(p.get("asked", "hypotenuse"))


def shown(p: Params) -> tuple[str, str]:
    """The two sides that are given, of a (level), b (upright) and c (hypotenuse)."""
    return ("a", "c") if kind(p) in ("leg", "area", "altitude") else ("a", "b")


def side(p: Params, which: str) -> str:
    n = str(p["names"])
    return {"a": n[1] + n[2], "b": n[0] + n[2], "c": n[0] + n[1]}[which]


def length(p: Params, which: str) -> str:
    return f"{p[which]} {p.get('unit', '')}".strip()


def answer_text(p: Params) -> str:
    """By Pythagoras, and the formulas for area, altitude and inradius, from the given sides."""
    a = p["a"]
    if "b" in shown(p):
        b = p["b"]
        c = isqrt(a * a + b * b)
    else:
        c = p["c"]
        b = isqrt(c * c - a * a)
    match kind(p):
        case "hypotenuse":
            return str(c)
        case "leg":
            return str(b)
        case "perimeter":
            return str(a + b + c)
        case "area":
            return number(a * b / 2, 1)
        case "altitude":
            return f"{a * b / c:.2f}"
        case _:
            return number((a + b - c) / 2, 1)


def asked(p: Params) -> tuple[str, str]:
    """What is asked, and the sign of its leak."""
    n, unit = str(p["names"]), str(p.get("unit", ""))
    of = f" in {unit}" if unit else ""
    return {
        "hypotenuse": (f"length of {side(p, 'c')}{of}", side(p, "c")),
        "leg": (f"length of {side(p, 'b')}{of}", side(p, "b")),
        "perimeter": (f"perimeter of the triangle{of}", "P"),
        "area": (f"area of the triangle{of}²", "A"),
        "altitude": (f"altitude from {n[2]} to {side(p, 'c')}{of} to two decimal places", "h"),
        "inradius": (f"radius of the inscribed circle{of}", "r"),
    }[kind(p)]


def state(p: Params) -> Statement:
    n = str(p["names"])
    want, sign = asked(p)
    answer = answer_text(p)
    listed = " and ".join(f"{side(p, s)} = {length(p, s)}" for s in shown(p))
    unit = str(p.get("unit", ""))
    lies = {"a": "the horizontal leg", "b": "the vertical leg", "c": "the hypotenuse"}
    steps = {"a": (2, 1, 4), "b": (3, 1, 5), "c": (-2, 1, 4)}
    facts = []
    for s in shown(p):
        others = [f"{v} {unit}".strip() for v in _others(p, s, steps[s])]
        question = f"What is the length of {side(p, s)} ({lies[s]})?"
        facts.append(Fact(question, length(p, s), (others[0], others[1], others[2]), f"{side(p, s)} = {length(p, s)}"))
    return Statement(
        question=f"Triangle {n} has a right angle at {n[2]}. {listed}. Find the {want}.",
        multimodal_question=f"Find the {want}.",
        answer=answer,
        leak=(f"{sign} = {answer}", answer),
        facts=(
            Fact("Which vertex has the right angle?", n[2], (n[0], n[1], "none"), f"right angle at {n[2]}"),
            *facts,
        ),
    )


def _others(p: Params, which: str, steps: tuple[int, ...]) -> list[int]:
    """The other given side, and numbers near the right one that no side has."""
    (other,) = (p[s] for s in shown(p) if s != which)
    near = [p[which] + d for d in (*steps, 6, 7) if p[which] + d not in (p["a"], p["b"], p["c"])]
    return [other, *near[:2]]


def plan(p: Params) -> Plan:
    n = str(p["names"])
    first, second = shown(p)
    places = {"a": "below", "b": "beside", "c": "along"}
    where = "left" if p.get("mirror") else "right"
    return Plan(
        content=f"Triangle {n} with the right angle at {n[2]} marked by a small square.",
        layout=f"{n[2]} at the foot, {side(p, 'a')} level to the {where} with the length {p['a']}, {n[0]} straight "
        f"above {n[2]}; equal aspect, no axes.",
        labels=f"{length(p, first)} {places[first]} the side {side(p, first)}, {length(p, second)} {places[second]} "
        f"{side(p, second)}, the vertex names outside the corners.",
        constraints=f"Lengths to scale. The {asked(p)[0]} is asked and must not be shown.",
    )


def draw(p: Params) -> Drawing:
    a, b, n = float(p["a"]), float(p["b"]), str(p["names"])
    s = max(a, b)
    q, d = 0.07 * s, 0.07 * s
    m = -1 if p.get("mirror") else 1
    ends = sorted((m * -0.25 * s, m * (a + 0.15 * s)))
    body = f"""
        ax.set_position([0.02, 0.02, 0.96, 0.96])
        ax.fill([0, {m * a:g}, 0], [0, 0, {b:g}],
                facecolor="{p.get("fill", FILLS[0])}", edgecolor="black", linewidth=1.8)
        ax.plot([{m * q:.4g}, {m * q:.4g}, 0], [0, {q:.4g}, {q:.4g}], color="black", linewidth=1.2)
        ax.set_xlim({ends[0]:.4g}, {ends[1]:.4g})
        ax.set_ylim({-0.2 * s:.4g}, {b + 0.15 * s:.4g})
        ax.set_aspect("equal")
        ax.axis("off")
    """
    near, away = ("right", "left") if m > 0 else ("left", "right")
    c = hypot(a, b)
    places = {
        "a": (m * a / 2, -d, "center"),
        "b": (-m * 0.45 * d, b / 2, near),
        "c": (m * (a / 2 + 0.5 * d * b / c), b / 2 + 0.5 * d * a / c, away),
    }
    unit = str(p.get("unit", ""))
    labels = []
    for which, step in zip(shown(p), (2, 3), strict=True):
        x, y, align = places[which]
        wrong = next(v for v in range(p[which] + step, p[which] + 9) if v not in (p["a"], p["b"], p["c"]))
        text = f"{wrong} {unit}".strip()
        # At the middle of the slanting side the text's lower corner is next to the line.
        style = {"ha": align, "va": "bottom"} if which == "c" else {"ha": align}
        labels.append(Label(length(p, which), x, y, wrong=text, style=style))
    labels += [
        Label(n[0], 0, b + d, style={"style": "italic", "fontsize": 14}),
        Label(n[1], m * (a + d), 0, style={"style": "italic", "fontsize": 14}),
        Label(n[2], -m * 0.8 * d, -0.8 * d, style={"style": "italic", "fontsize": 14}),
    ]
    return Drawing(body, tuple(labels))


def distort(p: Params) -> Params:
    return {**p, "a": p["b"], "b": p["a"]} if p["a"] != p["b"] else {**p, "a": int(p["a"]) * 2}


ANGLES = {"acute": (25, 65), "right": (90, 90), "obtuse": (115, 155), "straight": (180, 180)}


def glance_sample(rng: Random, answer: str) -> Params:
    low, high = ANGLES[answer]
    return {
        "angle": rng.randint(low, high),
        "turn": rng.randrange(-12, 13, 2),
        "x": rng.randrange(-8, 9, 2),
        "y": rng.randrange(-8, 9, 2),
        "color": rng.choice(["black", "tab:blue", "tab:red", "tab:green"]),
    }


def glance_draw(p: Params) -> str:
    return glance_script(f"""
        x, y, turn, angle = 40 + {p["x"]}, 34 + {p["y"]}, np.radians({p["turn"]}), np.radians({p["angle"]})
        for t in (turn, turn + angle):
            ray = [x, x + 38 * np.cos(t)], [y, y + 38 * np.sin(t)]
            ax.plot(*ray, color="{p["color"]}", linewidth=3, solid_capstyle="round")
        t = np.linspace(turn, turn + angle, 40)
        ax.plot(x + 14 * np.cos(t), y + 14 * np.sin(t), color="tab:orange", linewidth=2)
    """)


def solve(p: Params) -> float:
    """In coordinates: distances and the shoelace formula; the inradius by halving an interval."""
    from math import dist

    x, y = float(p["a"]), float(p["b"])
    foot, right, top = (0.0, 0.0), (x, 0.0), (0.0, y)

    def to_slant(q: tuple[float, float]) -> float:
        """Distance of a point below the hypotenuse from it."""
        return (x * y - y * q[0] - x * q[1]) / dist(right, top)

    match kind(p):
        case "hypotenuse":
            return dist(right, top)
        case "leg":
            return dist(foot, top)
        case "perimeter":
            return dist(foot, right) + dist(right, top) + dist(top, foot)
        case "area":
            return abs(right[0] * top[1] - right[1] * top[0]) / 2
        case "altitude":
            return to_slant(foot)
    low, high = 0.0, min(x, y)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if to_slant((middle, middle)) > middle else (low, middle)
    return low


FAMILY = Family(
    name="right_triangle",
    subject=Subject.MATH,
    image_type=ImageType.PLANE_GEOMETRIC,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
    glance=Glance(
        question="What kind of angle is drawn?",
        answers=tuple(ANGLES),
        sample=glance_sample,
        draw=glance_draw,
        content=("angle", "turn", "x", "y"),
    ),
)
