"""The job of `scripts/curate.py benchmark=NAME`: published benchmarks become parquet files for verl's validation."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from scigen.app.settings import build
from scigen.errors import ScigenError
from scigen.problems.malformed import Malformed
from scigen.store import read_set, write_atomic

if TYPE_CHECKING:
    from scigen.training.benchmarks import Benchmark, BenchmarkInfo

SHOWN = 12
"""Malformed rows printed; all are in the sets."""


def run_benchmarks(node: Mapping[str, Any], output: Path, dry_run: bool, console: Console) -> None:
    """Build every benchmark of the group's `node`, count, and say what is missing against the published numbers."""
    from scigen.training.benchmarks import Prompts, build_benchmark, malformed_set
    from scigen.training.pixel_budget import PixelBudget

    began = time.monotonic()
    benchmarks = parts(node)
    prompts, budget = Prompts(**node["prompts"]), PixelBudget(**node["pixels"])
    if dry_run:
        for benchmark, parquet in benchmarks:
            place = benchmark.path or f"{benchmark.dataset} on the hub"
            console.print(f"{benchmark.name}: {benchmark.rows} problems of {place} -> {parquet}", soft_wrap=True)
        console.print("dry run: nothing read, nothing written")
        return
    found: list[tuple[BenchmarkInfo, Path]] = []
    for benchmark, parquet in benchmarks:
        with console.status(f"{benchmark.name}: {benchmark.rows} problems"):
            found.append((build_benchmark(benchmark, parquet, prompts, budget), parquet))
    console.print(benchmark_table([info for info, _ in found]))
    _show_faults([malformed_set(parquet) for _, parquet in found], console)
    for info, parquet in found:
        console.print(f"{info.name}: {parquet}; malformed rows in {malformed_set(parquet)}", soft_wrap=True)
        if not info.complete:
            console.print(
                f"[yellow]{info.name}: {info.written} of the {info.expected} published problems[/] ({info.read} rows "
                "read): scores on this file are not comparable with published ones",
                soft_wrap=True,
            )
    summary = {
        "benchmarks": {
            info.name: info.model_dump(mode="json") | {"complete": info.complete, "file": str(parquet)}
            for info, parquet in found
        },
        "wall_s": round(time.monotonic() - began, 1),
    }
    write_atomic(output / "summary.json", json.dumps(summary, indent=2).encode() + b"\n")
    console.print(f"figures in {output / 'summary.json'}", soft_wrap=True)


def parts(node: Mapping[str, Any]) -> list[tuple[Benchmark, Path]]:
    """The benchmarks of a group's node with their files. Raises ScigenError when it can make none."""
    made = {}
    for key, value in node.items():
        if isinstance(value, Mapping) and "_target_" in value:
            benchmark: Benchmark = build({**value, "key": f"benchmark.{key}"}, f"benchmark.{key}")
            made[benchmark.name] = benchmark
    if not made:
        raise ScigenError(
            f"benchmark={node.get('name')}: has nothing to be built from; its rows come with the train set. "
            "Choose benchmark=mathvision_geometry3k or benchmark=mathvision_full."
        )
    return [(made[name], Path(node["files"][name])) for name in node["data_sources"]]


def benchmark_table(infos: list[BenchmarkInfo]) -> Table:
    """What was written of each benchmark."""
    table = Table(title="benchmarks", title_justify="left")
    table.add_column("benchmark", no_wrap=True)
    for name in ("written", "published", "choice", "number", "other", "left out", "warnings"):
        table.add_column(name, justify="right")
    for info in infos:
        kinds = (str(info.by_answer_type.get(kind, 0)) for kind in ("choice", "number", "expression"))
        warnings = sum(n for kind, n in info.faults.items() if kind.startswith("warning"))
        counts = (str(info.written), str(info.expected))
        table.add_row(info.name, *counts, *kinds, str(info.read - info.written), str(warnings))
    return table


def _show_faults(folders: list[Path], console: Console) -> None:
    faults = [fault for folder in folders for fault in read_set(folder, Malformed)]
    for fault in sorted(faults, key=lambda f: f.severity)[:SHOWN]:
        console.print(
            f"[yellow]{fault.severity}[/] {fault.item}: {fault.field}: {fault.fault}. {fault.mend}", soft_wrap=True
        )
    if len(faults) > SHOWN:
        console.print(f"... and {len(faults) - SHOWN} more")
