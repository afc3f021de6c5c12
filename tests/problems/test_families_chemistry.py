"""Answers of the chemistry families, worked out by hand for fixed parameters, and what their drawings must obey."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import combinations
from math import hypot
from random import Random
from typing import Any

import pytest

from scigen.problems.procedural import stoichiometry
from scigen.problems.procedural.families import (
    energy_levels,
    lewis_structure,
    mass_spectrum,
    orbital_boxes,
    organic_reaction,
    particle_box,
    reaction_yield,
    skeletal_formula,
)
from scigen.problems.procedural.family import Family
from scigen.problems.procedural.molecule import formula_text, is_clear, sketch
from scigen.problems.procedural.verify import agrees

FAMILIES: list[Family] = [
    module.FAMILY
    for module in (
        energy_levels,
        lewis_structure,
        mass_spectrum,
        orbital_boxes,
        organic_reaction,
        particle_box,
        reaction_yield,
        skeletal_formula,
    )
]
every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
STYLE = {"name", "tint", "colour", "color", "side", "layout", "first", "missing", "drawn"}
"""Parameters that do not make a problem another one."""


def compound(asked: str, smiles: str) -> dict[str, Any]:
    return {"asked": asked, "smiles": smiles, "name": "A", "colour": False, "missing": False}


def lewis(asked: str, mark: int = -1) -> dict[str, Any]:
    """Formaldehyde; without its hydrogens' proton, as a formyl ion, where the charge is asked."""
    atoms = [["C", 0, 0, 0], ["O", 0, 1, 2], ["H", -1, 0, 0], ["H", 1, 0, 0]]
    bonds = [[0, 1, 2], [0, 2, 1], [0, 3, 1]]
    if asked == "charge":
        atoms, bonds = [*atoms[:3]], bonds[:2]
        atoms[0] = ["C", 0, 0, 1]
    return {"asked": asked, "atoms": atoms, "bonds": bonds, "mark": mark, "name": "A", "tint": "black"}


def organic(asked: str, reaction: str, smiles: list[str], start: float = 6.0, made: float = 6.6) -> dict[str, Any]:
    numbers = {"start": start, "made": made, "percent": 75.0}
    return {"asked": asked, "reaction": reaction, "smiles": smiles, **numbers, "tint": "white", "missing": False}


def equation(asked: str, text: str, masses: list[float], product: int = 0) -> dict[str, Any]:
    return {"kind": "equation", "equation": text, "masses": masses, "asked": asked, "product": product, "tint": "white"}


def boxes(asked: str, core: str, rows: list[list[int]], charge: int = 0, mass: int = 0) -> dict[str, Any]:
    look = {"layout": "row", "first": "u", "color": "black"}
    return {"asked": asked, "core": core, "boxes": rows, "charge": charge, "mass": mass, **look}


def levels(asked: str, energies: list[float], low: int, high: int, light: float = 0.0) -> dict[str, Any]:
    look = {"z": 0, "up": False, "color": "black", "side": "left"}
    return {"asked": asked, "levels": energies, "low": low, "high": high, "light": light, **look}


def spectrum(asked: str, atoms: dict[str, int], halogens: str = "") -> dict[str, Any]:
    return {"asked": asked, "atoms": atoms, "halogens": halogens, "scale": 100.0, "color": "black", "drawn": ""}


IRON = [[2], [1, 1, 2, 1, 1], [0, 0, 0]]


