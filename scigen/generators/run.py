"""Runs a generator over problems into a set on disk; run again after an interruption, it does what is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Protocol

from scigen.generators.base import Generator, Made
from scigen.generators.studio import Studio
from scigen.models.flow import each
from scigen.records import GeneratedImage, Problem, Status
from scigen.shards import Shard, set_with, shards_of, take_over
from scigen.store import Manifest, SetWriter, image_path, inputs_hash

Watch = Callable[[GeneratedImage], None]
"""Told of each record that was made."""

PASSING = frozenset({Status.API_ERROR, Status.TIMEOUT, Status.MEMORY})
"""Statuses after which another attempt may go better, where a vendor or a local model and not a script gave them."""


class Engine(Protocol):
    """Makes images of many problems, on this machine or on many."""

    def run(self, generator: Generator, problems: Sequence[Problem], write: Callable[[Made], None]) -> None:
        """Call `write` once for each problem, in any order, as soon as it is made.

        Raises what stops the run, after everything that had arrived was written.
        """


class LocalEngine:
    """One event loop with a studio that `studio` opens for each run."""

    def __init__(self, studio: Callable[[], Studio]) -> None:
        self._studio = studio

    def run(self, generator: Generator, problems: Sequence[Problem], write: Callable[[Made], None]) -> None:
        """See Engine."""
        asyncio.run(self._run(generator, problems, write))

    async def _run(self, generator: Generator, problems: Sequence[Problem], write: Callable[[Made], None]) -> None:
        async with self._studio() as studio:
            await make_each(generator, problems, studio, write)


async def make_each(
    generator: Generator, problems: Iterable[Problem], studio: Studio, write: Callable[[Made], None]
) -> None:
    """All problems in one studio, `generator.at_once` under way at a time."""

    async def one(problem: Problem) -> Made:
        made = await generator.make(problem, studio)
        assert (made.image.problem_id, made.image.generator) == (problem.id, generator.name), "a record of another"
        return made

    async with aclosing(each(problems, one, generator.at_once)) as images:
        async for made in images:
            write(made)


def set_inputs(hashes: Sequence[str], generator: Generator, shard: Shard | None = None) -> str:
    """Hash of what a set of images is made from: the problems' content hashes, the settings, which part of them."""
    return inputs_hash(hashes, generator.settings(), *([list(shard)] if shard else []))


def generate(
    problems: Iterable[Problem],
    generator: Generator,
    folder: Path,
    engine: Engine,
    *,
    shard: Shard | None = None,
    retry_failed: bool = False,
    watch: Watch = lambda record: None,
) -> Manifest:
    """One GeneratedImage a problem in `folder` (a shard's: below `<folder>.shards`), images beside them.

    A set there from other problems or settings is moved aside. With `retry_failed`, records of a vendor's passing
    failures are left behind with the old set and made again. Gives the finished set's manifest; raises ScigenError.
    """
    problems = list(problems)
    mine = problems if shard is None else shard.of(problems)
    place = folder if shard is None else shard.folder(folder)
    hashes = [p.content_hash() for p in problems]
    inputs = set_inputs(hashes, generator, shard)
    kept = set_with(place, GeneratedImage, inputs, _may_pass) if retry_failed else None
    with SetWriter(place, GeneratedImage, inputs) as writer:

        def bring(part: Path, record: GeneratedImage) -> None:
            if record.image is not None:
                writer.put_image(image_path(part, record.image).read_bytes())

        if kept is not None:
            take_over(kept, writer, lambda record: not _may_pass(record), bring)
        if shard is None:
            for part in shards_of(folder, lambda shard: set_inputs(hashes, generator, shard)):
                take_over(part, writer, lambda record: not (retry_failed and _may_pass(record)), bring)

        def write(made: Made) -> None:
            if made.png is not None:
                writer.put_image(made.png)
            writer.append(made.image)
            watch(made.image)

        todo = [p for p in mine if f"{p.id}/{generator.name}" not in writer]
        if todo:
            engine.run(generator, todo, write)
        return writer.finish()


def _may_pass(record: GeneratedImage) -> bool:
    return record.status in PASSING and record.code is None
