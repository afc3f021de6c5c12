"""What a study of training runs shows, as data; the pages and figures are made from this and nothing else."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from scigen.analysis.paper_study.intervals import Rate

State = Literal["run", "begun, not finished", "not run"]


class Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Score(Closed):
    """One experiment on one benchmark, over its seeds. Rates are of responses, means over seeds."""

    accuracy: Rate
    """AVG@k after training, or of the untrained model."""
    answers: int
    """k."""
    before: Rate | None = None
    """Of the same runs before training."""
    gain: Rate | None = None
    """Paired, over `Row.gain_over`."""
    truncated: float | None = None
    no_answer: float | None = None
    truncated_before: float | None = None
    no_answer_before: float | None = None


class Curve(Closed):
    """Something by step, over the seeds that have the step: mean, least, most."""

    points: dict[int, tuple[float, float, float]]


class Row(Closed):
    """One experiment. Everything but name and title is empty when it was not run."""

    name: str
    title: str
    state: State = "not run"
    runs: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    steps: tuple[int, ...] = ()
    """The last step of each run."""
    changed: tuple[str, ...] = ()
    """Overrides that some run was started with."""
    scores: dict[str, Score] = {}
    """By benchmark; those that were not validated are not there."""
    average: Rate | None = None
    average_gain: Rate | None = None
    gain_over: str | None = None
    """"the baseline's runs" or "its own first validation"."""
    curves: dict[str, Curve] = {}
    """"reward", and each benchmark's AVG@k."""


class Compared(Closed):
    """The main run against one control or ablation."""

    row: Row
    what: str
    """In words: "training on white pages"."""
    main_minus_this: Rate | None = None
    """Of the mean of the benchmarks, paired by problem and seed."""
    by_benchmark: dict[str, Rate] = {}
    reading: str
    """In plain words, from the intervals alone."""
