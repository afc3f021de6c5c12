"""What a procedural family is: data and pure functions from a seed to problem, plan, drawing and script.

A family lives in one file of `families/` and ends in `FAMILY = Family(...)`. It has one or two views:

- *textbook*: a full problem with given values, drawn like a good textbook, with quizzes, a plan and planted defects;
- *glance*, in some families: a question with a closed set of one-word answers that a picture of 96 x 96 px decides,
  for the training of a tiny policy.

It does not draw: its scripts run in the sandbox of `scigen.rendering`, like anybody's.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from scigen.errors import ScigenError
from scigen.records import Defect, ImageType, Plan, Subject

Params = Mapping[str, Any]

GLANCE_PX = 96
"""Side of a glance drawing in pixels."""


@dataclass(frozen=True)
class Label:
    """One text of a drawing, `ax.text(x, y, text, **style)`.

    `given` marks what the problem gives (a value or a name that must be seen): it is an element of the problem and may
    be hit by a planted defect. `wrong` is the text that a drawing with a wrong value would show.
    """

    text: str
    x: float
    y: float
    given: bool = True
    wrong: str | None = None
    style: Mapping[str, Any] = field(default_factory=dict)

    def code(self) -> str:
        args = {"ha": "center", "va": "center", "fontsize": 12, **self.style}
        return (
            f"ax.text({self.x:.4g}, {self.y:.4g}, {self.text!r}, "
            + ", ".join(f"{k}={v!r}" for k, v in args.items())
            + ")"
        )


@dataclass(frozen=True)
class Drawing:
    """A figure with one axes `ax`: `body` draws the lines and shapes, `labels` are put on top.

    `body` is Python source in which `plt`, `np`, `fig` and `ax` exist; its numbers are written out, so that the script
    stands alone.
    """

    body: str
    labels: tuple[Label, ...]
    size: tuple[float, float] = (5.0, 4.0)
    """Width and height in inches, at 100 dpi."""
    imports: str = ""

    def script(self) -> str:
        return "\n".join(
            [
                "import matplotlib.pyplot as plt",
                "import numpy as np",
                *([self.imports.strip()] if self.imports else []),
                "",
                f"fig, ax = plt.subplots(figsize=({self.size[0]:g}, {self.size[1]:g}), dpi=100)",
                textwrap.dedent(self.body).strip(),
                "",
                *(label.code() for label in self.labels),
                'fig.savefig("figure.png")',
                "",
            ]
        )


@dataclass(frozen=True)
class Fact:
    """A quiz before its options are permuted: the right answer and three wrong ones, all different."""

    question: str
    right: str
    wrong: tuple[str, str, str]
    evidence: str = ""


@dataclass(frozen=True)
class Statement:
    """The words of a textbook problem."""

    question: str
    """The whole problem: everything needed to solve it, without an image."""
    multimodal_question: str
    """The question asked beside the image; the given values are only in the image."""
    answer: str
    """Exact: an integer, a decimal with stated rounding, or a word."""
    leak: tuple[str, ...]
    """Texts that would give the answer away if the drawing showed them; the first one is what a defect plants."""
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Glance:
    """The low-resolution view: `draw` gives a script for a figure of 0.96 x 0.96 inches at 100 dpi, without text."""

    question: str
    answers: tuple[str, ...]
    """Closed set of single words, each equally likely."""
    sample: Callable[[Random, str], Params]
    """Parameters for which the given answer is right."""
    draw: Callable[[Params], str]
    content: tuple[str, ...]
    """The parameters that make the problem what it is; the rest is style (colours). Splits go by these."""


@dataclass(frozen=True)
class Family:
    """One kind of problem; see the module's text."""

    name: str
    subject: Subject
    image_type: ImageType
    sample: Callable[[Random, int], Params]
    """Parameters from a random generator and a difficulty of 1 to 3."""
    state: Callable[[Params], Statement]
    plan: Callable[[Params], Plan]
    draw: Callable[[Params], Drawing]
    distort: Callable[[Params], Params]
    """Parameters whose `draw(...).body` is a wrong geometry for the problem, e.g. another angle."""
    glance: Glance | None = None
    solve: Callable[[Params], str | float] | None = None
    """The textbook answer found another way than `state` finds it: by a library (sympy, networkx, RDKit), by counting
    out or by integration. For verification, so it shares no formula with `state`; a number need not be rounded."""

    @property
    def seen_at_a_glance(self) -> Glance:
        """The glance view; ScigenError for a family that has none."""
        if self.glance is None:
            raise ScigenError(f"family {self.name}: it has no glance view. Take its textbook view, or another family.")
        return self.glance

    def spoil(self, params: Params, defect: Defect, rng: Random) -> Drawing:
        """The drawing with one defect planted."""
        drawing = self.draw(params)
        given = [i for i, label in enumerate(drawing.labels) if label.given]
        labels = list(drawing.labels)
        match defect:
            case Defect.WRONG_GEOMETRY:
                return replace(drawing, body=self.draw(self.distort(params)).body)
            case Defect.MISSING_LABEL:
                del labels[rng.choice(given)]
            case Defect.WRONG_VALUE:
                i = rng.choice([i for i in given if labels[i].wrong is not None])
                labels[i] = replace(labels[i], text=labels[i].wrong or "")
            case Defect.SWAPPED_LABELS:
                i, j = rng.sample(given, 2)
                labels[i], labels[j] = replace(labels[i], text=labels[j].text), replace(labels[j], text=labels[i].text)
            case Defect.OVERLAPPING_TEXT:
                i, j = rng.sample(range(len(labels)), 2)
                style = {
                    **labels[j].style,
                    **{k: v for k, v in labels[i].style.items() if k in ("ha", "va", "transform")},
                }
                labels[j] = replace(labels[j], x=labels[i].x, y=labels[i].y, style=style)
            case Defect.LEAKED_ANSWER:
                leak = Label(self.state(params).leak[0], 0.5, 0.97, style={"transform": AXES_TRANSFORM, "va": "top"})
                labels.append(leak)
        return replace(drawing, labels=tuple(labels))


class _Code(str):
    """A piece of source that prints as itself, so that a style may hold an expression such as ax.transAxes."""

    def __repr__(self) -> str:
        return str(self)


AXES_TRANSFORM = _Code("ax.transAxes")


def number(value: float, digits: int = 2) -> str:
    """A number as a textbook prints it: no trailing zeros, at most `digits` decimals."""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def distractors(rng: Random, right: float, steps: Sequence[float], digits: int = 2) -> tuple[str, str, str]:
    """Three printed numbers near `right`, all different from it and from each other."""
    texts: list[str] = []
    for step in rng.sample(list(steps), len(steps)):
        text = number(right + step, digits)
        if text != number(right, digits) and text not in texts:
            texts.append(text)
    if len(texts) < 3:
        raise ValueError(f"steps {steps} give fewer than three distractors for {right}")
    return texts[0], texts[1], texts[2]
