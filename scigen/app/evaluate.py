"""The job of scripts/evaluate.py: sets of images get verdicts, and the verdicts a leaderboard."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field
from rich.console import Console

from scigen.app.evaluate_view import estimates_table, verdicts_table
from scigen.app.progress import RecordBar
from scigen.app.runtime import BudgetOptions
from scigen.app.settings import Closed, Paths, Tracking, build, parse_as
from scigen.app.tracking import log_evaluation
from scigen.errors import ScigenError, nearest
from scigen.evaluation import (
    NO_GENERATOR,
    Evaluator,
    Item,
    evaluate,
    items_of,
    items_without_images,
    verdict_set,
)
from scigen.evaluation.calibration import read_calibrations
from scigen.evaluation.evidence import CONTROL_PREFIX
from scigen.evaluation.image_metrics import ImageMetrics, make_controls
from scigen.evaluation.spectrum import Spectrum
from scigen.generators import Studio
from scigen.models import Budget, share_of_shard
from scigen.records import GeneratedImage
from scigen.shards import Shard
from scigen.store import MANIFEST, read_manifest


class EvaluateSettings(Closed):
    name: str
    seed: int
    dry_run: bool
    image_sets: tuple[str, ...] | None
    problem_set: Path
    evaluators: tuple[str, ...] = Field(min_length=1)
    shard: str | None
    retry_failed: bool
    calibration: Path | None
    model: dict[str, Any]
    evaluator: dict[str, dict[str, Any]]
    budget: BudgetOptions
    tracking: Tracking
    paths: Paths


class Job(NamedTuple):
    """One evaluator on one set."""

    generator: str
    evaluator: Evaluator
    items: list[Item]


def run(config: Mapping[str, Any]) -> None:
    """Read sets, give verdicts, sum them up, show where they are."""
    start = time.monotonic()
    settings = parse_as(EvaluateSettings, config)
    console = Console()
    shard = None if settings.shard is None else Shard.parse(settings.shard)
    before = {} if settings.calibration is None else read_calibrations(settings.calibration)
    evaluators = [_evaluator(settings, name) for name in settings.evaluators]
    names = known_sets(settings.paths.sets) if settings.image_sets is None else list(settings.image_sets)
    if any(isinstance(e, ImageMetrics) for e in evaluators) and not settings.dry_run and shard is None:
        controls = make_controls(settings.problem_set, settings.paths.sets)
    else:
        controls = []
    sets = {name: items_of(settings.problem_set, _images(settings.paths.sets, name)) for name in names}
    jobs = list(_jobs(settings.problem_set, sets, evaluators))
    plain = [e for e in evaluators if isinstance(e, ImageMetrics | Spectrum)]
    held = {name: items_of(settings.problem_set, settings.paths.sets / name) for name in controls}
    jobs += list(_jobs(settings.problem_set, held, plain))
    journal = settings.paths.output / "responses"
    if settings.dry_run:
        mine = [j if shard is None else j._replace(items=list(shard.of(j.items))) for j in jobs]
        found = [(j.generator, j.evaluator.name, len(j.items), j.evaluator.estimate(j.items, journal)) for j in mine]
        console.print(estimates_table(found))
        if settings.budget.usd is not None:
            console.print(f"budget: ${settings.budget.usd:.2f}; the run stops before it would cross it")
        return
    for job in jobs:
        folder = verdict_set(settings.paths.sets, job.generator, job.evaluator.name)
        place = folder if shard is None else shard.folder(folder)
        count = len(job.items if shard is None else shard.of(job.items))
        with RecordBar(console, f"{job.evaluator.name} {job.generator}", count, place) as bar:
            evaluate(
                job.items,
                job.evaluator,
                folder,
                _studio(settings, journal, shard),
                shard=shard,
                retry_failed=settings.retry_failed,
                watch=bar,
            )
    if shard is not None:
        console.print("when all shards are done, the same command without shard=... merges them")
        return
    from scigen.app.evaluation_report import report

    verdicts = [(j.generator, j.evaluator.name, verdict_set(settings.paths.sets, *_names(j))) for j in jobs]
    console.print(verdicts_table(verdicts))
    report(settings.paths, settings.problem_set, names, before, time.monotonic() - start, console)
    log_evaluation(settings, settings.problem_set, [_names(j) for j in jobs], console)


def known_sets(sets: Path) -> list[str]:
    """Names of the finished image sets in the folder of all sets. Raises ScigenError if there is none."""
    found = []
    for path in sorted(sets.glob(f"*/{MANIFEST}")):
        manifest = read_manifest(path.parent)
        if manifest is not None and manifest.record_type == GeneratedImage.__name__:
            found.append(path.parent.name)
    found = [name for name in found if ".old-" not in name and not name.startswith(CONTROL_PREFIX)]
    if not found:
        raise ScigenError(
            f"{sets}: no finished set of images there. Make one with scripts/generate.py, or name its folder by "
            "paths.output=DIR."
        )
    return found


def _images(sets: Path, name: str) -> Path:
    folder = sets / name
    if not folder.exists():
        known = known_sets(sets)
        raise ScigenError(f'generator: no image set "{name}" in {sets}: {nearest(name, known)}')
    return folder


def _evaluator(settings: EvaluateSettings, name: str) -> Evaluator:
    if name not in settings.evaluator:
        raise ScigenError(f'evaluators: no evaluator "{name}": {nearest(name, list(settings.evaluator))}')
    made: Evaluator = build(settings.evaluator[name], f"evaluator.{name}")
    return made


def _jobs(problems: Path, sets: Mapping[str, list[Item]], evaluators: Sequence[Evaluator]) -> Iterator[Job]:
    wanted = {item.problem.id for items in sets.values() for item in items}
    for evaluator in evaluators:
        if not evaluator.looks:
            yield Job(NO_GENERATOR, evaluator, items_without_images(problems, wanted))
            continue
        for name, items in sets.items():
            yield Job(name, evaluator, items)


def _names(job: Job) -> tuple[str, str]:
    return job.generator, job.evaluator.name


def _studio(settings: EvaluateSettings, journal: Path, shard: Shard | None) -> Callable[[], Studio]:
    usd = settings.budget.usd

    def budget() -> Budget | None:
        if usd is None:
            return None
        return Budget(usd) if shard is None else share_of_shard(usd, journal, shard)

    return lambda: Studio(journal, budget())
