"""Texts to be printed are told from sentences about the figure."""

from __future__ import annotations

import pytest

from scigen.glassbox import labels
from scigen.problems.procedural.make import make_problems
from scigen.problems.procedural.registry import families, family
from scigen.records import Problem


def problem(question: str, *elements: str) -> Problem:
    return Problem(id="p", source="t", question=question, answer="1", elements=elements, multimodal_question="?")


@pytest.mark.parametrize("text", ["5 kg", r"$R_{1}=4\,\Omega$", r"$\alpha = 30^\circ$", "A", "vacant sites: 5.2 %"])
def test_a_value_or_a_name_is_to_be_printed(text: str) -> None:
    assert labels(problem("Find it.", text)) == (text,)


def test_a_sentence_about_the_figure_is_not() -> None:
    said = "The diameter of the cylinder is labeled as 1.1 micrometers."
    assert labels(problem("A cell is 1.1 micrometers wide.", said, "1.1 micrometers")) == ("1.1 micrometers",)


def test_words_that_the_question_has_are_to_be_printed() -> None:
    assert labels(problem("Name the rough endoplasmic reticulum.", "rough endoplasmic reticulum"))


@pytest.mark.slow
def test_all_that_the_families_give_is_to_be_printed() -> None:
    for name in families():
        for made in make_problems([family(name)], "textbook", 12, "train", 10, seed=0):
            assert labels(made) == made.elements, name
