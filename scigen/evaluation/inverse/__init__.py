"""Inverse validation: can the quizzes be answered from the image alone? R_inv and what it takes to trust it."""

from scigen.evaluation.inverse.evaluator import Inverse

__all__ = ["Inverse"]
