"""The job of scripts/curate.py: a source's problems, as they are or through curation's stages, become a set.

What is malformed in the source is listed item by item; `audit=true` is `scigen.app.audit`'s.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from scigen.app.runtime import BudgetOptions, Runtime
from scigen.app.settings import Closed, Paths, Tracking, build, parse_as
from scigen.app.tracking import log_curation
from scigen.errors import ScigenError, nearest
from scigen.problems.malformed import Malformed
from scigen.problems.sources import Source, SourceItem, collect
from scigen.records import Problem
from scigen.store import iter_records, write_atomic

if TYPE_CHECKING:
    from scigen.models import Budget, ModelSettings
    from scigen.problems.curation.engine import Engine
    from scigen.problems.curation.run import Curation
    from scigen.problems.curation.stage import ItemStage, SetStage
    from scigen.problems.curation.tally import Tally

SHOWN = 12
"""Malformed items printed; all are in the set."""


class CurateSettings(Closed):
    name: str
    seed: int
    dry_run: bool
    audit: bool = False
    retry_failed: bool = False
    problems: dict[str, Any]
    model: dict[str, Any] | None = None
    benchmark: dict[str, Any] | None = None
    """A published benchmark to build instead of a problem set."""
    verl: dict[str, Any] | None = None
    """What a benchmark's group sets for its evaluation; nothing here reads it."""
    stages: tuple[str, ...] | None = None
    stage: dict[str, dict[str, Any]]
    budget: BudgetOptions
    runtime: Runtime
    tracking: Tracking
    paths: Paths


def run(config: Mapping[str, Any]) -> None:
    """Read, validate, curate, write, count."""
    start = time.monotonic()
    settings = parse_as(CurateSettings, config)
    console = Console()
    if settings.benchmark is not None:
        from scigen.app.benchmarks import run_benchmarks

        run_benchmarks(settings.benchmark, settings.paths.output, settings.dry_run, console)
        return
    source: Source = build(settings.problems, "problems")
    if settings.audit:
        from scigen.app.audit import run_audit

        run_audit(source, settings, console)
        return
    names = chosen(settings)
    if settings.dry_run:
        _dry_run(source, settings, names, console)
        return
    folder = settings.paths.sets / "problems"
    summary: dict[str, Any]
    if names:
        summary = _curate(source, settings, names, console)
    else:
        manifest, _ = collect(source, folder)
        summary = {"set_hash": manifest.set_hash}
    summary = {**_report(folder, console), "seed": settings.seed, **summary}
    summary["wall_s"] = round(time.monotonic() - start, 1)
    _write_summary(settings, summary)
    console.print(f"{summary['problems']} problems in {folder}; {summary['malformed']} remarks in {folder}-malformed")
    console.print(f"figures in {settings.paths.output / 'summary.json'}")
    log_curation(settings, summary, console)


def chosen(settings: CurateSettings) -> Sequence[str]:
    """The stages to run, in order. Raises ScigenError for a name that the configuration does not have."""
    if settings.stages is None:
        return list(settings.stage) if settings.model is not None else []
    for name in settings.stages:
        if name not in settings.stage:
            raise ScigenError(f'stages: no stage "{name}": {nearest(name, settings.stage)}')
    return settings.stages


def _curate(source: Source, settings: CurateSettings, names: Sequence[str], console: Console) -> dict[str, Any]:
    from scigen.app.curate_view import StageBars, cost_table, funnel_table
    from scigen.problems.curation.incoming import Incoming
    from scigen.problems.curation.run import check_stages, curate, write_problems

    curation = _curation(settings, names)
    check_stages(curation.stages, curation.model is not None)
    incoming = Incoming(source, settings.paths.sets / "problems-malformed")
    tallies: list[Tally] = []
    try:
        with _engine(settings, curation) as engine, StageBars(console) as bars:
            curate(curation, incoming, engine, settings.retry_failed, tallies, bars)
    finally:
        if tallies:
            console.print(funnel_table(tallies))
            if any(t.calls for t in tallies):
                console.print(cost_table(tallies))
            _write_summary(settings, {"seed": settings.seed, "funnel": [t.figures() for t in tallies]})
            _write_figure(settings, source.name, tallies)
    manifest = write_problems(curation, incoming.inputs)
    failed = sum(t.failed.total() for t in tallies)
    if failed:
        console.print(f"[yellow]{failed} items have no usable answer[/]; retry_failed=true asks again")
    return {"set_hash": manifest.set_hash, "funnel": [t.figures() for t in tallies], "failed": failed}


