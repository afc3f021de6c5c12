r"""Reference answers of benchmarks: which kind each is, its unit, and the damage that published files do to them.

Kinds are told by form alone. A reference answer keeps its unit, since the verifier sees it beside the question; the
rule reward reads past units. It compares nothing: `scigen.training.reward` does.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from scigen.training.reward import last_boxed


class AnswerType(StrEnum):
    CHOICE = "choice"
    """The letter of a choice, listed or drawn in the picture."""
    NUMBER = "number"
    """Integer, decimal or fraction, with a unit or without."""
    EXPRESSION = "expression"
    r"""Anything else: `5 \sqrt{3}`, `(3,-4)`, `1:2`."""


LETTER = re.compile(r"[A-J]")
_WHOLE, _PART = r"(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:\s*/\s*\d+)?", r"(?:\{\s*-?\d+\s*\}|\d)"
NUMBER = re.compile(rf"[-+]?{_WHOLE}|[-+]?\d*\s*\\[dt]?frac\s*{_PART}\s*{_PART}")
_POWER = r"\s*\^\s*\{?[23]\}?"
UNIT = re.compile(
    r"\s*(?:(?P<percent>\\?%)"
    r"|(?P<degrees>\^\s*\{?\s*\\circ\s*\}?|°|\\degree|\{?\s*degrees?\s*\}?)"
    rf"|\\(?:mathrm|text|textrm|rm)\s*\{{[\s~]*(?P<roman>[A-Za-z][A-Za-z .]*)(?P<inner>{_POWER})?[\s~]*\}}"
    rf"(?P<outer>{_POWER})?"
    rf"|(?P<plain>(?:square |cubic )?[A-Za-z]{{1,12}})(?P<power>{_POWER})?)\.?$"
)
BROKEN = {"\x07": r"\a", "\x08": r"\b", "\x0b": r"\v", "\x0c": r"\f"}
"""What is left of a LaTeX command whose backslash was read as an escape: form feed + `rac` was `\\frac`."""


class Reference(NamedTuple):
    """A reference answer as it is used, and what had to be mended in it."""

    answer: str
    fault: str | None = None


def mended(raw: str) -> Reference:
    r"""The answer without outer spaces, a broken command put right, and taken out of its `\boxed{}`."""
    answer, fault = raw.strip(" \t\r\n"), None  # a form feed may be what is left of `\f`
    for broken, command in BROKEN.items():
        if broken in answer:
            answer, fault = answer.replace(broken, command), f"holds {broken!r}, which was {command!r}"
    inner = last_boxed(answer)
    if inner is not None and answer.strip("$ ") == rf"\boxed{{{inner}}}":
        answer, fault = inner.strip(), fault or r"stands in a \boxed{}"
    return Reference(answer, fault)


def unit_of(answer: str) -> str:
    r"""The unit behind a number: `cm`, `cm^2`, `%`, `degrees`; empty where there is none."""
    return _split(answer)[1]


def answer_type(answer: str, choices: bool) -> AnswerType:
    """The kind of a reference answer; `choices` says whether the problem lists some."""
    if choices or LETTER.fullmatch(answer.strip()):
        return AnswerType.CHOICE
    number, _ = _split(answer)
    return AnswerType.NUMBER if number and NUMBER.fullmatch(number) else AnswerType.EXPRESSION


def _split(answer: str) -> tuple[str, str]:
    """Number and unit; the whole answer and no unit where it is not a number with one."""
    text = answer.strip().strip("$").strip()
    for found in UNIT.finditer(text):
        number = text[: found.start()].strip().strip("$").strip()
        if number and NUMBER.fullmatch(number):
            return number, _unit(found)
    return text, ""


def _unit(found: re.Match[str]) -> str:
    if found["percent"]:
        return "%"
    if found["degrees"]:
        return "degrees"
    power = re.sub(r"[\s{}]", "", found["inner"] or found["outer"] or found["power"] or "")
    return f"{(found['roman'] or found['plain']).strip()}{power}"
