"""Finds run folders and reads what the panels show of them, finished or under way. It writes nothing.

Curves come from verl's metrics, figures from summary.json and the train set's own record, all by the names that W&B
has them under.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from scigen.analysis.trainlog import read_metrics
from scigen.errors import ScigenError
from scigen.tracking import flattened
from scigen.training.trainer import run_metrics

State = Literal["finished", "under way or stopped"]
METRICS = "metrics.jsonl"


@dataclass(frozen=True)
class Run:
    """One run of verl and how it ended."""

    name: str
    folder: Path
    state: State
    curves: Mapping[str, tuple[tuple[int, float], ...]]
    """(step, value) of each metric; values that are no finite numbers are left out."""
    figures: Mapping[str, float] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    """Experiment, what it was trained on, command."""

    @property
    def steps(self) -> int:
        """The last step that was logged."""
        return max((curve[-1][0] for curve in self.curves.values() if curve), default=0)


def find(places: Sequence[Path]) -> list[Run]:
    """The runs in these folders, or below them. Folders that were moved aside are passed over.

    Raises ScigenError for a place that is not there or holds no run.
    """
    found: dict[Path, None] = {}
    for place in places:
        if not place.is_dir():
            raise ScigenError(f"{place}: there is no such folder. Name folders of runs, or one that holds some.")
        below = list(_verl_folders(place))
        if not below:
            raise ScigenError(f"{place}: no run there or below (no verl/metrics). Train one with `python train.py`.")
        found |= dict.fromkeys(below)
    return [_read(folder, name) for folder, name in _names(list(found)).items()]


def _verl_folders(place: Path) -> Iterator[Path]:
    """Folders of verl's runs: those that hold metrics."""
    holders = {p.parent.resolve() for p in [*place.rglob("metrics"), *place.rglob(METRICS)]}
    for path in sorted(holders, key=_by_number):
        if ".old-" not in str(path) and (list((path / "metrics").glob("attempt-*.jsonl")) or (path / METRICS).exists()):
            yield path


def _by_number(path: Path) -> list[tuple[int, str]]:
    """Sorts size32 before size128."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", str(path))]


def _names(folders: Sequence[Path]) -> dict[Path, str]:
    """The run folder's name, with as many parents as tell the runs apart, and verl's folder where it is not "verl"."""

    def name(folder: Path, parents: int) -> str:
        parts = folder.parts[:-1] if folder.name == "verl" else folder.parts
        return "/".join(parts[-parents:])

    names = {}
    for folder in folders:
        parents = 1 if folder.name == "verl" else 2
        while sum(name(other, parents) == name(folder, parents) for other in folders) > 1:
            parents += 1
        names[folder] = name(folder, parents)
    return names


def _read(folder: Path, name: str) -> Run:
    steps: Mapping[int, Mapping[str, Any]] = run_metrics.of_attempts(folder)
    if not steps and (folder / METRICS).exists():
        steps = read_metrics(folder / METRICS)
    summary = _json(folder.parent / "summary.json")
    flat = flattened({**summary, **_rows(folder)})
    return Run(
        name=name,
        folder=folder,
        state="finished" if (folder / "done").exists() else "under way or stopped",
        curves=_curves(steps),
        figures={k: float(v) for k, v in flat.items() if not isinstance(v, str) and math.isfinite(v)},
        words={k: v for k, v in flat.items() if isinstance(v, str)},
    )


def _curves(steps: Mapping[int, Mapping[str, Any]]) -> dict[str, tuple[tuple[int, float], ...]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for step, data in steps.items():
        for metric, value in data.items():
            if isinstance(value, int | float) and math.isfinite(value):
                found.setdefault(metric, []).append((step, float(value)))
    return {metric: tuple(points) for metric, points in found.items()}


def _rows(folder: Path) -> dict[str, Any]:
    """Rows of the train set that the run was trained on, as its own record says; nothing where that is gone."""
    path = folder / "verl_config.yaml"
    if not path.exists():
        return {}
    config = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    files = config["data"]["train_files"]
    first = Path(files if isinstance(files, str) else files[0])
    info = _json(first.parent / "trainset.json")
    return {"rows": info["rows"]} if "rows" in info else {}


def _json(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_bytes()))
    except ValueError as e:
        raise ScigenError(f"{path}: not JSON ({e}). Run the command that wrote it again.") from e
