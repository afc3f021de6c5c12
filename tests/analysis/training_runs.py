"""Folders of finished training runs, as train.py leaves them, with answers that are given. Not a test itself."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

Right = Mapping[str, Sequence[int]]
"""Problem to a 0 or 1 an answer."""


def write_run(
    folder: Path,
    experiment: str,
    seed: int,
    validations: Mapping[int, Mapping[str, Right]],
    truncated: Mapping[int, float] | None = None,
    below: str = "verl/validation",
    overrides: Sequence[str] = (),
    rewards: Mapping[int, float] | None = None,
    evaluated: str | None = None,
) -> Path:
    """`validations` are by step and data source; the share `truncated` of each step's answers is cut off.

    `evaluated` is the checkpoint, if nothing was trained.
    """
    dumps = folder / below
    dumps.mkdir(parents=True)
    for step, sources in validations.items():
        share = (truncated or {}).get(step, 0.0)
        rows = [
            {"data_source": source, "problem_id": problem, "acc": float(mark), "step": step,
             "truncated": float(n < share * len(marks)), "no_answer": 0.0, "output": "", "gts": ""}
            for source, problems in sources.items()
            for problem, marks in problems.items()
            for n, mark in enumerate(marks)
        ]  # fmt: skip
        (dumps / f"{step}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    lines = [{"step": s, "data": {"critic/score/mean": r}} for s, r in (rewards or {}).items()]
    (folder / "verl").mkdir(exist_ok=True)
    (folder / "verl" / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    start(folder, experiment, seed, overrides)
    mode = {} if evaluated is None else {"mode": "evaluate", "checkpoint": evaluated}
    (folder / "summary.json").write_text(json.dumps({"experiment": experiment, "seed": seed, **mode}))
    return folder


def start(folder: Path, experiment: str, seed: int, overrides: Sequence[str] = ()) -> Path:
    """What a run leaves when it begins."""
    (folder / ".hydra").mkdir(parents=True)
    given = [f"+experiment={experiment}", f"seed={seed}", *overrides]
    (folder / ".hydra" / "overrides.yaml").write_text(yaml.safe_dump(given))
    (folder / ".hydra" / "config.yaml").write_text(yaml.safe_dump({"name": experiment, "seed": seed}))
    return folder


def answers(problems: int, rate: float, seed: int, prefix: str = "p", k: int = 4) -> dict[str, list[int]]:
    """k answers to each problem; problems differ in difficulty, and are alike in all runs. Right with mean `rate`."""
    luck, found = random.Random(seed), {}
    for i in range(problems):
        hard = random.Random(f"{prefix}{i}").uniform(-0.3, 0.3)
        found[f"{prefix}{i}"] = [int(luck.random() < min(1.0, max(0.0, rate + hard))) for _ in range(k)]
    return found
