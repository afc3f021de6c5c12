"""The only shapes that pass between stages: one pydantic record a thing, versioned, closed and frozen.

A record is written once and never changed. Times and prices may differ between two runs of the same work; the fields
that hold them are listed in `VOLATILE`, and `content_hash` leaves them out, so that equal work has equal hashes.
"""

from scigen.records.base import SCHEMA_VERSION, Part, Record
from scigen.records.drawing import (
    Box,
    Drawing,
    DrawnAxes,
    DrawnAxis,
    DrawnText,
    Finite,
    Pixels,
    TextCut,
    TextOverlap,
    TextOverLine,
)
from scigen.records.finding import Finding, FindingKind
from scigen.records.image import (
    Attempt,
    Choice,
    Defect,
    GeneratedImage,
    ScriptError,
    Status,
    Understanding,
    VendorReport,
)
from scigen.records.problem import Flag, ImageType, Plan, Problem, Procedure, Quiz, Subject, problem_id
from scigen.records.verdict import (
    FAILED,
    Dimension,
    FilterDecision,
    Measure,
    QuizAnswer,
    Rating,
    Verdict,
    VerdictStatus,
)

__all__ = [
    "FAILED",
    "SCHEMA_VERSION",
    "Attempt",
    "Box",
    "Choice",
    "Defect",
    "Dimension",
    "Drawing",
    "DrawnAxes",
    "DrawnAxis",
    "DrawnText",
    "FilterDecision",
    "Finding",
    "FindingKind",
    "Finite",
    "Flag",
    "GeneratedImage",
    "ImageType",
    "Measure",
    "Part",
    "Pixels",
    "Plan",
    "Problem",
    "Procedure",
    "Quiz",
    "QuizAnswer",
    "Rating",
    "Record",
    "ScriptError",
    "Status",
    "Subject",
    "TextCut",
    "TextOverLine",
    "TextOverlap",
    "Understanding",
    "VendorReport",
    "Verdict",
    "VerdictStatus",
    "problem_id",
]
