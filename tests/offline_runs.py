"""Reads W&B's offline runs back with W&B's own reader. Not a test itself."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class OfflineRun:
    """What one offline folder holds."""

    id: str
    group: str
    job_type: str
    name: str
    started: str
    """ISO 8601, to the microsecond."""
    resume: bool
    config: dict[str, Any]
    folder: Path
    used: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Input artifacts by name."""
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)

    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Rows of each logged table, from the file that would be uploaded."""


def read_runs(output: Path) -> list[OfflineRun]:
    """Every offline run below `output`/wandb, in order of start."""
    runs = [read_run(folder) for folder in (output / "wandb").glob("offline-run-*")]
    return sorted(runs, key=lambda run: run.started)  # the folders' names have whole seconds


def read_run(folder: Path) -> OfflineRun:
    """By `wandb leet inspect`, without the two seconds that the command takes to start."""
    from wandb.util import get_core_path

    (log,) = folder.glob("*.wandb")
    command = [get_core_path(), "leet", "inspect", "--no-observability", "--json", "--run-file", str(log), str(folder)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.splitlines()
    records = [json.loads(line) for line in lines]
    head = next(r["run"] for r in records if r["type"] == "run")
    run = OfflineRun(
        id=head["run_id"],
        group=head.get("run_group", ""),
        job_type=head.get("job_type", ""),
        name=head.get("display_name", ""),
        started=head["start_time"],
        resume=bool(head.get("resume")),
        config=head.get("config", {}).get("update", {}),
        folder=folder,
    )
    for record in records:
        if record["type"] == "artifact":
            artifact = record["artifact"]
            if artifact["name"].startswith("run-"):
                run.tables |= tables(artifact)  # W&B's own
                continue
            artifact["metadata"] = json.loads(artifact.get("metadata") or "{}")
            place = run.used if artifact.get("use_after_commit") else run.made
            place[artifact["name"]] = artifact
        elif record["type"] == "summary":
            run.summary |= record["summary"].get("update", {})
        elif record["type"] == "history":
            run.steps.append(record["history"]["item"])
    return run


def tables(artifact: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The tables in one artifact."""
    found = {}
    for file in artifact["manifest"]["contents"]:
        if file["path"].endswith(".table.json"):
            table = json.loads(Path(file["local_path"]).read_bytes())
            rows = [dict(zip(table["columns"], cells, strict=True)) for cells in table["data"]]
            found[file["path"].removesuffix(".table.json")] = rows
    return found
