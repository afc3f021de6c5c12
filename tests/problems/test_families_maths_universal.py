"""Families of mathematics, circuits and the universal types: answers by hand, drawings true to scale."""

from __future__ import annotations

from collections.abc import Mapping
from math import atan2, cos, degrees, hypot, isclose, pi, radians, sin
from random import Random
from typing import Any

import pytest

from scigen.problems.procedural.families import (
    box_plot,
    bridge_circuit,
    circle_theorem,
    composite_solid,
    conic_section,
    flowchart,
    measuring_cylinder,
    payoff_matrix,
    probability_tree,
    right_triangle,
    titration,
)
from scigen.problems.procedural.nodal import potentials
from scigen.problems.procedural.placing import Page, fitted, text_size
from scigen.problems.procedural.verify import agrees

FAMILIES = [
    module.FAMILY
    for module in (
        box_plot,
        bridge_circuit,
        circle_theorem,
        composite_solid,
        conic_section,
        flowchart,
        measuring_cylinder,
        payoff_matrix,
        probability_tree,
        right_triangle,
        titration,
    )
]
every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
Params = dict[str, Any]


def circle(kind: str, *arcs: int) -> Params:
    return {"kind": kind, "arcs": list(arcs), "turn": 20, "names": "ABCD", "fill": "white"}


def solid(name: str, asked: str, r: int, h: int = 0, k: int = 0, given: str = "heights") -> Params:
    style = {"unit": "cm", "color": "white", "side": 1}
    return {"solid": name, "asked": asked, "given": given, "r": r, "h": h, "k": k, **style}


def conic(kind: str, x0: int, y0: int, **changes: int) -> Params:
    return {"kind": kind, "names": "ABCP", "color": "tab:blue", "x0": x0, "y0": y0, **changes}


def tree(kind: str, first: list[int], second: list[int], asked: int = 0, outcome: int = 0) -> Params:
    shape = {"colors": 0, "down": False, "topic": 0}
    return {"kind": kind, "first": first, "second": second, "asked": asked, "outcome": outcome, **shape}


def boxes(kind: str, *rows: list[int], **changes: Any) -> Params:
    return {"kind": kind, "topic": 0, "rows": list(rows), "colors": [0, 1, 2][: len(rows)], "upright": True, **changes}


def game(kind: str, cells: list[list[list[int]]], player: int = 0) -> Params:
    return {"kind": kind, "game": 0, "cells": cells, "player": player, "colors": 0}


def chart(kind: str, n: int, *k: int) -> Params:
    return {"kind": kind, "n": n, "k": [*k, 0, 0, 0, 0][:5], "mirror": False, "colors": 0}


def titrated(reaction: str, kind: str, used: int, titrant: int, aliquot: int, **changes: int) -> Params:
    (at,) = (i for i, r in enumerate(titration.ALL) if f"{r.analyte} {r.titrant}" == reaction)
    volumes = {"start": 100, "end": 100 + used, "titrant": titrant, "aliquot": aliquot, "taken": 0, "flask": 0}
    return {"reaction": at, "kind": kind, "liquid": 0, "mirror": False, **volumes, **changes}


def circuit(kind: str, ohms: list[int], *volts: int) -> Params:
    return {"kind": kind, "ohms": ohms, "volts": list(volts), "diamond": False, "mirror": False}


def triangle(asked: str, a: int, b: int, c: int) -> Params:
    return {"asked": asked, "a": a, "b": b, "c": c, "names": "ABC", "unit": "cm", "fill": "white", "mirror": False}


def cylinder(kind: str, before: int, after: int, mass: str, liquid: str = "water") -> Params:
    scale = {"capacity": 100, "step": 2, "liquid": liquid, "object": "stone"}
    return {"kind": kind, "before": before, "after": after, "mass": mass, **scale}


