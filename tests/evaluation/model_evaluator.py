"""A minimal evaluator that asks a model, and sets of images for it."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from PIL import Image
from pydantic import BaseModel

from scigen.evaluation import Ask, Item, ModelEvaluator, items_of
from scigen.evaluation.transcripts import STATUS
from scigen.models import ModelSettings, Request
from scigen.records import GeneratedImage, Problem, Status, Verdict
from scigen.store import SetWriter


class Right(BaseModel):
    right: bool


class Glance(ModelEvaluator):
    """Asks whether an image is right."""

    name: str = "glance"
    model: ModelSettings

    def requests(self, item: Item) -> Iterable[tuple[ModelSettings, Request]]:
        if item.image.status is Status.OK:
            yield self.model, Request(f"Is it right? {item.problem.question}", images=(item.png(),), answer=Right)

    async def judge(self, item: Item, ask: Ask) -> Verdict:
        if (none := self.unless_drawn(item)) is not None:
            return none
        for model, request in self.requests(item):
            reply = await ask(model, request)
        passed = isinstance(reply.value, Right) and reply.value.right
        return self.verdict(item, STATUS[reply.status], passed=passed, error=reply.error, model=reply.model or None)


def png(number: int, size: int = 64) -> bytes:
    """A picture of its own for each number."""
    out = io.BytesIO()
    Image.new("RGB", (size, size), (number % 256, number // 256 % 256, 200)).save(out, "PNG")
    return out.getvalue()


def make_sets(folder: Path, count: int, *, generator: str = "g", without: Iterable[int] = ()) -> list[Item]:
    """`count` problems and images, those of `without` refused by the generator."""
    with SetWriter(folder / "problems", Problem, "p") as problems:
        for n in range(count):
            problems.append(Problem(id=f"p{n}", source="t", question=f"{n}?", answer="9", multimodal_question=f"{n}?"))
        problems.finish()
    gone = set(without)
    with SetWriter(folder / generator, GeneratedImage, "i") as images:
        for n in range(count):
            ok = n not in gone
            images.append(
                GeneratedImage(
                    problem_id=f"p{n}",
                    generator=generator,
                    status=Status.OK if ok else Status.REFUSED,
                    image=images.put_image(png(n)) if ok else None,
                )
            )
        images.finish()
    return items_of(folder / "problems", folder / generator)
