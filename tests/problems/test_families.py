"""Every procedural family keeps the same promises: valid problems, exact answers, permuted keys, honest splits."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from scigen.errors import ScigenError
from scigen.problems.procedural.make import make_problem, make_problems, split_key, split_of
from scigen.problems.procedural.registry import families, family
from scigen.problems.taxonomy import SUBJECT_OF
from scigen.records import Defect, ImageType, Subject

FAMILIES = families()
NAMES = sorted(FAMILIES)
GLANCES = sorted(name for name, f in FAMILIES.items() if f.glance)

BY_HAND: list[tuple[str, dict[str, Any], str]] = [
    # slope of MN: (-2 - 0) / (3 + 2)
    ("line_graph", {"kind": "slope", "points": [[-2, 0], [3, -2]], "names": "MN"}, "-0.4"),
    # 2x + 2 = -x + 2 at x = 0
    ("line_graph", {"kind": "intersection", "lines": [[2, 2], [-1, 2]], "names": "MN"}, "(0, 2)"),
    # 17 + 2 + 8
    ("venn", {"topic": 3, "sets": 2, "spread": 0.6, "kind": "union",
              "counts": {"a": 17, "ab": 2, "b": 8, "none": 3}}, "27"),
    # (15 + 20) / 80
    ("venn", {"topic": 3, "sets": 2, "spread": 0.6, "kind": "exactly_one",
              "counts": {"a": 15, "ab": 23, "b": 20, "none": 22}}, "0.4375"),
    ("cuboid", {"kind": "volume", "w": 11, "d": 8, "h": 5, "unit": "m"}, "440"),
    # 2 (11*8 + 11*5 + 8*5)
    ("cuboid", {"kind": "surface", "w": 11, "d": 8, "h": 5, "unit": "m"}, "366"),
    # sqrt(1296 + 81 + 144) = sqrt(1521)
    ("cuboid", {"kind": "diagonal", "w": 36, "d": 9, "h": 12, "unit": "m"}, "39"),
    # 43 of 172
    ("bar_chart", {"topic": 3, "color": "#4c78a8", "kind": "share",
                   "values": [43, 8, 40, 17, 34, 30], "asked": [0, 2]}, "25"),
    # (76 + 17 + 35) / (4 + 1 + 3)
    ("data_table", {"kind": "speed", "cells": [[76, 4], [17, 1], [35, 3]], "asked": 0, "rows": 3}, "16"),
    # A-B-D-E-F: 8 + 18 + 3 + 15
    ("weighted_graph", {"layout": 2, "edges": {"AB": 8, "AC": 17, "BC": 9, "BD": 18,
                                               "CE": 13, "DE": 3, "DF": 19, "EF": 15}}, "44"),
    # 280 g / (120 - 80) mL
    ("measuring_cylinder", {"kind": "density", "capacity": 250, "step": 10,
                            "before": 80, "after": 120, "mass": 280}, "7"),
    # sqrt(63^2 + 60^2) = sqrt(7569)
    ("right_triangle", {"a": 63, "b": 60, "c": 87, "names": "PQR"}, "87"),
]  # fmt: skip


def test_each_of_the_25_image_types_has_two_families_that_are_solved_a_second_way() -> None:
    assert {f.subject for f in FAMILIES.values()} == set(Subject)
    types = Counter(f.image_type for f in FAMILIES.values())
    assert {t: types[t] >= 2 for t in ImageType} == dict.fromkeys(ImageType, True)
    assert all(SUBJECT_OF[f.image_type] is f.subject for f in FAMILIES.values())
    assert all(f.solve for f in FAMILIES.values())


@pytest.mark.parametrize(("name", "params", "answer"), BY_HAND, ids=lambda x: x if isinstance(x, str) else "")
def test_answers_worked_by_hand(name: str, params: dict[str, Any], answer: str) -> None:
    assert family(name).state(params).answer == answer


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("difficulty", [1, 2, 3])
def test_textbook_problems_are_valid_and_repeatable(name: str, difficulty: int) -> None:
    f = FAMILIES[name]
    for seed in range(6):
        problem = make_problem(f, "textbook", difficulty, seed)
        assert problem == make_problem(f, "textbook", difficulty, seed)
        assert problem.procedure is not None
        script = f.draw(problem.procedure.params).script()
        compile(script, "script.py", "exec")
        assert problem.elements
        for element in problem.elements:
            assert repr(element)[1:-1] in script
        for quiz in problem.quizzes:
            assert len(set(quiz.options.values())) == 4
            assert quiz.correct_option in quiz.options
        for leak in f.state(problem.procedure.params).leak:
            assert leak not in problem.elements


OLDER = {name for name, f in FAMILIES.items() if f.glance}
"""The first sixteen, whose plans say it in other words, and some of whose values occur twice."""
FEW = {"bohr_atom", "cuboid", "food_pyramid", "punnett_square", "resistor_network"}
"""Families with fewer at one of the difficulties: twenty elements to draw as shells, four crosses of one gene, ..."""


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(NAMES) - FEW))
@pytest.mark.parametrize("difficulty", [1, 2, 3])
def test_there_are_thousands_of_different_problems_a_difficulty(name: str, difficulty: int) -> None:
    """By repeats among 200 draws: 3,000 equally likely problems give 19,900 / 3,000 = 6.6 pairs that are the same."""
    rng = Random(f"{name}/{difficulty}")
    counts = Counter(json.dumps(FAMILIES[name].sample(rng, difficulty), sort_keys=True) for _ in range(200))
    pairs = sum(n * (n - 1) // 2 for n in counts.values())
    assert pairs <= 6.6 + 5 * 6.6**0.5  # five standard errors; 1,000 problems would give 20


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("difficulty", [1, 2, 3])
def test_no_leak_is_drawn_and_the_plan_forbids_it(name: str, difficulty: int) -> None:
    f = FAMILIES[name]
    for seed in range(6):
        params = f.sample(Random(seed), difficulty)
        statement = f.state(params)
        shown = {label.text for label in f.draw(params).labels}
        assert not shown & set(statement.leak)
        assert name in OLDER or "must not be shown" in f.plan(params).constraints


@pytest.mark.parametrize("name", NAMES)
def test_given_labels_differ_and_wrong_ones_are_wrong(name: str) -> None:
    for seed in range(9):
        labels = FAMILIES[name].draw(FAMILIES[name].sample(Random(seed), 1 + seed % 3)).labels
        given = [label.text for label in labels if label.given]
        assert len(given) >= 2
        assert name in OLDER or len(set(given)) == len(given)
        assert any(label.wrong for label in labels if label.given)
        assert all(label.wrong not in given for label in labels if label.given)


@pytest.mark.parametrize("name", NAMES)
def test_every_defect_changes_the_script_in_its_own_way(name: str) -> None:
    f = FAMILIES[name]
    for seed in range(6):
        params = f.sample(Random(seed), 1 + seed % 3)
        clean = f.draw(params)
        for defect in Defect:
            spoilt = f.spoil(params, defect, Random(seed))
            before, after = [x.text for x in clean.labels], [x.text for x in spoilt.labels]
            assert spoilt.script() != clean.script()
            match defect:
                case Defect.MISSING_LABEL:
                    assert len(after) == len(before) - 1
                case Defect.LEAKED_ANSWER:
                    assert after == [*before, f.state(params).leak[0]]
                case Defect.SWAPPED_LABELS:
                    assert sorted(after) == sorted(before)
                case Defect.WRONG_VALUE:
                    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
                case Defect.WRONG_GEOMETRY:
                    assert after == before
                    assert spoilt.body != clean.body
                case Defect.OVERLAPPING_TEXT:
                    assert after == before
                    assert spoilt.body == clean.body


@pytest.mark.parametrize("name", GLANCES)
def test_glance_answers_are_balanced_words_and_scripts_are_small_figures(name: str) -> None:
    f = FAMILIES[name]
    glance = f.seen_at_a_glance
    count = 10 * len(glance.answers)
    problems = list(make_problems([f], "glance", count, "train", 15, seed=3))
    assert Counter(p.answer for p in problems) == dict.fromkeys(glance.answers, 10)
    assert len({split_key(p) for p in problems}) == count
    for problem in problems[:8]:
        assert problem.procedure is not None
        script = glance.draw(problem.procedure.params)
        compile(script, "script.py", "exec")
        assert "figsize=(0.96, 0.96)" in script
        assert problem.answer.isalpha()


def test_the_key_of_a_quiz_is_uniform_over_the_letters() -> None:
    problems = make_problems(list(FAMILIES.values()), "textbook", 480, "train", 15, seed=0)
    keys = Counter(q.correct_option for p in problems for q in p.quizzes)
    n = sum(keys.values())
    assert n > 1000
    for letter in "ABCD":  # five standard errors of a quarter
        assert abs(keys[letter] / n - 0.25) < 5 * (0.25 * 0.75 / n) ** 0.5


@pytest.mark.parametrize("name", GLANCES)
def test_train_and_held_out_share_no_parameters_whatever_the_seeds(name: str) -> None:
    f = FAMILIES[name]
    train = {split_key(p) for seed in (0, 1) for p in make_problems([f], "glance", 150, "train", 15, seed)}
    held_out = {split_key(p) for p in make_problems([f], "glance", 40, "held_out", 15, seed=1000)}
    assert len(held_out) == 40
    assert not train & held_out


def test_the_split_goes_by_content_and_not_by_colour() -> None:
    for problem in make_problems(list(FAMILIES.values()), "glance", 160, "held_out", 15, seed=5):
        assert split_of(problem, 15) == "held_out"
        assert problem.procedure is not None
        assert "color" in problem.procedure.params
        recoloured = problem.model_copy(
            update={
                "procedure": problem.procedure.model_copy(
                    update={"params": problem.procedure.params | {"color": "pink"}}
                )
            }
        )
        assert split_key(recoloured) == split_key(problem)


@pytest.mark.parametrize("name", GLANCES)
def test_there_are_at_least_600_different_glance_problems(name: str) -> None:
    f = FAMILIES[name]
    problems = make_problems([f], "glance", 600, "train", 0, seed=0)
    assert len({split_key(p) for p in problems}) == 600


def test_an_exhausted_family_says_so() -> None:
    params = family("right_triangle").sample(Random(0), 1)
    single = replace(family("right_triangle"), sample=lambda rng, difficulty: params)
    with pytest.raises(ScigenError, match=r"family right_triangle: after 1 distinct textbook problems.*Ask for fewer"):
        list(make_problems([single], "textbook", 5, "train", 0, seed=0, difficulty=1))


def test_an_unknown_family_is_an_error_with_the_nearest_names() -> None:
    with pytest.raises(ScigenError, match="did you mean"):
        family("right_triangel")
