"""Which answers can serve as ground truth: told by their form, for every source and stage alike."""

from __future__ import annotations

from scigen.records import Flag

PLACEHOLDERS = frozenset({"", "none", "null", "n/a", "na", "nan", "unknown", "no answer", "not available", "-"})
LONGEST_ANSWER = 1000
"""Characters. In SciGenBench answers end at 785 but for ten, which are derivations or chains of thought."""


def answer_fault(answer: str) -> Flag | None:
    """Why an answer cannot serve as ground truth, or None.

    `UNUSABLE_ANSWER` for words that mean there is none; `CHAIN_OF_THOUGHT` for a `<think>` mark or more than 1,000
    characters. Such a problem can still be drawn and its quizzes asked; who builds a train set must leave it out.
    """
    if answer.strip().casefold() in PLACEHOLDERS:
        return Flag.UNUSABLE_ANSWER
    if "<think>" in answer or len(answer) > LONGEST_ANSWER:
        return Flag.CHAIN_OF_THOUGHT
    return None
