"""Which part of a source is read: the same three settings for every source, for trials and for job arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from scigen.errors import ScigenError

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Part:
    """`max_items` items from `offset` on, and of these the ones that fall to one shard.

    Items are counted as they stand in the source, bad ones too: shards never overlap, and all of them together are what
    is read without shards. Raises ScigenError for values that make no sense.
    """

    offset: int = 0
    max_items: int | None = None
    """None reads to the end."""
    shard: str = "1/1"
    """`3/16`: every sixteenth item from the third on."""

    def __post_init__(self) -> None:
        for name, least in (("offset", 0), ("max_items", 1)):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
                raise ScigenError(f"problems.{name}: {value!r} is not a whole number from {least} on.")
        self._shard()

    def part(self, items: Iterable[T]) -> Iterator[T]:
        """The items of this part, lazily; nothing behind the last one is read."""
        first, of = self._shard()
        end = None if self.max_items is None else self.offset + self.max_items
        return islice(items, self.offset + first - 1, end, of)

    def _shard(self) -> tuple[int, int]:
        first, _, of = str(self.shard).partition("/")
        if first.isdigit() and of.isdigit() and 1 <= int(first) <= int(of):
            return int(first), int(of)
        raise ScigenError(f'problems.shard: "{self.shard}" is no part such as 3/16, counted from 1.')
