"""The job of scripts/generate.py: problems become a set of images, by one generator, resumable, in shards or whole."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field
from rich.console import Console

from scigen.app.generate_view import closing, closing_table, estimate_table, require_images
from scigen.app.progress import RecordBar
from scigen.app.runtime import BudgetOptions, Runtime
from scigen.app.settings import Closed, Paths, Tracking, build, parse_as
from scigen.app.tracking import log_generation
from scigen.generators import Engine, Generator, LocalEngine, Studio, generate
from scigen.models import Budget, share_of_shard
from scigen.problems.sources import CuratedSet, Source, collect
from scigen.records import GeneratedImage, Problem
from scigen.rendering import Limits
from scigen.shards import Shard
from scigen.store import inputs_hash, is_set_of, iter_records, iter_set, write_atomic


class RenderingOptions(Closed):
    workers: int | None = Field(ge=1)
    timeout_s: float = Field(gt=0)
    memory_mb: int = Field(ge=64)


class GenerateSettings(Closed):
    name: str
    seed: int
    dry_run: bool
    shard: str | None
    retry_failed: bool
    gallery: int = Field(ge=0)
    problems: dict[str, Any]
    generator: dict[str, Any]
    rendering: RenderingOptions
    budget: BudgetOptions
    runtime: Runtime
    tracking: Tracking
    paths: Paths


def run(config: Mapping[str, Any]) -> None:
    """Read problems, make images, count, show where they are."""
    start = time.monotonic()
    settings = parse_as(GenerateSettings, config)
    console = Console()
    source: Source = build(settings.problems, "problems")
    generator: Generator = build(settings.generator, "generator")
    shard = None if settings.shard is None else Shard.parse(settings.shard)
    journal = settings.paths.output / "responses"
    if settings.dry_run:
        problems = _unique(source)
        mine = list(problems if shard is None else shard.of(problems))
        console.print(estimate_table(generator.name, len(mine), generator.estimate(mine, journal)))
        _say_budget(settings, console)
        return
    problems, lying = _problems(source, settings.paths.sets / "problems", shard)
    folder = settings.paths.sets / generator.name
    place = folder if shard is None else shard.folder(folder)
    count = len(problems if shard is None else shard.of(problems))
    what = generator.name if shard is None else f"{generator.name} {shard.number}/{shard.parts}"
    with RecordBar(console, f"images {what}", count, place) as bar:
        generate(
            problems,
            generator,
            folder,
            _engine(settings, journal, shard),
            shard=shard,
            retry_failed=settings.retry_failed,
            watch=bar,
        )
    sums = closing(iter_records(place, GeneratedImage))
    console.print(closing_table(what, sums))
    summary = {"generator": generator.name, "images": sums.total, "seed": settings.seed, **sums.figures()}
    summary["wall_s"] = round(time.monotonic() - start, 1)
    name = "summary.json" if shard is None else f"summary-{shard.number}-of-{shard.parts}.json"
    write_atomic(settings.paths.output / name, json.dumps(summary, indent=2).encode() + b"\n")
    console.print(f"images in {place}; figures in {settings.paths.output / name}")
    if lying is not None and shard is None:
        log_generation(settings, lying, folder, generator.name, summary, console)
    if lying is not None and shard is None and settings.gallery:
        _gallery(settings, folder, lying, console)
    elif shard is not None:
        console.print("when all shards are done, the same command without shard=... merges them")
    require_images(sums, generator.name)


def _problems(source: Source, folder: Path, shard: Shard | None) -> tuple[list[Problem], Path | None]:
    """The source's problems, and the set they lie in: the source's own, else a copy in `folder`.

    Shards run side by side and write no such copy.
    """
    if isinstance(source, CuratedSet):
        return _unique(source), Path(source.set)
    if shard is not None:
        return _unique(source), None
    if not is_set_of(folder, inputs_hash(source.name, source.settings())):
        collect(source, folder)
    return list(iter_set(folder, Problem)), folder


def _unique(source: Source) -> list[Problem]:
    """As `collect` takes them: of several with one id the first."""
    found: dict[str, Problem] = {}
    for item in source.items():
        if item.problem is not None:
            found.setdefault(item.problem.id, item.problem)
    return list(found.values())


def _engine(settings: GenerateSettings, journal: Path, shard: Shard | None) -> Engine:
    usd = settings.budget.usd

    def budget() -> Budget | None:
        return None if usd is None else Budget(usd) if shard is None else share_of_shard(usd, journal, shard)

    if settings.runtime.kind == "ray":
        from scigen.generators.ray_engine import RayEngine

        return RayEngine(settings.runtime.runtime(), journal, budget, settings.rendering.workers or 1)
    options = settings.rendering
    limits = Limits(timeout_s=options.timeout_s, memory_mb=options.memory_mb)
    return LocalEngine(lambda: Studio(journal, budget(), options.workers, limits))


def _say_budget(settings: GenerateSettings, console: Console) -> None:
    if settings.budget.usd is not None:
        console.print(f"budget: ${settings.budget.usd:.2f}; the run stops before it would cross it")


def _gallery(settings: GenerateSettings, folder: Path, problems: Path, console: Console) -> None:
    from scigen.analysis.gallery import write_gallery

    out = settings.paths.output / "gallery.html"
    write_gallery([folder], problems, out, limit=settings.gallery)
    console.print(f"gallery in {out}")
