"""The benchmark reader: good items become problems, every fault is listed, nothing is guessed and nothing dies."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from scigen.errors import ScigenError
from scigen.problems.malformed import Fault, Malformed
from scigen.problems.sources.base import SourceItem
from scigen.problems.sources.scigenbench import from_items, read
from scigen.problems.sources.scigenbench_quiz import relabel
from scigen.records import Flag, ImageType, Problem, Quiz, Subject

DATA = Path(__file__).parents[4] / "shared" / "data" / "scigenbench"

QUIZ = {
    "question": "How many sides has the figure?",
    "options": {"A": "3", "B": "4", "C": "5", "D": "6"},
    "correct_option": "A",
    "evidence_snippet": "a triangle",
}
ITEM = {
    "id": "one",
    "question": "A triangle has legs 3 and 4. How long is the hypotenuse?",
    "image_type": "Math - Plane Geometric",
    "answer": "5",
    "elements": ["3", "4"],
    "quizzes": [QUIZ],
    "multimodal_question": "How long is the hypotenuse?",
}


def taken(items: Iterable[SourceItem]) -> tuple[list[Problem], list[Malformed]]:
    """Problems and faults of all items."""
    read_items = list(items)
    return [i.problem for i in read_items if i.problem], [fault for i in read_items for fault in i.faults]


def of_one(split: str = "scigen", **changes: Any) -> tuple[list[Problem], list[Malformed]]:
    return taken(from_items([ITEM | changes], split, "f.json"))


def of_quiz(**changes: Any) -> tuple[tuple[Quiz, ...], list[Malformed]]:
    problems, malformed = of_one(quizzes=[QUIZ | changes])
    return problems[0].quizzes, malformed


def test_a_good_item_becomes_a_problem_without_a_word() -> None:
    problems, malformed = of_one()
    assert malformed == []
    assert problems == [
        Problem(
            id="one",
            source="scigenbench/scigen",
            origin="f.json:one",
            licence="Apache-2.0",
            question="A triangle has legs 3 and 4. How long is the hypotenuse?",
            answer="5",
            subject=Subject.MATH,
            image_type=ImageType.PLANE_GEOMETRIC,
            elements=("3", "4"),
            quizzes=(
                Quiz(
                    question="How many sides has the figure?",
                    options={"A": "3", "B": "4", "C": "5", "D": "6"},
                    correct_option="A",
                    evidence="a triangle",
                ),
            ),
            multimodal_question="How long is the hypotenuse?",
        )
    ]


def test_seephys_has_no_types_and_asks_its_own_question() -> None:
    problems, malformed = of_one("seephys", id=1919, image_type="", multimodal_question=None)
    assert (problems[0].id, problems[0].source) == ("1919", "scigenbench/seephys")
    assert (problems[0].subject, problems[0].image_type) == (None, None)
    assert problems[0].multimodal_question == ITEM["question"]
    assert [(m.kind, m.severity) for m in malformed] == [(Fault.IMAGE_TYPE, "warning")]


LEFT_OUT = [
    ("a text instead of an item", Fault.NOT_AN_ITEM),
    (ITEM | {"question": " "}, Fault.NO_QUESTION),
    (ITEM | {"question": 7}, Fault.NO_QUESTION),
    (ITEM | {"answer": ""}, Fault.NO_ANSWER),
    (ITEM | {"answer": None}, Fault.NO_ANSWER),
]


@pytest.mark.parametrize(("item", "kind"), LEFT_OUT)
def test_what_cannot_be_a_problem_is_left_out_and_named(item: object, kind: Fault) -> None:
    problems, malformed = taken(from_items([ITEM | {"id": "before", "question": "Other?"}, item], "scigen", "f.json"))
    assert [p.id for p in problems] == ["before"]
    assert [(m.kind, m.severity) for m in malformed] == [(kind, "error")]
    assert malformed[0].item == ("f.json:item 1" if kind is Fault.NOT_AN_ITEM else "f.json:one")


def test_an_id_is_used_once() -> None:
    problems, malformed = taken(from_items([ITEM, ITEM | {"question": "Other?"}], "scigen", "f.json"))
    assert len(problems) == 1
    assert [(m.item, m.field, m.kind, m.severity) for m in malformed] == [
        ("f.json:one", "id", Fault.DUPLICATE_ID, "error")
    ]


def test_a_missing_id_is_made_from_the_question_and_stays_the_same() -> None:
    item = {k: v for k, v in ITEM.items() if k != "id"}
    first, malformed = taken(from_items([item], "scigen", "f.json"))
    again, _ = taken(from_items([ITEM | {"question": "Other?"}, item], "scigen", "g.json"))
    assert first[0].id == again[1].id
    assert [m.kind for m in malformed] == [Fault.NO_ID]


def test_equal_questions_are_both_kept_and_the_second_names_the_first() -> None:
    twin = ITEM | {"id": "two", "question": "a triangle has legs 3  and 4.\nHow long is the HYPOTENUSE?"}
    problems, malformed = taken(from_items([ITEM, twin], "scigen", "f.json"))
    assert [p.id for p in problems] == ["one", "two"]
    assert [(m.item, m.kind, m.fault) for m in malformed] == [
        ("f.json:two", Fault.DUPLICATE_QUESTION, "is that of one")
    ]


def test_an_answer_that_says_there_is_none_is_a_warning_and_the_problem_is_kept() -> None:
    problems, malformed = of_one(answer="None")
    assert [p.answer for p in problems] == ["None"]
    assert [(m.field, m.kind, m.severity) for m in malformed] == [("answer", Fault.NO_ANSWER, "warning")]


def test_what_a_corrected_release_flags_is_read_and_not_listed_again() -> None:
    flagged = QUIZ | {"flags": ["given_away"]}
    problems, malformed = of_one(
        answer="None", quizzes=[flagged], flags=["unusable_answer"], licence="MIT", origin="o:1"
    )
    assert malformed == []
    assert problems[0].flags == (Flag.UNUSABLE_ANSWER,)
    assert problems[0].quizzes[0].flags == (Flag.GIVEN_AWAY,)
    assert (problems[0].licence, problems[0].origin) == ("MIT", "o:1")


def test_a_chain_of_thought_is_a_warning_and_the_problem_is_kept() -> None:
    problems, malformed = of_one(answer="<think> long")
    assert len(problems) == 1
    assert [(m.field, m.kind, m.severity) for m in malformed] == [("answer", Fault.CHAIN_OF_THOUGHT, "warning")]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("Math - Plane Geometry", "did you mean Math - Plane Geometric"),
        ("Physics - Plane Geometric", "the taxonomy has Math - Plane Geometric"),
        ("", "None;"),
        (None, "None;"),
    ],
)
def test_an_unknown_type_is_none_and_the_nearest_is_named(given: object, says: str) -> None:
    problems, malformed = of_one(image_type=given)
    assert (problems[0].subject, problems[0].image_type) == (None, None)
    assert [(m.kind, m.severity) for m in malformed] == [(Fault.IMAGE_TYPE, "error")]
    assert says in malformed[0].mend


def test_a_missing_multimodal_question_is_a_warning() -> None:
    problems, malformed = of_one(multimodal_question=None)
    assert problems[0].multimodal_question == ITEM["question"]
    assert [(m.kind, m.severity) for m in malformed] == [(Fault.NO_MULTIMODAL_QUESTION, "warning")]


def test_broken_elements_and_unknown_fields_are_named_one_by_one() -> None:
    problems, malformed = of_one(elements=["3", "", 4], colour="red")
    assert problems[0].elements == ("3",)
    assert [(m.field, m.severity) for m in malformed] == [
        ("colour", "warning"),
        ("elements.1", "error"),
        ("elements.2", "error"),
    ]


def test_a_key_outside_the_options_is_named_and_kept_only_if_its_place_is_known() -> None:
    quizzes, malformed = of_quiz(options={"A": "1", "B": "2", "0": "3", "D": "4"}, correct_option="C")
    assert quizzes[0].options == {"A": "1", "B": "2", "C": "3", "D": "4"}
    assert [(m.field, m.kind) for m in malformed] == [
        ("quizzes.0.options", Fault.QUIZ_LABELS),
        ("quizzes.0.correct_option", Fault.QUIZ_KEY),
    ]
    assert malformed[1].fault == '"C" is not one of A, B, 0, D'
    quizzes, malformed = of_quiz(correct_option="E")
    assert quizzes == ()
    assert [(m.kind, m.fault, m.severity) for m in malformed] == [
        (Fault.QUIZ_KEY, '"E" is not one of A, B, C, D', "error")
    ]


@pytest.mark.parametrize(
    ("options", "mended"),
    [
        ({"A": "1", "C": "2", "B": "3"}, {"A": "1", "C": "2", "B": "3"}),  # all letters: nothing to mend
        ({"A": "1", "//B": "2"}, {"A": "1", "B": "2"}),
        ({"A": "1 m", "B": "2 m", "3 m": "C"}, {"A": "1 m", "B": "2 m", "C": "3 m"}),  # label and text swapped
        ({"A": "1", "C": "2", "x": "3"}, None),  # x stands where C would, but B is missing
    ],
)
def test_labels_are_put_back_only_where_one_letter_is_missing_at_that_place(
    options: dict[str, str], mended: dict[str, str] | None
) -> None:
    assert relabel(options) == mended


@pytest.mark.parametrize(
    "quiz",
    [
        "a text",
        QUIZ | {"question": ""},
        QUIZ | {"options": ["3", "4"]},
        QUIZ | {"options": {"A": "3"}},
        QUIZ | {"options": {"A": "3", "B": None}},
        QUIZ | {"correct_option": None},
    ],
)
def test_a_broken_quiz_is_left_out_and_its_neighbour_stays(quiz: object) -> None:
    problems, malformed = of_one(quizzes=[quiz, QUIZ])
    assert [q.question for q in problems[0].quizzes] == [QUIZ["question"]]
    assert [(m.field, m.kind, m.severity) for m in malformed] == [("quizzes.0", Fault.QUIZ_LEFT_OUT, "error")]


def test_quizzes_that_are_no_list_and_unknown_quiz_fields() -> None:
    problems, malformed = of_one(quizzes={"A": 1})
    assert problems[0].quizzes == ()
    assert [m.kind for m in malformed] == [Fault.QUIZ_LEFT_OUT]
    quizzes, malformed = of_quiz(items="x")
    assert len(quizzes) == 1
    assert [(m.kind, m.fault) for m in malformed] == [(Fault.QUIZ_FIELDS, "has items")]


def test_files_that_cannot_be_read_name_the_place(tmp_path: Path) -> None:
    cut = tmp_path / "cut.json"
    cut.write_text('[\n {"id": "one", "question": "a cut')
    with pytest.raises(ScigenError, match=r"cut\.json:2:\d+: not JSON"):
        read(cut, "scigen")
    cut.write_text('{"id": "one"}')
    with pytest.raises(ScigenError, match="a list of items"):
        read(cut, "scigen")
    cut.write_bytes(b'["\xff"]')
    with pytest.raises(ScigenError, match="byte 2 is not UTF-8"):
        read(cut, "scigen")
    with pytest.raises(ScigenError, match="no such file"):
        read(tmp_path / "none.json", "scigen")
    with pytest.raises(ScigenError, match="did you mean scigen"):
        from_items([], "scigene", "f.json")


def test_a_file_with_every_fault_is_read_to_its_end(tmp_path: Path) -> None:
    items = [item for item, _ in LEFT_OUT] + [ITEM | {"id": "last", "answer": "5"}]
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(items))
    problems, malformed = taken(read(path, "scigen"))
    assert [p.id for p in problems] == ["last"]
    assert len(malformed) == len(LEFT_OUT)
    assert all(m.item.startswith("bad.json:") and m.fault and m.mend for m in malformed)


@pytest.mark.skipif(not DATA.exists(), reason="the benchmark's files are not beside the checkout")
@pytest.mark.parametrize(
    ("split", "problems", "quizzes", "faults"),
    [
        (
            "scigen",
            657,
            2571,
            {
                Fault.NO_ANSWER: 1,
                Fault.QUIZ_KEY: 4,
                Fault.QUIZ_LABELS: 26,
                Fault.QUIZ_FIELDS: 2,
                Fault.CHAIN_OF_THOUGHT: 10,
                Fault.DUPLICATE_QUESTION: 4,
                Fault.NO_MULTIMODAL_QUESTION: 31,
            },
        ),
        ("seephys", 210, 711, {Fault.QUIZ_KEY: 1, Fault.QUIZ_LABELS: 8, Fault.IMAGE_TYPE: 210}),
    ],
)
def test_the_released_files(split: str, problems: int, quizzes: int, faults: dict[Fault, int]) -> None:
    read_problems, malformed = taken(read(DATA / f"{split}.json", split))
    assert len(read_problems) == problems
    assert sum(len(p.quizzes) for p in read_problems) == quizzes
    assert Counter(m.kind for m in malformed) == faults
    assert len({m.key for m in malformed}) == len(malformed)
    assert len({p.id for p in read_problems}) == problems
