"""AVG@k with intervals from the generations that verl's validation dumps (`trainer.validation_data_dir`).

The mean over problems of the share of a problem's k responses that are right. The interval is clustered by problem,
since responses to one problem are alike. It scores nothing anew and never looks at a model.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scigen.errors import ScigenError
from scigen.statistics import estimate


@dataclass(frozen=True)
class AvgAtK:
    """One benchmark at one checkpoint; rates are of responses, in 0..1."""

    data_source: str
    step: int
    avg_at_k: float
    ci95: tuple[float, float]
    """95 % interval, problems drawn again."""
    n_problems: int
    k: int
    truncated_rate: float
    no_answer_rate: float
    by_family: Mapping[str, float] = field(default_factory=dict)
    """AVG@k of each problem family, when the families are known."""
    by_problem: Mapping[str, float] = field(default_factory=dict)
    """Share of right responses of each problem, for paired comparisons."""


def read(path: Path, families: Mapping[str, str] | None = None) -> dict[str, AvgAtK]:
    """The benchmarks in one dump `<step>.jsonl`, by data source.

    `families` gives the family of a problem id. Raises ScigenError for a file without the needed fields, or with
    unequal numbers of responses a problem.
    """
    rows = responses(path)
    return {source: _summary(path, source, problems, families or {}) for source, problems in sorted(rows.items())}


def responses(path: Path) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The records of one dump, by data source and problem id.

    Raises ScigenError for a missing file, and for a record without the needed fields.
    """
    if not path.exists():
        raise ScigenError(
            f"{path}: there is no such validation dump. Set verl.trainer.validation_data_dir and test_freq."
        )
    rows: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    with path.open(encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            try:
                row = json.loads(line)
                rows[row["data_source"]][row["problem_id"]].append(row)
                row["acc"], row["step"]
            except (ValueError, KeyError) as e:
                raise ScigenError(
                    f"{path}:{number}: not a validation record with data_source, problem_id, acc and step ({e}). Use "
                    f"verl.reward.reward_manager.name=RecordingRewardManager, or run the validation again."
                ) from e
    return rows


def _summary(
    path: Path, source: str, problems: Mapping[str, list[dict[str, Any]]], families: Mapping[str, str]
) -> AvgAtK:
    k = responses_each(path, source, problems)
    right = {problem: [float(r["acc"]) for r in rows] for problem, rows in problems.items()}
    every = [r for rows in problems.values() for r in rows]
    overall = estimate(right)
    by_family: dict[str, dict[str, list[float]]] = defaultdict(dict)
    for problem, values in right.items():
        if problem in families:
            by_family[families[problem]][problem] = values
    return AvgAtK(
        data_source=source,
        step=int(every[0]["step"]),
        avg_at_k=overall.value,
        ci95=(overall.low, overall.high),
        n_problems=overall.n,
        k=k,
        truncated_rate=_mean(every, "truncated"),
        no_answer_rate=_mean(every, "no_answer"),
        by_family={family: _mean_of_means(values) for family, values in sorted(by_family.items())},
        by_problem={problem: sum(values) / len(values) for problem, values in right.items()},
    )


def responses_each(path: Path, source: str, problems: Mapping[str, list[dict[str, Any]]]) -> int:
    """How many responses each problem has. Raises ScigenError when it is not one number."""
    counts = {len(rows) for rows in problems.values()}
    if len(counts) > 1:
        raise ScigenError(
            f"{path}: {source}: problems have between {min(counts)} and {max(counts)} responses; is one problem_id "
            f"used for two problems, or did rollouts fail? Run the validation again."
        )
    return counts.pop()


def _mean(rows: list[dict[str, Any]], key: str) -> float:
    """Mean of a 0/1 field; a reward that does not say counts as nan, not as 0."""
    values = [float(r[key]) for r in rows if r.get(key) is not None]
    return sum(values) / len(values) if values else float("nan")


def _mean_of_means(values: Mapping[str, list[float]]) -> float:
    return sum(sum(v) / len(v) for v in values.values()) / len(values)


def steps(folder: Path) -> list[int]:
    """Steps for which there is a dump, in order."""
    return sorted(int(p.stem) for p in folder.glob("*.jsonl") if p.stem.isdigit())
