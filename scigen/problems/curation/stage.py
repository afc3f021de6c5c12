"""What a curation stage is. One class in one file each; how stages are run, resumed and counted is not decided here.

An item stage looks at one problem at a time, with or without one call of a model. A set stage must see all problems
before it can decide on any. Both are frozen dataclasses that the config fills, and `settings` holds all that their
records depend on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel

from scigen.models import Reply, ReplyStatus, Request
from scigen.models.prompt import Prompt, load_prompt
from scigen.problems.curation.record import CurationRecord, CurationStatus
from scigen.records import Problem


class Judgement(NamedTuple):
    """What a stage decides on one problem."""

    status: CurationStatus
    reason: str = ""
    remarks: tuple[str, ...] = ()
    problem: Problem | None = None


def keep(problem: Problem, remarks: Iterable[str] = (), **changes: Any) -> Judgement:
    """The problem goes on, with these fields changed."""
    changed = Problem.model_validate({**problem.model_dump(), **changes}) if changes else problem
    return Judgement(CurationStatus.KEPT, "", tuple(remarks), changed)


def drop(reason: str, *remarks: str) -> Judgement:
    """The problem is of no use."""
    return Judgement(CurationStatus.DROPPED, reason, remarks)


def invalid(reason: str, *remarks: str) -> Judgement:
    """The answer is of no use; the problem may be fine."""
    return Judgement(CurationStatus.INVALID, reason, remarks)


@dataclass(frozen=True)
class Stage(ABC):
    """What all stages share."""

    name: ClassVar[str]
    version: ClassVar[int] = 1
    """Raise it when the same settings come to decide otherwise: the stage's old records then no longer count."""
    needs_model: ClassVar[bool] = False

    def settings(self) -> dict[str, Any]:
        """All that the records depend on, besides the items, the model and the seed."""
        return {"class": type(self).__name__, "version": self.version, **asdict(self)}

    def record(self, problem: Problem, judgement: Judgement) -> CurationRecord:
        """The judgement as a record of this stage."""
        status, reason, remarks, after = judgement
        return CurationRecord(
            problem_id=problem.id, stage=self.name, status=status, reason=reason, remarks=remarks, problem=after
        )


@dataclass(frozen=True)
class ItemStage(Stage):
    """A stage that decides on each problem by itself."""

    def request(self, problem: Problem) -> Request | None:
        """What to ask a model before deciding; None if nothing need be asked."""
        return None

    def foreseen(self, problem: Problem) -> Problem:
        """The problem as a dry run passes it on: as large as this stage may make it. Never written anywhere."""
        return problem

    @abstractmethod
    def decide(self, problem: Problem, reply: Reply | None) -> CurationRecord:
        """The record of this problem, given the reply to `request` (None if nothing was asked)."""


class Surroundings(NamedTuple):
    """What a set stage may need besides the problems."""

    pictures: Path
    """The set whose images are the sources' pictures."""
    inputs: str
    """Hash of all that the problems and this stage's decisions depend on."""


@dataclass(frozen=True)
class SetStage(Stage):
    """A stage that decides on problems by all the others, or with something that is costly to set up."""

    order_matters: ClassVar[bool] = False
    """Whether another order of the same problems may give other records. Such a stage must come before any model."""

    @abstractmethod
    def decide_all(self, problems: Callable[[], Iterator[Problem]], around: Surroundings) -> Iterator[CurationRecord]:
        """One record for each problem, in the problems' order. `problems()` starts a new pass over them."""


@dataclass(frozen=True)
class ModelStage(ItemStage):
    """An item stage with one structured answer of a model. A subclass names the answer's type and judges it.

    Its prompt is `prompts/<name>.md` beside the subclass's module.
    """

    needs_model: ClassVar[bool] = True
    answer: ClassVar[type[BaseModel]]

    max_tokens: int = 1024
    """Length limit of the answer."""
    temperature: float = 0.0

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "prompt": self.prompt.hash}

    @property
    def prompt(self) -> Prompt:
        """The stage's prompt file."""
        return load_prompt(type(self), self.name)

    def has_it(self, problem: Problem) -> bool:
        """Whether the source brings already what the stage would ask for; then nothing is asked and it is kept."""
        return False

    def words(self, problem: Problem) -> Mapping[str, object]:
        """What the prompt's template is filled with, besides `problem`."""
        return {}

    @abstractmethod
    def judge(self, problem: Problem, answer: Any) -> Judgement:
        """What to make of an answer of the type `self.answer`."""

    def request(self, problem: Problem) -> Request | None:
        if self.has_it(problem):
            return None
        system, user = self.prompt.filled(problem=problem, **self.words(problem))
        return Request(
            prompt=user,
            system=system,
            answer=self.answer,
            prompt_hash=self.prompt.hash,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
        )

    def decide(self, problem: Problem, reply: Reply | None) -> CurationRecord:
        if reply is None:
            return self.record(problem, keep(problem))
        cost = {
            "model": reply.model,
            "prompt_hash": self.prompt.hash,
            "input_tokens": reply.input_tokens,
            "output_tokens": reply.output_tokens,
            "usd": reply.usd,
            "seconds": reply.seconds,
        }
        if reply.status is not ReplyStatus.OK:
            record = self.record(problem, Judgement(CurationStatus(reply.status.value)))
            return record.model_copy(update={**cost, "raw": reply.text, "error": reply.error})
        assert isinstance(reply.value, self.answer)
        record = self.record(problem, self.judge(problem, reply.value))
        raw = reply.text if record.status is CurationStatus.INVALID else ""
        return record.model_copy(update={**cost, "raw": raw})
