"""The cells of a sweep (`-m`): what became of each, in a table when the sweep ends, whoever ran them.

Hydra tells too little: under submitit a cell that raised leaves a job that Slurm calls COMPLETED, and a cell that was
killed ends the command before the others are looked at. So each cell leaves a mark, and the table counts a cell without
one as not run. Marks lie in `<sweep>/cells`, in a folder for each command, since several may work in one sweep.
This module neither chooses cells nor runs them: Hydra's sweeper and launcher do.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf
from pydantic import BaseModel, ConfigDict

from scigen.store import write_atomic

MARKS = "SCIGEN_SWEEP"
"""Environment variable: the folder of the marks, for cells in other processes."""
SUBMITTED = ".submitit"
"""Folder of submitit below the sweep's (hydra.launcher.submitit_folder in conf/hydra/launcher)."""
FIGURES = ("avg_at_4", "ok_rate")
"""Ends of the keys of summary.json that the table shows, all of them rates."""
POLL_S = 3.0
LONGEST_NAME = 200
"""Bytes of a cell's folder name; file systems take 255."""


def cell_folder(overrides: str) -> str:
    """Name of a cell's folder: its overrides as Hydra joins them, or, if they are too long for a file name, a hash of
    all of them and the last ones (Hydra sorts them, and those with "+" come first)."""
    name = overrides.replace("/", "_")
    if len(name.encode()) <= LONGEST_NAME:
        return name
    kept = hashlib.sha256(overrides.encode()).hexdigest()[:12]
    last: list[str] = []
    for each in reversed(name.split(",")):
        if len(",".join([kept, each, *last]).encode()) > LONGEST_NAME:
            break
        last.insert(0, each)
    return ",".join([kept, *last])


OmegaConf.register_new_resolver("cell_folder", cell_folder, replace=True)  # conf/hydra/default.yaml


class Cell(BaseModel):
    """One mark."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    overrides: tuple[str, ...]
    status: Literal["not run", "running", "done", "failed", "stopped"] = "not run"
    error: str = ""
    output: str = ""
    seconds: float = 0.0
    job: str = ""
    """Slurm's id, where it ran under Slurm."""


class Marks(Callback):
    """Hydra's callback (conf/hydra/default.yaml) that notes a sweep's cells before the first of them runs."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """A fresh mark for each cell."""
        global _marks
        folder = Path(str(config.hydra.sweep.dir)).resolve()
        _marks = folder / "cells" / f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}"
        for overrides in cells_of(config):
            _write(_marks, Cell(overrides=tuple(overrides)))
        os.environ[MARKS] = str(_marks)


_marks: Path | None = None
"""Of the sweep that this process runs."""


def cells_of(config: DictConfig) -> list[list[str]]:
    """The overrides of each cell, as Hydra's basic sweeper makes them."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser

    params = config.hydra.sweeper.get("params") or {}
    given = [*(f"{key}={params[key]}" for key in map(str, params)), *map(str, config.hydra.overrides.task)]
    (batch,) = BasicSweeper.split_arguments(OverridesParser.create().parse_overrides(given), None)
    return [list(cell) for cell in batch]


@contextmanager
def marked(overrides: Sequence[str], output: Path, explain: Callable[[Exception], str | None]) -> Iterator[None]:
    """Runs a cell and leaves its mark. What ends it is printed in its own log, and raised for Hydra to count."""
    folder, start = Path(os.environ[MARKS]), time.monotonic()
    job = os.environ.get("SLURM_ARRAY_JOB_ID", os.environ.get("SLURM_JOB_ID", ""))
    job += f"_{os.environ['SLURM_ARRAY_TASK_ID']}" if "SLURM_ARRAY_TASK_ID" in os.environ else ""
    cell = Cell(overrides=tuple(overrides), status="running", output=str(output), job=job)
    _write(folder, cell)

    def end(status: str, error: str = "") -> None:
        seconds = round(time.monotonic() - start, 1)
        _write(folder, Cell(**{**cell.model_dump(), "status": status, "error": error, "seconds": seconds}))

    try:
        yield
    except Exception as e:
        message = explain(e)
        if message is None:
            traceback.print_exc()
        else:
            print(f"error: {message}", file=sys.stderr, flush=True)
        end("failed", message or f"{type(e).__name__}: {e}")
        raise
    except BaseException as e:  # Ctrl-C, or submitit putting the job back into the queue
        end("stopped", type(e).__name__)
        raise
    end("done")


