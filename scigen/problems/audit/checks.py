"""What one problem and its quizzes suffer from, found without a model: pure functions from a problem to findings.

Faults that only the reader of a source can see (keys outside the options, lost labels) come from the source; what only
the whole set shows (skewed keys, duplicates) is `audit.tally`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from scigen.problems.answers import answer_fault
from scigen.problems.audit.stems import refers_to_text
from scigen.records import Flag, Part, Problem, Quiz

TOKEN = re.compile(r"[A-Za-z]+|\d+(?:\.\d+)?|[^\s\w]")


class Finding(Part):
    """One fault of one problem, or of one of its quizzes."""

    kind: Flag
    quiz: int | None = None
    """Index from 0; None for the problem itself."""
    detail: str


def findings(problem: Problem) -> Iterator[Finding]:
    """All faults of one problem, in the order of its fields."""
    if problem.image_type is None:
        yield Finding(kind=Flag.NO_IMAGE_TYPE, detail="image_type is empty")
    if (fault := answer_fault(problem.answer)) is not None:
        shown = problem.answer if len(problem.answer) < 60 else f"{problem.answer[:57]}..."
        yield Finding(kind=fault, detail=f"answer is {shown!r} ({len(problem.answer)} characters)")
    if problem.multimodal_question.strip() == problem.question.strip() and problem.image is None:
        yield Finding(kind=Flag.NO_MULTIMODAL_QUESTION, detail="the question itself is asked beside the image")
    for i, quiz in enumerate(problem.quizzes):
        if refers_to_text(quiz.question):
            yield Finding(kind=Flag.REFERS_TO_TEXT, quiz=i, detail=quiz.question)
        if (option := repeated_option(quiz)) is not None:
            yield Finding(kind=Flag.REPEATED_OPTION, quiz=i, detail=f"two options read {option!r}")
        if (sibling := given_away_by(i, problem.quizzes)) is not None:
            right = quiz.options[quiz.correct_option]
            yield Finding(
                kind=Flag.GIVEN_AWAY, quiz=i, detail=f"{right!r} stands in quiz {sibling}'s question: {quiz.question}"
            )


def repeated_option(quiz: Quiz) -> str | None:
    """The first option that is the same as an earlier one but for spaces; `m` and `M` are two symbols."""
    seen: set[str] = set()
    for option in quiz.options.values():
        plain = " ".join(option.split())
        if plain in seen:
            return option
        seen.add(plain)
    return None


def given_away_by(index: int, quizzes: Sequence[Quiz]) -> int | None:
    """The first sibling whose stem holds the right option and none of the wrong ones, as whole words; else None.

    Options of fewer than two characters are too common to give anything away.
    """
    quiz = quizzes[index]
    right = _tokens(quiz.options[quiz.correct_option])
    if sum(len(t) for t in right) < 2:
        return None
    wrong = [_tokens(text) for letter, text in quiz.options.items() if letter != quiz.correct_option]
    for i, sibling in enumerate(quizzes):
        if i == index:
            continue
        stem = _tokens(sibling.question)
        if _holds(stem, right) and not any(_holds(stem, w) for w in wrong):
            return i
    return None


def _tokens(text: str) -> tuple[str, ...]:
    return tuple(t.casefold() for t in TOKEN.findall(text))


def _holds(text: Sequence[str], part: Sequence[str]) -> bool:
    n = len(part)
    return n > 0 and any(tuple(text[i : i + n]) == tuple(part) for i in range(len(text) - n + 1))
