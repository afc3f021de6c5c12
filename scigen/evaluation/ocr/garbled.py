"""Tells words, numbers, units, formulas and names from print that says nothing, as pixel models draw it.

A text of two letters and more is garbled if the reader is unsure of it, or if it has a word that is not known: four
letters or more that are in no word of the problem (one sign may differ), in no dictionary (pyspellchecker's English
list of 160,000), no chain of chemical symbols, no capitals of a shape, and no words run together. Words in other
scripts (captions in Chinese are common in SeePhys) are taken for words where the reader is sure. Lone signs are never
garbled, since readers take shapes for them. Not told: garbling that gives other words, and that of words of fewer than
four letters which are read with confidence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set
from functools import cache

from scigen.evaluation.ocr.matching import fold, near
from scigen.records import Problem

SURE = 0.9
"""Confidence from which words in a script that is neither Latin nor Greek are taken for words."""
UNSURE = 0.6
"""Confidence below which letters say nothing, whatever they were read as."""
FEWEST = 4
"""Letters from which a word that nobody knows is no name or unit."""
_WORD = re.compile(r"[^\W\d_]+")
_CAPITALS = re.compile(r"[A-Z]{1,5}")
_SHORT = frozenset({"of", "in", "to", "the", "and", "at", "on", "by", "is", "for", "per", "not", "a"})
_UNITS = frozenset(
    {"mmhg", "kcal", "kmol", "mmol", "ppmv", "torr", "dbar", "mbar", "mrad", "rads", "nmol", "ghz", "khz"}
)
_SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb "
    "Mo Ag Cd In Sn Sb Te I Xe Cs Ba La Ce W Pt Au Hg Tl Pb Bi U R"
)
_FORMULA = re.compile(f"(?:(?:{'|'.join(sorted(_SYMBOLS.split(), key=len, reverse=True))}|Me|Et|Ph|Ac)\\d*){{1,6}}")
_LATIN_OR_GREEK = re.compile(r"[A-Za-zµªº\u00c0-\u024f\u0370-\u03ff\u1d00-\u1dbf\u2070-\u209c\u2100-\u214f]")


def words_of(problem: Problem) -> frozenset[str]:
    """All words that the problem itself uses, folded."""
    quizzes = (t for q in problem.quizzes for t in (q.question, q.evidence, *q.options.values()))
    texts = (problem.question, problem.multimodal_question, problem.answer, *problem.elements, *quizzes)
    return frozenset(w for t in texts for w in _WORD.findall(fold(t)))


def garbled(text: str, own: Set[str], confidence: float = 1.0) -> bool:
    """Whether a text that was read says nothing. `own`: see words_of; `confidence`: the reader's, 0..1."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text))
    letters = "".join(words)
    if len(letters) < 2 or all(w in own for w in _WORD.findall(fold(text))):
        return False
    if not all(map(_LATIN_OR_GREEK.match, letters)):
        return confidence < SURE
    if len(set(letters)) > 2 and confidence < UNSURE:
        return True
    return any(not _known(w, own) for w in words if len(w) >= FEWEST)


def _known(word: str, own: Set[str]) -> bool:
    folded = fold(word)
    plain = word.replace("I", "l").casefold() if word[1:] != word[1:].upper() else word.casefold()
    return (
        folded in own
        or word.casefold() in _dictionary()
        or plain in _dictionary()
        or plain in _UNITS
        or len(set(plain)) < 3  # ticks, hatches and resistors
        or _CAPITALS.fullmatch(word) is not None
        or _FORMULA.fullmatch(word) is not None
        or any(near(folded, w) for w in own if abs(len(w) - len(folded)) < 2)
        or _run_together(plain, own)
    )


def _run_together(word: str, own: Set[str]) -> bool:
    """Whether it is words without their gaps: the problem's own, small ones, and others of four letters and more."""
    ends = {0}
    for end in range(1, len(word) + 1):
        if any(_piece(word[start:end], own) for start in ends):
            ends.add(end)
    return len(word) in ends


def _piece(word: str, own: Set[str]) -> bool:
    return word in _SHORT or (len(word) > 2 and fold(word) in own) or (len(word) >= FEWEST and word in _dictionary())


@cache
def _dictionary() -> frozenset[str]:
    from spellchecker import SpellChecker

    return frozenset(SpellChecker(language="en").word_frequency.words())
