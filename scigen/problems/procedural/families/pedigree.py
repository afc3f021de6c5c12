"""Biology, genetics: a pedigree of three generations; the probability that the next child is affected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement
from scigen.problems.procedural.inheritance import (
    MAN,
    MODES,
    WOMAN,
    children,
    founders_genotypes,
    looks,
    may_have,
    meioses,
    one_allele,
    possible,
    shows,
)
from scigen.problems.procedural.placing import inch_axes
from scigen.records import ImageType, Plan, Subject

WRONG = {"autosomal recessive": "Y-linked", "autosomal dominant": "mitochondrial", "X-linked recessive": "Y-linked"}
ROMAN = ("I", "II", "III")
COLOURS = ("#2f2f2f", "#7a2f3b", "#2f4f7a", "#35604a", "#5d4777", "#8a5a22", "#1f6f78", "#6b6b6b")
Person = tuple[str, bool]
"""Sex, affected or not."""


@dataclass(frozen=True)
class Placed:
    """A person of the pedigree: `parents` are indices of father and mother in the list of all."""

    name: str
    sex: str
    affected: bool
    generation: int
    parents: tuple[int, int] | None


def sample(rng: Random, difficulty: int) -> Params:
    """1: the parents' genotypes are certain; 2: one of them is not; 3: two families, both parents are uncertain."""
    while True:
        p = _family(rng, difficulty)
        pair = parents_genotypes(p)
        if pair is None or sum(len(g) > 1 for g in pair) != difficulty - 1:
            continue
        answer = chance(p)
        if answer is None or not 0 < answer < 1:
            continue
        if 1 < sum(person.affected for person in people(p)) < len(people(p)) - 2:
            return p


def _family(rng: Random, difficulty: int) -> dict[str, Any]:
    """A pedigree whose people inherit by chance."""
    mode = rng.choice(MODES if difficulty == 1 else ("autosomal recessive", "X-linked recessive"))
    if difficulty == 3:
        mode = MODES[0]

    def born(father: Any, mother: Any, sex: str) -> tuple[Any, list[Any]]:
        g = rng.choice(children(mode, father, mother, sex))
        return g, [sex, shows(mode, g)]

    def founder(sex: str, weights: Sequence[int] = (5, 4, 2)) -> Any:
        return rng.choice((0, 0, 2)) if one_allele(mode, sex) else rng.choices((0, 1, 2), weights)[0]

    families: list[dict[str, Any]] = []
    genotypes: list[list[Any]] = []
    for _ in range(2 if difficulty == 3 else 1):
        father, mother = (int(mode == MODES[0]), 1) if difficulty > 1 else (founder(MAN), founder(WOMAN))
        kids = [
            born(father, mother, rng.choice((MAN, WOMAN))) for _ in range(rng.randint(2, 3 if difficulty == 3 else 5))
        ]
        couple = [[MAN, shows(mode, father)], [WOMAN, shows(mode, mother)]]
        families.append({"couple": couple, "kids": [k for _, k in kids]})
        genotypes.append([g for g, _ in kids])
    partner = None
    one, sex = genotypes[0][-1], families[0]["kids"][-1][0]
    if difficulty == 3:
        other = genotypes[1][0]
        families[1]["kids"][0][0] = WOMAN if sex == MAN else MAN
    else:
        other_sex = WOMAN if sex == MAN else MAN
        other = founder(other_sex, (3, 3, 3))
        partner = [other_sex, shows(mode, other)]
    father, mother = (one, other) if sex == MAN else (other, one)
    third = [born(father, mother, rng.choice((MAN, WOMAN)))[1] for _ in range(rng.randint(0, 3))]
    return {
        "mode": mode,
        "families": families,
        "partner": partner,
        "born": third,
        "mirror": rng.random() < 0.5,
        "color": rng.choice(COLOURS),
    }


