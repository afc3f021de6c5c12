"""The only shapes that pass between stages: one pydantic record a thing, versioned, closed and frozen.

A record is written once and never changed. Times and prices may differ between two runs of the same work; the fields
that hold them are listed in `VOLATILE`, and `content_hash` leaves them out, so that equal work has equal hashes.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

SCHEMA_VERSION: Literal[1] = 1


class Subject(StrEnum):
    MATH = "Math"
    PHYSICS = "Physics"
    CHEMISTRY = "Chemistry"
    BIOLOGY = "Biology"
    UNIVERSAL = "Universal"


class ImageType(StrEnum):
    """The 25 image types of SciGenBench, as the released set spells them."""

    PLANE_GEOMETRIC = "Plane Geometric"
    SOLID_GEOMETRIC = "Solid Geometric"
    ANALYTIC_GEOMETRY = "Analytic Geometry"
    SET_PROBABILITY = "Set & Probability"
    MECHANICAL = "Mechanical"
    FIELD_DIAGRAM = "Field Diagram"
    OPTICAL_RAY = "Optical Ray"
    WAVEFORM = "Waveform"
    ASTRONOMICAL = "Astronomical"
    CIRCUIT = "Circuit"
    THERMODYNAMIC = "Thermodynamic"
    MOLECULAR_STRUCTURE = "Molecular Structure"
    ELECTRON_CONFIG = "Electron Config"
    REACTION_SCHEME = "Reaction Scheme"
    ORBITAL_QUANTUM = "Orbital / Quantum"
    CRYSTAL_STRUCTURE = "Crystal Structure"
    SPECTRA = "Spectra"
    GENETICS = "Genetics"
    CELL_DIAGRAM = "Cell Diagram"
    MOLECULAR_PROCESS = "Molecular Process"
    ECOLOGICAL = "Ecological"
    PLOT_CHART = "Plot & Chart"
    TABLE_GRID = "Table / Grid"
    GRAPH_FLOW = "Graph & Flow"
    EXP_SETUP = "Exp. Setup"


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
    API_ERROR = "api_error"
    NO_CODE = "no_code"
    CODE_ERROR = "code_error"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    BLANK = "blank"
    BAD_IMAGE = "bad_image"


class Record(BaseModel):
    """Base of all records: frozen, no unknown fields, versioned."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    VOLATILE: ClassVar[frozenset[str]] = frozenset()

    schema_version: Literal[1] = SCHEMA_VERSION
    """Version of the record's shape; a reader refuses any other."""

    @property
    def key(self) -> str:
        """What makes the record unique within its set."""
        raise NotImplementedError

    def content_hash(self) -> str:
        """sha256 of the canonical JSON without the volatile fields."""
        body = self.model_dump(mode="json", exclude=set(self.VOLATILE))
        return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class Part(BaseModel):
    """A piece of a record: frozen and closed like it, without a version of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Quiz(Part):
    """An atomic question that the image alone decides."""

    question: str = Field(min_length=1)
    options: dict[str, str]
    """Letter to text, letters from A on."""
    correct_option: str
    evidence: str = ""
    """Which part of the problem the key rests on."""

    @model_validator(mode="after")
    def _key_is_an_option(self) -> Self:
        if self.correct_option not in self.options:
            raise ValueError(f'correct_option "{self.correct_option}" is not one of {", ".join(self.options)}')
        return self


class Plan(Part):
    """What is fixed before any code is written (the paper's section 3: understand, plan, code)."""

    content: str
    """Every entity and relation that is drawn."""
    layout: str
    """Coordinates, topology and scale."""
    labels: str
    """Each given value and the thing it is anchored to."""
    constraints: str
    """Domain axioms, and what must not be shown."""


class Procedure(Part):
    """How a procedural problem was made: enough to make it, and its drawing, again."""

    family: str
    view: Literal["textbook", "glance"]
    """`glance` is drawn for 96 px and decided at low resolution."""
    difficulty: int = Field(ge=1, le=3)
    params: dict[str, JsonValue]
    """Everything the drawing depends on."""


class Problem(Record):
    """A science problem that can be drawn."""

    id: str = Field(min_length=1)
    """Stable; a hash of source, question and parameters unless the source brings one."""
    source: str
    """Where the problem comes from: `procedural`, `scigenbench/scigen`, ..."""
    question: str = Field(min_length=1)
    """The whole problem in words."""
    answer: str = Field(min_length=1)
    subject: Subject | None = None
    image_type: ImageType | None = None
    elements: tuple[str, ...] = ()
    """What must be visible: given values and labels, as they are printed."""
    quizzes: tuple[Quiz, ...] = ()
    multimodal_question: str = Field(min_length=1)
    """The question asked beside the image: it cannot be answered without it."""
    procedure: Procedure | None = None

    @property
    def key(self) -> str:
        return self.id


def problem_id(source: str, question: str, params: JsonValue = None) -> str:
    """Stable id of a new problem: 16 hex digits of sha256 over source, question and parameters."""
    body = json.dumps([source, question, params], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()[:16]


Pixels = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
"""A place or length in the picture. Bounded, so that what is worked out from it stays finite."""
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Box(Part):
    """A rectangle turned about its centre, in pixels from the top left corner of the PNG (y down)."""

    cx: Pixels
    cy: Pixels
    width: Pixels
    height: Pixels
    angle: Pixels = 0.0
    """Degrees anticlockwise."""


class DrawnText(Part):
    """A text that the renderer really drew."""

    text: str = Field(max_length=500)
    box: Box
    """Holds the ink of all its lines."""
    size: Pixels
    """Font size in points."""


class DrawnAxis(Part):
    """One axis of a coordinate system, as it was when the picture was made."""

    name: str = Field(max_length=40)
    """x, y, z; theta and radius of a polar plot."""
    scale: str = Field(max_length=40)
    """linear, log, symlog, ..."""
    limits: tuple[Finite, Finite]
    """In data units, days since 1970 for dates; the first is the greater one where the axis runs backwards."""
    label: str = Field(default="", max_length=500)


class DrawnAxes(Part):
    """One coordinate system of a figure."""

    kind: str = Field(max_length=40)
    """rectilinear, polar, 3d, another projection's name, or colorbar."""
    box: Box
    """The plotting area; for 3D the square that holds the view."""
    aspect: Literal["auto", "equal"] | Annotated[float, Field(gt=0, allow_inf_nan=False)] = "auto"
    """Pixels of one y unit over those of one x unit; `equal` for 1."""
    axis: tuple[DrawnAxis, ...] = ()
    frame: bool = True
    """Whether axes and frame are drawn (`ax.axis("off")` and a frame without spines are not)."""


class TextOverlap(Part):
    """Two texts that lie on each other."""

    first: int = Field(ge=0)
    """Index in `Drawing.texts`."""
    second: int = Field(ge=0)
    depth: Pixels
    """Pixels that one must be moved to get clear of the other."""


class TextOverLine(Part):
    """A line that can be seen within the ink box of a text."""

    text: int = Field(ge=0)
    """Index in `Drawing.texts`."""
    line: str = Field(max_length=80)
    """Class of the artist that drew it: Line2D, FancyArrowPatch, Polygon, ..."""
    color: str = Field(pattern="^#[0-9a-f]{6}$")
    length: Pixels
    """Pixels of it within the box."""


class TextCut(Part):
    """A text that reaches beyond the picture's edge."""

    text: int = Field(ge=0)
    """Index in `Drawing.texts`."""
    beyond: Pixels
    """Pixels of its box beyond the edge."""


class Drawing(Part):
    """What a script drew: exact for an honest script, advice for any other, for the script's own process reports it."""

    texts: tuple[DrawnText, ...] = ()
    axes: tuple[DrawnAxes, ...] = ()
    artists: dict[str, int] = {}
    """Visible artists by class; without furniture of axes: axis, ticks, grid, spines, titles, insides of legends."""
    colors: dict[str, int] = {}
    """`#rrggbb` to the number of artists that use it; the 64 most used, without furniture, images, colour maps."""
    overlaps: tuple[TextOverlap, ...] = ()
    crossings: tuple[TextOverLine, ...] = ()
    """Not by furniture, lines at 0 that stand for an axis, a text's own arrow, or what its box or a halo hides."""
    cuts: tuple[TextCut, ...] = ()
    smallest_text: float | None = None
    """Points; None without texts."""
    missing_glyphs: str = Field(default="", max_length=500)
    """Characters that no font had."""
    figures: int = Field(default=1, ge=1)
    """How many figures the script saved or showed; this is the last one."""
    partial: bool = False
    """A limit was met, or something could not be read: there is more than is listed."""


class ScriptError(Part):
    """Why a script failed, in words that help to mend it."""

    type: str
    message: str
    line: int | None = None
    """Line of the script, from 1."""
    stdout: str = ""
    """The last of what the script printed."""


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
    planted_defect: Defect | None = None
    """Set when the drawing was spoilt on purpose."""
    model: str | None = None
    """The exact model that wrote the code or drew the pixels."""
    prompt_hash: str | None = None
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


class FindingKind(StrEnum):
    """What a glass-box check can find in a drawing."""

    NOT_COVERED = "not_covered"
    LEAK = "leak"
    OVERLAP = "overlap"
    CUT = "cut"
    CROSSED = "crossed"
    """A line runs through a text."""


class Finding(Part):
    """One fault in one drawing."""

    kind: FindingKind
    detail: str
    texts: tuple[str, ...] = ()


class CheckResult(Record):
    """The verdict of one evaluator on one image."""

    problem_id: str
    generator: str
    evaluator: str
    status: Literal["scored", "no_image"]
    image: str | None = None
    passed: bool = False
    """False whenever there is no image: failures stay in the denominator."""
    findings: tuple[Finding, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.problem_id}/{self.generator}/{self.evaluator}"


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
