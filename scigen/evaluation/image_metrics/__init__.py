"""Image metrics against the source's real pictures: PSNR, SSIM, MS-SSIM, CLIP score, FID, KID, and controls."""

from scigen.evaluation.image_metrics.controls import make_controls
from scigen.evaluation.image_metrics.evaluator import ImageMetrics

__all__ = ["ImageMetrics", "make_controls"]
