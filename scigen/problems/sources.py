"""Where problems come from. A source is one class with `read`; `collect` writes what it gives as a set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from scigen.problems.procedural.make import make_problems, split_of
from scigen.problems.procedural.registry import families
from scigen.problems.scigenbench import Malformed, load_from_hub, read
from scigen.records import Problem
from scigen.store import Manifest, SetWriter, inputs_hash


@dataclass(frozen=True)
class Collected:
    """What a source gave."""

    problems: Sequence[Problem]
    malformed: Sequence[Malformed] = ()


class Source(Protocol):
    """Anything that gives problems."""

    def read(self) -> Collected:
        """All problems, and a list of what could not become one."""

    def split_of(self, problem: Problem) -> Literal["train", "held_out"]:
        """Which side of the split a problem is on, for ever."""


@dataclass(frozen=True)
class Procedural:
    """Problems from the families: `textbook` full ones, `glance` to train on and `held_out` to test on."""

    seed: int
    textbook: int
    glance: int
    held_out: int
    held_out_seed: int
    held_out_percent: int
    difficulty: int
    names: Sequence[str] = field(default=())
    """Families to use; all if empty."""

    def read(self) -> Collected:
        """Raises ScigenError when a family cannot give so many distinct problems."""
        chosen = [f for name, f in families().items() if not self.names or name in self.names]
        percent, level = self.held_out_percent, self.difficulty
        return Collected(
            [
                *make_problems(chosen, "textbook", self.textbook, "train", percent, self.seed, level),
                *make_problems(chosen, "glance", self.glance, "train", percent, self.seed, level),
                *make_problems(chosen, "glance", self.held_out, "held_out", percent, self.held_out_seed, level),
            ]
        )

    def split_of(self, problem: Problem) -> Literal["train", "held_out"]:
        """By the problem's parameters, never by the seed."""
        return split_of(problem, self.held_out_percent)


@dataclass(frozen=True)
class SciGenBench:
    """The published benchmark, from a JSON file or from the hub."""

    path: str
    split: str

    def read(self) -> Collected:
        """Raises ScigenError when the file is missing or is no JSON."""
        problems, malformed = load_from_hub(self.split) if self.path == "hub" else read(Path(self.path), self.split)
        return Collected(problems, malformed)

    def split_of(self, problem: Problem) -> Literal["train", "held_out"]:
        """A benchmark is for testing only."""
        return "held_out"


def collect(source: Source, folder: Path, collected: Collected) -> Manifest:
    """Write what the source gave to `folder`, and what is malformed beside it, to `<folder>-malformed`."""
    inputs = inputs_hash(type(source).__name__, asdict(source))  # type: ignore[call-overload]
    with SetWriter(folder.with_name(f"{folder.name}-malformed"), Malformed, inputs) as writer:
        for fault in collected.malformed:
            if fault.key not in writer:
                writer.append(fault)
        writer.finish()
    with SetWriter(folder, Problem, inputs) as writer_:
        for problem in collected.problems:
            if problem.key not in writer_:
                writer_.append(problem)
        return writer_.finish()
