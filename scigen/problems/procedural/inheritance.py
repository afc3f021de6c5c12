"""How a trait of one gene passes from parents to children: by counts of the disease allele, and by alleles written out.

Two ways on purpose: families state an answer by the first and solve it again by the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any

MODES = ("autosomal recessive", "autosomal dominant", "X-linked recessive")
MAN, WOMAN = "m", "f"


def one_allele(mode: str, sex: str) -> bool:
    """Whether somebody of this sex has a single allele."""
    return mode == "X-linked recessive" and sex == MAN


def shows(mode: str, genotype: int) -> bool:
    """`genotype`: disease alleles, 0 to 2; of a man with an X-linked trait 0 or 2, which stands for his only one."""
    return genotype >= (1 if mode == "autosomal dominant" else 2)


@cache
def children(mode: str, father: int, mother: int, sex: str) -> tuple[int, ...]:
    """The four equally likely genotypes of a child."""
    passed = {0: (0, 0), 1: (0, 1), 2: (1, 1)}
    if mode != "X-linked recessive":
        return tuple(a + b for a, b in product(passed[father], passed[mother]))
    return tuple(2 * b if sex == MAN else father // 2 + b for b in passed[mother] for _ in range(2))


def least(fits: list[tuple[int, int]]) -> tuple[int, int] | None:
    """The couple with the fewest disease alleles, if there is one with both the fewest."""
    if not fits:
        return None
    best = (min(f for f, _ in fits), min(m for _, m in fits))
    return best if best in fits else None


def possible(mode: str, person: Sequence[Any]) -> list[int]:
    """Genotypes of a person (sex, affected) by their own looks."""
    sex, affected = person
    return [g for g in ((0, 2) if one_allele(mode, sex) else (0, 1, 2)) if shows(mode, g) == affected]


@cache
def may_have(mode: str, father: int, mother: int, sex: str, affected: bool) -> bool:
    """Whether these parents can have such a child."""
    return any(shows(mode, g) == affected for g in children(mode, father, mother, sex))


def founders_genotypes(mode: str, families: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]] | None:
    """Genotypes of the grandparents (father, mother) of each family: as few alleles as the pedigree allows.

    None if that is not one single choice, or if an affected founder of a dominant trait may have one allele or two.
    """
    found = []
    for family in families:
        couple = family["couple"]
        fits = [
            (f, m)
            for f, m in product(possible(mode, couple[0]), possible(mode, couple[1]))
            if all(may_have(mode, f, m, *kid) for kid in family["kids"])
        ]
        best = least(fits)
        if best is None or any(a and len({g[i] for g in fits}) > 1 for i, (_, a) in enumerate(couple)):
            return None
        found.append(best)
    return found


def looks(mode: str, alleles: str) -> bool:
    """Whether written-out alleles make ill: "d" the disease allele, "n" the normal one, "Y" the chromosome without."""
    return "d" in alleles if mode == "autosomal dominant" else "n" not in alleles


def meioses(known: tuple[str, ...], parents: tuple[int, int] | None, mode: str, sex: str) -> Iterator[str]:
    """Written-out genotypes of a child, equally likely; `parents` are indices in `known`."""
    assert parents is not None
    for a, b in product(known[parents[0]], known[parents[1]]):
        if mode != "X-linked recessive":
            yield b + a if (a, b) == ("d", "n") else a + b
        elif (a == "Y") == (sex == MAN):
            yield "".join(sorted(b)) + "Y" if sex == MAN else b + a if (a, b) == ("d", "n") else a + b
