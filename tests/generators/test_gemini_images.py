"""What is particular to Gemini: the request's bytes, why there is no picture, prices by tokens, its client's habits."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from gemini_server import IMAGE_TOKENS, PROMPT_TOKENS, THOUGHT_TOKENS, GeminiImageServer
from test_vendors import problems, records, run
from vendors import FAST, KEY, VENDORS

from scigen.app.generator_table import composed
from scigen.errors import ScigenError
from scigen.generators.pixel.gemini import GeminiImages
from scigen.models.journal import Journal
from scigen.records import GeneratedImage, Status

GEMINI = VENDORS["gemini"].generator
RATES = {"usd_per_million_in": 2.0, "usd_per_million_out": 12.0, "usd_per_million_image": 120.0}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)
    for name in ("GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_GENAI_API_VERSION", "GOOGLE_GENAI_USE_VERTEXAI"):
        monkeypatch.delenv(name, raising=False)


def one(folder: Path, fault: str = "", **more: Any) -> tuple[GeneratedImage, GeminiImageServer]:
    with GeminiImageServer(lasting={"number 0.": fault} if fault else {}) as server:
        generator = GEMINI(server.url, **more)
        run(generator, problems(1), folder)
    return records(generator, folder)["p0000"], server


def test_the_request_is_what_the_reference_says(tmp_path: Path) -> None:
    record, server = one(tmp_path, aspect_ratio="4:3", image_size="2K", seed=7, modalities=("TEXT", "IMAGE"))
    (body,) = server.bodies
    (content,) = body["contents"]
    assert "A triangle with sides 3, 4 and 5" in content["parts"][0]["text"]
    assert body["generationConfig"] == {
        "responseModalities": ["TEXT", "IMAGE"],
        "imageConfig": {"aspectRatio": "4:3", "imageSize": "2K"},
        "seed": 7,
    }
    assert record.vendor is not None
    assert record.vendor.seed == 7


def test_what_is_not_set_is_not_sent(tmp_path: Path) -> None:
    _, server = one(tmp_path, model="gemini-2.5-flash-image", image_size=None)
    (body,) = server.bodies
    assert body["generationConfig"] == {"responseModalities": ["IMAGE"]}


def test_the_record_holds_version_request_and_tokens(tmp_path: Path) -> None:
    record, _ = one(tmp_path)
    assert record.vendor is not None
    assert record.model == record.vendor.model == "gemini-3-pro-image-preview-001"
    assert record.vendor.request_id == "resp-000001"
    assert record.vendor.mime == "image/png"
    assert record.tokens == PROMPT_TOKENS + IMAGE_TOKENS + THOUGHT_TOKENS


def test_an_image_without_rates_costs_what_the_config_says(tmp_path: Path) -> None:
    record, _ = one(tmp_path)
    assert record.cost_usd == pytest.approx(0.134)


def test_the_price_comes_from_the_usage_by_kind_of_token(tmp_path: Path) -> None:
    record, _ = one(tmp_path, **RATES)
    # by hand: 200 in at 2, 300 thoughts at 12 and 1,120 of the picture at 120 dollars a million
    assert record.cost_usd == pytest.approx(0.0004 + 0.0036 + 0.1344)
    assert Journal(tmp_path / "responses").usd == pytest.approx(record.cost_usd)


def test_a_prompt_that_is_blocked_costs_its_own_tokens_and_without_rates_nothing(tmp_path: Path) -> None:
    record, _ = one(tmp_path / "rates", "prompt_blocked", **RATES)
    assert record.cost_usd == pytest.approx(0.0004)
    record, _ = one(tmp_path / "none", "prompt_blocked")
    assert record.cost_usd == 0


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ("prompt_blocked", Status.BLOCKED, "prompt: PROHIBITED_CONTENT"),
        ("SAFETY", Status.BLOCKED, "SAFETY: The image could not be made (SAFETY)."),
        ("PROHIBITED_CONTENT", Status.BLOCKED, "PROHIBITED_CONTENT"),
        ("RECITATION", Status.BLOCKED, "RECITATION"),
        ("IMAGE_SAFETY", Status.BLOCKED, "IMAGE_SAFETY"),
        ("IMAGE_PROHIBITED_CONTENT", Status.BLOCKED, "IMAGE_PROHIBITED_CONTENT"),
        ("IMAGE_RECITATION", Status.BLOCKED, "IMAGE_RECITATION"),
        ("refused", Status.REFUSED, "I cannot draw this for you."),
        ("no_image", Status.NO_IMAGE, "NO_IMAGE"),
        ("IMAGE_OTHER", Status.NO_IMAGE, "IMAGE_OTHER"),
        ("MAX_TOKENS", Status.NO_IMAGE, "MAX_TOKENS"),
        ("A_REASON_OF_NEXT_YEAR", Status.NO_IMAGE, "A_REASON_OF_NEXT_YEAR"),
        ("thoughts_only", Status.NO_IMAGE, "STOP"),
        ("nothing", Status.NO_IMAGE, "the answer holds no candidate"),
    ],
)
def test_why_there_is_no_picture(fault: str, status: Status, words: str, tmp_path: Path) -> None:
    record, server = one(tmp_path, fault)
    assert record.status is status
    assert record.vendor is not None
    assert words in (record.vendor.message or "")
    assert len(server.calls) == 1


def test_a_picture_that_is_not_base64_is_a_bad_image_and_not_asked_for_again(tmp_path: Path) -> None:
    record, server = one(tmp_path, "not_base64")
    assert record.status is Status.BAD_IMAGE
    assert len(server.calls) == 1


def test_thoughts_are_not_the_picture_and_words_beside_it_do_no_harm(tmp_path: Path) -> None:
    plain, _ = one(tmp_path / "plain")
    drafts, _ = one(tmp_path / "drafts", "drafts")
    assert drafts.status is Status.OK
    assert drafts.image == plain.image


def test_the_time_to_wait_is_read_from_the_body(tmp_path: Path) -> None:
    patience = FAST.model_copy(update={"retries": 1})
    with GeminiImageServer(lasting={"number 0.": "rate_limit"}, retry_after_s=0.9) as server:
        start = time.monotonic()
        run(GEMINI(server.url, patience=patience), problems(1), tmp_path)
        assert time.monotonic() - start >= 0.9
        assert len(server.calls) == 2


def test_a_time_to_wait_beyond_our_patience_is_not_waited_for(tmp_path: Path) -> None:
    patience = FAST.model_copy(update={"total_s": 5.0})
    with GeminiImageServer(lasting={"number 0.": "rate_limit"}, retry_after_s=3600) as server:
        generator = GEMINI(server.url, patience=patience)
        run(generator, problems(1), tmp_path)
        assert len(server.calls) == 1
    error = records(generator, tmp_path)["p0000"].error
    assert error is not None
    assert "RESOURCE_EXHAUSTED" in error.message


def test_a_request_whose_connection_breaks_is_not_sent_again_behind_our_back(tmp_path: Path) -> None:
    record, server = one(tmp_path, "drop", patience=FAST.model_copy(update={"retries": 0}))
    assert record.status is Status.API_ERROR
    assert len(server.calls) == 1
    assert Journal(tmp_path / "responses").usd == pytest.approx(0.134), "it may have been charged"


def test_a_service_that_is_not_there_costs_nothing(tmp_path: Path) -> None:
    with GeminiImageServer() as server:
        url = server.url
    generator = GEMINI(url, patience=FAST.model_copy(update={"retries": 1}))
    run(generator, problems(1), tmp_path)
    assert records(generator, tmp_path)["p0000"].status is Status.API_ERROR
    assert Journal(tmp_path / "responses").usd == 0


@pytest.mark.parametrize(
    ("fault", "more", "words"),
    [
        ("no_billing", {}, "FAILED_PRECONDITION"),
        ("PUP_LIMITED_DISABLED", {}, "PUP_LIMITED_DISABLED"),
        ("", {"model": "gemini-9-image"}, "models/gemini-9-image is not found"),
    ],
)
def test_what_every_request_would_get_stops_the_run(
    fault: str, more: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ScigenError, match=words):
        one(tmp_path, fault, **more)


def test_the_environment_does_not_lead_requests_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "another-key-of-the-process")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_GENAI_API_VERSION", "v9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    record, server = one(tmp_path)
    assert record.status is Status.OK
    assert server.bad == []


@pytest.mark.parametrize(
    ("name", "model", "r_inv", "usd"),
    [
        ("nanobanana", "gemini-2.5-flash-image", 57.75, 0.039),
        ("nanobanana_pro", "gemini-3-pro-image-preview", 73.41, 0.134),
    ],
)
def test_the_configs_build_the_systems_of_the_paper(
    name: str, model: str, r_inv: float, usd: float, tmp_path: Path
) -> None:
    generator = composed(name)
    assert isinstance(generator, GeminiImages)
    assert (generator.name, generator.model, generator.about.r_inv) == (name, model, r_inv)
    assert generator.usd_per_image == usd
    with GeminiImageServer() as server:
        local = generator.model_copy(update={"base_url": server.url})
        assert run(local, problems(2), tmp_path).by_status == {"ok": 2}
    assert server.bad == []
    for record in records(generator, tmp_path).values():
        assert usd / 2 < record.cost_usd <= generator.most
