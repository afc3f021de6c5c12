"""What the report shows of one sample: its caption, boxes over the picture, highlighted code, and chain of provenance.

Everything here is plain data for the template; nothing is escaped here but the highlighted code.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from markupsafe import Markup

from scigen.analysis.results import Answer, RunResults, Sample
from scigen.records import Finding, FindingKind, Status
from scigen.store import IMAGES, RECORDS

EMBED_BYTES = 40_000
"""A larger picture is shown with 256 colours; the file in the run folder stays as it was drawn."""

Tone = Literal["good", "bad", "plain"]

FINDINGS = {
    FindingKind.NOT_COVERED: "given value or label not drawn",
    FindingKind.LEAK: "the answer is shown",
    FindingKind.OVERLAP: "texts overlap",
    FindingKind.CUT: "text is cut off",
    FindingKind.CROSSED: "a line runs through a text",
}


@dataclass(frozen=True)
class Chip:
    """A short remark under a picture."""

    text: str
    tone: Tone


@dataclass(frozen=True)
class TextBox:
    """A drawn text's rectangle as SVG wants it: corner, size and a turn about the centre, clockwise, in degrees."""

    x: float
    y: float
    width: float
    height: float
    transform: str
    text: str
    at_fault: bool


@dataclass(frozen=True)
class Tally:
    """Four answers of one policy to one problem."""

    name: str
    answers: tuple[Answer, ...]

    @property
    def right(self) -> int:
        """How many are right."""
        return sum(a.correct for a in self.answers)


@dataclass(frozen=True)
class Link:
    """One step back along the chain of provenance; `href` is relative to the run folder."""

    what: str
    text: str
    where: str = ""
    href: str | None = None


@dataclass(frozen=True)
class Card:
    """One sample, ready for the template."""

    anchor: str
    sample: Sample
    title: str
    kind: str
    view: str
    picture: str | None
    boxes: tuple[TextBox, ...]
    chips: tuple[Chip, ...]
    findings: tuple[Finding, ...]
    tallies: tuple[Tally, ...]
    code: Markup
    chain: tuple[Link, ...]
    classes: str


def cards(results: RunResults) -> list[Card]:
    """All samples as cards, in the order given."""
    return [card(results, sample, f"sample-{n}") for n, sample in enumerate(results.samples, 1)]


def card(results: RunResults, sample: Sample, anchor: str) -> Card:
    """One card. `anchor` is its id in the page."""
    problem, image = sample.problem, sample.image
    procedure = problem.procedure
    findings = tuple(f for c in sample.checks for f in c.findings)
    view = procedure.view if procedure else "problem"
    tallies = (Tally("before", sample.before), Tally("after", sample.after), Tally("blank page", sample.blank))
    classes: list[str] = [view]
    if image.planted_defect:
        classes.append("planted")
    if findings:
        classes.append("found")
    if any(not a.correct for a in sample.after):
        classes.append("missed")
    return Card(
        anchor=anchor,
        sample=sample,
        title=(procedure.family if procedure else problem.id).replace("_", " "),
        kind=" · ".join(str(x) for x in (problem.subject, problem.image_type) if x),
        view=view,
        picture=data_uri(shrink(sample.png)) if sample.png else None,
        boxes=text_boxes(sample, findings),
        chips=chips(sample, findings),
        findings=findings,
        tallies=tuple(t for t in tallies if t.answers),
        code=highlight(image.code) if image.code else Markup(""),
        chain=chain(results, sample),
        classes=" ".join(classes),
    )


def chips(sample: Sample, findings: Sequence[Finding]) -> tuple[Chip, ...]:
    """Status, planted defect and checks, in words. A defect that is caught is good news, one that is missed is bad."""
    found: list[Chip] = []
    image = sample.image
    if image.status is not Status.OK:
        found.append(Chip(f"no image: {str(image.status).replace('_', ' ')}", "bad"))
    if image.planted_defect:
        found.append(Chip(f"planted: {str(image.planted_defect).replace('_', ' ')}", "plain"))
    scored = [c for c in sample.checks if c.status == "scored"]
    if not scored:
        return tuple(found)
    kinds = list(dict.fromkeys(str(f.kind).replace("_", " ") for f in findings))
    if not all(c.passed for c in scored):
        text = "found: " + ", ".join(kinds) if kinds else "checks failed"
        found.append(Chip(text, "good" if image.planted_defect else "bad"))
    elif image.planted_defect:
        found.append(Chip("checks passed: missed", "bad"))
    else:
        found.append(Chip("checks passed", "good"))
    return tuple(found)


