"""What each command logs to W&B: the sets it used and made with their hashes, its figures, a few samples.

Nothing is computed for it that the command did not compute, and a failure is one warning: the run's own records are
complete without W&B.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.markup import escape

from scigen.app.settings import Paths, Tracking
from scigen.app.tracking_samples import image_rows, problem_rows, verdicts_by_image
from scigen.errors import ScigenError
from scigen.evaluation import verdict_set
from scigen.records import Verdict
from scigen.store import iter_records, read_manifest
from scigen.tracking import (
    Artifact,
    Destination,
    JobType,
    Kind,
    StageLog,
    data_folder,
    flattened,
    record,
    set_artifact,
)


class Tracked(Protocol):
    """What is read of a command's settings."""

    @property
    def name(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def tracking(self) -> Tracking: ...
    @property
    def paths(self) -> Paths: ...
    def model_dump(self, *, mode: str, exclude: set[str]) -> dict[str, Any]: ...


def set_environment(settings: Tracked) -> None:
    """For verl's own W&B run, which inherits it; what the user has set stays, except the mode.

    Raises ScigenError for an online run without a key, which verl would find out after a minute.
    """
    tracking, output = settings.tracking, settings.paths.output
    require_key(tracking)
    os.environ["WANDB_MODE"] = tracking.mode
    os.environ.setdefault("WANDB_DIR", str(output.resolve()))
    os.environ.setdefault("WANDB_DATA_DIR", str(data_folder(output)))
    os.environ.setdefault("WANDB_RUN_GROUP", tracking.group)


def require_key(tracking: Tracking) -> None:
    """Raises ScigenError for an online run whose key is not in the environment."""
    if tracking.mode == "online" and not os.environ.get("WANDB_API_KEY"):
        raise ScigenError(
            "tracking.mode: online, and WANDB_API_KEY is not set. Export it, or choose tracking=wandb_offline and "
            "upload with `wandb sync` later."
        )


def send(settings: Tracked, console: Console, make: Callable[[], Sequence[StageLog]]) -> None:
    """Log what `make` gives, or print one warning."""
    tracking, output = settings.tracking, settings.paths.output
    if tracking.mode == "disabled":
        return
    group = os.environ.get("WANDB_RUN_GROUP") or tracking.group
    to = Destination(project=tracking.project, mode=tracking.mode, group=group, folder=output)
    try:
        require_key(tracking)
        fault = record(make(), to)
    except ScigenError as e:
        fault = str(e).rstrip(".")
    except Exception as e:  # of whatever kind: no run may end because of what is said about it
        fault = f"{type(e).__name__}: {e}"
    if fault is not None:
        said = f"W&B has no record of this stage ({fault}). Everything is in {output} all the same."
        console.print(f"[yellow]{escape(said)}[/]")


def log(settings: Tracked, job_type: JobType, what: str = "", **parts: Any) -> StageLog:
    """A stage's log; `what` tells runs of one stage apart."""
    key = "-".join(x for x in (job_type.value, what) if x)
    return StageLog(
        job_type=job_type,
        key=key,
        name=f"{key}-seed{settings.seed}",
        folder=settings.paths.output,
        config=config_of(settings),
        **parts,
    )


def config_of(settings: Tracked) -> dict[str, Any]:
    """The command's settings. verl logs its own in its run, so ours have a key of their own there."""
    whole = settings.model_dump(mode="json", exclude={"verl"})
    return {"experiment": settings.name, "seed": settings.seed, "settings": whole}


def log_curation(settings: Tracked, summary: Mapping[str, Any], console: Console) -> None:
    """After scripts/curate.py."""

    def make() -> list[StageLog]:
        folder = settings.paths.sets / "problems"
        samples = problem_rows(folder, settings.tracking.samples)
        made = (problems_artifact(folder),)
        return [log(settings, JobType.CURATE, outputs=made, summary=flattened(summary), samples=samples)]

    send(settings, console, make)


def log_generation(
    settings: Tracked, problems: Path, images: Path, generator: str, summary: Mapping[str, Any], console: Console
) -> None:
    """After scripts/generate.py; `problems` and `images` are the sets."""

    def make() -> list[StageLog]:
        given = problems_artifact(problems)
        return [
            log(
                settings,
                JobType.GENERATE,
                generator,
                inputs=(given,),
                outputs=(images_artifact(settings, images, generator, given),),
                summary=flattened(summary),
                samples=image_rows(problems, images, settings.tracking.samples),
            )
        ]

    send(settings, console, make)


def log_evaluation(settings: Tracked, problems: Path, verdicts: Sequence[tuple[str, str]], console: Console) -> None:
    """After scripts/evaluate.py: a run for each pair of generator and evaluator that looked at a set of images."""

    def make() -> list[StageLog]:
        given, logs = problems_artifact(problems), []
        for generator, evaluator in verdicts:
            images = settings.paths.sets / generator
            if read_manifest(images) is not None:
                seen = images_artifact(settings, images, generator, given)
                folder = verdict_set(settings.paths.sets, generator, evaluator)
                logs.append(evaluation(settings, problems, images, folder, generator, evaluator, (given, seen)))
        return logs

    send(settings, console, make)


def evaluation(
    settings: Tracked,
    problems: Path,
    images: Path,
    folder: Path,
    generator: str,
    evaluator: str,
    inputs: tuple[Artifact, Artifact],
) -> StageLog:
    """The log of one set of verdicts in `folder`; `inputs` are the artifacts of problems and images."""
    made = scores_artifact(folder, generator, evaluator, inputs[1])
    words = verdicts_by_image(list(iter_records(folder, Verdict)))
    return log(
        settings,
        JobType.EVALUATE,
        f"{generator}-{evaluator}",
        inputs=inputs,
        outputs=(made,),
        summary=flattened({"count": made.metadata["count"], "by_status": made.metadata["by_status"]}),
        samples=image_rows(problems, images, settings.tracking.samples, words),
    )


def problems_artifact(folder: Path) -> Artifact:
    """A finished set of problems."""
    return set_artifact(Kind.PROBLEMS, "problems", folder)


def images_artifact(settings: Tracked, folder: Path, generator: str, problems: Artifact) -> Artifact:
    """A finished set of images, with a list of their hashes."""
    return set_artifact(Kind.IMAGES, f"images-{generator}", folder, [problems], settings.paths.output / "tracking")


def scores_artifact(folder: Path, generator: str, evaluator: str, images: Artifact) -> Artifact:
    """A finished set of verdicts."""
    return set_artifact(Kind.SCORES, f"scores-{generator}-{evaluator}", folder, [images])