BY_HAND = [
    (right_triangle, triangle("leg", 12, 5, 13), "5"),
    (right_triangle, triangle("perimeter", 12, 5, 13), "30"),
    (right_triangle, triangle("area", 12, 5, 13), "30"),
    # 12 x 5 / 13 = 4.615
    (right_triangle, triangle("altitude", 12, 5, 13), "4.62"),
    # (12 + 5 - 13) / 2
    (right_triangle, triangle("inradius", 12, 5, 13), "2"),
    # 20 cm3 of 2.7 g/cm3
    (measuring_cylinder, cylinder("mass", 40, 60, "54"), "54"),
    # 54 g less 20 cm3 of 0.9 g/cm3
    (measuring_cylinder, cylinder("apparent mass", 40, 60, "54", "oil"), "36"),
    # half of the central angle of 100
    (circle_theorem, circle("inscribed", 100, 120, 140), "50"),
    # OA is perpendicular to TA: the central angle is 180 - 70, the inscribed one half of it
    (circle_theorem, circle("tangents", 110, 120, 130), "55"),
    # ACB = 90, so ABC = 90 - 26, and ABD = 36 of it
    (circle_theorem, circle("quadrilateral", 180, 52, 56, 72), "28"),
    # pi 9 x 4 + pi 9 x 8/3 = 60 pi
    (composite_solid, solid("silo", "volume", 3, 4, 8), "188.5"),
    # cone 3-4-5: pi 3 5, hemisphere 2 pi 9: 33 pi = 103.673
    (composite_solid, solid("buoy", "surface", 3, 0, 4), "103.7"),
    # s = 5, H = 13: k = 4, h = 13 - 4 - 3 = 6; 54 pi + 12 pi + 18 pi = 84 pi = 263.894
    (composite_solid, solid("rocket", "volume", 3, 6, 4, "slant"), "263.9"),
    # c = sqrt(25 - 9) = 4
    (conic_section, conic("ellipse foci", 1, 1, a=5, b=3), "8.00"),
    # the distance from (0, 0) to y = x + 2 is sqrt 2; 2 sqrt(25 - 2) = 9.5917
    (conic_section, conic("circle chord", 0, 0, dx=3, dy=4, m=1, c=2), "9.59"),
    # y = x^2 meets y = x + 2 at (-1, 1) and (2, 4); with (0, 0): |-1 4 - 2 1| / 2
    (conic_section, conic("parabola triangle", 0, 0, dx=2, dy=4, m=1, c=2), "3.00"),
    # 3 x + 4 y = 25 at y = 0
    (conic_section, conic("circle tangent", 0, 0, dx=3, dy=4), "8.33"),
    # 0.6 x 0.1 + 0.4 x 0.3
    (probability_tree, tree("total", [60, 40], [10, 30]), "0.180"),
    # 0.06 of 0.18
    (probability_tree, tree("bayes", [60, 40], [10, 30]), "0.333"),
    # 1 + 0.5 + 0.5 x 0.6
    (probability_tree, tree("mean", [50, 40, 70], []), "1.800"),
    # (60 - 20) - (50 - 30)
    (box_plot, boxes("quartile ranges", [10, 20, 40, 60, 90], [15, 30, 44, 50, 80]), "20"),
    # the widest box is 20 to 60: 60 + 1.5 x 40
    (box_plot, boxes("upper limit", [10, 20, 40, 60, 90], [15, 30, 44, 50, 80]), "120"),
    # a quarter of 40 above the upper quartile, half of 80 above the median: 50 of 120
    (
        box_plot,
        boxes("percentage", [10, 20, 40, 60, 90], [15, 30, 44, 50, 80], sizes=[40, 80], cuts=[3, 2]),
        "41.7",
    ),
    # row 2 and column 1 dominate
    (payoff_matrix, game("dominant", [[[3, 7], [0, 2]], [[5, 12], [4, 0]]]), "5"),
    # column indifferent: 4 x + 1 (1 - x) = 2 x + 3 (1 - x), x = 1/2, and 2.5 is what it gets
    (payoff_matrix, game("value", [[[1, 4], [5, 2]], [[6, 1], [2, 3]]], 1), "2.500"),
    # 20 > 2 x 4: 3 x 20 + 5, then + 4
    (flowchart, chart("branch", 20, 4, 3, 5, 2, 1), "69"),
    # 7 + 3 (1 + 5 + 9)
    (flowchart, chart("sum", 9, 7, 3, 4), "52"),
    # 8, 20 -> (8, 12) (8, 4) (4, 4): three rounds of 5, and 4
    (flowchart, chart("subtraction", 8, 20, 5), "19"),
    # 20.00 mL x 0.1 mol/L in 25 mL
    (titration, titrated("HCl NaOH", "concentration", 2000, 100, 25), "0.0800"),
    # 24.00 mL x 0.1 / 2 in 20 mL = 0.06; 10 mL had been made up to 250 mL
    (titration, titrated("H2SO4 NaOH", "original", 2400, 100, 20, taken=10, flask=250), "1.500"),
    # 0.06 mol/L x 0.5 L x 105.99 g/mol
    (titration, titrated("Na2CO3 HCl", "mass", 2400, 100, 20, flask=500), "3.180"),
    # 12 V over 4 + (3 || 6 = 2)
    (bridge_circuit, circuit("ammeter", [4, 3, 6], 12), "2.000"),
    # 12 (20/30 - 10/40)
    (bridge_circuit, circuit("bridge voltage", [10, 20, 30, 10], 12), "5.000"),
    # 20 x 30 / 10
    (bridge_circuit, circuit("balance", [10, 20, 30, 1], 12), "60.000"),
    # Millman: (12/2 + 6/3) / (1/2 + 1/3 + 1/6) = 8 V over 6 ohms
    (bridge_circuit, circuit("two batteries", [2, 3, 6], 12, 6), "1.333"),
]


