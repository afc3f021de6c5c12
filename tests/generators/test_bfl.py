"""What is particular to Black Forest Labs: the request, job states, what is charged, and where the key may go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bfl_server import BflServer
from pydantic import ValidationError
from test_vendors import problems, records, run
from vendors import FAST, KEY, VENDORS

from scigen.app.generator_table import composed
from scigen.errors import ScigenError
from scigen.generators.pixel.bfl import BflImages, may_be_asked, may_have_key
from scigen.models.journal import Journal
from scigen.records import GeneratedImage, Status

BFL = VENDORS["bfl"].generator


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BFL_API_KEY", KEY)


def one(
    folder: Path, fault: str = "", server: dict[str, Any] | None = None, **more: Any
) -> tuple[GeneratedImage, BflServer]:
    with BflServer(lasting={"number 0.": fault} if fault else {}, **(server or {})) as there:
        generator = BFL(there.url, **more)
        run(generator, problems(1), folder)
    return records(generator, folder)["p0000"], there


def test_the_request_is_what_the_reference_says(tmp_path: Path) -> None:
    parameters = {"width": 1024, "height": 768, "prompt_upsampling": False, "guidance": 4.5, "steps": 50}
    record, server = one(tmp_path, parameters=parameters, seed=0)
    (body,) = server.bodies
    assert "A triangle with sides 3, 4 and 5" in body.pop("prompt")
    assert body == {**parameters, "seed": 0}
    assert server.bad == []
    assert record.status is Status.OK


def test_the_record_holds_job_seed_and_the_prompt_as_the_vendor_rewrote_it(tmp_path: Path) -> None:
    record, _ = one(tmp_path)
    assert record.vendor is not None
    assert (record.vendor.job, record.vendor.seed) == ("job-000000", 4242)
    assert (record.vendor.revised_prompt or "").endswith("In a clean style.")


@pytest.mark.parametrize(("credits_said", "usd"), [(4.5, 0.045), (0, 0.0), (None, 0.1)])
def test_the_price_is_what_the_answer_says_in_credits_of_a_cent(
    credits_said: float | None, usd: float, tmp_path: Path
) -> None:
    record, _ = one(tmp_path, server={"cost": credits_said})
    assert record.cost_usd == pytest.approx(usd)
    assert Journal(tmp_path / "responses").usd == pytest.approx(usd)


@pytest.mark.parametrize(
    ("fault", "words"),
    [("request_moderated", "Request Moderated"), ("content_moderated", "Content Moderated")],
)
def test_what_is_moderated_is_blocked_free_and_final(fault: str, words: str, tmp_path: Path) -> None:
    record, server = one(tmp_path, fault)
    assert record.status is Status.BLOCKED
    assert record.vendor is not None
    assert record.vendor.message == f'{words}: {{"Moderation Reasons": ["test"]}}'
    assert record.vendor.job == "job-000000"
    assert record.cost_usd == 0
    assert Journal(tmp_path / "responses").usd == pytest.approx(0)
    assert len(server.calls) == 1


@pytest.mark.parametrize("fault", ["job_fails_once", "lost_once", "lost_404", "expired_once"])
def test_a_job_that_failed_or_was_lost_or_whose_image_expired_is_submitted_once_more(
    fault: str, tmp_path: Path
) -> None:
    record, server = one(tmp_path, fault)
    assert record.status is Status.OK
    assert len(server.calls) == 2


@pytest.mark.parametrize(
    ("fault", "words"), [("job_fails", "out of memory"), ("lost", "Task not found"), ("expired", "status 403")]
)
def test_after_two_jobs_it_is_given_up_with_the_reason(fault: str, words: str, tmp_path: Path) -> None:
    record, server = one(tmp_path, fault)
    assert record.status is Status.API_ERROR
    assert record.error is not None
    assert words in record.error.message
    assert len(server.calls) == 2


def test_questions_about_a_job_survive_all_that_passes(tmp_path: Path) -> None:
    polls = ("rate_limit", "error_500", "cut", "not_json", "unknown")
    record, server = one(tmp_path, server={"polls": polls})
    assert record.status is Status.OK
    assert len(server.calls) == 1


def test_a_request_that_is_wrong_for_good_is_not_made_again(tmp_path: Path) -> None:
    record, server = one(tmp_path, "invalid")
    assert record.status is Status.API_ERROR
    assert record.error is not None
    assert "too many" in record.error.message
    assert len(server.calls) == 1


def test_an_account_without_credits_stops_the_run_and_says_so_also_after_images_came(tmp_path: Path) -> None:
    with BflServer(lasting={"number 5.": "no_credits"}) as server:
        generator = BFL(server.url, at_once=1)
        with pytest.raises(ScigenError, match=r"the account is out of credits.*run the same command again"):
            run(generator, problems(9), tmp_path)
        assert len(server.calls) == 6


def test_a_key_of_the_wrong_form_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match=r"key was refused.*Invalid API key format"):
        one(tmp_path, "key_form")


def test_an_unknown_model_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match="no such model"):
        one(tmp_path, model="flux-9")


def test_an_answer_without_a_job_is_asked_for_again(tmp_path: Path) -> None:
    record, server = one(tmp_path, "no_job", patience=FAST.model_copy(update={"retries": 1}))
    assert record.status is Status.API_ERROR
    assert len(server.calls) == 2
    assert Journal(tmp_path / "responses").usd == pytest.approx(0.2), "each may have been charged"


@pytest.mark.parametrize(
    ("url", "service", "asked", "keyed"),
    [
        ("https://api.bfl.ai/v1/get_result?id=1", "https://api.bfl.ai", True, True),
        ("https://api.eu2.bfl.ai/v1/get_result?id=1", "https://api.bfl.ai", True, True),
        ("https://API.EU2.BFL.AI/v1/get_result?id=1", "https://api.bfl.ai", True, True),
        ("https://proxy.example:8443/bfl/get_result?id=1", "https://proxy.example:8443/bfl", True, True),
        ("https://proxy.example/bfl/get_result?id=1", "https://proxy.example:8443/bfl", True, False),
        ("https://evil-bfl.ai/v1/get_result", "https://api.bfl.ai", True, False),
        ("https://api.bfl.ai.evil.example/v1/get_result", "https://api.bfl.ai", True, False),
        ("https://api.bfl.ai@evil.example/v1/get_result", "https://api.bfl.ai", True, False),
        ("https://user:word@api.bfl.ai/v1/get_result", "https://api.bfl.ai", True, False),
        ("https://evil.example/api.bfl.ai", "https://api.bfl.ai", True, False),
        ("http://api.bfl.ai/v1/get_result?id=1", "https://api.bfl.ai", False, False),
        ("http://127.0.0.1:80/v1/get_result", "https://api.bfl.ai", False, False),
        ("http://127.0.0.1:81/v1/get_result", "http://127.0.0.1:80", True, False),
        ("http://127.0.0.1:80/v1/get_result", "http://127.0.0.1:80", True, True),
        ("file:///etc/passwd", "http://127.0.0.1:80", False, False),
        ("/v1/get_result?id=1", "https://api.bfl.ai", False, False),
        ("https://api.bfl.ai:port/v1", "https://api.bfl.ai", False, None),
    ],
)
def test_where_the_address_to_ask_may_lead_and_where_the_key_goes(
    url: str, service: str, asked: bool, keyed: bool | None
) -> None:
    assert may_be_asked(url, service) is asked
    if keyed is not None:
        assert may_have_key(url, service) is keyed


def test_another_host_is_asked_without_the_key(tmp_path: Path) -> None:
    with BflServer() as other, BflServer(polling=f"{other.url}/elsewhere?id={{id}}") as server:
        generator = BFL(server.url, job_s=1.0)
        run(generator, problems(1), tmp_path)
        assert records(generator, tmp_path)["p0000"].status is Status.TIMEOUT
        assert len(other.polling_headers) > 1
        assert other.bad == []


@pytest.mark.parametrize("closed", [True, False])
def test_an_address_that_leads_nowhere_costs_one_job_and_no_second(closed: bool, tmp_path: Path) -> None:
    with BflServer() as other:
        polling = f"{other.url}/elsewhere?closed=1" if closed else "http://192.0.2.1/v1/get_result?id={id}"
        with BflServer(polling=polling) as server:
            generator = BFL(server.url)
            run(generator, problems(1), tmp_path)
            assert len(server.calls) == 1
    error = records(generator, tmp_path)["p0000"].error
    assert error is not None
    assert ("not the vendor's" if closed else "neither https nor local") in error.message


@pytest.mark.parametrize("name", ["prompt", "seed", "webhook_url", "webhook_secret"])
def test_parameters_that_the_class_sets_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        BFL("https://vendor.invalid", parameters={name: 1})


def test_a_model_is_a_name_and_not_a_path() -> None:
    with pytest.raises(ValidationError, match="model"):
        BFL("https://vendor.invalid", model="../elsewhere")


def test_the_config_builds_the_system_of_the_paper(tmp_path: Path) -> None:
    generator = composed("flux2_flex")
    assert isinstance(generator, BflImages)
    assert (generator.name, generator.model, generator.about.r_inv) == ("flux2_flex", "flux-2-flex", 58.83)
    assert generator.at_once <= 24
    with BflServer(cost=5.0) as server:
        local = generator.model_copy(update={"base_url": server.url, "poll_s": 0.01, "poll_most_s": 0.01})
        assert run(local, problems(2), tmp_path).by_status == {"ok": 2}
    assert server.bad == []
