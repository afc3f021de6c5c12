"""Compares what was read with what should be printed, with room for what readers of pictures confuse.

Both sides are folded to one form, so that a confusion of look-alikes makes no difference: 0 O o; 1 l I |; the case of
long words and of letters such as c, s, x whose shape is the same; Greek letters and the Latin ones that they look like;
dashes. Degree signs, primes, dots and commas are dropped, raised and lowered signs written on the line. In a label, one
sign of a word of four letters and more may be read otherwise; names and numbers are the same or they are not. What
this lets pass: `30` for `30°`, `A'` for `A`, `x2` for `x²`, `kril` for `krill`.

Folded texts go to the glass-box checks, which know nothing of all this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from scigen.glassbox.tokens import is_number, tokens
from scigen.records import Box, DrawnText

WORD = 4
"""Letters from which a word may be read wrong in one sign, and its case does not count: shorter ones are names."""
PARTS = 4
"""Texts that a label may have been read in."""
_STACKED = re.compile(
    r"\\(?:[dt]?frac|sum|o?int|prod|lim|[td]?binom|begin|stackrel|(?:over|under)(?:brace|set))(?![A-Za-z])|\^\{[^{}]*\^"
)
_SHAPES = str.maketrans(
    {
        **{"十": "+", "一": "-", "—": "-", "–": "-", "‐": "-", "〇": "0", "|": "l", "丨": "l", "×": "x"},
        **{"α": "a", "β": "b", "γ": "y", "ε": "e", "η": "n", "ι": "l", "κ": "k", "µ": "u", "μ": "u", "ν": "v"},
        **{"ο": "o", "ρ": "p", "τ": "t", "υ": "u", "χ": "x", "ω": "w", "Α": "A", "Β": "B", "Ε": "E", "Ζ": "Z"},
        **{"Η": "H", "Ι": "I", "Κ": "K", "Μ": "M", "Ν": "N", "Ο": "O", "Ρ": "P", "Τ": "T", "Υ": "Y", "Χ": "X"},
        **{"ß": "b", "ø": "o", "Ø": "O", "φ": "o", "ϕ": "o", "Φ": "O", "ℓ": "l", "Δ": "△", "∆": "△"},
    }
)
_DROPPED = frozenset("°'′’‘`´\"·•∙.,;:*¨")
_DIGIT_SHAPES = str.maketrans("OolI", "0011")
_SAME_IN_BOTH_CASES = frozenset("CKOPSUVWXYZ")


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """The text in the form in which look-alikes are the same: for comparing, not for showing."""
    text = text.replace("º", "°").replace("。", "o")  # before they are parted from their letter or become one
    if "\\" not in text:
        text = text.replace("|", "l")
    if "(" in text or "（" in text:
        text = re.sub(r",(?=\d)", ", ", text)  # a pair, not thousands
    out: list[str] = []
    raised = False
    for part in (p for whole in tokens(text) for p in tokens(whole.translate(_SHAPES))):
        if part == "^":
            raised = True
            continue
        if part in "°" and out and _letters(out[-1]):
            out[-1] += "o"  # a raised nought
        elif raised and part[0].isalnum() and out and out[-1][-1].isalnum():
            out[-1] += part
        elif part not in _DROPPED:
            out.extend(_signed(part, out))
        raised = False
    return " ".join(_folded(p) for p in out)


def _signed(part: str, before: list[str]) -> list[str]:
    """A sign belongs to the number behind it unless there is something before it to take away from."""
    if part[0] == "-" and is_number(part) and _operand(before):
        return ["-", part[1:]]
    if is_number(part) and before and before[-1] == "-" and not _operand(before[:-1]):
        before.pop()
        return ["-" + part]
    return [part]


def _operand(before: Sequence[str]) -> bool:
    return bool(before) and (before[-1][-1].isalnum() or before[-1] in ")]")


def _letters(part: str) -> bool:
    return any(c.isalpha() for c in part)


def _folded(part: str) -> str:
    digits = part.translate(_DIGIT_SHAPES)
    if digits.isdecimal():
        return "".join(tokens(digits))
    if not _letters(part):
        return part
    word = part.replace("0", "o").replace("1", "l").replace("I", "l")
    if len(word) >= WORD:
        return word.casefold().translate(_SHAPES)  # Ω has come to ω
    return "".join(c.lower() if c in _SAME_IN_BOTH_CASES else c for c in word)


def squashed(text: str) -> str:
    """The folded text without its gaps, which readers lose and invent."""
    return fold(text).replace(" ", "")


def readable(label: str) -> bool:
    """Whether a label is one line of print. Fractions, sums with limits and raised signs on raised ones are not."""
    return not any(_STACKED.search(formula) for formula in re.findall(r"\$([^$]*)\$", label))


def near(text: str, label: str) -> bool:
    """Whether two folded texts are the same but for gaps, or one sign of one of the label's words is read otherwise.

    The word must have WORD letters: shorter ones are names. Letters may be lost or added there, digits not.
    """
    one, other = text.replace(" ", ""), label.replace(" ", "")
    if one == other:
        return True
    if abs(len(one) - len(other)) > 1 or _digits(one) != _digits(other):
        return False
    at = next(
        (i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )
    lost, added = len(one) <= len(other), len(one) >= len(other)
    if one[at + added :] != other[at + lost :]:
        return False
    lengths = [len(word) if word.isalpha() else 0 for word in label.split() for _ in word]
    return max(lengths[max(at - 1, 0) : at + 1], default=0) >= WORD if not lost else lengths[at] >= WORD


def _digits(text: str) -> list[str]:
    return re.findall(r"\d+", text)


def matched(texts: Sequence[DrawnText], labels: Sequence[str]) -> list[DrawnText]:
    """The texts folded, and those that are a label up to what readers confuse, in one text or in several, as the label.

    Each label is looked for as often as it is listed.
    """
    left = [t.model_copy(update={"text": fold(t.text)}) for t in texts]
    done: list[DrawnText] = []
    wanted = [fold(label) for label in labels]
    for same in (_equal, _near, _joined):
        missing = []
        for label in wanted:
            parts = same(label, left)
            if parts:
                done.append(_as_one([left[i] for i in parts], label))
                left = [t for i, t in enumerate(left) if i not in parts]
            else:
                missing.append(label)
        wanted = missing
    return done + left


def _equal(label: str, texts: Sequence[DrawnText]) -> list[int]:
    bare = label.replace(" ", "")
    return next(([i] for i, t in enumerate(texts) if t.text.replace(" ", "") == bare), [])


def _near(label: str, texts: Sequence[DrawnText]) -> list[int]:
    return next(([i] for i, t in enumerate(texts) if near(t.text, label)), [])


def _joined(label: str, texts: Sequence[DrawnText]) -> list[int]:
    """Texts side by side or below each other that make the label together."""
    if len(tokens(label)) < 2:
        return []
    return next(_chains(label.replace(" ", ""), texts, []), [])


def _chains(rest: str, texts: Sequence[DrawnText], chain: list[int]) -> Iterator[list[int]]:
    for i, t in enumerate(texts):
        part = t.text.replace(" ", "")
        if i in chain or not part or (chain and not _beside(texts[chain[-1]].box, t.box)):
            continue
        if chain and part == rest:
            yield [*chain, i]
        elif rest.startswith(part) and len(chain) + 1 < PARTS:
            yield from _chains(rest[len(part) :], texts, [*chain, i])


def _beside(one: Box, other: Box) -> bool:
    """Whether the other box goes on where the first ends: to its right, or on the next line."""
    high = max(one.height, other.height)
    right = (other.cx - other.width / 2) - (one.cx + one.width / 2)
    below = (other.cy - other.height / 2) - (one.cy + one.height / 2)
    same_line = abs(one.cy - other.cy) < high / 2 and -high / 2 < right < high
    return same_line or (abs(one.cx - other.cx) < (one.width + other.width) / 2 and -high / 2 < below < high)


def _as_one(texts: Sequence[DrawnText], label: str) -> DrawnText:
    return texts[0].model_copy(update={"text": label})
