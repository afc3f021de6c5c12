"""Subject and image type in one answer, checked against the taxonomy. Generic structures belong to Universal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator

from scigen.problems.curation.stage import Judgement, ModelStage, keep
from scigen.problems.taxonomy import SUBJECT_OF
from scigen.records import Flag, ImageType, Problem, Subject


class Classes(BaseModel):
    """The model's answer: a pair of the taxonomy."""

    model_config = ConfigDict(extra="forbid")

    subject: Subject
    image_type: ImageType

    @model_validator(mode="after")
    def _is_a_pair(self) -> Self:
        right = SUBJECT_OF[self.image_type]
        if self.subject is not right and right is not Subject.UNIVERSAL:
            raise ValueError(f'image type "{self.image_type}" belongs to {right}, not to {self.subject}')
        return self


@dataclass(frozen=True)
class Classify(ModelStage):
    """Gives a problem its subject and image type. A chart about physics is a chart: subject Universal."""

    name: ClassVar[str] = "classify"
    answer: ClassVar[type[BaseModel]] = Classes

    max_tokens: int = 100

    def has_it(self, problem: Problem) -> bool:
        return problem.image_type is not None and problem.subject is SUBJECT_OF[problem.image_type]

    def words(self, problem: Problem) -> Mapping[str, object]:
        types = {subject: [t for t in ImageType if SUBJECT_OF[t] is subject] for subject in Subject}
        return {"types": types}

    def judge(self, problem: Problem, answer: Classes) -> Judgement:
        subject = SUBJECT_OF[answer.image_type]
        remarks = [] if subject is answer.subject else [f"subject was {answer.subject}, a generic structure"]
        flags = tuple(flag for flag in problem.flags if flag is not Flag.NO_IMAGE_TYPE)
        return keep(problem, remarks, subject=subject, image_type=answer.image_type, flags=flags)
