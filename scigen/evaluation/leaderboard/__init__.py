"""One table of all generators that were evaluated, with the paper's published rows beside them."""

from scigen.evaluation.leaderboard.columns import BY_KEY, COLUMNS, Column, Section
from scigen.evaluation.leaderboard.published import Published, PublishedSystem, published
from scigen.evaluation.leaderboard.rows import (
    Cell,
    Kind,
    Mark,
    Row,
    breakdown,
    image_type_of,
    leaderboard,
    subject_of,
)

__all__ = [
    "BY_KEY",
    "COLUMNS",
    "Cell",
    "Column",
    "Kind",
    "Mark",
    "Published",
    "PublishedSystem",
    "Row",
    "Section",
    "breakdown",
    "image_type_of",
    "leaderboard",
    "published",
    "subject_of",
]
