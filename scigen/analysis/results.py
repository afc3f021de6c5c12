"""Everything that the report shows of one run, as closed and frozen shapes. The app layer fills them in.

No file is read here. Rates and rewards are proportions (0..1), times are seconds, `n` counts problems, not answers;
intervals are 95 % and clustered by problem. Paths are relative to the run folder.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from scigen.records import FilterDecision, GeneratedImage, Part, Problem, Verdict

Rate = float
Interval = tuple[float, float]


class Role(StrEnum):
    """Which part a measurement plays in the argument; the verdict table is in this order."""

    UNTRAINED = "untrained"
    """Random weights."""
    BEFORE = "before"
    """Where reinforcement learning starts from: the warm start, or a published checkpoint."""
    DURING = "during"
    """At a step between; on the curve only."""
    AFTER = "after"
    BLANK_IMAGE = "blank_image"
    """The trained policy, shown white pages instead of the held-out images."""
    CONTROL = "control"
    """Another policy, trained on blank or shuffled images."""
    SUPERVISED = "supervised"
    """The same start and the same seconds, spent on further supervised steps."""


class Score(Part):
    """AVG@4 over some problems: the mean over problems of the share of right answers among four."""

    avg_at_4: Rate = Field(ge=0, le=1)
    ci95: Interval
    n: int = Field(ge=0)
    """Problems."""

    @model_validator(mode="after")
    def _interval_is_ordered(self) -> Self:
        if not self.ci95[0] <= self.ci95[1]:
            raise ValueError(f"ci95 {self.ci95} is not (low, high)")
        return self


class Measurement(Score):
    """One policy on one held-out set."""

    role: Role
    label: str
    """What the reader sees, e.g. "After GRPO"."""
    data_source: str
    """verl's name for the set: held_out, held_out_blank, ..."""
    step: int | None = None
    """Training step it was taken at; None if it is not on this run's curve."""
    truncated: Rate = Field(ge=0, le=1)
    """Answers cut off at the length limit."""
    no_answer: Rate = Field(ge=0, le=1)
    """Answers from which no answer could be read."""
    per_family: dict[str, Score] = Field(default_factory=dict)
    seconds: float | None = None
    """Training time spent to get there, where that is the point of the comparison."""
    note: str = ""


class Difference(Part):
    """A paired comparison over the problems that both sides answered."""

    name: str
    """e.g. "after minus before"."""
    value: float
    ci95: Interval
    n: int
    against: Role | None = None
    """What `after` is compared with."""


class Step(Part):
    """One training step as verl logged it; None where it logged nothing."""

    step: int
    reward: float | None = None
    """Mean over the rollouts of the batch."""
    response_length: float | None = None
    """Tokens, mean."""
    grad_norm: float | None = None
    entropy: float | None = None
    """Nats a token, mean."""
    seconds: float | None = None


class Stage(Part):
    """What one stage of the chain was given and what became of it."""

    name: str
    unit: str
    """What is counted: problems, images, verdicts, rows."""
    total: int
    counts: dict[str, int]
    """By status, finding kind or reason. They may add up to more than `total` (an image can have two findings)."""
    passed: tuple[str, ...] = ()
    """The counts that went on to the next stage."""
    note: str = ""
    folder: str | None = None


class Answer(Part):
    """One of the four answers that a policy gave to a held-out problem."""

    text: str
    correct: bool


class ParquetRow(Part):
    file: str
    row: int
    """From 0."""


class Sample(Part):
    """One problem with everything that was made of it."""

    problem: Problem
    image: GeneratedImage
    png: bytes | None = Field(default=None, repr=False)
    """The PNG's bytes; None when there is no image."""
    checks: tuple[Verdict, ...] = ()
    decision: FilterDecision | None = None
    split: Literal["train", "held_out"] | None = None
    row: ParquetRow | None = None
    """Where it lies in the train set; None if the filter kept it out."""
    before: tuple[Answer, ...] = ()
    after: tuple[Answer, ...] = ()
    blank: tuple[Answer, ...] = ()
    """The trained policy's answers to a white page."""


class SetFolders(Part):
    """Where the sets lie, relative to the run folder."""

    problems: str = "sets/problems"
    images: str = "sets/images"
    checks: str = "sets/checks"
    trainset: str = "sets/trainset-real"


class RunResults(Part):
    """One run, whole."""

    experiment: str
    command: str
    date: str
    seed: int
    policy: str
    """What was trained, in a few words: "Qwen3-VL, 1.1M parameters, built from scratch"."""
    parameters: int | None = None
    wall_seconds: dict[str, float]
    """By stage, in order."""
    versions: dict[str, str]
    commit: str | None = None
    config_yaml: str
    stages: tuple[Stage, ...]
    samples: tuple[Sample, ...]
    steps: tuple[Step, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    differences: tuple[Difference, ...] = ()
    chance: Rate | None = None
    """Expected AVG@4 of blind guessing among each question's possible answers."""
    folders: SetFolders = SetFolders()

    @property
    def training_steps(self) -> int:
        """The last step that was taken; a run that was killed may lack what it logged of one before it."""
        return max((s.step for s in self.steps), default=0)

    def of(self, role: Role) -> Measurement | None:
        """The measurement with this role; the last one if there are several."""
        found = [m for m in self.measurements if m.role is role]
        return found[-1] if found else None

    def verdict_rows(self) -> list[Measurement]:
        """Measurements of the verdict table, in the order of the roles."""
        order = list(Role)
        return sorted((m for m in self.measurements if m.role is not Role.DURING), key=lambda m: order.index(m.role))

    def curve(self) -> list[Measurement]:
        """The points of this run's AVG@4 curve, by step."""
        roles = (Role.BEFORE, Role.DURING, Role.AFTER)
        return sorted(
            (m for m in self.measurements if m.role in roles and m.step is not None), key=lambda m: m.step or 0
        )

    def difference(self, against: Role) -> Difference | None:
        """`after` minus the policy with this role; None if it was not compared."""
        return next((d for d in self.differences if d.against is against), None)
