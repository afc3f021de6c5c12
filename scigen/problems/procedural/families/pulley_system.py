"""Physics, mechanics: blocks on a string over one or two pulleys; the acceleration or a tension asked."""

from __future__ import annotations

from math import cos, radians, sin, sqrt
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement
from scigen.records import ImageType, Plan, Subject

GRAVITY = 9.8
ASKED = {
    1: (("table", "acceleration"), ("atwood", "acceleration")),
    2: (("atwood", "tension"), ("table", "tension"), ("slope", "acceleration")),
    3: (("double", "tension"), ("slope", "tension")),
}
"""By difficulty: the arrangement and what is asked; friction acts at difficulty 3, and at 2 on the table."""
STORY = {
    "atwood": "hang on a string over a fixed pulley",
    "table": "are joined by a string over a pulley: m₁ lies on a horizontal table, m₂ hangs over its edge",
    "slope": "are joined by a string over a pulley at the top of a slope: m₁ lies on the slope, m₂ hangs freely",
    "double": "are joined by strings over two pulleys: m₂ lies on a horizontal table, m₁ hangs over its one edge "
    "and m₃ over the other",
}


def sample(rng: Random, difficulty: int) -> Params:
    layout, asked = rng.choice(ASKED[difficulty])
    while True:
        masses = [rng.randint(10, 90) / 10 for _ in range(3 if layout == "double" else 2)]
        rough = difficulty == 3 or (layout, asked) == ("table", "tension")
        p: dict[str, Any] = {
            "layout": layout,
            "asked": asked,
            "masses": masses,
            "mu": rng.randint(5, 40) / 100 if rough else 0.0,
            "angle": rng.randint(20, 45) if layout == "slope" else 0,
            "side": rng.choice([1, -1]),
            "lean": 0,
        }
        apart = all(abs(a - b) > 0.25 for i, a in enumerate(masses) for b in masses[:i])
        near = max(masses) <= 5 * min(masses)
        told = {*masses, p["mu"], float(p["angle"])}
        if apart and near and 0.4 <= motion(p) <= 8 and float(result(p)[1]) not in told:
            return p


def motion(p: Params) -> float:
    """The acceleration in m/s², positive when the last block (in Atwood's machine the heavier one) goes down."""
    m, mu, t = p["masses"], p["mu"], radians(p["angle"])
    if p["layout"] == "atwood":
        pull = abs(m[0] - m[1])
    elif p["layout"] == "double":
        pull = m[2] - m[0] - mu * m[1]
    else:
        pull = m[1] - m[0] * (sin(t) + mu * cos(t))
    return float(GRAVITY * pull / sum(m))


def result(p: Params) -> tuple[str, str, str]:
    """Symbol, value to two decimals and unit of what is asked."""
    a, m = motion(p), p["masses"]
    if p["asked"] == "acceleration":
        return "a", f"{a:.2f}", "m/s²"
    falling = max(m) if p["layout"] == "atwood" else m[-1]
    return "T", f"{falling * (GRAVITY - a):.2f}", "N"


def solve(p: Params) -> float:
    """Newton's second law, one equation a block, as a linear system in the acceleration and the tensions."""
    import numpy as np

    m, t = p["masses"], radians(p["angle"])
    if p["layout"] == "double":
        # Unknowns a, T (left), T (right).
        rows = [[m[0], -1, 0], [m[1], 1, -1], [m[2], 0, 1]]
        forces = [-m[0] * GRAVITY, -p["mu"] * m[1] * GRAVITY, m[2] * GRAVITY]
    else:
        first, last = sorted(m) if p["layout"] == "atwood" else m
        across = 0.0 if p["layout"] == "table" else GRAVITY * sin(t) if p["angle"] else GRAVITY
        normal = 0.0 if p["layout"] == "atwood" else GRAVITY * cos(t)
        rows = [[first, -1], [last, 1]]
        forces = [-first * (across + p["mu"] * normal), last * GRAVITY]
    found = np.linalg.solve(np.array(rows, dtype=float), np.array(forces))
    return float(found[0 if p["asked"] == "acceleration" else -1])


def surface(p: Params) -> str:
    """The sentence about friction."""
    if p["layout"] == "atwood":
        return ""
    what = "slope" if p["layout"] == "slope" else "table"
    if p["mu"]:
        return f" The coefficient of kinetic friction between block and {what} is μ = {p['mu']:.2f}."
    return f" The {what} is smooth."


