"""What is particular to Tencent Cloud: the signature, the body, its error codes, jobs that fail or are forgotten."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tencent_server import TencentServer, signature
from test_vendors import all_text, problems, records, run
from vendors import FAST, VENDORS

from scigen.app.generator_table import composed
from scigen.errors import ScigenError
from scigen.generators import LocalEngine, Studio, generate
from scigen.generators.pixel.tencent import TencentImages
from scigen.models.journal import Journal
from scigen.records import GeneratedImage, Status

TENCENT = VENDORS["tencent"]


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TENCENT.keys.items():
        monkeypatch.setenv(name, value)


def one(folder: Path, fault: str = "", **more: Any) -> tuple[GeneratedImage, TencentServer]:
    with TencentServer(lasting={"number 0.": fault} if fault else {}) as server:
        generator = TENCENT.generator(server.url, **more)
        run(generator, problems(1), folder)
    return records(generator, folder)["p0000"], server


def test_the_servers_check_is_that_of_the_vendors_published_example() -> None:
    body = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    key, kind = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", "application/json; charset=utf-8"
    signed = signature(key, "cvm", 1551113065, "cvm.tencentcloudapi.com", body, kind)
    assert signed == "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"


def test_a_wrong_secret_key_with_the_right_id_is_refused_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENCENTCLOUD_SECRET_KEY", "wrong-secret-7731")
    with pytest.raises(ScigenError, match=r"key was refused .*AuthFailure\.SignatureFailure") as error:
        one(tmp_path)
    assert "7731" not in str(error.value) + all_text(tmp_path)


def test_a_key_with_a_space_is_named_before_anything_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENCENTCLOUD_SECRET_ID", "copied with a line end\n")
    with pytest.raises(ScigenError, match="TENCENTCLOUD_SECRET_ID"):
        one(tmp_path)


def test_the_job_is_asked_for_by_its_published_names(tmp_path: Path) -> None:
    _, server = one(tmp_path)
    (body,) = server.bodies
    prompt = body.pop("Prompt")
    assert body == {"Resolution": "1024:1024", "LogoAdd": 0}
    assert "A triangle with sides 3, 4 and 5" in prompt
    first, later = server.headers[0], server.headers[1]
    assert first["X-TC-Action"] == "SubmitTextToImageJob"
    assert later["X-TC-Action"] == "QueryTextToImageJob"
    assert first["X-TC-Region"] == "ap-guangzhou"
    assert len(server.asked) == 3, "waiting, at work, done"


def test_what_the_vendor_says_is_in_the_record(tmp_path: Path) -> None:
    record, server = one(tmp_path)
    assert record.model == "hunyuan-image-3.0"
    assert record.vendor is not None
    assert record.vendor.job == server.asked[0]
    assert record.vendor.request_id == "fd7b5e60-000004"
    assert record.vendor.revised_prompt == server.bodies[0]["Prompt"] + " In the style of a textbook."
    assert record.cost_usd == pytest.approx(0.03)


def test_a_seed_is_sent_only_where_the_vendor_heeds_it(tmp_path: Path) -> None:
    record, server = one(tmp_path, seed=11, parameters={"Revise": 0})
    assert server.bodies[0]["Seed"] == 11
    assert record.vendor is not None
    assert record.vendor.seed == 11
    assert record.vendor.revised_prompt is None, "it was not revised"
    for wrong in ({"seed": 11}, {"seed": 0, "parameters": {"Revise": 0}}):
        with pytest.raises(ValidationError, match="Revise=0"):
            TENCENT.generator("https://vendor.invalid", **wrong)


@pytest.mark.parametrize(
    ("fault", "code"),
    [("blocked", "OperationDenied.TextIllegalDetected"), ("image_blocked", "FailedOperation.GenerateImageFailed")],
)
def test_what_the_review_stops_is_blocked_and_free(fault: str, code: str, tmp_path: Path) -> None:
    record, server = one(tmp_path, fault)
    assert record.status is Status.BLOCKED
    assert record.error is not None
    assert code in record.error.message
    assert record.cost_usd == 0
    assert Journal(tmp_path / "responses").usd == 0
    assert len(server.calls) == 1


def test_an_image_is_charged_once(tmp_path: Path) -> None:
    one(tmp_path)
    assert Journal(tmp_path / "responses").usd == pytest.approx(0.03)


@pytest.mark.parametrize("fault", ["job_fails_once", "forgotten"])
def test_a_job_that_failed_or_is_forgotten_is_submitted_once_more(fault: str, tmp_path: Path) -> None:
    record, server = one(tmp_path, fault)
    assert record.status is Status.OK
    assert len(server.calls) == 2
    assert record.vendor is not None
    assert record.vendor.job == server.asked[-1] != server.asked[0]
    booked = {"job_fails_once": 0.03, "forgotten": 0.06}  # what was forgotten may have been charged
    assert Journal(tmp_path / "responses").usd == pytest.approx(booked[fault])


def test_a_job_that_fails_each_time_ends_with_the_vendors_words(tmp_path: Path) -> None:
    record, server = one(tmp_path, "job_fails")
    assert record.status is Status.API_ERROR
    assert record.error is not None
    assert "FailedOperation.ServerError: the job has failed" in record.error.message
    assert len(server.calls) == 2


def test_a_job_that_fails_for_its_request_is_not_submitted_again(tmp_path: Path) -> None:
    record, server = one(tmp_path, "bad_value")
    assert record.status is Status.API_ERROR
    assert len(server.calls) == 1


def test_too_many_jobs_at_once_pass(tmp_path: Path) -> None:
    record, server = one(tmp_path, "too_many_jobs")
    assert record.status is Status.OK
    assert len(server.calls) == 2


def test_an_account_in_arrears_stops_the_run_with_the_vendors_words(tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match=r"out of credits .*ResourceUnavailable\.InArrears"):
        one(tmp_path, "arrears")


def test_a_request_that_the_vendor_calls_wrong_is_not_repeated(tmp_path: Path) -> None:
    record, server = one(tmp_path, parameters={"Resolution": "99:99"})
    assert record.status is Status.API_ERROR
    assert record.error is not None
    assert "InvalidParameterValue" in record.error.message
    assert len(server.bodies) == 1


def test_a_job_of_a_run_that_ended_is_picked_up_by_its_id(tmp_path: Path) -> None:
    """The job takes longer than the first run waits; the second finds it done and starts no other."""
    with TencentServer() as server:
        server.held = True
        generator = TENCENT.generator(server.url, job_s=0.3)
        run(generator, problems(1), tmp_path)
        assert records(generator, tmp_path)["p0000"].status is Status.TIMEOUT
        server.held = False
        engine = LocalEngine(lambda: Studio(tmp_path / "responses"))
        generate(problems(1), generator, tmp_path / "sets" / generator.name, engine, retry_failed=True)
        assert records(generator, tmp_path)["p0000"].status is Status.OK
        assert len(server.calls) == 1
    assert Journal(tmp_path / "responses").usd == pytest.approx(0.03)


def test_an_http_error_keeps_its_status(tmp_path: Path) -> None:
    """A wrong path of a proxy is a 404: the run stops at once instead of trying on."""

    async def nothing() -> None:
        async def not_found(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(not_found, "127.0.0.1", 0) as server:
            generator = TENCENT.generator(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            async with Studio(tmp_path / "responses") as studio:
                with pytest.raises(ScigenError, match="404"):
                    await generator.make(problems(1)[0], studio)

    asyncio.run(nothing())


def test_an_address_with_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match="/v1"):
        run(TENCENT.generator("https://vendor.invalid/v1"), problems(1), tmp_path)


@pytest.mark.parametrize("name", ["Prompt", "Seed", "Images"])
def test_parameters_that_the_class_sets_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        TENCENT.generator("https://vendor.invalid", parameters={name: 1})


def test_the_config_builds_the_system_of_the_paper(tmp_path: Path) -> None:
    made = composed("hunyuan_image_3")
    assert isinstance(made, TencentImages)
    with TencentServer() as server:
        generator = made.model_copy(update={"base_url": server.url, "poll_s": 0.02, "patience": FAST})
        run(generator, problems(1), tmp_path)
        assert server.bad == []
        assert records(generator, tmp_path)["p0000"].status is Status.OK
    assert generator.about.r_inv == 30.79
    assert generator.at_once == 1, "an account has one job at a time unless it bought more"