def close() -> None:
    """If this process ran a sweep: the table, `sweep.json`, and exit status 1 unless every cell is done."""
    if _marks is None:
        return
    folder = _marks.parent.parent
    if not isinstance(sys.exc_info()[1], KeyboardInterrupt):
        wait_for_slurm(folder / SUBMITTED)
    cells = read(_marks)
    if all(cell.status == "not run" for cell in cells):
        return  # what kept all of them from running is said already
    from rich.console import Console

    console = Console()
    console.print(table(cells))
    record = [cell.model_dump() | {"summary": summary_of(cell)} for cell in cells]
    write_atomic(folder / "sweep.json", json.dumps(record, indent=2).encode() + b"\n")
    console.print(f"cells in {folder}; figures in {folder / 'sweep.json'}")
    left = [cell for cell in cells if cell.status != "done"]
    for cell in left:
        console.print(f"[red]{cell.status}[/] {' '.join(cell.overrides)}  {cell.error}", highlight=False)
    if left:
        console.print(f"{len(left)} of {len(cells)} cells are not done. The same command runs them again.")
        sys.exit(1)


def wait_for_slurm(submitted: Path) -> None:
    """Until none of this folder's jobs is in the queue: the launcher stops looking at the first that was killed."""
    jobs = {path.name for path in submitted.glob("*_*")}
    if not jobs or shutil.which("squeue") is None:
        return
    queue = ["squeue", "--noheader", "--array", "--user", getpass.getuser(), "--format", "%F_%K"]
    while True:
        found = subprocess.run(queue, capture_output=True, text=True, check=False)
        if found.returncode != 0 or not jobs & set(found.stdout.split()):
            return
        time.sleep(POLL_S)


def read(folder: Path) -> list[Cell]:
    """All marks, in the order of the sweep."""
    return [Cell.model_validate_json(path.read_bytes()) for path in sorted(folder.glob("*.json"))]


def _write(folder: Path, cell: Cell) -> None:
    """Over the cell's earlier mark, whose name begins with its place in the sweep."""
    key = hashlib.sha256("\n".join(cell.overrides).encode()).hexdigest()[:16]
    known = sorted(folder.glob(f"*-{key}.json"))
    path = known[0] if known else folder / f"{len(list(folder.glob('*.json'))):04d}-{key}.json"
    write_atomic(path, cell.model_dump_json(indent=2).encode() + b"\n")


def summary_of(cell: Cell) -> dict[str, Any]:
    """What the cell's command left in summary.json, if it is done."""
    path = Path(cell.output) / "summary.json"
    found: dict[str, Any] = json.loads(path.read_bytes()) if cell.status == "done" and path.exists() else {}
    return found


def figures(summary: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """`{"after": {"avg_at_4": 0.5}}` -> `{"after": 0.5}`: the rates that the table shows."""
    found: dict[str, float] = {}
    for key, value in summary.items():
        if isinstance(value, Mapping):
            found |= figures(value, f"{prefix}{key} ")
        elif key in FIGURES and isinstance(value, int | float):
            found[prefix.strip() or key] = float(value)
    return found


def table(cells: Sequence[Cell]) -> Any:
    """One row a cell: what is particular to it, its status, its rates."""
    from rich.table import Table

    common = set.intersection(*(set(cell.overrides) for cell in cells)) if len(cells) > 1 else set()
    rates = [figures(summary_of(cell)) for cell in cells]
    names = list(dict.fromkeys(name for found in rates for name in found))
    done = sum(cell.status == "done" for cell in cells)
    shown = Table(title=f"sweep: {done} of {len(cells)} cells done", title_justify="left")
    for name in ("cell", "status", "s", *(f"{name} %" for name in names)):
        shown.add_column(name, justify="left" if name in ("cell", "status") else "right")
    for cell, found in zip(cells, rates, strict=True):
        own = " ".join(o for o in cell.overrides if o not in common) or " ".join(cell.overrides)
        values = [f"{100 * found[name]:.1f}" if name in found else "" for name in names]
        shown.add_row(own, cell.status, f"{cell.seconds:.0f}" if cell.seconds else "", *values)
    return shown
