"""Keys stand where guessing gains nothing: balanced within an item, moved by seed and item alone."""

from __future__ import annotations

from collections import Counter
from random import Random

from scigen.problems.quizzes import key_places, permuted, placed
from scigen.records import Flag, Quiz

OPTIONS = {"A": "3 cm", "B": "4 cm", "C": "5 cm", "D": "6 cm"}


def quiz(key: str, flags: tuple[Flag, ...] = ()) -> Quiz:
    return Quiz(question=f"How long is side {key}?", options=OPTIONS, correct_option=key, evidence="e", flags=flags)


def test_four_quizzes_of_an_item_have_their_keys_at_four_places() -> None:
    for seed in range(50):
        assert sorted(key_places("item", [4, 4, 4, 4], seed)) == [0, 1, 2, 3]
        places = key_places("item", [4, 3, 4, 3, 4, 4, 3, 4], seed)
        assert sorted(places[i] for i in (1, 3, 6)) == [0, 1, 2]
        assert sorted([places[i] for i in (0, 2, 4, 5)]) == [0, 1, 2, 3]


def test_over_many_items_each_letter_is_as_likely() -> None:
    counts = Counter(key_places(f"item {i}", [4], seed=0)[0] for i in range(4000))
    for place in range(4):  # five standard errors: sqrt(4000 x 1/4 x 3/4) = 27.4
        assert abs(counts[place] - 1000) < 137


def test_a_place_depends_on_seed_and_item_only() -> None:
    assert key_places("a", [4, 4], 1) == key_places("a", [4, 4, 4], 1)[:2]
    assert any(key_places("a", [4], seed) != key_places("a", [4], 0) for seed in range(1, 20))


def test_the_right_option_stands_at_its_place_among_the_wrong_ones() -> None:
    made = placed("How long?", "5", ("1", "2", "3"), 2, Random(0), "5 is given")
    assert made.correct_option == "C"
    assert made.options["C"] == "5"
    assert sorted(made.options.values()) == ["1", "2", "3", "5"]
    assert list(made.options) == ["A", "B", "C", "D"]


def test_permuting_moves_options_and_keeps_all_else() -> None:
    old = [quiz("A"), quiz("A", (Flag.GIVEN_AWAY,)), quiz("A"), quiz("A")]
    new = permuted("item", old, seed=7)
    assert sorted(q.correct_option for q in new) == ["A", "B", "C", "D"]
    for before, after in zip(old, new, strict=True):
        assert after.question == before.question
        assert after.evidence == "e"
        assert after.flags == before.flags
        assert sorted(after.options.values()) == sorted(OPTIONS.values())
        assert after.options[after.correct_option] == before.options[before.correct_option]
    assert new == permuted("item", old, seed=7)
