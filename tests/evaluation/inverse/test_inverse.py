"""Inverse validation over HTTP: what is sent, what is read, what a failure is."""

from __future__ import annotations

import base64
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "models"))

from chat_server import ChatServer, Faults
from model_evaluator import png
from test_transcripts import settings

from scigen.evaluation import Item, evaluate, items_of, items_without_images
from scigen.evaluation.inverse import Inverse
from scigen.generators import Studio
from scigen.records import GeneratedImage, Problem, Quiz, Status, Verdict
from scigen.store import SetWriter, read_set

OPTIONS = {"A": "red", "B": "blue", "C": "green", "D": "grey"}
SECRET = "the answer is forty-two"


def make_sets(folder: Path, count: int, quizzes: int = 3) -> list[Item]:
    with (
        SetWriter(folder / "problems", Problem, "p") as problems,
        SetWriter(folder / "g", GeneratedImage, "i") as images,
    ):
        for n in range(count):
            asked = tuple(
                Quiz(question=f"Colour of block {n}.{q}?", options=OPTIONS, correct_option="C", evidence=SECRET)
                for q in range(quizzes)
            )
            problems.append(
                Problem(
                    id=f"p{n}",
                    source="t",
                    question=f"{SECRET} {n}",
                    answer=SECRET,
                    elements=(SECRET,),
                    multimodal_question=SECRET,
                    quizzes=asked,
                )
            )
            status = Status.OK if n % 6 else Status.CODE_ERROR
            sha = images.put_image(png(n)) if status is Status.OK else None
            images.append(GeneratedImage(problem_id=f"p{n}", generator="g", status=status, image=sha))
        problems.finish()
        images.finish()
    return items_of(folder / "problems", folder / "g")


def text_of(body: dict[str, Any]) -> str:
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


def says(option: str) -> Any:
    """Answers with the letter under which the option is shown."""

    def answer(body: dict[str, Any]) -> str:
        (line,) = [line for line in text_of(body).splitlines() if line.endswith(f". {option}")]
        return f"**{line[0]}**"

    return answer


def run(folder: Path, items: list[Item], inverse: Inverse) -> dict[str, Verdict]:
    evaluate(items, inverse, folder / inverse.name, lambda: Studio(folder / "responses"))
    return {v.problem_id: v for v in read_set(folder / inverse.name, Verdict)}


def test_the_model_sees_the_image_the_stem_and_the_options_alone(tmp_path: Path) -> None:
    items = make_sets(tmp_path, 12)
    with ChatServer(says("green")) as server:
        found = run(tmp_path, items, Inverse(model=settings(server.base_url), permutations=2))
        assert len(server.bodies) == 10 * 3 * 2
        for body in server.bodies:
            assert SECRET not in str(body["messages"])
            *pictures, text = body["messages"][-1]["content"]
            number = int(text["text"].split("block ")[1].split(".")[0])
            assert [base64.b64decode(p["image_url"]["url"].split(",")[1]) for p in pictures] == [png(number)]
        run(tmp_path, items, Inverse(model=settings(server.base_url), permutations=2))
        assert len(server.seen) == 60, "run again, nothing is asked"
    assert Counter(v.status.value for v in found.values()) == {"scored": 10, "no_image": 2}
    assert all(v.passed == (v.status.value == "scored") for v in found.values())
    answers = [a for v in found.values() for a in v.answers]
    assert {a.chosen for a in answers} == {"C"}
    assert {a.said for a in answers} == set("ABCD"), "the key is not always at the same place"
    assert all(a.order[ord(a.said or "A") - ord("A")] == "C" for a in answers)


def test_as_published_the_options_stay_where_they_are(tmp_path: Path) -> None:
    items = make_sets(tmp_path, 8)
    with ChatServer(lambda body: "C") as server:
        fixed = run(tmp_path, items, Inverse(name="inverse_paper", model=settings(server.base_url), protocol="paper"))
        permuted = run(tmp_path, items, Inverse(model=settings(server.base_url)))
    assert all(v.passed for v in fixed.values() if v.answers), "who always says C passes all whose keys are C"
    assert not any(v.passed for v in permuted.values())


@pytest.mark.parametrize("shown", ["nothing", "blank"])
def test_the_floor_is_asked_once_a_problem_without_its_image(tmp_path: Path, shown: Any) -> None:
    make_sets(tmp_path, 12)
    items = items_without_images(tmp_path / "problems")
    with ChatServer(says("green")) as server:
        found = run(tmp_path, items, Inverse(name="inverse_blind", shown=shown, model=settings(server.base_url)))
        pictures = {str(p) for b in server.bodies for p in b["messages"][-1]["content"] if isinstance(p, dict)}
    assert len(found) == 12
    assert {v.generator for v in found.values()} == {"nothing"}
    assert {v.image for v in found.values()} == {None}
    assert len([p for p in pictures if "image_url" in p]) == (1 if shown == "blank" else 0)


def test_the_orders_are_the_same_with_the_image_and_without(tmp_path: Path) -> None:
    items = make_sets(tmp_path, 7)
    with ChatServer(says("green")) as server:
        seen = run(tmp_path, items, Inverse(model=settings(server.base_url)))
        floor = Inverse(name="inverse_blind", shown="nothing", model=settings(server.base_url))
        unseen = run(tmp_path, items_without_images(tmp_path / "problems"), floor)
    for name, verdict in seen.items():
        if verdict.answers:
            assert [a.order for a in verdict.answers] == [a.order for a in unseen[name].answers]


def test_words_are_no_letter_and_no_failure_becomes_a_wrong_answer(tmp_path: Path) -> None:
    """One quiz is answered in words: the verdict is unparsed, not scored as wrong; the others keep their answers."""
    items = make_sets(tmp_path, 5)

    def answer(body: dict[str, Any]) -> str:
        return "INVALID" if ".1?" in text_of(body) else str(says("green")(body))

    with ChatServer(answer) as server:
        found = run(tmp_path, items, Inverse(model=settings(server.base_url)))
    for verdict in found.values():
        if verdict.answers:
            assert verdict.status.value == "unparsed"
            assert [a.status.value for a in verdict.answers] == ["scored", "unparsed", "scored"]
            assert "INVALID" in verdict.error


@pytest.mark.slow
def test_with_every_fault_each_image_has_a_verdict(tmp_path: Path) -> None:
    items = make_sets(tmp_path, 40, quizzes=2)
    kinds = ("rate_limit", "error_500", "cut", "garbage", "empty", "content_filter")
    with ChatServer(says("green"), faults=Faults(rate=0.4, kinds=kinds, retry_after_s=0.02)) as server:
        found = run(tmp_path, items, Inverse(model=settings(server.base_url, retries=2)))
    statuses = Counter(v.status.value for v in found.values())
    assert len(found) == statuses.total() == 40
    assert statuses["no_image"] == 7
    assert statuses["refused"] > 0
    assert all(v.passed for v in found.values() if v.status.value == "scored"), "no fault became a wrong answer"


def test_a_problem_without_quizzes_is_in_no_denominator(tmp_path: Path) -> None:
    items = make_sets(tmp_path, 3, quizzes=0)
    with ChatServer(says("green")) as server:
        found = run(tmp_path, items, Inverse(model=settings(server.base_url)))
    assert Counter(v.status.value for v in found.values()) == {"no_image": 1, "not_applicable": 2}
