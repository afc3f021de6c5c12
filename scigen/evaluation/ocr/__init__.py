"""Reads any picture, pixels too, and checks what is printed in it. See `evaluator`."""

from scigen.evaluation.ocr.evaluator import Ocr

__all__ = ["Ocr"]
