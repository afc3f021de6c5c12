"""Biology, ecology: an energy pyramid and the ten per cent rule. Glance: how many levels has the pyramid?"""

from __future__ import annotations

from random import Random

from scigen.problems.procedural.canvas import glance_script
from scigen.problems.procedural.family import Drawing, Fact, Family, Glance, Label, Params, Statement
from scigen.records import ImageType, Plan, Subject

CHAINS = (
    ("grass", "insects", "frogs", "snakes", "hawks"),
    ("algae", "krill", "fish", "seals", "orcas"),
    ("plants", "snails", "mice", "owls", "lynx"),
    ("wheat", "beetles", "shrews", "foxes", "eagles"),
    ("reeds", "larvae", "perch", "pike", "otters"),
)
COLORS = ("#9ccc7a", "#d9e27a", "#f6d36b", "#f3a75f", "#e57a6b")
UNIT = "kJ/m²"


def sample(rng: Random, difficulty: int) -> Params:
    """Difficulty 1: 3 levels, one step up; 2: 4 levels, two or three steps up; 3: 5 levels, downwards."""
    levels = 2 + difficulty
    known, asked = {1: (0, 1), 2: (0, rng.choice([2, 3])), 3: (rng.choice([3, 4]), rng.choice([0, 1]))}[difficulty]
    # The energy of the top level is whole, and so are all the others.
    top = rng.choice([n for n in range(2, 100) if n % 10])
    return {
        "names": list(rng.choice(CHAINS)[:levels]),
        "known": known,
        "asked": asked,
        "base": top * 10 ** (levels - 1),
        "inverted": False,
    }


def printed(value: int) -> str:
    """A number with thin gaps between the thousands, as "40 000"; four digits stay together."""
    return f"{value:,}".replace(",", " ") if value >= 10_000 else str(value)


def state(p: Params) -> Statement:
    names, known, asked = list(p["names"]), p["known"], p["asked"]
    given, wanted = p["base"] // 10**known, p["base"] // 10**asked
    rule = "10 % of the energy of each trophic level passes on to the level above it."
    want = f"Find the energy at the level of the {names[asked]} in {UNIT}."
    strangers = [n for n in ("whales", "fungi", "bats") if n not in names]
    return Statement(
        question=f"In an energy pyramid the levels from the bottom up are {', '.join(names)}. {rule} The energy at the "
        f"level of the {names[known]} is {printed(given)} {UNIT}. {want}",
        multimodal_question=f"{rule} {want}",
        answer=str(wanted),
        leak=(f"{names[asked]}: {printed(wanted)} {UNIT}", f"{printed(wanted)} {UNIT}"),
        facts=(
            Fact(
                "How many trophic levels has the pyramid?",
                str(len(names)),
                (str(len(names) + 1), str(len(names) + 2), str(len(names) - 1)),
                ", ".join(names),
            ),
            Fact(
                "Which organisms are at the bottom of the pyramid?",
                names[0],
                (names[1], names[-1], strangers[0]),
                f"{names[0]} are the producers",
            ),
            Fact(
                f"Which energy is given for the {names[known]}?",
                f"{printed(given)} {UNIT}",
                (f"{printed(2 * given)} {UNIT}", f"{printed(10 * given)} {UNIT}", f"{printed(5 * given)} {UNIT}"),
                f"{printed(given)} {UNIT}",
            ),
        ),
    )


def plan(p: Params) -> Plan:
    names, given = list(p["names"]), p["base"] // 10 ** p["known"]
    asked = names[p["asked"]]
    return Plan(
        content=f"An energy pyramid of {len(names)} levels: {', '.join(names)}.",
        layout="Stacked bars of equal height, each narrower than the one below, the producers at the bottom.",
        labels=f"Each level has its name inside; {printed(given)} {UNIT} beside the {names[p['known']]}, a question "
        f"mark beside the {asked}, 10 % beside each step up.",
        constraints=f"Energy falls from level to level. The energy of the {asked} is asked and must not be shown.",
    )


def draw(p: Params) -> Drawing:
    names, known, asked = list(p["names"]), p["known"], p["asked"]
    n = len(names)
    widths = [5.4 - 3.9 * i / (n - 1) for i in range(n)]
    shown = widths[::-1] if p["inverted"] else widths
    body = f"""
        fig.subplots_adjust(0.02, 0.02, 0.98, 0.98)
        for level, (width, color) in enumerate(zip({[round(w, 3) for w in shown]}, {list(COLORS[:n])})):
            ax.bar(0, 0.92, width=width, bottom=level, color=color, edgecolor="black", linewidth=1.6)
        for level in range({n - 1}):
            ax.annotate("", xy=(-3.0, level + 1.35), xytext=(-3.0, level + 0.6), arrowprops=dict(
                arrowstyle="-|>", color="dimgray", linewidth=1.8, mutation_scale=14, shrinkA=0, shrinkB=0))
        ax.set_xlim(-4.4, 5.4)
        ax.set_ylim(-0.25, {n + 0.6:.4g})
        ax.axis("off")
    """
    given = p["base"] // 10**known
    labels = [Label(name, 0, i + 0.46, style={"fontsize": 11}) for i, name in enumerate(names)]
    labels.append(
        Label(
            f"{printed(given)} {UNIT}",
            2.95,
            known + 0.46,
            wrong=f"{printed(3 * given)} {UNIT}",
            style={"ha": "left"},
        )
    )
    labels.append(Label("?", 2.95, asked + 0.46, given=False, style={"ha": "left", "fontsize": 15}))
    for i in range(n - 1):
        labels.append(Label("10 %", -3.2, i + 0.97, given=False, style={"ha": "right", "fontsize": 11}))
    return Drawing(body, tuple(labels), size=(5.6, 4.0))


def distort(p: Params) -> Params:
    """The pyramid stands on its head."""
    return {**p, "inverted": True}


LEVELS = {"two": 2, "three": 3, "four": 4, "five": 5}


def glance_sample(rng: Random, answer: str) -> Params:
    return {
        "levels": LEVELS[answer],
        "thickness": rng.choice([12, 13, 14]),
        "width": rng.choice([64, 68, 72, 76]),
        "x": rng.randrange(-6, 7, 2),
        "y": rng.randrange(-6, 7, 2),
        "color": rng.choice(["black", "tab:blue", "tab:red", "tab:green"]),
    }


def glance_draw(p: Params) -> str:
    return glance_script(f"""
        x, y, levels, thickness, width = 48 + {p["x"]}, 9 + {p["y"]}, {p["levels"]}, {p["thickness"]}, {p["width"]}
        for i in range(levels):
            low, half = y + i * (thickness + 4), width / 2 * (1 - i / (levels + 0.5))
            top = half - width / 2 / (levels + 0.5) * 0.7
            high = low + thickness
            ax.fill([x - half, x + half, x + top, x - top], [low, low, high, high], color="{p["color"]}")
    """)


def solve(p: Params) -> float:
    """Level by level: a tenth upwards, tenfold downwards."""
    energy = p["base"] / 10 ** p["known"]
    for _ in range(abs(p["asked"] - p["known"])):
        energy = energy / 10 if p["asked"] > p["known"] else energy * 10
    return float(energy)


FAMILY = Family(
    name="food_pyramid",
    subject=Subject.BIOLOGY,
    image_type=ImageType.ECOLOGICAL,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
    glance=Glance(
        question="How many levels has the pyramid?",
        answers=tuple(LEVELS),
        sample=glance_sample,
        draw=glance_draw,
        content=("levels", "thickness", "width", "x", "y"),
    ),
)