def state(p: Params) -> Statement:
    symbol, value, unit = result(p)
    m, layout = p["masses"], p["layout"]
    string = " of the string at m₃" if layout == "double" else " in the string"
    way = (
        ""
        if layout == "atwood"
        else " The block at the free end moves down."
        if layout != "double"
        else " m₃ moves down."
    )
    want = (
        f"Strings and pulleys are light and run without friction.{way} Find the "
        f"{'acceleration of the blocks' if symbol == 'a' else 'tension' + string} in {unit}, to two decimal places "
        f"(g = {GRAVITY} m/s²)."
    )
    values = ", ".join(f"m{'₁₂₃'[i]} = {x:.1f} kg" for i, x in enumerate(m))
    slope = f" The slope rises at {p['angle']}°." if p["angle"] else ""
    hanging = {"atwood": "two", "double": "two"}.get(layout, "one")
    facts = [
        Fact(
            f"What is the mass of the block m{'₁₂₃'[i]}?",
            f"{x:.1f} kg",
            (f"{x + 0.6:.1f} kg", f"{x + 1.3:.1f} kg", f"{2 * x + 2:.1f} kg"),
            f"m{'₁₂₃'[i]} = {x:.1f} kg",
        )
        for i, x in enumerate(m[:2])
    ]
    counts = ["none", "one", "two", "three"]
    wrong = [c for c in counts if c != hanging]
    facts.append(
        Fact("How many blocks hang freely?", hanging, (wrong[0], wrong[1], wrong[2]), f"{hanging} on a vertical string")
    )
    if p["angle"]:
        a = p["angle"]
        facts.append(Fact("At what angle does the slope rise?", f"{a}°", (f"{a + 8}°", f"{a + 21}°", f"{a + 15}°")))
    elif p["mu"]:
        mu = p["mu"]
        facts.append(
            Fact(
                "What is the coefficient of friction?",
                f"{mu:.2f}",
                (f"{mu + 0.07:.2f}", f"{mu + 0.15:.2f}", f"{mu + 0.5:.2f}"),
                f"μ = {mu:.2f}",
            )
        )
    return Statement(
        question=f"Blocks of masses {values} {STORY[layout]}.{slope}{surface(p)} {want}",
        multimodal_question=f"The figure shows blocks joined by string. {want}",
        answer=value,
        leak=(f"${symbol}$ = {value} {unit}", f"{value} {unit}"),
        facts=tuple(facts),
    )


def plan(p: Params) -> Plan:
    values = ", ".join(f"m{'₁₂₃'[i]} = {x:.1f} kg" for i, x in enumerate(p["masses"]))
    more = f"; θ = {p['angle']}° at the foot of the slope" if p["angle"] else ""
    more += f"; μ = {p['mu']:.2f} under the surface" if p["mu"] else ""
    return Plan(
        content=f"Blocks that {STORY[p['layout']]}.{surface(p)}",
        layout="Free strings vertical, strings on a surface parallel to it and tangent to their pulleys; larger masses "
        "are larger squares; a slope at its true angle.",
        labels=f"{values}, each beside its block{more}.",
        constraints=f"Strings are taut and of one length. The {p['asked']} is asked: its value must not be shown.",
    )


def block(mass: float) -> float:
    """Side of a block's square: the area grows with the mass."""
    return 0.85 + 0.7 * sqrt(mass / 9)


