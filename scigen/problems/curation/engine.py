"""Where the items of a stage are worked on: here, in one event loop. `ray_engine` does the same on many machines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from scigen.errors import ScigenError
from scigen.models import Budget, Model, ModelSettings, Request
from scigen.problems.curation.record import CurationRecord
from scigen.problems.curation.stage import ItemStage
from scigen.records import Problem


class Work(NamedTuple):
    """An item that a stage is to decide on, for the `attempt`-th time (from 1)."""

    problem: Problem
    attempt: int


RETRY_TEMPERATURE = 0.7

Write = Callable[[CurationRecord], None]


class Engine(Protocol):
    """Works on the items of a stage in any order; a stage without a model in their order."""

    def run(self, stage: ItemStage, work: Iterable[Work], write: Write) -> None:
        """Call `write` once for each item, as soon as it is decided; `work` is read as room comes free.

        Raises BudgetReached and what else stops the run, after everything that had arrived was written.
        """

    def __enter__(self) -> Self: ...
    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None: ...


def request_of(stage: ItemStage, work: Work, seed: int) -> Request | None:
    """The stage's request; a further attempt asks with another seed and leaves the model more freedom.

    So a stored answer is not read again, and a model that ignores seeds does not repeat itself.
    """
    request = stage.request(work.problem)
    if request is None or work.attempt == 1:
        return request and replace(request, seed=seed)
    return replace(request, seed=seed + work.attempt - 1, temperature=max(request.temperature, RETRY_TEMPERATURE))


def numbered(record: CurationRecord, attempt: int) -> CurationRecord:
    """The record as that of this attempt."""
    return record if attempt == 1 else record.model_copy(update={"attempt": attempt})


async def work_on(stage: ItemStage, model: Model | None, work: Iterable[Work], seed: int, write: Write) -> None:
    """One stage over some items, with as many calls at once as the model allows."""

    def asked() -> Iterator[tuple[Work, Request]]:
        for item in work:
            request = request_of(stage, item, seed)
            if request is None:
                write(numbered(stage.decide(item.problem, None), item.attempt))
            else:
                yield item, request

    if model is None:
        for item, _ in asked():
            raise ScigenError(f"{item.problem.id}: stage {stage.name} asks a model. Choose one with model=NAME.")
        return
    async for item, reply in model.ask_each(asked()):
        write(numbered(stage.decide(item.problem, reply), item.attempt))


class LocalEngine:
    """One process, one event loop, one model behind one journal. Use as a context manager."""

    def __init__(self, model: ModelSettings | None, journal: Path, budget: Budget | None, seed: int) -> None:
        self._settings, self._journal, self._budget, self._seed = model, journal, budget, seed

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner()
        self._model = None
        if self._settings is not None:
            self._model = Model(self._settings, self._journal, self._budget)
            self._runner.run(self._model.__aenter__())
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._model is not None:
            self._runner.run(self._model.__aexit__(exc_type, exc, tb))
        self._runner.close()

    def run(self, stage: ItemStage, work: Iterable[Work], write: Write) -> None:
        """See Engine."""
        self._runner.run(work_on(stage, self._model if stage.needs_model else None, work, self._seed, write))
