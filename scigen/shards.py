"""A set made in parts by processes side by side, and merged: for arrays of jobs.

A shard is every n-th item, made into a set of its own below `<set>.shards/`. A run over all items takes over what the
shards have made, so it merges them when they are done and makes up for what they left undone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

from scigen.errors import ScigenError
from scigen.records import Record
from scigen.store import INPUTS, RECORDS, SetWriter, iter_records, move_aside, read_manifest

T = TypeVar("T")
R = TypeVar("R", bound=Record)


class Shard(NamedTuple):
    """Part `number` (from 1) of `parts`."""

    number: int
    parts: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`3/16`. Raises ScigenError for anything else."""
        found = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise ScigenError(f'shard: "{text}" is not of the form 3/16, the third of sixteen parts.')
        return cls(int(found[1]), int(found[2]))

    def of(self, items: Sequence[T]) -> Sequence[T]:
        """Its items: every `parts`-th."""
        return items[self.number - 1 :: self.parts]

    def folder(self, whole: Path) -> Path:
        """Where its set lies."""
        return whole.with_name(f"{whole.name}.shards") / f"{self.number:04d}-of-{self.parts:04d}"


def shards_of(folder: Path, inputs: Callable[[Shard], str]) -> Iterator[Path]:
    """Folders of the set's shards that were made from `inputs`, finished or not."""
    for part in sorted(folder.with_name(f"{folder.name}.shards").glob("*-of-*")):
        found = re.fullmatch(r"(\d+)-of-(\d+)", part.name)
        mark = part / INPUTS
        if found is None or not mark.exists() or not (part / RECORDS).exists():  # killed at its very start
            continue
        if mark.read_text() == inputs(Shard(int(found[1]), int(found[2]))):
            yield part


def set_with(folder: Path, record_type: type[R], inputs: str, wanted: Callable[[R], bool]) -> Path | None:
    """The set, moved aside, if it is a finished one from these inputs and has a record that is `wanted`."""
    mark = folder / INPUTS
    if not mark.exists() or mark.read_text() != inputs:
        return None
    if read_manifest(folder) is None or not any(map(wanted, iter_records(folder, record_type))):
        return None
    return move_aside(folder)


def take_over(
    part: Path, writer: SetWriter[R], wanted: Callable[[R], bool], bring: Callable[[Path, R], None] = lambda *_: None
) -> None:
    """Copy the wanted records that `writer` lacks; `bring` copies what lies beside a record."""
    for record in iter_records(part, writer.record_type, torn=True):
        if record.key not in writer and wanted(record):
            bring(part, record)
            writer.append(record)
