"""Faults that checks find in a drawing, by what is known of it or by reading it."""

from __future__ import annotations

from enum import StrEnum

from scigen.records.base import Part


class FindingKind(StrEnum):
    """What a check can find in a drawing."""

    NOT_COVERED = "not_covered"
    LEAK = "leak"
    OVERLAP = "overlap"
    CUT = "cut"
    CROSSED = "crossed"
    """A line runs through a text."""
    GARBLED = "garbled"
    """A text was read that is no word, number, unit or formula. Found by reading, in pictures of any kind."""


class Finding(Part):
    """One fault in one drawing."""

    kind: FindingKind
    detail: str
    texts: tuple[str, ...] = ()
