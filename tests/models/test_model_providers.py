"""Requests as the vendors' published protocols want them, checked by loopback servers; the configs; the tables."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from chat_server import ChatServer
from hydra import compose, initialize_config_dir
from loopback_server import LoopbackServer
from omegaconf import OmegaConf
from PIL import Image
from pydantic import BaseModel, ValidationError

from scigen.errors import ScigenError
from scigen.models import Budget, Model, ModelSettings, Price, Reply, ReplyStatus, Request
from scigen.models.prices import price_of, price_table
from scigen.models.tokens import image_tokens

ROOT = Path(__file__).parents[2]


class Verdict(BaseModel):
    score: int
    reason: str


def picture(kind: str, size: tuple[int, int] = (64, 48)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "white").save(file, kind)
    return file.getvalue()


def ask(settings: ModelSettings, folder: Path, *requests: Request, budget: Budget | None = None) -> list[Reply]:
    async def run() -> list[Reply]:
        async with Model(settings, folder, budget) as model:
            return [await model.ask(request) for request in requests]

    return asyncio.run(run())


class GeminiServer(LoopbackServer):
    """`models.generateContent` of the Gemini API (ai.google.dev/api/generate-content), strict about what it reads."""

    def __init__(self, *answers: tuple[int, dict[str, Any]]) -> None:
        self.answers = list(answers)
        self.bodies: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.retry_after: str | None = "0.1"
        self.at: list[float] = []

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/{version}/models/{call}", self.handle)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        if request.path != "/v1beta/models/gemini-3-flash-preview:generateContent":
            self.faults.append(request.path)
        if request.headers.get("x-goog-api-key") != "google-key-123":
            self.faults.append("key")
        known = {"contents", "systemInstruction", "generationConfig", "safetySettings"}
        self.faults += sorted(set(body) - known)
        status, answer = self.answers.pop(0)
        self.at.append(asyncio.get_running_loop().time())
        headers = {"Retry-After": self.retry_after} if status == 429 and self.retry_after else None
        return web.json_response(answer, status=status, headers=headers)


def said(text: str, finish: str = "STOP") -> tuple[int, dict[str, Any]]:
    return 200, {
        "candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": finish, "index": 0}],
        "usageMetadata": {
            "promptTokenCount": 1000,
            "cachedContentTokenCount": 400,
            "candidatesTokenCount": 20,
            "thoughtsTokenCount": 80,
            "totalTokenCount": 1100,
        },
        "modelVersion": "gemini-3-flash-preview-07",
        "responseId": "r1",
    }


def gemini_error(status: int, name: str, message: str) -> tuple[int, dict[str, Any]]:
    return status, {"error": {"code": status, "message": message, "status": name}}


@pytest.fixture
def google_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "google-key-123")
    for name in ("GEMINI_API_KEY", "GOOGLE_BASE_URL", "GOOGLE_GEMINI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def google(server: GeminiServer, **changes: object) -> ModelSettings:
    base = {
        "name": "google/gemini-3-flash-preview",
        "base_url": server.url,
        "backoff_s": 0.01,
        "reasoning_effort": "low",
        "thinking_tokens": 500,
        "args": {"api_version": "v1beta"},
    }
    return ModelSettings.model_validate({**base, **changes})


@pytest.mark.usefixtures("google_key")
def test_gemini_gets_text_image_and_schema_and_its_usage_is_charged(tmp_path: Path) -> None:
    image = picture("JPEG")
    request = Request("Judge it.", system="Be strict.", images=(image,), answer=Verdict, max_tokens=300)
    price = Price(input=0.5, output=3.0, cached=0.05)
    with GeminiServer(said('{"score": 2, "reason": "all there"}')) as server:
        (reply,) = ask(google(server, price=price), tmp_path, request, budget=Budget(1.0))
        (body,) = server.bodies
        assert server.faults == []
    assert (reply.status, reply.value) == (ReplyStatus.OK, Verdict(score=2, reason="all there"))
    assert (reply.model, reply.input_tokens, reply.output_tokens) == ("gemini-3-flash-preview-07", 1000, 100)
    assert reply.usd == pytest.approx((600 * 0.5 + 400 * 0.05 + 100 * 3.0) / 1e6)
    (content,) = body["contents"]
    assert content["role"] == "user"
    shown, text = content["parts"]
    assert text == {"text": "Judge it."}
    inline = shown["inlineData"]
    assert inline.get("mimeType", inline.get("mime_type")) == "image/jpeg"  # protobuf's JSON takes both spellings
    sent = inline["data"]
    assert base64.b64decode(sent + "=" * (-len(sent) % 4), altchars=b"-_") == image
    assert body["systemInstruction"]["parts"] == [{"text": "Be strict."}]
    config = body["generationConfig"]
    assert config["maxOutputTokens"] == 800
    assert config["temperature"] == 0
    assert config["responseMimeType"] == "application/json"
    assert config["responseJsonSchema"]["properties"] == {"score": {"type": "integer"}, "reason": {"type": "string"}}
    thinking = config["thinkingConfig"]
    assert thinking.get("thinkingLevel", thinking.get("thinking_level", "")).lower() == "low", thinking


@pytest.mark.usefixtures("google_key")
@pytest.mark.parametrize("where", ["header", "body"])
def test_gemini_is_given_the_time_it_asks_for(where: str, tmp_path: Path) -> None:
    status, body = gemini_error(429, "RESOURCE_EXHAUSTED", "slow down")
    if where == "body":
        info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.9s"}
        body["error"]["details"] = [info]
    with GeminiServer((status, body), said("fine")) as server:
        server.retry_after = None if where == "body" else "0.9"
        (reply,) = ask(google(server), tmp_path, Request("a"))
        assert reply.text == "fine"
        assert server.at[1] - server.at[0] >= 0.9


@pytest.mark.usefixtures("google_key")
def test_gemini_faults_have_the_same_meaning(tmp_path: Path) -> None:
    malformed = said("", "MALFORMED_FUNCTION_CALL")
    with GeminiServer(
        gemini_error(429, "RESOURCE_EXHAUSTED", "slow down"),
        gemini_error(503, "UNAVAILABLE", "overloaded"),
        said("fine"),
        said("", "SAFETY"),
        gemini_error(400, "INVALID_ARGUMENT", "the image is broken"),
        malformed,
        said("second"),
        gemini_error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    ) as server:
        settings = google(server)
        replies = ask(settings, tmp_path, Request("a"), Request("b"), Request("c"))
        assert [r.status for r in replies] == [ReplyStatus.OK, ReplyStatus.REFUSED, ReplyStatus.API_ERROR]
        assert len(server.bodies) == 5
        # an empty answer is asked for once more by us, and not by the layers below, whose calls no budget sees
        (reply,) = ask(settings, tmp_path, Request("d"))
        assert (reply.text, reply.answers, len(server.bodies)) == ("second", 2, 7)
        with pytest.raises(ScigenError, match="the key was refused"):
            ask(settings, tmp_path, Request("e"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_chat_completions_take_the_three_kinds_of_image(kind: str, tmp_path: Path) -> None:
    with ChatServer() as server:
        settings = ModelSettings(name="openai-api/loop/m", base_url=server.base_url)
        (reply,) = ask(settings, tmp_path, Request("See?", images=(picture(kind), picture("PNG"))))
        assert reply.status is ReplyStatus.OK, reply.error
        parts = server.bodies[0]["messages"][0]["content"]
        assert [p["type"] for p in parts] == ["image_url", "image_url", "text"]
        assert parts[0]["image_url"]["url"].startswith(f"data:image/{kind.lower()};base64,")


@pytest.mark.parametrize("data", [b"GIF89a...", b"<svg/>", b"", b"/etc/passwd", b"RIFF\0\0\0\0WAVE"])
def test_other_files_are_refused_before_anything_is_sent(data: bytes, tmp_path: Path) -> None:
    with ChatServer() as server:
        settings = ModelSettings(name="openai-api/loop/m", base_url=server.base_url)
        with pytest.raises(ScigenError, match="not a PNG, JPEG or WebP"):
            ask(settings, tmp_path, Request("See?", images=(data,)))
        assert server.seen == []


def test_openai_takes_its_address_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ChatServer(lambda body: {"score": 1, "reason": "x"}, key="openai-key-123") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "openai-key-123")
        request = Request("Judge.", images=(picture("PNG"),), answer=Verdict, seed=4, temperature=0.7)
        (reply,) = ask(ModelSettings(name="openai/gpt-4o"), tmp_path, request)
        assert (reply.status, reply.value) == (ReplyStatus.OK, Verdict(score=1, reason="x"))
        body = server.bodies[0]
        assert (body["model"], body["seed"], body["temperature"]) == ("gpt-4o", 4, 0.7)


def test_vllm_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ChatServer() as server:
        monkeypatch.setenv("VLLM_BASE_URL", server.base_url)
        (reply,) = ask(ModelSettings(name="vllm/Qwen/Qwen3-VL-8B-Instruct"), tmp_path, Request("hi"), budget=Budget(0))
        assert (reply.status, reply.text, reply.usd) == (ReplyStatus.OK, "hi", 0.0)
        assert server.bodies[0]["model"] == "Qwen/Qwen3-VL-8B-Instruct"


def test_an_unknown_provider_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match=r"model\.name: nobody/m: .*not recognized"):
        ask(ModelSettings(name="nobody/m"), tmp_path, Request("a"))
    with pytest.raises(ValidationError, match="names no provider"):
        ModelSettings(name="gpt-4o")


CONFIGS = sorted(p.stem for p in (ROOT / "conf" / "model").glob("*.yaml") if p.stem != "default")


@pytest.mark.parametrize("name", CONFIGS)
def test_each_config_makes_a_model_and_all_but_hosted_qwen_have_a_price(name: str, tmp_path: Path) -> None:
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = OmegaConf.to_container(compose(overrides=[f"+model={name}"]).model, resolve=True)
    settings = ModelSettings.model_validate(config)
    assert set(config) == set(ModelSettings.model_fields), "the config shows every setting"  # type: ignore[arg-type]
    assert Model(settings, tmp_path, Budget(1.0)).priced
    if settings.base_url is None:
        price = price_of(settings.name, local=False)
        assert price is not None
        assert price.source.startswith("https://")


def test_the_defaults_of_config_and_class_are_one() -> None:
    config = OmegaConf.to_container(OmegaConf.load(ROOT / "conf" / "model" / "default.yaml"))
    assert isinstance(config, dict)
    config["name"] = "openai/x"
    assert ModelSettings.model_validate(config) == ModelSettings(name="openai/x")


def test_the_price_table_is_dated_and_complete() -> None:
    table = price_table()
    assert table.as_of >= date(2026, 11, 1)
    for name, price in table.models.items():
        assert price.as_of is not None, name
        assert price.source.startswith("https://"), name
        assert 0 < price.input < price.output, name
    flash = price_of("google/gemini-3-flash-preview", local=False)
    assert flash is not None
    # by hand: 1,000,000 in of which half cached, 100,000 out
    assert flash.usd(1_000_000, 100_000, 500_000) == pytest.approx(0.25 + 0.025 + 0.3)
    assert price_of("openai/gpt-4o-mini", local=False) != price_of("openai/gpt-4o", local=False)
    assert price_of("openai-api/someone/m", local=False) is None
    assert price_of("anything/m", local=True) == Price(input=0, output=0)


def test_image_tokens_by_the_published_rules() -> None:
    assert image_tokens("google/gemini-3-flash-preview", 640, 480) == 1120
    assert image_tokens("google/gemini-2.5-flash", 384, 384) == 258
    assert image_tokens("google/gemini-2.5-flash", 960, 540) == 258 * 2
    assert image_tokens("openai-api/x/qwen3-vl", 640, 480) == 20 * 15 + 2
    # the examples of OpenAI's vision guide
    assert image_tokens("openai/gpt-4o", 1024, 1024) == 765
    assert image_tokens("openai/gpt-4o", 2048, 4096) == 1105
    assert image_tokens("openai/gpt-4o", 512, 512) == 255


def test_nothing_heavy_is_imported_before_the_first_call() -> None:
    code = (
        "import sys; from scigen.models import Model, ModelSettings, Request; from pathlib import Path;"
        "m = Model(ModelSettings(name='google/gemini-3-flash-preview'), Path('nowhere'));"
        "assert m.estimate([Request('a')]).calls == 1;"
        "print([x for x in ('inspect_ai', 'openai', 'google.genai', 'httpx', 'PIL') if x in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[]"