def parents_genotypes(p: Params) -> list[Counter[int]] | None:
    """Of the two who expect the child: genotypes with weights, by own looks and parents; None if undetermined."""
    founders = founders_genotypes(p["mode"], p["families"])
    if founders is None:
        return None
    mode = p["mode"]
    pair = [(p["families"][0]["kids"][-1], founders[0])]
    if p["partner"] is None:
        pair.append((p["families"][1]["kids"][0], founders[1]))
    found = [Counter(g for g in children(mode, *above, kid[0]) if shows(mode, g) == kid[1]) for kid, above in pair]
    if p["partner"]:
        options = possible(mode, p["partner"])
        sex = p["families"][0]["kids"][-1][0]
        fits = [
            g
            for g in options
            if any(
                all(may_have(mode, *((o, g) if sex == MAN else (g, o)), *kid) for kid in p["born"]) for o in found[0]
            )
        ]
        if not fits or (p["partner"][1] and len(fits) > 1):
            return None
        found.append(Counter({min(fits): 1}))
    return found


def chance(p: Params) -> Fraction | None:
    """That the next child is affected, by Bayes' rule over the parents' genotypes; None if undetermined."""
    pair = parents_genotypes(p)
    if pair is None:
        return None
    mode, sex = p["mode"], p["families"][0]["kids"][-1][0]
    total = affected = Fraction(0)
    for (a, wa), (b, wb) in product(pair[0].items(), pair[1].items()):
        father, mother = (a, b) if sex == MAN else (b, a)
        weight = Fraction(wa * wb)
        for kid in p["born"]:
            options = children(mode, father, mother, kid[0])
            weight *= Fraction(sum(shows(mode, g) == kid[1] for g in options), 4)
        both = [g for s in (MAN, WOMAN) for g in children(mode, father, mother, s)]
        total += weight
        affected += weight * Fraction(sum(shows(mode, g) for g in both), len(both))
    return affected / total if total else None


def people(p: Params) -> list[Placed]:
    """Everybody, generation by generation, numbered from left to right."""
    mirror, families = p["mirror"], p["families"]
    order = list(range(len(families)))[:: -1 if mirror else 1]
    first: list[tuple[Person, tuple[int, int] | None]] = []
    couples = {}
    for i in order:
        couples[i] = (len(first), len(first) + 1)
        first += [((sex, aff), None) for sex, aff in families[i]["couple"]]
    second: list[tuple[Person, tuple[int, int] | None, str]] = []
    row = [
        ((k[0], k[1]), couples[0], "a" if n == len(families[0]["kids"]) - 1 else "")
        for n, k in enumerate(families[0]["kids"])
    ]
    if p["partner"]:
        second = [*row, ((p["partner"][0], p["partner"][1]), None, "b")]
    else:
        second = row + [((k[0], k[1]), couples[1], "" if n else "b") for n, k in enumerate(families[1]["kids"])]
    if mirror:
        second.reverse()
    start = len(first)
    at = {mark: start + i for i, (_, _, mark) in enumerate(second) if mark}
    father, mother = (at["a"], at["b"]) if families[0]["kids"][-1][0] == MAN else (at["b"], at["a"])
    found = [Placed(f"I-{i + 1}", s, a, 0, above) for i, ((s, a), above) in enumerate(first)]
    found += [Placed(f"II-{i + 1}", s, a, 1, above) for i, ((s, a), above, _) in enumerate(second)]
    found += [Placed(f"III-{i + 1}", s, a, 2, (father, mother)) for i, (s, a) in enumerate(p["born"])]
    return found


def expecting(p: Params) -> tuple[int, int]:
    """Indices of the father and the mother of the next child."""
    everybody = people(p)
    above = {q.parents for q in everybody if q.generation == 2}
    if above:
        found = above.pop()
        assert found is not None
        return found
    more = {**p, "born": [[MAN, False]]}
    found = people(more)[-1].parents
    assert found is not None
    return found


def solve(p: Params) -> str:
    """Alleles drawn one by one down the whole pedigree, every outcome that fits the looks counted."""
    everybody, mode = people(p), p["mode"]
    father, mother = expecting(p)
    fits = [q for q in range(len(everybody)) if everybody[q].parents is None]
    states: Counter[tuple[str, ...]] = Counter()
    # As few disease alleles among those without parents as give any outcome at all.
    for start in sorted(product(*(_strings(mode, everybody[q]) for q in fits)), key=lambda s: "".join(s).count("d")):
        states = Counter({(): 1})
        given = dict(zip(fits, start, strict=True))
        for i, person in enumerate(everybody):
            following: Counter[tuple[str, ...]] = Counter()
            for known, weight in states.items():
                options = [given[i]] if i in given else list(meioses(known, person.parents, mode, person.sex))
                for alleles in options:
                    if looks(mode, alleles) == person.affected:
                        following[(*known, alleles)] += weight
            states = following
        if states:
            break
    ill = every = 0
    for known, weight in states.items():
        for sex in (MAN, WOMAN):
            for alleles in meioses(known, (father, mother), mode, sex):
                every += weight
                ill += weight * looks(mode, alleles)
    return str(Fraction(ill, every))


