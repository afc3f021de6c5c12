"""The pictures that SciGenBench publishes for its eleven systems, through the interface of all generators.

So everything downstream runs without paying. The table is read once a run, row by row, its pictures put into a
temporary folder; a problem finds its picture by its question and, where that comes twice, by its wording beside one.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

from pydantic import JsonValue, field_validator

from scigen.errors import nearest
from scigen.generators.base import About, Generator, Made
from scigen.generators.pixel.intake import take
from scigen.generators.studio import Studio
from scigen.problems.sources.files import tables
from scigen.problems.sources.published import SYSTEMS, published_pictures
from scigen.problems.sources.scigenbench import HUB, normalised
from scigen.records import GeneratedImage, Problem, ScriptError, Status, VendorReport

MOST_BYTES, MOST_PIXELS = 64 << 20, 64_000_000


class Found(NamedTuple):
    """A row of the table: where, and the picture's file or why there is none."""

    where: str
    file: Path | None
    fault: str


class PublishedImages(Generator):
    """`system` is our name of one of the eleven; `path` a local copy of the data set, empty for the hub."""

    OUTER: ClassVar[frozenset[str]] = Generator.OUTER | {"path"}

    about: About = About(vendor="SciGenBench on the hub", paradigm="published")
    system: str
    split: str = "scigen"
    path: str = ""
    revision: str | None = None
    """Commit of the hub's data set to pin."""

    @field_validator("system")
    @classmethod
    def _is_known(cls, system: str) -> str:
        if system not in SYSTEMS:
            raise ValueError(f'no published pictures of "{system}": {nearest(system, SYSTEMS)}')
        return system

    def settings(self) -> dict[str, JsonValue]:
        """As for all; a local copy counts by its files' names and sizes. Raises ScigenError if there is none."""
        local = tables(self.path, SYSTEMS[self.system], self.split) if self.path else []
        return {**super().settings(), "files": [[file.name, file.stat().st_size] for file in local]}

    async def make(self, problem: Problem, studio: Studio) -> Made:
        """See Generator. The PNG is the published one; a picture of another type becomes a PNG."""
        shelf = await studio.opened(("published", self.model_dump_json()), lambda: Shelf(self))
        found = shelf.find(problem)
        head = {"problem_id": problem.id, "generator": self.name, "attempts": 0, "model": self.system}
        if found is None or found.file is None:
            status = Status.BAD_IMAGE if found is not None and found.fault else Status.NO_IMAGE
            words = f"no row of {HUB} has this question"
            if found is not None:
                words = f"{found.where}: {found.fault or 'the row holds no picture'}"
            error = ScriptError(type=status.value, message=words)
            return Made(GeneratedImage(status=status, error=error, **head))
        data = found.file.read_bytes()
        taken = take(data, MOST_BYTES, MOST_PIXELS)
        sha256 = None if taken.png is None else hashlib.sha256(taken.png).hexdigest()
        image = GeneratedImage(
            status=taken.status,
            image=sha256,
            width=taken.width,
            height=taken.height,
            error=ScriptError(type=taken.status.value, message=taken.fault) if taken.png is None else None,
            vendor=VendorReport(
                model=self.system,
                mime=taken.mime,
                original=hashlib.sha256(data).hexdigest(),
                message=f"published: {HUB}, {found.where}",
            ),
            **head,
        )
        return Made(image, taken.png)


class Shelf:
    """The table's pictures in a temporary folder; of several rows that fit a problem equally the first."""

    def __init__(self, generator: PublishedImages) -> None:
        self._generator = generator
        self._by_words: dict[tuple[str, str | None], Found] = {}

    async def __aenter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="scigen-published-")
        await asyncio.to_thread(self._read, Path(self._folder.name))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._folder.cleanup()

    def find(self, problem: Problem) -> Found | None:
        """The row with its question and its wording for a picture, else with its question."""
        question, posed = normalised(problem.question), normalised(problem.multimodal_question)
        return self._by_words.get((question, posed)) or self._by_words.get((question, None))

    def _read(self, folder: Path) -> None:
        g = self._generator
        for n, row in enumerate(published_pictures(g.system, g.split, g.path, g.revision)):
            if (row.question, row.posed) in self._by_words:
                continue
            file = None
            if row.png is not None:
                file = folder / f"{n}.png"
                file.write_bytes(row.png)
            found = Found(row.where, file, row.fault)
            self._by_words[row.question, row.posed] = found
            self._by_words.setdefault((row.question, None), found)
