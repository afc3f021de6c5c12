"""What is particular to Volcengine Ark: the body, the account's errors, what is charged, the other region."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ark_server import ArkServer
from pydantic import ValidationError
from test_vendors import problems, records, run
from vendors import FAST, KEY, VENDORS

from scigen.app.generator_table import composed
from scigen.errors import ScigenError
from scigen.generators.pixel.ark import ArkImages
from scigen.models.journal import Journal
from scigen.records import GeneratedImage, Status

ARK = VENDORS["ark"].generator


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARK_API_KEY", KEY)


def one(folder: Path, fault: str = "", **more: Any) -> tuple[GeneratedImage, ArkServer]:
    with ArkServer(lasting={"number 0.": fault} if fault else {}) as server:
        generator = ARK(server.url, **more)
        run(generator, problems(1), folder)
    return records(generator, folder)["p0000"], server


def test_one_image_is_asked_for_without_a_watermark_and_nothing_else_is_set(tmp_path: Path) -> None:
    _, server = one(tmp_path)
    (body,) = server.bodies
    assert {k: v for k, v in body.items() if v is not None and k != "prompt"} == {
        "model": "doubao-seedream-4-0-250828",
        "response_format": "b64_json",
        "size": "2K",
        "watermark": False,
        "sequential_image_generation": "disabled",
    }
    assert "A triangle with sides 3, 4 and 5" in body["prompt"]


def test_what_the_vendor_says_is_in_the_record(tmp_path: Path) -> None:
    record, _ = one(tmp_path)
    assert record.vendor is not None
    assert record.model == record.vendor.model == "doubao-seedream-4-0-250828"
    assert record.vendor.request_id == "02000001"
    assert record.tokens == 16_384
    assert record.cost_usd == pytest.approx(0.03)


def test_a_seed_goes_to_a_model_that_takes_one(tmp_path: Path) -> None:
    record, server = one(tmp_path, model="doubao-seedream-3-0-t2i-250415", seed=7)
    assert server.bodies[0]["seed"] == 7
    assert record.vendor is not None
    assert record.vendor.seed == 7


@pytest.mark.parametrize("fault", ["blocked", "risk", "blocked_inside"])
def test_what_a_safety_filter_stops_is_blocked_and_free(fault: str, tmp_path: Path) -> None:
    record, server = one(tmp_path, fault)
    assert record.status is Status.BLOCKED
    assert record.cost_usd == 0
    assert record.vendor is not None
    assert "Detect" in (record.vendor.message or "")
    assert record.vendor.request_id == "02000001"
    assert len(server.calls) == 1


def test_an_error_inside_an_answer_is_tried_again(tmp_path: Path) -> None:
    record, server = one(tmp_path, "failed_inside")
    assert record.status is Status.OK
    assert len(server.calls) == 2


def test_an_overdue_account_stops_the_run_with_the_vendors_words(tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match="AccountOverdueError"):
        one(tmp_path, "overdue")


def test_a_cut_answer_is_counted_as_possibly_charged_and_a_refused_connection_is_not(tmp_path: Path) -> None:
    patience = FAST.model_copy(update={"retries": 1})
    with ArkServer(lasting={"number 0.": "cut"}) as server:
        run(ARK(server.url, patience=patience, usd_per_image=0.5), problems(1), tmp_path / "cut")
        port = server.port
    assert Journal(tmp_path / "cut" / "responses").usd == pytest.approx(1.0), "two attempts"
    run(ARK(f"http://127.0.0.1:{port}", patience=patience), problems(1), tmp_path / "gone")
    assert Journal(tmp_path / "gone" / "responses").usd == 0


@pytest.mark.parametrize("name", ["seed", "stream", "sequential_image_generation"])
def test_parameters_that_the_class_sets_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        ARK("https://vendor.invalid", parameters={name: 1})


def test_the_config_builds_the_system_of_the_paper(tmp_path: Path) -> None:
    generator = composed("seedream_4")
    assert isinstance(generator, ArkImages)
    assert generator.name == "seedream_4"
    assert generator.about.r_inv == 52.67
    with ArkServer() as server:
        local = generator.model_copy(update={"base_url": f"{server.url}/api/v3"})
        assert run(local, problems(2), tmp_path).by_status == {"ok": 2}
    assert server.bad == []
