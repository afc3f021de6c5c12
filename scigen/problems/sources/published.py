"""The pictures that SciGenBench publishes for its eleven systems.

The hub's rows have no ids: a picture finds its problem by the question's words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from scigen.errors import ScigenError, nearest
from scigen.problems.sources.files import tables
from scigen.problems.sources.hub import hub_rows, resolve
from scigen.problems.sources.pictures import BadPicture, as_png
from scigen.problems.sources.rows import BadRow, local_rows
from scigen.problems.sources.scigenbench import HUB, normalised

SYSTEMS = {
    "hunyuan_image_3": "hunyuan",
    "qwen_image": "qwen-image-plus",
    "gpt_image_1": "gpt-image1",
    "seedream_4": "seedream4.0",
    "nanobanana": "nanobanana",
    "flux2_flex": "flux2",
    "gpt_image_1_5": "gpt-image1_5",
    "nanobanana_pro": "nanobanana-pro",
    "qwen3_imgcoder": "qwen3-imgcoder",
    "gemini3_flash_imgcoder": "gemini-3-flash-imgcoder",
    "gemini3_pro_imgcoder": "gemini-3-pro-imgcoder",
}
"""Our name of a system to the hub's config."""


class PublishedPicture(NamedTuple):
    """One row of a system's table."""

    where: str
    """File and row."""
    question: str
    """The problem's question, normalised (`scigenbench.normalised`)."""
    posed: str
    """Its wording beside a picture, normalised: four questions of the benchmark come twice, each time with another."""
    png: bytes | None
    fault: str = ""
    """Why the picture cannot be taken; empty where the row holds none."""


def published_pictures(
    system: str, split: str, path: str = "", revision: str | None = None
) -> Iterator[PublishedPicture]:
    """The rows of a system's table, one by one; a row that cannot be read is one without a question.

    `path` is a local copy of the data set or of the config's files; empty streams from the hub (not run here: no
    network). Raises ScigenError for an unknown system or when the table cannot be read.
    """
    if system not in SYSTEMS:
        raise ScigenError(f'no published pictures of "{system}": {nearest(system, SYSTEMS)}')
    config = SYSTEMS[system]
    rows = local_rows(tables(path, config, split)) if path else hub_rows(resolve(HUB, revision), config, split)
    for where, row, _ in rows:
        if isinstance(row, BadRow):
            yield PublishedPicture(where, "", "", None, row.fault)
            continue
        question = normalised(str(row.get("original_question") or ""))
        posed = normalised(str(row.get("multimodal_question") or ""))
        try:
            png = as_png(row.get("image"))
        except BadPicture as e:
            yield PublishedPicture(where, question, posed, None, str(e))
        else:
            yield PublishedPicture(where, question, posed, png)
