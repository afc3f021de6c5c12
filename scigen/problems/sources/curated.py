"""A finished set of Problem records as a source: what curation left, or a corrected release."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scigen.errors import ScigenError
from scigen.problems.sources.base import SourceItem, Split
from scigen.problems.sources.part import Part
from scigen.records import Problem
from scigen.store import image_path, iter_set, read_manifest


@dataclass(frozen=True)
class CuratedSet(Part):
    """The problems of the set in folder `set`, with their pictures."""

    set: str
    command: str = ""
    """What makes the set; named when it is missing."""
    name: str = "curated"

    def items(self) -> Iterator[SourceItem]:
        """Raises ScigenError when the set is missing, unfinished, or changed after it was finished."""
        folder = self._folder()
        for problem in self.part(iter_set(folder, Problem)):
            yield SourceItem(problem, image=_picture(folder, problem))

    def settings(self) -> dict[str, Any]:
        """The set counts by its content."""
        manifest = read_manifest(self._folder())
        return {"set_hash": manifest.set_hash if manifest else None, "part": [self.offset, self.max_items, self.shard]}

    def split_of(self, problem: Problem) -> Split:
        return "train"

    def _folder(self) -> Path:
        folder = Path(self.set)
        if read_manifest(folder) is None:
            made = f" Make it with: {self.command}" if self.command else ""
            raise ScigenError(f"{folder}: there is no finished set of problems.{made}")
        return folder


def _picture(folder: Path, problem: Problem) -> bytes | None:
    if problem.image is None:
        return None
    path = image_path(folder, problem.image)
    if not path.is_file():
        raise ScigenError(f"{path}: the picture of problem {problem.id} is missing. Copy the set's images folder too.")
    return path.read_bytes()
