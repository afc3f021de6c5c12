"""Training problems set apart for the warm start, so that runs on train sets of any size start from one policy.

Nothing is set apart by default: then the warm start learns from the train set that reinforcement learning uses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from scigen.errors import ScigenError
from scigen.problems.sources import Source
from scigen.records import GeneratedImage, Problem
from scigen.store import inputs_hash


@dataclass(frozen=True)
class Division:
    """The images of one run: those of the warm start alone, and all others (held-out ones among them)."""

    warm_up: list[GeneratedImage]
    others: list[GeneratedImage]


def divide(
    problems: Iterable[Problem],
    images: Iterable[GeneratedImage],
    source: Source,
    trainable: Callable[[Problem], str | None],
    count: int,
    seed: int,
) -> Division:
    """Set apart `count` of the trainable problems with their images: the same ones whatever is trained on afterwards.

    Raises ScigenError when that leaves nothing to train on.
    """
    candidates = [p.id for p in problems if source.split_of(p) == "train" and trainable(p) is None]
    if count and count >= len(candidates):
        raise ScigenError(
            f"policy.warm_start_rows: {count} problems cannot be set apart of {len(candidates)} for training. "
            "Make more problems, or set it lower."
        )
    apart = set(sorted(candidates, key=lambda problem: inputs_hash(seed, problem))[:count])
    division = Division([], [])
    for image in images:
        (division.warm_up if image.problem_id in apart else division.others).append(image)
    return division
