"""What models cost: a dated table beside this module, and how a call's price is worked out from it."""

from __future__ import annotations

import fnmatch
from datetime import date
from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict, Field

MILLION = 1_000_000


class Price(BaseModel):
    """US dollars per million tokens. Sent images are charged as tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)
    """Input that the vendor had in its own cache; None charges it as input."""
    as_of: date | None = None
    """Day on which the price was read."""
    source: str = ""
    """Page it was read from."""

    def usd(self, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> float:
        """Price of a call. `input_tokens` includes `cached_tokens`."""
        cached = self.input if self.cached is None else self.cached
        plain = input_tokens - cached_tokens
        return (plain * self.input + cached_tokens * cached + output_tokens * self.output) / MILLION


FREE = Price(input=0, output=0)


class PriceTable(BaseModel):
    """`prices.yaml`: patterns of model names (`fnmatch`) with prices; the first that fits counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: date
    note: str
    models: dict[str, Price]

    def find(self, name: str) -> Price | None:
        """Price of Inspect's model name `name`, or None if no pattern fits."""
        for pattern, price in self.models.items():
            if fnmatch.fnmatchcase(name, pattern):
                return price.model_copy(update={"as_of": price.as_of or self.as_of})
        return None


@cache
def price_table() -> PriceTable:
    """The table that comes with the package."""
    return PriceTable.model_validate(yaml.safe_load((files("scigen.models") / "prices.yaml").read_text()))


def price_of(name: str, *, local: bool) -> Price | None:
    """Table price of a model, 0 for one served on this machine, None if it is not known."""
    return FREE if local else price_table().find(name)
