"""Keys come from the environment, go to the vendor, and are found nowhere else; data leaves only under TLS."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from pathlib import Path

import pytest
from chat_server import ChatServer, Faults
from pydantic import ValidationError

from scigen.errors import ScigenError
from scigen.models import Budget, Model, ModelSettings, Reply, Request
from scigen.models.secrecy import blot, secret_values

KEY = "sk-secret-0123456789abcdef"


def test_a_key_is_in_nothing_that_is_written_said_or_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The server lets the key in and says it back: in answers, and in the text of its errors."""
    monkeypatch.setenv("LOOP_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    said: list[str] = []

    async def run(server: ChatServer) -> None:
        settings = ModelSettings(
            name="openai-api/loop/m", base_url=server.base_url, retries=1, backoff_s=0.01, connections=2
        )
        async with Model(settings, tmp_path / "journal", Budget(1.0)) as model:
            said.extend([repr(model), repr(settings), settings.model_dump_json()])
            async for _, reply in model.ask_each((n, Request(f"q{n}", max_tokens=20 * (n % 9))) for n in range(60)):
                said.append(repr(reply))
            server.key = "another"
            with pytest.raises(ScigenError, match="the key was refused") as caught:
                await model.ask(Request("one more"))
            said.extend([str(caught.value), repr(caught.getrepr(chain=True))])

    with ChatServer(lambda body: f"your key is {KEY}!", Faults(0.4, kinds=("error_500", "garbage", "cut"))) as server:
        asyncio.run(run(server))
        assert len({s.kind for s in server.seen}) > 3
    out = capfd.readouterr()
    written = "".join(p.read_text() for p in tmp_path.rglob("*") if p.is_file())
    ours = "\n".join(r.getMessage() for r in caplog.records)
    for text in (written, out.out, out.err, ours, *said):
        assert KEY not in text
    assert "your key is [key]!" in written
    assert any("Incorrect API key provided: [key]" in text for text in said)


def test_no_line_is_written_for_a_call(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def run(server: ChatServer) -> None:
        async with Model(ModelSettings(name="openai-api/loop/m", base_url=server.base_url), tmp_path) as model:
            await model.ask(Request("a"))

    root, level = logging.getLogger(), logging.getLogger().level
    handler = logging.StreamHandler()
    root.addHandler(handler)
    root.setLevel(logging.INFO)  # as Hydra sets it
    try:
        with ChatServer() as server:
            asyncio.run(run(server))
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "address",
    [
        "http://models.example/v1",
        "http://10.0.0.1:8000/v1",
        "ftp://127.0.0.1/",
        "models.example",
        "http://127.0.0.1.example/",
    ],
)
def test_an_address_without_tls_is_refused_unless_it_is_this_machine(address: str, tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match="https"):
        Model(ModelSettings(name="openai-api/x/m", base_url=address), tmp_path)


@pytest.mark.parametrize(
    "address", ["https://models.example/v1", "http://127.0.0.1:8000/v1", "http://localhost:1/v1", "http://[::1]:1/v1"]
)
def test_tls_and_this_machine_are_fine(address: str, tmp_path: Path) -> None:
    Model(ModelSettings(name="openai-api/x/m", base_url=address), tmp_path)


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("openai-api/my-host/m", "MY_HOST_BASE_URL"),
        ("openai/gpt-4o", "OPENAI_BASE_URL"),
        ("google/gemini-3-flash-preview", "GOOGLE_BASE_URL"),
        ("google/gemini-3-flash-preview", "GOOGLE_GEMINI_BASE_URL"),
        ("vllm/qwen", "VLLM_BASE_URL"),
    ],
)
def test_the_same_holds_for_addresses_from_the_environment(
    name: str, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "http://models.example/v1")
    with pytest.raises(ScigenError, match=variable):
        Model(ModelSettings(name=name), tmp_path)


def test_a_password_in_the_address_and_a_key_in_the_config_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match="environment only"):
        Model(ModelSettings(name="openai-api/x/m", base_url="https://me:pass@models.example/v1"), tmp_path)
    with pytest.raises(ValidationError, match="environment only"):
        ModelSettings(name="openai/x", args={"api_key": "abc"})
    with pytest.raises(ValidationError):
        ModelSettings.model_validate({"name": "openai/x", "api_key": "abc"})


def test_a_missing_key_names_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOWHERE_API_KEY", raising=False)

    async def run() -> None:
        settings = ModelSettings(name="openai-api/nowhere/m", base_url="https://nowhere.example/v1")
        async with Model(settings, tmp_path) as model:
            await model.ask(Request("a"))

    with pytest.raises(ScigenError, match="NOWHERE_API_KEY"):
        asyncio.run(run())


def test_what_counts_as_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "abcdef123")
    monkeypatch.setenv("HF_TOKEN", "abcdef123456")
    monkeypatch.setenv("TINY_API_KEY", "none")
    assert blot("x abcdef123456 abcdef123 none", secret_values()) == "x [key] [key] none"


def test_what_stays_on_this_machine_goes_past_the_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "intern.example")

    async def run(server: ChatServer) -> Reply:
        settings = ModelSettings(name="openai-api/loop/m", base_url=server.base_url, retries=0)
        async with Model(settings, tmp_path) as model:
            return await model.ask(Request("a"))

    with ChatServer() as server:
        reply = asyncio.run(run(server))
        assert reply.text == "a", reply.error
    assert os.environ["NO_PROXY"].startswith("intern.example,")


def test_nothing_but_the_given_address_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No telemetry, no table of tokens or prices fetched on the side."""
    called: set[str] = set()
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def connecting(self: socket.socket, address: tuple[str, int]) -> None:
        called.add(f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address))
        connect(self, address)

    def looking_up(host: str, *args: object, **kwargs: object) -> object:
        called.add(str(host))
        return look_up(host, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", connecting)
    monkeypatch.setattr(socket, "getaddrinfo", looking_up)

    async def run(server: ChatServer) -> None:
        settings = ModelSettings(name="openai-api/loop/gpt-4o", base_url=server.base_url)
        async with Model(settings, tmp_path, Budget(1.0)) as model:
            assert (await model.ask(Request("a"))).text == "a"

    with ChatServer() as server:
        asyncio.run(run(server))
        assert called == {f"127.0.0.1:{server.port}"} or called == {f"127.0.0.1:{server.port}", "127.0.0.1"}
