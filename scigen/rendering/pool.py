"""A pool of warm zygotes that draw untrusted Matplotlib scripts: `with RenderPool() as pool: pool.draw(script)`.

The pool holds the wall clock's last word, restarts a zygote that died, and never runs a script in its own process.
"""

from __future__ import annotations

import asyncio
import queue
import shutil
import tempfile
import threading
import time
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scigen.errors import ScigenError
from scigen.rendering import host, languages, picture
from scigen.rendering.fair_queue import FairQueue, Job
from scigen.rendering.lessons import Lessons
from scigen.rendering.outcome import Limits, Rendering
from scigen.rendering.worker import Worker, ZygoteDied

WINDOW = 4
"""Scripts that a stream may have in the pool at a time, by worker."""


class RenderPool:
    """Draws scripts in sandboxed children of warm processes; use as a context manager, from any threads and loops.

    `workers` defaults to the cores this process may use (`host.cores`). With `namespaces`, scripts are drawn in
    namespaces of their own where the host allows it, without them else. Raises ScigenError where the host cannot
    confine a script, unless `unsafe=True`, which is for one's own scripts: it leaves out Landlock, seccomp and
    namespaces and keeps the rest. Scripts are Python with Matplotlib, or, with `language="tikz"`, LaTeX: see `tikz`;
    ScigenError too where its programs are not installed.
    """

    def __init__(
        self,
        workers: int | None = None,
        limits: Limits | None = None,
        *,
        namespaces: bool = True,
        unsafe: bool = False,
        language: str = "matplotlib",
    ) -> None:
        if not unsafe:
            host.require_confinement()
        if workers is not None and workers < 1:
            raise ScigenError(f"rendering: workers={workers}; it must be at least 1")
        self.workers = workers or host.cores()
        self.limits = limits or Limits()
        self._language, self._programs = language, languages.load(language).programs()
        self._sandbox = not unsafe
        self._namespaces = namespaces and not unsafe

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="scigen-render-"))
        self._all: list[Worker] = []
        self._queue = FairQueue()
        self._lessons = Lessons()
        try:
            for n in range(self.workers):
                folder, how = self._folder / str(n), (self._sandbox, self._namespaces)
                self._all.append(Worker(folder, self.limits, *how, self._language, self._programs))
            for worker in self._all:
                worker.wait_ready()
        except BaseException:
            self._stop()
            raise
        self._layouts: list[deque[bytes]] = [deque() for _ in self._all]
        self._judges = ThreadPoolExecutor(min(4, self.workers), thread_name_prefix="scigen-judge")
        self._threads = [
            threading.Thread(target=self._serve, args=(n,), name=f"scigen-render-{n}", daemon=True)
            for n in range(self.workers)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._queue.close()
        for thread in self._threads:
            thread.join()
        self._judges.shutdown()
        self._stop()

    def _stop(self) -> None:
        for worker in self._all:
            worker.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def confinement(self) -> str:
        """How scripts are put into namespaces: user, root or none; see `namespaces.Way`."""
        return self._all[0].namespaces

    @property
    def facts(self) -> dict[str, Any]:
        """What the warm processes draw with: versions and fonts."""
        return self._all[0].facts

    def submit(self, script: str, stream: object = None) -> Future[Rendering]:
        """Queue one script. Streams (any objects) are served in turn; whoever gives none shares one.

        The result is a Rendering whatever the script does; ScigenError only if no drawing process can be started again.
        """
        job = Job(script, stream)
        self._queue.put(job)
        return job.result

    def draw(self, script: str) -> Rendering:
        """Draw one script and wait for it; see `submit`."""
        return self.submit(script).result()

    def map(self, scripts: Iterable[str]) -> Iterator[Rendering]:
        """Draw many, in order. Takes from `scripts` only a few more than were taken from the result."""
        stream, pending = object(), deque[Future[Rendering]]()
        try:
            for script in scripts:
                pending.append(self.submit(script, stream))
                if len(pending) >= WINDOW * self.workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()

    def as_completed(self, scripts: Iterable[str]) -> Iterator[tuple[int, Rendering]]:
        """Draw many; gives each with its number, from 0, as soon as it is there. Takes scripts as `map` does."""
        stream, done = object(), queue.SimpleQueue[tuple[int, Future[Rendering]]]()
        pending: dict[int, Future[Rendering]] = {}

        def one() -> tuple[int, Rendering]:
            index, future = done.get()
            del pending[index]
            return index, future.result()

        try:
            for index, script in enumerate(scripts):
                pending[index] = self.submit(script, stream)
                pending[index].add_done_callback(lambda future, index=index: done.put((index, future)))  # type: ignore[misc]
                if len(pending) >= WINDOW * self.workers:
                    yield one()
            while pending:
                yield one()
        finally:
            for future in pending.values():
                future.cancel()

    async def draw_async(self, script: str) -> Rendering:
        """`draw` without blocking the event loop. Cancelling it takes a script that still waits off the queue."""
        return await asyncio.wrap_future(self.submit(script))

    async def map_async(self, scripts: Iterable[str] | AsyncIterable[str]) -> AsyncIterator[Rendering]:
        """`map` without blocking the event loop."""
        stream, pending = object(), deque[asyncio.Future[Rendering]]()
        try:
            async for script in _each(scripts):
                pending.append(asyncio.wrap_future(self.submit(script, stream)))
                if len(pending) >= WINDOW * self.workers:
                    yield await pending.popleft()
            while pending:
                yield await pending.popleft()
        finally:
            for future in pending:
                future.cancel()

    def _serve(self, number: int) -> None:
        """The life of the thread that speaks with one worker."""
        worker = self._all[number]
        while (job := self._queue.take()) is not None:
            if not job.result.set_running_or_notify_cancel():
                continue
            try:
                self._learn(number, worker)
                start = time.perf_counter()
                head, body = self._draw_on(worker, job.script)
                self._judges.submit(self._finish, job, head, body, time.perf_counter() - start)
            except BaseException as e:
                job.result.set_exception(e)

    def _draw_on(self, worker: Worker, script: str) -> tuple[dict[str, Any], bytes]:
        for _ in range(2):
            try:
                return worker.draw(script)
            except ZygoteDied:
                worker.restart()
            except TimeoutError:
                worker.restart()
                return {"end": "timeout"}, b""
        return {"end": "zygote_died"}, b""

    def _finish(self, job: Job, head: dict[str, Any], body: bytes, seconds: float) -> None:
        try:
            report, pngs = picture.unpack(body)
            self._lessons.add(report.get("texts", []))
            job.result.set_result(picture.judge(head, report, pngs, self.limits, seconds))
        except BaseException as e:
            job.result.set_exception(e)

    def _learn(self, number: int, worker: Worker) -> None:
        """Have texts measured that come again and again, and give the layouts to all workers. Never a must."""
        try:
            if batch := self._lessons.next():
                layouts = worker.lay_out([list(text) for text in batch])
                if not layouts:
                    self._lessons.failed()
                for inbox in self._layouts if layouts else []:
                    inbox.append(layouts)
            while self._layouts[number]:
                worker.keep(self._layouts[number].popleft())
        except (ZygoteDied, TimeoutError):
            worker.restart()


async def _each(scripts: Iterable[str] | AsyncIterable[str]) -> AsyncIterator[str]:
    if isinstance(scripts, AsyncIterable):
        async for script in scripts:
            yield script
    else:
        for script in scripts:
            yield script