@pytest.mark.parametrize(
    ("family", "params", "answer"),
    [
        # paracetamol C8H9NO2: 6 ring carbons, acetyl 2
        (skeletal_formula.FAMILY, compound("carbon", "CC(=O)Nc1ccc(O)cc1"), "8"),
        # 4 on the ring, 3 of the methyl, NH and OH
        (skeletal_formula.FAMILY, compound("hydrogen", "CC(=O)Nc1ccc(O)cc1"), "9"),
        (skeletal_formula.FAMILY, compound("formula", "CC(=O)Nc1ccc(O)cc1"), "C8H9NO2"),
        # one ring, three C=C, one C=O
        (skeletal_formula.FAMILY, compound("unsaturation", "CC(=O)Nc1ccc(O)cc1"), "5"),
        # 2 x 12.011 + 6 x 1.008 + 15.999
        (skeletal_formula.FAMILY, compound("mass", "CCO"), "46.07"),
        # 24.022 / 46.069
        (skeletal_formula.FAMILY, compound("percent", "CCO"), "52.14"),
        # natural lactic acid is L, which is S; natural alanine's mirror image is R
        (skeletal_formula.FAMILY, compound("right", "C[C@H](O)C(=O)O"), "0"),
        (skeletal_formula.FAMILY, compound("right", "C[C@@H](N)C(=O)O"), "1"),
        # the two lone pairs of oxygen
        (lewis_structure.FAMILY, lewis("lone"), "2"),
        (lewis_structure.FAMILY, lewis("bonding"), "4"),
        (lewis_structure.FAMILY, lewis("sigma"), "3"),
        # 4 + 6 + 2 x 1
        (lewis_structure.FAMILY, lewis("valence"), "12"),
        (lewis_structure.FAMILY, lewis("hybrid", 0), "sp2"),
        # two bonds to oxygen: +2; two to hydrogen: -2
        (lewis_structure.FAMILY, lewis("oxidation", 0), "0"),
        # HCO with a lone pair on carbon: C 4 - 2 - 3 = -1
        (lewis_structure.FAMILY, lewis("charge"), "-1"),
        # acetic acid and ethanol give ethyl acetate
        (organic_reaction.FAMILY, organic("formula", "esterification", ["CC(=O)O", "CCO"]), "C4H8O2"),
        # 88.106 of 60.052 + 46.069 = 106.121
        (organic_reaction.FAMILY, organic("economy", "esterification", ["CC(=O)O", "CCO"]), "83.0"),
        # but-2-ene 56.108 with Br2 159.808
        (organic_reaction.FAMILY, organic("molar mass", "bromination", ["CC=CC"]), "215.9"),
        # 6 x 88.106 / 60.052 = 8.803; 6.6 / 8.803
        (organic_reaction.FAMILY, organic("mass", "esterification", ["CC(=O)O", "CCO"]), "8.80"),
        (organic_reaction.FAMILY, organic("yield", "esterification", ["CC(=O)O", "CCO"]), "75.0"),
        # 4.86 g of Mg are 0.2 mol and give 0.2 mol of MgO at 40.30
        (reaction_yield.FAMILY, equation("product", "2 Mg + O2 > 2 MgO", [4.86, 0.0]), "8.1"),
        # 0.1 mol of O2 takes 0.2 mol of Mg: 7.29 - 4.86
        (reaction_yield.FAMILY, equation("left over", "2 Mg + O2 > 2 MgO", [7.29, 3.2]), "2.4"),
        # Al2O3 101.96 to 2 Al 53.96 to 2 Al(OH)3 of 78.00: 50 x 156 / 101.96 x 0.9 x 0.8 x 0.5
        (
            reaction_yield.FAMILY,
            {"kind": "chain", "chain": 7, "yields": [90, 80, 50], "asked": "end", "mass": 50.0, "tint": "white"},
            "27.5",
        ),
        # iron: [Ar] 4s2 3d6
        (orbital_boxes.FAMILY, boxes("unpaired", "Ar", IRON), "4"),
        (orbital_boxes.FAMILY, boxes("outer", "Ar", IRON), "8"),
        (orbital_boxes.FAMILY, boxes("total", "Ar", IRON), "26"),
        # the same electrons in M2+ have 28 protons
        (orbital_boxes.FAMILY, boxes("element", "Ar", IRON, 2), "Ni"),
        (orbital_boxes.FAMILY, boxes("neutrons", "Ar", IRON, 0, 56), "30"),
        # Fe3+ is 3d5: sqrt(5 x 7)
        (orbital_boxes.FAMILY, boxes("moment", "Ar", IRON, 3), "5.92"),
        (orbital_boxes.FAMILY, boxes("ion", "Ar", IRON, 2), "4"),
        (energy_levels.FAMILY, levels("energy", [-10.0, -6.0, -1.5], 0, 2), "8.50"),
        # 1239.84 / 4
        (energy_levels.FAMILY, levels("wavelength", [-10.0, -6.0, -1.5], 0, 1), "310.0"),
        # 1239.84 / 4.5
        (energy_levels.FAMILY, levels("cascade", [-10.0, -6.0, -1.5], 1, 2, 145.9), "275.5"),
        # 1239.84 / 200 - 6 = 6.1992 - 6
        (energy_levels.FAMILY, levels("electron", [-10.0, -6.0, -1.5], 1, 2, 200.0), "0.20"),
        # 1.5 eV x 9 / 1
        (
            particle_box.FAMILY,
            {"asked": "energy", "levels": 3, "low": 1, "high": 3, "known": 1, "energy": 1.5},
            "13.50",
        ),
        # 1239.84 / (0.37603 x 3) = 1099.06
        (
            particle_box.FAMILY,
            {"asked": "wavelength", "levels": 3, "low": 1, "high": 2, "length": 1.0, "up": True},
            "1099",
        ),
        # the middle half of the ground state: 1/2 + 1/pi
        (particle_box.FAMILY, {"asked": "probability", "n": 1, "length": 1.0, "start": 0.25, "end": 0.75}, "0.818"),
        (mass_spectrum.FAMILY, spectrum("carbons", {"C": 6, "H": 14}), "6"),
        (mass_spectrum.FAMILY, spectrum("formula", {"C": 6, "H": 5, "Br": 1}, "Br"), "C6H5Br"),
    ],
)
def test_answer(family: Family, params: Mapping[str, Any], answer: str) -> None:
    assert family.state(params).answer == answer
    assert family.solve is not None
    assert agrees(answer, family.solve(params))


