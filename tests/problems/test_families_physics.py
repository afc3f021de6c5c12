"""Answers of the physics families, worked out by hand for fixed parameters, and what their drawings must obey."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import hypot
from random import Random
from typing import Any

import pytest

from scigen.problems.procedural.families import (
    heating_curve,
    incline,
    ion_in_field,
    kepler_orbit,
    oscilloscope,
    planet_elongation,
    point_charge,
    pulley_system,
    pv_cycle,
    refraction,
    thin_lens,
    transverse_wave,
)
from scigen.problems.procedural.family import Family
from scigen.problems.procedural.verify import agrees

FAMILIES = [
    module.FAMILY
    for module in (
        heating_curve,
        ion_in_field,
        kepler_orbit,
        oscilloscope,
        planet_elongation,
        pulley_system,
        pv_cycle,
        refraction,
    )
]
OLDER = [module.FAMILY for module in (incline, point_charge, thin_lens, transverse_wave)]
every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)


def pulley(layout: str, asked: str, masses: list[float], mu: float = 0.0, angle: int = 0) -> dict[str, Any]:
    return {"layout": layout, "asked": asked, "masses": masses, "mu": mu, "angle": angle, "side": 1, "lean": 0}


def ion(asked: str, mass: int, charge: int, speed: float, field: float, radius: float) -> dict[str, Any]:
    where = {"into": True, "side": 1, "flip": 1}
    return {"asked": asked, "mass": mass, "charge": charge, "speed": speed, "field": field, "radius": radius, **where}


def light(case: str, n: list[float], theta: float, apex: int = 0, **more: Any) -> dict[str, Any]:
    return {"case": case, "n": n, "theta": theta, "apex": apex, "side": 1, "up": False, "bent": 1, **more}


def screen(asked: str, period: float, height: float, volts: str, time: str, second: Any = None) -> dict[str, Any]:
    p = {"asked": asked, "shape": "sine", "period": period, "height": height, "volts": volts, "time": time}
    return {**p, "start": 0.0, "drawn": 1.0, **({"second": second} if second else {})}


def orbit(asked: str, near: float, far: float, **more: Any) -> dict[str, Any]:
    return {"asked": asked, "near": near, "far": far, "body": "comet", "at": 90, "side": 1, "focus": 1, **more}


def planets(case: str, outer: float, inner: float, angle: float) -> dict[str, Any]:
    return {"case": case, "outer": outer, "inner": inner, "angle": angle, "place": 0, "side": 1, "squeeze": 1.0}


def cycle(kind: str, levels: list[float], volumes: list[float], clockwise: bool = True) -> dict[str, Any]:
    style = {"sag": 1.0, "color": "#15599b"}
    return {"kind": kind, "levels": levels, "volumes": volumes, "clockwise": clockwise, **style}


def heating(asked: str, mass: float, power: int = 0) -> dict[str, Any]:
    marks = {"ends": [10, 30, 50, 90, 110], "temperatures": [-20, 0, 100, 150]}
    return {"asked": asked, "mass": mass, "power": power, **marks, "slant": 0.0, "color": "#15599b"}


@pytest.mark.parametrize(
    ("family", "params", "answer"),
    [
        # a = 9.8 x 2 / (2 + 3)
        (pulley_system.FAMILY, pulley("table", "acceleration", [3.0, 2.0]), "3.92"),
        # a = 9.8 x (3 - 2) / 5
        (pulley_system.FAMILY, pulley("atwood", "acceleration", [2.0, 3.0]), "1.96"),
        # T = 2 x 2 x 3 x 9.8 / 5
        (pulley_system.FAMILY, pulley("atwood", "tension", [2.0, 3.0]), "23.52"),
        # a = 9.8 x (4 - 1 - 0.2 x 5) / 10 = 1.96; T = 4 x (9.8 - 1.96)
        (pulley_system.FAMILY, pulley("double", "tension", [1.0, 5.0, 4.0], mu=0.2), "31.36"),
        # a = 9.8 x (3 - 2 sin 30°) / 5
        (pulley_system.FAMILY, pulley("slope", "acceleration", [2.0, 3.0], angle=30), "3.92"),
        # r = 16 x 1.66e-27 x 2e5 / (1.6e-19 x 0.166) = 5.312e-21 / 2.656e-20 = 0.2 m
        (ion_in_field.FAMILY, ion("radius", 16, 1, 2.0, 0.166, 20.0), "20.0"),
        # v = 1.6e-19 x 0.83 x 0.1 / (20 x 1.66e-27) = 1.328e-20 / 3.32e-26 = 4e5
        (ion_in_field.FAMILY, ion("speed", 20, -1, 0.0, 0.83, 10.0), "4.00"),
        # the same ion: 3.32e-26 x 16e10 / 2 = 2.656e-15 J = 16 600 eV; with a charge of e that is 16.6 kV
        (ion_in_field.FAMILY, ion("energy", 20, -1, 0.0, 0.83, 10.0), "16.60"),
        (ion_in_field.FAMILY, ion("voltage", 20, 1, 0.0, 0.83, 10.0), "16.60"),
        # sin 30° / 1.25 = 0.4
        (refraction.FAMILY, light("angle", [1.0, 1.25], 30), "23.6"),
        # 1.5 sin 30° / sin 45° = 0.75 / 0.7071
        (refraction.FAMILY, light("index", [1.5, 9.9], 30, second=45.0), "1.06"),
        # sin c = 1 / 1.6 = 0.625
        (refraction.FAMILY, light("critical", [1.6, 1.0], 38.7), "38.7"),
        # the middle medium does not count: sin 40° / 1.5 = 0.4285
        (refraction.FAMILY, light("layers", [1.0, 1.33, 1.5], 40), "25.4"),
        # symmetric passage: sin 48.59° = 0.75 = 1.5 sin 30°, so 60° - 30° = 30° and out again at 48.59°
        (refraction.FAMILY, light("prism", [1.0, 1.5], 48.5904, 60), "48.6"),
        # 4.2 divisions of 0.5 ms
        (oscilloscope.FAMILY, screen("period", 4.2, 3.0, "2 V", "0.5 ms"), "2.1"),
        # 2 x 3.0 divisions of 20 mV
        (oscilloscope.FAMILY, screen("peak", 4.2, 3.0, "20 mV", "0.5 ms"), "120"),
        # 1 / (4 x 0.2 ms)
        (oscilloscope.FAMILY, screen("frequency", 4.0, 3.0, "2 V", "0.2 ms"), "1250.0"),
        # 3 x 2 V / 1.4142
        (oscilloscope.FAMILY, screen("effective", 4.0, 3.0, "2 V", "0.2 ms"), "4.24"),
        # 360 x 1.2 / 4.8
        (
            oscilloscope.FAMILY,
            screen("phase", 4.8, 3.0, "2 V", "1 ms", {"height": 2.0, "volts": "1 V", "lag": 1.2}),
            "90",
        ),
        # 2 x 0.5 / (2.5 x 2)
        (
            oscilloscope.FAMILY,
            screen("ratio", 4.8, 2.5, "2 V", "1 ms", {"height": 2.0, "volts": "0.5 V", "lag": 1.2}),
            "0.20",
        ),
        # (1 + 3) / 2, 2 / 4, 2^1.5
        (kepler_orbit.FAMILY, orbit("axis", 1.0, 3.0), "2.00"),
        (kepler_orbit.FAMILY, orbit("eccentricity", 1.0, 3.0), "0.500"),
        (kepler_orbit.FAMILY, orbit("period", 1.0, 3.0), "2.83"),
        # a = 8^(2/3) = 4, so 8 - 2.5
        (kepler_orbit.FAMILY, orbit("aphelion", 2.5, 5.5, years=8.0), "5.50"),
        # v² = 887 x (2 - 1/2) = 1330.5
        (kepler_orbit.FAMILY, orbit("speed", 1.0, 3.0), "36.5"),
        # 2 sin 30°, 2 cos 30°, arcsin 1/2
        (planet_elongation.FAMILY, planets("orbit", 2.0, 0.0, 30.0), "1.00"),
        (planet_elongation.FAMILY, planets("reach", 2.0, 0.0, 30.0), "1.73"),
        (planet_elongation.FAMILY, planets("greatest", 2.0, 1.0, 0), "30.0"),
        # 3² + 2² - 2 x 3 x 2 cos 60° = 7; cos of the elongation (9 + 7 - 4) / (2 x 3 x 2.6458) = 0.7559
        (planet_elongation.FAMILY, planets("distance", 3.0, 2.0, 60), "2.65"),
        (planet_elongation.FAMILY, planets("elongation", 3.0, 2.0, 60), "40.9"),
        # 200 kPa x 3 L
        (pv_cycle.FAMILY, cycle("rectangle", [100, 300], [1.0, 4.0]), "600"),
        # half of it, counter-clockwise
        (pv_cycle.FAMILY, cycle("ramp", [100, 300], [1.0, 4.0], clockwise=False), "-300"),
        # (300 + 200) / 2 - 100 = 150 kPa x 3 L
        (pv_cycle.FAMILY, cycle("trapezium", [100, 200, 300], [1.0, 4.0]), "450"),
        # 400 ln 4 - 100 x 3 = 554.5 - 300
        (pv_cycle.FAMILY, cycle("isotherm", [100.0, 400], [1.0, 4.0]), "255"),
        # in: 1.5 x 1 x 200 + 2.5 x 300 x 3 = 2550; 600 / 2550
        (pv_cycle.FAMILY, cycle("efficiency", [100, 300], [1.0, 4.0]), "23.5"),
        # 20 kJ / 0.25 kg, 40 kJ / 0.25 kg
        (heating_curve.FAMILY, heating("fusion", 0.25), "80.0"),
        (heating_curve.FAMILY, heating("vaporisation", 0.25), "160.0"),
        # 10 kJ / (0.25 kg x 20 K), 20 kJ / (0.25 kg x 100 K)
        (heating_curve.FAMILY, heating("solid", 0.25), "2.00"),
        (heating_curve.FAMILY, heating("liquid", 0.25), "0.80"),
        # 20 min x 60 s x 100 W = 120 kJ, / 0.5 kg
        (heating_curve.FAMILY, heating("fusion", 0.5, power=100), "240.0"),
    ],
)
def test_answer(family: Family, params: Mapping[str, Any], answer: str) -> None:
    assert family.state(params).answer == answer
    assert family.solve is not None
    assert agrees(answer, family.solve(params))


@every_family
def test_the_image_is_needed(family: Family) -> None:
    """The words of the multimodal question do not hold what the labels give."""
    for seed in range(30):
        params = family.sample(Random(seed), 1 + seed % 3)
        question = family.state(params).multimodal_question
        for label in family.draw(params).labels:
            if label.wrong is not None and "." in label.text:
                assert label.text not in question


def test_the_ion_bends_as_the_force_does() -> None:
    # Positive, moving right, field into the page: v x B = x × (-z) = +y.
    assert ion_in_field.bend(ion("radius", 16, 1, 2.0, 0.1, 20.0)) == 1
    assert ion_in_field.bend({**ion("radius", 16, -1, 2.0, 0.1, 20.0)}) == -1
    assert ion_in_field.bend({**ion("radius", 16, 1, 2.0, 0.1, 20.0), "into": False}) == -1
    assert ion_in_field.bend({**ion("radius", 16, 1, 2.0, 0.1, 20.0), "side": -1}) == -1


def test_corners_of_a_cycle_go_round_clockwise() -> None:
    for seed in range(60):
        p = pv_cycle.FAMILY.sample(Random(seed), 1 + seed % 3)
        points = pv_cycle.corners(p)
        twice = sum(v * r - w * q for (v, q), (w, r) in zip(points, [*points[1:], points[0]], strict=True))
        assert twice < 0


def test_signs_of_the_field_keep_off_the_path() -> None:
    for seed in range(20):
        p = ion_in_field.FAMILY.sample(Random(seed), 1)
        body = ion_in_field.FAMILY.draw(p).body
        listed = next(line for line in body.splitlines() if line.strip().startswith("for x, y in [("))
        signs = json.loads(listed.split(" in ")[1].rstrip(":").replace("(", "[").replace(")", "]"))
        r = 1.95 + 0.45 * min(1.0, (p["radius"] - 5) / 40)
        assert all(abs(hypot(x, y) - r) > 0.2 for x, y in signs)
        assert len(signs) > 40
