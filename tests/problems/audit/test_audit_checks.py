"""What the audit finds in one problem, on stems and answers of the kinds that the published set holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from scigen.problems.audit.checks import findings, given_away_by, repeated_option
from scigen.problems.audit.stems import refers_to_text, reworded, says_text
from scigen.records import Flag, ImageType, Problem, Quiz, Subject


def quiz(question: str, right: str, *wrong: str) -> Quiz:
    options = dict(zip("ABCDE", (right, *wrong), strict=False))
    return Quiz(question=question, options=options, correct_option="A")


def problem(quizzes: Sequence[Quiz] = (), **changes: Any) -> Problem:
    fields = {
        "id": "p",
        "source": "test",
        "question": "A block of 5 kg rests on a plane of 30 degrees.",
        "answer": "24.5 N",
        "subject": Subject.PHYSICS,
        "image_type": ImageType.MECHANICAL,
        "multimodal_question": "Find the force.",
        "quizzes": tuple(quizzes),
    }
    return Problem(**{**fields, **changes})


@pytest.mark.parametrize(
    ("stem", "after"),
    [
        ("According to the text, what is the mass of it?", "What is the mass of it?"),
        ("Based on the provided description, which way does the car go?", "Which way does the car go?"),
        ("In the problem statement, which angle is given?", "Which angle is given?"),
        ("What is the length of rod AB as stated in the text?", "What is the length of rod AB?"),
        ("In which direction is the proton travelling according to the text?",
         "In which direction is the proton travelling?"),
        ("What is the value mentioned in the problem description for the mass?",
         "What is the value mentioned for the mass?"),
    ],
)  # fmt: skip
def test_a_phrase_that_names_the_text_is_cut_out(stem: str, after: str) -> None:
    assert refers_to_text(stem)
    assert reworded(stem) == after
    assert not refers_to_text(after)


@pytest.mark.parametrize(
    "stem",
    [
        "In which direction does the text say the wave travels?",
        "The problem asks for the probability that the distance exceeds which value?",
        "Which ionic compound is mentioned in the problem statement?",  # what is left would end in "is"
    ],
)
def test_what_hangs_on_the_text_is_not_reworded(stem: str) -> None:
    assert refers_to_text(stem)
    assert reworded(stem) is None


@pytest.mark.parametrize(
    "stem",
    [
        "Where is the text 'Row Player' placed in the table?",
        "What does the text label beside the arrow read?",
        "How many resistors are in series?",
        "Which context menu is open?",
    ],
)
def test_a_text_in_the_picture_is_no_reference(stem: str) -> None:
    assert not refers_to_text(stem)
    assert not says_text(stem)


def test_the_narrow_count_is_the_text_and_the_passage() -> None:
    assert says_text("What does the provided text say?")
    assert says_text("Which value is in the passage?")
    assert not says_text("What is given in the problem description?")
    assert refers_to_text("What is given in the problem description?")


def test_m_and_M_are_two_options_and_two_spaces_are_one() -> None:
    assert repeated_option(quiz("?", "m", "M", "n", "N")) is None
    assert repeated_option(quiz("?", "2 cm", "3  cm", "3 cm", "4 cm")) == "3 cm"


def test_a_sibling_gives_a_key_away_when_it_holds_it_alone() -> None:
    colour = quiz("What colour is the ball?", "Purple", "Red", "Blue", "Green")
    assert given_away_by(0, [colour, quiz("Where is the purple ball?", "Left", "Right", "Top", "Bottom")]) == 1
    assert given_away_by(0, [colour, quiz("Are the purple and red balls alike?", "Yes", "No")]) is None
    assert given_away_by(0, [colour, quiz("Where is the empurpled ball?", "Left", "Right")]) is None
    length = quiz("How long is it?", "5 m", "6 m", "7 m", "8 m")
    assert given_away_by(0, [length, quiz("What is 25 m away?", "Car", "Bus")]) is None
    assert given_away_by(0, [quiz("Which?", "A", "B"), quiz("Is A there?", "Yes", "No")]) is None  # too short


def test_all_faults_of_a_problem_come_with_their_quiz() -> None:
    bad = problem(
        [
            quiz("How many blocks are there?", "One", "Two", "Three", "Four"),
            quiz("According to the text, how heavy is it?", "5 kg", "6 kg", "6 kg", "7 kg"),
        ],
        image_type=None,
        answer="None",
        multimodal_question="A block of 5 kg rests on a plane of 30 degrees.",
    )
    assert [(f.kind, f.quiz) for f in findings(bad)] == [
        (Flag.NO_IMAGE_TYPE, None),
        (Flag.UNUSABLE_ANSWER, None),
        (Flag.NO_MULTIMODAL_QUESTION, None),
        (Flag.REFERS_TO_TEXT, 1),
        (Flag.REPEATED_OPTION, 1),
    ]
    assert not list(findings(problem([quiz("How many blocks are there?", "One", "Two", "Three", "Four")])))
