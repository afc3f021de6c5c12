"""Math, plane geometry: a right triangle with its legs given, the hypotenuse asked. Glance: what kind of angle?"""

from __future__ import annotations

from random import Random

from scigen.problems.procedural.canvas import glance_script
from scigen.problems.procedural.family import Drawing, Fact, Family, Glance, Label, Params, Statement
from scigen.records import ImageType, Plan, Subject

TRIPLES = ((3, 4, 5), (5, 12, 13), (8, 15, 17), (7, 24, 25), (20, 21, 29), (9, 40, 41))


def sample(rng: Random, difficulty: int) -> Params:
    a, b, c = rng.choice(TRIPLES[: 2 * difficulty])
    k = rng.randint(1, 2 * difficulty)
    if rng.random() < 0.5:
        a, b = b, a
    return {"a": a * k, "b": b * k, "c": c * k, "names": rng.choice(["ABC", "PQR", "XYZ", "DEF"])}


def state(p: Params) -> Statement:
    a, b, c, n = p["a"], p["b"], p["c"], str(p["names"])
    side = f"{n[0]}{n[1]}"
    return Statement(
        question=f"Triangle {n} has a right angle at {n[2]}. {n[1]}{n[2]} = {a} and {n[0]}{n[2]} = {b}. "
        f"Find the length of {side}.",
        multimodal_question=f"Find the length of {side}.",
        answer=str(c),
        leak=(f"{side} = {c}", str(c)),
        facts=(
            Fact("Which vertex has the right angle?", n[2], (n[0], n[1], "none"), f"right angle at {n[2]}"),
            Fact(
                f"What is the length of {n[1]}{n[2]} (the horizontal leg)?",
                str(a),
                _others(a, (b, a + 2, c, a + 1, c + 1)),
                f"{n[1]}{n[2]} = {a}",
            ),
            Fact(
                f"What is the length of {n[0]}{n[2]} (the vertical leg)?",
                str(b),
                _others(b, (a, b + 3, c, b + 1, c + 1)),
                f"{n[0]}{n[2]} = {b}",
            ),
        ),
    )


def _others(right: int, candidates: tuple[int, ...]) -> tuple[str, str, str]:
    """The first three candidates that differ from the right value and from each other."""
    first, second, third = [str(x) for x in dict.fromkeys(candidates) if x != right][:3]
    return first, second, third


def plan(p: Params) -> Plan:
    n = str(p["names"])
    return Plan(
        content=f"Triangle {n} with the right angle at {n[2]} marked by a small square.",
        layout=f"{n[2]} at the origin, {n[1]} at ({p['a']}, 0), {n[0]} at (0, {p['b']}); equal aspect, no axes.",
        labels=f"{p['a']} below the leg {n[1]}{n[2]}, {p['b']} left of the leg {n[0]}{n[2]}, "
        "the vertex names outside the corners.",
        constraints=f"Lengths to scale. The length of {n[0]}{n[1]} is asked and must not be shown.",
    )


def draw(p: Params) -> Drawing:
    a, b, n = float(p["a"]), float(p["b"]), str(p["names"])
    s = max(a, b)
    q, d = 0.07 * s, 0.07 * s
    body = f"""
        ax.fill([0, {a:g}, 0], [0, 0, {b:g}], facecolor="#e8f0fa", edgecolor="black", linewidth=1.8)
        ax.plot([{q:.4g}, {q:.4g}, 0], [0, {q:.4g}, {q:.4g}], color="black", linewidth=1.2)
        ax.set_xlim({-0.2 * s:.4g}, {a + 0.15 * s:.4g})
        ax.set_ylim({-0.2 * s:.4g}, {b + 0.15 * s:.4g})
        ax.set_aspect("equal")
        ax.axis("off")
    """
    labels = (
        Label(f"{a:g}", a / 2, -d, wrong=f"{a + 2:g}"),
        Label(f"{b:g}", -d * (0.6 + 0.25 * len(f"{b:g}")), b / 2, wrong=f"{b + 3:g}"),
        Label(n[0], 0, b + d, style={"style": "italic", "fontsize": 14}),
        Label(n[1], a + d, 0, style={"style": "italic", "fontsize": 14}),
        Label(n[2], -0.8 * d, -0.8 * d, style={"style": "italic", "fontsize": 14}),
    )
    return Drawing(body, labels)


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


FAMILY = Family(
    name="right_triangle",
    subject=Subject.MATH,
    image_type=ImageType.PLANE_GEOMETRIC,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    glance=Glance(
        question="What kind of angle is drawn?",
        answers=tuple(ANGLES),
        sample=glance_sample,
        draw=glance_draw,
        content=("angle", "turn", "x", "y"),
    ),
)
