"""What a generator is: a name, the settings its output depends on, and problems in, images out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from pydantic import JsonValue

from scigen.records import GeneratedImage, Problem


class Generator(Protocol):
    """Makes one image a problem. A new one is one new file with a class that fits this."""

    name: str
    """Part of every record's key; lower case, without spaces."""

    def settings(self) -> dict[str, JsonValue]:
        """All that the output depends on beside the problem: a set made with other settings is another set."""
        ...

    def generate(self, problems: Iterable[Problem]) -> Iterator[tuple[GeneratedImage, bytes | None]]:
        """One record a problem, in order, lazily; with the PNG exactly when the status is ok.

        Failures are records, not exceptions. Raises ScigenError for a problem that this generator cannot take at all.
        """
        ...
