"""Where the right option of a quiz stands: chosen by seed and item, balanced within each item.

Someone who always answers the same letter then scores what guessing scores. Quizzes are given here ready-made; how
they are written is curation's or a family's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from string import ascii_uppercase

from scigen.records import Quiz


def key_places(item: str, sizes: Sequence[int], seed: int) -> list[int]:
    """A place from 0 for the right option of each of an item's quizzes, given how many options each has.

    Quizzes with n options take turns over a random order of the n places, so that an item with n of them has its key
    at each place once. A function of seed and item alone: adding items to a set changes no other item.

    >>> sorted(key_places("p1", [4, 4, 4, 4], seed=0))
    [0, 1, 2, 3]
    """
    rng = Random(f"{seed}/{item}/keys")
    turns: dict[int, list[int]] = {}
    places = []
    for size in sizes:
        if not turns.get(size):
            turns[size] = rng.sample(range(size), size)
        places.append(turns[size].pop())
    return places


def placed(question: str, right: str, wrong: Sequence[str], place: int, rng: Random, evidence: str = "") -> Quiz:
    """The quiz with its right option at `place` (from 0) and the wrong ones around it in a random order."""
    texts = rng.sample(list(wrong), len(wrong))
    texts.insert(place, right)
    letters = ascii_uppercase[: len(texts)]
    options = dict(zip(letters, texts, strict=True))
    return Quiz(question=question, options=options, correct_option=letters[place], evidence=evidence)


def permuted(item: str, quizzes: Sequence[Quiz], seed: int) -> list[Quiz]:
    """The item's quizzes with their options in a new order by seed and item; texts, keys' texts and flags unchanged."""
    places = key_places(item, [len(q.options) for q in quizzes], seed)
    new = []
    for i, (quiz, place) in enumerate(zip(quizzes, places, strict=True)):
        right = quiz.options[quiz.correct_option]
        wrong = [text for letter, text in quiz.options.items() if letter != quiz.correct_option]
        moved = placed(quiz.question, right, wrong, place, Random(f"{seed}/{item}/{i}"), quiz.evidence)
        new.append(moved.model_copy(update={"flags": quiz.flags}))
    return new
