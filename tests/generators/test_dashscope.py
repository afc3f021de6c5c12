"""What is particular to DashScope: the two requests, task states, what is charged, and what its client must not do."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from dashscope_server import DashScopeServer
from pydantic import ValidationError
from test_vendors import problems, records, run
from vendors import FAST, KEY, VENDORS

from scigen.app.generator_table import composed
from scigen.errors import ScigenError
from scigen.generators.pixel.dashscope_images import DashScopeImages, shortened
from scigen.models.journal import Journal
from scigen.records import GeneratedImage, Status

DASHSCOPE = VENDORS["dashscope"].generator


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)


def one(
    folder: Path, fault: str = "", polls: tuple[str, ...] = (), **more: Any
) -> tuple[GeneratedImage, DashScopeServer]:
    with DashScopeServer(lasting={"number 0.": fault} if fault else {}, polls=polls) as server:
        generator = DASHSCOPE(server.url, **more)
        run(generator, problems(1), folder)
    return records(generator, folder)["p0000"], server


def test_the_submission_is_what_the_reference_says(tmp_path: Path) -> None:
    parameters = {"size": "1664*928", "negative_prompt": "photo", "prompt_extend": False, "watermark": False}
    record, server = one(tmp_path, parameters=parameters, seed=0)
    (body,) = server.bodies
    assert body["model"] == "qwen-image-plus"
    assert set(body["input"]) == {"prompt", "negative_prompt"}
    assert "A triangle with sides 3, 4 and 5" in body["input"]["prompt"]
    assert body["input"]["negative_prompt"] == "photo"
    assert body["parameters"] == {"size": "1664*928", "n": 1, "seed": 0, "prompt_extend": False, "watermark": False}
    assert record.vendor is not None
    assert record.vendor.seed == 0
    assert record.vendor.revised_prompt is None


def test_the_record_holds_task_request_and_the_prompt_as_the_vendor_rewrote_it(tmp_path: Path) -> None:
    record, _ = one(tmp_path)
    assert record.vendor is not None
    assert record.vendor.job == "task-000001"
    assert record.vendor.request_id == "f-task-000001"
    assert (record.vendor.revised_prompt or "").endswith("In a clean style.")
    assert record.cost_usd == pytest.approx(0.03)


@pytest.mark.parametrize("fault", ["blocked", "infringement", "blocked_later", "blocked_inside"])
def test_what_the_filter_stops_at_the_door_or_later_is_blocked_and_free(fault: str, tmp_path: Path) -> None:
    record, server = one(tmp_path, fault)
    assert record.status is Status.BLOCKED
    assert record.cost_usd == 0
    assert Journal(tmp_path / "responses").usd == pytest.approx(0)
    assert record.vendor is not None
    assert record.vendor.request_id
    assert record.vendor.message
    assert len(server.calls) == 1


@pytest.mark.parametrize("fault", ["job_fails_once", "canceled_once", "unknown_once"])
def test_a_task_that_the_service_lost_or_broke_is_submitted_once_more(fault: str, tmp_path: Path) -> None:
    record, server = one(tmp_path, fault)
    assert record.status is Status.OK
    assert len(server.calls) == 2


def test_a_task_that_fails_each_time_is_given_up_after_two(tmp_path: Path) -> None:
    record, server = one(tmp_path, "job_fails")
    assert record.status is Status.API_ERROR
    assert record.error is not None
    assert "InternalError.Timeout" in record.error.message
    assert len(server.calls) == 2


def test_a_task_with_a_wrong_parameter_is_not_submitted_again(tmp_path: Path) -> None:
    record, server = one(tmp_path, "invalid")
    assert record.status is Status.API_ERROR
    assert record.error is not None
    assert "InvalidParameter" in record.error.message
    assert len(server.calls) == 1


def test_questions_about_a_task_survive_rate_limits_errors_and_cut_answers(tmp_path: Path) -> None:
    record, server = one(tmp_path, polls=("rate_limit", "error_500", "cut"))
    assert record.status is Status.OK
    assert len(server.calls) == 1


def test_a_task_that_takes_too_long_is_asked_for_again_by_the_next_run(tmp_path: Path) -> None:
    with DashScopeServer(lasting={"number 0.": "never"}) as server:
        generator = DASHSCOPE(server.url, job_s=0.2)
        run(generator, problems(1), tmp_path)
        assert records(generator, tmp_path)["p0000"].status is Status.TIMEOUT
        server.tasks["task-000001"].call.kind = "ok"
        (tmp_path / "sets").rename(tmp_path / "old")
        run(generator, problems(1), tmp_path)
        assert records(generator, tmp_path)["p0000"].status is Status.OK
        assert len(server.calls) == 1, "the task was paid for once"


def test_an_account_in_arrears_stops_the_run_with_the_vendors_words(tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match="Arrearage"):
        one(tmp_path, "arrearage")


def test_a_submission_whose_connection_breaks_is_not_sent_again_behind_our_back(tmp_path: Path) -> None:
    """The vendor's client would: it takes the request for unserved, and the vendor may charge both."""
    patience = FAST.model_copy(update={"retries": 0})
    record, server = one(tmp_path, "drop", patience=patience)
    assert record.status is Status.API_ERROR
    assert record.error is not None
    assert "ServerDisconnected" in record.error.message
    assert len(server.calls) == 1
    assert Journal(tmp_path / "responses").usd == pytest.approx(0.03), "it may have been charged"


