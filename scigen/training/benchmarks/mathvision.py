"""MathVision (MATH-V): competition problems of 16 subjects and 5 levels, with a picture each.

`testmini` (304 problems, 19 a subject) is the paper's MathVision_mini; `test` holds all 3,040. Columns as on the hub
(MathLLMs/MathVision) and in the authors' repository, whose `image` names a file instead of holding the picture. Wang et
al., NeurIPS 2024 (arXiv 2402.14804).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from scigen.training.benchmarks.base import Benchmark, Draft


@dataclass(frozen=True, kw_only=True)
class MathVision(Benchmark):
    """A single picture a row holds all figures of the problem, so `<image1>`, `<image2>` mark parts of it."""

    dataset: str = "MathLLMs/MathVision"

    COLUMNS: ClassVar[tuple[str, ...]] = (
        *("question", "answer", "options", "id"),
        *("decoded_image", "image", "subject", "level"),
    )
    NEEDED: ClassVar[int] = 4

    def draft(self, row: Mapping[str, Any]) -> Draft:
        return Draft(
            question=row.get("question"),
            answer=row.get("answer"),
            pictures=row.get("decoded_image") or row.get("image"),
            id=str(row.get("id") or ""),
            choices=row.get("options"),
            subject=str(row.get("subject") or ""),
            level=str(row.get("level") or ""),
        )
