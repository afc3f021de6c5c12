"""The job of scripts/analyze.py: finished runs are found, and a study makes tables and figures of them.

A study is a class of scigen/app/studies with a config of conf/study that names it; nothing else knows of it.
"""

from __future__ import annotations

import glob
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import field_validator
from rich.table import Table

from scigen.app.settings import Closed, build, parse_as
from scigen.app.stages import CONSOLE
from scigen.errors import ScigenError
from scigen.store import write_atomic

SUMMARY = "summary.json"
"""The last file of a finished run, and of a study."""


@dataclass(frozen=True)
class Runs:
    """The folders that the user named, in order of their names."""

    finished: tuple[Path, ...]
    unfinished: tuple[Path, ...]
    """Begun, without a summary: killed, failed, or still running."""


class Study(Protocol):
    """What a class of scigen/app/studies offers; its fields are the study's settings.

    One with a class variable `needs_runs = False` has something to say when nothing was run, too.
    """

    def plan(self, runs: Runs) -> Table:
        """What would be read and made, for a dry run."""

    def run(self, runs: Runs, output: Path) -> dict[str, Any]:
        """Write the study's files below `output`, print its closing table; returns the figures for summary.json."""


class AnalyzePaths(Closed):
    output: Path


class AnalyzeSettings(Closed):
    name: str
    dry_run: bool
    runs: tuple[str, ...]
    study: dict[str, Any]
    paths: AnalyzePaths

    @field_validator("runs", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


def run(config: Mapping[str, Any]) -> None:
    """Find the runs, do the study, say where its files are."""
    settings = parse_as(AnalyzeSettings, config)
    study: Study = build(settings.study, "study")
    runs = find(settings.runs, required=getattr(study, "needs_runs", True))
    if settings.dry_run:
        CONSOLE.print(study.plan(runs))
        CONSOLE.print(f"dry run: nothing was written; the study would write below {settings.paths.output}")
        return
    settings.paths.output.mkdir(parents=True, exist_ok=True)
    figures = study.run(runs, settings.paths.output)
    body = {"study": settings.name, "runs": len(runs.finished), "unfinished": [str(r) for r in runs.unfinished]}
    write_atomic(settings.paths.output / SUMMARY, json.dumps(body | figures, indent=2).encode() + b"\n")
    CONSOLE.print(f"files in {settings.paths.output}")


def find(patterns: Sequence[str], required: bool = True) -> Runs:
    """The runs below `patterns`, each once. If they are `required`, a pattern without a folder is a ScigenError."""
    folders: set[Path] = set()
    for pattern in patterns:
        found = {Path(p) for p in glob.glob(pattern) if Path(p).is_dir()} or _as_it_is(pattern)
        if not found and required:
            raise ScigenError(
                f"runs: no folder matches {pattern}. Name folders that train.py has written, or train first."
            )
        folders |= found
    begun = [f for f in sorted(folders) if (f / SUMMARY).exists() or _is_begun(f)]
    done = tuple(f for f in begun if (f / SUMMARY).exists())
    return Runs(done, tuple(f for f in begun if f not in done))


def _is_begun(folder: Path) -> bool:
    """A dry run leaves its configuration, too, and has begun nothing."""
    config = folder / ".hydra" / "config.yaml"
    planned = config.exists() and "dry_run: true" in config.read_text().splitlines()
    return (folder / ".hydra").is_dir() and not planned


def _as_it_is(folder: str) -> set[Path]:
    """A folder whose own name has brackets or stars."""
    return {Path(folder)} if Path(folder).is_dir() else set()
