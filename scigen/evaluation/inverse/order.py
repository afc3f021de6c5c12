"""In which order a quiz's options are shown."""

from __future__ import annotations

import random
from collections.abc import Sequence


def orders(letters: Sequence[str], identity: str, permutations: int, seed: int) -> list[str]:
    """`permutations` orders of the options' letters: a shuffle that depends on `identity` and `seed`, then its cyclic
    shifts, so that over as many permutations as options each option stands at each place once; then a new shuffle.

    Over many quizzes the key's place is even: each shuffle is uniform.
    """
    found: list[str] = []
    for turn in range(-(-permutations // max(1, len(letters)))):
        base = list(letters)
        random.Random(f"{seed}/{identity}/{turn}").shuffle(base)
        found += ["".join(base[k:] + base[:k]) for k in range(len(base))]
    return found[:permutations]
