"""Who is served next: scripts of one stream in order, the streams in turn, so that one does not wait for a thousand."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field

from scigen.rendering.outcome import Rendering


@dataclass(frozen=True)
class Job:
    """One script to draw. `stream` is whatever object asks; it is compared by identity."""

    script: str
    stream: object
    result: Future[Rendering] = field(default_factory=Future)


class FairQueue:
    """Jobs by stream, taken round robin. Safe for any number of threads."""

    def __init__(self) -> None:
        self._streams: dict[int, deque[Job]] = {}  # in order of their next turn
        self._changed = threading.Condition()
        self._closed = False

    def put(self, job: Job) -> None:
        """Raises RuntimeError after `close`."""
        with self._changed:
            if self._closed:
                raise RuntimeError("rendering: the pool is closed")
            self._streams.setdefault(id(job.stream), deque()).append(job)
            self._changed.notify()

    def take(self) -> Job | None:
        """The next job, waiting for one; None once the queue is closed."""
        with self._changed:
            while not self._streams and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            key = next(iter(self._streams))
            jobs = self._streams.pop(key)
            job = jobs.popleft()
            if jobs:
                self._streams[key] = jobs  # at the end: the others come first
            return job

    def close(self) -> None:
        """Cancel what waits and let all takers go."""
        with self._changed:
            self._closed = True
            for jobs in self._streams.values():
                for job in jobs:
                    job.result.cancel()
            self._streams.clear()
            self._changed.notify_all()
