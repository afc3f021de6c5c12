"""Checks a drawing by the texts that were really drawn: given values there, answer not there, all readable.

No model and no pixels are looked at. It cannot know whether a label stands at the right thing or a shape is right:
swapped labels and wrong geometry pass; the judge is there for them. A text hidden behind a shape counts as drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from scigen.glassbox.labels import labels
from scigen.glassbox.tokens import Tokens, find, is_number, tokens
from scigen.records import (
    Drawing,
    DrawnText,
    Finding,
    FindingKind,
    Problem,
)

NAME = "glassbox"
CROSSED_SHARE = 0.5
"""Of a text's height: a line that is seen in it for longer than this runs through it, a shorter one grazes it."""


def findings(problem: Problem, drawing: Drawing) -> tuple[Finding, ...]:
    """All faults of one drawing; none if it is right as far as its texts tell."""
    return (
        *not_covered(labels(problem), drawing.texts),
        *leaks(problem, drawing.texts),
        *overlapping(drawing),
        *cut_off(drawing),
        *crossed(drawing),
    )


def not_covered(elements: Sequence[str], texts: Sequence[DrawnText]) -> Iterator[Finding]:
    """Each element must be drawn, as often as it is listed: as a text of its own, else within a longer one."""
    drawn = [tokens(t.text) for t in texts]
    left: list[str] = []
    for element in elements:
        if tokens(element) in drawn:
            drawn.remove(tokens(element))
        else:
            left.append(element)
    for element in sorted(left, key=lambda e: -len(tokens(e))):
        if not _take(tokens(element), drawn):
            yield Finding(kind=FindingKind.NOT_COVERED, detail=f"{element!r} is given and not drawn", texts=(element,))


def _take(element: Tokens, drawn: list[Tokens]) -> bool:
    """Find the element within a longer text and use that part up."""
    for i, text in enumerate(drawn):
        at = find(element, text)
        if element and at >= 0:
            drawn[i : i + 1] = [text[:at], text[at + len(element) :]]
            return True
    return False


def leaks(problem: Problem, texts: Sequence[DrawnText]) -> Iterator[Finding]:
    """The answer must not be readable in a text, unless that text is one of the given ones or a mark on a scale.

    A single letter (a vertex, an option) is too common to be a leak by itself: it must stand after an equals sign.
    """
    answer = _fold(tokens(problem.answer))
    if not answer:
        return
    given = {tokens(e) for e in problem.elements}
    scale = set(scale_marks(texts))
    letter = len(problem.answer.strip()) == 1 and problem.answer.strip().isalpha()
    for i, text in enumerate(texts):
        shown = tokens(text.text)
        if shown in given or i in scale:
            continue
        if find(("=", *answer) if letter else answer, _fold(shown)) >= 0:
            detail = f"{text.text!r} shows the answer {problem.answer!r}"
            yield Finding(kind=FindingKind.LEAK, detail=detail, texts=(text.text,))


def _fold(parts: Tokens) -> Tokens:
    """Words of more than one letter without case; single letters are names, where case matters."""
    return tuple(t.casefold() if len(t) > 1 else t for t in parts)


def scale_marks(texts: Sequence[DrawnText]) -> Iterator[int]:
    """Indices of texts that are the numbers along an axis: three or more in line, even in step and place."""
    numbers = [(i, tokens(t.text)) for i, t in enumerate(texts)]
    plain = [(i, float(t[0])) for i, t in numbers if len(t) == 1 and is_number(t[0])]
    lines: dict[tuple[str, int], list[tuple[float, float, int]]] = defaultdict(list)
    for i, value in plain:
        box = texts[i].box
        lines["row", round(box.cy + box.height / 2)].append((box.cx, value, i))
        lines["column by right edge", round(box.cx + box.width / 2)].append((box.cy, value, i))
        lines["column by centre", round(box.cx)].append((box.cy, value, i))
    for line in lines.values():
        line.sort()
        if len(line) >= 3 and _even([v for _, v, _ in line], 1e-6) and _even([p for p, _, _ in line], 3.0):
            yield from (i for _, _, i in line)


def _even(values: Sequence[float], tolerance: float) -> bool:
    steps = [b - a for a, b in pairwise(values)]
    mean = sum(steps) / len(steps)
    return mean != 0 and all(abs(s - mean) <= tolerance for s in steps)


def overlapping(drawing: Drawing) -> Iterator[Finding]:
    """No two texts may lie on each other."""
    for o in drawing.overlaps:
        a, b = drawing.texts[o.first].text, drawing.texts[o.second].text
        yield Finding(kind=FindingKind.OVERLAP, detail=f"{a!r} and {b!r} overlap by {o.depth:.0f} px", texts=(a, b))


def cut_off(drawing: Drawing) -> Iterator[Finding]:
    """No text may reach beyond the canvas."""
    for cut in drawing.cuts:
        text = drawing.texts[cut.text].text
        detail = f"{text!r} sticks out of the canvas by {cut.beyond:.0f} px"
        yield Finding(kind=FindingKind.CUT, detail=detail, texts=(text,))


def crossed(drawing: Drawing) -> Iterator[Finding]:
    """No line may run through a text."""
    for c in drawing.crossings:
        text = drawing.texts[c.text]
        if c.length > CROSSED_SHARE * text.box.height / (1 + text.text.strip().count("\n")):
            detail = f"{text.text!r} is crossed by a {c.line} of colour {c.color} over {c.length:.0f} px"
            yield Finding(kind=FindingKind.CROSSED, detail=detail, texts=(text.text,))
