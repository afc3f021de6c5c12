"""Whatever the verifier does, an answer of some kind comes back in time, and each fault is counted as what it was."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from verifier_server import CYCLE, FaultyVerifier, application, start

from scigen.errors import ScigenError
from scigen.training.verifier import client, settings
from scigen.training.verifier.client import Fault, Reply, Verifier
from scigen.training.verifier.prompt import build_prompt, room
from scigen.training.verifier.settings import VerifierSettings, parse

QUICK: dict[str, Any] = {"attempts": 3, "attempt_s": 10, "deadline_s": 60}


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_PAUSE_S", 0.001)


def asked(handler: Any, n: int = 1, **given: Any) -> list[Reply]:
    """`n` replies from a server whose chat route is `handler`."""

    async def run() -> list[Reply]:
        app = web.Application()
        app.add_routes([web.post("/v1/chat/completions", handler)])
        runner, address = await start(app)
        chosen = VerifierSettings(endpoint=address, model="m", **QUICK | given)
        try:
            async with Verifier(chosen) as verifier:
                return list(await asyncio.gather(*(verifier.ask("?", f"r{i}") for i in range(n))))
        finally:
            await runner.cleanup()

    return asyncio.run(run())


def verdict(text: str = "A") -> web.Response:
    return web.json_response({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]})


def test_faults_in_given_numbers_are_counted_as_what_they_were(tmp_path: Path) -> None:
    faults = {"hang": 1, "http_500": 4, "http_429": 3, "cut": 3, "garbage": 3, "unparsed": 4}
    names = {
        "hang": Fault.TIMEOUT,
        "http_500": Fault.HTTP,
        "http_429": Fault.BUSY,
        "cut": Fault.CUT,
        "garbage": Fault.GARBAGE,
    }
    server = FaultyVerifier(tmp_path, 0, faults)

    async def run() -> list[Reply]:
        runner, address = await start(application(server))
        prompt = build_prompt("q", "4", r"\boxed{4}", room(32_768, 64))
        chosen = VerifierSettings(endpoint=address, attempts=CYCLE, attempt_s=1, deadline_s=60)
        try:
            async with Verifier(chosen) as verifier:
                return list(await asyncio.gather(*(verifier.ask(prompt) for _ in range(CYCLE))))
        finally:
            await runner.cleanup()

    replies = asyncio.run(run())
    assert all(r.text is not None for r in replies), "with so many attempts each gets a reply"
    total: Counter[Fault] = Counter()
    for reply in replies:
        total.update(reply.faults)
    treated = Counter(server.cycle[i % CYCLE] for i in range(server.asked))
    if total[Fault.TIMEOUT] == treated["hang"]:  # else this machine stood still for a second
        assert total == {fault: treated[name] for name, fault in names.items()}
    assert sum(r.text == "A" for r in replies) == treated["verdict"]


def test_it_gives_up_after_the_last_attempt_and_says_why() -> None:
    seen = []

    async def broken(request: web.Request) -> web.Response:
        seen.append(request.headers["X-Request-Id"])
        return web.Response(status=500)

    reply = asked(broken)[0]
    assert (reply.text, dict(reply.faults), reply.late) == (None, {Fault.HTTP: 3}, False)
    assert "HTTP 500" in reply.error
    assert seen == ["r0"] * 3


def test_a_request_that_is_wrong_is_not_repeated() -> None:
    seen = []

    async def refuses(_: web.Request) -> web.Response:
        seen.append(1)
        return web.Response(status=401)

    assert dict(asked(refuses)[0].faults) == {Fault.HTTP: 1}
    assert len(seen) == 1


def test_the_deadline_ends_everything_also_waiting_for_a_turn() -> None:
    async def hangs(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return verdict()

    began = time.monotonic()
    replies = asked(hangs, n=20, concurrency=2, attempt_s=50, deadline_s=0.3)
    assert time.monotonic() - began < 30
    assert all(r.text is None and r.late for r in replies)


def test_no_more_requests_at_once_than_allowed() -> None:
    now, most = 0, 0

    async def counts(_: web.Request) -> web.Response:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.005)
        now -= 1
        return verdict()

    assert all(r.text == "A" for r in asked(counts, n=40, concurrency=4))
    assert most == 4


def test_a_server_that_asks_to_wait_longer_than_the_deadline_is_not_waited_for() -> None:
    async def busy(_: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "3600"})

    reply = asked(busy)[0]
    assert (dict(reply.faults), reply.late) == ({Fault.BUSY: 1}, False)


def test_retry_after_is_seconds_or_a_date() -> None:
    from datetime import UTC, datetime, timedelta

    assert client.seconds_of("7") == 7
    later = client.seconds_of(format_datetime(datetime.now(UTC) + timedelta(hours=1)))
    assert later is not None
    assert 3500 < later <= 3600
    assert client.seconds_of("soon") is None
    assert client.seconds_of(None) is None
    assert client.pause(1, 7) >= 7
    assert client.pause(30, None) <= 1.5 * client.LONGEST_PAUSE_S


def test_the_key_comes_from_the_environment_and_is_not_carried_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERIFIER_API_KEY", "sk-verifier-1")
    seen = []

    async def redirects(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.Response(status=307, headers={"Location": "http://127.0.0.1:1/elsewhere"})

    reply = asked(redirects, key_env="VERIFIER_API_KEY")[0]
    assert seen == ["Bearer sk-verifier-1"]
    assert "HTTP 307" in reply.error
    assert "sk-verifier" not in reply.error


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"endpoint": "http://203.0.113.7:8000/v1"}, "unprotected"),
        ({"endpoint": "https://user:secret@host/v1"}, "user name or password"),
        ({"endpiont": "https://host/v1"}, "did you mean endpoint"),
        ({"endpoint": "https://host/v1", "key_env": "sk-1234567890"}, "name of an environment variable"),
        ({"key_env": "VERIFIER_API_KEY"}, r"Set reward\.endpoint"),
        ({"attempts": 0}, r"reward\.attempts"),
    ],
)
def test_wrong_settings_are_refused_and_no_key_is_echoed(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ScigenError, match=message) as e:
        parse(given)
    assert "sk-1234567890" not in str(e.value)
    assert "secret" not in str(e.value)


def test_a_missing_key_is_named_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VERIFIER_API_KEY", raising=False)
    with pytest.raises(ScigenError, match="VERIFIER_API_KEY is not set"):
        Verifier(parse({"endpoint": "https://host/v1", "key_env": "VERIFIER_API_KEY"}))


def config(kwargs: dict[str, Any], served: bool) -> dict[str, Any]:
    function = {"path": settings.FUNCTION, "reward_kwargs": kwargs}
    return {"reward": {"custom_reward_function": function, "reward_model": {"enable": served}}}


def test_a_run_without_any_verifier_is_refused() -> None:
    with pytest.raises(ScigenError, match=r"Set reward\.endpoint, or let verl serve one"):
        settings.of_config(config({"endpoint": None}, served=False))
    assert settings.of_config(config({"context": 16_384}, served=True)) == VerifierSettings(context=16_384)
    control = config({"judge": settings.JUDGE}, served=True)
    control["reward"]["custom_reward_function"]["path"] = "pkg://scigen.training.control_rewards"
    assert settings.of_config(control) == VerifierSettings()
    rule = {"reward": {"custom_reward_function": {"path": "pkg://scigen.training.reward"}}}
    assert settings.of_config(rule) is None
