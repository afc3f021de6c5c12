"""Counting tokens without a tokenizer: a likely number for estimates, and an upper bound for the budget.

No table is downloaded, so these are rules of thumb. Text: four bytes of UTF-8 a token is likely (English runs at 4
to 4.5; Chinese at 2 to 3 bytes), and one byte a token is the most that a byte-level vocabulary can give. Images: by the
vendors' published rules, as far as they give one; the bound is twice that.
"""

from __future__ import annotations

import io
import math

from scigen.errors import ScigenError
from scigen.models.request import Request, image_kind, schema_json

BYTES_PER_TOKEN = 4
PER_MESSAGE = 16
"""Tokens around a message: roles, separators, the template's own words."""


def image_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels from the file's header. Raises ScigenError if the header is broken."""
    from PIL import Image

    kind = image_kind(data)
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as e:
        raise ScigenError(f"an image of {len(data)} bytes begins like {kind} but cannot be read ({e}).") from e


def image_tokens(model: str, width: int, height: int) -> int:
    """Likely tokens of an image, by the rule of the model's family.

    Gemini 3: 1,120 at its default resolution. Gemini 2: 258 for each 768 px tile. Qwen-VL: one for each 32 px square,
    at most 16,384. OpenAI: 85, and 170 for each 512 px tile after scaling into 2,048 px and to 768 px on the short
    side. Anything else is counted like OpenAI's.
    """
    name = model.lower()
    if "gemini-3" in name:
        return 1120
    if "gemini" in name:
        return 258 if max(width, height) <= 384 else 258 * math.ceil(width / 768) * math.ceil(height / 768)
    if "qwen" in name:
        return min(16_384, math.ceil(width / 32) * math.ceil(height / 32)) + 2
    scale = min(1.0, 2048 / max(width, height))
    scale = min(scale, 768 / min(width * scale, height * scale) * scale) if min(width, height) * scale > 768 else scale
    return 85 + 170 * math.ceil(width * scale / 512) * math.ceil(height * scale / 512)


def likely_input(model: str, request: Request) -> int:
    """Tokens that a request probably has."""
    return PER_MESSAGE + math.ceil(_text_bytes(request) / BYTES_PER_TOKEN) + _image_sum(model, request)


def most_input(model: str, request: Request, further: str = "") -> int:
    """Tokens that a request, with `further` text of a second turn, cannot exceed."""
    return 4 * PER_MESSAGE + _text_bytes(request) + len(further.encode()) + 2 * _image_sum(model, request)


def _text_bytes(request: Request) -> int:
    schema = "" if request.answer is None else schema_json(request.answer)
    return len(request.system.encode()) + len(request.prompt.encode()) + len(schema)


def _image_sum(model: str, request: Request) -> int:
    return sum(image_tokens(model, *image_size(image)) for image in request.images)