def _curation(settings: CurateSettings, names: Sequence[str]) -> Curation:
    from scigen.problems.curation.run import Curation

    stages: list[ItemStage | SetStage] = [_stage(settings, name) for name in names]
    return Curation(settings.paths.sets, stages, _model(settings), settings.seed)


def _stage(settings: CurateSettings, name: str) -> Any:
    """The stage of this name; sources within its settings are built too."""
    node = dict(settings.stage[name])
    for key, value in node.items():
        if isinstance(value, Mapping):
            node[key] = {
                inner: build(what, f"stage.{name}.{key}.{inner}") if isinstance(what, Mapping) else what
                for inner, what in value.items()
            }
    return build(node, f"stage.{name}")


def _model(settings: CurateSettings) -> ModelSettings | None:
    if settings.model is None:
        return None
    from scigen.models import ModelSettings

    return ModelSettings.model_validate(settings.model)


def _journal(settings: CurateSettings) -> Path:
    return settings.paths.output / "responses"


def _engine(settings: CurateSettings, curation: Curation) -> AbstractContextManager[Engine]:
    journal, model = _journal(settings), curation.model
    budget = _budget(settings)
    if settings.runtime.kind == "local":
        from scigen.problems.curation.engine import LocalEngine

        return LocalEngine(model, journal, budget, settings.seed)
    from scigen.problems.curation.ray_engine import RayEngine

    return RayEngine(settings.runtime.runtime(), model, journal, budget, settings.seed)


def _budget(settings: CurateSettings) -> Budget | None:
    if settings.budget.usd is None:
        return None
    from scigen.models import Budget

    return Budget(settings.budget.usd)


def _dry_run(source: Source, settings: CurateSettings, names: Sequence[str], console: Console) -> None:
    """Read and count, and say what the stages would ask; nothing is written."""
    from scigen.app.curate_view import TypeCounts, forecast_table

    if names:
        from scigen.problems.curation.forecast import forecast
        from scigen.problems.curation.run import check_stages

        curation = _curation(settings, names)
        check_stages(curation.stages, curation.model is not None)
        rows = forecast(curation.stages, source, curation.model, _journal(settings), settings.seed)
        console.print(forecast_table(rows))
        if settings.budget.usd is not None:
            console.print(f"budget: ${settings.budget.usd:.2f}; the run stops before it would cross it")
        console.print("dry run: nothing asked, nothing written")
        return
    counts, faults = TypeCounts(), _Faults()
    problems = counts.counted(_noting(source.items(), faults))
    console.print(counts.table())
    faults.show(console)
    console.print(f"dry run: {problems} problems, {faults.count} remarks; nothing written")


class _Faults:
    """Faults counted as they pass; the first few are kept to be shown."""

    def __init__(self) -> None:
        self.count = 0
        self.by_kind: Counter[str] = Counter()
        self._first: list[Malformed] = []

    def note(self, faults: Iterable[Malformed]) -> None:
        for fault in faults:
            self.count += 1
            self.by_kind[f"{fault.severity}: {fault.kind}"] += 1
            if len(self._first) < SHOWN:
                self._first.append(fault)

    def show(self, console: Console) -> None:
        for fault in self._first:
            console.print(
                f"[yellow]{fault.severity}[/] {fault.item}: {fault.field}: {fault.fault}. {fault.mend}", markup=True
            )
        if self.count > SHOWN:
            console.print(f"... and {self.count - SHOWN} more")


def _noting(items: Iterator[SourceItem], faults: _Faults) -> Iterator[Problem]:
    for item in items:
        faults.note(item.faults)
        if item.problem is not None:
            yield item.problem


def _report(folder: Path, console: Console) -> dict[str, Any]:
    """Tables of the finished set and of the faults beside it, read one record at a time."""
    from scigen.app.curate_view import TypeCounts

    counts, faults = TypeCounts(), _Faults()
    problems = counts.counted(iter_records(folder, Problem))
    faults.note(iter_records(folder.with_name(f"{folder.name}-malformed"), Malformed))
    console.print(counts.table())
    faults.show(console)
    return {
        "problems": problems,
        "quizzes": counts.quizzes.total(),
        "by_image_type": counts.by_image_type(),
        "malformed": faults.count,
        "malformed_by_fault": dict(faults.by_kind.most_common()),
    }


def _write_figure(settings: CurateSettings, source: str, tallies: Sequence[Tally]) -> None:
    from scigen.problems.curation.figure import funnel_figure

    png = funnel_figure(tallies, f"Curation of {source}")
    write_atomic(settings.paths.output / "figures" / "funnel.png", png)


def _write_summary(settings: CurateSettings, summary: Mapping[str, Any]) -> None:
    write_atomic(settings.paths.output / "summary.json", json.dumps(summary, indent=2).encode() + b"\n")
