"""Reads the letter that a model answers a quiz with: exactly, or not at all."""

from __future__ import annotations

import re
from collections.abc import Collection

BOX = r"\boxed"
BOXED = re.compile(r"\{\s*(?:\\(?:text|mathrm|mathbf|textbf)\{)?\s*([^{}]*?)\s*\}?\s*\}")
_LETTER = r"\**\s*[(\[]?\s*(?<![A-Za-z])([A-Z])\s*[)\]]?\s*\**[.:)]?\s*\**"
EXACT = re.compile(_LETTER)
NAMED = re.compile(
    r"(?:\**\s*(?:the\s+)?(?:final\s+|correct\s+)?(?:answer|option|choice)(?:\s+is)?\s*:?\s*\**\s*)?" + _LETTER,
    re.IGNORECASE,
)


def read_letter(text: str, allowed: Collection[str]) -> str | None:
    """The letter, if the answer is a letter of `allowed` and nothing more: `B`, `B.`, `(B)`, `**B**`, `Answer: B`.

    In a longer answer only the last `\\boxed{...}` counts, even if it is cut off or holds no letter. None for all
    else: `INVALID` is not A, `CORRECT` is not C (PROTOCOL section 6), and two letters are none.
    """
    _, boxed, rest = text.rpartition(BOX)
    if boxed:
        box = BOXED.match(rest.lstrip())
        text = box[1] if box else ""
    text = text.strip()
    found = EXACT.fullmatch(text) or NAMED.fullmatch(text)
    return found[1] if found and found[1] in allowed else None
