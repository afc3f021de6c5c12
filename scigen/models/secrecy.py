"""Keeps vendors' keys out of everything that is written: the values of the environment's key variables are blotted."""

from __future__ import annotations

import os
import re

SECRET_NAME = re.compile(r"(API_KEY|_KEY|_TOKEN|_SECRET|SECRET_ID|PASSWORD|CREDENTIALS)$")
SHORTEST = 6
"""Characters: blotting shorter values ("none", "x") would eat ordinary words."""
BLOT = "[key]"


def secret_values() -> tuple[str, ...]:
    """Values of the environment's variables that are named like keys, longest first."""
    values = {v for k, v in os.environ.items() if SECRET_NAME.search(k.upper()) and len(v) >= SHORTEST}
    return tuple(sorted(values, key=len, reverse=True))


def blot(text: str, values: tuple[str, ...]) -> str:
    """`text` with each of `values` replaced."""
    for value in values:
        if value in text:
            text = text.replace(value, BLOT)
    return text
