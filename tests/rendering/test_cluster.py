"""Real Ray on this machine: two actors draw what one pool draws, in order, also when one is killed at work."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

from scigen.errors import ScigenError
from scigen.rendering import RenderPool
from scigen.rendering.cluster import RayRenderPool

pytestmark = pytest.mark.slow


def scripts(count: int, seconds: float = 0.0) -> list[str]:
    draw = (
        "import matplotlib.pyplot as plt, time\ntime.sleep({})\nplt.figure(figsize=(1, 1), dpi=50).text(.1, .4, '{}')"
    )
    return [draw.format(seconds, n) for n in range(count)]


@pytest.fixture(scope="module")
def pool() -> Iterator[RayRenderPool]:
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    with RayRenderPool(actors=2, workers=1) as pool:
        yield pool
    ray.shutdown()


def test_the_actors_draw_what_one_pool_draws(pool: RayRenderPool) -> None:
    sources = scripts(40)
    with RenderPool(1) as local:
        expected = [r.png for r in local.map(sources)]
    assert pool.workers == 2
    assert [r.png for r in pool.map(iter(sources))] == expected
    done = dict(pool.as_completed(sources))
    assert [done[n].png for n in range(40)] == expected


def test_scripts_are_taken_as_they_are_needed(pool: RayRenderPool) -> None:
    taken = 0

    def source() -> Iterator[str]:
        nonlocal taken
        for script in scripts(1000):
            taken += 1
            yield script

    results = pool.map(source())
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert taken < 300


def test_an_actor_killed_at_work_is_replaced_and_nothing_is_lost(pool: RayRenderPool) -> None:
    drawers = [p for p in psutil.process_iter(["cmdline"]) if "ray::_Drawer" in " ".join(p.info["cmdline"] or [])]
    assert len(drawers) == 2
    threading.Timer(1.0, lambda: os.kill(drawers[0].pid, signal.SIGKILL)).start()
    start = time.monotonic()
    results = list(pool.map(scripts(64, 0.1)))
    assert time.monotonic() - start > 1.0, "the kill came while they were drawn"
    assert [r.texts[0].text for r in results] == [str(n) for n in range(64)]


def test_more_actors_than_the_cluster_has_cpus_for_is_an_error() -> None:
    with pytest.raises(ScigenError, match="room for"), RayRenderPool(actors=500, workers=4):
        pass
