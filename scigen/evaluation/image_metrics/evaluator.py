"""Image metrics against the source's real picture, image by image; sets are compared afterwards, from the features."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import ClassVar

from pydantic import Field

from scigen.errors import ScigenError
from scigen.evaluation.base import Evaluator, Item
from scigen.evaluation.image_metrics.canvas import SIDE, Canvas, on_canvas
from scigen.evaluation.image_metrics.extractors import ExtractorName, Features, as_tensor, extractor, packed
from scigen.evaluation.image_metrics.pairs import pair_metrics
from scigen.generators import Studio
from scigen.records import Verdict, VerdictStatus

CACHED = 4
"""Images that a network takes at once on a CPU: more of them fall out of its cache and take longer each."""
LOADERS = 4
"""Threads that read and fit pictures ahead of the metrics."""


class ImageMetrics(Evaluator):
    """Measures; it passes nothing and fails nothing. Not applicable where the source has no picture."""

    VERSION: ClassVar[int] = 2
    OUTER: ClassVar[frozenset[str]] = Evaluator.OUTER | {"batch", "device"}

    name: str = "image_metrics"
    side: int = Field(default=SIDE, ge=64, le=2048)
    """Of the canvas, in pixels."""
    extractor: ExtractorName = "efficientnet"
    clip: str | None = None
    """Name or folder of a CLIP for the CLIP score and the extractor `clip`; None leaves the score out."""
    batch: int = Field(default=16, ge=1)
    device: str | None = None
    """Torch's name of it; None for the GPU if there is one."""

    async def verdicts(self, items: Iterable[Item], studio: Studio) -> AsyncGenerator[Verdict]:
        """See Evaluator. Batches are worked on in a thread, so that the command's bar moves."""
        waiting = iter(items)
        with ThreadPoolExecutor(LOADERS) as loaders:
            while chunk := list(islice(waiting, self.batch)):
                for verdict in await asyncio.to_thread(lambda c=chunk: list(self._batch(c, loaders))):  # type: ignore[misc]
                    yield verdict

    def _batch(self, items: Sequence[Item], loaders: ThreadPoolExecutor) -> Iterator[Verdict]:
        measured: list[Item] = []
        for item in items:
            if item.problem.image is None:
                yield self.verdict(item, VerdictStatus.NOT_APPLICABLE, error="the source has no picture of it")
            elif (none := self.unless_drawn(item)) is not None:
                yield none
            else:
                measured.append(item)
        if not measured:
            return
        start = time.perf_counter()
        pictures = list(loaders.map(lambda item: self._pair(item), measured))
        images, references = [a for a, _ in pictures], [b for _, b in pictures]
        device = self.device or _device()
        measures = pair_metrics(images, references)
        features = feature_vectors(images, self.extractor, device, self.clip)
        if self.clip is not None:
            for found, score in zip(measures, self._clip_scores(images, measured, device), strict=True):
                found["clip_score"] = score
        seconds = (time.perf_counter() - start) / len(measured)
        for item, found, vector in zip(measured, measures, features, strict=True):
            yield self.verdict(
                item,
                VerdictStatus.SCORED,
                measures=found,
                features=packed(vector),
                model=self.extractor,
                seconds=round(seconds, 4),
            )

    def _pair(self, item: Item) -> tuple[Canvas, Canvas]:
        reference = item.reference()
        assert reference is not None, "asked for above"
        try:
            return on_canvas(item.png(), self.side), on_canvas(reference, self.side)
        except OSError as e:
            raise ScigenError(f"{item.key}: the image or its reference is unreadable ({e}). Make its set again.") from e

    def _clip_scores(self, images: list[Canvas], items: Sequence[Item], device: str) -> list[float]:
        from scigen.evaluation.image_metrics.clip import Clip

        assert self.clip is not None
        clip = Clip.load(self.clip, device)
        return clip.scores(as_tensor(images, device), [item.problem.question for item in items])


def feature_vectors(
    images: list[Canvas], name: ExtractorName, device: str = "cpu", clip: str | None = None
) -> list[Features]:
    """The extractor's features of each canvas."""
    import torch

    net = extractor(name, device, clip) if clip else extractor(name, device)
    at_once = CACHED if device == "cpu" else len(images)
    found: list[Features] = []
    with torch.inference_mode():
        for start in range(0, len(images), at_once):
            found += list(net.features(as_tensor(images[start : start + at_once], device)).float().cpu().numpy())
    return found


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