def test_a_service_that_is_not_there_costs_nothing(tmp_path: Path) -> None:
    with DashScopeServer() as server:
        port = server.port
    patience = FAST.model_copy(update={"retries": 1})
    generator = DASHSCOPE(f"http://127.0.0.1:{port}", patience=patience)
    run(generator, problems(1), tmp_path)
    assert records(generator, tmp_path)["p0000"].status is Status.API_ERROR
    assert Journal(tmp_path / "responses").usd == 0


def test_key_and_address_are_not_those_of_the_process_and_failures_are_not_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import dashscope

    caplog.set_level(logging.INFO)
    monkeypatch.setattr(dashscope, "api_key", "another-key-of-the-process")
    monkeypatch.setattr(dashscope, "base_http_api_url", "http://127.0.0.1:9/api/v1")
    record, server = one(tmp_path, polls=("cut", "cut"))
    assert record.status is Status.OK
    assert server.bad == []
    assert "Traceback" not in caplog.text
    assert logging.getLogger("dashscope").level == logging.NOTSET, "as it was before"


def test_a_prompt_that_is_too_long_is_cut_by_us_and_the_record_says_so(tmp_path: Path) -> None:
    (short,) = problems(1)
    long = short.model_copy(update={"elements": tuple(f"Point P{i} with its two coordinates" for i in range(40))})
    parameters = {"size": "1328*1328", "prompt_extend": False}
    with DashScopeServer() as server:
        generator = DASHSCOPE(server.url, parameters=parameters)
        run(generator, [long], tmp_path)
    (body,) = server.bodies
    sent = body["input"]["prompt"]
    assert 760 < len(sent) <= 800
    assert sent.endswith("with its two coordinates"), "no element is cut in two"
    assert short.question in sent
    record = records(generator, tmp_path)["p0000"]
    assert record.vendor is not None
    assert record.vendor.revised_prompt == sent


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("short enough", "short enough"),
        ("one line\nsecond line\nthird line", "one line\nsecond line"),
        ("one line of more than 20 characters", "one line of more than"),
        ("a" * 30, "a" * 22),
        ("ab\n" + "c" * 30, "ab\n" + "c" * 19),
    ],
)
def test_where_a_text_is_cut(text: str, kept: str) -> None:
    assert shortened(text, 22) == kept


@pytest.mark.parametrize("name", ["seed", "n", "api_key", "base_address"])
def test_parameters_that_the_class_sets_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        DASHSCOPE("https://vendor.invalid", parameters={name: 1})


def test_the_config_builds_the_system_of_the_paper(tmp_path: Path) -> None:
    generator = composed("qwen_image")
    assert isinstance(generator, DashScopeImages)
    assert generator.name == "qwen_image"
    assert generator.about.r_inv == 38.86
    with DashScopeServer() as server:
        local = generator.model_copy(update={"base_url": f"{server.url}/api/v1", "poll_s": 0.01, "poll_most_s": 0.01})
        assert run(local, problems(2), tmp_path).by_status == {"ok": 2}
    assert server.bad == []
