"""What decides that a question is the same, and that an answer once arrived is never lost or asked for again."""

from __future__ import annotations

import asyncio
import io
import os
from dataclasses import replace
from pathlib import Path

import pytest
from chat_server import ChatServer, Faults
from PIL import Image
from pydantic import BaseModel

from scigen.errors import ScigenError
from scigen.models import Model, ModelSettings, Reply, ReplyStatus, Request
from scigen.models.journal import Answer, Journal
from scigen.models.request import cache_key


class Count(BaseModel):
    n: int


class OtherCount(BaseModel):
    n: int
    unit: str


def png(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (8, 8), shade).save(file, "PNG")
    return file.getvalue()


def settings(server: ChatServer, **changes: object) -> ModelSettings:
    return ModelSettings.model_validate(
        {"name": "openai-api/loop/m", "base_url": server.base_url, "backoff_s": 0.01, **changes}
    )


def ask(model_settings: ModelSettings, folder: Path, *requests: Request) -> list[Reply]:
    async def run() -> list[Reply]:
        async with Model(model_settings, folder) as model:
            return [await model.ask(request) for request in requests]

    return asyncio.run(run())


BASE = Request("How many?", system="Be brief.", images=(png(1),), answer=Count, prompt_hash="a", seed=1)
OTHERS = {
    "prompt": replace(BASE, prompt="How many ?"),
    "system": replace(BASE, system="Be long."),
    "image": replace(BASE, images=(png(2),)),
    "images": replace(BASE, images=(png(1), png(1))),
    "schema": replace(BASE, answer=OtherCount),
    "no_schema": replace(BASE, answer=None),
    "prompt_hash": replace(BASE, prompt_hash="b"),
    "max_tokens": replace(BASE, max_tokens=99),
    "temperature": replace(BASE, temperature=0.5),
    "seed": replace(BASE, seed=2),
    "no_seed": replace(BASE, seed=None),
}


@pytest.mark.parametrize("name", OTHERS)
def test_each_thing_that_decides_the_answer_is_in_the_key(name: str) -> None:
    identity: dict[str, object] = {"name": "x"}
    assert cache_key(OTHERS[name], identity) != cache_key(BASE, identity)
    assert cache_key(replace(BASE), identity) == cache_key(BASE, identity)


def test_model_address_and_thinking_are_in_the_key_and_pace_is_not() -> None:
    one = ModelSettings(name="openai-api/a/m", base_url="https://a.example/v1")
    assert one.model_copy(update={"connections": 3, "retries": 1, "timeout_s": 1}).identity() == one.identity()
    for change in ({"name": "openai-api/a/n"}, {"base_url": "https://b.example/v1"}, {"thinking_tokens": 9}):
        assert one.model_copy(update=change).identity() != one.identity()
    moved = {"stands_for": "my server"}
    there = one.model_copy(update={**moved, "base_url": "https://b.example/v1"})
    assert there.identity() == one.model_copy(update=moved).identity()


def test_a_second_run_sends_nothing_and_gives_the_same(tmp_path: Path) -> None:
    with ChatServer(lambda body: {"n": 7}) as server:
        first = ask(settings(server), tmp_path, BASE, OTHERS["image"])
        again = ask(settings(server), tmp_path, OTHERS["image"], BASE)
        assert len(server.seen) == 2
    assert [r.cached for r in (*first, *again)] == [False, False, True, True]
    assert replace(again[1], cached=False) == first[0]
    assert again[1].value == Count(n=7)


def test_equal_questions_at_the_same_time_are_asked_once(tmp_path: Path) -> None:
    async def run(server: ChatServer) -> list[Reply]:
        async with Model(settings(server), tmp_path) as model:
            return list(await asyncio.gather(*(model.ask(Request("same")) for _ in range(10))))

    with ChatServer(delay_s=0.1) as server:
        replies = asyncio.run(run(server))
        assert len(server.seen) == 1
    assert {r.text for r in replies} == {"same"}


def test_errors_are_not_kept_and_unparsed_answers_are(tmp_path: Path) -> None:
    broken = Faults(rate=1.0, kinds=("error_500",))
    with ChatServer(faults=broken) as server:
        (reply,) = ask(settings(server, retries=0), tmp_path, Request("a"))
        assert reply.status is ReplyStatus.API_ERROR
        server.faults = Faults()
        (reply,) = ask(settings(server), tmp_path, Request("a"))
        assert (reply.status, reply.text) == (ReplyStatus.OK, "a")
        (reply,) = ask(settings(server), tmp_path, Request("prose", answer=Count))
        assert reply.status is ReplyStatus.UNPARSED
        sent = len(server.seen)
        (again,) = ask(settings(server), tmp_path, Request("prose", answer=Count))
        assert len(server.seen) == sent
        assert replace(again, cached=False) == reply


ANSWER = Answer("text \ud800 ü\n{}", "stop", "m", 10, 5, 0.25, 1.5)


def test_a_torn_last_line_is_no_answer_and_every_whole_one_is(tmp_path: Path) -> None:
    keys = [f"{n:02x}" * 32 for n in range(20)]
    journal = Journal(tmp_path)
    for key in keys:
        journal.put(key, ANSWER)
    journal.put_unanswered(0.5)
    journal.close()
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    ends = [n + 1 for n, byte in enumerate(data) if byte == 10]
    for length in [0, 1, ends[0] - 1, ends[0], ends[0] + 1, ends[18] + 30, ends[19], len(data) - 1, len(data)]:
        path.write_bytes(data[:length])
        found = Journal(tmp_path)
        whole = sum(end <= length for end in ends)
        answers = min(whole, 20)
        assert len(found) == answers
        assert [found.get(k) for k in keys] == [ANSWER] * answers + [None] * (20 - answers)
        assert found.usd == pytest.approx(0.25 * answers + (0.5 if whole == 21 else 0))
        found.put("f" * 64, ANSWER)
        found.close()
        assert Journal(tmp_path).get("f" * 64) == ANSWER
        for other in set(tmp_path.iterdir()) - {path}:
            other.unlink()


def test_each_process_writes_its_own_file(tmp_path: Path) -> None:
    one, two = Journal(tmp_path), Journal(tmp_path)
    one.put("1" * 64, ANSWER)
    two.put("2" * 64, ANSWER)
    assert len(list(tmp_path.iterdir())) == 2
    both = Journal(tmp_path)
    assert both.get("1" * 64) == both.get("2" * 64) == ANSWER


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"key": 1}\n')
    with pytest.raises(ScigenError, match=r"x\.jsonl: byte 0: not a line of the journal"):
        Journal(tmp_path)


def test_a_full_disk_loses_no_earlier_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    journal.put("1" * 64, ANSWER)
    real, calls = os.write, []

    def write(fd: int, data: bytes) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return real(fd, data[:10])

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", write)
        with pytest.raises(ScigenError, match="Free some space"):
            journal.put("2" * 64, ANSWER)
    journal.put("3" * 64, ANSWER)
    found = Journal(tmp_path)
    assert (found.get("1" * 64), found.get("2" * 64), found.get("3" * 64)) == (ANSWER, None, ANSWER)
