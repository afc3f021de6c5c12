"""Which formulas are worth parsing once for all: those that at least two scripts used. What scripts say is checked."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from scigen.rendering.text_cache import MAX_FORMULAS, MAX_LENGTH, MAX_NEW

BATCH = 16
"""Formulas in one lesson."""
MAX_WATCHED = 50_000
MAX_FAILURES = 3
"""Lessons that may come to nothing, such as formulas made to be slow, before there are no more."""

_Name = Annotated[str, Field(max_length=80)]
_Style = _Name | Annotated[int, Field(ge=0, le=1000)]
_Formula = tuple[
    Annotated[str, Field(max_length=MAX_LENGTH)],
    Annotated[float, Field(ge=20, le=1200)],  # dpi
    Annotated[tuple[_Name, ...], Field(max_length=8)],  # families
    _Name,
    _Name,
    _Style,
    _Style,
    Annotated[float, Field(ge=1, le=300)],  # points
    _Name,
]
Formula = tuple[str, float, tuple[str, ...], str, str, str | int, str | int, float, str]
"""Text, dpi, families, style, variant, weight, stretch, points, mathtext fonts; see `text_cache.new_formulas`."""
_formulas: TypeAdapter[list[Formula]] = TypeAdapter(Annotated[list[_Formula], Field(max_length=MAX_NEW)])


class Lessons:
    """Counts formulas and gives those to be learned next, each once. Safe for threads."""

    def __init__(self) -> None:
        self._seen: OrderedDict[Formula, None] = OrderedDict()
        self._due: Counter[Formula] = Counter()
        self._given: set[Formula] = set()
        self._failures = 0
        self._lock = threading.Lock()

    def add(self, reported: Any) -> None:
        """Note the formulas of one script, as it reported them; a report of another shape is passed over."""
        try:
            formulas = _formulas.validate_python(reported)
        except ValidationError:
            return
        with self._lock:
            for formula in formulas:
                if formula in self._given:
                    continue
                if formula in self._seen:
                    self._due[formula] += 1
                else:
                    self._seen[formula] = None
                    if len(self._seen) > MAX_WATCHED:
                        self._seen.popitem(last=False)

    def next(self) -> list[Formula]:
        """A batch if one is full, else nothing."""
        with self._lock:
            if len(self._due) < BATCH or len(self._given) >= MAX_FORMULAS or self._failures >= MAX_FAILURES:
                return []
            batch = [formula for formula, _ in self._due.most_common(BATCH)]
            for formula in batch:
                del self._due[formula]
                self._given.add(formula)
            return batch

    def failed(self) -> None:
        """Say that a batch came to nothing; none of its formulas is given again."""
        with self._lock:
            self._failures += 1
