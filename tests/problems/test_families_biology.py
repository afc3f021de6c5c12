"""Answers of the biology and crystal families, worked out by hand, and what their drawings must obey."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from scigen.problems.procedural.families import (
    cell_division,
    cell_organelles,
    cubic_cell,
    food_pyramid,
    food_web,
    ionic_cell,
    nmr_spectrum,
    pedigree,
    plasmid_digest,
    punnett_square,
    translation,
)
from scigen.problems.procedural.family import Family
from scigen.problems.procedural.verify import agrees

FAMILIES = [
    module.FAMILY
    for module in (
        cell_division,
        cell_organelles,
        cubic_cell,
        food_web,
        ionic_cell,
        nmr_spectrum,
        pedigree,
        plasmid_digest,
        translation,
    )
]
every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)


def metal(kind: str, lattice: str, **changes: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "lattice": lattice,
        "a": 400,
        "mass": 60.0,
        "vacant": 1.0,
        "turn": 24,
        "tilt": 17,
        "colors": 0,
    } | changes


def ions(kind: str, structure: str, **changes: Any) -> dict[str, Any]:
    return {"kind": kind, "structure": structure, "a": 564, "turn": 25, "tilt": 16, "colors": 0} | changes


def spectrum(kind: str, **changes: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "formula": "C4H8O2",
        "compound": "ethyl acetate",
        "ppm": [4.12, 2.04, 1.26],
        "hydrogens": [2, 3, 3],
        "lines": [4, 1, 3],
        "step": 7,
        "mm": [14, 21, 21],
        "mhz": 400,
        "width": 54,
        "asked": 0,
        "color": "black",
        **changes,
    }


def tree(mode: str, families: list[Any], partner: list[Any] | None, born: list[Any]) -> dict[str, Any]:
    told = [{"couple": couple, "kids": kids} for couple, kids in families]
    return {"mode": mode, "families": told, "partner": partner, "born": born, "mirror": False, "color": "black"}


HEALTHY = [["m", False], ["f", False]]


def cell(kind: str, **changes: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "cell": "animal",
        "lengths": {"nucleus": 24, "mitochondrion": 15, "Golgi apparatus": 17, "lysosome": 8},
        "asked": ["nucleus", "lysosome"],
        "times": 2000,
        "bar": [25, 10],
        "mirror": False,
        "over": False,
        "tints": 0,
        **changes,
    }


def division(kind: str, stage: str, n: int, **changes: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "division": "meiosis" if " " in stage else "mitosis",
        "stage": stage,
        "sizes": [40, 34, 28, 22][:n],
        "mix": [True, False, True, False][:n],
        "turn": [0] * (2 * n),
        "upright": True,
        "colors": 0,
        "dna": 6.4,
        "wrong": 0,
        **changes,
    }


def genes(kind: str, codons: str, **changes: Any) -> dict[str, Any]:
    return {"kind": kind, "codons": codons.split(), "site": 1, "colors": 0, **changes}


def plasmid(kind: str, cuts: list[list[int]], end: str = "longest") -> dict[str, Any]:
    names = {"enzymes": ["EcoRI", "PstI"], "gene": "lacZ", "from": 0, "colors": 0}
    return {"kind": kind, "size": 5000, "cuts": cuts, "end": end, **names}


LINKS = [
    ["grass", "beetle"],
    ["clover", "beetle"],
    ["clover", "snail"],
    ["beetle", "frog"],
    ["snail", "frog"],
    ["frog", "owl"],
]
ROWS = [["grass", "clover"], ["beetle", "snail"], ["frog"], ["owl"]]
WEB = {"habitat": "meadow", "rows": ROWS, "links": LINKS}

BY_HAND = [
    # face diagonal 4 r: 400 x 1.41421 / 4
    (cubic_cell.FAMILY, metal("radius", "face-centred cubic"), "141.4"),
    # 2 x 55.8 / (6.022e23 x (2.87e-8)^3) = 111.6 / 14.236
    (cubic_cell.FAMILY, metal("density", "body-centred cubic", a=287, mass=55.8), "7.84"),
    # r = 200, so a = 400: 60 / (6.022e23 x 6.4e-23) = 60 / 38.541
    (cubic_cell.FAMILY, metal("density by radius", "simple cubic", r=200), "1.56"),
    # half of 564
    (ionic_cell.FAMILY, ions("distance", "rock salt"), "282.0"),
    (ionic_cell.FAMILY, ions("coordination", "zinc blende"), "4"),
    # 4 x 58.5 / (6.022e23 x (5.64e-8)^3) = 234 / 108.04
    (ionic_cell.FAMILY, ions("density", "rock salt", mass={"M": 23.0, "X": 35.5}), "2.17"),
    # d = 400 / 1.7321 = 230.94, sin = 154 / 461.88 = 0.3334
    (ionic_cell.FAMILY, ions("angle", "rock salt", a=400, plane=[1, 1, 1], wave=154, theta=0), "19.5"),
    # 14 of 56 mm of 8 hydrogens
    (nmr_spectrum.FAMILY, spectrum("hydrogens"), "2"),
    # 0.054 ppm x 400 MHz = 21.6 Hz over the three gaps of a quartet
    (nmr_spectrum.FAMILY, spectrum("coupling"), "7.2"),
    (nmr_spectrum.FAMILY, spectrum("compound"), "ethyl acetate"),
    # she is a carrier by 2/3, he is affected: 2/3 x 1/2
    (
        pedigree.FAMILY,
        tree("autosomal recessive", [(HEALTHY, [["m", True], ["f", False]])], ["m", True], []),
        "1/3",
    ),
    # the sister of an affected man carries by 1/2; half of her children are sons, half of those affected
    (
        pedigree.FAMILY,
        tree("X-linked recessive", [(HEALTHY, [["m", True], ["f", False]])], ["m", False], []),
        "1/8",
    ),
    # two healthy people with affected siblings: 2/3 x 2/3 x 1/4
    (
        pedigree.FAMILY,
        tree(
            "autosomal recessive",
            [(HEALTHY, [["m", True], ["f", False]]), (HEALTHY, [["m", False], ["f", True]])],
            None,
            [],
        ),
        "1/9",
    ),
    # 24 mm / 2000
    (cell_organelles.FAMILY, cell("length", asked=["nucleus"]), "12.0"),
    # 25 mm for 10 micrometres
    (cell_organelles.FAMILY, cell("magnification", asked=["nucleus"]), "2500"),
    # pi / 6 x 12^3
    (cell_organelles.FAMILY, cell("volume", asked=["nucleus"]), "904.8"),
    # (24 / 8)^3
    (cell_organelles.FAMILY, cell("ratio"), "27.0"),
    # six chromosomes, split: twelve
    (cell_division.FAMILY, division("chromosomes", "anaphase", 3), "12"),
    # four chromosomes of two
    (cell_division.FAMILY, division("chromatids", "prophase", 2), "8"),
    (cell_division.FAMILY, division("assortments", "metaphase I", 3), "8"),
    # the gamete has 3 + 1, the other 3
    (cell_division.FAMILY, division("zygote", "anaphase I", 3, wrong=1), "7"),
    # in meiosis II the cell holds two gametes' DNA
    (cell_division.FAMILY, division("gamete DNA", "metaphase II", 3), "3.20"),
    # doubled before mitosis
    (cell_division.FAMILY, division("DNA", "metaphase", 3), "12.8"),
    (translation.FAMILY, genes("mRNA", "AUG GCU UGG UAA"), "Met-Ala-Trp"),
    (translation.FAMILY, genes("template", "AUG CCU AAG UAG"), "Met-Pro-Lys"),
    # the template TAC CTT TTC: its fourth base C becomes T, so GAA becomes AAA
    (translation.FAMILY, genes("mutant", "AUG GAA AAG UAA", place=3, base="T"), "Met-Lys-Lys"),
    # 3000 - 1000, and 5000 - 2000
    (plasmid_digest.FAMILY, plasmid("single", [[1000, 3000], [200]]), "3000"),
    # 600, 2400, 2000
    (plasmid_digest.FAMILY, plasmid("double", [[1000], [1600, 4000]], "shortest"), "600"),
    # grass-beetle-frog-owl, clover-beetle-frog-owl, clover-snail-frog-owl
    (food_web.FAMILY, {**WEB, "kind": "chains to"}, "3"),
    # beetle 2000 + 2000, snail 4000; frog 400 + 200; owl 60
    (
        food_web.FAMILY,
        {**WEB, "kind": "energy", "energy": [20000, 40000], "percent": [10, 5, 10, 10, 5, 10]},
        "60.0",
    ),
]


@pytest.mark.parametrize(("family", "params", "answer"), BY_HAND, ids=lambda x: getattr(x, "name", ""))
def test_answer(family: Family, params: Mapping[str, Any], answer: str) -> None:
    assert family.state(params).answer == answer
    assert family.solve is not None
    assert agrees(answer, family.solve(params))


ASKED = {
    "cell_division": (("number of",), ("DNA content", "number of"), ("number of", "DNA content")),
    "cell_organelles": (("real length",), ("real length", "magnification"), ("volume",)),
    "cubic_cell": (("radius", "distance"), ("density", "molar mass"), ("density", "edge")),
    "food_web": (("number of food chains",), ("number of food chains",), ("energy",)),
    "ionic_cell": (("distance", "coordination"), ("density", "molar mass"), ("angle", "wavelength")),
    "nmr_spectrum": (("number of hydrogen",), ("coupling constant",), ("name of the compound",)),
    "pedigree": (("probability",),) * 3,
    "plasmid_digest": (("length of the",), ("length of the",), ("position of the",)),
    "translation": (("chain of amino acids",),) * 3,
}


def test_amino_acids_and_stops_are_the_64_codons() -> None:
    assert len(translation.CODE) + len(translation.STOPS) == 64
    assert not set(translation.CODE) & set(translation.STOPS)


def test_the_drawn_chromosomes_are_as_many_as_are_said() -> None:
    for seed in range(120):
        p = cell_division.FAMILY.sample(Random(seed), 1 + seed % 3)
        assert len(cell_division.layout(p)) == cell_division.drawn(p)[0]


def test_spectra_of_isomers_have_the_hydrogens_of_the_formula() -> None:
    for formula, compounds in nmr_spectrum.ISOMERS.items():
        hydrogens = int(formula.partition("H")[2].partition("O")[0])
        for _, groups in compounds.values():
            assert sum(g[1] for g in groups) == hydrogens


@pytest.mark.parametrize("family", [food_pyramid.FAMILY, punnett_square.FAMILY], ids=lambda f: f.name)
def test_older_families_have_a_second_way(family: Family) -> None:
    assert family.solve is not None
    for seed in range(60):
        params = family.sample(Random(seed), 1 + seed % 3)
        assert agrees(family.state(params).answer, family.solve(params))
