"""A source's pictures as one PNG: whatever form the cell has, several of them side by side."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GAP = 20
"""White pixels between pictures that are put side by side."""
LARGEST = 64_000_000
"""Pixels; a larger picture is a fault."""


class BadPicture(ValueError):
    """A cell that holds no picture; the message says why."""


def as_png(cell: Any, folder: Path | None = None) -> bytes | None:
    """The picture of a cell as PNG, or None for an empty one.

    A cell is the bytes of a picture, base64 text of one, a file's name below `folder`, the hub's {bytes, path}, or a
    list of these. A single PNG comes back as it is. Raises BadPicture.
    """
    cells = cell if isinstance(cell, list | tuple) else [cell]
    found = [data for data in (_bytes(c, folder) for c in cells) if data is not None]
    if not found:
        return None
    images = [_decoded(data) for data in found]
    if len(images) == 1 and found[0].startswith(b"\x89PNG"):
        return found[0]
    return _side_by_side(images)


def as_pngs(cell: Any, folder: Path | None = None) -> list[bytes]:
    """Every picture of a cell as a PNG of its own, in order; cells are those of `as_png`. Raises BadPicture."""
    cells = cell if isinstance(cell, list | tuple) else [cell]
    found = [data for data in (_bytes(c, folder) for c in cells) if data is not None]
    return [
        data if data.startswith(b"\x89PNG") and _decoded(data) else _side_by_side([_decoded(data)]) for data in found
    ]


def _bytes(cell: Any, folder: Path | None) -> bytes | None:
    if isinstance(cell, Mapping):
        return _bytes(cell.get("bytes") or cell.get("path"), folder)
    if cell is None or cell == "" or cell == b"":
        return None
    if isinstance(cell, bytes):
        return cell
    if not isinstance(cell, str):
        raise BadPicture(f"is {type(cell).__name__}, not a picture")
    if folder is not None and len(cell) < 1000:
        path = (folder / cell).resolve()
        if path.is_relative_to(folder.resolve()) and path.is_file():
            return path.read_bytes()
    try:
        return base64.b64decode(cell.partition("base64,")[2] or cell, validate=True)
    except (binascii.Error, ValueError) as e:
        raise BadPicture(f"{cell[:40]!r} is neither a file beside the table nor base64") from e


def _decoded(data: bytes) -> Any:
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(io.BytesIO(data))
        if image.width * image.height > LARGEST:
            raise BadPicture(f"is {image.width} x {image.height} pixels; at most {LARGEST} are taken")
        image.load()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as e:
        raise BadPicture(str(e) if isinstance(e, BadPicture) else f"cannot be decoded ({e})") from e
    return image


def _side_by_side(images: list[Any]) -> bytes:
    from PIL import Image

    flat = []
    for image in images:
        page = Image.new("RGB", image.size, "white")
        rgba = image.convert("RGBA")
        page.paste(rgba, mask=rgba.getchannel("A"))
        flat.append(page)
    width = sum(i.width for i in flat) + GAP * (len(flat) - 1)
    sheet = Image.new("RGB", (width, max(i.height for i in flat)), "white")
    x = 0
    for image in flat:
        sheet.paste(image, (x, 0))
        x += image.width + GAP
    out = io.BytesIO()
    sheet.save(out, format="PNG")
    return out.getvalue()
