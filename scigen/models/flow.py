"""Many awaitables with a window, lazily, and with an orderly end when one of them says that the run must stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def each(items: Iterable[T], work: Callable[[T], Awaitable[R]], window: int) -> AsyncGenerator[R]:
    """Results in order of completion; `items` is read as places in the window come free.

    When a piece of work raises, no more is read; what is under way is still given, and then the first error is raised.
    """
    results: asyncio.Queue[tuple[R | None, Exception | None]] = asyncio.Queue()
    tasks: set[asyncio.Task[None]] = set()

    async def one(item: T) -> None:
        try:
            results.put_nowait((await work(item), None))
        except Exception as e:
            results.put_nowait((None, e))

    stop: Exception | None = None
    source, done = iter(items), object()
    waiting = 0
    try:
        while True:
            while stop is None and waiting < window and (item := next(source, done)) is not done:
                task = asyncio.create_task(one(item))  # type: ignore[arg-type]
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                waiting += 1
            if not waiting:
                break
            result, error = await results.get()
            waiting -= 1
            if error is not None:
                stop = stop or error
            else:
                yield result  # type: ignore[misc]
        if stop is not None:
            raise stop
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
