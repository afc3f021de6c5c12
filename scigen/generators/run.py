"""Runs a generator over problems into a set on disk; run again after an interruption, it does what is left."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from scigen.generators.base import Generator
from scigen.records import GeneratedImage, Problem
from scigen.store import Manifest, SetWriter, inputs_hash


def generate(problems: Iterable[Problem], generator: Generator, folder: Path, progress: bool = True) -> Manifest:
    """One GeneratedImage a problem in `folder`, images beside them; gives the finished set's manifest.

    A set in `folder` from other problems or settings is moved aside. Raises ScigenError.
    """
    from rich.progress import track

    problems = list(problems)
    inputs = inputs_hash([p.content_hash() for p in problems], generator.settings())
    with SetWriter(folder, GeneratedImage, inputs) as writer:
        todo = [p for p in problems if f"{p.id}/{generator.name}" not in writer]
        if todo:
            results = generator.generate(todo)
            for record, png in track(results, f"generate {generator.name}", total=len(todo), disable=not progress):
                if png is not None:
                    writer.put_image(png)
                writer.append(record)
        return writer.finish()