def draw(p: Params) -> Drawing:
    m, s = p["masses"], p["side"]
    blocks: list[tuple[float, float, float, float]] = []  # centre, side, turn in degrees
    strings: list[list[tuple[float, float]]] = []
    wheels: list[tuple[float, float, float]] = []
    labels: list[Label] = []
    extra = ""
    low, high, left, right = 0.0, 8.0, -5.0, 5.0

    def name(i: int, x: float, y: float, ha: str = "center") -> None:
        ha = {"left": "right", "right": "left"}.get(ha, ha) if s < 0 else ha
        text = f"$m_{i + 1}$ = {m[i]:.1f} kg"
        labels.append(Label(text, s * x, y, wrong=f"$m_{i + 1}$ = {m[i] + 3.5:.1f} kg", style={"ha": ha}))

    def hang(i: int, x: float, top: float, end: float, lean: float = 0.0) -> None:
        """A block on a string from (x, top) down to `end`, pulled aside by `lean` when the figure is to be wrong."""
        side = block(m[i])
        strings.append([(x, top), (x + lean, end)])
        blocks.append((x + lean, end - side / 2, side, 0.0))

    match p["layout"]:
        case "atwood":
            left, right, low, high = -3.3, 3.3, 0.0, 6.6
            wheels.append((0, 4.9, 0.95))
            down = (1.9, 2.7) if m[0] > m[1] else (2.7, 1.9)
            hang(0, -0.95, 4.9, down[0])
            hang(1, 0.95, 4.9, down[1], p["lean"])
            name(0, -0.95 - block(m[0]) / 2 - 0.12, down[0] - block(m[0]) / 2, "right")
            name(1, 0.95 + block(m[1]) / 2 + 0.12, down[1] - block(m[1]) / 2, "left")
            extra = """
        ax.fill([-1.7, 1.7, 1.7, -1.7], [6.1, 6.1, 6.4, 6.4],
                facecolor="white", edgecolor="0.45", hatch="////", linewidth=0)
        ax.plot([-1.7, 1.7], [6.1, 6.1], color="black", linewidth=1.8)
        ax.plot([0, 0], [6.1, 4.9], color="0.35", linewidth=3.5, zorder=3)"""
        case "table" | "double":
            two = p["layout"] == "double"
            left, right, low, high = (-4.6, 4.6, 0.0, 6.3) if two else (-4.2, 4.2, 0.0, 6.3)
            near, far = (-2.2 if two else -3.9), 2.0
            on = 1 if two else 0
            middle = 0.0 if two else -1.6
            side = block(m[on])
            blocks.append((middle, 4.0 + side / 2, side, 0.0))
            wheels.append((far + 0.5, 4.05, 0.42))
            strings.append([(middle, 4.47), (far + 0.5, 4.47)])
            hang(len(m) - 1, far + 0.92, 4.05, 2.5, p["lean"])
            name(len(m) - 1, far + 0.92, 2.5 - block(m[-1]) - 0.3)
            name(on, middle, 4.0 + side + 0.32)
            if two:
                wheels.append((near - 0.5, 4.05, 0.42))
                strings.append([(middle, 4.47), (near - 0.5, 4.47)])
                hang(0, near - 0.92, 4.05, 2.9)
                name(0, near - 0.92, 2.9 - block(m[0]) - 0.3)
            arms = [(far, far + 0.5)] + ([(near, near - 0.5)] if two else [])
            arm = "".join(
                f"\n        ax.plot([{s * a:g}, {s * b:g}], [3.8, 4.05], color='0.35', linewidth=3.5, zorder=3)"
                for a, b in arms
            )
            legs = [near + 0.35, far - 0.35]
            extra = f"""
        ax.fill([{s * near:g}, {s * far:g}, {s * far:g}, {s * near:g}], [3.6, 3.6, 4, 4],
                facecolor="#efe0c4", edgecolor="black", linewidth=1.8)
        for x in {[s * x for x in legs]}:
            ax.fill([x - 0.16, x + 0.16, x + 0.16, x - 0.16], [0.25, 0.25, 3.6, 3.6],
                    facecolor="#efe0c4", edgecolor="black", linewidth=1.8)
        ax.plot([{s * (left + 0.2):g}, {s * (right - 0.2):g}], [0.25, 0.25], color="black", linewidth=1.8){arm}"""
            text = f"$\\mu$ = {p['mu']:.2f}" if p["mu"] else "smooth"
            wrong = f"$\\mu$ = {p['mu'] + 0.11:.2f}" if p["mu"] else None
            labels.append(Label(text, s * (near + far) / 2, 3.2, wrong=wrong))
        case _:
            t = radians(p["angle"])
            base = 5.4 if p["angle"] < 33 else 4.8
            top = base * sin(t) / cos(t)
            ux, uy, nx, ny = cos(t), sin(t), -sin(t), cos(t)
            side = block(m[0])
            way = 0.52 * base / cos(t)
            cx, cy = way * ux + side / 2 * nx, way * uy + side / 2 * ny
            blocks.append((cx, cy, side, float(p["angle"])))
            wheel = (base + 0.75 * ux, top + 0.75 * uy, 0.5)
            wheels.append(wheel)
            strings.append([(way * ux + 0.5 * nx, way * uy + 0.5 * ny), (wheel[0] + 0.5 * nx, wheel[1] + 0.5 * ny)])
            end = wheel[1] - 1.2
            hang(1, wheel[0] + 0.5, wheel[1], end, p["lean"])
            low = min(-0.35, end - block(m[1]) - 0.7)
            left, right, high = -0.5, wheel[0] + 0.5 + max(1.1, block(m[1]) / 2 + 0.3), wheel[1] + 0.9
            high = max(high, cy + side + 0.5)
            name(1, wheel[0] + 0.5, end - block(m[1]) - 0.32)
            name(0, cx + (side / 2 + 0.12) * nx - 0.35, cy + (side / 2 + 0.12) * ny + 0.15, "right")
            left = min(left, cx + (side / 2 + 0.12) * nx - 0.35 - 2.2)
            ha = "left" if s > 0 else "right"
            theta = p["angle"]
            labels.append(
                Label(f"$\\theta$ = {theta}°", s * 1.35, 0.25, wrong=f"$\\theta$ = {theta + 17}°", style={"ha": ha})
            )
            text = f"$\\mu$ = {p['mu']:.2f}" if p["mu"] else "smooth"
            wrong = f"$\\mu$ = {p['mu'] + 0.11:.2f}" if p["mu"] else None
            turned = {"rotation": s * theta, "rotation_mode": "anchor"}
            at = 0.72 * base / cos(t)
            labels.append(Label(text, s * (at * ux - 0.3 * nx), at * uy - 0.3 * ny, wrong=wrong, style=turned))
            extra = f"""
        ax.fill([0, {s * base:.4g}, {s * base:.4g}], [0, 0, {top:.4g}],
                facecolor="#efe0c4", edgecolor="black", linewidth=1.8, joinstyle="round")
        arc = np.radians(np.linspace(0, {theta}, 30))
        ax.plot({s * 1.15:g} * np.cos(arc), 1.15 * np.sin(arc), color="black", linewidth=1.3)
        ax.plot([{s * base:.4g}, {s * wheel[0]:.4g}], [{top:.4g}, {wheel[1]:.4g}],
                color="0.35", linewidth=3.5, zorder=3)"""
    if s < 0:
        left, right = -right, -left
    turned_blocks = [(round(s * x, 3), round(y, 3), round(b, 3), s * turn) for x, y, b, turn in blocks]
    lines = [[(round(s * x, 3), round(y, 3)) for x, y in line] for line in strings]
    body = f"""
        ax.set_position([0, 0, 1, 1])
        ax.set_aspect("equal")
        ax.axis("off"){extra}
        for (x1, y1), (x2, y2) in {lines}:
            ax.plot([x1, x2], [y1, y2], color="0.15", linewidth=1.6, zorder=1.5)
        for x, y, r in {[(round(s * x, 3), round(y, 3), r) for x, y, r in wheels]}:
            ax.add_patch(plt.Circle((x, y), r, facecolor="#d5d9de", edgecolor="black", linewidth=1.8, zorder=2.5))
            ax.add_patch(plt.Circle((x, y), 0.08, facecolor="black", zorder=4))
        for x, y, side, turn in {turned_blocks}:
            along, up = np.radians(turn), np.radians(turn + 90)
            corner = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * side / 2
            ax.fill(x + corner[:, 0] * np.cos(along) + corner[:, 1] * np.cos(up),
                    y + corner[:, 0] * np.sin(along) + corner[:, 1] * np.sin(up),
                    facecolor="#b9cfe8", edgecolor="black", linewidth=1.8, zorder=2)
        ax.set_xlim({left:.4g}, {right:.4g})
        ax.set_ylim({low:.4g}, {high:.4g})
    """
    scale = 5.2 / max(right - left, high - low)
    return Drawing(body, tuple(labels), size=(round((right - left) * scale, 2), round((high - low) * scale, 2)))


def distort(p: Params) -> Params:
    """The last block's string does not hang straight down."""
    return {**p, "lean": 0.75 if p["layout"] == "atwood" else 0.4}


FAMILY = Family(
    name="pulley_system",
    subject=Subject.PHYSICS,
    image_type=ImageType.MECHANICAL,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
