"""Runs the glass-box check over a set of images; run again after an interruption, it does what is left."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from scigen.errors import ScigenError
from scigen.evaluation import glassbox
from scigen.records import CheckResult, GeneratedImage, Problem
from scigen.store import Manifest, SetWriter, inputs_hash


def evaluate(
    problems: Iterable[Problem], images: Iterable[GeneratedImage], folder: Path, progress: bool = True
) -> Manifest:
    """One CheckResult an image in `folder`; gives the finished set's manifest.

    Raises ScigenError for an image whose problem is not among `problems`.
    """
    from rich.progress import track

    by_id = {p.id: p for p in problems}
    images = list(images)
    for image in images:
        if image.problem_id not in by_id:
            raise ScigenError(
                f"image {image.key}: there is no problem {image.problem_id}. "
                f"Evaluate with the problems that the images were made from."
            )
    inputs = inputs_hash(glassbox.NAME, [[by_id[i.problem_id].content_hash(), i.content_hash()] for i in images])
    with SetWriter(folder, CheckResult, inputs) as writer:
        todo = [i for i in images if f"{i.key}/{glassbox.NAME}" not in writer]
        for image in track(todo, f"evaluate {glassbox.NAME}", disable=not progress):
            writer.append(glassbox.check(by_id[image.problem_id], image))
        return writer.finish()
