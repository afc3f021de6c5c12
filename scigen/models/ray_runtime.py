"""Many machines under Ray Data: rows go out in chunks to workers that stay, rows come back to the driver, which writes.

A worker is a class that is called with a batch of columns and gives columns. What stops it is a row of its own
(`stopped_columns`), so that all that had arrived is written before the driver raises it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from scigen.errors import ScigenError
from scigen.models.budget import Budget, BudgetReached
from scigen.models.journal import Journal
from scigen.ray_start import patiently

T = TypeVar("T")


@dataclass(frozen=True)
class RayRuntime:
    """Where Ray runs and how the work is cut."""

    address: str | None = None
    """Of a running cluster (`auto`, `host:port`); None starts Ray on this machine."""
    workers: int = 2
    cpus_per_worker: float = 0.5
    num_cpus: int = 2
    """For Ray on this machine."""
    object_store_mb: int = 200
    """Shared memory of Ray on this machine."""
    batch: int = 64
    """Items that a worker gets at once; a few times its connections keep it busy."""
    chunk: int = 4096
    """Items that are under way in all; what the driver holds of the work."""


@contextmanager
def ray_session(runtime: RayRuntime) -> Iterator[None]:
    """Ray joined or started, quietly, and left again."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    import ray
    import ray.data

    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)  # what it says of its progress has our bars for it
    own: dict[str, Any] = {}
    if runtime.address is None:
        own = {
            "num_cpus": runtime.num_cpus,
            "object_store_memory": runtime.object_store_mb << 20,
            "include_dashboard": False,
        }
    address = runtime.address or "local"
    patiently(lambda: ray.init(address=address, log_to_driver=False, logging_level="ERROR", **own))
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    try:
        yield
    finally:
        ray.shutdown()


def worked_on(
    rows: Iterable[dict[str, Any]],
    worker: type,
    duty: Callable[[], object],
    runtime: RayRuntime,
    *,
    ordered: bool = False,
) -> Iterator[dict[str, Any]]:
    """The rows that workers, made as `worker(duty())` for each chunk, give for `rows`. Needs a session.

    When a worker was stopped, the chunk's rows are still given; then what stopped it is raised.
    """
    import ray

    waiting = iter(rows)
    while chunk := list(islice(waiting, runtime.chunk)):
        blocks = max(1, -(-len(chunk) // runtime.batch))
        context = ray.data.DataContext.get_current()
        context.execution_options.preserve_order = ordered
        done = ray.data.from_items(chunk, override_num_blocks=min(blocks, len(chunk))).map_batches(
            worker,
            fn_constructor_args=(duty(),),
            batch_size=runtime.batch,
            compute=ray.data.ActorPoolStrategy(size=min(runtime.workers, blocks)),
            num_cpus=runtime.cpus_per_worker,
        )
        kind = message = ""
        for row in done.iter_rows():
            if row["stopped"]:
                kind, message = row["stopped"], row["message"]
            yield row
        if kind == BUDGET:
            raise BudgetReached(f"{message} (Each of {runtime.workers} workers has a share of the budget.)")
        if kind:
            raise ScigenError(message)


BUDGET, OTHER = "budget", "error"


def stopped_columns(rows: int, error: ScigenError | None) -> dict[str, list[str]]:
    """Columns of a worker's answer that say in the last of `rows` rows, added for it, what stopped it."""
    kind = "" if error is None else BUDGET if isinstance(error, BudgetReached) else OTHER
    last = rows - 1
    return {
        "stopped": [kind if i == last else "" for i in range(rows)],
        "message": [str(error) if error is not None and i == last else "" for i in range(rows)],
    }


def share_of(budget: Budget | None, journal: Path, parts: int) -> float | None:
    """Dollars for each of `parts` workers, of what the journal's folder leaves of the budget; None without one."""
    return None if budget is None else max(0.0, budget.usd - Journal(journal).usd) / parts


class LoopThread:
    """An event loop in a thread of its own, for a worker that is called synchronously."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for `work`."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
