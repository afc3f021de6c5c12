"""A source for curation's tests: blocks on planes, with some questions that are short, German, or said twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from scigen.problems.sources import SourceItem
from scigen.records import Problem


@dataclass(frozen=True)
class Blocks:
    count: int

    @property
    def name(self) -> str:
        return "blocks"

    def items(self) -> Iterator[SourceItem]:
        for i in range(self.count):
            question = self.question(i)
            answer = f"{(2 * 9.81 * (1 + i % 50)) ** 0.5:.3f} m/s"
            yield SourceItem(
                Problem(id=f"b{i:05d}", source="blocks", question=question, answer=answer, multimodal_question=question)
            )

    def question(self, i: int) -> str:
        if i % 20 == 7:
            return f"Find {i}."
        if i % 20 == 11:
            return (
                f"Ein Block der Masse {100 + i} kg gleitet reibungsfrei eine schiefe Ebene hinab. Wie schnell ist er?"
            )
        if i % 20 == 13:
            return self.question(i - 1)
        return (
            f"A block with a mass of {100 + i} kg slides from rest down a smooth plane of height {1 + i % 50} m. "
            "How fast is it at the foot?"
        )

    def settings(self) -> dict[str, Any]:
        return asdict(self)

    def split_of(self, problem: Problem) -> str:
        return "train"
