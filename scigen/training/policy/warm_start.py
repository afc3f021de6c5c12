"""The supervised start of the tiny policy: a short stage of cross-entropy on the right responses of training rows.

A random policy never writes `\\boxed{word}`, so GRPO would have no reward to compare. This stage gives it the format
and a little sight; it is reported apart from GRPO. It never sees held-out rows: it is given the train set's file only.
It also runs the comparison with GRPO, `continue_supervised`: the same seconds of more of this stage.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from scigen.errors import ScigenError
from scigen.store import inputs_hash, replacing, write_atomic
from scigen.training.policy.examples import Examples
from scigen.training.policy.sampling import load

REPORT = "warm_start.json"
"""The last file of a finished folder."""


@dataclass(frozen=True)
class Supervised:
    """Settings of the supervised stage: AdamW, a linear warm-up, then a linear fall to a tenth of `lr`."""

    steps: int = 80
    lr: float = 2e-3
    batch_size: int = 64
    warm_up: int = 20
    betas: tuple[float, float] = (0.9, 0.98)
    clip: float = 1.0


class WarmStartReport(BaseModel):
    """What the supervised stage did."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    steps: int
    examples_seen: int
    loss_first: float
    """Cross-entropy a response token, in nats, at the first step."""
    loss_last: float
    """Mean of the last ten steps."""
    seconds: float
    """Training alone, without loading."""
    inputs: str


def warm_start(
    model_dir: Path, parquet: Path, out_dir: Path, settings: Supervised | None = None, seed: int = 0
) -> WarmStartReport:
    """Train the policy of `model_dir` on the rows of `parquet` for a number of steps; write it to `out_dir`.

    The result depends on the arguments and files only. A folder that was finished from the same ones is kept; any
    other is replaced, in one rename.

    Raises ScigenError when the file has fewer rows than a batch.
    """
    settings = settings or Supervised()
    inputs = inputs_hash(folder_hash(model_dir), file_hash(parquet), asdict(settings), seed)
    done = out_dir / REPORT
    if done.exists() and (old := WarmStartReport.model_validate_json(done.read_bytes())).inputs == inputs:
        return old
    model, examples = load(model_dir), Examples(model_dir, parquet)
    losses, seconds = train(model, examples, settings, seed, "Warm start", lambda step, _: step / settings.steps)
    return _finish(model, model_dir, out_dir, examples, settings, losses, seconds, inputs)


def continue_supervised(
    model_dir: Path, parquet: Path, out_dir: Path, seconds: float, settings: Supervised | None = None, seed: int = 1
) -> WarmStartReport:
    """More of the same stage for a time (seconds of training), from the warm-started `model_dir`: GRPO's comparison.

    Its length is a time and not a number of steps, so it is not the same on every machine.
    """
    settings = settings or Supervised()
    model, examples = load(model_dir), Examples(model_dir, parquet)
    losses, used = train(model, examples, settings, seed, "More supervised steps", lambda _, spent: spent / seconds)
    inputs = inputs_hash(folder_hash(model_dir), file_hash(parquet), asdict(settings), seed, seconds)
    return _finish(model, model_dir, out_dir, examples, settings, losses, used, inputs)


def train(
    model: Any,
    examples: Examples,
    settings: Supervised,
    seed: int,
    title: str,
    progress: Callable[[int, float], float],
) -> tuple[list[float], float]:
    """Train in place until `progress(steps, seconds)` reaches 1; returns the losses and the seconds of training."""
    import torch
    import torch.nn.functional as F
    from rich.progress import Progress

    if len(examples) < settings.batch_size:
        raise ScigenError(
            f"warm start: {len(examples)} training rows are fewer than a batch of {settings.batch_size}. "
            f"Make more problems, or lower the batch size."
        )
    torch.set_num_threads(1)  # sums in one order on every machine; a second thread gains little at this size
    order = _order(len(examples), settings.batch_size, seed)
    optimizer = torch.optim.AdamW(model.parameters(), settings.lr, betas=settings.betas, weight_decay=0.0)
    model.train()
    losses: list[float] = []
    start = time.perf_counter()
    with Progress(transient=True) as bar:
        task = bar.add_task(title, total=1.0)
        while (done := progress(len(losses), time.perf_counter() - start)) < 1:
            rate = settings.lr * min(1.0, (len(losses) + 1) / settings.warm_up) * max(0.1, 1 - done)
            for group in optimizer.param_groups:
                group["lr"] = rate
            inputs, labels = examples.batch(next(order))
            answered = labels[:, 1:] != -100
            logits = model(**inputs, use_cache=False).logits[:, :-1]
            loss = F.cross_entropy(logits[answered], labels[:, 1:][answered])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
            optimizer.step()
            losses.append(loss.item())
            bar.update(task, completed=done)
    return losses, time.perf_counter() - start


def _order(rows: int, batch_size: int, seed: int) -> Any:
    """Batches of row numbers, a new permutation each epoch, the short last batch left out."""
    import numpy as np

    rng = np.random.default_rng(seed)
    while True:
        permutation = rng.permutation(rows)
        for start in range(0, rows - batch_size + 1, batch_size):
            yield permutation[start : start + batch_size].tolist()


def _finish(
    model: Any,
    model_dir: Path,
    out_dir: Path,
    examples: Examples,
    settings: Supervised,
    losses: list[float],
    seconds: float,
    inputs: str,
) -> WarmStartReport:
    """Write the whole folder beside `out_dir` and rename it."""
    report = WarmStartReport(
        rows=len(examples),
        steps=len(losses),
        examples_seen=len(losses) * settings.batch_size,
        loss_first=losses[0],
        loss_last=sum(losses[-10:]) / len(losses[-10:]),
        seconds=round(seconds, 2),
        inputs=inputs,
    )
    with replacing(out_dir) as part:
        shutil.copytree(model_dir, part, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.safetensors", REPORT))
        model.save_pretrained(part)
        write_atomic(part / REPORT, report.model_dump_json(indent=2).encode() + b"\n")
    return report


def file_hash(path: Path) -> str:
    """sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def folder_hash(folder: Path) -> str:
    """Hash of the names and contents of all files below a folder, but for the report, which holds times."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != REPORT)
    return inputs_hash([(p.relative_to(folder).as_posix(), file_hash(p)) for p in files])
