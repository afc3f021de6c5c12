"""Work for several at once: who is put together, who waits how long, and what becomes of errors and of those who go."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Sequence
from typing import Any

import pytest

from scigen.generators.batches import Batches


class JumpingClock(asyncio.SelectorEventLoop):
    """An event loop in which waiting takes no time: the clock jumps to the next thing that is due."""

    def __init__(self) -> None:
        self.now = 0.0
        selector = selectors.DefaultSelector()
        select = selector.select

        def jump(timeout: float | None = None) -> Any:
            ready = select(0 if timeout is None or timeout > 0 else timeout)
            if not ready and timeout:
                self.now += timeout
            return ready

        selector.select = jump  # type: ignore[method-assign]
        super().__init__(selector)

    def time(self) -> float:
        return self.now


class Bench:
    """Doubles numbers, and notes the batches that came."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.batches: list[list[int]] = []
        self.seconds = seconds

    async def work(self, items: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(items))
        await asyncio.sleep(self.seconds)
        if -1 in items:
            raise ValueError("-1")
        return [2 * i for i in items]


def test_what_comes_together_is_done_together_and_each_gets_its_own() -> None:
    async def main() -> None:
        bench = Bench()
        async with Batches(bench.work, most=3, wait_s=0.05) as batches:
            got = await asyncio.gather(*(batches.ask(i) for i in range(7)))
        assert got == [0, 2, 4, 6, 8, 10, 12]
        assert bench.batches == [[0, 1, 2], [3, 4, 5], [6]]

    asyncio.run(main())


def test_a_full_batch_does_not_wait_and_a_lone_item_waits_no_longer_than_it_must() -> None:
    async def main() -> None:
        clock = asyncio.get_running_loop()
        async with Batches(Bench().work, most=2, wait_s=0.3) as batches:
            await asyncio.gather(batches.ask(1), batches.ask(2))
            assert clock.time() == 0
            await batches.ask(3)
            assert clock.time() == pytest.approx(0.3)

    with asyncio.Runner(loop_factory=JumpingClock) as runner:
        runner.run(main())


def test_an_error_reaches_all_of_its_batch_and_none_of_the_next() -> None:
    async def main() -> None:
        async with Batches(Bench().work, most=2, wait_s=0.05) as batches:
            got = await asyncio.gather(*(batches.ask(i) for i in (1, -1, 3)), return_exceptions=True)
        assert [str(g) for g in got] == ["-1", "-1", "6"]

    asyncio.run(main())


def test_one_who_has_gone_takes_no_place() -> None:
    async def main() -> None:
        bench = Bench(seconds=0.1)
        async with Batches(bench.work, most=1, wait_s=0.0) as batches:
            first = asyncio.create_task(batches.ask(1))
            gone = asyncio.create_task(batches.ask(2))
            last = asyncio.create_task(batches.ask(3))
            await asyncio.sleep(0.02)
            gone.cancel()
            assert await first == 2
            assert await last == 6
        assert bench.batches == [[1], [3]]

    asyncio.run(main())


def test_leaving_gives_up_what_waits_instead_of_hanging() -> None:
    async def main() -> None:
        batches = Batches(Bench(seconds=60).work, most=1, wait_s=0.0)
        async with batches:
            waiting = [asyncio.create_task(batches.ask(i)) for i in range(3)]
            await asyncio.sleep(0.02)
        for task in waiting:
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(asyncio.wait_for(main(), 50))
