"""Rows set apart for the warm start: never trained on by GRPO, never tested on, and the same for every train set."""

from __future__ import annotations

import pytest

from scigen.app.laptop_sets import needs_sharp_eyes
from scigen.app.warm_up_rows import Division, divide
from scigen.errors import ScigenError
from scigen.problems.sources import Procedural
from scigen.records import GeneratedImage, Problem, Status

SOURCE = Procedural(seed=0, textbook=4, glance=60, held_out=20, held_out_seed=1000, held_out_percent=15, difficulty=2)


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    return [item.problem for item in SOURCE.items() if item.problem]


def divided(problems: list[Problem], count: int, seed: int = 0) -> Division:
    images = [GeneratedImage(problem_id=p.id, generator="g", status=Status.BLANK) for p in problems]
    return divide(problems, images, SOURCE, needs_sharp_eyes, count, seed)


def test_every_image_is_on_one_side_and_only_training_problems_are_set_apart(problems: list[Problem]) -> None:
    found = divided(problems, 24)
    apart = {i.problem_id for i in found.warm_up}
    assert len(apart) == 24
    assert apart | {i.problem_id for i in found.others} == {p.id for p in problems}
    assert not apart & {i.problem_id for i in found.others}
    by_id = {p.id: p for p in problems}
    assert all(SOURCE.split_of(by_id[i]) == "train" and needs_sharp_eyes(by_id[i]) is None for i in apart)


def test_the_choice_depends_on_the_seed_alone(problems: list[Problem]) -> None:
    first, again = divided(problems, 24), divided(problems[::-1], 24)
    assert {i.problem_id for i in first.warm_up} == {i.problem_id for i in again.warm_up}
    assert {i.problem_id for i in divided(problems, 12).warm_up} < {i.problem_id for i in first.warm_up}
    assert {i.problem_id for i in divided(problems, 24, seed=1).warm_up} != {i.problem_id for i in first.warm_up}


def test_by_default_nothing_is_set_apart_and_all_cannot_be(problems: list[Problem]) -> None:
    assert divided(problems, 0).warm_up == []
    with pytest.raises(ScigenError, match="60 problems cannot be set apart of 60"):
        divided(problems, 60)
