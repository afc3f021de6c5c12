"""Verdicts on images, one record an image and evaluator."""

from scigen.evaluation.base import NO_GENERATOR, Ask, Evaluator, Item
from scigen.evaluation.glassbox import Glassbox
from scigen.evaluation.local import LocalEvaluator
from scigen.evaluation.run import evaluate, items_of, items_without_images, verdict_set
from scigen.evaluation.transcripts import ModelEvaluator

__all__ = [
    "NO_GENERATOR",
    "Ask",
    "Evaluator",
    "Glassbox",
    "Item",
    "LocalEvaluator",
    "ModelEvaluator",
    "evaluate",
    "items_of",
    "items_without_images",
    "verdict_set",
]
