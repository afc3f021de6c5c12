"""The stages' work under Ray Data. The records are those of a local run.

All workers write to the one journal folder, each to its own file, so it must be on storage that they share. A budget is
split: each worker gets an equal share of what is left when a chunk begins, so that all of them together cannot cross
it. The run then stops when the first share is used up; starting it again splits what is left anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scigen.errors import ScigenError
from scigen.models import Budget, Model, ModelSettings
from scigen.models.ray_runtime import LoopThread, RayRuntime, ray_session, share_of, stopped_columns, worked_on
from scigen.problems.curation.engine import Work, Write, work_on
from scigen.problems.curation.record import CurationRecord
from scigen.problems.curation.stage import ItemStage
from scigen.records import Problem


@dataclass(frozen=True)
class Duty:
    """All that a worker needs to know."""

    stage: ItemStage
    model: ModelSettings | None
    journal: Path
    share: float | None
    """Dollars that this worker may spend; None for no limit."""
    seed: int


class Worker:
    """One process with its own model. Called by Ray Data with a batch of items as JSON."""

    def __init__(self, duty: Duty) -> None:
        self._duty, self._loop = duty, LoopThread()
        self._model: Model | None = None
        if duty.model is not None:
            budget = None if duty.share is None else Budget(0.0)
            self._model = self._loop.run(_opened(duty.model, duty.journal, budget))
            if budget is not None and duty.share is not None:
                budget.usd = budget.spent + duty.share  # what the folder's journals hold was spent before

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        pairs = zip(batch["problem"], batch["attempt"], strict=True)
        work = [Work(Problem.model_validate_json(problem), int(attempt)) for problem, attempt in pairs]
        records: list[str] = []

        def write(record: CurationRecord) -> None:
            records.append(record.model_dump_json())

        error: ScigenError | None = None
        try:
            self._loop.run(work_on(self._duty.stage, self._model, work, self._duty.seed, write))
        except ScigenError as e:
            error = e
            records.append("")
        return {"record": records, **stopped_columns(len(records), error)}


async def _opened(settings: ModelSettings, journal: Path, budget: Budget | None) -> Model:
    return await Model(settings, journal, budget).__aenter__()


class RayEngine:
    """Ray Data on this machine or a cluster. Use as a context manager."""

    def __init__(
        self, runtime: RayRuntime, model: ModelSettings | None, journal: Path, budget: Budget | None, seed: int
    ) -> None:
        self._runtime, self._model, self._budget, self._seed = runtime, model, budget, seed
        self._journal = journal.resolve()

    def __enter__(self) -> Self:
        self._session = ExitStack()
        self._session.enter_context(ray_session(self._runtime))
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._session.close()

    def run(self, stage: ItemStage, work: Iterable[Work], write: Write) -> None:
        """See scigen.problems.curation.engine.Engine."""
        ordered = not stage.needs_model
        for row in worked_on(_rows(work), Worker, lambda: self._duty(stage), self._runtime, ordered=ordered):
            if row["record"]:
                write(CurationRecord.model_validate_json(row["record"]))

    def _duty(self, stage: ItemStage) -> Duty:
        asks = stage.needs_model
        share = share_of(self._budget, self._journal, self._runtime.workers) if asks else None
        return Duty(stage, self._model if asks else None, self._journal, share, self._seed)


def _rows(work: Iterable[Work]) -> Iterator[dict[str, Any]]:
    for item in work:
        yield {"problem": item.problem.model_dump_json(), "attempt": item.attempt}
