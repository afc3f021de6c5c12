"""What a generator is: settings, and one problem in, one record out. A new one is one file with one class.

A generator is a closed, frozen pydantic model, filled from `conf/generator/<name>.yaml`; it holds no open connection.
What must be open while it works, it takes from the `Studio` that the run lends it.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from scigen.generators.studio import Studio
from scigen.models import Estimate
from scigen.records import GeneratedImage, Problem, Status
from scigen.rendering import Rendering

Paradigm = Literal["procedural", "code", "pixel", "published", "hybrid"]


class Made(NamedTuple):
    """A record, with the PNG exactly when its status is ok."""

    image: GeneratedImage
    png: bytes | None = None


class About(BaseModel):
    """What the table of generators says of one; nothing that is drawn depends on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vendor: str = ""
    paradigm: Paradigm = "code"
    r_inv: float | None = Field(default=None, ge=0, le=100)
    """Inverse validation rate that the paper publishes for it, in percent."""


class Generator(BaseModel, ABC):
    """Makes one image a problem."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    VERSION: ClassVar[int] = 1
    """Raise it when the same settings come to draw otherwise: sets made before then count as others."""
    OUTER: ClassVar[frozenset[str]] = frozenset({"about", "at_once"})
    """Fields that no image depends on."""

    name: str = Field(pattern="^[a-z0-9][a-z0-9_.-]*$")
    """Part of every record's key, and the name of its set."""
    about: About = About()
    at_once: int = Field(default=64, ge=1)
    """Problems under way at a time."""

    def settings(self) -> dict[str, JsonValue]:
        """All that the images depend on beside the problems: a set made with other settings is another set."""
        return {
            "generator": type(self).__name__,
            "version": self.VERSION,
            **self.model_dump(mode="json", exclude=set(self.OUTER)),
        }

    @abstractmethod
    async def make(self, problem: Problem, studio: Studio) -> Made:
        """The image of one problem. Failures are records, not exceptions.

        Raises ScigenError for what stops the whole run: a problem that it cannot take at all, a refused key, a budget.
        """

    def estimate(self, problems: Sequence[Problem], journal: Path) -> Estimate:
        """What making these images would come to; no network. Free unless a generator says otherwise."""
        return Estimate(calls=0)

    def price(self) -> str:
        """What an image costs, in words for the table."""
        return "free"


def image_of_rendering(problem: Problem, generator: str, drawn: Rendering, **fields: Any) -> Made:
    """What the sandbox made of a script, as a record of `generator` with further `fields`."""
    ok = drawn.status is Status.OK and drawn.png is not None
    image = GeneratedImage(
        problem_id=problem.id,
        generator=generator,
        status=drawn.status,
        image=hashlib.sha256(drawn.png).hexdigest() if ok and drawn.png is not None else None,
        width=drawn.width,
        height=drawn.height,
        drawing=drawn.drawing,
        error=drawn.error,
        **{"seconds": drawn.seconds, **fields},
    )
    return Made(image, drawn.png if ok else None)