@pytest.mark.parametrize(("module", "params", "answer"), BY_HAND, ids=lambda x: x if isinstance(x, str) else "")
def test_answer_by_hand_and_a_second_way(module: Any, params: Mapping[str, Any], answer: str) -> None:
    assert module.FAMILY.state(params).answer == answer
    assert agrees(answer, module.FAMILY.solve(params))


def test_the_tangents_of_a_circle_are_perpendicular_to_its_radii() -> None:
    at = circle_theorem.points(circle("tangents", 110, 120, 130))
    for touch in "12":
        (x, y), (tx, ty) = at[touch], at["T"]
        assert isclose(x * (tx - x) + y * (ty - y), 0, abs_tol=1e-9)


def test_a_circle_theorem_gives_angles_that_are_in_the_figure() -> None:
    rng = Random(4)
    for i in range(60):
        p = circle_theorem.sample(rng, 1 + i % 3)
        at = circle_theorem.points(p)
        for angle, value in circle_theorem.given_values(p):
            (ax, ay), (vx, vy), (bx, by) = (at[k] for k in angle)
            turn = degrees(atan2(ay - vy, ax - vx) - atan2(by - vy, bx - vx)) % 360
            assert isclose(min(turn, 360 - turn), value, abs_tol=1e-6)


def test_the_marked_points_lie_on_their_curve() -> None:
    rng = Random(5)
    for i in range(18):
        p = conic_section.sample(rng, 1 + i % 3)
        curve = conic_section._curve(p)
        for _, x, y in conic_section.marked(p)[:2] if "a" in p else conic_section.marked(p)[1:]:
            assert min(hypot(x - u, y - v) for u, v in curve) < 0.4


def test_the_equation_of_a_titration_balances() -> None:
    for r in titration.ALL:
        assert titration._atoms(r.analyte)
        balanced = titration.solve(titrated(f"{r.analyte} {r.titrant}", "concentration", 2000, 100, 20))
        assert isclose(balanced, 0.1 / r.ratio)


def test_formulas_with_brackets_are_counted() -> None:
    assert titration._atoms("Ca(OH)2") == {"Ca": 1, "O": 2, "H": 2}
    assert titration._atoms("CH3COOH") == {"C": 2, "H": 4, "O": 2}


def test_nodal_analysis_of_a_loaded_divider() -> None:
    # 6 V over 1 ohm and 2 || 2 = 1 ohm
    at, (current,) = potentials([("a", "b", 1), ("b", "0", 2), ("b", "0", 2)], [("a", "0", 6)])
    assert isclose(at["b"], 3)
    assert isclose(current, 3)


def test_a_text_is_placed_where_no_ink_is() -> None:
    page = Page(4, 4)
    page.line((0, 2), (4, 2))
    page.line((2, 0), (2, 2))
    x, y = page.beside("42 cm", (2, 2), gap=0.1)
    width, height = text_size("42 cm")
    assert y - height / 2 > 2.05
    assert abs(x - 2) < width
    assert page.clearance("42 cm", x, y) == 0.0  # it counts as ink now
    assert page.clearance("42 cm", 3.95, 3) < 0  # over the edge


def test_points_are_fitted_into_a_box() -> None:
    s, dx, dy = fitted([(cos(a), sin(a)) for a in (0, pi / 2, pi, 3 * pi / 2)], (1, 0, 5, 2))
    assert (s, dx, dy) == pytest.approx((1, 3, 1))
    assert radians(180) == pi
