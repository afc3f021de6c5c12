"""Verdicts on images, one record an image and evaluator."""

from scigen.evaluation.glassbox import check
from scigen.evaluation.run import evaluate

__all__ = ["check", "evaluate"]
