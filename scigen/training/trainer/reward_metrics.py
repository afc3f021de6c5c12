"""What the reward function said of a step's rollouts: averages for the run's metrics, and a file with every rollout.

verl 0.9.1 averages what a reward function returns beside the score in validation only. Here the training rollouts'
figures become `reward/<name>`, and `rewards/<step>.jsonl` holds a line for each. Whatever the reward, on CPUs and GPUs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scigen.store import write_atomic

SHOWN = 200
"""Characters of a response's end that are kept."""


def of_batch(batch: Any, decode: Any) -> list[dict[str, Any]]:
    """A row for each rollout of a finished batch (a KVBatchMeta), padding left out; `decode` turns ids into text."""
    import transfer_queue as tq

    keys = [key for key, tag in zip(batch.keys, batch.tags, strict=True) if not tag.get("is_padding", False)]
    data = tq.kv_batch_get(keys=keys, partition_id=batch.partition_id, select_fields=["extra_fields", "responses"])
    said = [fields.get("reward_extra_info", {}) for fields in data.pop("extra_fields").tolist()]
    ends = [decode(ids.tolist(), skip_special_tokens=True)[-SHOWN:] for ids in data["responses"].unbind()]
    return [{"rollout": k} | dict(s) | {"response_end": end} for k, s, end in zip(keys, said, ends, strict=True)]


def means(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """`reward/<name>` for every figure that all rows have, and their number `reward/rollouts`."""
    names = [name for name, value in rows[0].items() if isinstance(value, int | float)] if rows else []
    whole = [name for name in names if all(isinstance(row.get(name), int | float) for row in rows)]
    figures = {f"reward/{name}": sum(float(row[name]) for row in rows) / len(rows) for name in whole}
    return figures | {"reward/rollouts": float(len(rows))}


def write(rows: Sequence[Mapping[str, Any]], run_dir: Path, step: int) -> None:
    """Write `rewards/<step>.jsonl`; a step that is done again after a resume replaces its file."""
    folder = run_dir / "rewards"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"step": step, **row}, ensure_ascii=False, default=float) for row in rows]
    write_atomic(folder / f"{step}.jsonl", "".join(f"{line}\n" for line in lines).encode())
