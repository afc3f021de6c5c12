"""Physics, electrostatics: two point charges with their field lines; force or field asked. Glance: which field?"""

from __future__ import annotations

from fractions import Fraction
from random import Random

from scigen.problems.procedural.canvas import glance_script
from scigen.problems.procedural.family import Drawing, Fact, Family, Glance, Label, Params, Statement
from scigen.records import ImageType, Plan, Subject


def sample(rng: Random, difficulty: int) -> Params:
    """Difficulty 1: force between like charges; 2: force between unlike ones; 3: field half-way between them."""
    while True:
        q1, q2 = rng.sample(range(1, 9), 2)
        signs = {1: rng.choice([(1, 1), (-1, -1)]), 2: rng.choice([(1, -1), (-1, 1)]), 3: rng.choice([(1, -1), (1, 1)])}
        s1, s2 = signs[difficulty]
        p = {
            "asked": "field" if difficulty == 3 else "force",
            "q1": s1 * q1,
            "q2": s2 * q2,
            "cm": rng.randint(10, 60),
        }
        if max(q1, q2) <= 4 * min(q1, q2) and result(p)[1] not in {str(q1), str(q2), str(p["cm"])}:
            return {**p, "pole1": s1, "pole2": s2}


def result(p: Params) -> tuple[str, str, str]:
    """Symbol, value to two decimal places and unit of what is asked, with k = 9.0e9 N m²/C²."""
    metres = Fraction(p["cm"], 100)
    if p["asked"] == "force":
        newtons = Fraction(9, 1000) * abs(p["q1"] * p["q2"]) / metres**2
        return "F", f"{rounded(newtons)}", "N"
    # In units of 10^6 N/C: k q / (d/2)^2 with q in microcoulombs is 9e3 q / (d/2)^2 N/C.
    return "E", f"{rounded(Fraction(9, 1000) * abs(p['q1'] - p['q2']) / (metres / 2) ** 2)}", "MN/C"


def rounded(value: Fraction) -> str:
    """Two decimal places, halves up: exact, unlike the rounding of a float."""
    hundredths = int(value * 100 + Fraction(1, 2))
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def charge(q: int) -> str:
    return f"{'+' if q > 0 else '−'}{abs(q)} μC"


def state(p: Params) -> Statement:
    symbol, value, unit = result(p)
    q1, q2, cm = p["q1"], p["q2"], p["cm"]
    if p["asked"] == "force":
        want = (
            "Find the magnitude of the force between the charges in N, to two decimal places (k = 9.0 × 10⁹ N m²/C²)."
        )
    else:
        want = (
            "Find the magnitude of the electric field half-way between the two charges in MN/C (10⁶ N/C), to two "
            "decimal places (k = 9.0 × 10⁹ N m²/C²)."
        )
    return Statement(
        question=f"Two point charges q₁ = {charge(q1)} and q₂ = {charge(q2)} are {cm} cm apart. {want}",
        multimodal_question=want,
        answer=value,
        leak=(f"{symbol} = {value} {unit}", f"{value} {unit}"),
        facts=(
            Fact(
                "What is the charge on the left?",
                charge(q1),
                (charge(-q1), charge(q1 * 2 if q1 * 2 != q2 else q1 * 5), charge(-q1 * 3)),
                f"q₁ = {charge(q1)}",
            ),
            Fact(
                "What is the distance between the charges?",
                f"{cm} cm",
                (f"{cm + 5} cm", f"{2 * cm} cm", f"{cm + 8} cm"),
                f"d = {cm} cm",
            ),
            Fact(
                "What does the right charge do to the left one?",
                "it repels it" if q1 * q2 > 0 else "it attracts it",
                ("it attracts it" if q1 * q2 > 0 else "it repels it", "it does nothing", "it turns it"),
                "like charges repel, unlike ones attract",
            ),
        ),
    )


