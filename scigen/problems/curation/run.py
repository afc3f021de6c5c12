"""A source through all stages, set by set. Kill it at any moment and run it again: what is on disk is not done again.

Stage n reads the kept records of stage n - 1 and appends its own to `<sets>/curation/<nn>-<name>`, a set whose inputs
are the source, the settings of all stages up to it, the model and the seed. One set is open at a time, and of its items
only ids and hashes are held. Prices, progress bars and figures are not here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scigen.errors import ScigenError
from scigen.models import ModelSettings
from scigen.problems.curation.engine import Engine, Work
from scigen.problems.curation.incoming import Incoming
from scigen.problems.curation.record import CurationRecord, CurationStatus
from scigen.problems.curation.stage import ItemStage, SetStage, Stage, Surroundings
from scigen.problems.curation.tally import Tally
from scigen.records import Problem
from scigen.store import Manifest, SetWriter, image_path, inputs_hash, iter_records

Watch = Callable[[Tally, int | None, CurationRecord | None], None]
"""Told of each stage's beginning (no record) and of each record; the number is of the items that come in, if known."""


@dataclass(frozen=True)
class Curation:
    """What is done to the items of a source."""

    sets: Path
    stages: Sequence[ItemStage | SetStage]
    model: ModelSettings | None
    seed: int

    def folder(self, n: int) -> Path:
        """The set of the n-th stage, from 1."""
        return self.sets / "curation" / f"{n:02d}-{self.stages[n - 1].name}"

    def inputs(self, source: str, n: int) -> str:
        """Hash of all that the n-th stage's records depend on."""
        steps = [[s.name, s.settings(), self._model(s)] for s in self.stages[:n]]
        return inputs_hash("curation", source, steps)

    def _model(self, stage: Stage) -> object:
        return [self.model.identity(), self.seed] if stage.needs_model and self.model else None


def check_stages(stages: Sequence[ItemStage | SetStage], has_model: bool) -> None:
    """Raises ScigenError for a stage that comes twice, lacks its model, or comes where order is no longer given."""
    asked: str | None = None
    names: set[str] = set()
    for stage in stages:
        if stage.name in names:
            raise ScigenError(f'stages: "{stage.name}" comes twice. Name each stage once.')
        names.add(stage.name)
        if stage.needs_model and not has_model:
            raise ScigenError(
                f"stages: {stage.name} asks a model, and none is chosen. Add model=NAME, or leave it out."
            )
        if isinstance(stage, SetStage) and stage.order_matters and asked:
            raise ScigenError(
                f"stages: {stage.name} keeps the first of several and {asked} gives items in the order of the answers, "
                f"so two runs could differ. Put {stage.name} before {asked}."
            )
        asked = asked or (stage.name if stage.needs_model else None)


def curate(
    curation: Curation, incoming: Incoming, engine: Engine, retry_failed: bool, tallies: list[Tally], watch: Watch
) -> None:
    """All stages in turn. `tallies` gets a row for each stage as it begins, and is right also when this raises."""
    expected: int | None = None
    for n, stage in enumerate(curation.stages, 1):
        tally = Tally(stage.name)
        tallies.append(tally)
        start = time.monotonic()
        items = incoming if n == 1 else partial(kept_problems, curation.folder(n - 1))
        try:
            around = Surroundings(curation.folder(1), curation.inputs(incoming.inputs, n))
            with SetWriter(curation.folder(n), CurationRecord, around.inputs) as writer:
                for record in iter_records(writer.folder, CurationRecord):
                    tally.add(record)
                watch(tally, expected, None)
                if not _is_done(writer, tally, expected, retry_failed):
                    if n == 1:
                        incoming.pictures = writer
                    _run_stage(stage, items, engine, writer, tally, retry_failed, around, watch, expected)
                    writer.finish()
        finally:
            tally.wall_seconds = time.monotonic() - start
            tally.waiting = max(0, (expected or 0) - tally.decided)
        if expected is not None and tally.came_in != expected:
            raise ScigenError(
                f"{curation.folder(n)}: {tally.decided} items have a record and {expected} came from the stage before. "
                "Delete the folder and run the command again: answers of the model are kept."
            )
        expected = tally.kept


def _is_done(writer: SetWriter[CurationRecord], tally: Tally, expected: int | None, retry_failed: bool) -> bool:
    if not writer.finished or (retry_failed and tally.open_items):
        return False
    return expected is None or tally.decided == expected


def _run_stage(
    stage: ItemStage | SetStage,
    items: Callable[[], Iterator[Problem]],
    engine: Engine,
    writer: SetWriter[CurationRecord],
    tally: Tally,
    retry_failed: bool,
    around: Surroundings,
    watch: Watch,
    expected: int | None,
) -> None:
    def write(record: CurationRecord) -> None:
        writer.append(record)
        tally.add(record)
        watch(tally, expected, record)

    if isinstance(stage, SetStage):
        for record in stage.decide_all(items, around):
            if record.key not in writer:
                write(record)
        return

    def todo() -> Iterator[Work]:
        for problem in items():
            last = tally.open_items.get(problem.id)
            if last is not None and retry_failed:
                yield Work(problem, last[0] + 1)
            elif f"{problem.id}/{stage.name}" not in writer:
                yield Work(problem, 1)

    engine.run(stage, todo(), write)


def kept_problems(folder: Path) -> Iterator[Problem]:
    """The problems that a stage kept, in the order of its records."""
    for record in iter_records(folder, CurationRecord):
        if record.status is CurationStatus.KEPT:
            assert record.problem is not None
            yield record.problem


def write_problems(curation: Curation, source: str) -> Manifest:
    """What the last stage kept, as the set `<sets>/problems` with the source's pictures."""
    last, first = curation.folder(len(curation.stages)), curation.folder(1)
    with SetWriter(curation.sets / "problems", Problem, curation.inputs(source, len(curation.stages))) as writer:
        for problem in kept_problems(last):
            if problem.key in writer:
                continue
            if problem.image is not None:
                writer.put_image(image_path(first, problem.image).read_bytes())
            writer.append(problem)
        return writer.finish()
