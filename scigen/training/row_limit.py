"""Which rows fit the policy: images brought to the pixel budget, prompts counted in the model's own tokens.

verl drops a prompt that is too long in silence, and takes one that it cannot read for too long. So the train set asks
here first, and each refusal is a decision on record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scigen.errors import ScigenError
from scigen.training.pixel_budget import PromptCounter, fit_image
from scigen.training.rows import Asked, Row, verl_row


@dataclass(frozen=True)
class RowLimit:
    """The budget and the longest prompt of one policy."""

    counter: PromptCounter
    max_prompt: int
    """verl's data.max_prompt_length."""

    @property
    def content(self) -> str:
        """Equal for limits that give equal rows."""
        return f"{self.counter.budget!r}, at most {self.max_prompt} tokens"

    def fit(self, png: bytes) -> bytes:
        """The image at the budget's size. Raises ScigenError when it cannot be brought to it."""
        return fit_image(png, self.counter.budget)

    def refuse(self, row: Row, prompt: str, asked: Asked) -> str | None:
        """Why the row cannot be trained on, or None. Its image must be fitted already."""
        made = verl_row(0, row, "", prompt, asked)
        try:
            tokens = self.counter.count(made["prompt"], [i["bytes"] for i in made.get("images", ())])
        except ScigenError:
            return "prompt: image tokens in the text"
        return f"prompt: more than {self.max_prompt} tokens" if tokens > self.max_prompt else None


def require_fit(parquets: Iterable[Path], limit: RowLimit, max_images: int) -> None:
    """Raise ScigenError when a row of a benchmark does not fit: verl would leave it out of the score in silence, or the
    rollout would refuse its images."""
    import datasets

    for parquet in parquets:
        rows = datasets.Dataset.from_parquet(str(parquet))
        faults = []
        for row in rows:
            images = [image["bytes"] for image in row["images"] or ()]
            tokens = limit.counter.count(row["prompt"], images)
            if tokens > limit.max_prompt:
                faults.append(f"{row['extra_info']['problem_id']} ({tokens} tokens)")
            elif len(images) > max_images:
                faults.append(f"{row['extra_info']['problem_id']} ({len(images)} images)")
        if faults:
            raise ScigenError(
                f"{parquet}: {len(faults)} of {len(rows)} prompts have more than {limit.max_prompt} tokens or "
                f"{max_images} images, first {faults[0]}; verl would leave them out of the score. Raise "
                "verl.data.max_prompt_length and the token limits, or limit_mm_per_prompt, or lower policy.pixels."
            )
