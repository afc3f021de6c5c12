"""The scaling study: cells are runs of one experiment at several sizes of the train set, laws are fitted to them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.table import Table
from rich.text import Text

from scigen.analysis.figures import to_png
from scigen.analysis.scaling import Cell, ScalingResult, page, scaling_figure, study
from scigen.analysis.scaling.words import interval, rows_needed, signed
from scigen.analysis.verdict import percent
from scigen.app.analyze import SUMMARY, Runs
from scigen.app.scores import generations_of
from scigen.app.stages import CONSOLE
from scigen.errors import ScigenError
from scigen.store import write_atomic
from scigen.training.avg_at_k import read, steps
from scigen.training.trainset import TrainSetInfo


@dataclass(frozen=True)
class Run:
    """What the study reads of one run."""

    folder: Path
    experiment: str
    settings: tuple[str, ...]
    """What was changed on the command line, but for size, seed and places."""
    answers: int
    cell: Cell


@dataclass(frozen=True)
class Scaling:
    """`benchmark` is the data source of the validations whose accuracy is fitted."""

    benchmark: str
    n_boot: int
    seed: int

    def plan(self, runs: Runs) -> Table:
        """The runs, and what of them would be read."""
        table = Table(title="runs of the scaling study", title_justify="left")
        for name in ("run", "experiment", "rows", "seed", f"AVG on {self.benchmark} %"):
            table.add_column(name, justify="left" if name in ("run", "experiment") else "right")
        for run in [self._read(folder) for folder in runs.finished]:
            mean = sum(run.cell.by_problem.values()) / len(run.cell.by_problem)
            cell = run.cell
            table.add_row(Text(run.folder.name), run.experiment, str(cell.size), str(cell.seed), percent(mean))
        for folder in runs.unfinished:
            table.add_row(Text(folder.name), "not finished")
        return table

    def run(self, runs: Runs, output: Path) -> dict[str, Any]:
        """Fit every experiment among the runs; writes scaling.json, scaling.md and a figure each."""
        by_experiment: dict[str, list[Run]] = defaultdict(list)
        for run in [self._read(folder) for folder in runs.finished]:
            by_experiment[run.experiment].append(run)
        if not by_experiment:
            raise ScigenError(
                f"runs: none of {len(runs.unfinished)} is finished. Run a sweep over trainset.size and seed to its "
                "end, or name its folders by runs=..."
            )
        left_out: dict[str, list[str]] = defaultdict(list)
        for folder in runs.unfinished:
            left_out[str(_config(folder)["name"])].append(f"{folder.name}: not finished")
        results = [self._study(name, found, left_out[name]) for name, found in sorted(by_experiment.items())]
        figures = {r.experiment: "scaling.png" if len(results) == 1 else f"scaling-{r.experiment}.png" for r in results}
        for result in results:
            write_atomic(output / figures[result.experiment], to_png(scaling_figure(result)))
            _print(result)
        body = json.dumps([r.model_dump(mode="json") for r in results], indent=1)
        write_atomic(output / "scaling.json", body.encode() + b"\n")
        write_atomic(output / "scaling.md", page(results, figures).encode())
        return {"experiments": {r.experiment: _figures(r) for r in results}, "unit": "fraction"}

    def _study(self, experiment: str, runs: Sequence[Run], left_out: Sequence[str]) -> ScalingResult:
        settings = {run.settings for run in runs}
        if len(settings) > 1:
            raise ScigenError(
                f"{experiment}: its runs differ in more than size and seed: {sorted(settings)}. "
                "Name those of one setting by runs=..."
            )
        cells = [run.cell for run in runs]
        return study(cells, experiment, self.benchmark, runs[0].answers, self.n_boot, self.seed, left_out)

    def _read(self, folder: Path) -> Run:
        """Experiment and seed from its summary, size from its train set, accuracies from its validations."""
        summary = json.loads((folder / SUMMARY).read_bytes())
        generations = generations_of(folder)
        at = steps(generations)
        first, last = (read(generations / f"{step}.jsonl") for step in (at[0], at[-1]))
        if self.benchmark not in last:
            raise ScigenError(
                f"{generations}: no benchmark {self.benchmark} in its validations ({', '.join(last)}). "
                "Set study.benchmark to one of them."
            )
        score = last[self.benchmark]
        before = first[self.benchmark].avg_at_k if len(at) > 1 else None
        cell = Cell(rows_of(folder), int(summary["seed"]), score.by_problem, before)
        return Run(folder, str(summary["experiment"]), _settings(folder), score.k, cell)


def _config(run: Path) -> dict[str, Any]:
    """As Hydra composed it."""
    found: dict[str, Any] = yaml.safe_load((run / ".hydra" / "config.yaml").read_text())
    return found


def _settings(run: Path) -> tuple[str, ...]:
    overrides = yaml.safe_load((run / ".hydra" / "overrides.yaml").read_text())
    free = ("seed=", "trainset.size=", "paths.", "+experiment=", "+sweep=", "tracking")
    return tuple(sorted(o for o in map(str, overrides) if not o.startswith(free)))


def rows_of(run: Path) -> int:
    """Training rows of a run, from the record beside the parquet file that verl was given."""
    config = yaml.safe_load((run / "verl" / "verl_config.yaml").read_text())
    files = config["data"]["train_files"]
    file = Path(files if isinstance(files, str) else files[0])
    info = file.parent / "trainset.json"
    if not info.exists():
        raise ScigenError(f"{run}: its train set {info.parent} is gone, so its size is not known. Restore the folder.")
    return TrainSetInfo.model_validate_json(info.read_bytes()).rows[file.stem]


def _print(result: ScalingResult) -> None:
    table = Table(title=f"scaling of {result.experiment} on {result.benchmark}", title_justify="left")
    for name in ("form", "ΔAICc", "best in % of draws", "error at the largest size, points", "rows for one more point"):
        table.add_column(name, justify="left" if name == "form" else "right")
    for fit in result.fits:
        delta = "not defined" if fit.delta is None else f"{fit.delta:.1f}"
        ahead = "not defined" if fit.extrapolation is None else signed(fit.extrapolation.error)
        table.add_row(
            f"{fit.label}: {fit.formula}", delta, f"{100 * fit.selected:.0f}", ahead, rows_needed(fit.one_point)
        )
    sizes = ", ".join(f"{p.size}: {percent(p.accuracy.value)} ({interval(p.accuracy)})" for p in result.points)
    CONSOLE.print(table)
    CONSOLE.print(f"AVG@{result.answers} % by rows, seeds {', '.join(map(str, result.seeds))}: {sizes}")
    for sentence in (*result.statements, *(f"Left out: {s}" for s in result.left_out)):
        CONSOLE.print(f"- {sentence}")


def _figures(result: ScalingResult) -> dict[str, Any]:
    """The closing table's figures."""
    return {
        "sizes": {p.size: {"avg": p.accuracy.value, "ci95": p.accuracy.ci95} for p in result.points},
        "seeds": result.seeds,
        "problems": result.problems,
        "growth": result.growth.model_dump(),
        "told_apart": result.told_apart,
        "left_out": result.left_out,
        "forms": {
            f.form: {
                "delta_aicc": f.delta,
                "selected": f.selected,
                "extrapolation_error": f.extrapolation.error.model_dump() if f.extrapolation else None,
                "rows_for_one_point": f.one_point.model_dump(),
            }
            for f in result.fits
        },
    }
