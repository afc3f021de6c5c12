"""What must be visible in the picture: given values and labels, word for word. What the question lacks is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from scigen.problems.curation.occurrence import occurs, tokens
from scigen.problems.curation.stage import Judgement, ModelStage, drop, invalid, keep
from scigen.records import Problem


class Visible(BaseModel):
    """The model's answer."""

    model_config = ConfigDict(extra="forbid")

    elements: Annotated[list[str], Field(max_length=40)]


@dataclass(frozen=True)
class Elements(ModelStage):
    """Lists the values and labels that a picture of the problem must show."""

    name: ClassVar[str] = "elements"
    answer: ClassVar[type[BaseModel]] = Visible

    max_tokens: int = 800

    def has_it(self, problem: Problem) -> bool:
        return bool(problem.elements)

    def foreseen(self, problem: Problem) -> Problem:
        """Elements stand in the question, so together they are about as long as it is."""
        return problem if problem.elements else problem.model_copy(update={"elements": (problem.question,)})

    def judge(self, problem: Problem, answer: Visible) -> Judgement:
        question = tokens(problem.question)
        given = list(dict.fromkeys(e.strip() for e in answer.elements if e.strip()))
        found = [e for e in given if occurs(e, question)]
        remarks = [f"not in the question: {e}" for e in given if e not in found]
        if found:
            return keep(problem, remarks, elements=tuple(found))
        return invalid("no_element_in_question", *remarks) if given else drop("no_elements")
