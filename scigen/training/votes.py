r"""pass@k and maj@k of one problem's responses, from which are right and what each answers.

Two answers are one vote when they are equal as normalised text: `0.5` and `1/2` are two. Nothing is scored here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from math import comb

from scigen.training.reward import last_boxed, normalise

LETTER = re.compile(r"\(?([A-Ja-j])\)?[.:]?")


def pass_at_k(responses: int, right: int, k: int) -> float:
    """Chance that at least one of k responses drawn without replacement is right: 1 - C(n - c, k) / C(n, k).

    The unbiased estimator of Chen et al. 2021 (arXiv 2107.03374, equation 1). Raises ValueError unless
    0 <= right <= responses and 1 <= k <= responses.
    """
    if not (0 <= right <= responses and 1 <= k <= responses):
        raise ValueError(f"{right} right of {responses} responses, k = {k}")
    return 1.0 - comb(responses - right, k) / comb(responses, k)


def answer_of(response: str) -> str | None:
    r"""What a response answers, as a vote: its last `\boxed{...}` without spaces, dollar signs and case of words.

    `(B)`, `B.` and `b` are one vote. None when nothing is boxed, or the box is empty.
    """
    boxed = last_boxed(response)
    answer = normalise(boxed) if boxed is not None else ""
    letter = LETTER.fullmatch(answer)
    if letter:
        return letter[1].upper()
    return re.sub(r"\s+", "", answer).casefold() or None


def majority(answers: Sequence[str | None], right: Sequence[float]) -> float:
    """Chance that the most frequent answer is right, in 0..1.

    Ties are counted by their expected value: of the m most frequent answers one is drawn at random. An answer whose
    responses are not all judged alike counts as its share of right ones. Responses without an answer do not vote; if
    none has one, the result is 0. Raises ValueError when the two lengths differ or are 0.
    """
    if len(answers) != len(right) or not answers:
        raise ValueError(f"{len(answers)} answers, {len(right)} marks")
    votes: dict[str, list[float]] = defaultdict(list)
    for answer, mark in zip(answers, right, strict=True):
        if answer is not None:
            votes[answer].append(mark)
    if not votes:
        return 0.0
    most = max(len(marks) for marks in votes.values())
    tied = [sum(marks) / most for marks in votes.values() if len(marks) == most]
    return sum(tied) / len(tied)
