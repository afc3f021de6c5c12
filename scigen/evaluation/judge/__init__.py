"""Judges: vision models that grade images in five dimensions, how far they agree, and whom they favour."""

from scigen.evaluation.judge.evaluator import Grades, Judge, PassRule

__all__ = ["Grades", "Judge", "PassRule"]
