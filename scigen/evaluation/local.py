"""Evaluators that need no model behind a network: image by image, in processes of this machine."""

from __future__ import annotations

import asyncio
import os
from abc import abstractmethod
from collections.abc import AsyncGenerator, Iterable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import aclosing
from multiprocessing import get_context
from typing import ClassVar

from pydantic import Field

from scigen.errors import ScigenError
from scigen.evaluation.base import Evaluator, Item
from scigen.generators import Studio
from scigen.models.flow import each
from scigen.records import Verdict

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class LocalEvaluator(Evaluator):
    """Looks at one image at a time. It is sent to other processes, so what it loads it must load there, once."""

    OUTER: ClassVar[frozenset[str]] = Evaluator.OUTER | {"workers"}

    workers: int | None = Field(default=None, ge=0)
    """Processes; None for one a core, 0 for this one."""

    @abstractmethod
    def look(self, item: Item) -> Verdict:
        """The verdict on one item. Raises ScigenError for what stops the whole run."""

    async def verdicts(self, items: Iterable[Item], studio: Studio) -> AsyncGenerator[Verdict]:
        """See Evaluator."""
        count = len(os.sched_getaffinity(0)) if self.workers is None else self.workers
        with _pool(count) as pool:

            async def one(item: Item) -> Verdict:
                try:
                    return await asyncio.wrap_future(pool.submit(self.look, item))
                except OSError as e:
                    raise ScigenError(f"{item.key}: the image is unreadable ({e}). Make its set again.") from e
                except BrokenProcessPool as e:
                    raise ScigenError(
                        f"{self.name}: a process died at {item.key} or beside it, perhaps for lack of memory. Run the "
                        f"same command again, with fewer of them by evaluator.{self.name}.workers=1."
                    ) from e

            async with aclosing(each(items, one, max(1, 4 * count))) as found:
                async for verdict in found:
                    yield verdict


class _Here(Executor):
    """Works in the caller's own thread."""

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        done: Future[object] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as e:
            done.set_exception(e)
        return done


def _pool(workers: int) -> Executor:
    if workers == 0:
        return _Here()
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin)


def _begin() -> None:
    """In each process, before anything heavy is imported there: the processes share the cores already."""
    os.environ.update(ONE_THREAD)
