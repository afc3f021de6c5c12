"""Makes a `Drawing` of what a script's own process reports about its picture: advice, to be cut to measure.

Runs in the parent. Whatever comes in, a Drawing comes out: what is not of the right shape is left out and the record
marked `partial`. What follows from the texts' boxes is worked out here, not believed.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from scigen.records import Drawing, DrawnAxes, DrawnText, TextOverLine
from scigen.rendering.boxes import MOST_OVERLAPS, cuts, overlaps, smallest
from scigen.rendering.introspection import MAX_AXES, MAX_COUNTS, MAX_CROSSINGS, MAX_LENGTH, MAX_TEXTS

MOST = 10**9
T = TypeVar("T", bound=BaseModel)


def read(report: Any, width: int, height: int) -> Drawing:
    """`report`: what `introspection.drawn` gave, or anything at all. `width`, `height`: the PNG's, in pixels."""
    given: dict[str, Any] = report if isinstance(report, dict) else {}
    reader = _Reader(partial=given is not report or given.get("partial") is not False)
    numbered = reader.records(DrawnText, given.get("texts"), MAX_TEXTS)
    now = {old: new for new, (old, _) in enumerate(numbered)}
    texts = tuple(text for _, text in numbered)
    crossings = [c for _, c in reader.records(TextOverLine, given.get("crossings"), MAX_CROSSINGS)]
    missing, figures = given.get("missing_glyphs"), given.get("figures", 1)
    overlapping = overlaps(texts)
    return Drawing(
        texts=texts,
        axes=tuple(a for _, a in reader.records(DrawnAxes, given.get("axes"), MAX_AXES)),
        artists=reader.counts(given.get("artists")),
        colors=reader.counts(given.get("colors")),
        overlaps=overlapping,
        crossings=tuple(c.model_copy(update={"text": now[c.text]}) for c in crossings if c.text in now),
        cuts=cuts(texts, width, height),
        smallest_text=smallest(texts),
        missing_glyphs=_printable(missing) if isinstance(missing, str) else "",
        figures=figures if type(figures) is int and 1 <= figures <= MOST else 1,
        partial=reader.partial or len(overlapping) >= MOST_OVERLAPS,
    )


class _Reader:
    """Takes what is right, up to a number, and remembers whether anything was left out."""

    def __init__(self, partial: bool) -> None:
        self.partial = partial

    def records(self, shape: type[T], items: Any, most: int) -> list[tuple[int, T]]:
        """The good ones with their place in the list."""
        listed = items if isinstance(items, list) else []
        self.partial |= listed is not items or len(listed) > most
        good = []
        for place, item in enumerate(listed[:most]):
            try:
                good.append((place, shape.model_validate_json(_json(item))))
            except (ValidationError, ValueError, RecursionError):
                self.partial = True
        return good

    def counts(self, items: Any) -> dict[str, int]:
        listed = items if isinstance(items, dict) else {}
        good = {
            _printable(name)[:80]: n
            for name, n in list(listed.items())[:MAX_COUNTS]
            if type(n) is int and 0 < n <= MOST
        }
        self.partial |= listed is not items or len(good) != len(listed)
        return good


def _json(item: Any) -> bytes:
    """Strict JSON, so that a list is taken for a tuple and NaN for a fault. Raises ValueError."""
    return json.dumps(item, allow_nan=False).encode()


def _printable(text: str) -> str:
    """Without halves of surrogate pairs, which no file can hold."""
    return text[:MAX_LENGTH].encode(errors="replace").decode()
