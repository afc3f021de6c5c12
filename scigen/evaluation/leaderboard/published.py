"""The paper's own table, as data: values as published, and when each model came out. None of it was measured by us."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from scigen.evaluation.evidence import Paradigm, Split
from scigen.records import Dimension


class Release(BaseModel):
    """The day a model could first be used, and where that is said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    day: date
    source: str = Field(min_length=1)


class PublishedSystem(BaseModel):
    """One row of the paper's table."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    title: str
    """The paper's name for it."""
    paradigm: Paradigm
    weights: str = Field(pattern="^(open|closed)$")
    r_inv: float = Field(ge=0, le=100)
    """Per cent."""
    judge: dict[Dimension, float]
    """Means of 0 to 2."""
    psnr: float
    """dB."""
    ssim: float
    clip_score: float
    fid: float
    released: Release | None = None
    """None where no source was found."""

    @model_validator(mode="after")
    def _all_dimensions(self) -> PublishedSystem:
        if set(self.judge) != set(Dimension):
            raise ValueError(f"{self.title}: {len(self.judge)} of the judge's 5 dimensions")
        return self

    def values(self) -> dict[str, float]:
        """Column of the leaderboard to value, in its units: rates are shares of 1."""
        judged = {str(d): v for d, v in self.judge.items()}
        return {
            "r_inv": self.r_inv / 100,
            **judged,
            "psnr": self.psnr,
            "ssim": self.ssim,
            "clip_score": self.clip_score,
            "fid": self.fid,
        }


class Published(BaseModel):
    """`published.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paper: str
    note: str
    over: dict[str, Split]
    """Which part of the benchmark a value is over; `judge` stands for the five dimensions."""
    systems: dict[str, PublishedSystem]

    def values(self, name: str, split: Split) -> dict[str, float]:
        """What is published of a system on a part of the benchmark. Values over SeePhys count for `all` too."""
        dimensions = {str(d) for d in Dimension}
        return {
            column: value
            for column, value in self.systems[name].values().items()
            if split in (Split.ALL, self.over["judge" if column in dimensions else column])
        }


@cache
def published() -> Published:
    """The table that comes with the package."""
    folder = files("scigen.evaluation.leaderboard")
    return Published.model_validate(yaml.safe_load((folder / "published.yaml").read_text(encoding="utf-8")))
