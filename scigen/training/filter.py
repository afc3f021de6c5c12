"""Which images are good enough to train on. A filter is one class with `evaluators`, `keep` and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from scigen.records import CheckResult, GeneratedImage, Status


class Filter(Protocol):
    """Decides on one image from its record and its verdicts."""

    evaluators: tuple[str, ...]
    """Evaluators whose records it needs."""

    def reject(self, image: GeneratedImage, verdicts: Mapping[str, CheckResult]) -> str | None:
        """Why the image must not be trained on, or None to keep it."""


@dataclass(frozen=True)
class RequirePassed:
    """Keep an image that could be made and that every listed evaluator passed."""

    evaluators: tuple[str, ...]

    def __init__(self, evaluators: list[str] | tuple[str, ...]) -> None:
        object.__setattr__(self, "evaluators", tuple(evaluators))

    def reject(self, image: GeneratedImage, verdicts: Mapping[str, CheckResult]) -> str | None:
        """The first reason in the order: no image, a missing verdict, a failed one."""
        if image.status is not Status.OK:
            return f"image: {image.status}"
        for name in self.evaluators:
            verdict = verdicts.get(name)
            if verdict is None:
                return f"{name}: not evaluated"
            if not verdict.passed:
                return f"{name}: {verdict.findings[0].kind}" if verdict.findings else f"{name}: failed"
        return None
