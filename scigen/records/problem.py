"""Problems: what is asked, what must be seen, what the image alone decides."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from scigen.records.base import Part, Record


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


class Flag(StrEnum):
    """What an audit found wrong with a problem or a quiz and could not repair. Nothing flagged is dropped."""

    KEY_OUTSIDE_OPTIONS = "key_outside_options"
    OPTION_LABELS = "option_labels"
    REPEATED_OPTION = "repeated_option"
    REFERS_TO_TEXT = "refers_to_text"
    """The stem speaks of a text or description, which someone who sees only the image does not have."""
    GIVEN_AWAY = "given_away"
    """Another quiz of the item holds the right option in its stem, and none of the wrong ones."""
    UNUSABLE_ANSWER = "unusable_answer"
    CHAIN_OF_THOUGHT = "chain_of_thought"
    """The answer is a derivation: it serves to draw from, not as a ground truth."""
    NO_IMAGE_TYPE = "no_image_type"
    NO_MULTIMODAL_QUESTION = "no_multimodal_question"
    DUPLICATE = "duplicate"
    """Another item has the same question."""
    NEAR_DUPLICATE = "near_duplicate"
    MALFORMED = "malformed"
    """A part of the source's item could not be read and is missing here."""


class Quiz(Part):
    """An atomic question that the image alone decides."""

    question: str = Field(min_length=1)
    options: dict[str, str]
    """Letter to text, letters from A on."""
    correct_option: str
    evidence: str = ""
    """Which part of the problem the key rests on."""
    flags: tuple[Flag, ...] = ()

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
    origin: str = ""
    """The very item there: `<file or dataset>@<revision>:<row or id>`; empty for made problems."""
    licence: str = ""
    """SPDX identifier of the source's licence, or its own words; empty if it states none."""
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
    image: str | None = None
    """sha256 of the picture that the source itself shows, as a file of the set's images; None for a text problem."""
    flags: tuple[Flag, ...] = ()

    @property
    def key(self) -> str:
        return self.id


def problem_id(source: str, question: str, params: JsonValue = None) -> str:
    """Stable id of a new problem: 16 hex digits of sha256 over source, question and parameters."""
    body = json.dumps([source, question, params], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()[:16]
