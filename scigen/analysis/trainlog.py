"""Reads the metrics that verl logs, one JSON object a step: `{"step": n, "data": {...}}` or one flat mapping.

A step that was done twice (a run that was killed and resumed) counts once, as it was done last. It does not read
W&B's files.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scigen.analysis.results import Step
from scigen.errors import ScigenError

KEYS = {
    "reward": ("critic/score/mean", "critic/rewards/mean"),
    "response_length": ("response_length/mean",),
    "grad_norm": ("actor/grad_norm",),
    "entropy": ("actor/entropy", "actor/entropy_loss"),
    "seconds": ("timing_s/step", "perf/time_per_step"),
}
"""Field of `Step` to verl's names for it, the first one found counts (verl 0.9.1, trainer/ppo/metric_utils.py)."""

STEP_KEYS = ("step", "training/global_step")


def read_metrics(path: Path) -> dict[int, dict[str, Any]]:
    """Everything logged, by step, in order of steps; several lines of one step are merged, the later one wins.

    A torn last line, which a killed writer leaves, is passed over. Raises ScigenError at any other broken line.
    """
    if not path.exists():
        raise ScigenError(f"{path}: no training metrics there. Run the training stage first, or mend the path.")
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    steps: dict[int, dict[str, Any]] = {}
    for n, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            step, data = _parse(json.loads(line))
        except (ValueError, TypeError, KeyError) as e:
            if n == len(lines):
                break
            raise ScigenError(f"{path}:{n}: not a line of metrics ({e}). Delete the line.") from e
        steps.setdefault(step, {}).update(data)
    return dict(sorted(steps.items()))


def train_steps(metrics: Mapping[int, Mapping[str, Any]]) -> tuple[Step, ...]:
    """The training steps among the logged ones; a step that only holds a validation is none."""
    steps = (
        Step(step=n, **{field: _first(data, names) for field, names in KEYS.items()}) for n, data in metrics.items()
    )
    return tuple(s for s in steps if s.reward is not None or s.grad_norm is not None)


def avg_at_k(metrics: Mapping[int, Mapping[str, Any]], data_source: str, k: int = 4) -> dict[int, float]:
    """verl's own AVG@k on a validation set, by step: `val-core/<data_source>/<metric>/mean@k`."""
    found: dict[int, float] = {}
    for step, data in metrics.items():
        for metric in ("acc", "reward"):
            value = _first(data, (f"val-core/{data_source}/{metric}/mean@{k}",))
            if value is not None:
                found[step] = value
                break
    return found


def _parse(line: Any) -> tuple[int, dict[str, Any]]:
    if not isinstance(line, dict):
        raise TypeError("not an object")
    data = line["data"] if isinstance(line.get("data"), dict) else line
    step = next((source[key] for key in STEP_KEYS for source in (line, data) if key in source), None)
    if step is None:
        raise KeyError("step")
    return int(step), {k: v for k, v in data.items() if k != "step"}


def _first(data: Mapping[str, Any], names: tuple[str, ...]) -> float | None:
    for name in names:
        value = data.get(name)
        if isinstance(value, int | float) and math.isfinite(value):
            return float(value)
    return None
