"""What a source's items can suffer from: one record for each fault. How faults are found is the reader's business."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from scigen.records import Record

Severity = Literal["error", "warning"]


class Fault(StrEnum):
    """Kinds of faults, to count them by."""

    NOT_AN_ITEM = "not an item"
    ROW = "row cannot be read"
    IMAGE = "picture cannot be read"
    NO_ID = "no id"
    DUPLICATE_ID = "duplicate id"
    DUPLICATE_QUESTION = "duplicate question"
    NO_QUESTION = "no question"
    NO_ANSWER = "no answer"
    ANSWER = "answer is malformed"
    CHOICES = "choices"
    CHAIN_OF_THOUGHT = "answer is a chain of thought"
    IMAGE_TYPE = "image type"
    ELEMENTS = "elements"
    QUIZ_LEFT_OUT = "quiz left out"
    QUIZ_KEY = "quiz key outside its options"
    QUIZ_LABELS = "quiz option labels"
    QUIZ_FIELDS = "quiz with unknown fields"
    NO_MULTIMODAL_QUESTION = "no multimodal question"
    UNKNOWN_FIELD = "unknown field"


class Malformed(Record):
    """One fault of one item of the source."""

    item: str
    """`<file>:<id>`, or `<file>:item <index from 0>` where there is no id."""
    field: str
    """The field, as in `quizzes.2.correct_option`; `item` for the whole of it."""
    kind: Fault
    fault: str
    """What is wrong, with the value found."""
    mend: str
    """What was done about it here, or what a person can do."""
    severity: Severity
    """`error`: the item, quiz or field is left out or was mended. `warning`: it is taken up as it stands."""

    @property
    def key(self) -> str:
        return f"{self.item}/{self.field}/{self.kind}"
