"""Images: one record a problem and generator, whatever happened."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Self

from pydantic import Field, model_validator

from scigen.records.base import Part, Record
from scigen.records.drawing import Drawing, DrawnText
from scigen.records.finding import Finding
from scigen.records.problem import Plan


class Defect(StrEnum):
    """What can be planted in a drawing on purpose, so that a check can be measured against a known label."""

    MISSING_LABEL = "missing_label"
    WRONG_VALUE = "wrong_value"
    SWAPPED_LABELS = "swapped_labels"
    WRONG_GEOMETRY = "wrong_geometry"
    OVERLAPPING_TEXT = "overlapping_text"
    LEAKED_ANSWER = "leaked_answer"


class Status(StrEnum):
    """What became of one image. Exactly one for each problem and generator, whatever happened."""

    OK = "ok"
    REFUSED = "refused"
    """The model declined in words."""
    BLOCKED = "blocked"
    """The vendor's safety filter stopped the prompt or the image."""
    API_ERROR = "api_error"
    """The vendor gave no answer, or its job failed."""
    NO_PLAN = "no_plan"
    """The model's understanding or plan could not be read, also after asking again."""
    NO_CODE = "no_code"
    """The model's answer holds no script."""
    NO_IMAGE = "no_image"
    """The vendor's answer holds no image and no reason."""
    CODE_ERROR = "code_error"
    TIMEOUT = "timeout"
    """The script took too long, or the vendor did."""
    MEMORY = "memory"
    BLANK = "blank"
    BAD_IMAGE = "bad_image"
    """What came is no picture, or a broken one."""
    TOO_LARGE = "too_large"
    """More bytes or pixels than are taken."""


class ScriptError(Part):
    """Why a script failed, in words that help to mend it."""

    type: str
    message: str
    line: int | None = None
    """Line of the script, from 1."""
    stdout: str = ""
    """The last of what the script printed."""


class Understanding(Part):
    """What a model makes of a problem before it plans a drawing: what is given, and what must stay hidden."""

    domain: str
    """Field and kind of figure, in a few words."""
    given: tuple[str, ...]
    """Values and names as they must be printed."""
    objects: tuple[str, ...]
    """Things in the figure, and how they stand to each other."""
    hidden: tuple[str, ...]
    """What would give the answer away."""


class Attempt(Part):
    """One script on the way to an image, and what became of it."""

    candidate: int = 0
    """Which of several independent scripts it belongs to, from 0."""
    round: int = 0
    """0 for the first script, then one more for each repair."""
    status: Status
    code: str | None = None
    error: ScriptError | None = None
    findings: tuple[Finding, ...] = ()
    """What the glass-box checks found in its drawing."""
    seen: tuple[str, ...] = ()
    """What a vision model found in it."""
    chosen: bool = False
    """Whether it became the image."""


class VendorReport(Part):
    """What an image vendor says of its work, as far as it says it."""

    model: str | None = None
    """The model's exact version."""
    request_id: str | None = None
    job: str | None = None
    """Id of an asynchronous job."""
    seed: int | None = None
    revised_prompt: str | None = None
    mime: str | None = None
    """Type that the vendor gave for the image; what it was is in `original`."""
    original: str | None = None
    """sha256 of the image as it came, before it became a PNG."""
    message: str | None = None
    """The vendor's words where there is no image."""


class Choice(Part):
    """Which generator a router took, and why."""

    generator: str
    reason: str
    tried: tuple[str, ...] = ()
    """Those asked before it, as `name: what became of it`."""


class GeneratedImage(Record):
    """What one generator made of one problem. `status` says what happened; nothing is left out."""

    VOLATILE: ClassVar[frozenset[str]] = frozenset({"seconds", "cost_usd"})

    problem_id: str
    generator: str
    status: Status
    image: str | None = None
    """sha256 of the PNG, which lies at images/<first two digits>/<sha256>.png; None unless status is ok."""
    width: int | None = None
    height: int | None = None
    code: str | None = None
    plan: Plan | None = None
    drawing: Drawing | None = None
    """What the picture shows, for those made by a script."""
    error: ScriptError | None = None
    attempts: int = Field(default=1, ge=0)
    """Scripts or images asked for, the failed ones included."""
    planted_defect: Defect | None = None
    """Set when the drawing was spoilt on purpose."""
    model: str | None = None
    """The exact model that wrote the code or drew the pixels."""
    prompt_hash: str | None = None
    understanding: Understanding | None = None
    history: tuple[Attempt, ...] = ()
    """Every script that was tried, in order, for those made by a model's script."""
    vendor: VendorReport | None = None
    choice: Choice | None = None
    tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0

    @model_validator(mode="after")
    def _image_iff_ok(self) -> Self:
        if (self.status is Status.OK) != (self.image is not None):
            raise ValueError(f'status "{self.status}" does not go with image {self.image!r}: only ok has an image')
        return self

    @property
    def key(self) -> str:
        return f"{self.problem_id}/{self.generator}"

    @property
    def texts(self) -> tuple[DrawnText, ...]:
        """The texts in the picture, as far as they are known."""
        return self.drawing.texts if self.drawing else ()
