"""Image models on this machine: any text-to-image pipeline that diffusers can load, from a folder or from the hub.

Nothing is paid, so there is no journal: a picture is in the set when it is made, and is made again when it is not.

Each problem has a seed of its own, from the generator's seed and the problem's id, and its noise is drawn on the CPU:
a picture depends neither on the order of the problems nor on which are left. Batches of another size round otherwise
(on a CPU in float32 by less than a grey level; on a GPU in bfloat16 it may be seen), so `batch` is 1 by default.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from scigen.errors import ScigenError
from scigen.generators.base import About, Generator, Made
from scigen.generators.batches import Batches
from scigen.generators.pixel.base import Order, PixelModel, worded
from scigen.generators.pixel.pipeline import (
    FIXED,
    Sheet,
    arguments,
    cut_off,
    developed,
    free_memory,
    lacks_memory,
    load,
    said,
    version,
)
from scigen.generators.studio import Studio
from scigen.models import Estimate
from scigen.models.prompt import load_prompt
from scigen.records import GeneratedImage, Problem, ScriptError, Status, VendorReport

FAILURES = frozenset({Status.MEMORY, Status.API_ERROR})
"""Where the pipeline raised an error."""


class DiffusersImages(Generator):
    """`parameters` go to the pipeline as they are: true_cfg_scale, guidance_scale, max_sequence_length, ..."""

    OUTER: ClassVar[frozenset[str]] = Generator.OUTER | {
        *("device", "offload", "local_files_only", "batch", "wait_s", "seconds_per_image", "give_up_after")
    }

    about: About = About(vendor="own machine", paradigm="pixel")
    at_once: int = Field(default=4, ge=1)
    model: str
    """Folder with the pipeline's `model_index.json`, or the hub's name for it."""
    revision: str | None = None
    """Commit of the hub's repository; None takes the newest."""
    variant: str | None = None
    prompt: str = "diagram"
    """Name of a file in `prompts/`."""
    negative_prompt: str | None = None
    seed: int = 0
    width: int = Field(default=1024, gt=0)
    height: int = Field(default=1024, gt=0)
    steps: int = Field(default=50, gt=0)
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    dtype: Literal["float32", "bfloat16", "float16"] = "bfloat16"
    device: str = "auto"
    """auto: a GPU where there is one; else as PyTorch names it (cuda:1, mps, cpu)."""
    offload: Literal["none", "model", "sequential"] = "none"
    """What waits in the computer's memory until the GPU needs it: nothing, whole models, or single layers (slow)."""
    local_files_only: bool = False
    """Never ask the hub, not even whether there is something newer; so it is for a folder in any case."""
    batch: int = Field(default=1, ge=1)
    """Pictures made in one go at most; those that the memory does not hold together are made alone."""
    wait_s: float = Field(default=0.5, ge=0)
    """How long a batch that is not full waits for more."""
    seconds_per_image: float = Field(default=60.0, gt=0)
    """Typical time, for estimates only."""
    give_up_after: int = Field(default=10, ge=0)
    """Pictures that may fail one after another until the run stops; 0 for never."""

    @field_validator("parameters")
    @classmethod
    def _free(cls, parameters: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if fixed := sorted(FIXED & parameters.keys()):
            raise ValueError(f"{', '.join(fixed)}: not a parameter here; the generator has fields for what may be set")
        return parameters

    @model_validator(mode="after")
    def _batches_can_fill(self) -> Self:
        if self.batch > self.at_once:
            raise ValueError(f"batch: {self.batch} is more than at_once, so no batch would ever be full")
        return self

    def settings(self) -> dict[str, JsonValue]:
        """As for all, with the prompt's text."""
        return {**super().settings(), "prompt_hash": load_prompt(PixelModel, self.prompt).hash}

    async def make(self, problem: Problem, studio: Studio) -> Made:
        """See Generator. The pipeline is loaded once for the whole run, beside the event loop."""
        bench = await studio.opened(("diffusers", self.model_dump_json()), lambda: Workbench(self))
        order = Order(worded(self.prompt, problem), seed_of(self.seed, problem.id))
        sheet = await bench.ask(order)
        image = GeneratedImage(
            problem_id=problem.id,
            generator=self.name,
            status=sheet.status,
            image=hashlib.sha256(sheet.png).hexdigest() if sheet.png is not None else None,
            width=sheet.width,
            height=sheet.height,
            model=self.model,
            prompt_hash=load_prompt(PixelModel, self.prompt).hash,
            vendor=VendorReport(model=bench.version, seed=order.seed, message=sheet.note),
            error=None if sheet.png is not None else ScriptError(type=sheet.status.value, message=sheet.fault),
            seconds=round(sheet.seconds, 4),
        )
        return Made(image, sheet.png)

    def estimate(self, problems: Sequence[Problem], journal: Path) -> Estimate:
        """See Generator."""
        return Estimate(calls=len(problems), seconds=len(problems) * self.seconds_per_image)

    def price(self) -> str:
        """See Generator."""
        return "own machine"


class Stopped(Exception):
    """The run has ended while a batch was at work."""


class Workbench:
    """A loaded pipeline that paints one batch at a time. Use as an async context manager."""

    def __init__(self, settings: DiffusersImages) -> None:
        self._settings = settings
        self._stop = False
        self._painted = self._failed_in_a_row = 0
        self._given_up = ""

    async def __aenter__(self) -> Self:
        self._pipe = await asyncio.to_thread(load, self._settings)
        self._arguments = arguments(self._settings, self._pipe)
        self.version = version(self._settings, self._pipe)
        self._stack = await AsyncExitStack().__aenter__()
        batches = Batches(self._work, self._settings.batch, self._settings.wait_s)
        self._batches: Batches[Order, Sheet] = await self._stack.enter_async_context(batches)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop = True
        await self._stack.aclose()

    async def ask(self, order: Order) -> Sheet:
        """The picture for an order. Raises ScigenError when only failures come."""
        return await self._batches.ask(order)

    async def _work(self, orders: Sequence[Order]) -> Sequence[Sheet]:
        if self._given_up:
            raise ScigenError(self._given_up)
        sheets = await asyncio.to_thread(self._sheets, orders)
        for sheet in sheets:
            self._count(sheet)
        return sheets

    def _sheets(self, orders: Sequence[Order]) -> list[Sheet]:
        """One sheet each. Orders that fail together are tried alone. Raises ScigenError for what would always fail."""
        start = time.perf_counter()
        sheets = self._tried(orders)
        if len(orders) > 1 and sheets[0].status in FAILURES:
            return [sheet for order in orders for sheet in self._sheets([order])]
        seconds = (time.perf_counter() - start) / len(orders)
        return [sheet._replace(seconds=seconds) for sheet in sheets]

    def _tried(self, orders: Sequence[Order]) -> list[Sheet]:
        """The pictures, or one failure for all. The error is gone when this returns, and with it what it held."""
        try:
            return self._paint(orders)
        except Stopped:
            raise
        except Exception as e:
            memory, words = lacks_memory(e), said(e)
            if not memory and not self._painted and len(orders) == 1:
                name = self._settings.name
                raise ScigenError(f"generator {name}: the pipeline failed at its first picture. {words}") from e
        free_memory()
        return [Sheet(Status.MEMORY if memory else Status.API_ERROR, fault=words)] * len(orders)

    def _paint(self, orders: Sequence[Order]) -> list[Sheet]:
        import torch

        made = self._pipe(
            prompt=[o.prompt for o in orders],
            generator=[torch.Generator("cpu").manual_seed(o.seed or 0) for o in orders],
            **self._arguments,
            **self._negative(len(orders)),
            **self._stopper(),
        )
        self._painted += len(orders)
        blocked = getattr(made, "nsfw_content_detected", None) or [False] * len(orders)
        return [
            developed(pixels, stopped)._replace(note=cut_off(self._pipe, self._arguments, order.prompt))
            for pixels, stopped, order in zip(made.images, blocked, orders, strict=True)
        ]

    def _negative(self, number: int) -> dict[str, Any]:
        text = self._settings.negative_prompt
        return {} if text is None else {"negative_prompt": [text] * number}

    def _stopper(self) -> dict[str, Any]:
        """Ends a batch between two steps when the run has ended; for pipelines that call back."""

        def look(pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            if self._stop:
                raise Stopped
            return tensors

        takes = "callback_on_step_end" in inspect.signature(self._pipe.__call__).parameters
        return {"callback_on_step_end": look} if takes else {}

    def _count(self, sheet: Sheet) -> None:
        """Stop the run where going on would only collect failures."""
        limit = self._settings.give_up_after
        self._failed_in_a_row = 0 if sheet.status in (Status.OK, Status.BLOCKED) else self._failed_in_a_row + 1
        if limit and self._failed_in_a_row >= limit:
            self._given_up = (
                f"generator {self._settings.name}: {limit} pictures in a row failed, the last with {sheet.status}: "
                f"{sheet.fault}. Too little memory: set offload=model, a smaller batch or size. Blank or no numbers: "
                "set another dtype. generator.give_up_after=0 never stops."
            )


def seed_of(seed: int, problem_id: str) -> int:
    """A problem's own seed, 0 to 2^32 - 1."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{problem_id}".encode()).digest()[:4])
