"""Reads the texts of a picture with RapidOCR, whose models lie in its package: nothing is downloaded.

Where it differs from the package's own pipeline: pictures are brought to one size first, and a text that stands
upright in a tall box is told from one that was turned by reading it every way and keeping the surest reading. The
package turns all tall boxes, which loses single letters such as I, and repairs axis labels with a classifier that
can turn a lone 6 as well. It does not read formulas of more than one line (fractions, sums with limits).

Small print is lost: of the texts of our textbook drawings 88 to 96 % are read as drawn (500 px), 83 to 96 % at 384 px,
55 to 79 % at 192 px and next to none at 96 px (benchmarks/ocr_reading.py, 25 drawings).
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scigen.records import Box, DrawnText

Pixels = NDArray[np.uint8]

SHORT_SIDE = 736
"""Pixels to which the shorter side is enlarged: the size at which the detector looks. At most ENLARGED times."""
ENLARGED = 4.0
LONG_SIDE = 1600
"""Pixels to which the longer side is brought down. It wins."""
TALL = 1.3
"""Boxes that are higher than this times their width may hold a turned text."""
_DETECTOR = "PP-OCRv6_det_small.onnx"
_READER = "PP-OCRv6_rec_small.onnx"


@dataclass(frozen=True)
class ReadText:
    """One line that was read."""

    text: str
    box: Box
    """In pixels of the picture as it is in its file."""
    confidence: float
    """The reader's mean over the line's characters, 0..1."""

    @property
    def drawn(self) -> DrawnText:
        """As the glass-box checks take it. The font's size is not known; the box's height stands for it."""
        return DrawnText(text=self.text[:500], box=self.box, size=self.box.height)


def read(png: bytes, closer: float = 1.0) -> list[ReadText]:
    """The texts of a picture, in the detector's order; none if it shows none. The same picture gives the same texts.

    `closer` enlarges the picture by that factor more. Raises OSError for bytes that are no picture.
    """
    from cv2 import INTER_AREA, INTER_CUBIC, resize

    picture = _opened(png)
    height, width = picture.shape[:2]
    scale = closer * min(max(1.0, SHORT_SIDE / min(height, width)), ENLARGED)
    scale = min(scale, closer * LONG_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    enlarged = resize(picture, size, interpolation=INTER_CUBIC if scale > 1 else INTER_AREA)
    corners = engine()(enlarged, use_det=True, use_cls=False, use_rec=False).boxes
    if corners is None or len(corners) == 0:
        return []
    best: dict[int, tuple[str, float]] = {}
    crops = [(i, turned) for i, c in enumerate(corners) for turned in _ways(_crop(enlarged, c))]
    lines = engine().recognize_txt([crop for _, crop in crops])
    for (i, _), line, score in zip(crops, lines.txts, lines.scores, strict=True):
        text, sure = line.strip(), float(score)
        # upright comes first; turned, a lone I is a good dash
        if text and (i not in best or (len(text) > 1 and sure > best[i][1])):
            best[i] = (text, sure)
    return [ReadText(text, _box(corners[i] / scale), sure) for i, (text, sure) in sorted(best.items())]


@cache
def engine() -> Any:
    """The package's engine, once a process, on one thread."""
    import cv2
    import rapidocr

    cv2.setNumThreads(1)
    models = Path(rapidocr.__file__).parent / "models"
    return rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",
            # a path that is given is never fetched; a missing file is an error
            "Det.model_path": str(models / _DETECTOR),
            "Rec.model_path": str(models / _READER),
            # below the package's 0.3 and 0.5, with which single letters beside lines are lost
            "Det.thresh": 0.2,
            "Det.box_thresh": 0.3,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _opened(png: bytes) -> Pixels:
    """Blue, green, red, on white where it is transparent."""
    with Image.open(io.BytesIO(png)) as image:
        opaque = image.convert("RGBA")
        white = Image.new("RGBA", opaque.size, "white")
        white.alpha_composite(opaque)
        return np.ascontiguousarray(np.asarray(white.convert("RGB"))[:, :, ::-1])


def _crop(picture: NDArray[Any], corners: NDArray[Any]) -> Pixels:
    """The picture within four corners (clockwise from the top left one), straightened."""
    import cv2

    width, height = (max(1, int(side)) for side in _sides(corners))
    straight = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    onto = cv2.getPerspectiveTransform(corners.astype(np.float32), straight)
    crop: Pixels = cv2.warpPerspective(
        picture, onto, (width, height), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC
    )
    return crop


def _ways(crop: Pixels) -> list[Pixels]:
    """The crop, and turned both ways if it is tall."""
    if crop.shape[0] < TALL * crop.shape[1]:
        return [crop]
    return [crop, *(np.ascontiguousarray(np.rot90(crop, k)) for k in (-1, 1))]


def _sides(corners: NDArray[np.float32]) -> tuple[float, float]:
    a, b, c, d = (corners[i] for i in range(4))
    width = max(np.linalg.norm(a - b), np.linalg.norm(c - d))
    return float(width), float(max(np.linalg.norm(a - d), np.linalg.norm(b - c)))


def _box(corners: NDArray[np.float32]) -> Box:
    width, height = _sides(corners)
    along = corners[1] - corners[0]
    angle = -math.degrees(math.atan2(float(along[1]), float(along[0])))
    cx, cy = (float(v) for v in corners.mean(axis=0))
    return Box(cx=cx, cy=cy, width=width, height=height, angle=angle)
