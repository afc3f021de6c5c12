"""Quizzes: atomic questions that the picture alone answers. The model writes them; where the right option stands is
decided here, by seed and item. What does not hold up is left out, with the reason in the record's remarks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from scigen.problems.audit.checks import given_away_by
from scigen.problems.audit.stems import refers_to_text
from scigen.problems.curation.occurrence import occurs, tokens
from scigen.problems.curation.stage import Judgement, ModelStage, invalid, keep
from scigen.problems.quizzes import key_places, placed
from scigen.records import Problem, Quiz

Text = Annotated[str, Field(min_length=1, max_length=600)]


class Draft(BaseModel):
    """One quiz as the model writes it."""

    model_config = ConfigDict(extra="forbid")

    question: Text
    right_answer: Text
    wrong_answers: Annotated[list[Text], Field(min_length=3, max_length=3)]
    evidence: Text
    """The words of the problem that the right answer rests on."""


class Drafts(BaseModel):
    """The model's answer."""

    model_config = ConfigDict(extra="forbid")

    quizzes: Annotated[list[Draft], Field(max_length=12)]


@dataclass(frozen=True)
class Quizzes(ModelStage):
    """Writes a problem's quizzes, up to `most` of them."""

    name: ClassVar[str] = "quizzes"
    answer: ClassVar[type[BaseModel]] = Drafts

    max_tokens: int = 2500
    most: int = 4
    seed: int = 0
    """Of the options' order; nothing else depends on it."""

    def has_it(self, problem: Problem) -> bool:
        return bool(problem.quizzes)

    def words(self, problem: Problem) -> dict[str, object]:
        return {"most": self.most}

    def judge(self, problem: Problem, answer: Drafts) -> Judgement:
        drafts, remarks = sound(answer.quizzes, problem)
        drafts = drafts[: self.most]
        if not drafts:
            return invalid("no_sound_quiz", *remarks)
        return keep(problem, remarks, quizzes=tuple(self._placed(problem, drafts)))

    def _placed(self, problem: Problem, drafts: Sequence[Draft]) -> Iterator[Quiz]:
        for i, place in enumerate(key_places(problem.id, [4] * len(drafts), self.seed)):
            draft = drafts[i]
            rng = Random(f"{self.seed}/{problem.id}/{i}")
            yield placed(draft.question, draft.right_answer, draft.wrong_answers, place, rng, draft.evidence)


def sound(drafts: Sequence[Draft], problem: Problem) -> tuple[list[Draft], list[str]]:
    """The drafts that hold up, and `<reason>: <stem>` for each of the others."""
    good: list[Draft] = []
    remarks: list[str] = []
    for draft in drafts:
        reason = _own_fault(draft, problem) or ("repeated_quiz" if _same(draft, good) else None)
        if reason:
            remarks.append(f"{reason}: {draft.question}")
        else:
            good.append(draft)
    while (i := _first_given_away(good)) is not None:  # one at a time: the next may hang on a stem that goes now
        remarks.append(f"given_away: {good.pop(i).question}")
    return good, remarks


def _own_fault(draft: Draft, problem: Problem) -> str | None:
    if refers_to_text(draft.question):
        return "refers_to_text"
    options = [" ".join(text.split()) for text in (draft.right_answer, *draft.wrong_answers)]
    if max(Counter(options).values()) > 1:
        return "repeated_option"
    quiz = _quiz(draft)
    if given_away_by(0, [quiz, quiz]) is not None:  # beside its own stem
        return "answer_in_stem"
    right = draft.right_answer
    if tokens(right) == tokens(problem.answer) and not occurs(right, tokens(problem.question)):
        return "asks_final_answer"
    return None


def _same(draft: Draft, others: Sequence[Draft]) -> bool:
    return any(tokens(draft.question) == tokens(other.question) for other in others)


def _first_given_away(drafts: Sequence[Draft]) -> int | None:
    quizzes = [_quiz(draft) for draft in drafts]
    return next((i for i in range(len(quizzes)) if given_away_by(i, quizzes) is not None), None)


def _quiz(draft: Draft) -> Quiz:
    return placed(draft.question, draft.right_answer, draft.wrong_answers, 0, Random(0))
