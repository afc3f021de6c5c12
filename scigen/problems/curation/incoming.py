"""The first stage's items: read from the source, pictures stored, faults listed, an id that comes twice refused."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from scigen.problems.curation.record import CurationRecord
from scigen.problems.malformed import Malformed
from scigen.problems.sources import Source
from scigen.problems.sources.base import repeated
from scigen.records import Problem
from scigen.store import SetWriter, inputs_hash


class Incoming:
    """A source as something that can be read several times. Of each item only 8 bytes of its id's hash are held."""

    def __init__(self, source: Source, malformed: Path) -> None:
        self.source = source
        self.inputs = inputs_hash(source.name, source.settings())
        self.pictures: SetWriter[CurationRecord] | None = None
        """The set that takes the pictures; its owner sets it before anything is read."""
        self._malformed = malformed
        self._listed = False

    def __call__(self) -> Iterator[Problem]:
        """The source's problems, each id once. The first complete pass finishes the set of faults."""
        if self._listed:
            for problem, _ in self._items():
                if problem is not None:
                    yield problem
            return
        with SetWriter(self._malformed, Malformed, self.inputs) as writer:
            for problem, faults in self._items():
                for fault in faults:
                    if fault.key not in writer:
                        writer.append(fault)
                if problem is not None:
                    yield problem
            writer.finish()
        self._listed = True

    def _items(self) -> Iterator[tuple[Problem | None, tuple[Malformed, ...]]]:
        seen: set[bytes] = set()
        for item in self.source.items():
            problem, faults = item.problem, item.faults
            if problem is not None:
                mark = hashlib.sha256(problem.id.encode()).digest()[:8]
                if mark in seen:
                    yield None, (*faults, repeated(self.source.name, problem))
                    continue
                seen.add(mark)
                if item.image is not None and self.pictures is not None:
                    self.pictures.put_image(item.image)
            yield problem, faults