def plan(p: Params) -> Plan:
    asked = "force between the charges" if p["asked"] == "force" else "field half-way between the charges"
    return Plan(
        content=f"Two point charges, {charge(p['q1'])} left, {charge(p['q2'])} right, with field lines.",
        layout="Charges on a horizontal line; field lines leave positive and enter negative charges, with "
        "arrow heads; a dimension arrow below.",
        labels=f"q₁ = {charge(p['q1'])} and q₂ = {charge(p['q2'])} above their charges, d = {p['cm']} cm on the arrow.",
        constraints=f"Lines do not cross; the larger charge has more. The {asked} is asked and must not be shown.",
    )


def draw(p: Params) -> Drawing:
    q = [p["pole1"] * abs(p["q1"]), p["pole2"] * abs(p["q2"])]
    # As many lines as charge, an even number, so that none runs along the axis. Between unlike charges the larger one
    # sends them all: every line of the smaller one ends there.
    larger = max(abs(v) for v in q)
    counts = [2 * round(8 * abs(v) / larger) for v in q]
    if q[0] * q[1] < 0:
        counts = [16 if abs(v) == larger else 0 for v in q]
    mark = (
        '\n        ax.plot(0, 0, "x", color="black", markersize=8, markeredgewidth=2)' if p["asked"] == "field" else ""
    )
    # A line is followed from each charge along (or against) the field, until it leaves the frame or meets a charge.
    body = f"""
        fig.subplots_adjust(0.02, 0.02, 0.98, 0.98)
        q, place = np.array({q}), np.array([-2.0, 2.0])
        seeds = []
        for charge, centre, lines in zip(q, place, {counts}):
            angles = 2 * np.pi * (np.arange(lines) + 0.5) / lines
            seeds += [(centre + 0.3 * np.cos(a), 0.3 * np.sin(a), np.sign(charge)) for a in angles]
        x, y, sign = np.array(seeds).T
        paths = [(x, y)]
        for _ in range(700):
            dx, dy = x[:, None] - place, np.repeat(y[:, None], 2, axis=1)
            pull = q / np.hypot(dx, dy) ** 3
            ex, ey = (pull * dx).sum(axis=1), (pull * dy).sum(axis=1)
            free = (np.hypot(dx, dy).min(axis=1) > 0.28) & (np.hypot(ex, ey) > 1e-9)
            step = 0.03 * free * sign / np.maximum(np.hypot(ex, ey), 1e-9)
            x, y = x + step * ex, y + step * ey
            paths.append((x, y))
        paths = np.array(paths)
        for i in range(len(seeds)):
            ax.plot(paths[:, 0, i], paths[:, 1, i], color="slategray", linewidth=1.1)
            k = 28
            tail, head = (k, k + 3) if sign[i] > 0 else (k + 3, k)
            ax.annotate("", xy=paths[head, :, i], xytext=paths[tail, :, i], arrowprops=dict(
                arrowstyle="-|>", color="slategray", linewidth=1.1, mutation_scale=11, shrinkA=0, shrinkB=0))
        for charge, centre in zip(q, place):
            color = "tab:red" if charge > 0 else "tab:blue"
            ax.add_patch(plt.Circle((centre, 0), 0.3, facecolor=color, edgecolor="black", linewidth=1.5, zorder=3))
            ax.plot([centre - 0.15, centre + 0.15], [0, 0], color="white", linewidth=2.6, zorder=4)
            if charge > 0:
                ax.plot([centre, centre], [-0.15, 0.15], color="white", linewidth=2.6, zorder=4)
        ax.fill([-4.3, 4.3, 4.3, -4.3], [2.5, 2.5, 4, 4], color="white", zorder=2)
        ax.fill([-4.3, 4.3, 4.3, -4.3], [-2.5, -2.5, -4, -4], color="white", zorder=2)
        ax.annotate("", xy=(2, -3.05), xytext=(-2, -3.05), arrowprops=dict(
            arrowstyle="<|-|>", color="black", linewidth=1.3, shrinkA=0, shrinkB=0))
        for centre in place:
            ax.plot([centre, centre], [-2.55, -3.2], color="black", linewidth=0.9){mark}
        ax.set_xlim(-4.3, 4.3)
        ax.set_ylim(-3.6, 3.5)
        ax.set_aspect("equal")
        ax.axis("off")
    """
    q1, q2 = charge(p["q1"]), charge(p["q2"])
    white = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    labels = [
        Label(f"q₁ = {q1}", -2, 2.75, wrong=f"q₁ = {charge(p['q1'] + (9 if p['q1'] > 0 else -9))}"),
        Label(f"q₂ = {q2}", 2, 2.75, wrong=f"q₂ = {charge(p['q2'] + (9 if p['q2'] > 0 else -9))}"),
        Label(f"d = {p['cm']} cm", 0, -3.05, wrong=f"d = {p['cm'] + 7} cm", style={"bbox": white}),
    ]
    return Drawing(body, tuple(labels), size=(5.2, 4.4))


