r"""The words of a question, so that what looks alike to a reader is alike: one normal form for all text comparison.

Case, spacing, punctuation, Unicode forms and LaTeX mark-up do not count. Numbers and mathematical signs do: they are
words of their own, for two problems may differ in nothing else. No stemming, no stop words, no synonyms.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

NUMBER = "#"
"""Stands for any number where only the wording is compared."""
SIGNS = frozenset("+-<>≤≥≠±")
"""Signs that make another problem of the same words and numbers."""

_SUPERSCRIPT = re.compile("[\u00b2\u00b3\u00b9\u2070-\u207e]+")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_COMMAND = re.compile(r"\\([a-zA-Z]+)\*?")
_SPACING = re.compile(r"\\[,;:! >]|\\\\|~")
_DEGREE = re.compile(r"\^\s*\{?\s*\\circ\s*\}?|\\degree|°")
_THOUSANDS = re.compile(r"(?<=\d)(?:,|\{,\})(?=\d{3}(?!\d))")
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{[^{}]*\}")
_UNSPACED = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af])")
"""Scripts without spaces between words: each character counts as one."""
_WORD = re.compile(
    "\\d+(?:\\.\\d+)?|\\.\\d+"  # numbers
    "|[^\\W\\d_]+"  # letters
    "|(?<![a-z])-|-(?![a-z])|[+=<>*/^≤≥≠±∞√∫∑∈]"  # signs; a hyphen between letters only joins
)
_MARKUP = re.compile(
    "left|right|[bB]igg?[lr]?|text(bf|it|rm|tt)?|math(rm|bf|it|sf|bb)|boldsymbol|operatorname|displaystyle|textstyle"
    "|limits|q?quad|hline|label|mbox|[hv]space|bf|rm|it"
)
_MEANS = {
    "times": "*", "cdot": "*", "ast": "*", "div": "/", "over": "/", "le": "≤", "leq": "≤", "leqslant": "≤", "ge": "≥",
    "geq": "≥", "geqslant": "≥", "ne": "≠", "neq": "≠", "pm": "±", "lt": "<", "gt": ">", "infty": "∞", "sqrt": "√",
    "int": "∫", "sum": "∑", "in": "∈", "varepsilon": "epsilon", "vartheta": "theta", "varphi": "phi", "hbar": "h",
}  # fmt: skip
_CHARACTERS = str.maketrans(
    {"−": "-", "‐": "-", "‑": "-", "–": "-", "—": " ", "×": "*", "·": "*", "⋅": "*", "∙": "*", "÷": "/", "⁄": "/"}
    | {"µ": "μ", "ϵ": "ε", "ϑ": "θ", "ϕ": "φ", "∆": "Δ"}
    | {"∠": " angle ", "△": " triangle ", "∥": " parallel ", "⊥": " perp "}
)


def words(text: str) -> list[str]:
    r"""The words, numbers and signs of a text in order.

    NFKC and case folding; `\frac{a}{b}` is `a / b`, `\times`, `·` and `×` are `*`, Greek letters are spelled out as
    their LaTeX commands are, `5.0` is `5`, `1,234` is `1234`, `10⁻³` is `10^-3`; other commands are words.
    A text without any word is one word: itself without outer space.
    """
    found = _WORD.findall(_plain(text))
    return [_number(w) if w[0] in "0123456789." else w for w in found] or [text.strip()]


def wording(of: list[str]) -> list[str]:
    """The words with every number read as the same."""
    return [NUMBER if w[:1].isdigit() else w for w in of]


def figures(of: list[str]) -> list[str]:
    """The numbers and the signs of `SIGNS`, in order: what tells two problems of one wording apart."""
    return [w for w in of if w[:1].isdigit() or w in SIGNS]


def _plain(text: str) -> str:
    if not text.isascii():
        text = _SUPERSCRIPT.sub(lambda m: "^" + m[0], text)
        text = _UNSPACED.sub(r" \1 ", text)
        text = _greek(unicodedata.normalize("NFKC", text.replace("°", " degree ")).translate(_CHARACTERS))
    text = text.replace("**", " ")  # bold in Markdown
    if "\\" in text:
        text = _ENVIRONMENT.sub(" ", text)
        text = _DEGREE.sub(" degree ", text)
        text = _SPACING.sub(" ", text)
        text = _FRACTION.sub(r" \1 / \2 ", text)
        text = _COMMAND.sub(_command, text)
    if "," in text:
        text = _THOUSANDS.sub("", text)
    return text.casefold()


def _command(match: re.Match[str]) -> str:
    name = match[1]
    return " " if _MARKUP.fullmatch(name) else f" {_MEANS.get(name, name)} "


def _number(word: str) -> str:
    if "." in word:
        word = word.rstrip("0").rstrip(".")
    return "0" + word if word.startswith(".") else word or "0"


@cache
def _greek_names() -> dict[int, str]:
    names = {}
    for code in range(0x391, 0x3CA):
        if parts := unicodedata.name(chr(code), "").split():
            names[code] = f" {'sigma' if parts[-2:-1] == ['FINAL'] else parts[-1].lower().replace('lamda', 'lambda')} "
    return names


def _greek(text: str) -> str:
    return text.translate(_greek_names())
