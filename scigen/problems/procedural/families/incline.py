"""Physics, mechanics: a block on an incline with its free-body diagram. Glance: which way does the force point?"""

from __future__ import annotations

from math import cos, radians, sin, tan
from random import Random

import numpy as np

from scigen.problems.procedural.canvas import glance_script
from scigen.problems.procedural.family import Drawing, Fact, Family, Glance, Label, Params, Statement, number
from scigen.records import ImageType, Plan, Subject

GRAVITY = 9.8
ANGLES = range(20, 46)
ASKED = {1: "normal force", 2: "acceleration", 3: "acceleration"}
"""What is asked at each difficulty; friction acts at difficulty 3 only."""


def sample(rng: Random, difficulty: int) -> Params:
    while True:
        p = {
            "asked": ASKED[difficulty],
            "mass": rng.randint(10, 200) / 10,
            "angle": rng.choice(ANGLES),
            # At 20 degrees tan is 0.36: the block slides down for every coefficient drawn here.
            "mu": rng.randint(5, 30) / 100 if difficulty == 3 else 0.0,
            "tilt": 0,
        }
        if float(result(p)[1]) not in (p["mass"], p["angle"]):
            return p


def result(p: Params) -> tuple[str, str, str]:
    """Symbol, value to one decimal place and unit of what is asked."""
    t = radians(p["angle"])
    if p["asked"] == "normal force":
        return "N", f"{p['mass'] * GRAVITY * cos(t):.1f}", "N"
    return "a", f"{GRAVITY * (sin(t) - p['mu'] * cos(t)):.1f}", "m/s²"


def state(p: Params) -> Statement:
    symbol, value, unit = result(p)
    mass, angle, mu = p["mass"], p["angle"], f"{p['mu']:.2f}"
    printed = number(mass)
    friction = f" The coefficient of kinetic friction is {mu}." if p["mu"] else " There is no friction."
    want = (
        f"Find the {p['asked']} {'on' if symbol == 'N' else 'of'} the block in {unit}, to one decimal place "
        f"(g = {GRAVITY} m/s²)."
    )
    facts = [
        Fact(
            "What is the angle of the incline?",
            f"{angle}°",
            (f"{angle + 10}°", f"{angle - 10}°", f"{angle + 20}°"),
            f"θ = {angle}°",
        ),
        Fact(
            "What is the mass of the block?",
            f"{printed} kg",
            (f"{number(mass + 1)} kg", f"{number(mass + 3)} kg", f"{number(2 * mass + 5)} kg"),
            f"m = {printed} kg",
        ),
        Fact(
            "Which force points straight down?",
            "mg",
            ("N", "f", "none of them"),
            "the weight mg acts vertically",
        ),
    ]
    if p["mu"]:
        wrong = [f"{p['mu'] + d:.2f}" for d in (0.05, 0.1, 0.3)]
        facts.append(
            Fact("What is the coefficient of friction?", mu, (wrong[0], wrong[1], wrong[2]), f"μ = {mu}"),
        )
    return Statement(
        question=f"A block of mass {printed} kg slides down an incline of {angle}°.{friction} {want}",
        multimodal_question=f"The block slides down the incline.{'' if p['mu'] else friction} {want}",
        answer=value,
        leak=(f"{symbol} = {value} {unit}", f"{value} {unit}"),
        facts=tuple(facts),
    )


def plan(p: Params) -> Plan:
    friction = ", f up the slope" if p["mu"] else ""
    return Plan(
        content=f"An incline of {p['angle']}°, a block, the forces mg and N{' and f' if p['mu'] else ''} as arrows.",
        layout=f"Right triangle, angle at the left, block half-way up; mg vertical, N normal to the slope{friction}.",
        labels=f"m = {number(p['mass'])} kg left of the block, θ = {p['angle']}° at the foot, forces at the arrow tips"
        + (f", μ = {p['mu']:.2f} under the surface." if p["mu"] else "."),
        constraints=f"Angle to scale, equal aspect. The {p['asked']} is asked: its value must not be shown.",
    )


