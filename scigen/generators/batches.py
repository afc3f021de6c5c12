"""Work that goes better for several at once: what is asked for at about the same time is done together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Self, TypeVar

A = TypeVar("A")
B = TypeVar("B")


class Batches(Generic[A, B]):
    """Use as an async context manager, within one event loop.

    `work` gets up to `most` items, those that came within `wait_s` of the first, and gives a result for each, in their
    order. One batch is at work at a time. Leaving the context gives up what is still waiting.
    """

    def __init__(self, work: Callable[[Sequence[A]], Awaitable[Sequence[B]]], most: int, wait_s: float) -> None:
        self._work, self._most, self._wait_s = work, most, wait_s

    async def __aenter__(self) -> Self:
        self._queue: asyncio.Queue[tuple[A, asyncio.Future[B]]] = asyncio.Queue()
        self._worker = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._worker.cancel()
        await asyncio.wait([self._worker])
        while not self._queue.empty():
            self._queue.get_nowait()[1].cancel()

    async def ask(self, item: A) -> B:
        """The result for `item`. Raises what `work` raised for its batch."""
        answer: asyncio.Future[B] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((item, answer))
        return await answer

    async def _run(self) -> None:
        while True:
            batch = [(item, answer) for item, answer in await self._gathered() if not answer.done()]
            if batch:
                await self._do(batch)

    async def _gathered(self) -> list[tuple[A, asyncio.Future[B]]]:
        batch = [await self._queue.get()]
        try:
            async with asyncio.timeout(self._wait_s):
                while len(batch) < self._most:
                    batch.append(await self._queue.get())
        except TimeoutError:
            pass
        return batch

    async def _do(self, batch: list[tuple[A, asyncio.Future[B]]]) -> None:
        waiting = [answer for _, answer in batch]
        try:
            results = await self._work([item for item, _ in batch])
            for answer, result in zip(waiting, results, strict=True):
                if not answer.done():
                    answer.set_result(result)
        except Exception as e:
            for answer in waiting:
                if not answer.done():
                    answer.set_exception(e)
        finally:
            for answer in waiting:
                answer.cancel()