def distort(p: Params) -> Params:
    """The right charge is drawn with the other sign, and so are its field lines."""
    return {**p, "pole2": -p["pole2"]}


FIELDS = ("outward", "inward", "uniform", "none")


def glance_sample(rng: Random, answer: str) -> Params:
    return {
        "field": answer,
        "turn": rng.choice([-10, -5, 0, 5, 10]),
        "length": rng.choice([30, 32, 34]),
        "x": rng.randrange(-6, 7, 2),
        "y": rng.randrange(-6, 7, 2),
        "color": rng.choice(["black", "tab:blue", "tab:red", "tab:green"]),
    }


def glance_draw(p: Params) -> str:
    return glance_script(f"""
        field, x, y, turn, length = "{p["field"]}", 48 + {p["x"]}, 48 + {p["y"]}, np.radians({p["turn"]}), {p["length"]}
        quarters = np.pi / 2 * np.arange(4)
        if field == "uniform":
            arrows = [(-length, up, 0, 2 * length) for up in (-24, 0, 24)]
        elif field == "outward":
            arrows = [(9 * np.cos(a), 9 * np.sin(a), a, length) for a in quarters]
        elif field == "inward":
            arrows = [((length + 9) * np.cos(a), (length + 9) * np.sin(a), a + np.pi, length) for a in quarters]
        else:
            arrows = []
        for left, low, angle, size in arrows:
            along = np.array([0, size - 14, size - 14, size, size - 14, size - 14, 0])
            across = np.array([2, 2, 9, 0, -9, -2, -2])
            dx = left + along * np.cos(angle) - across * np.sin(angle)
            dy = low + along * np.sin(angle) + across * np.cos(angle)
            turned_x, turned_y = dx * np.cos(turn) - dy * np.sin(turn), dx * np.sin(turn) + dy * np.cos(turn)
            ax.fill(x + turned_x, y + turned_y, color="{p["color"]}")
        if field != "uniform":
            ax.plot(x, y, "o", color="tab:orange", markersize=10)
    """)


def solve(p: Params) -> float:
    """As the slope of the potential energy, or of the potential half-way."""
    import sympy

    x, k = sympy.symbols("x", positive=True), 9_000_000_000
    first, second, metres = (sympy.Rational(p[name], d) for name, d in (("q1", 10**6), ("q2", 10**6), ("cm", 100)))
    if p["asked"] == "force":
        return float(abs(sympy.diff(k * first * second / x, x).subs(x, metres)))
    potential = k * first / x + k * second / (metres - x)
    return float(abs(sympy.diff(potential, x).subs(x, metres / 2))) / 1e6


FAMILY = Family(
    name="point_charge",
    subject=Subject.PHYSICS,
    image_type=ImageType.FIELD_DIAGRAM,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
    glance=Glance(
        question="Which field is drawn around the charge: outward, inward, uniform or none?",
        answers=FIELDS,
        sample=glance_sample,
        draw=glance_draw,
        content=("field", "turn", "length", "x", "y"),
    ),
)
