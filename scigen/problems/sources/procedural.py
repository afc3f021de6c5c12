"""Problems made from a seed by the families of `problems.procedural`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from scigen.problems.procedural.make import make_problems, split_of
from scigen.problems.procedural.registry import families, family
from scigen.problems.sources.base import SourceItem, Split
from scigen.records import Problem


@dataclass(frozen=True)
class Procedural:
    """`textbook` full problems, `glance` ones to train on and `held_out` ones to test on."""

    seed: int
    textbook: int
    glance: int
    held_out: int
    held_out_seed: int
    held_out_percent: int
    difficulty: int
    names: Sequence[str] = ()
    """Families to use; all if empty."""

    @property
    def name(self) -> str:
        return "procedural"

    def items(self) -> Iterator[SourceItem]:
        """Raises ScigenError when the families cannot give so many distinct problems, or one is unknown."""
        chosen = [family(name) for name in self.names] or list(families().values())
        percent, level = self.held_out_percent, self.difficulty
        for view, count, split, seed in (
            ("textbook", self.textbook, "train", self.seed),
            ("glance", self.glance, "train", self.seed),
            ("glance", self.held_out, "held_out", self.held_out_seed),
        ):
            if count:
                for problem in make_problems(chosen, view, count, split, percent, seed, level):  # type: ignore[arg-type]
                    yield SourceItem(problem)

    def settings(self) -> dict[str, Any]:
        return {**asdict(self), "names": list(self.names)}

    def split_of(self, problem: Problem) -> Split:
        """By the problem's parameters, never by the seed."""
        return split_of(problem, self.held_out_percent)
