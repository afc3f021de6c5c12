"""What passes between the steps: the brief that a script is written from, and a script with what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from scigen.records import Attempt, Plan, Problem, Understanding
from scigen.rendering import Rendering


class Look(BaseModel):
    """What a vision model says of a drawing."""

    model_config = ConfigDict(extra="forbid")

    faults: tuple[str, ...]


@dataclass(frozen=True)
class Sketch:
    """A script, what became of it, and how good it is."""

    attempt: Attempt
    drawn: Rendering | None = None
    badness: int = 10**6

    @property
    def clean(self) -> bool:
        """Whether there is nothing to mend."""
        return self.badness == 0


@dataclass(frozen=True)
class Brief:
    """All that the writing of a script depends on."""

    problem: Problem
    understanding: Understanding
    plan: Plan
    labels: tuple[str, ...]
