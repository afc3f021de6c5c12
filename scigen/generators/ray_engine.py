"""Images made under Ray Data: each worker has a studio of its own, with its own drawing processes and connections.

Records and images are those of a local run; the driver alone writes them. The journal's folder must be on storage that
all workers share. A budget is split among the workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scigen.errors import ScigenError
from scigen.generators.base import Generator, Made
from scigen.generators.run import make_each
from scigen.generators.studio import Studio
from scigen.models import Budget
from scigen.models.journal import Journal
from scigen.models.ray_runtime import LoopThread, RayRuntime, ray_session, stopped_columns, worked_on
from scigen.records import GeneratedImage, Problem


@dataclass(frozen=True)
class Duty:
    """All that a worker needs to know."""

    generator: Generator
    journal: Path
    share: float | None
    """Dollars that this worker may spend; None for no limit."""
    part: str
    """Whose share of a budget this worker's is a share of."""
    drawers: int
    """Its drawing processes."""


class Worker:
    """One process with its own studio. Called by Ray Data with a batch of problems as JSON."""

    def __init__(self, duty: Duty) -> None:
        self._duty, self._loop = duty, LoopThread()
        budget = None if duty.share is None else Budget(duty.share, duty.part)
        self._studio = self._loop.run(_opened(Studio(duty.journal, budget, duty.drawers, own_budget=True)))

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        problems = [Problem.model_validate_json(problem) for problem in batch["problem"]]
        records: list[str] = []
        pngs: list[bytes] = []

        def write(made: Made) -> None:
            records.append(made.image.model_dump_json())
            pngs.append(made.png or b"")

        error: ScigenError | None = None
        try:
            self._loop.run(make_each(self._duty.generator, problems, self._studio, write))
        except ScigenError as e:
            error = e
            records.append("")
            pngs.append(b"")
        return {"record": records, "png": pngs, **stopped_columns(len(records), error)}


async def _opened(studio: Studio) -> Studio:
    return await studio.__aenter__()


class RayEngine:
    """See scigen.generators.run.Engine. `budget` gives what may be spent, each time that workers are started."""

    def __init__(
        self, runtime: RayRuntime, journal: Path, budget: Callable[[], Budget | None], drawers: int = 1
    ) -> None:
        self._runtime, self._journal, self._budget, self._drawers = runtime, journal.resolve(), budget, drawers

    def run(self, generator: Generator, problems: Sequence[Problem], write: Callable[[Made], None]) -> None:
        """See Engine."""

        def duty() -> Duty:
            budget = self._budget()
            if budget is None:
                return Duty(generator, self._journal, None, "", self._drawers)
            budget.count_earlier(self._journal, Journal(self._journal).usd)
            share = max(0.0, budget.usd - budget.spent) / self._runtime.workers
            return Duty(generator, self._journal, share, budget.part, self._drawers)

        with ray_session(self._runtime):
            for row in worked_on(_rows(problems), Worker, duty, self._runtime):
                if row["record"]:
                    write(Made(GeneratedImage.model_validate_json(row["record"]), row["png"] or None))


def _rows(problems: Sequence[Problem]) -> Iterator[dict[str, Any]]:
    for problem in problems:
        yield {"problem": problem.model_dump_json()}
