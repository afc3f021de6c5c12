r"""The rule reward pays for the right answer in the last \boxed{} and for nothing else, and it always comes back."""

import threading
import time

import pytest

from scigen.training import reward
from scigen.training.reward import MathWorker, compute_score, is_equal, last_boxed


@pytest.fixture(scope="module")
def worker():
    worker = MathWorker()
    yield worker
    worker.close()


@pytest.mark.parametrize(
    ("text", "boxed"),
    [
        (r"so \boxed{4}", "4"),
        (r"\boxed{4} no, \boxed{5}", "5"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed{\boxed{3}}", "3"),
        (r"\boxed{a\}b}", r"a\}b"),
        (r"\boxed{4} and then \boxed{5", "4"),
        (r"\boxed{4", None),
        (r"\boxed{}", ""),
        ("the answer is 4", None),
        ("", None),
    ],
)
def test_last_balanced_box_counts(text, boxed):
    assert last_boxed(text) == boxed


@pytest.mark.parametrize(
    ("text", "truth", "score", "no_answer"),
    [
        (r"\boxed{left}", "left", 1, 0),
        (r"\boxed{Left.}", "left", 1, 0),
        (r"\boxed{\text{left}}", "left", 1, 0),
        (r"\boxed{felt}", "left", 0, 0),  # an anagram is the same product of letters
        (r"\boxed{v}", "V", 0, 0),  # speed is not voltage
        (r"\boxed{left right}", "left", 0, 0),
        (r"\boxed{right} \boxed{left}", "left", 1, 0),
        (r"\boxed{left} \boxed{right}", "left", 0, 0),
        (r"\boxed{}", "left", 0, 0),
        (r"\boxed{CORRECT}", "left", 0, 0),
        ("CORRECT", "left", 0, 1),
        ("INVALID", "left", 0, 1),
        ("left", "left", 0, 1),
        (r"\boxed{left", "left", 0, 1),
        ("", "left", 0, 1),
    ],
)
def test_words(text, truth, score, no_answer):
    result = compute_score("held_out", text, truth, {"problem_id": "p1"})
    assert result == {
        "score": score,
        "acc": score,
        "no_answer": no_answer,
        "problem_id": "p1",
        "data_source": "held_out",
    }


@pytest.mark.parametrize(
    ("answer", "truth", "equal"),
    [
        (r"\frac{1}{2}", "0.5", True),
        ("2x+1", "1+2x", True),
        (r"\sqrt{8}", r"2\sqrt{2}", True),
        ("3", "4", False),
        ("1, 2, 3, 4", "4", False),
        (r"4 \text{ or } 5", "4", False),
    ],
)
def test_mathematics(worker, answer, truth, equal):
    assert worker.equal(answer, truth) is equal


def test_two_expressions_in_one_box_are_not_tried():
    assert not is_equal("3$ $4", "4")


@pytest.mark.slow
def test_bomb_scores_nothing_in_time(worker):
    assert worker.equal("2", "2.0")
    began = time.monotonic()
    assert not worker.equal("9^{9^{9^{9}}}", "1")
    assert time.monotonic() - began < worker.deadline_s + 2
    assert worker.equal("2", "2.0"), "the next answer must find a worker again"


def test_works_outside_the_main_thread():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(compute_score("x", r"\boxed{\frac{1}{2}}", "0.5")["acc"]))
    thread.start()
    thread.join(90)
    assert seen == [1.0]
    reward._WORKER.close()
