"""A vendor's bytes become a PNG, or a status: only what decodes as a picture within the limits is taken."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

from scigen.records import Status
from scigen.rendering.picture import is_blank

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP")


class Taken(NamedTuple):
    """The PNG exactly when the status is ok; else why not."""

    status: Status
    png: bytes | None = None
    width: int | None = None
    height: int | None = None
    mime: str | None = None
    """What the bytes really are."""
    fault: str = ""


def take(data: bytes, max_bytes: int, max_pixels: int) -> Taken:
    """PNG, JPEG and WebP are taken, whatever type the vendor gave; transparent parts become white.

    The header is checked before anything is decoded, so a small file that would unfold to a huge picture is refused.
    """
    from PIL import Image

    if len(data) > max_bytes:
        return Taken(Status.TOO_LARGE, fault=f"{len(data)} bytes; at most {max_bytes} are taken")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            mime = Image.MIME.get(image.format or "")
            if image.width * image.height > max_pixels:
                fault = f"{image.width} x {image.height} px; at most {max_pixels} px are taken"
                return Taken(Status.TOO_LARGE, mime=mime, fault=fault)
            image.load()
            flat = _on_white(image)
    except Exception as e:  # Pillow raises many types on broken files
        return Taken(Status.BAD_IMAGE, fault=f"{len(data)} bytes that are no whole picture ({e}): {_begin(data)}")
    if is_blank(flat):
        return Taken(Status.BLANK, mime=mime, fault="all pixels have one colour")
    if mime == "image/png" and flat is image:
        return Taken(Status.OK, data, flat.width, flat.height, mime)
    out = io.BytesIO()
    flat.save(out, "PNG")
    return Taken(Status.OK, out.getvalue(), flat.width, flat.height, mime)


def _on_white(image: Image.Image) -> Image.Image:
    from PIL.Image import new

    if image.mode in ("RGB", "L"):
        return image
    rgba = image.convert("RGBA")
    page = new("RGB", image.size, "white")
    page.paste(rgba, mask=rgba.getchannel("A"))
    return page


def _begin(data: bytes) -> str:
    return repr(data[:24])
