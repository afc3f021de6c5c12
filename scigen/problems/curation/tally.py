"""What a stage came to: counts by status and reason, tokens, money and time, for the funnel. Numbers only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from scigen.problems.curation.record import CurationRecord, CurationStatus


@dataclass
class Tally:
    """One stage's row of the funnel. Items count by their final record, costs by every attempt."""

    stage: str
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """By reason."""
    failed: Counter[str] = field(default_factory=Counter)
    """By status."""
    remarks: Counter[str] = field(default_factory=Counter)
    """By the words before the colon."""
    calls: int = 0
    """Records for which a model was asked."""
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    model_seconds: float = 0.0
    """Time that the vendor took, added up over calls that ran side by side."""
    wall_seconds: float = 0.0
    """Time of this run only."""
    waiting: int = 0
    """Items that came in and have no record yet; 0 unless the run was stopped."""
    open_items: dict[str, tuple[int, CurationStatus]] = field(default_factory=dict, repr=False)
    """Failed items: their last attempt's number and status."""

    @property
    def decided(self) -> int:
        """Items with a final record."""
        return self.kept + self.dropped.total() + self.failed.total()

    @property
    def came_in(self) -> int:
        """Items that reached the stage."""
        return self.decided + self.waiting

    def add(self, record: CurationRecord) -> None:
        """Count a record; a later attempt replaces the earlier one of the same item."""
        before = self.open_items.pop(record.problem_id, None)
        if before is not None:
            self.failed[before[1].value] -= 1
            self.failed += Counter()  # forgets the zeros
        if record.status is CurationStatus.KEPT:
            self.kept += 1
        elif record.status is CurationStatus.DROPPED:
            self.dropped[record.reason] += 1
        else:
            self.failed[record.status.value] += 1
            self.open_items[record.problem_id] = (record.attempt, record.status)
        self.remarks.update(remark.split(":")[0] for remark in record.remarks if ":" in remark)
        self.calls += bool(record.prompt_hash)
        self.input_tokens += record.input_tokens
        self.output_tokens += record.output_tokens
        self.usd += record.usd
        self.model_seconds += record.seconds

    def figures(self) -> dict[str, Any]:
        """For summary.json. Times in seconds."""
        return {
            "stage": self.stage,
            "in": self.came_in,
            "kept": self.kept,
            "dropped": dict(self.dropped.most_common()),
            "failed": dict(self.failed.most_common()),
            "waiting": self.waiting,
            "remarks": dict(self.remarks.most_common()),
            "calls": self.calls,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "usd": round(self.usd, 6),
            "model_s": round(self.model_seconds, 1),
            "wall_s": round(self.wall_seconds, 1),
        }
