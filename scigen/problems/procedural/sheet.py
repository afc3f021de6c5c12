"""A contact sheet of families: one row a family, one clean drawing a difficulty, drawn by the real sandbox."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from scigen.problems.procedural.family import Family
from scigen.problems.procedural.make import make_problem
from scigen.records import Problem
from scigen.rendering import RenderPool

if TYPE_CHECKING:
    from PIL.Image import Image

LEVELS = (1, 2, 3)
CAPTION = 18
"""Pixels for the line of words above a drawing."""


def contact_sheet(families: Sequence[Family], seed: int, columns: int, cell: tuple[int, int]) -> Image:
    """The drawings of these families at difficulties 1, 2, 3, each scaled into `cell` (pixels), families side by side.

    `columns` is the number of families in a row of the sheet. A drawing that failed is a red cell with its status.
    """
    from PIL import Image, ImageDraw

    problems = [make_problem(f, "textbook", level, seed) for f in families for level in LEVELS]
    with RenderPool() as pool:
        drawn = list(pool.map(_script(p, f) for p, f in zip(problems, _each(families), strict=True)))
    width, height = cell
    rows = -(-len(families) // columns)
    sheet = Image.new("RGB", (columns * len(LEVELS) * width, rows * (height + CAPTION)), "white")
    pen = ImageDraw.Draw(sheet)
    for i, (problem, picture) in enumerate(zip(problems, drawn, strict=True)):
        at, level = divmod(i, len(LEVELS))
        row, column = divmod(at, columns)
        x, y = (column * len(LEVELS) + level) * width, row * (height + CAPTION)
        if level == 0:
            family = families[at]
            pen.text((x + 4, y + 3), f"{family.subject} - {family.image_type}: {family.name}", fill="black")
        if picture.png is None:
            pen.rectangle((x, y + CAPTION, x + width, y + CAPTION + height), fill="red")
            pen.text((x + 4, y + CAPTION), f"{problem.id}: {picture.status}", fill="white")
            continue
        image = Image.open(io.BytesIO(picture.png)).convert("RGB")
        image.thumbnail((width - 6, height - 6))
        left, top = x + (width - image.width) // 2, y + CAPTION + (height - image.height) // 2
        sheet.paste(image, (left, top))
        pen.rectangle((x + 1, y + CAPTION, x + width - 2, y + CAPTION + height - 2), outline="lightgrey")
    return sheet


def _each(families: Sequence[Family]) -> list[Family]:
    return [f for f in families for _ in LEVELS]


def _script(problem: Problem, family: Family) -> str:
    assert problem.procedure is not None
    return family.draw(problem.procedure.params).script()
