"""What verl's parquet files say of the problems that were validated on: their ids, and the groups they belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

GROUPS = ("subject", "level", "answer_type", "family")
"""Keys of a row's extra_info by which AVG@k is given too, where the rows have them."""


@dataclass(frozen=True)
class BenchmarkRows:
    """What the parquet files that were validated on say of their problems."""

    ids: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Problem ids of each data source."""
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """For each of GROUPS, the group of each problem id."""


def read_rows(parquets: Sequence[Path]) -> BenchmarkRows:
    """Ids and groups of the problems in verl's parquet files; the pictures are not read."""
    import pyarrow.parquet as pq

    ids: dict[str, set[str]] = defaultdict(set)
    groups: dict[str, dict[str, str]] = {name: {} for name in GROUPS}
    for path in parquets:
        for row in pq.read_table(path, columns=["data_source", "extra_info"]).to_pylist():
            info = row["extra_info"]
            ids[row["data_source"]].add(info["problem_id"])
            for name in GROUPS:
                if info.get(name):
                    groups[name][info["problem_id"]] = str(info[name])
    return BenchmarkRows({k: frozenset(v) for k, v in ids.items()}, {k: v for k, v in groups.items() if v})
