"""A picture as two 256-bit perceptual hashes: of the whole page, and of its ink without the margins.

Scientific diagrams are mostly white paper, so the usual 64-bit hash takes different ones for the same and a wider
margin for another picture. The 256-bit DCT hash (pHash, imagehash) tells different diagrams apart; hashing the page
once whole and once trimmed to its ink forgives margins without trusting the trimming. docs/contamination.md has the
measurement that chose kind, size and threshold.
"""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt

Fingerprint = npt.NDArray[np.uint64]
"""Shape (2, 4): the page and its ink, 256 bits each."""

SIDE = 16
"""Bits of a hash in each direction."""
LONGEST = 512
"""Pixels of the longer edge in which the ink is looked for; larger pictures are reduced first."""
INK = 48
"""Grey levels (of 255) that tell ink from paper: above the noise of JPEG."""
MAX_PIXELS = 50_000_000


class NoFingerprint(Exception):
    """The bytes are no picture (`bad_image`), or a picture of nothing (`blank`)."""


def fingerprint(data: bytes) -> Fingerprint:
    """The hashes of an image file. Transparency is white paper; light on dark is turned into dark on light.

    Raises NoFingerprint with `bad_image` or `blank` as its text.
    """
    import imagehash
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise NoFingerprint("bad_image")
            opened.draft("L", (LONGEST, LONGEST))
            page = opened.convert("RGBA") if opened.mode not in ("L", "RGB") else opened.convert("L")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as e:
        raise NoFingerprint("bad_image") from e
    if page.mode == "RGBA":
        page = Image.alpha_composite(Image.new("RGBA", page.size, "white"), page).convert("L")
    page.thumbnail((LONGEST, LONGEST), Image.Resampling.BOX)
    grey = np.asarray(page, dtype=np.int16)
    paper = int(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))
    ink = np.abs(grey - paper) > INK
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        raise NoFingerprint("blank")
    if paper < 128:
        page = ImageOps.invert(page)
    trimmed = page.crop((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))
    return np.stack([packed(imagehash.phash(p, SIDE).hash) for p in (page, trimmed)])


def packed(bits: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint64]:
    """256 bits as four 64-bit numbers."""
    return np.packbits(bits.ravel()).view(np.uint64)
