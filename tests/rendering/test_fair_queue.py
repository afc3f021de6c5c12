"""Streams are served in turn, each in its own order; closing lets everybody go."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError

import pytest

from scigen.rendering.fair_queue import FairQueue, Job


def taken(queue: FairQueue, count: int) -> list[str]:
    jobs = [queue.take() for _ in range(count)]
    return [job.script for job in jobs if job is not None]


def test_a_late_stream_does_not_wait_for_a_long_one() -> None:
    queue, long, late = FairQueue(), object(), object()
    for n in range(1000):
        queue.put(Job(f"long {n}", long))
    queue.put(Job("late 0", late))
    queue.put(Job("late 1", late))
    assert taken(queue, 5) == ["long 0", "late 0", "long 1", "late 1", "long 2"]


def test_who_names_no_stream_is_served_first_come_first_served() -> None:
    queue = FairQueue()
    for n in range(3):
        queue.put(Job(str(n), None))
    assert taken(queue, 3) == ["0", "1", "2"]


def test_closing_cancels_what_waits_and_wakes_the_takers() -> None:
    queue = FairQueue()
    results: list[Job | None] = []
    takers = [threading.Thread(target=lambda: results.append(queue.take())) for _ in range(3)]
    for taker in takers:
        taker.start()
    job = Job("a", None)
    queue.put(job)
    while len(results) < 1:
        pass
    left = Job("b", None)
    queue.close()
    for taker in takers:
        taker.join(timeout=60)
    assert results.count(None) == 2
    with pytest.raises(RuntimeError, match="closed"):
        queue.put(left)


def test_a_waiting_job_is_cancelled_by_closing() -> None:
    queue, job = FairQueue(), Job("a", None)
    queue.put(job)
    queue.close()
    with pytest.raises(CancelledError):
        job.result.result(timeout=60)
