"""The paper's training table as data. None of it was measured by us."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator


class Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PublishedBenchmark(Closed):
    title: str
    problems: int


class PublishedRow(Closed):
    """AVG@4 in per cent; None where we do not have the number."""

    title: str
    geometry3k: float | None = Field(default=None, ge=0, le=100)
    mathvision_mini: float | None = Field(default=None, ge=0, le=100)
    average: float | None = Field(default=None, ge=0, le=100)
    """The mean of the two, corrected where the paper's is not."""
    printed_average: float | None = None
    """What the paper prints, where that is something else."""

    @model_validator(mode="after")
    def _is_the_mean(self) -> Self:
        values = (self.geometry3k, self.mathvision_mini, self.average)
        if None in values and any(v is not None for v in values):
            raise ValueError(f"{self.title}: some numbers are missing")
        if self.geometry3k is not None and self.mathvision_mini is not None and self.average is not None:
            mean = (self.geometry3k + self.mathvision_mini) / 2
            if abs(mean - self.average) > 0.051:  # of numbers rounded to a tenth
                raise ValueError(f"{self.title}: average {self.average}, but the mean is {mean}")
        return self

    def value(self, benchmark: str) -> float | None:
        """By data source, or "average"."""
        found: float | None = getattr(self, benchmark, None)
        return found


class PublishedTable(Closed):
    """`published.yaml`."""

    paper: str
    policy: str
    """Hub name of the untrained model."""
    protocol: str
    benchmarks: dict[str, PublishedBenchmark]
    rows: dict[str, PublishedRow]


@cache
def published_table() -> PublishedTable:
    """Read once."""
    text = files("scigen.analysis.paper_study").joinpath("published.yaml").read_text(encoding="utf-8")
    return PublishedTable.model_validate(yaml.safe_load(text))
