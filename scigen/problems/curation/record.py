"""What a curation stage made of one item: kept, dropped for a reason, or failed. One final record an item and stage."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Self

from pydantic import Field, model_validator

from scigen.records import Problem, Record


class CurationStatus(StrEnum):
    """What became of an item at one stage."""

    KEPT = "kept"
    DROPPED = "dropped"
    """A verdict on the item; it is final."""
    INVALID = "invalid"
    """The model's answer has the right shape and breaks the stage's own rules."""
    UNPARSED = "unparsed"
    REFUSED = "refused"
    API_ERROR = "api_error"
    TIMEOUT = "timeout"

    @property
    def failed(self) -> bool:
        """Whether nothing was decided, so that the item can be tried again."""
        return self not in (CurationStatus.KEPT, CurationStatus.DROPPED)


class CurationRecord(Record):
    """One attempt at one item at one stage. The final one is the last: only a failed one is followed by another."""

    VOLATILE: ClassVar[frozenset[str]] = frozenset({"usd", "seconds", "input_tokens", "output_tokens", "error"})

    problem_id: str
    stage: str
    attempt: int = Field(default=1, ge=1)
    status: CurationStatus
    reason: str = ""
    """Why it was dropped or is invalid, in a few fixed words to count by; empty otherwise."""
    remarks: tuple[str, ...] = ()
    """What was left out or noticed on the way: rejected quizzes, elements that the question does not hold."""
    problem: Problem | None = None
    """The problem as the next stage gets it; None unless it is kept."""
    raw: str = ""
    """The model's last answer as it came, where it was of no use."""
    error: str = ""
    """The fault in words, for statuses that the model layer gave."""
    model: str = ""
    """As the vendor reports it; empty where no call was needed."""
    prompt_hash: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0
    """Time that the vendor took."""

    @model_validator(mode="after")
    def _problem_iff_kept(self) -> Self:
        if (self.status is CurationStatus.KEPT) != (self.problem is not None):
            raise ValueError(f'status "{self.status}" and a problem do not go together: only kept has one')
        return self

    @property
    def key(self) -> str:
        again = f"/{self.attempt}" if self.attempt > 1 else ""
        return f"{self.problem_id}/{self.stage}{again}"
