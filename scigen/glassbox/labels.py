"""Which of a problem's elements are texts to be printed, and which describe what must be seen in other words.

Our own problems and curated ones list texts ("5 kg", "$R_1$"). SciGenBench lists sentences ("The diameter is labeled as
2.1 micrometers"), which no drawing prints; a check of printed texts can say nothing on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from scigen.glassbox.tokens import find, tokens
from scigen.records import Problem

FEWEST_WORDS = 3
"""Words of three letters and more that make an element a sentence, unless the question has it in just these words."""
_WORD = re.compile(r"[^\W\d_]{3,}")
_MARKUP = re.compile(r"\\[a-zA-Z]+")


def labels(problem: Problem) -> tuple[str, ...]:
    """The problem's elements that are texts to be printed."""
    return tuple(printed(problem.elements, problem.question))


def printed(elements: Iterable[str], question: str) -> Iterable[str]:
    """Those of `elements` that are texts to be printed, in their order."""
    words = tokens(question)
    return (e for e in elements if not _is_sentence(e) or find(tokens(e), words) >= 0)


def _is_sentence(element: str) -> bool:
    return len(_WORD.findall(_MARKUP.sub(" ", element))) >= FEWEST_WORDS
