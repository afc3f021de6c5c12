"""What the stages would come to, before any call: as if every item of the source were kept by every stage."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from scigen.models import Estimate, Model, ModelSettings
from scigen.problems.curation.engine import Work, request_of
from scigen.problems.curation.stage import ItemStage, SetStage
from scigen.problems.sources import Source
from scigen.records import Problem

CHUNK = 512


class Forecast(NamedTuple):
    """One stage's share of the forecast."""

    stage: str
    items: int
    estimate: Estimate


def forecast(
    stages: Sequence[ItemStage | SetStage], source: Source, model: ModelSettings | None, journal: Path, seed: int
) -> list[Forecast]:
    """Reads the source once, asks nothing and writes nothing.

    Prompts of later stages are filled with the longest that earlier ones may find; answers in the journal count as
    cached where the prompt is the same.
    """
    return asyncio.run(_forecast(stages, source, model, journal, seed))


async def _forecast(
    stages: Sequence[ItemStage | SetStage], source: Source, settings: ModelSettings | None, journal: Path, seed: int
) -> list[Forecast]:
    sums = [Estimate() for _ in stages]
    count = 0
    problems = (item.problem for item in source.items() if item.problem is not None)
    if settings is None:
        count = sum(1 for _ in problems)
        return [Forecast(stage.name, count, Estimate()) for stage in stages]
    async with Model(settings, journal) as model:
        while chunk := list(islice(problems, CHUNK)):
            count += len(chunk)
            for i, stage in enumerate(stages):
                if not isinstance(stage, ItemStage):
                    continue
                requests = (request_of(stage, Work(p, 1), seed) for p in chunk)
                sums[i] += model.estimate(r for r in requests if r is not None)
                chunk = list(_passed_on(stage, chunk))
    return [Forecast(stage.name, count, total) for stage, total in zip(stages, sums, strict=True)]


def _passed_on(stage: ItemStage, chunk: list[Problem]) -> Iterator[Problem]:
    return (stage.foreseen(problem) for problem in chunk)
