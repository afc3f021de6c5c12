"""PSNR, SSIM and MS-SSIM of pairs of canvases.

torchmetrics is what our values are tested against, not what makes them: on pages that are nearly white its float32 is
off by up to 1e-3 (differences of large sums), and its float64 takes twenty times as long. Here white is 0 before
squares are taken, so that float32 is exact to 1e-6, and OpenCV blurs in two passes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from scigen.evaluation.image_metrics.canvas import Canvas

IDENTICAL_DB = 120.0
"""PSNR of identical pictures, which is infinite. One value of 512 x 512 x 3 that is off by one gives 107.1 dB."""
WINDOW, SIGMA = 11, 1.5
"""Pixels of the Gaussian window (Wang et al. 2004)."""
BORDER = WINDOW // 2
"""Pixels at each edge that are left out, where the window would reach beyond the canvas."""
C1, C2 = 0.01**2, 0.03**2
SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of MS-SSIM's five scales (Wang, Simoncelli and Bovik 2003)."""
SMALLEST = (WINDOW - 1) * 2 ** (len(SCALES) - 1) + 16
"""Pixels of a side that they need."""

Plane = NDArray[np.float32]


def pair_metrics(images: Sequence[Canvas], references: Sequence[Canvas]) -> list[dict[str, float]]:
    """`psnr` (dB), `ssim` and `ms_ssim` (at most 1) of each image against its reference of the same size.

    Values in 0..1, the means taken over the three colour channels: scikit-image with `gaussian_weights` and
    `use_sample_covariance=False`. MS-SSIM is left out below 176 pixels. A thread a core.
    """
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        return list(threads.map(_metrics, images, references))


def _metrics(image: Canvas, reference: Canvas) -> dict[str, float]:
    a, b = _from_white(image), _from_white(reference)
    error = float(np.mean(np.square(a - b), dtype=np.float64))
    found = {"psnr": IDENTICAL_DB if error == 0 else float(-10 * np.log10(error))}
    ssim, contrast = _ssim(a, b)
    found["ssim"] = ssim
    if min(image.shape[:2]) >= SMALLEST:
        found["ms_ssim"] = _ms_ssim(a, b, contrast)
    return found


def _ms_ssim(a: Plane, b: Plane, contrast: float) -> float:
    """Product over scales of the mean contrast and structure, at the last of the whole SSIM; below 0 counts as 0."""
    import cv2

    value = 1.0
    for power in SCALES[:-1]:
        value *= max(contrast, 0.0) ** power
        height, width = a.shape[0] // 2, a.shape[1] // 2
        a, b = (cv2.resize(x[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA) for x in (a, b))
        ssim, contrast = _ssim(a, b)
    return float(value * max(ssim, 0.0) ** SCALES[-1])


def _ssim(a: Plane, b: Plane) -> tuple[float, float]:
    """Means of SSIM and of its contrast and structure alone, over the canvas without its border."""
    x, y = _blurred(a), _blurred(b)
    spread = _blurred(a * a) + _blurred(b * b) - x * x - y * y
    together = _blurred(a * b) - x * y
    contrast = (2 * together + C2) / (spread + C2)
    x, y = x + 1, y + 1
    brightness = (2 * x * y + C1) / (x * x + y * y + C1)
    return float(np.mean(brightness * contrast, dtype=np.float64)), float(np.mean(contrast, dtype=np.float64))


def _blurred(plane: Plane) -> Plane:
    import cv2

    blurred = cv2.GaussianBlur(plane, (WINDOW, WINDOW), SIGMA, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(blurred[BORDER:-BORDER, BORDER:-BORDER], dtype=np.float32)


def _from_white(canvas: Canvas) -> Plane:
    """0..255 to -1..0."""
    return canvas.astype(np.float32) / np.float32(255) - np.float32(1)
