"""Verified images -> parquet files in verl's row format, with a decision on record for every image.

Split, filter and row are the whole of it; the split goes by problem parameters (`scigen.problems`), so that no
training row shares its parameters with a held-out one, whatever the seeds.
"""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from scigen.errors import ScigenError
from scigen.records import CheckResult, FilterDecision, GeneratedImage, Problem
from scigen.store import SetWriter, image_path, inputs_hash, write_atomic
from scigen.training.filter import Filter

Split = Literal["train", "held_out"]
Shown = Literal["real", "blank", "shuffled"]

PLACEHOLDERS = re.compile(r"<(image|video|audio)>")
"""verl replaces these by media, one for each file, so a question must not contain them by chance."""


@dataclass(frozen=True)
class Row:
    """One training or test item before it is written."""

    problem: Problem
    image: GeneratedImage
    png: bytes


class TrainSetInfo(BaseModel):
    """What was written; the last file of the train set's folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: dict[str, int]
    """Rows for each parquet file, by stem."""
    decisions: dict[str, int]
    """Images for each outcome of the filter."""
    decisions_hash: str
    rows_hash: str
    inputs: str


def build(
    folder: Path,
    problems: Sequence[Problem],
    images: Sequence[GeneratedImage],
    image_folder: Path,
    checks: Sequence[CheckResult],
    keep: Filter,
    split_of: Callable[[Problem], Split],
    trainable: Callable[[Problem], str | None],
    shown: Shown = "real",
    prompt: str = "{question}",
    seed: int = 0,
) -> TrainSetInfo:
    """Write train.parquet, held_out.parquet and held_out_blank.parquet below `folder`, and one decision an image.

    Where nothing is held out (the test is a benchmark of its own) only train.parquet is written.

    `trainable` says why a problem is not for this policy, or None. `shown` replaces the training images by white
    pages of the same size, or by those of other training rows (controls); held-out images are always their own.
    `prompt` must hold `{question}`. Skips the work when the folder was made from the same inputs.

    Raises ScigenError when nothing is left to train on.
    """
    inputs = inputs_hash(
        [(i.content_hash(), split_of(p)) for p, i in _pairs(problems, images)],
        [c.content_hash() for c in checks], [repr(keep), shown, prompt, seed],
    )  # fmt: skip
    done = folder / "trainset.json"
    if done.exists() and (info := TrainSetInfo.model_validate_json(done.read_bytes())).inputs == inputs:
        return info
    done.unlink(missing_ok=True)
    verdicts: dict[str, dict[str, CheckResult]] = {}
    for check in checks:
        verdicts.setdefault(f"{check.problem_id}/{check.generator}", {})[check.evaluator] = check
    rows: dict[Split, list[Row]] = {"train": [], "held_out": []}
    counts: dict[str, int] = {}
    with SetWriter(folder / "decisions", FilterDecision, inputs) as decisions:
        for problem, image in _pairs(problems, images):
            reason = trainable(problem) or keep.reject(image, verdicts.get(image.key, {}))
            split = split_of(problem)
            if image.key not in decisions:
                decisions.append(
                    FilterDecision(
                        problem_id=problem.id,
                        generator=image.generator,
                        split=split,
                        kept=reason is None,
                        reason=reason or "passed",
                    )
                )
            outcome = reason or f"kept: {split}"
            counts[outcome] = counts.get(outcome, 0) + 1
            if reason is None:
                png = image_path(image_folder, image.image or "").read_bytes()
                rows[split].append(Row(problem, image, png))
        manifest = decisions.finish()
    if not rows["train"]:
        raise ScigenError(
            f"{folder}: no training row is left after the filter ({counts}). "
            f"Use more problems, a generator that can draw them, or a milder filter."
        )
    rng = random.Random(seed)
    train = sorted(rows["train"], key=lambda r: r.image.key)
    rng.shuffle(train)
    held_out = sorted(rows["held_out"], key=lambda r: r.image.key)
    files = {
        "train": (show(train, shown, rng), "train"),
        "held_out": (held_out, "held_out"),
        "held_out_blank": (show(held_out, "blank", rng), "held_out_blank"),
    }
    hashes = {
        name: write_parquet(folder / f"{name}.parquet", [verl_row(i, r, source, prompt) for i, r in enumerate(part)])
        for name, (part, source) in files.items()
        if part
    }
    info = TrainSetInfo(
        rows={name: len(part) for name, (part, _) in files.items()},
        decisions=dict(sorted(counts.items())),
        decisions_hash=manifest.set_hash,
        rows_hash=inputs_hash(hashes),
        inputs=inputs,
    )
    write_atomic(done, info.model_dump_json(indent=2).encode() + b"\n")
    return info


def _pairs(problems: Sequence[Problem], images: Sequence[GeneratedImage]) -> list[tuple[Problem, GeneratedImage]]:
    by_id = {p.id: p for p in problems}
    missing = [i.problem_id for i in images if i.problem_id not in by_id]
    if missing:
        raise ScigenError(
            f"{len(missing)} images have no problem, first {missing[0]}. Make both sets with one command."
        )
    return [(by_id[i.problem_id], i) for i in images]


def show(rows: Sequence[Row], shown: Shown, rng: random.Random) -> list[Row]:
    """The rows with their own images, with white pages of the same size, or with each other's images."""
    if shown == "real":
        return list(rows)
    if shown == "blank":
        return [replace(r, png=blank_like(r.png)) for r in rows]
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


def verl_row(index: int, row: Row, data_source: str, prompt: str) -> dict[str, Any]:
    """One row in the format of verl's RLHFDataset: a single `<image>`, any other placeholder in the text broken up."""
    question = PLACEHOLDERS.sub(r"< \1 >", row.problem.multimodal_question)
    family = row.problem.procedure.family if row.problem.procedure else str(row.problem.image_type)
    return {
        "data_source": data_source,
        "prompt": [{"role": "user", "content": "<image>" + prompt.format(question=question)}],
        "images": [{"bytes": row.png, "path": None}],
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
