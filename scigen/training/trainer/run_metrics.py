"""Metrics by step that survive a resume: verl truncates its file at each start, so each start gets a file of its own.

`metrics.jsonl` holds one line a step, {"step": n, "data": {name: number}}; where two starts wrote the same step, the
later one wins, name by name (a resumed run validates again at the step it starts from).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scigen.store import write_atomic


def new_attempt(folder: Path) -> Path:
    """Path for verl's file logger: the next free `metrics/attempt-<n>.jsonl`."""
    attempts = folder / "metrics"
    attempts.mkdir(parents=True, exist_ok=True)
    path = attempts / f"attempt-{len(list(attempts.glob('attempt-*.jsonl'))):03d}.jsonl"
    path.touch()
    return path


def read(path: Path) -> dict[int, dict[str, Any]]:
    """Steps of one file; a last line that is cut off is left out."""
    steps: dict[int, dict[str, Any]] = {}
    if not path.exists():
        return steps
    for line in path.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n") and line.strip():
            entry = json.loads(line)
            steps.setdefault(int(entry["step"]), {}).update(entry["data"])
    return steps


def of_attempts(folder: Path) -> dict[int, dict[str, Any]]:
    """All attempts merged, by step; a run that is under way has what it has logged so far."""
    steps: dict[int, dict[str, Any]] = {}
    for path in sorted((folder / "metrics").glob("attempt-*.jsonl")):
        for step, data in read(path).items():
            steps.setdefault(step, {}).update(data)
    return {step: steps[step] for step in sorted(steps)}


def merge(folder: Path) -> dict[int, dict[str, Any]]:
    """Write `metrics.jsonl` from all attempts and return it, by step."""
    steps = of_attempts(folder)
    lines = [json.dumps({"step": step, "data": data}) for step, data in steps.items()]
    write_atomic(folder / "metrics.jsonl", "".join(f"{line}\n" for line in lines).encode())
    return steps
