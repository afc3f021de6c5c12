r"""What the rule may decide without the verifier, and what it may be asked about afterwards.

math-verify, which the rule reward uses, is lenient where training would find it: it drops units (5 cm = 5 m), percent
and degree signs (50 % = 50), takes `4=5` for 5 and 2x for 2X, and {1,2} for (1,2). Fine for a rule that is the only
judge; here the verifier would refuse some of these, so the rule pays only where no reading is left open, and asks
the verifier about all else.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from scigen.training.reward import BOX, LONGEST, is_equal, last_boxed, normalise

WAIT_S = 30.0
"""Longest wait for the rule. Comparisons take turns and each is killed after two seconds; later ones are undecided."""
SHORTEST_WORD = 4
"""Shorter words are symbols: CO is not Co, mW is not MW."""

_RUNS = re.compile(r"\\?[A-Za-z]+")
_STRUCTURE = {r"\frac", r"\dfrac", r"\tfrac", r"\sqrt", r"\left", r"\right", r"\cdot", r"\times", r"\displaystyle"}
_SIGNS = ("=", "%", "°", "?", "!", "<", ">", ":", "...", "±", "(", "[", r"\{", "|")
_LISTS = re.compile("[,;]")
_BOXES = re.compile(r"\\(?:boxed|fbox|framebox)")
_DENIAL = re.compile(r"(?:\bnot|n't|\bnever|\\neq?|≠)[\s$*(\[:\\]*$", re.I)
_CLOSING = re.compile(r"[\s$.*)\]!\\。]*")
"""What may stand after the box: the end of a formula, of bold print or of the sentence."""
_DECIDABLE = re.compile(r"[^\s\\]{1,24}|(?=.*\d)[\d\s.+\-*/^(){}\\a-zA-Z_]{1,80}")

_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rule")


def only_answer(response: str) -> str | None:
    r"""What the response's one `\boxed{...}` holds, if nothing but the end of the sentence follows; else None.

    A second box, or words after the box, may take the answer back.
    """
    answer = last_boxed(response)
    if answer is None or len(_BOXES.findall(response)) != 1:
        return None
    before, _, after = response.partition(BOX)
    if _DENIAL.search(before):
        return None
    rest = after[len(answer) + 1 :]
    return answer if _CLOSING.fullmatch(rest) else None


def surely_equal(answer: str, truth: str) -> bool:
    """Whether the answer is the truth in letter, or in mathematics with the same names, units, signs and brackets."""
    a, t = normalise(answer), normalise(truth)
    if not a or max(len(a), len(t)) > LONGEST:
        return False
    if a == t:
        return True
    if a.casefold() == t.casefold():
        return len(t) >= SHORTEST_WORD and t.isalpha() and {a, t} <= {t.lower(), t.capitalize()}
    if _LISTS.search(a + t):  # the order may be asked for; math-verify ignores it
        return False
    return _names(a) == _names(t) and _signs(a) == _signs(t) and is_equal(a, t)


def _names(text: str) -> set[str]:
    return {run for run in _RUNS.findall(text) if run not in _STRUCTURE}


def _signs(text: str) -> set[str]:
    return {sign for sign in _SIGNS if sign in text}


def is_decidable(truth: str) -> bool:
    """Whether a rule can tell right from wrong here: the reference answer is one word, a letter, a number, a term."""
    return _DECIDABLE.fullmatch(normalise(truth)) is not None


def _sure(response: str, truth: str) -> bool:
    answer = only_answer(response)
    return answer is not None and surely_equal(answer, truth)


def _agrees(response: str, truth: str) -> bool:
    answer = last_boxed(response)
    return answer is not None and is_equal(answer, truth)


async def sure(response: str, truth: str) -> bool:
    """Whether the rule pays for the response by itself. False when it comes to no end in time."""
    return await _in_time(_sure, response, truth)


async def agrees(response: str, truth: str) -> bool:
    """Whether the rule reward would pay for the response, which the verifier did: the lenient rule."""
    return await _in_time(_agrees, response, truth)


async def _in_time(rule: Callable[[str, str], bool], response: str, truth: str) -> bool:
    future = asyncio.get_running_loop().run_in_executor(_THREAD, rule, response, truth)
    try:
        return await asyncio.wait_for(future, WAIT_S)
    except TimeoutError:
        return False
