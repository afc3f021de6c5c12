"""Garbles words in a finished picture in three ways that pixel models are known for; used by benchmarks/ocr.py."""

from __future__ import annotations

import io
import re
import string
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

import numpy as np
from matplotlib import font_manager
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from scigen.records import DrawnText

Pixels = NDArray[np.uint8]
WORD = re.compile(r"[A-Za-z]{4,}")
SHARE = 0.5
"""Of the words that could be garbled; at least one is."""


def garbled_copy(png: bytes, texts: Sequence[DrawnText], way: str, random: Random) -> tuple[bytes, list[str]] | None:
    """The picture with some of its level words garbled, and which; None if it has no word of four letters and more."""
    able = [
        t for t in texts if WORD.search(t.text) and "$" not in t.text and abs(t.box.angle) < 1 and "\n" not in t.text
    ]
    if not able:
        return None
    chosen = random.sample(able, max(1, round(SHARE * len(able))))
    with Image.open(io.BytesIO(png)) as opened:
        picture = np.array(opened.convert("RGB"))
    for text in chosen:
        box = text.box
        left, right = (int(box.cx + side * (box.width / 2 + 2)) for side in (-1, 1))
        top, bottom = (int(box.cy + side * (box.height / 2 + 2)) for side in (-1, 1))
        area = (slice(max(top, 0), bottom), slice(max(left, 0), right))
        picture[area] = WAYS[way](picture[area].copy(), text, random)
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue(), [t.text for t in chosen]


def misspelt(patch: Pixels, text: DrawnText, random: Random) -> Pixels:
    """The same place with two in five letters, at least two, replaced by others."""
    letters = [i for i, c in enumerate(text.text) if c.isalpha()]
    wrong = list(text.text)
    for i in random.sample(letters, max(2, round(0.4 * len(letters)))):
        wrong[i] = random.choice([c for c in string.ascii_lowercase if c != wrong[i].lower()])
    paper = tuple(int(v) for v in np.median(patch.reshape(-1, 3), axis=0))
    ink = tuple(int(v) for v in patch.reshape(-1, 3)[np.argmax(np.abs(patch.astype(int) - paper).sum(axis=2))])
    out = Image.new("RGB", (patch.shape[1], patch.shape[0]), paper)
    face = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), round(text.size * 100 / 72))
    ImageDraw.Draw(out).text((patch.shape[1] / 2, patch.shape[0] / 2), "".join(wrong), fill=ink, font=face, anchor="mm")
    return np.array(out)


def warped(patch: Pixels, text: DrawnText, random: Random) -> Pixels:
    """Bent by a smooth field of up to half the text's height."""
    from cv2 import BORDER_REPLICATE, INTER_CUBIC, INTER_LINEAR, remap, resize

    height, width = patch.shape[:2]
    nodes = (max(3, round(2 * width / height)), 3)
    rng = np.random.default_rng(random.getrandbits(32))
    bend = [
        resize(
            rng.uniform(-0.5, 0.5, (nodes[1], nodes[0])).astype(np.float32), (width, height), interpolation=INTER_CUBIC
        )
        for _ in range(2)
    ]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return remap(patch, x + bend[0] * height, y + bend[1] * height, INTER_LINEAR, borderMode=BORDER_REPLICATE)


def strewn(patch: Pixels, text: DrawnText, random: Random) -> Pixels:
    """Cut into pieces as wide as a letter, which are mixed, mirrored and turned over."""
    count = max(4, len(text.text.replace(" ", "")))
    edges = np.linspace(0, patch.shape[1], count + 1).astype(int)
    pieces = [patch[:, a:b] for a, b in pairwise(edges)]
    random.shuffle(pieces)
    turns = [(lambda p: p), (lambda p: p[:, ::-1]), (lambda p: p[::-1]), (lambda p: p[::-1, ::-1])]
    return np.concatenate([random.choice(turns)(p) for p in pieces], axis=1)


WAYS: dict[str, Callable[[Pixels, DrawnText, Random], Pixels]] = {
    "misspelt": misspelt,
    "warped": warped,
    "strewn": strewn,
}
