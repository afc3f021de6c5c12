"""The glass-box checks as an evaluator: for pictures whose drawn texts are known. See scigen.glassbox."""

from __future__ import annotations

from scigen import glassbox
from scigen.evaluation.base import Item
from scigen.evaluation.local import LocalEvaluator
from scigen.records import Verdict, VerdictStatus


class Glassbox(LocalEvaluator):
    """Passes an image in which the checks find nothing."""

    name: str = glassbox.NAME
    workers: int | None = 0

    def look(self, item: Item) -> Verdict:
        """Not applicable to pixels: nobody reports what they show."""
        if (none := self.unless_drawn(item)) is not None:
            return none
        if item.image.drawing is None:
            return self.verdict(item, VerdictStatus.NOT_APPLICABLE, error="nothing is known of what was drawn")
        findings = glassbox.findings(item.problem, item.image.drawing)
        return self.verdict(item, VerdictStatus.SCORED, passed=not findings, findings=findings)
