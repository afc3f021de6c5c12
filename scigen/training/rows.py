"""Rows of verl's parquet files: what a question and its picture become. Which rows there are, the train set decides."""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from scigen.records import GeneratedImage, Problem
from scigen.store import inputs_hash, write_atomic

Shown = Literal["real", "blank", "shuffled", "none"]
"""A row's own image, a white page of the same size, another row's image, or no image at all."""

Asked = Literal["multimodal", "original"]
"""The question rewritten so that it needs the image, or the text problem that the image was made from."""

PLACEHOLDERS = re.compile(r"<(image|video|audio)>")
"""verl replaces these by media, one for each file, so a question must not contain them by chance."""


@dataclass(frozen=True)
class Row:
    """One training or test item before it is written."""

    problem: Problem
    image: GeneratedImage
    png: bytes | None
    """None for a row of text alone."""


def show(rows: Sequence[Row], shown: Shown, rng: random.Random) -> list[Row]:
    """The rows with their own images, with white pages of the same size, with each other's images, or with none."""
    if shown == "real":
        return list(rows)
    if shown == "none":
        return [replace(r, png=None) for r in rows]
    if shown == "blank":
        return [replace(r, png=blank_like(r.png)) for r in rows if r.png is not None]
    order = list(range(len(rows)))
    rng.shuffle(order)
    return [replace(r, png=rows[j].png) for r, j in zip(rows, order, strict=True)]


def blank_like(png: bytes) -> bytes:
    """A white PNG of the same size."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        page = Image.new("RGB", image.size, "white")
    out = io.BytesIO()
    page.save(out, format="PNG")
    return out.getvalue()


def verl_row(index: int, row: Row, data_source: str, prompt: str, asked: Asked = "multimodal") -> dict[str, Any]:
    """One row in the format of verl's RLHFDataset: a single `<image>`, any other placeholder in the text broken up.

    A row of text alone has no `<image>` and no `images`, which verl takes for a text prompt.
    """
    text = row.problem.multimodal_question if asked == "multimodal" else row.problem.question
    question = PLACEHOLDERS.sub(r"< \1 >", text)
    family = row.problem.procedure.family if row.problem.procedure else str(row.problem.image_type)
    picture = {} if row.png is None else {"images": [{"bytes": row.png, "path": None}]}
    return {
        "data_source": data_source,
        "prompt": [{"role": "user", "content": ("<image>" if picture else "") + prompt.format(question=question)}],
        **picture,
        "ability": family,
        "reward_model": {"style": "rule", "ground_truth": row.problem.answer},
        "extra_info": {
            "index": index,
            "problem_id": row.problem.id,
            "generator": row.image.generator,
            "image": row.image.image,
            "family": family,
            "question": question,
        },
    }


def write_parquet(path: Path, rows: Sequence[Mapping[str, Any]]) -> str:
    """Write the rows atomically; returns a hash of their content."""
    import datasets

    datasets.disable_progress_bars()
    buffer = io.BytesIO()
    datasets.Dataset.from_list(list(rows)).to_parquet(buffer)
    write_atomic(path, buffer.getvalue())
    return inputs_hash(json.loads(json.dumps(list(rows), default=lambda b: b.hex())))
