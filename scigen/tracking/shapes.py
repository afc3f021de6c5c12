"""What a stage logs, as closed shapes: its run, the artifacts it used and made, its figures and a few samples."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from scigen.records import Part
from scigen.store import inputs_hash

Mode = Literal["offline", "online", "disabled"]
Scalar = float | int | str


class JobType(StrEnum):
    """W&B's job type of a run: the stage that it is."""

    CURATE = "curate"
    GENERATE = "generate"
    EVALUATE = "evaluate"
    SELECT = "select"
    """The filter: verified images become a train set."""
    TRAIN = "train"
    ANALYZE = "analyze"


class Kind(StrEnum):
    """W&B's type of an artifact, in the order of the lineage."""

    PROBLEMS = "problem-set"
    IMAGES = "image-set"
    SCORES = "scores"
    TRAIN_SET = "train-set"
    POLICY = "policy"


class Artifact(Part):
    """One version of something that a stage makes and another uses.

    Its name, hash and files are all that W&B sees of its content, so what two stages build from the same folder is the
    same version there, whoever logs it first.
    """

    kind: Kind
    name: str
    hash: str
    """sha256 of the content, as the set's manifest has it."""
    metadata: dict[str, Any] = Field(default_factory=dict)
    made_from: tuple[str, ...] = ()
    """`ref` of each input: the chain of hashes, readable without the server's graph."""
    files: dict[str, Path] = Field(default_factory=dict)
    """Small files to upload, by their name in the artifact. Images are named by hash, never uploaded."""

    @property
    def ref(self) -> str:
        return f"{self.kind}/{self.name}@{self.hash[:12]}"


class SampleRow(Part):
    """One row of the table of samples; empty where the stage has nothing to say."""

    problem_id: str
    question: str
    image: Path | None = None
    """A PNG, shown in the table."""
    answer: str = ""
    responses_before: str = ""
    responses: str = ""
    verdict: str = ""


class StageLog(Part):
    """One W&B run of a stage, or more of it: logs of the same folder and key belong to one run."""

    job_type: JobType
    key: str
    """What the run's id is kept under."""
    name: str
    """What W&B shows."""
    folder: Path
    """Where the run's id is kept. It moves aside with the folder, so that other content gets a run of its own."""
    config: dict[str, Any] = Field(default_factory=dict)
    summary: dict[str, Scalar] = Field(default_factory=dict)
    inputs: tuple[Artifact, ...] = ()
    outputs: tuple[Artifact, ...] = ()
    samples: tuple[SampleRow, ...] = ()

    def content_hash(self) -> str:
        """Of what is logged, without how long it took: the same is not sent twice."""
        body = self.model_dump(mode="json")
        body["summary"] = {k: v for k, v in self.summary.items() if not k.startswith("wall_s")}
        return inputs_hash(body)


class Destination(Part):
    """Where logs go."""

    project: str
    mode: Mode
    group: str
    """W&B's group: all stages of one experiment."""
    folder: Path
    """W&B's files lie in `folder`/wandb."""


def flattened(figures: Mapping[str, Any], prefix: str = "") -> dict[str, Scalar]:
    """A nested mapping as W&B's summary and the dashboard name it: {"after": {"n": 3}} -> {"after/n": 3}.

    A pair of numbers, an interval, becomes `NAME_low` and `NAME_high`; other lists and nulls are left out.
    """
    flat: dict[str, Scalar] = {}
    for key, value in figures.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat |= flattened(value, f"{name}/")
        elif isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(v, int | float) for v in value):
            flat |= {f"{name}_low": value[0], f"{name}_high": value[1]}
        elif isinstance(value, bool):
            flat[name] = int(value)
        elif isinstance(value, int | float | str):
            flat[name] = value
    return flat
