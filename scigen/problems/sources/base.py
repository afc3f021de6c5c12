"""What a source is: anything that gives problems one by one, with what was wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from scigen.problems.malformed import Fault, Malformed
from scigen.problems.procedural.make import Split
from scigen.records import Problem
from scigen.store import Manifest, SetWriter, inputs_hash

__all__ = ["Source", "SourceItem", "Split", "collect", "repeated"]


class SourceItem(NamedTuple):
    """What became of one item of the source."""

    problem: Problem | None
    """None when it could not become one; `faults` says why."""
    faults: tuple[Malformed, ...] = ()
    image: bytes | None = None
    """The source's own picture as PNG; `problem.image` is its sha256."""


class Source(Protocol):
    """Gives problems. A new source is one class in a file of this package, named by `_target_` in conf/problems."""

    @property
    def name(self) -> str:
        """Short name without spaces: `procedural`, `scigenbench/scigen`."""

    def items(self) -> Iterator[SourceItem]:
        """All items in a fixed order, lazily: a source may be larger than the memory.

        Bad items are faults. Raises ScigenError when the source as a whole cannot be read.
        """

    def settings(self) -> dict[str, Any]:
        """All that `items` depends on: a set made with other settings is another set."""

    def split_of(self, problem: Problem) -> Literal["train", "held_out"]:
        """Which side of the split a problem is on, for ever."""


def collect(source: Source, folder: Path) -> tuple[Manifest, Manifest]:
    """Write the source's problems and pictures to `folder`, its faults to `<folder>-malformed`; gives both manifests.

    Of several items with one id the first is taken and the others are faults. Sets from other settings are moved aside;
    run again after an interruption, it does what is left.
    """
    inputs = inputs_hash(source.name, source.settings())
    seen: set[str] = set()
    with (
        SetWriter(folder, Problem, inputs) as problems,
        SetWriter(folder.with_name(f"{folder.name}-malformed"), Malformed, inputs) as faults,
    ):
        for item in source.items():
            found = item.faults
            if item.problem is not None and item.problem.id in seen:
                found = (*found, repeated(source.name, item.problem))
            for fault in found:
                if fault.key not in faults:
                    faults.append(fault)
            if item.problem is None or item.problem.id in seen:
                continue
            seen.add(item.problem.id)
            if item.problem.key in problems:
                continue
            if item.image is not None:
                problems.put_image(item.image)
            problems.append(item.problem)
        return problems.finish(), faults.finish()


def repeated(source: str, problem: Problem) -> Malformed:
    """The fault of a problem whose id an earlier item has."""
    return Malformed(
        item=f"{source}:{problem.origin or problem.id}",
        field="id",
        kind=Fault.DUPLICATE_ID,
        fault=f'id "{problem.id}" stands at an earlier item too',
        mend="The later item is left out; give it an id of its own, or a question that differs.",
        severity="error",
    )
