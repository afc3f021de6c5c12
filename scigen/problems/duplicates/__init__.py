"""Exact and near duplicates of texts, at the scale of a million rows. Pictures are not compared here."""

from scigen.problems.duplicates.find import REPEATS, Duplicate, Kind, find_duplicates
from scigen.problems.duplicates.words import words

__all__ = ["REPEATS", "Duplicate", "Kind", "find_duplicates", "words"]
