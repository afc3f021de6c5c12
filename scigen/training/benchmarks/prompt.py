"""What the policy is asked: our own prompt around the question, choices shown, `<image>` once for each picture.

The open prompt is the one that policies are trained with (`trainset.prompt`), so a gain is not one of format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from scigen.errors import ScigenError
from scigen.problems.sources.table import MARK
from scigen.training.benchmarks.answers import AnswerType
from scigen.training.benchmarks.base import Item
from scigen.training.rows import PLACEHOLDERS


@dataclass(frozen=True)
class Prompts:
    """Templates that hold `{question}`, the second one for problems whose answer is a letter."""

    open: str
    choice: str

    def __post_init__(self) -> None:
        for name in ("open", "choice"):
            if "{question}" not in getattr(self, name):
                raise ScigenError(f"benchmark.prompts.{name}: holds no {{question}}. Put it where the question goes.")


def question_text(item: Item) -> str:
    """Question and choices without pictures: what a verifier is shown.

    Marks become `(picture k)` where there are several pictures. Where one picture holds all figures a mark within a
    sentence becomes `(see picture)`, and one that stands by itself is cut.
    """
    text = _with_choices(item)
    if len(item.pictures) == 1:
        return _tidy(MARK.sub("(see picture)", BY_ITSELF.sub(r"\1", text)))
    return _tidy(MARK.sub(lambda m: _named(m, len(item.pictures)), text))


def prompt_text(item: Item, prompts: Prompts) -> tuple[str, tuple[bytes, ...]]:
    """The user's message and its pictures in the order of its `<image>` marks.

    One picture stands in front, as in the training rows. Several stand at their marks when each has exactly one, and
    otherwise in front too, where the text then names them `(picture k)`.
    """
    template = prompts.choice if item.answer_type is AnswerType.CHOICE else prompts.open
    marks = [int(m.group(1) or n) for n, m in enumerate(NUMBERED.finditer(item.question), 1)]
    count = len(item.pictures)
    if count > 1 and sorted(marks) == list(range(1, count + 1)) and not any(MARK.search(c) for c in item.choices):
        pieces = [PLACEHOLDERS.sub(r"< \1 >", piece) for piece in MARK.split(_with_choices(item))]
        return template.format(question=_tidy("<image>".join(pieces))), tuple(item.pictures[k - 1] for k in marks)
    question = PLACEHOLDERS.sub(r"< \1 >", question_text(item))
    return "<image>" * count + template.format(question=question), item.pictures


NUMBERED = re.compile(r"<image\s*(\d*)>")
BY_ITSELF = re.compile(rf"(^|[.?!:;,)])[ \t]*(?:{MARK.pattern}[ \t]*)+(?=$)|^(?:{MARK.pattern}[ \t]*)+", re.MULTILINE)
"""Marks that fill a line, begin it, or end it after a sentence."""


ESCAPED_LINE_END = re.compile(r"\\n(?=<image|$)|(?<=[.?!])\\n(?=[A-Z])")
"""A line end that a data set wrote as two characters; `\\nu` and `\\neq` are LaTeX."""
IN_THE_PICTURE = "The picture shows the question.\n"


def _named(mark: re.Match[str], pictures: int) -> str:
    found = NUMBERED.fullmatch(mark.group())
    number = int(found[1]) if found and found[1] else 0
    return f"(picture {number})" if pictures > 1 and 1 <= number <= pictures else " "


def _with_choices(item: Item) -> str:
    """The question, and the choices as (A), (B), ...; those that the picture alone shows by their letters."""
    question = ESCAPED_LINE_END.sub("\n", item.question)
    if not MARK.sub("", question).strip():
        question = IN_THE_PICTURE + question
    if not item.choices:
        return question
    letters = [chr(ord("A") + n) for n in range(len(item.choices))]
    in_picture = all(MARK.fullmatch(c) for c in item.choices) and len(item.pictures) == 1
    if in_picture or [c.strip("().") for c in item.choices] == letters:
        shown = ", ".join(f"({letter})" for letter in letters)
        return f"{question}\n\nChoices, as the picture shows them: {shown}"
    listed = "\n".join(f"({letter}) {choice}" for letter, choice in zip(letters, item.choices, strict=True))
    return f"{question}\n\nChoices:\n{listed}"


def _tidy(text: str) -> str:
    """Without the gaps that cut marks leave."""
    lines = [re.sub(r"[ \t]+([,.?!:;])", r"\1", re.sub(r"[ \t]{2,}", " ", line)).strip() for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
