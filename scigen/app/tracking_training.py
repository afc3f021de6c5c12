"""What `train.py` logs beside verl's own curves: the lineage from problems to policy, and how the run ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from scigen.analysis.results import RunResults
from scigen.app.settings import Settings, TinyPolicy
from scigen.app.stages import CONSOLE
from scigen.app.tracking import config_of, evaluation, images_artifact, log, problems_artifact, scores_artifact, send
from scigen.app.tracking_samples import answer_rows, image_rows
from scigen.evaluation import verdict_set
from scigen.records import FilterDecision
from scigen.store import iter_records
from scigen.tracking import TRAIN, Artifact, JobType, StageLog, flattened, policy_artifact, train_set_artifact


@dataclass(frozen=True)
class Places:
    """Where the sets of a run lie: the laptop's chain and the other commands name them differently."""

    problems: Path
    images: Path
    verdicts: dict[str, Path]
    """By evaluator."""

    @classmethod
    def of(cls, settings: Settings) -> Places:
        sets, generator = settings.paths.sets, settings.generator["name"]
        evaluators = settings.filter["evaluators"]
        if isinstance(settings.policy, TinyPolicy):
            return cls(sets / "problems", sets / "images", {e: sets / "checks" for e in evaluators})
        problems = Path(settings.problems["set"]) if "set" in settings.problems else sets / "problems"
        return cls(problems, sets / generator, {e: verdict_set(sets, generator, e) for e in evaluators})


@dataclass(frozen=True)
class Lineage:
    """The artifacts that a train set comes from."""

    problems: Artifact
    images: Artifact
    scores: dict[str, Artifact]
    trainset: Artifact

    @classmethod
    def of(cls, settings: Settings, places: Places, trainset: Path) -> Lineage:
        generator = str(settings.generator["name"])
        problems = problems_artifact(places.problems)
        images = images_artifact(settings, places.images, generator, problems)
        scores = {e: scores_artifact(f, generator, e, images) for e, f in places.verdicts.items()}
        made = train_set_artifact(f"trainset-{settings.name}", trainset, [images, *scores.values()])
        return cls(problems, images, scores, made)


def log_training(settings: Settings, trainset: Path, verl: Path, results: RunResults | None = None) -> None:
    """After training. `verl` is the folder of verl's run, `results` what the report shows, where there is one.

    On the laptop the chain's own stages are logged too; on a cluster other commands made its sets.
    """

    def make() -> list[StageLog]:
        places = Places.of(settings)
        lineage = Lineage.of(settings, places, trainset)
        policy = policy_artifact(f"policy-{settings.name}-seed{settings.seed}", verl, [lineage.trainset])
        logs = chain(settings, places, lineage) if isinstance(settings.policy, TinyPolicy) else []
        logs += [selection(settings, places, lineage, trainset)]
        if verl.exists():
            logs += [training(settings, verl, lineage.trainset, policy)]
        return [*logs, analysis(settings, places, lineage.trainset, policy, results)]

    send(settings, CONSOLE, make)


def chain(settings: Settings, places: Places, lineage: Lineage) -> list[StageLog]:
    """The laptop's first three stages."""
    generator, n = str(settings.generator["name"]), settings.tracking.samples
    given, seen = (lineage.problems,), (lineage.problems, lineage.images)
    counts = flattened({"by_status": lineage.images.metadata["by_status"]})
    rows = image_rows(places.problems, places.images, n)
    return [
        log(settings, JobType.CURATE, outputs=given),
        log(settings, JobType.GENERATE, generator, inputs=given, outputs=seen[1:], summary=counts, samples=rows),
        *(
            evaluation(settings, places.problems, places.images, folder, generator, evaluator, seen)
            for evaluator, folder in places.verdicts.items()
        ),
    ]


def selection(settings: Settings, places: Places, lineage: Lineage, trainset: Path) -> StageLog:
    """The filter's decisions."""
    words = {
        d.key: f"{'kept' if d.kept else 'left out'} ({d.split}): {d.reason}"
        for d in iter_records(trainset / "decisions", FilterDecision)
    }
    return log(
        settings,
        JobType.SELECT,
        inputs=(lineage.problems, lineage.images, *lineage.scores.values()),
        outputs=(lineage.trainset,),
        summary=flattened({"rows": lineage.trainset.metadata["rows"]}),
        samples=image_rows(places.problems, places.images, settings.tracking.samples, words),
    )


def training(settings: Settings, verl: Path, trainset: Artifact, policy: Artifact | None) -> StageLog:
    """More of verl's own run: no figures, which would stand after its last step."""
    return StageLog(
        job_type=JobType.TRAIN,
        key=TRAIN,
        name=f"{settings.name}-seed{settings.seed}",
        folder=verl,
        config=config_of(settings),
        inputs=(trainset,),
        outputs=() if policy is None else (policy,),
    )


def analysis(
    settings: Settings, places: Places, trainset: Artifact, policy: Artifact | None, results: RunResults | None
) -> StageLog:
    """The figures of summary.json and the policy's answers."""
    figures = json.loads((settings.paths.output / "summary.json").read_bytes())
    return log(
        settings,
        JobType.ANALYZE,
        inputs=(trainset,) if policy is None else (trainset, policy),
        summary=flattened({**figures, "rows": trainset.metadata["rows"]}),
        samples=() if results is None else answer_rows(results, places.images, settings.tracking.samples),
    )
