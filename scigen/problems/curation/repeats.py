"""Removal of exact and near duplicates among the questions. How they are found is `scigen.problems.duplicates`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from scigen.problems.curation.record import CurationRecord
from scigen.problems.curation.stage import SetStage, Surroundings, drop, keep
from scigen.records import Problem


@dataclass(frozen=True)
class Repeats(SetStage):
    """Keeps the first of each group of questions that are the same but for wording; other numbers are another one."""

    name: ClassVar[str] = "duplicates"
    order_matters: ClassVar[bool] = True

    threshold: float = 0.8
    """Jaccard similarity of the wording from which two questions with the same numbers and answer are one."""

    def decide_all(self, problems: Callable[[], Iterator[Problem]], around: Surroundings) -> Iterator[CurationRecord]:
        from scigen.problems.duplicates import find_duplicates

        found = find_duplicates(((p.id, _told(p), p.answer) for p in problems()), self.threshold)
        repeat = next(found, None)
        for problem in problems():
            if repeat is None or repeat.key != problem.id:
                yield self.record(problem, keep(problem))
                continue
            yield self.record(
                problem, drop(f"{repeat.kind}_duplicate", f"of {repeat.of}, similarity {repeat.similarity:.3f}")
            )
            repeat = next(found, None)


def _told(problem: Problem) -> str:
    """What makes the problem this one: two pictures under the same words are two problems."""
    return f"{problem.question} {problem.image}" if problem.image else problem.question
