"""Verdicts: what an evaluator found in an image, and why an image is in a train set or not."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from scigen.records.base import Part, Record
from scigen.records.finding import Finding

Measure = Annotated[float, Field(allow_inf_nan=False)]


class VerdictStatus(StrEnum):
    """What became of one image before one evaluator."""

    SCORED = "scored"
    NO_IMAGE = "no_image"
    """The generator gave none: not passed, and in every denominator."""
    NOT_APPLICABLE = "not_applicable"
    """The evaluator has nothing to go by: no quizzes, no reference, no drawn texts. In no denominator."""
    REFUSED = "refused"
    """From here on it is the evaluator that failed: not passed over all, left out over scored, counted apart."""
    UNPARSED = "unparsed"
    API_ERROR = "api_error"
    TIMEOUT = "timeout"


FAILED = frozenset({VerdictStatus.REFUSED, VerdictStatus.UNPARSED, VerdictStatus.API_ERROR, VerdictStatus.TIMEOUT})
"""Statuses of an evaluator that failed."""


class Dimension(StrEnum):
    """The paper's five dimensions of a judge (section 4)."""

    CORRECTNESS_FIDELITY = "correctness_fidelity"
    LAYOUT_PRECISION = "layout_precision"
    READABILITY_OCCLUSION = "readability_occlusion"
    SCIENTIFIC_PLAUSIBILITY = "scientific_plausibility"
    EXPRESSIVENESS_RICHNESS = "expressiveness_richness"


class QuizAnswer(Part):
    """One quiz, put once, with its options in one order."""

    quiz: int = Field(ge=0)
    """Index in `Problem.quizzes`."""
    order: str
    """Letters of the quiz in the order in which their options were shown: `CADB` showed the option C as A."""
    status: VerdictStatus
    said: str | None = None
    """The letter that was answered, as shown; None unless the status is scored."""
    chosen: str | None = None
    """The letter of the quiz that it stands for."""
    correct: bool = False
    error: str = ""

    @model_validator(mode="after")
    def _scored_iff_said(self) -> Self:
        if (self.status is VerdictStatus.SCORED) != (self.chosen is not None):
            raise ValueError(f'status "{self.status}" does not go with the letter {self.chosen!r}')
        return self


class Rating(Part):
    """One judge's one reading of an image."""

    judge: str
    """Name of the judge's config; the exact model that answered is in `model`."""
    model: str | None = None
    repeat: int = Field(default=0, ge=0)
    status: VerdictStatus
    scores: dict[Dimension, Annotated[int, Field(ge=0, le=2)]] = Field(default_factory=dict)
    """All five, or none unless the status is scored."""
    reasons: dict[Dimension, str] = Field(default_factory=dict)
    error: str = ""

    @model_validator(mode="after")
    def _scored_iff_all(self) -> Self:
        if set(self.scores) != (set(Dimension) if self.status is VerdictStatus.SCORED else set()):
            raise ValueError(f'status "{self.status}" does not go with scores of {len(self.scores)} dimensions')
        return self


class Verdict(Record):
    """The verdict of one evaluator on one image. The fields from `findings` on are used as the evaluator needs them."""

    VOLATILE: ClassVar[frozenset[str]] = frozenset({"seconds", "cost_usd", "tokens"})

    problem_id: str
    generator: str
    evaluator: str
    status: VerdictStatus
    image: str | None = None
    """sha256 of the image that was looked at."""
    passed: bool = False
    """Whether the image is right as far as this evaluator can tell. False for one that only measures."""
    error: str = ""
    """Why the status is not scored, in words."""
    findings: tuple[Finding, ...] = ()
    answers: tuple[QuizAnswer, ...] = ()
    ratings: tuple[Rating, ...] = ()
    measures: dict[str, Measure] = Field(default_factory=dict)
    """Name to value; a measure that could not be taken is not there, whatever the reason."""
    profile: tuple[Measure, ...] = ()
    """A curve, such as a spectrum."""
    features: str = ""
    """Little-endian float32 vector of a feature extractor, in base64."""
    texts: tuple[str, ...] = ()
    """What was read in the image."""
    model: str | None = None
    """The exact model that looked at the image."""
    tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0

    @property
    def key(self) -> str:
        return f"{self.problem_id}/{self.generator}/{self.evaluator}"

    @property
    def counts(self) -> bool:
        """Whether the image is in the denominator over all."""
        return self.status is not VerdictStatus.NOT_APPLICABLE


class FilterDecision(Record):
    """Why an image is in a train set, or not."""

    problem_id: str
    generator: str
    split: Literal["train", "held_out"]
    kept: bool
    reason: str

    @property
    def key(self) -> str:
        return f"{self.problem_id}/{self.generator}"
