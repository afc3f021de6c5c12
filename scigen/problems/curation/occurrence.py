"""Whether a given value or label stands in a question, however either of them is set: LaTeX, signs, spaces.

A comparison of words and numbers in order, not of meaning: "5 kg" is in "a mass of $5\\,\\text{kg}$", "five" is not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

COMMANDS = {
    "circ": "°", "degree": "°", "times": "×", "cdot": "·", "pm": "±", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥",
    "angle": "∠", "triangle": "△", "infty": "∞", "neq": "≠", "approx": "≈", "to": "→", "rightarrow": "→",
}  # fmt: skip
SYMBOLS = {"−": "-", "–": "-", "⋅": "·", "∙": "·", "º": "°", "’": "'", "′": "'"}
SETTING = (
    "text|mathrm|rm|mathbf|bf|mathit|it|operatorname|displaystyle|textstyle|left|right|big|Big|mbox|textrm|vec|hat|"
    "overline|bar|quad|qquad|limits|boldsymbol"
)
GREEK = {unicodedata.name(chr(code)).rsplit(" ", 1)[-1].lower(): chr(code) for code in range(0x3B1, 0x3CA)}
GREEK["lambda"] = GREEK.pop("lamda")
TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|[^\s\w]|_")
VALUE = re.compile(r"(?<!\w)(?<!_\{)\d")
"""A number that is no index of a name: not the 1 of R_1, R1 or R_{1}."""
FILLERS = frozenset({"the", "of", "is", "are", "equals", "equal", "an", "at", "to", "be"})
FIGURE = re.compile(
    r"\b(?:figure|fig\.|diagram|graph|picture|image|sketch|drawing|chart|plot|table)\b.{0,30}\b(?:below|above|shown|right|left)"
    r"|\b(?:in|from|see|by)\s+(?:the|this)\s+(?:\w+\s+)?(?:figure|fig\b|diagram|picture|image|sketch|drawing)"
    r"|\b(?:as\s+)?(?:shown|pictured|illustrated|depicted)\b",
    re.IGNORECASE | re.DOTALL,
)


def tokens(text: str) -> list[str]:
    """Words, numbers and signs in order, freed of the way they are set."""
    text = re.sub(r"\\d?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"\1/\2", text)
    text = re.sub(rf"\\(?:{SETTING})(?![A-Za-z])", " ", text)
    text = re.sub(r"\\([A-Za-z]+)", _command, text)
    text = re.sub(r"\{/?eq\}|\\[(){}\[\],;:! ]|[{}$^~]", " ", text)
    for odd, plain in SYMBOLS.items():
        text = text.replace(odd, plain)
    text = re.sub(r"(?<=\d)\s*(?:degrees?|deg)\b", "°", text)
    text = re.sub(r"(?<=[\d\s])[x*](?=\s*1\s*0\b|\s*10)", "×", text)
    text = unicodedata.normalize("NFKC", text)
    found = []
    for token in TOKEN.findall(text):
        plain = token.replace(",", "") if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", token) else token
        plain = plain if len(plain) < 3 else plain.casefold()
        if plain not in FILLERS and plain not in "\"'.,;:!?=_()":
            found.append(plain)
    return found


def occurs(part: str, text: Sequence[str]) -> bool:
    """Whether the tokens of `part` follow one another in `text`, which is `tokens` of a question.

    Words of one or two letters must agree in case (a point A is not a length a).
    """
    wanted = tokens(part)
    n = len(wanted)
    return n > 0 and any(list(text[i : i + n]) == wanted for i in range(len(text) - n + 1))


def is_value(element: str) -> bool:
    """Whether an element gives a number, and is not only a name such as R_1 or H2O."""
    return VALUE.search(element) is not None


def refers_to_figure(question: str) -> bool:
    """Whether the question speaks of a picture that stands beside it."""
    return FIGURE.search(question) is not None


def _command(found: re.Match[str]) -> str:
    name = found[1]
    letter = GREEK.get(name.lower())
    if letter is not None:
        return letter.upper() if name[0].isupper() else letter
    return COMMANDS.get(name, f" {name} ")
