"""Reads a verifier's reply: an exact letter, or the last boxed one. Anything else is no verdict.

A search for a letter somewhere in the reply, as reference implementations do, reads INVALID as A, that is as correct,
and pays for cut-off answers. Strictness costs rewards where a verifier chats; those are counted as `unparsed`.
"""

from __future__ import annotations

import re
from enum import StrEnum

BOXED = re.compile(r"\\boxed\{\s*(?:\\text\{)?\s*([^{}]*?)\s*\}")
EXACT = re.compile(r"\**\(?([ABC])\)?\.?\**")
"""`A`, `(A)`, `A.`, `**A**` and nothing more."""


class Verdict(StrEnum):
    """What the verifier says of a response."""

    CORRECT = "A"
    INCORRECT = "B"
    INVALID = "C"
    """Incomplete, repetitive, a refusal, or beside the question."""
    UNPARSED = "unparsed"


def parse_verdict(reply: str | None, cut: bool = False) -> Verdict:
    r"""The verdict in a reply; `cut` says that the verifier was stopped at its length limit, so had not finished.

    The last `\boxed{...}` decides if there is one; otherwise the whole reply must be a single letter. `INVALID`,
    `CORRECT`, or a sentence that holds a letter, are `unparsed`, and so is all that was cut.
    """
    if reply is None or cut:
        return Verdict.UNPARSED
    boxes = BOXED.findall(reply)
    match = EXACT.fullmatch(boxes[-1] if boxes else reply.strip())
    return Verdict(match.group(1)) if match else Verdict.UNPARSED