def draw(p: Params) -> Drawing:
    angle, mu = p["angle"], p["mu"]
    t = radians(angle)
    base = 6.0 if angle <= 30 else 5.4 if angle <= 40 else 4.8
    height = base * tan(t)
    along, normal = (cos(t), sin(t)), (-sin(t), cos(t))

    def at(share: float, up: float, shift: float = 0.0) -> tuple[float, float]:
        """The point `share` of the way up the slope, `up` above the surface, `shift` further on."""
        way = share * base / cos(t) + shift
        return way * along[0] + up * normal[0], way * along[1] + up * normal[1]

    corners = [at(0.55, u, s) for u, s in ((0, -0.65), (0, 0.65), (0.9, 0.65), (0.9, -0.65))]
    cx, cy = at(0.55, 0.45)
    weight = 1.45
    lean = radians(p["tilt"])
    tips = [
        (cx + weight * sin(lean), cy - weight * cos(lean), "tab:red"),
        (cx + weight * cos(t) * normal[0], cy + weight * cos(t) * normal[1], "tab:blue"),
    ]
    if mu:
        tips.append((cx + 1.5 * along[0], cy + 1.5 * along[1], "tab:green"))
    points = ", ".join(f'({x:.4g}, {y:.4g}, "{c}")' for x, y, c in tips)
    body = f"""
        fig.subplots_adjust(0.02, 0.02, 0.98, 0.98)
        ax.fill([0, {base:.4g}, {base:.4g}], [0, 0, {height:.4g}],
                facecolor="#efe6d5", edgecolor="black", linewidth=1.8)
        ax.plot([-0.4, {base + 0.4:.4g}], [0, 0], color="black", linewidth=1.8)
        ax.fill({[round(x, 3) for x, _ in corners]}, {[round(y, 3) for _, y in corners]},
                facecolor="#b9cfe8", edgecolor="black", linewidth=1.8)
        arc = np.radians(np.linspace(0, {angle}, 30))
        ax.plot(1.1 * np.cos(arc), 1.1 * np.sin(arc), color="black", linewidth=1.2)
        for x, y, color in [{points}]:
            ax.annotate("", xy=(x, y), xytext=({cx:.4g}, {cy:.4g}), arrowprops=dict(
                arrowstyle="-|>", color=color, linewidth=2.2, mutation_scale=16, shrinkA=0, shrinkB=0))
        ax.plot({cx:.4g}, {cy:.4g}, "o", color="black", markersize=4)
        ax.set_xlim(-0.7, {base + 0.7:.4g})
        ax.set_ylim(-0.4, {max(height, cy + weight) + 0.9:.4g})
        ax.set_aspect("equal")
        ax.axis("off")
    """
    mx, my = at(0.55, 0.75, -0.85)
    nx, ny = at(0.55, 0.45 + weight * cos(t) + 0.25)
    force = {"style": "italic", "fontsize": 13}
    labels = [
        Label(f"m = {number(p['mass'])} kg", mx, my, wrong=f"m = {number(p['mass'] + 3)} kg", style={"ha": "right"}),
        Label(
            f"θ = {angle}°", 1.25, 0.24, wrong=f"θ = {angle + 15 if angle < 40 else angle - 15}°", style={"ha": "left"}
        ),
        Label("mg", cx + 0.38, cy - weight + 0.12, style={**force, "color": "tab:red"}),
        Label("N", nx, ny, style={**force, "color": "tab:blue"}),
    ]
    if mu:
        fx, fy = at(0.55, 0.78, 1.4)
        sx, sy = at(0.8, -0.3)
        labels.append(Label("f", fx, fy, style={**force, "color": "tab:green"}))
        slope = {"rotation": angle, "rotation_mode": "anchor"}
        labels.append(Label(f"μ = {mu:.2f}", sx, sy, wrong=f"μ = {mu + 0.2:.2f}", style=slope))
    return Drawing(body, tuple(labels))


def distort(p: Params) -> Params:
    """The weight leans into the slope instead of hanging straight down."""
    return {**p, "tilt": p["angle"]}


TURNS = {"right": 0, "up": 90, "left": 180, "down": 270}


def glance_sample(rng: Random, answer: str) -> Params:
    return {
        "turn": TURNS[answer],
        "lean": rng.randrange(-10, 11, 5),
        "length": rng.choice([36, 38, 40]),
        "x": rng.randrange(-8, 9, 2),
        "y": rng.randrange(-8, 9, 2),
        "color": rng.choice(["black", "tab:blue", "tab:red", "tab:green"]),
    }


def glance_draw(p: Params) -> str:
    return glance_script(f"""
        x, y, length = 48 + {p["x"]}, 48 + {p["y"]}, {p["length"]}
        ax.fill([x - 13, x + 13, x + 13, x - 13], [y - 13, y - 13, y + 13, y + 13], color="silver")
        turn = np.radians({p["turn"]} + {p["lean"]})
        along = np.array([0, length - 18, length - 18, length, length - 18, length - 18, 0])
        across = np.array([4, 4, 12, 0, -12, -4, -4])
        ax.fill(x + along * np.cos(turn) - across * np.sin(turn), y + along * np.sin(turn) + across * np.cos(turn),
                color="{p["color"]}")
    """)


def solve(p: Params) -> float:
    """Newton's second law in horizontal and vertical components, solved for normal force and acceleration."""
    t, m = radians(p["angle"]), p["mass"]
    # unknowns N and a: N (sin t - mu cos t) = m a cos t and N (cos t + mu sin t) - m g = -m a sin t
    rows = [
        [sin(t) - p["mu"] * cos(t), -m * cos(t)],
        [cos(t) + p["mu"] * sin(t), m * sin(t)],
    ]
    normal, acceleration = np.linalg.solve(rows, [0, m * GRAVITY])
    return float(normal if p["asked"] == "normal force" else acceleration)


FAMILY = Family(
    name="incline",
    subject=Subject.PHYSICS,
    image_type=ImageType.MECHANICAL,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
    glance=Glance(
        question="Which way does the force on the block point?",
        answers=("up", "down", "left", "right"),
        sample=glance_sample,
        draw=glance_draw,
        content=("turn", "lean", "length", "x", "y"),
    ),
)
