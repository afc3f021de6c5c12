"""The OCR evaluator: what is printed in a picture, whatever drew it, read and held against the problem."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field

from scigen import glassbox
from scigen.errors import ScigenError
from scigen.evaluation.base import Item
from scigen.evaluation.local import LocalEvaluator
from scigen.evaluation.ocr.garbled import garbled, words_of
from scigen.evaluation.ocr.matching import fold, matched, readable
from scigen.evaluation.ocr.reader import ReadText, read
from scigen.glassbox.checks import leaks, not_covered
from scigen.records import DrawnText, Finding, FindingKind, Problem, Verdict, VerdictStatus

CLOSER = 2.0
"""How much the picture is enlarged for the second look, which it gets if a label was not found."""


class Ocr(LocalEvaluator):
    """Passes a picture in which enough labels are read, little is garbled and the answer is not read.

    It cannot tell a label that is hard to read from one that is not there, nor at which thing a label stands.
    Measures: `coverage` (labels read, 0..1; not there if the problem has none that can be read), `labels` (that can be
    read), `unreadable` (that cannot: fractions and the like), `texts`, `garbled` (share of the texts), `confidence`
    (mean of the reader's own over the texts, 0..1).
    """

    name: str = "ocr"
    least_coverage: float = Field(ge=0, le=1)
    """Share of the labels that must be read."""
    most_garbled: float = Field(ge=0, le=1)
    """Share of the texts that may be garbled."""

    def look(self, item: Item) -> Verdict:
        """See LocalEvaluator. Not applicable where nothing is read and the problem has no label that could be."""
        if (none := self.unless_drawn(item)) is not None:
            return none
        start = time.perf_counter()
        try:
            texts, findings, measures = judged(item.problem, item.png())
        except OSError as e:
            raise ScigenError(f"{item.key}: the image cannot be opened: {e}. Make its set again.") from e
        if not texts and "coverage" not in measures:
            return self.verdict(item, VerdictStatus.NOT_APPLICABLE, error="nothing is read, and no label is asked for")
        return self.verdict(
            item,
            VerdictStatus.SCORED,
            passed=self.passes(findings, measures),
            findings=findings,
            measures=measures,
            texts=tuple(t.text for t in texts),
            seconds=time.perf_counter() - start,
        )

    def passes(self, findings: Sequence[Finding], measures: Mapping[str, float]) -> bool:
        """What becomes of findings and measures; an answer that is read never passes."""
        return (
            measures.get("coverage", 1.0) >= self.least_coverage
            and measures["garbled"] <= self.most_garbled
            and not any(f.kind is FindingKind.LEAK for f in findings)
        )


def judged(problem: Problem, png: bytes) -> tuple[list[ReadText], tuple[Finding, ...], dict[str, float]]:
    """The texts of a picture, what is wrong with them, and the measures of the class's text."""
    labels = [label for label in glassbox.labels(problem) if fold(label)]
    wanted = [label for label in labels if readable(label)]
    texts = read(png)
    missing = list(_missing(wanted, texts))
    if missing:
        texts = _with_second_look(texts, read(png, CLOSER), wanted)
        missing = list(_missing(wanted, texts))
    own = words_of(problem)
    noise = [t for t in texts if garbled(t.text, own, t.confidence)]
    findings = (
        *missing,
        *leaked(problem, [t.drawn for t in texts]),
        *(Finding(kind=FindingKind.GARBLED, detail=f"{t.text!r} says nothing", texts=(t.text,)) for t in noise),
    )
    measures = {
        "labels": float(len(wanted)),
        "unreadable": float(len(labels) - len(wanted)),
        "texts": float(len(texts)),
        "garbled": len(noise) / max(len(texts), 1),
    }
    if wanted:
        measures["coverage"] = 1 - len(missing) / len(wanted)
    if texts:
        measures["confidence"] = sum(t.confidence for t in texts) / len(texts)
    return texts, findings, measures


def _missing(labels: Sequence[str], texts: Sequence[ReadText]) -> Iterator[Finding]:
    """Labels that are not read, in the words of the problem."""
    spelt = {fold(label): label for label in labels}
    for finding in not_covered([fold(label) for label in labels], matched([t.drawn for t in texts], labels)):
        label = spelt[finding.texts[0]]
        yield finding.model_copy(update={"detail": f"{label!r} is given and not read", "texts": (label,)})


def leaked(problem: Problem, texts: Sequence[DrawnText]) -> Iterator[Finding]:
    """The glass-box rule on folded texts. A lone 1 or 0 is no leak: strokes and circles are read as such."""
    spelt = {fold(t.text): t.text for t in texts}
    answer = fold(problem.answer) or problem.answer
    if len(problem.answer.strip()) == 1 and problem.answer.strip().isalpha():
        answer = f"= {answer}"  # what the rule does itself, unless folding made a digit of the letter
    asked = problem.model_copy(update={"answer": answer, "elements": tuple(map(fold, problem.elements))})
    telling = [t for t in texts if fold(t.text) not in ("0", "1")]
    for finding in leaks(asked, matched(telling, problem.elements)):
        text = spelt.get(finding.texts[0], finding.texts[0])
        yield finding.model_copy(update={"detail": f"{text!r} shows the answer {problem.answer!r}", "texts": (text,)})


def _with_second_look(first: list[ReadText], second: list[ReadText], labels: Sequence[str]) -> list[ReadText]:
    """Adds those of the second look by which a label is found, each in the place of what was read there before."""
    kept = list(first)
    for text in second:
        before = len(list(_missing(labels, kept)))
        changed = [t for t in kept if not _same_place(t, text)] + [text]
        if before and len(list(_missing(labels, changed))) < before:
            kept = changed
    return kept


def _same_place(one: ReadText, other: ReadText) -> bool:
    a, b = one.box, other.box
    return abs(a.cx - b.cx) < max(a.width, b.width) / 2 and abs(a.cy - b.cy) < max(a.height, b.height) / 2
