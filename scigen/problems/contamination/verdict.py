"""What the check against benchmarks says of one problem: one record each, whatever was found."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from scigen.records import Part, Record


class TextStatus(StrEnum):
    """How far the text could be compared."""

    COMPARED = "compared"
    SHORT = "short"
    """Fewer than eight words: only the same whole text matches, and it counts where the benchmark has no picture."""
    STOCK = "stock"
    """All of its eight-word runs are stock phrases of a benchmark, so only the picture can tell."""


class ImageStatus(StrEnum):
    """How far the picture could be compared."""

    COMPARED = "compared"
    NO_IMAGE = "no_image"
    BAD_IMAGE = "bad_image"
    """The bytes cannot be read as a picture."""
    BLANK = "blank"
    """A page of one colour."""


class Match(Part):
    """The benchmark's item that is closest by text or by picture, if it is close at all."""

    benchmark: str
    item: str
    """Id within the benchmark."""
    kind: Literal["text", "image"]
    score: float = Field(ge=0, le=1)
    """Text: share of distinctive eight-word runs in common. Image: share of equal bits."""
    matched: int = Field(ge=0)
    """Text: number of runs in common. Image: equal bits of 256."""
    contaminated: bool
    """Whether it is close enough to count."""


class ContaminationVerdict(Record):
    """Whether a problem is in one of the benchmarks."""

    problem_id: str
    status: Literal["clean", "contaminated"]
    text: TextStatus
    image: ImageStatus
    against: tuple[str, ...]
    """The benchmarks it was compared with, all of them, sorted."""
    matches: tuple[Match, ...] = ()
    """The closest item per benchmark and kind; texts from half the limit on, so that it can be judged."""

    @model_validator(mode="after")
    def _status_follows_the_matches(self) -> Self:
        if (self.status == "contaminated") != any(m.contaminated for m in self.matches):
            raise ValueError(f'status "{self.status}" does not go with the matches')
        return self

    @property
    def key(self) -> str:
        return self.problem_id

    @property
    def worst(self) -> Match | None:
        """The match that counts most: the highest score of those that count; None for a clean problem."""
        counting = [m for m in self.matches if m.contaminated]
        return max(counting, key=lambda m: (m.score, m.benchmark, m.item)) if counting else None
