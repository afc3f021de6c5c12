"""The question as it is asked beside the picture: what the picture shows is taken out, and must not be said again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from scigen.problems.curation.occurrence import is_value, occurs, refers_to_figure, tokens
from scigen.problems.curation.stage import Judgement, ModelStage, invalid, keep
from scigen.records import Flag, Problem


class Rewritten(BaseModel):
    """The model's answer."""

    model_config = ConfigDict(extra="forbid")

    question: Annotated[str, Field(min_length=1)]
    moved: list[str]
    """Elements that only the picture gives now."""


STAYS = "the question refers to a figure already and stays as it is"


@dataclass(frozen=True)
class Rewrite(ModelStage):
    """Writes the multimodal question."""

    name: ClassVar[str] = "rewrite"
    answer: ClassVar[type[BaseModel]] = Rewritten

    max_tokens: int = 1200

    def has_it(self, problem: Problem) -> bool:
        return problem.multimodal_question.strip() != problem.question.strip()

    def judge(self, problem: Problem, answer: Rewritten) -> Judgement:
        new = tokens(answer.question)
        same = new == tokens(problem.question)
        if same and (refers_to_figure(problem.question) or problem.image is not None):
            return _kept(
                problem, problem.multimodal_question, "the question refers to a figure already and stays as it is"
            )
        if same:
            return invalid("same_question")
        moved = list(dict.fromkeys([*answer.moved, *filter(is_value, problem.elements)]))
        said = [element for element in moved if occurs(element, new)]
        if said:
            return invalid("says_what_is_shown", *said)
        if not moved:
            return invalid("nothing_moved")
        if occurs(problem.answer, new) and not occurs(problem.answer, tokens(problem.question)):
            return invalid("says_the_answer")
        return _kept(problem, answer.question.strip())


def _kept(problem: Problem, question: str, *remarks: str) -> Judgement:
    flags = tuple(flag for flag in problem.flags if flag is not Flag.NO_MULTIMODAL_QUESTION)
    return keep(problem, remarks, multimodal_question=question, flags=flags)
