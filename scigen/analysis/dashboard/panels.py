"""What the dashboard shows: sections of panels, by the names that verl and summary.json give their figures.

The W&B workspace and the local page are both made from this list and know no figure of their own. Adding a panel here
adds it to both. A panel whose figures no run has is left out of the page and empty in W&B.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic import model_validator

from scigen.records import Part
from scigen.tracking import JobType


class Curves(Part):
    """Metrics by training step, a line a run; one metric, or all whose whole name fits `pattern`."""

    title: str
    metric: str | None = None
    pattern: str | None = None
    unit: str = ""
    percent: bool = False
    """Values are proportions and shown in per cent."""
    log_y: bool = False
    smoothed: bool = True
    """False for figures that are measured seldom, such as validations."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Curves:
        if (self.metric is None) == (self.pattern is None):
            raise ValueError(f"{self.title}: give a metric or a pattern")
        return self

    def chosen(self, names: Iterable[str]) -> list[str]:
        """Which of the metrics it shows, in order of name."""
        return sorted(n for n in names if n == self.metric or (self.pattern and re.fullmatch(self.pattern, n)))


class Levels(Part):
    """Figures of finished runs side by side, with their 95 % intervals: `NAME_low` and `NAME_high` of `interval`."""

    title: str
    figures: tuple[str, ...]
    """Names in summary.json, flattened; those that a run has."""
    percent: bool = True
    unit: str = ""
    zero: bool = False
    """A line at zero, for differences."""


class Against(Part):
    """One figure of finished runs against another, a point a run."""

    title: str
    x: str
    x_title: str
    y: tuple[str, ...]
    log_x: bool = False
    percent: bool = True
    unit: str = "%"


Panel = Curves | Levels | Against


class Section(Part):
    """Panels that answer one question."""

    title: str
    note: str
    job_type: JobType
    """Which runs of W&B hold these figures."""
    panels: tuple[Panel, ...]


BENCHMARKS = ("mathvision_mini", "geometry3k")
"""Data sources of the paper's benchmarks; the laptop's runs have one and give it no name."""


def of_benchmarks(role: str, figure: str) -> tuple[str, ...]:
    """The figure of a policy ("before", "after") on each benchmark, as summary.json nests it."""
    return (f"{role}/{figure}", *(f"{role}/{benchmark}/{figure}" for benchmark in BENCHMARKS))


def interval_of(figure: str) -> tuple[str, str]:
    """Where the ends of a figure's interval are: beside it, as `ci95`."""
    stem = figure.rsplit("/", 1)[0]
    return f"{stem}/ci95_low", f"{stem}/ci95_high"


def validation(title: str, pattern: str) -> Curves:
    """A share that is measured seldom, for each benchmark."""
    return Curves(title=title, pattern=pattern, unit="%", percent=True, smoothed=False)


def by_rows(title: str, figures: tuple[str, ...], unit: str) -> Against:
    """Figures against the size of the train set."""
    return Against(title=title, x="rows/train", x_title="training rows", y=figures, log_x=True, unit=unit)


GAIN = "differences/after minus before/value"

SECTIONS = (
    Section(
        title="Training",
        note="Each step's batch of rollouts, and verl's validations on problems held out.",
        job_type=JobType.TRAIN,
        panels=(
            Curves(title="Reward", metric="critic/score/mean", unit="mean over rollouts"),
            validation("AVG@4 by benchmark", r"val-core/.+/acc/mean@[0-9]+"),
            validation("Truncated, by benchmark", r"val-aux/.+/truncated/mean@[0-9]+"),
            validation("No answer, by benchmark", r"val-aux/.+/no_answer/mean@[0-9]+"),
            Curves(title="Response length", metric="response_length/mean", unit="tokens"),
            Curves(title="Truncated, in training", metric="reward/truncated", unit="%", percent=True),
            Curves(title="Entropy", metric="actor/entropy", unit="nats a token"),
            Curves(title="Gradient norm", metric="actor/grad_norm", log_y=True),
            Curves(title="KL to the policy that sampled", metric="actor/ppo_kl", unit="nats a token"),
            Curves(title="Time of a step", metric="timing_s/step", unit="s"),
        ),
    ),
    Section(
        title="Is the reward right?",
        note="Canaries are responses whose verdict is known; the alarm compares the verifier with the rule.",
        job_type=JobType.TRAIN,
        panels=(
            validation("Canaries", r"canary/(passed|paid_wrongly|unanswered)"),
            validation("Canaries passed, by kind", r"canary/.+"),
            Curves(title="Paid answers the rule agrees with", metric="reward/rule_agreement", unit="%", percent=True),
            Curves(
                title="Responses that earn nothing, by cause",
                pattern=r"reward/(unparsed|truncated|verifier_error|no_answer)",
                unit="%",
                percent=True,
            ),
            Curves(title="Alarms", pattern=r"alarm/.+", smoothed=False),
        ),
    ),
    Section(
        title="Controls",
        note="A gain that comes without the right images is not a gain in seeing. Bars are 95 % intervals.",
        job_type=JobType.ANALYZE,
        panels=(
            Levels(title="AVG@4 before training", figures=of_benchmarks("before", "avg_at_4"), unit="%"),
            Levels(title="AVG@4 after training", figures=of_benchmarks("after", "avg_at_4"), unit="%"),
            Levels(title="AVG@4 after training, shown white pages", figures=("blank_image/avg_at_4",), unit="%"),
            Levels(title="Gain, paired by problem", figures=(GAIN,), unit="points", zero=True),
            Levels(title="Truncated after training", figures=of_benchmarks("after", "truncated"), unit="%"),
            Levels(title="No answer after training", figures=of_benchmarks("after", "no_answer"), unit="%"),
        ),
    ),
    Section(
        title="Scaling law",
        note="Runs that differ in the size of their train set; a straight line on this axis is log-linear growth.",
        job_type=JobType.ANALYZE,
        panels=(
            by_rows("AVG@4 by training rows", of_benchmarks("after", "avg_at_4"), "%"),
            by_rows("Gain by training rows", (GAIN,), "points"),
        ),
    ),
)
