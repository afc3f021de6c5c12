"""What is particular to OpenAI's Images API, and to servers of one's own that speak it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from images_server import ImagesServer
from openai_server import OpenAIServer
from pydantic import ValidationError
from test_vendors import all_text, problems, records, run
from vendor_server import VendorServer
from vendors import FAST, KEY, VENDORS

from scigen.app.generator_table import composed
from scigen.errors import ScigenError
from scigen.generators.pixel.openai_images import OpenAIImages
from scigen.models.journal import Journal
from scigen.records import GeneratedImage, Status

OPENAI = VENDORS["openai"].generator


class Recording(OpenAIServer):
    """OpenAI's server; it keeps the bytes of the bodies and can say more kinds of 400."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.raw: list[bytes] = []

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        self.raw.append(await request.read())
        for text, (code, message) in {
            "policy": ("content_policy_violation", "Your request was rejected"),
            "wrong": ("invalid_value", "Invalid size"),
        }.items():
            if text in self.lasting.values():
                call = self.draw_fault(json.loads(self.raw[-1])["prompt"])
                return await self._error(request, call, 400, "invalid_request_error", code, message)
        return await super()._generate(request)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def one(folder: Path, kind: type[VendorServer], fault: str = "", **more: Any) -> tuple[GeneratedImage, Any]:
    with kind(lasting={"number 0.": fault} if fault else {}) as server:
        generator = OPENAI(server.url, **more)
        run(generator, problems(1, "A Ω resistor at 20 °C – “R1”"), folder)
    return records(generator, folder)["p0000"], server


def local(folder: Path, fault: str = "", **more: Any) -> tuple[GeneratedImage, ImagesServer]:
    config = composed("openai_images_local").model_dump()
    with ImagesServer(lasting={"number 0.": fault} if fault else {}) as server:
        settings = {**config, "seed": 5, "patience": FAST, **more, "base_url": f"{server.url}/v1"}
        generator = OpenAIImages(**settings)
        run(generator, problems(1), folder)
    return records(generator, folder)["p0000"], server


def test_a_gpt_image_is_asked_for_in_these_bytes(tmp_path: Path) -> None:
    _, server = one(tmp_path, Recording)
    (raw,) = server.raw
    prompt = json.loads(raw)["prompt"]
    assert "A Ω resistor at 20 °C – “R1”, number 0." in prompt
    body = {"model": "gpt-image-1.5", "prompt": prompt, "n": 1, "size": "1024x1024", "quality": "high"}
    assert raw == json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_tokens_make_the_price(tmp_path: Path) -> None:
    """50 tokens in at 5 dollars a million and 4,160 out at 32 dollars: 0.00025 + 0.13312."""
    record, _ = one(tmp_path, OpenAIServer, usd_per_million_in=5.0, usd_per_million_out=32.0)
    assert record.cost_usd == pytest.approx(0.13337)
    assert record.tokens == 4210
    assert Journal(tmp_path / "responses").usd == pytest.approx(0.13337)


def test_the_request_id_is_kept_for_pictures_and_for_refusals(tmp_path: Path) -> None:
    made, _ = one(tmp_path / "made", OpenAIServer)
    blocked, _ = one(tmp_path / "blocked", OpenAIServer, "blocked")
    for record in (made, blocked):
        assert record.vendor is not None
        assert record.vendor.request_id == "req_000001"


@pytest.mark.parametrize(("fault", "code"), [("blocked", "moderation_blocked"), ("policy", "content_policy_violation")])
def test_what_the_safety_system_stops_is_blocked_and_free(fault: str, code: str, tmp_path: Path) -> None:
    record, server = one(tmp_path, Recording, fault)
    assert record.status is Status.BLOCKED
    assert record.error is not None
    assert record.error.message.startswith(code)
    assert record.cost_usd == 0
    assert len(server.calls) == 1


def test_another_400_is_no_refusal_and_is_not_repeated(tmp_path: Path) -> None:
    record, server = one(tmp_path, Recording, "wrong")
    assert record.status is Status.API_ERROR
    assert record.error is not None
    assert "Invalid size" in record.error.message
    assert len(server.calls) == 1


def test_a_server_of_ones_own_is_asked_in_these_bytes_and_gets_no_key_of_openai(tmp_path: Path) -> None:
    record, server = local(tmp_path)
    assert server.bad == []
    assert record.status is Status.OK
    assert record.cost_usd == 0
    (raw,) = server.bodies
    body = {
        "model": "Qwen/Qwen-Image",
        "prompt": json.loads(raw)["prompt"],
        "n": 1,
        "size": "1328x1328",
        "response_format": "b64_json",
        "num_inference_steps": 50,
        "true_cfg_scale": 4.0,
        "negative_prompt": " ",
        "seed": 5,
    }
    assert raw == json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    assert record.vendor is not None
    assert record.vendor.seed == 5
    assert KEY not in json.dumps(server.headers)


def test_an_address_is_fetched_without_a_key_and_what_was_revised_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGES_API_KEY", "own-secret-4242")
    record, server = local(tmp_path, parameters={"response_format": "url"})
    assert server.bad == [], "the server notes a key that comes to the picture's address"
    assert server.headers[0]["Authorization"] == "Bearer own-secret-4242"
    assert record.status is Status.OK
    assert record.vendor is not None
    assert record.vendor.revised_prompt == "A triangle, drawn flat."
    assert "4242" not in all_text(tmp_path)


def test_an_address_that_leads_nowhere_is_tried_a_bounded_number_of_times(tmp_path: Path) -> None:
    record, server = local(tmp_path, "gone", patience=FAST.model_copy(update={"retries": 2}))
    assert record.status is Status.API_ERROR
    assert record.error is not None
    assert "attempts made: 3" in record.error.message
    assert len(server.calls) == 3


def test_a_service_elsewhere_needs_the_key_that_is_named(tmp_path: Path) -> None:
    generator = OPENAI("https://images.invalid", key_variable="IMAGES_API_KEY")
    with pytest.raises(ScigenError, match="IMAGES_API_KEY"):
        run(generator, problems(1), tmp_path)


def test_what_the_class_sets_and_keys_that_would_not_be_blotted_are_refused() -> None:
    for wrong in ({"parameters": {"n": 4}}, {"extra": {"stream": True}}, {"key_variable": "MY_THING"}):
        with pytest.raises(ValidationError):
            OPENAI("https://images.invalid", **wrong)


@pytest.mark.parametrize(("name", "r_inv", "usd"), [("gpt_image_1", 42.97, 0.16665), ("gpt_image_1_5", 63.52, 0.13337)])
def test_the_configs_build_the_systems_of_the_paper(name: str, r_inv: float, usd: float, tmp_path: Path) -> None:
    made = composed(name)
    assert isinstance(made, OpenAIImages)
    with OpenAIServer() as server:
        generator = made.model_copy(update={"base_url": f"{server.url}/v1", "patience": FAST})
        run(generator, problems(1), tmp_path)
    assert server.bad == []
    record = records(generator, tmp_path)["p0000"]
    assert record.status is Status.OK
    assert record.cost_usd == pytest.approx(usd)
    assert record.cost_usd <= generator.most, "the budget counts with at least what it costs"
    assert (generator.name, generator.about.r_inv) == (name, r_inv)