@every_family
def test_many_differ_in_more_than_style(family: Family) -> None:
    rng = Random(1)
    drawn = [family.sample(rng, 3) for _ in range(60)]
    seen = {json.dumps({k: v for k, v in p.items() if k not in STYLE}, sort_keys=True) for p in drawn}
    assert len(seen) >= 40


def test_an_ether_has_two_bonds_that_stop_at_the_oxygen() -> None:
    drawn = sketch("COC", 0.5)
    (label,) = drawn.labels
    assert label.text == "O"
    assert len(drawn.lines) == 2
    left, low, right, high = label.box
    for line in drawn.lines:
        for x, y in line:
            assert not (left < x < right and low < y < high)
        length = hypot(line[0][0] - line[1][0], line[0][1] - line[1][1])
        assert 0.25 < length < 0.45


@pytest.mark.parametrize(
    ("smiles", "lines", "texts"),
    [
        ("c1ccccc1", 9, []),  # six bonds, three of them double
        ("CC#N", 4, ["N"]),  # one single, one triple
        ("CC(C)=O", 4, ["O"]),
        ("C[N+](C)(C)C", 4, ["N⁺"]),
        ("OCCN", 3, ["HO", "NH₂"]),
    ],
)
def test_bonds_become_lines_and_other_atoms_texts(smiles: str, lines: int, texts: list[str]) -> None:
    drawn = sketch(smiles)
    assert len(drawn.lines) == lines
    assert sorted(t.text.replace("H₂N", "NH₂").replace("OH", "HO") for t in drawn.labels) == sorted(texts)


def test_a_stereocentre_has_a_wedge_or_hashes() -> None:
    one, other = sketch("C[C@H](O)CC"), sketch("C[C@@H](O)CC")
    assert len(one.wedges) + len(other.wedges) == 1
    assert abs(len(one.lines) - len(other.lines)) == 6


def test_the_labels_of_a_clear_molecule_do_not_touch() -> None:
    for seed in range(12):
        smiles = skeletal_formula.FAMILY.sample(Random(seed), 3)["smiles"]
        assert is_clear(smiles)
        for a, b in combinations([n.box for n in sketch(smiles).labels], 2):
            assert a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]


def test_equations_are_balanced() -> None:
    for text in stoichiometry.EQUATIONS:
        left, right = stoichiometry.parse(text)
        sides = []
        for side in (left, right):
            atoms: dict[str, int] = {}
            for n, formula in side:
                for e, k in stoichiometry.composition(formula).items():
                    atoms[e] = atoms.get(e, 0) + n * k
            sides.append(atoms)
        assert sides[0] == sides[1], text


def test_chains_keep_their_element() -> None:
    for element, (names, ratios, above) in stoichiometry.CHAINS:
        formulas = names.split()
        assert len(ratios.split()) == len(above) == len(formulas) - 1
        for a, b, ratio in zip(formulas, formulas[1:], ratios.split(), strict=False):
            first, second = (int(n) for n in ratio.split(":"))
            assert first * stoichiometry.composition(a)[element] == second * stoichiometry.composition(b)[element]


def test_isotope_peaks_of_dibromine_stand_as_1_2_1() -> None:
    shares = mass_spectrum.pattern({"Br": 2})
    assert shares[0] == pytest.approx(0.5069**2, abs=1e-4)
    assert shares[2] == pytest.approx(2 * 0.5069 * 0.4931, abs=1e-4)
    assert shares[4] == pytest.approx(0.4931**2, abs=1e-4)


def test_levels_are_drawn_at_heights_in_the_ratio_of_their_energies() -> None:
    p = energy_levels.FAMILY.sample(Random(4), 1)
    height = {label.text: label.y for label in energy_levels.FAMILY.draw(p).labels}
    heights = [height[name] for name in energy_levels.names(p)]
    zero = height["0 eV"]
    for y, energy in zip(heights, p["levels"], strict=True):
        assert (zero - y) / (zero - heights[0]) == pytest.approx(energy / p["levels"][0], abs=0.04)


def test_formulas_are_printed_with_subscripts() -> None:
    assert formula_text("Ca3(PO4)2") == "Ca₃(PO₄)₂"