def _strings(mode: str, person: Placed) -> list[str]:
    """Genotypes written out as alleles: "d" the disease allele, "n" the normal one, "Y" the chromosome without."""
    every = ("nY", "dY") if one_allele(mode, person.sex) else ("nn", "nd", "dd")
    return [g for g in every if looks(mode, g) == person.affected]


def _words(p: Params) -> str:
    everybody = people(p)
    kinds = {MAN: "man", WOMAN: "woman"}
    told = []
    for q in everybody:
        look = "affected" if q.affected else "unaffected"
        child = ""
        if q.parents:
            child = f", child of {everybody[q.parents[0]].name} and {everybody[q.parents[1]].name}"
        told.append(f"{q.name} ({look} {kinds[q.sex]}{child})")
    return ", ".join(told)


RULE = "People without parents in the pedigree carry the disease allele only if the pedigree proves it."


def state(p: Params) -> Statement:
    everybody = people(p)
    father, mother = (everybody[i].name for i in expecting(p))
    answer = str(chance(p))
    want = f"{RULE} Find the probability that the next child of {father} and {mother} is affected, as a fraction."
    second = sum(q.generation == 1 for q in everybody)
    ill = sum(q.affected for q in everybody)
    some = everybody[-1 if len(p["born"]) else 2]
    looks = [f"{a} {b}" for a in ("affected", "unaffected") for b in ("male", "female")]
    right = f"{'affected' if some.affected else 'unaffected'} {'male' if some.sex == MAN else 'female'}"
    others = [text for text in looks if text != right]
    return Statement(
        question=f"A trait is {p['mode']}. A family: {_words(p)}. {want}",
        multimodal_question=f"The pedigree shows an inherited trait. {want}",
        answer=answer,
        leak=(f"P = {answer}", answer),
        facts=(
            Fact("How many people are affected?", str(ill), _three(ill)),
            Fact("How many people are drawn in generation II?", str(second), _three(second)),
            Fact(f"What is known of {some.name}?", right, (others[0], others[1], others[2])),
            Fact(
                "How is the trait inherited?",
                p["mode"],
                tuple(m for m in (*MODES, "Y-linked") if m != p["mode"]),  # type: ignore[arg-type]
            ),
        ),
    )


def _three(right: int) -> tuple[str, str, str]:
    first, second, third = [str(n) for n in (right - 1, right + 1, right + 2, right + 3) if n > 0][:3]
    return first, second, third


def plan(p: Params) -> Plan:
    everybody = people(p)
    father, mother = (everybody[i].name for i in expecting(p))
    return Plan(
        content=f"A pedigree of a trait that is {p['mode']}: {_words(p)}; a diamond for the next child.",
        layout="Three rows, one a generation; squares for men, circles for women, filled if affected; couples joined "
        "by a line, children hanging from a line below it.",
        labels="The number of each person below its symbol, roman numerals at the left, the mode of inheritance at the "
        "top, a key below.",
        constraints=f"Only the affected are filled. The probability for the next child of {father} and {mother} is "
        "asked and must not be shown; no genotype is written.",
    )


SIZE = (6.2, 4.7)
ROWS = (3.75, 2.5, 1.25)
SIDE = 0.34


