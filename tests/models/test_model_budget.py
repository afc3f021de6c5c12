"""The budget is never crossed, by the server's own count; an estimate needs no network."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from chat_server import KINDS, ChatServer, Faults, Seen

from scigen.errors import ScigenError
from scigen.models import Budget, BudgetReached, Model, ModelSettings, Price, Reply, Request

PRICE = Price(input=100.0, output=400.0)
"""Dollars per million tokens, high so that small texts cost cents."""


def settings(server: ChatServer, **changes: object) -> ModelSettings:
    base = {"name": "openai-api/loop/m", "base_url": server.base_url, "backoff_s": 0.01, "price": PRICE}
    return ModelSettings.model_validate({**base, **changes})


def charged(seen: list[Seen]) -> float:
    """What a vendor could charge: every request whose answer was worked out, delivered or not."""
    return sum(PRICE.usd(s.input_tokens, s.output_tokens) for s in seen)


def spend(model_settings: ModelSettings, folder: Path, budget: Budget, requests: list[Request]) -> list[Reply]:
    """Replies until the budget is reached or the requests end."""

    async def run() -> list[Reply]:
        replies = []
        async with Model(model_settings, folder, budget) as model:
            with contextlib.suppress(BudgetReached):
                async for _, reply in model.ask_each(enumerate(requests)):
                    replies.append(reply)
        return replies

    return asyncio.run(run())


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_sixteen_at_once_never_cross_it_and_most_of_it_is_used(rate: float, tmp_path: Path) -> None:
    requests = [Request(f"item {n} " * 20, max_tokens=100) for n in range(400)]
    most = PRICE.usd(240, 100)
    faults = Faults(rate, seed=3, kinds=tuple(k for k in KINDS if k != "rate_limit"), slow_s=5.0)
    with ChatServer(faults=faults) as server:
        pace = settings(server, connections=16, timeout_s=2.5 if rate else 60)
        first = Budget(3.0)
        replies = spend(pace, tmp_path, first, requests)
        assert 3.0 - most < first.spent <= 3.0 + 1e-9
        assert charged(server.seen) <= first.spent + 1e-9
        assert rate or charged(server.seen) == pytest.approx(first.spent)
        assert first.reserved == pytest.approx(0)
        assert 40 < len(replies) < 400
        # the same command again: what was spent counts, so next to nothing more is asked
        sent = len(server.seen)
        second = Budget(3.0)
        spend(pace, tmp_path, second, requests)
        assert first.spent - 1e-9 <= second.spent <= 3.0 + 1e-9
        assert charged(server.seen) <= 3.0
        assert len(server.seen) - sent <= 5


def test_nothing_is_sent_that_could_not_be_paid(tmp_path: Path) -> None:
    with ChatServer() as server:
        assert spend(settings(server), tmp_path, Budget(0.0), [Request("a")]) == []
        assert server.seen == []
        assert not list(tmp_path.iterdir())


def test_what_is_under_way_is_still_given_when_the_budget_is_reached(tmp_path: Path) -> None:
    requests = [Request("word " * 40 + str(n), max_tokens=100) for n in range(100)]
    with ChatServer(delay_s=0.05) as server:
        replies = spend(settings(server, connections=8), tmp_path, Budget(0.5), requests)
        assert len(replies) == sum(s.delivered for s in server.seen)


def test_two_models_share_a_budget_and_a_folder_counts_once(tmp_path: Path) -> None:
    async def run(server: ChatServer) -> float:
        budget = Budget(10.0)
        one = Model(settings(server), tmp_path, budget)
        two = Model(settings(server, name="openai-api/loop/n"), tmp_path, budget)
        async with one, two:
            await one.ask(Request("a"))
            await two.ask(Request("b"))
        return budget.spent

    with ChatServer() as server:
        first = asyncio.run(run(server))
        assert first == pytest.approx(charged(server.seen))
        assert asyncio.run(run(server)) == pytest.approx(first), "the second run counts the first one's answers once"


def test_a_budget_needs_a_price(tmp_path: Path) -> None:
    unknown = ModelSettings(name="openai-api/host/some-model", base_url="https://host.example/v1")
    with pytest.raises(ScigenError, match=r"Give model\.price\.input and model\.price\.output"):
        Model(unknown, tmp_path, Budget(1.0))
    model = Model(unknown, tmp_path)
    assert not model.priced
    assert not model.estimate([Request("a")]).priced


def test_usage_that_a_server_keeps_to_itself_is_charged_at_the_most(tmp_path: Path) -> None:
    class Silent(ChatServer):
        def usage(self, seen: Seen) -> dict[str, int] | None:
            return None

    request = Request("a" * 100, max_tokens=50)
    with Silent() as server:
        (reply,) = spend(settings(server), tmp_path, Budget(1.0), [request])
        assert reply.usd >= PRICE.usd(25, 50)


def waits(budget: Budget, change: Callable[[], None]) -> str:
    async def run() -> str:
        waiting = asyncio.create_task(budget.reserve(0.6))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        change()
        try:
            await asyncio.wait_for(waiting, 60)
        except BudgetReached:
            return "reached"
        return "made"

    return asyncio.run(run())


def test_a_call_waits_for_those_under_way_before_it_gives_up() -> None:
    budget = Budget(1.0)
    asyncio.run(budget.reserve(0.6))
    assert waits(budget, lambda: budget.settle(0.6, 0.1)) == "made"
    assert (budget.spent, budget.reserved) == pytest.approx((0.1, 0.6))
    assert waits(budget, lambda: budget.settle(0.6, 0.5)) == "reached"


def test_an_estimate_counts_what_the_journal_has_and_sends_nothing(tmp_path: Path) -> None:
    requests = [Request("x" * 400, max_tokens=80), Request("y" * 400, max_tokens=80), Request("z")]
    with ChatServer() as server:
        spend(settings(server), tmp_path, Budget(1.0), requests[:1])
        sent = len(server.seen)
        model = Model(settings(server, connections=2, seconds_per_call=3.0, thinking_tokens=20), tmp_path)
        fresh = model.estimate(requests)
        known = Model(settings(server), tmp_path).estimate(requests[:2])
        assert len(server.seen) == sent
    assert (fresh.calls, fresh.cached, known.calls, known.cached) == (3, 0, 2, 1)  # room to think is another question
    # worked out by hand: 16 a message and a token for 4 bytes; a quarter of the limit likely, all of it at most
    assert (known.input_tokens, known.output_tokens) == (116, 20)
    assert known.usd == pytest.approx((116 * 100 + 20 * 400) / 1e6)
    assert known.usd_most == pytest.approx(((64 + 400) * 100 + 80 * 400) / 1e6)
    assert fresh.seconds == pytest.approx(3 * 3.0 / 2)
    both = fresh + known
    assert (both.calls, both.cached, both.usd) == (5, 1, pytest.approx(fresh.usd + known.usd))
