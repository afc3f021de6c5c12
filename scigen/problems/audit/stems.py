"""Quiz stems that ask for what a text says instead of what the image shows, and the ones that can be mended in place.

Only a phrase that names the source of the knowledge is cut out (`According to the text, `, ` as stated in the
problem`); a stem whose sense hangs on it stays as it is. A text that is drawn in the image is no such reference.
"""

from __future__ import annotations

import re

WIDE = r"(?:text|passage|description|statement|problem|prompt|scenario|narrative|excerpt|snippet)"
"""Words for what only a reader of the problem has."""
MEANS = r"(?:provided|given|accompanying|above|input|original|source|full|problem|question|scenario|setup|word)"
MORE = r"(?:text|description|statement|setup|context|parameters)"
SOURCE = rf"(?:the|this|its)\s+(?:{MEANS}(?:'s)?\s+)*{WIDE}(?:'s)?(?:\s+{MORE})*"
SAID = (
    r"(?:explicitly\s+|specifically\s+|clearly\s+)?"
    r"(?:stated|described|mentioned|specified|provided|given|named|listed|defined|noted|used|referenced|identified|"
    r"indicated|written|presented)"
)
LEADING = re.compile(
    rf"^(?:according\s+to|based\s+(?:only\s+|solely\s+)?(?:on|upon)|as\s+{SAID}\s+(?:in|by)|from|in)\s+{SOURCE}"
    r"\s*,\s*(?=\w)",
    re.IGNORECASE,
)
TRAILING = re.compile(
    rf"\s*,?\s+(?:according\s+to|based\s+on|(?:as\s+)?{SAID}\s+(?:in|by)|in|from)\s+{SOURCE}(?=\s*[?.]\s*$)",
    re.IGNORECASE,
)
WITHIN = re.compile(rf"\s+in\s+{SOURCE}(?=\s+(?:for|to|between|at|on)\b)", re.IGNORECASE)
NARROW = re.compile(r"\b(?:the|this)\s+(?:\w+\s+){0,2}?(?:text|passage)\b(?!\s*['\"‘“])", re.IGNORECASE)
REFERENCE = re.compile(
    rf"\b(?:according\s+to|based\s+(?:only\s+|solely\s+)?(?:on|upon))\s+{SOURCE}\b|\b{SOURCE}\b(?!\s*['\"‘“])",
    re.IGNORECASE,
)
TORN = re.compile(r"\b(?:is|are|was|were|be|been|of|the|as|which|that|and)\s*\?$", re.IGNORECASE)
"""Ends of a stem that lost its verb's other half."""
DRAWN = re.compile(r"\btext\s+(?:label|box|annotation)s?\b|\bproblem\s+(?:image|figure|diagram)\b", re.IGNORECASE)
"""Texts that are part of a picture."""


def says_text(stem: str) -> bool:
    """Whether the stem speaks of "the text" or "the passage": the narrow count, PROTOCOL section 6's."""
    return NARROW.search(DRAWN.sub("", stem)) is not None


def refers_to_text(stem: str) -> bool:
    """Whether the stem speaks of a text, description, problem or the like that the image does not hold."""
    return says_text(stem) or REFERENCE.search(DRAWN.sub("", stem)) is not None


def reworded(stem: str) -> str | None:
    """The stem without the phrases that point to a text, or None if it cannot be freed of them by cutting.

    >>> reworded("According to the text, what is the mass of the block?")
    'What is the mass of the block?'
    >>> reworded("What is the speed of the car mentioned in the problem description?")
    'What is the speed of the car?'
    >>> reworded("In which direction does the text say the wave travels?") is None
    True
    """
    new = LEADING.sub("", stem.strip())
    new = WITHIN.sub("", TRAILING.sub("", new))
    new = new[:1].upper() + new[1:]
    if refers_to_text(new) or len(new.split()) < 4 or TORN.search(new):
        return None
    return new
