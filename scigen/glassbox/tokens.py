"""Brings texts of a drawing and of a problem to one form, so that `$30^\\circ$`, `30°` and `30 °` are the same.

A text becomes a tuple of tokens: numbers in canonical form ("0.50" and ".5" are "0.5"), words, single signs. Subscripts
are part of their word (`m_1`, `$m_{1}$`, `m₁` are all "m1"). It knows the mathtext of labels, not all of TeX.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

Tokens = tuple[str, ...]

_SIGNS = {
    **{"circ": "°", "degree": "°", "times": "×", "cdot": "·", "pm": "±", "mp": "∓", "angle": "∠", "perp": "⊥"},
    **{"leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠", "ne": "≠", "approx": "≈", "sim": "~", "infty": "∞"},
    **{"to": "→", "rightarrow": "→", "leftarrow": "←", "leftrightarrow": "↔", "rightleftharpoons": "⇌"},
    **{"triangle": "△", "parallel": "∥", "sqrt": "√", "prime": "'", "hbar": "ħ", "ell": "ℓ", "partial": "∂"},
    **{"quad": " ", "qquad": " ", "%": "%", ",": " ", ";": " ", ":": " ", "!": "", " ": " ", "$": "$", "&": "&"},
}
_GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon "  # noqa: SIM905
    "phi chi psi omega".split()
)
_WRAPPERS = "mathrm|mathit|mathbf|mathsf|text|textrm|textbf|textit|vec|hat|bar|overline|dot|ddot|tilde|operatorname|rm"
_SUPERSCRIPTS = {"⁰": "0", "¹": "1", "²": "2", "³": "3", "⁴": "4", "⁵": "5", "⁶": "6", "⁷": "7", "⁸": "8", "⁹": "9"}
_SUPERSCRIPTS |= {"⁺": "+", "⁻": "-", "ⁿ": "n"}
_TOKEN = re.compile(r"(?:(?<![\w)\]°'])[-+])?(?:\d+\.?\d*|\.\d+)|[^\W\d_][^\W_]*|\S")


@lru_cache(maxsize=65536)
def tokens(text: str) -> Tokens:
    """The text's tokens; see the module's text."""
    gaps = r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))"  # thin gaps between thousands; a plain space parts two numbers
    plain = unicodedata.normalize("NFKC", re.sub(gaps, "", _superscripts(_mathtext(text))))
    plain = plain.replace("−", "-").replace("º", "°").replace("μ", "µ")
    plain = plain.replace("_", "")
    plain = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", plain)
    return tuple(_number(t) for t in _TOKEN.findall(plain))


def find(part: Tokens, whole: Tokens) -> int:
    """Where `part` begins within `whole`, -1 if it is not there."""
    for i in range(len(whole) - len(part) + 1):
        if whole[i : i + len(part)] == part:
            return i
    return -1


def is_number(token: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", token) is not None


def _number(token: str) -> str:
    if not any(c.isdigit() for c in token) or not re.fullmatch(r"[-+]?[\d.]+", token):
        return token
    if not token.isascii():
        return token
    value = format(Decimal(token.rstrip(".")), "f")
    value = value.rstrip("0").rstrip(".") if "." in value else value
    return "0" if value in ("-0", "") else value.lstrip("+")


def _superscripts(text: str) -> str:
    """NFKC would make 10² into 102; a superscript run is written ^2 first."""
    run = re.compile("[" + "".join(_SUPERSCRIPTS) + "]+")
    return run.sub(lambda m: "^" + "".join(_SUPERSCRIPTS[c] for c in m.group()), text)


def _mathtext(text: str) -> str:
    if "$" not in text:
        return text
    text = text.replace(r"\$", "\0")
    text = re.sub(r"\$([^$]*)\$", lambda m: _formula(m.group(1)), text)
    return text.replace("\0", "$")


def _formula(s: str) -> str:
    for _ in range(4):  # innermost braces first
        s = re.sub(r"\\(?:d|t)?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"\1/\2", s)
        s = re.sub(rf"\\(?:{_WRAPPERS})\s*\{{([^{{}}]*)\}}", r"\1", s)
        s = re.sub(r"_\s*\{([^{}]*)\}", r"_\1", s)
        s = re.sub(r"\^\s*\{([^{}]*)\}", r"^\1", s)
    s = re.sub(r"\\([A-Za-z]+|.)", lambda m: _command(m.group(1)), s)
    return re.sub(r"\^\s*(?=[°'])", "", re.sub(r"[{}~]", "", s))


def _command(name: str) -> str:
    if name in _SIGNS:
        return _SIGNS[name]
    lower = name.lower().removeprefix("var")
    if lower in _GREEK:
        capital = "CAPITAL" if name[0].isupper() else "SMALL"
        return unicodedata.lookup(f"GREEK {capital} LETTER {'LAMDA' if lower == 'lambda' else lower.upper()}")
    return "" if name in ("left", "right", "displaystyle") or re.fullmatch(_WRAPPERS, name) else name
