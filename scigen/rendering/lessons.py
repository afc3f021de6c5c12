"""Which texts are worth measuring once for all: those that at least two scripts drew. What scripts say is checked."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from scigen.rendering.text_cache import MAX_LENGTH, MAX_NEW, MAX_TEXTS

BATCH = 32
"""Texts in one lesson."""
MAX_WATCHED = 50_000
MAX_FAILURES = 3
"""Lessons that may come to nothing, such as texts made to be slow, before there are no more."""

_Name = Annotated[str, Field(max_length=80)]
_Style = _Name | Annotated[int, Field(ge=0, le=1000)]
_Text = tuple[
    bool,  # whether a formula
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
Text = tuple[bool, str, float, tuple[str, ...], str, str, str | int, str | int, float, str]
"""Formula or not, text, dpi, families, style, variant, weight, stretch, points, mathtext fonts."""
_texts: TypeAdapter[list[Text]] = TypeAdapter(Annotated[list[_Text], Field(max_length=MAX_NEW)])


class Lessons:
    """Counts texts and gives those to be learned next, each once. Safe for threads."""

    def __init__(self) -> None:
        self._seen: OrderedDict[Text, None] = OrderedDict()
        self._due: Counter[Text] = Counter()
        self._given: set[Text] = set()
        self._failures = 0
        self._lock = threading.Lock()

    def add(self, reported: Any) -> None:
        """Note the texts of one script, as it reported them; a report of another shape is passed over."""
        try:
            texts = _texts.validate_python(reported)
        except ValidationError:
            return
        with self._lock:
            for text in texts:
                if text in self._given:
                    continue
                if text in self._seen:
                    self._due[text] += 1
                else:
                    self._seen[text] = None
                    if len(self._seen) > MAX_WATCHED:
                        self._seen.popitem(last=False)

    def next(self) -> list[Text]:
        """A batch if one is full, else nothing."""
        with self._lock:
            if len(self._due) < BATCH or len(self._given) >= MAX_TEXTS or self._failures >= MAX_FAILURES:
                return []
            batch = [text for text, _ in self._due.most_common(BATCH)]
            for text in batch:
                del self._due[text]
                self._given.add(text)
            return batch

    def failed(self) -> None:
        """Say that a batch came to nothing; none of its texts is given again."""
        with self._lock:
            self._failures += 1
