"""Runs an evaluator over a set of images; run again after an interruption, it does what is left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from pathlib import Path

from pydantic import JsonValue

from scigen.errors import ScigenError
from scigen.evaluation.base import NO_GENERATOR, Evaluator, Item
from scigen.generators import Studio
from scigen.records import GeneratedImage, Problem, Status, Verdict, VerdictStatus
from scigen.shards import Shard, set_with, shards_of, take_over
from scigen.store import Manifest, SetWriter, inputs_hash, iter_set, read_set, write_atomic

Watch = Callable[[Verdict], None]
SETTINGS = "settings.json"
"""Beside the verdicts: the evaluator's settings, which the manifest holds as a hash only."""
PASSING = frozenset({VerdictStatus.API_ERROR, VerdictStatus.TIMEOUT})
"""Statuses after which another attempt may go better."""


def items_of(problems: Path, images: Path) -> list[Item]:
    """The image set's items with their problems. Raises ScigenError for an image whose problem is not in the set."""
    by_id = {p.id: p for p in iter_set(problems, Problem)}
    items = []
    for image in read_set(images, GeneratedImage):
        if image.problem_id not in by_id:
            raise ScigenError(
                f"image {image.key} of {images}: there is no problem {image.problem_id} in {problems}. Name the "
                "problem set that the images were made from."
            )
        items.append(Item(by_id[image.problem_id], image, images, problems))
    return items


def items_without_images(problems: Path, only: Iterable[str] | None = None) -> list[Item]:
    """An item for each problem (those of `only`, if given), for evaluators that look at no generator's picture."""
    wanted = None if only is None else set(only)
    return [
        Item(p, GeneratedImage(problem_id=p.id, generator=NO_GENERATOR, status=Status.NO_IMAGE), problems, problems)
        for p in iter_set(problems, Problem)
        if wanted is None or p.id in wanted
    ]


def verdict_set(sets: Path, generator: str, evaluator: str) -> Path:
    """Where the verdicts of an evaluator on a generator's images lie, below the folder of all sets."""
    return sets / "verdicts" / generator / evaluator


def set_inputs(evaluator: Evaluator, hashes: Sequence[Sequence[str]], shard: Shard | None = None) -> str:
    """Hash of what a set of verdicts is made from: settings, the problems' and images' content hashes, which part."""
    return inputs_hash(evaluator.settings(), hashes, *([list(shard)] if shard else []))


def evaluate(
    items: Sequence[Item],
    evaluator: Evaluator,
    folder: Path,
    studio: Callable[[], Studio],
    *,
    shard: Shard | None = None,
    retry_failed: bool = False,
    watch: Watch = lambda verdict: None,
) -> Manifest:
    """One Verdict an item in `folder` (a shard's: below `<folder>.shards`).

    A set there from other images or settings is moved aside. With `retry_failed`, verdicts that an evaluator failed to
    give are left behind with the old set and sought again. Gives the finished set's manifest; raises ScigenError.
    """
    mine = items if shard is None else shard.of(items)
    place = folder if shard is None else shard.folder(folder)
    hashes = [[i.problem.content_hash(), i.image.content_hash()] for i in items]
    inputs = set_inputs(evaluator, hashes, shard)
    kept = set_with(place, Verdict, inputs, _may_pass) if retry_failed else None
    with SetWriter(place, Verdict, inputs) as writer:
        if kept is not None:
            take_over(kept, writer, lambda verdict: not _may_pass(verdict))
        if shard is None:
            for part in shards_of(folder, lambda shard: set_inputs(evaluator, hashes, shard)):
                take_over(part, writer, lambda verdict: not (retry_failed and _may_pass(verdict)))
        todo = [i for i in mine if f"{i.key}/{evaluator.name}" not in writer]

        def write(verdict: Verdict) -> None:
            writer.append(verdict)
            watch(verdict)

        if todo:
            asyncio.run(_give(evaluator, todo, studio, write))
        write_atomic(place / SETTINGS, json.dumps(evaluator.settings(), indent=2, sort_keys=True).encode() + b"\n")
        return writer.finish()


def settings_of(folder: Path) -> dict[str, JsonValue]:
    """What the evaluator of this set of verdicts was set to; nothing for a set from before this was written down.

    Raises ScigenError for a file that is no JSON.
    """
    try:
        found: dict[str, JsonValue] = json.loads((folder / SETTINGS).read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as e:
        raise ScigenError(f"{folder / SETTINGS}: not JSON ({e}). Delete it, or evaluate again.") from e
    return found


async def _give(evaluator: Evaluator, items: list[Item], studio: Callable[[], Studio], write: Watch) -> None:
    async with studio() as opened, aclosing(evaluator.verdicts(items, opened)) as verdicts:
        async for verdict in verdicts:
            write(verdict)


def _may_pass(verdict: Verdict) -> bool:
    """Whether asking again may bring more: a whole failure, or a part of it."""
    parts = [verdict.status, *(a.status for a in verdict.answers), *(r.status for r in verdict.ratings)]
    return any(status in PASSING for status in parts)
