"""The same renders, however one asks: in order, as completed, from an event loop, from many threads at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from scigen.errors import ScigenError
from scigen.records import Status
from scigen.rendering import Limits, Rendering, RenderPool
from scigen.rendering.pool import WINDOW


def script(word: str, seconds: float = 0.0) -> str:
    return (
        f"import time\ntime.sleep({seconds})\nimport matplotlib.pyplot as plt\n"
        f"plt.figure(figsize=(1, 1), dpi=50).text(.1, .4, {word!r})"
    )


def word(r: Rendering) -> str:
    assert r.status is Status.OK, r.error
    return r.texts[0].text


@pytest.fixture(scope="module")
def pool() -> Iterator[RenderPool]:
    with RenderPool(2, Limits(timeout_s=10)) as pool:
        yield pool


def test_as_completed_gives_the_quick_ones_first_with_their_numbers(pool: RenderPool) -> None:
    list(pool.map([script("both processes are there")] * 4))
    waits = [2.0, 0.0, 0.0, 0.0]
    done = [(n, word(r)) for n, r in pool.as_completed(script(str(n), w) for n, w in enumerate(waits))]
    assert sorted(done) == [(n, str(n)) for n in range(4)]
    assert done[-1] == (0, "0")


def test_as_completed_takes_no_more_scripts_than_its_window(pool: RenderPool) -> None:
    taken = 0

    def scripts() -> Iterator[str]:
        nonlocal taken
        for n in range(1000):
            taken += 1
            yield script(str(n))

    results = pool.as_completed(scripts())
    for _ in range(3):
        next(results)
    assert taken <= 3 + WINDOW * pool.workers
    results.close()  # type: ignore[attr-defined]
    assert word(pool.draw(script("a"))) == "a"


@pytest.mark.slow
def test_a_stream_is_not_kept_waiting_by_another_of_many_scripts(pool: RenderPool) -> None:
    stream = object()
    many = [pool.submit(script(str(n), 0.1), stream=stream) for n in range(40)]
    many[0].result()
    before = sum(future.done() for future in many)
    assert word(pool.draw(script("a"))) == "a"
    meanwhile = sum(future.done() for future in many) - before
    assert [word(future.result()) for future in many] == [str(n) for n in range(40)]
    assert meanwhile < 20, "it was drawn in its turn, not after all of them"


def test_an_event_loop_draws_many_at_once_and_stays_awake(pool: RenderPool) -> None:
    async def main() -> tuple[list[str], int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.02)
                ticks += 1

        ticker = asyncio.create_task(tick())
        drawn = await asyncio.gather(*(pool.draw_async(script(str(n), 0.1)) for n in range(6)))
        ticker.cancel()
        return [word(r) for r in drawn], ticks

    words, ticks = asyncio.run(main())
    assert words == [str(n) for n in range(6)]
    assert ticks >= 5


def test_an_event_loop_maps_in_order_from_an_async_source(pool: RenderPool) -> None:
    async def source() -> AsyncIterator[str]:
        for n in range(20):
            await asyncio.sleep(0)
            yield script(str(n))

    async def main() -> list[str]:
        return [word(r) async for r in pool.map_async(source())]

    assert asyncio.run(main()) == [str(n) for n in range(20)]


def test_a_cancelled_draw_leaves_the_pool_at_work(pool: RenderPool) -> None:
    async def main() -> str:
        slow = [asyncio.create_task(pool.draw_async(script("s", 0.3))) for _ in range(6)]
        await asyncio.sleep(0.1)
        for task in slow:
            task.cancel()
        return word(await pool.draw_async(script("a")))

    assert asyncio.run(main()) == "a"


@pytest.mark.slow
def test_a_thousand_waiting_scripts_all_get_their_status(pool: RenderPool) -> None:
    streams = [object() for _ in range(7)]
    futures = [pool.submit("x = 1", stream=streams[n % 7]) for n in range(1000)]
    assert [f.result(timeout=120).status for f in futures] == [Status.BLANK] * 1000


def test_leaving_the_pool_cancels_what_waits() -> None:
    with RenderPool(1) as pool:
        futures = [pool.submit(script("a", 0.2)) for _ in range(20)]
        futures[0].result()
    assert futures[-1].cancelled()
    assert all(f.done() for f in futures)


def test_a_pool_needs_at_least_one_worker() -> None:
    with pytest.raises(ScigenError, match="workers=0"):
        RenderPool(0)
