"""A benchmark -> one parquet file in verl's row format, with a record for every row that is malformed.

Nothing is dropped in silence: rows read, written and left out are counted and compared with the published number. It
does not look at how long a prompt is; the pixel budget bounds its pictures.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from scigen.errors import ScigenError
from scigen.problems.malformed import Fault, Malformed
from scigen.store import SetWriter, inputs_hash, write_atomic
from scigen.training.benchmarks.answers import unit_of
from scigen.training.benchmarks.base import Benchmark, Item
from scigen.training.benchmarks.prompt import Prompts, prompt_text, question_text
from scigen.training.pixel_budget import PixelBudget, fit_image
from scigen.training.rows import write_parquet


class BenchmarkInfo(BaseModel):
    """What was written; the last file of a benchmark, `<stem>.json` beside its parquet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    origin: str
    """Data set and revision."""
    expected: int
    """Problems of the published split."""
    read: int
    written: int
    by_answer_type: dict[str, int]
    by_subject: dict[str, int]
    pictures: int
    faults: dict[str, int]
    """Counts by severity and kind."""
    rows_hash: str
    inputs: str

    @property
    def complete(self) -> bool:
        """Whether every problem of the published split was written."""
        return self.written == self.expected


def malformed_set(parquet: Path) -> Path:
    """Where the malformed rows of the benchmark at `parquet` are recorded."""
    return parquet.with_name(f"{parquet.stem}-malformed")


def build_benchmark(benchmark: Benchmark, parquet: Path, prompts: Prompts, budget: PixelBudget) -> BenchmarkInfo:
    """Write `parquet`, the set of its malformed rows beside it, and its info last; skipped when nothing has changed.

    Raises ScigenError when the data set cannot be read, or no row of it can be used.
    """
    inputs = inputs_hash(benchmark.settings(), [prompts.open, prompts.choice], budget.model_dump())
    done = parquet.with_suffix(".json")
    if done.exists() and parquet.exists():
        info = BenchmarkInfo.model_validate_json(done.read_bytes())
        if info.inputs == inputs:
            return info
    done.unlink(missing_ok=True)
    rows: list[dict[str, Any]] = []
    counts: dict[str, Counter[str]] = {"type": Counter(), "subject": Counter(), "fault": Counter()}
    read, origin, seen = 0, "", Counter[str]()
    with SetWriter(malformed_set(parquet), Malformed, inputs) as malformed:
        for where, item, faults in benchmark.readings():
            read, found = read + 1, list(faults)
            if item is not None:
                seen[item.id] += 1
                if seen[item.id] > 1:
                    fault = f'is asked {seen[item.id]} times with the same pictures ("{item.id}")'
                    mend = "Kept, with an id of its own."
                    found.append(benchmark.fault(where, "id", Fault.DUPLICATE_ID, fault, "warning", mend))
                    item = replace(item, id=f"{item.id}-{seen[item.id]}")
                origin = item.origin.removesuffix(f":{where}")
                try:
                    rows.append(benchmark_row(len(rows), item, benchmark.name, prompts, budget))
                except ScigenError as e:
                    found.append(benchmark.fault(where, "pictures", Fault.IMAGE, str(e), "error"))
                else:
                    counts["type"][str(item.answer_type)] += 1
                    counts["subject"][item.subject] += 1
            for record in found:
                counts["fault"][f"{record.severity}: {record.kind}"] += 1
                if record.key not in malformed:
                    malformed.append(record)
        malformed.finish()
    if not rows:
        raise ScigenError(
            f"{parquet}: none of the {read} rows of {benchmark.dataset} can be used; the first faults are in "
            f"{malformed_set(parquet)}. Point {benchmark.key}.path at a copy of its split {benchmark.split}."
        )
    info = BenchmarkInfo(
        name=benchmark.name,
        origin=origin,
        expected=benchmark.rows,
        read=read,
        written=len(rows),
        by_answer_type=dict(sorted(counts["type"].items())),
        by_subject=dict(sorted(counts["subject"].items())),
        pictures=sum(len(row["images"]) for row in rows),
        faults=dict(sorted(counts["fault"].items())),
        rows_hash=write_parquet(parquet, rows),
        inputs=inputs,
    )
    write_atomic(done, info.model_dump_json(indent=2).encode() + b"\n")
    return info


def benchmark_row(index: int, item: Item, data_source: str, prompts: Prompts, budget: PixelBudget) -> dict[str, Any]:
    """One row of verl's RLHFDataset. All benchmarks have the same columns, since verl joins them into one table.

    Raises ScigenError for a picture whose proportions fit no size of the budget.
    """
    content, pictures = prompt_text(item, prompts)
    fitted = [fit_image(png, budget) for png in pictures]
    choice = item.choices[ord(item.answer) - ord("A")] if item.choices else ""
    return {
        "data_source": data_source,
        "prompt": [{"role": "user", "content": content}],
        "images": [{"bytes": png, "path": None} for png in fitted],
        "ability": item.subject,
        "reward_model": {"style": "rule", "ground_truth": item.answer},
        "extra_info": {
            "index": index,
            "problem_id": item.id,
            "question": question_text(item),
            "answer_type": str(item.answer_type),
            "choice": choice,
            "unit": unit_of(item.answer),
            "subject": item.subject,
            "level": item.level,
            "images": [hashlib.sha256(png).hexdigest() for png in fitted],
            "origin": item.origin,
        },
    }
