"""Chemistry: masses in a balanced equation, or a chain of conversions with yields; the mass of a product asked."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement, distractors
from scigen.problems.procedural.molecule import canvas, formula_text
from scigen.problems.procedural.stoichiometry import CHAINS, EQUATIONS, composition, molar, parse
from scigen.records import ImageType, Plan, Subject


def sample(rng: Random, difficulty: int) -> Params:
    """Difficulty 1: one reactant limits, the other is in excess; 2: the limiting one must be found; 3: a chain."""
    tint = rng.choice(("#e8f0fa", "#fbeee6", "#eaf5ea", "#f3edf9", "#fdf6dd"))
    if difficulty == 3:
        chain = rng.randrange(len(CHAINS))
        steps = len(CHAINS[chain][1][2])
        yields = rng.sample(range(55, 97), steps)
        asked = rng.choice(("end", "start"))
        mass = rng.randint(200, 990) / 10
        p = {"kind": "chain", "chain": chain, "yields": yields, "asked": asked, "mass": mass, "tint": tint}
        # An answer that happens to be the given mass could be read off.
        return p if answer(p) != f"{mass:.1f}" else sample(rng, difficulty)
    while True:
        equation = rng.choice(list(EQUATIONS))
        left, right = parse(equation)
        moles = rng.randint(20, 400) / 100
        masses = [round(n * molar(f) * moles * rng.uniform(0.55, 1.8), 1) for n, f in left]
        share = [m / molar(f) / n for m, (n, f) in zip(masses, left, strict=True)]
        if difficulty == 1:
            masses[rng.randrange(len(left))] = 0.0
        elif abs(share[0] / share[1] - 1) < 0.08:
            continue
        asked = rng.choice(("product", "left over")) if difficulty == 2 else "product"
        product = rng.randrange(len(right))
        p = {
            "kind": "equation",
            "equation": equation,
            "masses": masses,
            "asked": asked,
            "product": product,
            "tint": tint,
        }
        if answer(p) not in {f"{m:.1f}" for m in masses} and float(answer(p)) > 1:
            return p


def answer(p: Params) -> str:
    if p["kind"] == "chain":
        names, ratios, _ = CHAINS[p["chain"]][1]
        first, *_, last = names.split()
        factor = molar(last) / molar(first)
        for ratio, share in zip(ratios.split(), p["yields"], strict=True):
            a, b = ratio.split(":")
            factor *= int(b) / int(a) * share / 100
        return f"{p['mass'] * factor if p['asked'] == 'end' else p['mass'] / factor:.1f}"
    left, right = parse(p["equation"])
    turns = [m / molar(f) / n for m, (n, f) in zip(p["masses"], left, strict=True) if m]
    if p["asked"] == "product":
        n, f = right[p["product"]]
        return f"{min(turns) * n * molar(f):.1f}"
    over = turns.index(max(turns))
    n, f = left[over]
    return f"{p['masses'][over] - min(turns) * n * molar(f):.1f}"


def solve(p: Params) -> float:
    """By conservation: the element that goes through a chain; coefficients from the null space of the composition."""
    from rdkit.Chem import GetPeriodicTable
    from sympy import Matrix

    table = GetPeriodicTable()

    def mass(formula: str) -> float:
        return round(sum(float(table.GetAtomicWeight(e)) * n for e, n in composition(formula).items()), 2)

    if p["kind"] == "chain":
        element, (names, _, _) = CHAINS[p["chain"]]
        first, *_, last = names.split()
        kept = 1.0
        for share in p["yields"]:
            kept *= share / 100
        content = [composition(f)[element] * float(table.GetAtomicWeight(element)) / mass(f) for f in (first, last)]
        through = content[0] / content[1] * kept
        return float(p["mass"] * through if p["asked"] == "end" else p["mass"] / through)
    left, right = parse(p["equation"])
    species = [f for _, f in left + right]
    elements = sorted({e for f in species for e in composition(f)})
    rows = [[composition(f)[e] * (1 if k < len(left) else -1) for k, f in enumerate(species)] for e in elements]
    (vector,) = Matrix(rows).nullspace()
    needed = [float(v) * mass(f) for v, f in zip(vector, species, strict=True)]
    most = min(m / needed[k] for k, m in enumerate(p["masses"]) if m)
    if p["asked"] == "product":
        return float(most * needed[len(left) + p["product"]])
    return max(float(m) - float(most * needed[k]) for k, m in enumerate(p["masses"]))


def want(p: Params) -> tuple[str, str]:
    """What is asked in few words, and the question."""
    if p["kind"] == "chain":
        first, *_, last = CHAINS[p["chain"]][1][0].split()
        if p["asked"] == "end":
            return f"mass of {formula_text(last)}", (
                f"Find the mass of {formula_text(last)} in grams that the last step gives with the "
                "stated yields, to one decimal."
            )
        return f"mass of {formula_text(first)}", (
            f"Find the mass of {formula_text(first)} in grams that must be put in, with the stated yields, to one "
            "decimal."
        )
    if p["asked"] == "product":
        _, right = parse(p["equation"])
        name = formula_text(right[p["product"]][1])
        return (
            f"mass of {name}",
            f"The reaction goes to completion. Find the mass of {name} in grams that forms, to one decimal.",
        )
    return "mass left over", (
        "The reaction goes to completion. Find the mass in grams of the reactant in excess that is left over, to one "
        "decimal."
    )


def state(p: Params) -> Statement:
    what, asked = want(p)
    result = answer(p)
    seed = Random(str(sorted(p.items())))
    if p["kind"] == "chain":
        names, ratios, above = CHAINS[p["chain"]][1]
        formulas = [formula_text(f) for f in names.split()]
        masses = ", ".join(f"{formula_text(f)} {molar(f):.2f} g/mol" for f in (names.split()[0], names.split()[-1]))
        steps = "; ".join(
            f"{a} to {b} with {r} (moles {ratio}), yield {y} %"
            for a, b, r, ratio, y in zip(formulas, formulas[1:], above, ratios.split(), p["yields"], strict=False)
        )
        mass = f"{p['mass']:.1f} g of {formulas[0 if p['asked'] == 'end' else -1]}"
        question = (
            f"A chain of conversions: {steps}. {'From' if p['asked'] == 'end' else 'Wanted:'} {mass}. {masses}. {asked}"
        )
        others = seed.sample(sorted({r for _, (_, _, rs) in CHAINS for r in rs} - set(above)), 3)
        facts = [
            Fact("What is written over the first arrow?", above[0], _three(others), above[0]),
            _yield_fact(p, 0, "first"),
            _yield_fact(p, 1, "second"),
            _mass_fact(f"What mass of {formulas[0 if p['asked'] == 'end' else -1]} is given?", p["mass"], seed),
        ]
    else:
        left, right = parse(p["equation"])
        given = ", ".join(
            f"{formula_text(f)} {f'{m:.1f} g' if m else 'in excess'}"
            for m, (_, f) in zip(p["masses"], left, strict=True)
        )
        masses = ", ".join(f"{formula_text(f)} {molar(f):.2f} g/mol" for _, f in left + right)
        question = f"In the reaction {_printed(p['equation'])} there are: {given}. Molar masses: {masses}. {asked}"
        over = EQUATIONS[p["equation"]]
        others = seed.sample(sorted(set(EQUATIONS.values()) - {over}), 3)
        n, f = max(left + right)
        facts = [Fact("What is written over the arrow?", over, _three(others), over)]
        facts.append(
            Fact(
                f"What is the coefficient of {formula_text(f)}?",
                str(n),
                (str(n + 1), str(n + 2), str(n - 1)),
                _printed(p["equation"]),
            )
        )
        k = next(k for k, m in enumerate(p["masses"]) if m)
        facts.append(_mass_fact(f"What mass of {formula_text(left[k][1])} is given?", p["masses"][k], seed))
    return Statement(
        question=question,
        multimodal_question=asked,
        answer=result,
        leak=(f"{what}: {result} g", f"{result} g"),
        facts=tuple(facts),
    )


def _yield_fact(p: Params, k: int, name: str) -> Fact:
    y = p["yields"][k]
    return Fact(
        f"What is the yield of the {name} step?", f"{y} %", (f"{y - 7} %", f"{y + 3} %", f"{y - 12} %"), f"{y} %"
    )


def _mass_fact(question: str, mass: float, rng: Random) -> Fact:
    wrong = [f"{float(w):.1f} g" for w in distractors(rng, mass, (-0.6, 0.8, 1.5, 3, 10), 1)]
    return Fact(question, f"{mass:.1f} g", _three(wrong), f"{mass:.1f} g")


def _three(texts: list[str]) -> tuple[str, str, str]:
    a, b, c = texts
    return a, b, c


def _printed(equation: str) -> str:
    return " → ".join(
        " + ".join((f"{n} " if n > 1 else "") + formula_text(f) for n, f in side) for side in parse(equation)
    )


def plan(p: Params) -> Plan:
    what, _ = want(p)
    if p["kind"] == "chain":
        names, _, above = CHAINS[p["chain"]][1]
        return Plan(
            content=f"A chain of conversions {' → '.join(formula_text(f) for f in names.split())}.",
            layout="Formulas in rounded boxes along a path that turns back in a second row; an arrow for each step.",
            labels=f"{', '.join(above)} at the arrows with the yields {', '.join(f'{y} %' for y in p['yields'])}; the "
            f"given mass {p['mass']:.1f} g and the molar masses of the first and last substance at their boxes.",
            constraints=f"The atoms of {CHAINS[p['chain']][0]} go through all steps. "
            f"The {what} is asked and must not be shown.",
        )
    left, _ = parse(p["equation"])
    given = ", ".join(
        f"{formula_text(f)} {f'{m:.1f} g' if m else 'excess'}" for m, (_, f) in zip(p["masses"], left, strict=True)
    )
    return Plan(
        content=f"The balanced equation {_printed(p['equation'])}.",
        layout="One box a substance in one row, plus signs between, an arrow between the two sides.",
        labels=f"{EQUATIONS[p['equation']]} over the arrow, each molar mass in its box, below the reactants: {given}.",
        constraints=f"Coefficients balance every element. The {what} is asked and must not be shown.",
    )


BOX = (
    "ax.add_patch(FancyBboxPatch(({x:.3f}, {y:.3f}), {w:.3f}, {h:.3f}, "
    'boxstyle="round,pad=0,rounding_size=0.1", facecolor="{c}", edgecolor="black", linewidth=1.6))'
)
ARROW = (
    'ax.annotate("", xy=({x2:.3f}, {y2:.3f}), xytext=({x1:.3f}, {y1:.3f}), arrowprops=dict(arrowstyle="-|>", '
    'color="black", linewidth=1.8, mutation_scale=17, shrinkA=0, shrinkB=0))'
)


def draw(p: Params) -> Drawing:
    return _chain(p) if p["kind"] == "chain" else _equation(p)


def _equation(p: Params) -> Drawing:
    left, right = parse(p["equation"])
    terms = left + right
    wide, tall, y = 1.25, 0.95, 1.15
    x = 0.3
    code: list[str] = []
    labels: list[Label] = []
    for k, (n, f) in enumerate(terms):
        if k == len(left):
            code.append(ARROW.format(x1=x + 0.15, x2=x + 1.25, y1=y, y2=y))
            over = EQUATIONS[p["equation"]]
            other = "800 °C" if over != "800 °C" else "heat"
            labels.append(Label(over, round(x + 0.66, 3), y + 0.2, wrong=other, style={"fontsize": 10.5}))
            x += 1.4
        elif k:
            labels.append(Label("+", round(x + 0.2, 3), y, given=False, style={"fontsize": 17}))
            x += 0.4
        if k != p.get("dropped"):
            code.append(BOX.format(x=x, y=y - tall / 2, w=wide, h=tall, c=p["tint"] if k < len(left) else "white"))
        m, name = round(x + wide / 2, 3), formula_text(f)
        text: str = f"{n} {name}" if n > 1 else name
        wrong = f"{n + 1} {name}" if n > 1 else None
        labels.append(Label(text, m, y + 0.17, wrong=wrong, style={"fontsize": 14}))
        wrong = f"{molar(f) + 4:.2f} g/mol"
        labels.append(
            Label(f"{molar(f):.2f} g/mol", m, y - 0.22, wrong=wrong, style={"fontsize": 9.5, "color": "0.25"})
        )
        if k < len(left):
            mass = p["masses"][k]
            text, wrong = (f"{mass:.1f} g", f"{mass + 5.3:.1f} g") if mass else ("excess", "limiting")
        else:
            text, wrong = "", ""
        if text:
            labels.append(Label(text, m, y - 0.72, wrong=wrong, style={"fontsize": 12, "fontweight": "bold"}))
        elif p["asked"] == "product" and k - len(left) == p["product"]:
            labels.append(Label("?", m, y - 0.72, given=False, style={"fontsize": 15, "fontweight": "bold"}))
        x += wide
    width = round(x + 0.3, 2)
    return Drawing(
        canvas(width, 1.95) + "\n".join(code),
        tuple(labels),
        size=(width, 1.95),
        imports="from matplotlib.patches import FancyBboxPatch",
    )


def _drawing(width: float, height: float, code: list[str], labels: list[Label]) -> Drawing:
    body = canvas(width, height) + "\n".join(code)
    imports = "from matplotlib.patches import FancyBboxPatch"
    return Drawing(body, tuple(labels), size=(round(width, 2), height), imports=imports)


def _chain(p: Params) -> Drawing:
    names, _, above = CHAINS[p["chain"]][1]
    formulas = names.split()
    wide, tall, step = 1.3, 0.62, 2.55
    columns = 3 if len(formulas) == 5 else 2
    width, top, low = 0.45 + wide + step * (columns - 1) + 0.45, 2.75, 0.85
    places = [(0.45 + wide / 2 + step * k, top) for k in range(columns)]
    back = [(0.45 + wide / 2 + step * k, low) for k in range(columns)][::-1]
    places = (places + back)[: len(formulas)]
    code: list[str] = []
    labels: list[Label] = []
    drop = p.get("dropped")
    ends = {0, len(formulas) - 1}
    for k, ((x, y), f) in enumerate(zip(places, formulas, strict=True)):
        color = p["tint"] if k in ends else "white"
        code.append(BOX.format(x=x - wide / 2, y=y - tall / 2, w=wide, h=tall, c=color))
        once = formulas.count(f) == 1
        labels.append(Label(formula_text(f), round(x, 3), round(y, 3), given=once, style={"fontsize": 14}))
        if k in ends:
            side = 1 if y == top else -1
            known = (k == 0) == (p["asked"] == "end")
            if known:
                text, wrong = f"{p['mass']:.1f} g", f"{p['mass'] + 7.4:.1f} g"
                style = {"fontsize": 12, "fontweight": "bold"}
                labels.append(Label(text, round(x, 3), round(y + side * 0.5, 3), wrong=wrong, style=style))
            else:
                style = {"fontsize": 15, "fontweight": "bold"}
                labels.append(Label("?", round(x, 3), round(y + side * 0.5, 3), given=False, style=style))
            if formulas[0] != formulas[-1]:
                text, wrong = f"{molar(f):.2f} g/mol", f"{molar(f) + 4:.2f} g/mol"
                spot = round(y + side * 0.76, 3)
                labels.append(Label(text, round(x, 3), spot, wrong=wrong, style={"fontsize": 9.5, "color": "0.25"}))
    for k, (a, b) in enumerate(pairwise(places)):
        across = a[1] == b[1]
        way = (1 if b[0] > a[0] else -1) if across else -1
        gap = wide / 2 + 0.1 if across else tall / 2 + 0.1
        x1, y1 = (a[0] + way * gap, a[1]) if across else (a[0], a[1] - gap)
        x2, y2 = (b[0] - way * gap, b[1]) if across else (b[0], b[1] + gap)
        if k != drop:
            code.append(ARROW.format(x1=x1, x2=x2, y1=y1, y2=y2))
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        share = p["yields"][k]
        wrong = next(f"{share + s} %" for s in (-11, -13, 3, 2) if share + s not in p["yields"])
        other = next(r for r in ("H₂SO₄", "Br₂", "KOH", "F₂") if r not in above)
        style = {"fontsize": 10.5} if across else {"fontsize": 10.5, "ha": "right"}
        under = {"fontsize": 10.5, "color": "#1f4fb4"} | ({} if across else {"ha": "left"})
        dx, dy = (0.0, 0.19) if across else (-0.14, 0.0)
        middle = x - 0.04 * way * across
        once = above.count(above[k]) == 1
        labels.append(Label(above[k], round(middle + dx, 3), round(y + dy, 3), given=once, wrong=other, style=style))
        labels.append(Label(f"{share} %", round(middle - dx, 3), round(y - dy, 3), wrong=wrong, style=under))
    height = 3.6
    return Drawing(
        canvas(width, height) + "\n".join(code),
        tuple(labels),
        size=(round(width, 2), height),
        imports="from matplotlib.patches import FancyBboxPatch",
    )


def distort(p: Params) -> Params:
    """A step's arrow or a substance's box is not drawn."""
    return {**p, "dropped": 1}


FAMILY = Family(
    name="reaction_yield",
    subject=Subject.CHEMISTRY,
    image_type=ImageType.REACTION_SCHEME,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