def draw(p: Params) -> Drawing:
    everybody = people(p)
    father, mother = expecting(p)
    where = _places(p)
    color, flipped = p["color"], p.get("flipped", False)
    symbols, lines = [], []
    for q, (x, y) in zip(everybody, where[:-1], strict=True):
        affected = q.affected != (flipped and q.generation != 1)
        symbols.append((round(x, 3), y, (q.sex == MAN) != flipped, affected))
    couples: dict[tuple[int, int], list[float]] = {}
    for i, q in enumerate(everybody):
        if q.parents:
            couples.setdefault(q.parents, []).append(where[i][0])
    next_x = where[-1][0]
    couples.setdefault((father, mother), []).append(next_x)
    for (a, b), xs in couples.items():
        (x1, y), (x2, _) = sorted((where[a], where[b]))
        bar = y - 0.64
        middle = (x1 + x2) / 2
        lines += [[(x1 + SIDE / 2, y), (x2 - SIDE / 2, y)], [(middle, y), (middle, bar)]]
        lines.append([(min(*xs, middle), bar), (max(*xs, middle), bar)])
        lines += [[(x, bar), (x, y - (ROWS[0] - ROWS[1]) + SIDE / 2)] for x in xs]
    code = [[(round(x, 3), round(y, 3)) for x, y in line] for line in lines]
    key = [(1.0, True, False), (2.25, False, False), (3.75, True, True), (4.0, False, True)]
    body = f"""{inch_axes(*SIZE)}
for line in {code}:
    ax.plot(*zip(*line), color="0.2", lw=1.5, solid_capstyle="round")
def person(x, y, man, affected, side):
    style = dict(facecolor="{color}" if affected else "white", edgecolor="0.15", lw=1.7, zorder=3)
    if man:
        ax.add_patch(plt.Rectangle((x - side / 2, y - side / 2), side, side, **style))
    else:
        ax.add_patch(plt.Circle((x, y), side * 0.54, **style))
for x, y, man, affected in {symbols}:
    person(x, y, man, affected, {SIDE})
for x, man, affected in {key}:
    person(x, 0.25, man, affected, 0.2)
d = {SIDE * 0.68:.3f}
x, y = {next_x:.3f}, {ROWS[2]}
ax.fill([x - d, x, x + d, x], [y, y + d, y, y - d],
        facecolor="white", edgecolor="0.15", lw=1.7, zorder=3)
"""
    labels = [Label(p["mode"], SIZE[0] / 2, 4.42, wrong=WRONG[p["mode"]], style={"fontweight": "bold"})]
    for q, (x, y) in zip(everybody, where[:-1], strict=True):
        wrong = q.name + "0" if q.generation == 1 else None
        labels.append(Label(q.name, x, y - SIDE / 2 - 0.14, wrong=wrong, style={"fontsize": 10}))
    labels.append(Label("?", next_x, ROWS[2], given=False, style={"fontsize": 13, "zorder": 4}))
    for text, y in zip(ROMAN, ROWS, strict=True):
        labels.append(Label(text, 0.3, y, given=False, style={"color": "0.4", "family": "serif", "fontsize": 14}))
    for text, x in (("man", 1.18), ("woman", 2.43), ("affected", 4.2)):
        labels.append(Label(text, x, 0.25, given=False, style={"ha": "left", "fontsize": 10.5}))
    return Drawing(body, tuple(labels), size=SIZE)


def _places(p: Params) -> list[tuple[float, float]]:
    """Centres of all people in inches, and that of the next child as the last."""
    everybody = people(p)
    left, right = 0.75, SIZE[0] - 0.15
    second = [i for i, q in enumerate(everybody) if q.generation == 1]
    step = min(0.98, (right - left) / len(second))
    start = (left + right) / 2 - step * (len(second) - 1) / 2
    xs = {i: start + step * k for k, i in enumerate(second)}
    for i, q in enumerate(everybody):
        if q.generation:
            continue
        mate = next(r.parents for r in everybody if r.parents and i in r.parents and r.generation == 1)
        kids = [xs[k] for k in second if everybody[k].parents == mate]
        middle = (min(kids) + max(kids)) / 2
        xs[i] = middle + (0.5 if i == max(mate) else -0.5)
    father, mother = expecting(p)
    born = [i for i, q in enumerate(everybody) if q.generation == 2]
    middle = (xs[father] + xs[mother]) / 2
    first = middle - 0.9 * len(born) / 2
    first = min(max(first, left + 0.1), right - 0.3 - 0.9 * len(born))
    for k, i in enumerate(born):
        xs[i] = first + 0.9 * k
    last = (first + 0.9 * len(born), ROWS[2])
    return [(xs[i], ROWS[q.generation]) for i, q in enumerate(everybody)] + [last]


def distort(p: Params) -> Params:
    """Men are drawn as women and women as men, and the first and third generation are filled the wrong way round."""
    return {**p, "flipped": True}


FAMILY = Family(
    name="pedigree",
    subject=Subject.BIOLOGY,
    image_type=ImageType.GENETICS,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
