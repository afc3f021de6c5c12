"""What an evaluator is: settings, and one image in, one verdict out. A new one is one file with one class.

An evaluator is a closed, frozen pydantic model, filled from `conf/evaluator/<name>.yaml`. Whatever happens to an image
is a status of its verdict; what is summed up over a set is worked out from the verdicts alone, never from pictures.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from scigen.errors import ScigenError
from scigen.generators import Studio
from scigen.models import Estimate, ModelSettings, Reply, Request
from scigen.records import GeneratedImage, Problem, Status, Verdict, VerdictStatus
from scigen.store import image_path

Ask = Callable[[ModelSettings, Request], Awaitable[Reply]]
"""One question to one model, within the run's budget and journal."""

NO_GENERATOR = "nothing"
"""Stands for the generator in verdicts that no picture is needed for, such as the blind floor: one a problem."""


@dataclass(frozen=True)
class Item:
    """One image with its problem, and where their pictures lie."""

    problem: Problem
    image: GeneratedImage
    images: Path
    """The image set's folder."""
    problems: Path
    """The problem set's folder."""

    @property
    def key(self) -> str:
        return self.image.key

    def png(self) -> bytes:
        """The image. Raises ScigenError if its file is missing."""
        if self.image.image is None:
            raise ScigenError(f"image {self.key}: its status is {self.image.status}, so there is no picture.")
        return _read(self.images, self.image.image, self.key)

    def reference(self) -> bytes | None:
        """The picture that the problem's source shows, or None if it has none. Raises ScigenError if it is missing."""
        if self.problem.image is None:
            return None
        return _read(self.problems, self.problem.image, f"reference of {self.problem.id}")


class Evaluator(BaseModel, ABC):
    """Gives one verdict an image."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    VERSION: ClassVar[int] = 1
    """Raise it when the same settings come to judge otherwise: verdicts given before then count as others."""
    OUTER: ClassVar[frozenset[str]] = frozenset({"at_once"})
    """Fields that no verdict depends on."""
    name: str = Field(pattern="^[a-z0-9][a-z0-9_-]*$")
    """Part of every verdict's key, and the name of its set."""
    at_once: int = Field(default=32, ge=1)
    """Images under way at a time."""

    @property
    def looks(self) -> bool:
        """False if no generator's picture is looked at: then there is one verdict a problem, under NO_GENERATOR."""
        return True

    def settings(self) -> dict[str, JsonValue]:
        """All that the verdicts depend on beside the images."""
        return {
            "evaluator": type(self).__name__,
            "version": self.VERSION,
            **self.model_dump(mode="json", exclude=set(self.OUTER)),
        }

    @abstractmethod
    def verdicts(self, items: Iterable[Item], studio: Studio) -> AsyncGenerator[Verdict]:
        """One verdict for each item, in any order. `items` is read as room comes free.

        Raises ScigenError for what stops the whole run (a refused key, a budget), after all that had arrived was given.
        """

    def estimate(self, items: Sequence[Item], journal: Path) -> Estimate:
        """What these verdicts would come to; no network. Free unless an evaluator says otherwise."""
        return Estimate(calls=0)

    def verdict(self, item: Item, status: VerdictStatus, **fields: Any) -> Verdict:
        """A verdict of this evaluator."""
        return Verdict(
            problem_id=item.problem.id,
            generator=item.image.generator if self.looks else NO_GENERATOR,
            evaluator=self.name,
            status=status,
            image=item.image.image if self.looks else None,
            **fields,
        )

    def unless_drawn(self, item: Item) -> Verdict | None:
        """The verdict on an item without a picture; None if there is one to look at."""
        if not self.looks or item.image.status is Status.OK:
            return None
        return self.verdict(item, VerdictStatus.NO_IMAGE, error=f"the generator: {item.image.status}")


def decides(verdicts: Iterable[Verdict]) -> bool:
    """Whether these are verdicts of an evaluator that tells right from wrong, not of one that only measures."""
    return any(v.passed or v.findings or v.answers or v.ratings for v in verdicts)


def _read(folder: Path, sha256: str, what: str) -> bytes:
    path = image_path(folder, sha256)
    try:
        return path.read_bytes()
    except OSError as e:
        raise ScigenError(f"{what}: {path}: {e.strerror}. Run the command that makes the set again.") from e
