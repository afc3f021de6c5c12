"""Filter: can a picture show what this problem describes? If not, which of the four reasons speaks against it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator

from scigen.problems.curation.stage import Judgement, ModelStage, drop, keep
from scigen.records import Problem


class Dirty(StrEnum):
    """Why a problem cannot be drawn (PROTOCOL section 2)."""

    MISSING_CONTEXT = "missing_context"
    MISSING_DATA = "missing_data"
    NON_VISUAL_TASK = "non_visual_task"
    ABSTRACT_CONCEPT = "abstract_concept"


class Drawable(BaseModel):
    """The model's answer."""

    model_config = ConfigDict(extra="forbid")

    shown: str
    """What a picture would show, in a few words. Asked first, so that the verdict rests on it."""
    drawable: bool
    reason: Dirty | None

    @model_validator(mode="after")
    def _reason_iff_not_drawable(self) -> Self:
        if self.drawable == (self.reason is not None):
            raise ValueError("give a reason exactly if drawable is false, else null")
        return self


@dataclass(frozen=True)
class Visualisable(ModelStage):
    """Drops problems that no picture can show."""

    name: ClassVar[str] = "visualisable"
    answer: ClassVar[type[BaseModel]] = Drawable

    max_tokens: int = 300

    def judge(self, problem: Problem, answer: Drawable) -> Judgement:
        return keep(problem) if answer.reason is None else drop(answer.reason.value, answer.shown)
