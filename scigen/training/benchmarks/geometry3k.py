"""Geometry3K: plane geometry from textbooks, open answers; the 601 problems of its test split.

Columns as on the hub (hiyouga/geometry3k): `problem` with an `<image>` a picture, `images`, `answer` in LaTeX. That
copy gives the right choice's text as the answer and no choices, as verl's own recipes use it. Lu et al., ACL 2021
(arXiv 2105.04165).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from scigen.training.benchmarks.base import Benchmark, Draft


@dataclass(frozen=True, kw_only=True)
class Geometry3K(Benchmark):
    """Rows have no id: one is made of question and pictures."""

    dataset: str = "hiyouga/geometry3k"

    COLUMNS: ClassVar[tuple[str, ...]] = ("problem", "answer", "images")
    NEEDED: ClassVar[int] = 3

    def draft(self, row: Mapping[str, Any]) -> Draft:
        return Draft(
            question=row.get("problem"),
            answer=row.get("answer"),
            pictures=row.get("images"),
            subject="plane geometry",
        )
