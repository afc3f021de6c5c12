"""Verified images -> parquet files in verl's row format, with a decision on record for every image.

Split, filter, selection and row are the whole of it; the split goes by problem parameters (`scigen.problems`), so that
no training row shares its parameters with a held-out one, whatever the seeds.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from scigen.errors import ScigenError
from scigen.records import FilterDecision, GeneratedImage, Problem, Verdict
from scigen.store import Manifest, SetWriter, image_path, inputs_hash, write_atomic
from scigen.training.filter import ContaminationRule, Filter, ground_truth_fault
from scigen.training.row_limit import RowLimit
from scigen.training.rows import Asked, Row, Shown, show, verl_row, write_parquet
from scigen.training.selection import Chosen, Selection, take_first

if TYPE_CHECKING:
    from scigen.problems.contamination import ContaminationVerdict

Split = Literal["train", "held_out"]


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
    shown: Shown = "real"
    """What the training rows show."""
    asked: Asked = "multimodal"
    """Which question the training rows ask."""
    available: int = 0
    """Training rows that passed, of which the selection took `rows["train"]`."""
    chosen: Chosen = Chosen()


def build(
    folder: Path,
    problems: Sequence[Problem],
    images: Sequence[GeneratedImage],
    image_folder: Path,
    checks: Sequence[Verdict],
    keep: Filter,
    split_of: Callable[[Problem], Split],
    trainable: Callable[[Problem], str | None],
    clean: ContaminationRule,
    compared: Iterable[ContaminationVerdict] = (),
    shown: Shown = "real",
    prompt: str = "{question}",
    seed: int = 0,
    selection: Selection | None = None,
    asked: Asked = "multimodal",
    limit: RowLimit | None = None,
) -> TrainSetInfo:
    """Write train.parquet, held_out.parquet and held_out_blank.parquet below `folder`, and one decision an image.

    Where nothing is held out (the test is a benchmark of its own) only train.parquet is written.

    `trainable` says why a problem is not for this policy, or None. `clean` refuses training problems that a benchmark
    contains, by the verdicts in `compared`; those of other problems are passed over. `selection` takes some of the
    training rows that passed. `shown` and `asked` change what the training rows show and ask (controls); held-out rows
    always have their own images and the multimodal question. `prompt` must hold `{question}`. `limit` brings images to
    the policy's pixel budget and refuses rows whose prompt is too long for it. Skips the work when the folder was made
    from the same inputs.

    Raises ScigenError when nothing is left to train on, or less than the selection asks for, and when a training
    problem lacks a verdict that it needs.
    """
    pairs = _pairs(problems, images)
    for_training = {p.id: p for p, _ in pairs if split_of(p) == "train"}
    contamination = {v.problem_id: v for v in compared if v.problem_id in for_training}
    clean.require(for_training.values(), contamination)
    chosen, among = (selection or Selection()).resolve()
    # Choices other than the defaults come last, so that sets from before there was a choice keep their hash.
    choices: list[object] = [chosen.content] if chosen.content != Chosen().content else []
    choices += [asked] if asked != "multimodal" else []
    choices += [] if limit is None else [limit.content]
    inputs = inputs_hash(
        [(i.content_hash(), split_of(p), p.flags) for p, i in pairs],
        [c.content_hash() for c in checks], [contamination[i].content_hash() for i in sorted(contamination)],
        [repr(keep), repr(clean), shown, prompt, seed, *choices],
    )  # fmt: skip
    done = folder / "trainset.json"
    if done.exists() and (info := TrainSetInfo.model_validate_json(done.read_bytes())).inputs == inputs:
        return info
    done.unlink(missing_ok=True)
    verdicts: dict[str, dict[str, Verdict]] = {}
    for check in checks:
        verdicts.setdefault(f"{check.problem_id}/{check.generator}", {})[check.evaluator] = check
    reasons: dict[str, str | None] = {}
    passed: dict[Split, list[tuple[Problem, GeneratedImage]]] = {"train": [], "held_out": []}
    for problem, image in pairs:
        split = split_of(problem)
        reason = ground_truth_fault(problem) or trainable(problem)
        if split == "train":
            reason = reason or clean.refuse(problem, contamination.get(problem.id))
            if among is not None and problem.id not in among:
                reason = reason or "not among the matched problems"
        reason = reason or keep.reject(image, verdicts.get(image.key, {}))
        if reason is None and limit is not None:
            reason = _misfit(problem, image, image_folder, limit, prompt, asked)
        reasons[image.key] = reason
        if reason is None:
            passed[split].append((problem, image))
    rng = random.Random(seed)
    ordered = sorted(passed["train"], key=lambda pair: pair[1].key)
    rng.shuffle(ordered)
    taken = take_first(chosen.size, len(ordered), folder)
    reasons |= {image.key: f"not among the first {taken}" for _, image in ordered[taken:]}
    manifest, counts = _write_decisions(folder / "decisions", pairs, split_of, reasons, inputs)
    if not taken:
        raise ScigenError(
            f"{folder}: no training row is left after the filter ({counts}). "
            f"Use more problems, a generator that can draw them, or a milder filter."
        )
    train = show(_rows(ordered[:taken], image_folder, limit), shown, rng)
    if limit is not None and any(limit.refuse(row, prompt, asked) for row in train):
        raise ScigenError(
            f"{folder}: with shown={shown} a prompt is longer than {limit.max_prompt} tokens, since its row shows "
            "another row's image. Lower policy.pixels.max_pixels."
        )
    held_out = _rows(sorted(passed["held_out"], key=lambda pair: pair[1].key), image_folder, limit)
    files: dict[str, tuple[list[Row], Asked]] = {
        "train": (train, asked),
        "held_out": (held_out, "multimodal"),
        "held_out_blank": (show(held_out, "blank", rng), "multimodal"),
    }
    hashes = {
        name: write_parquet(folder / f"{name}.parquet", [verl_row(i, r, name, prompt, ask) for i, r in enumerate(part)])
        for name, (part, ask) in files.items()
        if part
    }
    info = TrainSetInfo(
        rows={name: len(part) for name, (part, _) in files.items()},
        decisions=counts,
        decisions_hash=manifest.set_hash,
        rows_hash=inputs_hash(hashes),
        inputs=inputs,
        shown=shown,
        asked=asked,
        available=len(ordered),
        chosen=chosen,
    )
    write_atomic(done, info.model_dump_json(indent=2).encode() + b"\n")
    return info


def _write_decisions(
    folder: Path,
    pairs: Sequence[tuple[Problem, GeneratedImage]],
    split_of: Callable[[Problem], Split],
    reasons: Mapping[str, str | None],
    inputs: str,
) -> tuple[Manifest, dict[str, int]]:
    """One decision an image, and how many there are of each outcome."""
    counts: dict[str, int] = {}
    with SetWriter(folder, FilterDecision, inputs) as decisions:
        for problem, image in pairs:
            reason, split = reasons[image.key], split_of(problem)
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
        return decisions.finish(), dict(sorted(counts.items()))


def _misfit(
    problem: Problem, image: GeneratedImage, folder: Path, limit: RowLimit, prompt: str, asked: Asked
) -> str | None:
    """Why the row does not fit the policy, by its own image whatever it is to show, so that controls keep its rows."""
    try:
        (row,) = _rows([(problem, image)], folder, limit)
    except ScigenError:
        return "image: not within the pixel budget"
    return limit.refuse(row, prompt, asked)


def _rows(pairs: Sequence[tuple[Problem, GeneratedImage]], folder: Path, limit: RowLimit | None) -> list[Row]:
    fit = limit.fit if limit else bytes
    return [Row(p, i, fit(image_path(folder, i.image or "").read_bytes())) for p, i in pairs]


def _pairs(problems: Sequence[Problem], images: Sequence[GeneratedImage]) -> list[tuple[Problem, GeneratedImage]]:
    by_id = {p.id: p for p in problems}
    missing = [i.problem_id for i in images if i.problem_id not in by_id]
    if missing:
        raise ScigenError(
            f"{len(missing)} images have no problem, first {missing[0]}. Make both sets with one command."
        )
    return [(by_id[i.problem_id], i) for i in images]
