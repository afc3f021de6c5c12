"""One canvas for all pictures, so that no metric depends on the size in which a generator happens to draw."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 512
"""Pixels."""

Canvas = NDArray[np.uint8]


def on_canvas(picture: bytes, side: int = SIDE) -> Canvas:
    """The picture on a white square of `side` pixels, as (side, side, 3) in 0..255.

    Transparency shows white. The aspect is kept: the longer side fills the canvas, by Pillow's bicubic filter, which
    averages over all pixels when it makes a picture smaller; the rest stays white. The reference implementation resizes
    the real picture to each model's image instead, so that each model is held against another reference.
    """
    with Image.open(BytesIO(picture)) as opened:
        image = opened.convert("RGBA")
    page = Image.new("RGBA", image.size, "white")
    page.alpha_composite(image)
    scale = side / max(page.size)
    width, height = (max(1, round(x * scale)) for x in page.size)
    fitted = page.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    canvas = Image.new("RGB", (side, side), "white")
    canvas.paste(fitted, ((side - width) // 2, (side - height) // 2))
    return np.asarray(canvas)
