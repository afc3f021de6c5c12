"""Is a problem in a benchmark? Texts by eight-word runs, pictures by perceptual hashes, a verdict for each."""

from scigen.problems.contamination.check import Row, check, write_verdicts
from scigen.problems.contamination.index import BenchmarkItem, Index, Limits
from scigen.problems.contamination.verdict import ContaminationVerdict, ImageStatus, Match, TextStatus

__all__ = [
    "BenchmarkItem", "ContaminationVerdict", "ImageStatus", "Index", "Limits", "Match", "Row", "TextStatus", "check",
    "write_verdicts",
]  # fmt: skip
