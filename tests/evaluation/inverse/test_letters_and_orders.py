"""A letter is read exactly or not at all; every option stands at every place."""

from __future__ import annotations

from collections import Counter

import pytest

from scigen.evaluation.inverse.letters import read_letter
from scigen.evaluation.inverse.order import orders


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        *[
            (t, "B")
            for t in ("B", " B\n", "B.", "(B)", "**B**", "[B]", "Answer: B", "The answer is B.", "**Answer: B**")
        ],
        *[(t, "C") for t in (r"\boxed{C}", r"so \boxed{\text{C}}", r"\boxed{A}, no: \boxed{C}", "Final answer: (C)")],
        *[
            (t, None)
            for t in ("INVALID", "CORRECT", "A or B", "A\nB", "b", "", "E", "A red block", "I think it is B, or C")
        ],
        (r"B, or rather \boxed{none}", None),
        (r"\boxed{\mathbf{B}}", "B"),
        (r"\boxed{B}, no: \boxed{x_{1}}", None),
        (r"\boxed{B}, no: \boxed{", None),
        *[(t, None) for t in ("CHOICED", "OPTIONA", "ANSWERA")],
    ],
)
def test_a_letter_and_nothing_more(text: str, letter: str | None) -> None:
    assert read_letter(text, ["A", "B", "C", "D"]) == letter


def test_four_permutations_put_each_option_at_each_place_once() -> None:
    for n in range(50):
        found = orders("ABCD", f"p{n}/0", 4, seed=0)
        assert all(sorted(order) == list("ABCD") for order in found)
        assert all({order[place] for order in found} == set("ABCD") for place in range(4))


def test_over_many_quizzes_the_key_is_at_each_place_equally_often() -> None:
    places = Counter(orders("ABCD", f"p{n}/0", 1, seed=0)[0].index("C") for n in range(4000))
    assert all(abs(places[k] - 1000) < 4 * (4000 * 0.25 * 0.75) ** 0.5 for k in range(4))


def test_the_order_is_the_same_whenever_it_is_asked_for_and_another_for_another_seed() -> None:
    assert orders("ABCDE", "p/1", 7, seed=3) == orders("ABCDE", "p/1", 7, seed=3)
    assert orders("ABCDE", "p/1", 7, seed=3)[:5] == orders("ABCDE", "p/1", 5, seed=3)
    assert len({orders("ABCDE", "p/1", 1, seed=s)[0] for s in range(20)}) > 10
