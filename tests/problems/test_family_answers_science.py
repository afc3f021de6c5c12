"""Answers of the science families, worked out by hand for fixed parameters, and what the drawings must obey."""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, isclose, radians, sin
from random import Random
from typing import Any

import pytest

from scigen.problems.procedural.families import (
    bohr_atom,
    food_pyramid,
    incline,
    point_charge,
    punnett_square,
    resistor_network,
    thin_lens,
    transverse_wave,
)
from scigen.problems.procedural.family import Family

FAMILIES = [
    module.FAMILY
    for module in (
        bohr_atom,
        food_pyramid,
        incline,
        point_charge,
        punnett_square,
        resistor_network,
        thin_lens,
        transverse_wave,
    )
]
every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)


def incline_params(**changes: Any) -> dict[str, Any]:
    return {"asked": "acceleration", "mass": 10, "angle": 30, "mu": 0.0, "tilt": 0, **changes}


def network(layout: str, ohms: list[int], volts: int = 12, asked: str = "resistance") -> dict[str, Any]:
    return {"layout": layout, "ohms": ohms, "volts": volts, "asked": asked, "short": False}


def wave(asked: str, wavelength: float, frequency: int, span: int) -> dict[str, Any]:
    return {
        "asked": asked,
        "wavelength": wavelength,
        "frequency": frequency,
        "amplitude": 3,
        "span": span,
        "drawn": 4,
    }


def lens(focal: int, distance: int, image: int) -> dict[str, Any]:
    kind = "converging" if focal > 0 else "diverging"
    return {"lens": kind, "drawn": kind, "focal": focal, "object": distance, "image": image}


def cross(asked: str, mother: str, father: str) -> dict[str, Any]:
    return {"asked": asked, "mother": mother, "father": father, "filled": 0, "lines": len(mother)}


def pyramid(levels: int, known: int, asked: int, base: int) -> dict[str, Any]:
    names = ["grass", "insects", "frogs", "snakes", "hawks"][:levels]
    return {"names": names, "known": known, "asked": asked, "base": base, "inverted": False}


def charges(asked: str, q1: int, q2: int, cm: int) -> dict[str, Any]:
    poles = {"pole1": 1 if q1 > 0 else -1, "pole2": 1 if q2 > 0 else -1}
    return {"asked": asked, "q1": q1, "q2": q2, "cm": cm, **poles}


@pytest.mark.parametrize(
    ("family", "params", "answer"),
    [
        # a = 9.8 x 1/2 = 4.9
        (incline.FAMILY, incline_params(), "4.9"),
        # N = 10 x 9.8 x 0.8660 = 84.87
        (incline.FAMILY, incline_params(asked="normal force"), "84.9"),
        # a = 9.8 x (0.5 - 0.2 x 0.8660) = 9.8 x 0.3268 = 3.203
        (incline.FAMILY, incline_params(mu=0.2), "3.2"),
        # 5 + 7 + 11
        (resistor_network.FAMILY, network("series", [5, 7, 11]), "23"),
        # 1/3 + 1/6 = 1/2
        (resistor_network.FAMILY, network("parallel", [6, 3]), "2"),
        # 5 + (20 || 30 = 12)
        (resistor_network.FAMILY, network("mixed", [5, 20, 30]), "17"),
        # 5 + (4 || 12 = 3) + 2 = 10 ohms at 15 V
        (resistor_network.FAMILY, network("ladder", [5, 4, 12, 2], 15, "current"), "1.5"),
        # v = 6 Hz x 0.5 m
        (transverse_wave.FAMILY, wave("speed", 0.5, 6, 1), "3"),
        # three wavelengths of 2.5 m, v = 20 m/s: f = 20 / 2.5
        (transverse_wave.FAMILY, wave("frequency", 2.5, 8, 3), "8"),
        # 1/20 - 1/30 = 1/60
        (thin_lens.FAMILY, lens(20, 30, 60), "60"),
        # -1/30 - 1/20 = -5/60
        (thin_lens.FAMILY, lens(-30, 20, -12), "-12"),
        # chlorine: 2, 8, 7
        (bohr_atom.FAMILY, {"asked": "valence", "z": 17, "shells": [2, 8, 7]}, "7"),
        (bohr_atom.FAMILY, {"asked": "symbol", "z": 13, "shells": [2, 8, 3]}, "Al"),
        # 8 protons, 10 electrons
        (bohr_atom.FAMILY, {"asked": "charge", "z": 8, "shells": [2, 8]}, "-2"),
        # BB Bb Bb bb: three of four
        (punnett_square.FAMILY, cross("dominant", "Bb", "Bb"), "75"),
        # Bb bb Bb bb: two of four
        (punnett_square.FAMILY, cross("heterozygous", "Bb", "bb"), "50"),
        # 9 : 3 : 3 : 1
        (punnett_square.FAMILY, cross("both dominant", "DdGg", "DdGg"), "9"),
        # (3/4) x (1/2) of 16
        (punnett_square.FAMILY, cross("both dominant", "DdGg", "Ddgg"), "6"),
        # 40 000, 4 000, 400
        (food_pyramid.FAMILY, pyramid(4, 0, 2, 40_000), "400"),
        # the top of five has 7, the level above the base 1000 times that
        (food_pyramid.FAMILY, pyramid(5, 4, 1, 70_000), "7000"),
        # 9e9 x 2e-6 x 3e-6 / 0.3^2 = 0.054 / 0.09
        (point_charge.FAMILY, charges("force", 2, -3, 30), "0.60"),
        # the fields of +4 and -2 add up: 9e9 x 6e-6 / 0.1^2 = 5.4e6
        (point_charge.FAMILY, charges("field", 4, -2, 20), "5.40"),
        # those of +4 and +2 oppose: 9e9 x 2e-6 / 0.1^2
        (point_charge.FAMILY, charges("field", 4, 2, 20), "1.80"),
    ],
)
def test_answer(family: Family, params: Mapping[str, Any], answer: str) -> None:
    assert family.state(params).answer == answer


