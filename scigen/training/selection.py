"""Which of the rows that passed the filter are trained on: so many, or those of the problems of another train set.

Sizes are nested: for one seed and one set of images, the rows of a smaller size are the first of a larger one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from scigen.errors import ScigenError


class Chosen(BaseModel):
    """What a selection came to: recorded with the train set, and part of what it is made from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int | None = None
    """Rows asked for; None means all."""
    size_of: str | None = None
    """Folder of the train set that the size was taken from."""
    matched: str | None = None
    """Folder of the train set whose problems are the only ones taken."""
    rows_hashes: dict[str, str] = {}
    """Contents of those train sets, by "size_of" and "matched"."""

    @property
    def content(self) -> tuple[int | None, dict[str, str]]:
        """What rows depend on: not where the other train sets lie."""
        return self.size, self.rows_hashes


@dataclass(frozen=True)
class Selection:
    """At most one of `size` and `size_of`; `matched` goes with either."""

    size: int | None = None
    """So many rows, the first of a seeded order."""
    size_of: Path | None = None
    """As many rows as this finished train set has."""
    matched: Path | None = None
    """Only problems that this finished train set trains on."""

    def resolve(self) -> tuple[Chosen, frozenset[str] | None]:
        """What was asked for in numbers, and the ids of the only problems that may be taken (None: any).

        Raises ScigenError when the other train set is not finished, or a size is asked for twice or is not positive.
        """
        if self.size is not None and self.size_of is not None:
            raise ScigenError(f"trainset: size={self.size} and size_of={self.size_of} are both given. Leave one out.")
        if self.size is not None and self.size < 1:
            raise ScigenError(f"trainset.size: {self.size} is no number of rows. Take 1 or more.")
        others = {"size_of": self.size_of, "matched": self.matched}
        infos = {key: _finished(folder, key) for key, folder in others.items() if folder is not None}
        chosen = Chosen(
            size=int(infos["size_of"]["rows"]["train"]) if self.size_of else self.size,
            size_of=str(self.size_of) if self.size_of else None,
            matched=str(self.matched) if self.matched else None,
            rows_hashes={key: info["rows_hash"] for key, info in infos.items()},
        )
        return chosen, None if self.matched is None else problems_of(self.matched)

    @property
    def label(self) -> str:
        """For the folder's name: "", or such as "-size256" and "-matched-nanobanana_filt-seed0"."""
        parts = [
            None if self.size is None else f"size{self.size}",
            None if self.size_of is None else f"size-of-{_short(self.size_of)}",
            None if self.matched is None else f"matched-{_short(self.matched)}",
        ]
        return "".join(f"-{part}" for part in parts if part)


def problems_of(folder: Path) -> frozenset[str]:
    """Ids of the problems that the train set in `folder` trains on."""
    import datasets

    datasets.disable_progress_bars()
    table = datasets.Dataset.from_parquet(str(folder / "train.parquet"), keep_in_memory=True)
    return frozenset(info["problem_id"] for info in table["extra_info"])


def take_first(size: int | None, available: int, folder: Path) -> int:
    """How many of the available rows are taken. Raises ScigenError when there are fewer than `size`."""
    if size is None:
        return available
    if size > available:
        raise ScigenError(
            f"{folder}: {size} training rows are asked for and {available} are left after the filter. "
            f"Set trainset.size to at most {available}, make more problems and images, or take a milder filter."
        )
    return size


def _finished(folder: Path, key: str) -> dict[str, Any]:
    info = folder / "trainset.json"
    if not info.exists():
        raise ScigenError(
            f"trainset.{key}: there is no finished train set in {folder}. Run the experiment that makes it first "
            f"(its train set is trainset-NAME-seedN in the folder of its sets), or give another folder."
        )
    found: dict[str, Any] = json.loads(info.read_bytes())
    return found


def _short(folder: Path) -> str:
    return folder.name.removeprefix("trainset-")