def text_boxes(sample: Sample, findings: Sequence[Finding]) -> tuple[TextBox, ...]:
    """The record's boxes in pixels of the picture; those named by a finding are marked."""
    blamed = {text for f in findings for text in f.texts}
    return tuple(
        TextBox(
            x=round(t.box.cx - t.box.width / 2, 2),
            y=round(t.box.cy - t.box.height / 2, 2),
            width=round(t.box.width, 2),
            height=round(t.box.height, 2),
            # the record's angle is anticlockwise as seen, SVG turns clockwise
            transform=f"rotate({-t.box.angle:g} {t.box.cx:g} {t.box.cy:g})",
            text=t.text,
            at_fault=t.text in blamed,
        )
        for t in sample.image.texts
    )


def chain(results: RunResults, sample: Sample) -> tuple[Link, ...]:
    """From the parquet row back to the parameters, with the file that holds each step."""
    problem, image, folders = sample.problem, sample.image, results.folders
    links = []
    if sample.row is not None:
        where = f"{sample.row.file}, row {sample.row.row} (counted from 0)"
        links.append(Link("parquet row", f"{image.key}, {sample.split or 'no split'}", where))
    else:
        links.append(Link("parquet row", "none: not in the train set"))
    if sample.decision is not None:
        kept = "kept" if sample.decision.kept else "left out"
        text = f"{kept}: {sample.decision.reason} ({sample.decision.split.replace('_', ' ')})"
        links.append(Link("filter decision", text, *_records(f"{folders.trainset}/decisions")))
    for check in sample.checks:
        text = f"{check.evaluator}: {'passed' if check.passed else 'not passed'}, {len(check.findings)} findings"
        links.append(Link("check", text, *_records(folders.checks)))
    if image.image is not None:
        path = str(PurePosixPath(folders.images, IMAGES, image.image[:2], f"{image.image}.png"))
        links.append(Link("image", f"sha256 {image.image}", path, path))
    else:
        links.append(Link("image", f"none: {image.status}", *_records(folders.images)))
    if image.code is not None:
        digest = hashlib.sha256(image.code.encode()).hexdigest()
        lines = len(image.code.splitlines())
        text = f"{lines} lines, sha256 {digest[:16]}…, by {image.generator} (key {image.key})"
        links.append(Link("code", text, *_records(folders.images)))
    links.append(Link("problem", f"id {problem.id}, source {problem.source}", *_records(folders.problems)))
    if problem.procedure is not None:
        p = problem.procedure
        params = json.dumps(p.params, ensure_ascii=False)
        text = f"run seed {results.seed}; family {p.family}, {p.view}, difficulty {p.difficulty}; {params}"
        links.append(Link("parameters", text, f"scigen/problems/procedural/families/{p.family}.py in the repository"))
    return tuple(links)


def _records(folder: str) -> tuple[str, str]:
    path = str(PurePosixPath(folder, RECORDS))
    return path, path


def highlight(code: str) -> Markup:
    """Python source with Pygments' short CSS classes; the text is exactly the script's."""
    from pygments import highlight as pygmentize
    from pygments.formatters.html import HtmlFormatter
    from pygments.lexers.python import PythonLexer

    lexer = PythonLexer(stripnl=False, ensurenl=False)
    return Markup(pygmentize(code, lexer, HtmlFormatter(nowrap=True)))


def shrink(png: bytes) -> bytes:
    """The PNG itself if it is small, or else with 256 colours if that is smaller."""
    if len(png) <= EMBED_BYTES:
        return png
    from PIL import Image

    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").quantize(256).save(out, format="PNG", optimize=True)
    return min(png, out.getvalue(), key=len)


def data_uri(png: bytes) -> str:
    """A PNG as a `data:` URI."""
    return "data:image/png;base64," + base64.b64encode(png).decode()
