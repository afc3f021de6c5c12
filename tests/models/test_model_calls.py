"""Whatever the vendor does, one reply with a status; patience is bounded; what cannot get better stops the run."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from chat_server import KINDS, BadRequest, ChatServer, Faults, body_hash
from pydantic import BaseModel

from scigen.errors import ScigenError
from scigen.models import Model, ModelSettings, Reply, ReplyStatus, Request


class Count(BaseModel):
    n: int


def settings(server: ChatServer, **changes: object) -> ModelSettings:
    return ModelSettings.model_validate(
        {"name": "openai-api/loop/m", "base_url": server.base_url, "backoff_s": 0.01, **changes}
    )


def ask(model_settings: ModelSettings, folder: Path, request: Request) -> Reply:
    async def run() -> Reply:
        async with Model(model_settings, folder) as model:
            return await model.ask(request)

    return asyncio.run(run())


def ask_all(model_settings: ModelSettings, folder: Path, requests: list[Request]) -> dict[int, Reply]:
    async def run() -> dict[int, Reply]:
        async with Model(model_settings, folder) as model:
            return {n: reply async for n, reply in model.ask_each(enumerate(requests))}

    return asyncio.run(run())


class Script(Faults):
    """The named kinds in turn, then the last one for ever."""

    def __init__(self, *kinds: str, slow_s: float = 0.5, retry_after_s: float = 0.3) -> None:
        super().__init__(slow_s=slow_s, retry_after_s=retry_after_s)
        object.__setattr__(self, "script", kinds)

    def draw(self, body_hash: str, nth: int) -> str:
        script: tuple[str, ...] = self.script  # type: ignore[attr-defined]
        return script[min(nth, len(script) - 1)]


@pytest.mark.parametrize("kind", ["rate_limit", "error_500", "cut", "garbage"])
def test_a_passing_fault_is_tried_again(kind: str, tmp_path: Path) -> None:
    with ChatServer(faults=Script(kind, kind, "ok", retry_after_s=0.01)) as server:
        reply = ask(settings(server), tmp_path, Request("hello"))
        assert (reply.status, reply.text, reply.answers, reply.cached) == (ReplyStatus.OK, "hello", 1, False)
        assert [s.kind for s in server.seen] == [kind, kind, "ok"]


@pytest.mark.parametrize("kind", ["rate_limit", "error_500", "cut", "garbage"])
def test_attempts_are_bounded(kind: str, tmp_path: Path) -> None:
    with ChatServer(faults=Script(kind, retry_after_s=0.01)) as server:
        reply = ask(settings(server, retries=3), tmp_path, Request("hello"))
        assert (reply.status, reply.text, reply.answers) == (ReplyStatus.API_ERROR, "", 0)
        assert "attempts made: 4" in reply.error
        assert len(server.seen) == 4


def test_retry_after_is_honoured_and_beyond_patience_not_waited_for(tmp_path: Path) -> None:
    with ChatServer(faults=Script("rate_limit", "ok", retry_after_s=0.8)) as server:
        assert ask(settings(server), tmp_path, Request("a")).status is ReplyStatus.OK
        assert 0.8 <= server.seen[1].at - server.seen[0].at < 20
    with ChatServer(faults=Script("rate_limit", retry_after_s=600)) as server:
        start = time.monotonic()
        assert ask(settings(server, total_s=60), tmp_path, Request("b")).status is ReplyStatus.API_ERROR
        assert time.monotonic() - start < 60
        assert len(server.seen) == 1


def test_waits_grow(tmp_path: Path) -> None:
    with ChatServer(faults=Script("error_500")) as server:
        ask(settings(server, retries=3, backoff_s=0.2), tmp_path, Request("a"))
        at = [s.at for s in server.seen]
        for n, gap in enumerate(b - a for a, b in pairwise(at)):
            assert gap >= 0.1 * 2**n


@pytest.mark.slow
def test_a_slow_answer_times_out_and_is_asked_again(tmp_path: Path) -> None:
    with ChatServer(faults=Script("slow", "ok", slow_s=60)) as server:
        assert ask(settings(server, timeout_s=3.0), tmp_path, Request("a")).status is ReplyStatus.OK
        assert len(server.seen) == 2
    with ChatServer(faults=Script("slow", slow_s=5)) as server:
        reply = ask(settings(server, timeout_s=1.0, retries=1), tmp_path, Request("b"))
        assert (reply.status, len(server.seen)) == (ReplyStatus.TIMEOUT, 2)


def test_a_bad_request_is_not_repeated_and_does_not_stop_the_rest(tmp_path: Path) -> None:
    def answer(body: dict[str, object]) -> str:
        return "fine"

    with ChatServer(answer) as server:
        replies = ask_all(settings(server), tmp_path, [Request("x", max_tokens=0), Request("y")])
        assert [replies[n].status for n in (0, 1)] == [ReplyStatus.API_ERROR, ReplyStatus.OK]
        assert "max_tokens" in replies[0].error
        assert len(server.seen) == 2


def test_a_refused_key_stops_the_run_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOP_API_KEY", "wrong-key-1234")
    with ChatServer(key="right-key-1234") as server:
        with pytest.raises(ScigenError, match="the key was refused") as caught:
            ask_all(settings(server, connections=4), tmp_path, [Request(str(n)) for n in range(500)])
        assert "wrong-key-1234" not in str(caught.value)
        assert len(server.seen) <= 4


def test_a_model_that_is_not_there_stops_the_run(tmp_path: Path) -> None:
    with ChatServer() as server:
        elsewhere = settings(server).model_copy(update={"base_url": server.base_url + "/no"})
        with pytest.raises(ScigenError, match=r"Mend model\.name or model\.base_url"):
            ask_all(elsewhere, tmp_path, [Request(str(n)) for n in range(100)])


def test_a_dead_service_stops_the_run(tmp_path: Path) -> None:
    with ChatServer() as server:
        gone = settings(server, retries=1, connections=4, give_up_after=10)
    with pytest.raises(ScigenError, match="10 requests in a row failed"):
        ask_all(gone, tmp_path, [Request(str(n)) for n in range(1000)])


def test_refusals_have_their_own_status(tmp_path: Path) -> None:
    with ChatServer(faults=Script("content_filter")) as server:
        reply = ask(settings(server), tmp_path, Request("a", answer=Count))
        assert (reply.status, reply.answers, len(server.seen)) == (ReplyStatus.REFUSED, 1, 1)


def test_connections_are_never_exceeded_and_are_used(tmp_path: Path) -> None:
    with ChatServer(delay_s=0.1) as server:
        ask_all(settings(server, connections=5), tmp_path, [Request(str(n)) for n in range(40)])
        assert server.most_at_once == 5


def test_input_is_read_lazily_and_replies_come_as_they_are_done(tmp_path: Path) -> None:
    read = []

    def pairs() -> Iterator[tuple[str, Request]]:
        for n in range(100):
            read.append(n)
            yield f"k{n}", Request("slow" if n == 0 else f"q{n}")

    def answer(body: dict[str, object]) -> str:
        return "x"

    class SlowFirst(Faults):
        def draw(self, digest: str, nth: int) -> str:
            return "slow" if digest == slow else "ok"

    async def run(server: ChatServer) -> list[str]:
        order = []
        async with Model(settings(server, connections=4), tmp_path) as model:
            async for name, reply in model.ask_each(pairs()):
                assert reply.status is ReplyStatus.OK
                order.append(name)
                assert len(read) <= len(order) + 8
        return order

    slow = body_hash(
        {
            "model": "m",
            "messages": [{"role": "user", "content": "slow"}],
            "max_tokens": 1024,
            "temperature": 0.0,
        }
    )
    with ChatServer(answer, faults=SlowFirst(slow_s=2.0)) as server:
        order = asyncio.run(run(server))
        assert {s.kind for s in server.seen} == {"slow", "ok"}
    assert sorted(order) == sorted(f"k{n}" for n in range(100))
    assert order.index("k0") > 20


def test_a_consumer_that_stops_early_leaves_no_call_running(tmp_path: Path) -> None:
    async def run(server: ChatServer) -> int:
        async with Model(settings(server, connections=4), tmp_path) as model:
            replies = model.ask_each((n, Request(str(n))) for n in range(1000))
            async for _ in replies:
                break
            await replies.aclose()  # type: ignore[attr-defined]
        return len([t for t in asyncio.all_tasks() if t is not asyncio.current_task()])

    with ChatServer() as server:
        assert asyncio.run(run(server)) == 0
        assert len(server.seen) < 50


def test_every_request_gets_exactly_one_reply_whatever_happens(tmp_path: Path) -> None:
    """240 requests, three in ten going wrong in all the ways there are; then everything again from the journal."""

    def answer(body: dict[str, object]) -> dict[str, int]:
        return {"n": len(str(body["messages"]))}

    faults = Faults(rate=0.3, seed=1, slow_s=0.05, retry_after_s=0.05)
    requests = [Request(f"item {n}", answer=Count) for n in range(240)]
    with ChatServer(answer, faults=faults) as server:
        replies = ask_all(settings(server), tmp_path, requests)
        assert {s.kind for s in server.seen} == {*KINDS, "ok"}
        most = Counter(s.hash for s in server.seen if s.delivered).most_common(1)[0][1]
        sent = len(server.seen)
        again = ask_all(settings(server, retries=5), tmp_path, requests)
        repeated = [n for n in replies if replies[n].status in (ReplyStatus.API_ERROR, ReplyStatus.TIMEOUT)]
        assert len(server.seen) - sent >= len(repeated)
    assert set(replies) == set(range(240))
    assert most == 1, "an answer that had arrived was asked for again"
    assert all(r.status is not ReplyStatus.OK or isinstance(r.value, Count) for r in replies.values())
    kept = {n: r for n, r in replies.items() if n not in repeated}
    assert {n: (again[n].status, again[n].text, again[n].value) for n in kept} == {
        n: (r.status, r.text, r.value) for n, r in kept.items()
    }
    assert sum(r.status is ReplyStatus.OK for r in replies.values()) > 180


def test_the_server_itself_is_strict() -> None:
    from chat_server import check

    good = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    assert check(good) == (5, 1 << 30)
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    for bad in (
        {**good, "model": ""},
        {**good, "messages": []},
        {**good, "extra": 1},
        {**good, "stream": True},
        {**good, "messages": [{"role": "user", "content": [image]}]},
        {**good, "messages": [{"role": "assistant", "content": "hi"}]},
    ):
        with pytest.raises(BadRequest):
            check(bad)