ASKED = {
    "bohr_atom": ("number of valence electrons", "symbol of the element", "charge of the ion"),
    "food_pyramid": ("energy of the",) * 3,
    "incline": ("normal force", "acceleration", "acceleration"),
    "point_charge": ("force between the charges", "force between the charges", "field half-way"),
    "punnett_square": ("percentage of dominant", "percentage of heterozygous", "number of offspring"),
    "resistor_network": ("total resistance", "total resistance", "current"),
    "thin_lens": ("image distance",) * 3,
    "transverse_wave": ("speed", "speed", "frequency"),
}


@every_family
@pytest.mark.parametrize("difficulty", [1, 2, 3])
def test_plan_keeps_what_is_asked_out_of_the_drawing(family: Family, difficulty: int) -> None:
    for seed in range(20):
        params = family.sample(Random(seed), difficulty)
        constraints = family.plan(params).constraints
        assert ASKED[family.name][difficulty - 1] in constraints
        assert "must not be shown" in constraints
        shown = {label.text for label in family.draw(params).labels}
        assert not shown & set(family.state(params).leak)


@every_family
def test_glance_has_enough_different_contents(family: Family) -> None:
    glance = family.seen_at_a_glance
    seen = {
        tuple(str(glance.sample(Random(seed), answer)[k]) for k in glance.content)
        for answer in glance.answers
        for seed in range(2000)
    }
    assert len(seen) >= 600


NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}


@pytest.mark.parametrize(
    ("family", "key"),
    [(transverse_wave.FAMILY, "crests"), (bohr_atom.FAMILY, "electrons"), (food_pyramid.FAMILY, "levels")],
    ids=["transverse_wave", "bohr_atom", "food_pyramid"],
)
def test_glance_counts_what_the_answer_says(family: Family, key: str) -> None:
    for answer in family.seen_at_a_glance.answers:
        for seed in range(20):
            assert family.seen_at_a_glance.sample(Random(seed), answer)[key] == NUMBERS[answer]


def test_glance_shades_as_many_cells_as_the_answer_says() -> None:
    for answer in punnett_square.FAMILY.seen_at_a_glance.answers:
        for seed in range(20):
            cells = punnett_square.FAMILY.seen_at_a_glance.sample(Random(seed), answer)["cells"]
            assert len(set(cells)) == len(cells) == NUMBERS[answer]
            assert set(cells) <= {0, 1, 2, 3}


def test_glance_force_points_the_way_of_the_answer() -> None:
    ways = {"right": (1, 0), "up": (0, 1), "left": (-1, 0), "down": (0, -1)}
    for answer, (right, up) in ways.items():
        for seed in range(20):
            p = incline.FAMILY.seen_at_a_glance.sample(Random(seed), answer)
            turn = radians(p["turn"] + p["lean"])
            assert cos(turn) * right + sin(turn) * up > 0.98


def test_lens_samples_obey_the_lens_equation() -> None:
    for seed in range(60):
        p = thin_lens.FAMILY.sample(Random(seed), 1 + seed % 3)
        assert isclose(1 / p["focal"], 1 / p["object"] + 1 / p["image"])
        assert (p["image"] > 0) == (seed % 3 == 0)


def test_shells_of_neutral_atoms_hold_as_many_electrons_as_protons() -> None:
    for seed in range(60):
        p = bohr_atom.FAMILY.sample(Random(seed), 1 + seed % 2)
        assert sum(p["shells"]) == p["z"]
