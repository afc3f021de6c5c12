"""Every image vendor by its own SDK over HTTP, against a server that checks its published protocol strictly."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from vendor_server import PASSING, STATUS, VendorServer
from vendors import VENDORS, Vendor

from scigen.errors import ScigenError
from scigen.generators import Generator, LocalEngine, Studio, generate
from scigen.models import Budget, BudgetReached
from scigen.records import GeneratedImage, ImageType, Problem, Status, Subject
from scigen.store import Manifest, image_path, read_set


def problems(n: int, text: str = "A triangle with sides 3, 4 and 5") -> list[Problem]:
    return [
        Problem(
            id=f"p{i:04d}",
            source="test",
            question=f"{text}, number {i}. Find its area.",
            answer="6",
            subject=Subject.MATH,
            image_type=ImageType.PLANE_GEOMETRIC,
            elements=("3", "4", "5"),
            multimodal_question="Find the area.",
        )
        for i in range(n)
    ]


@pytest.fixture(params=VENDORS.values(), ids=VENDORS)
def vendor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Vendor:
    for name, value in request.param.keys.items():
        monkeypatch.setenv(name, value)
    found: Vendor = request.param
    return found


def run(generator: Generator, asked: list[Problem], folder: Path, budget: float | None = None) -> Manifest:
    def studio() -> Studio:
        return Studio(folder / "responses", None if budget is None else Budget(budget))

    return generate(asked, generator, folder / "sets" / generator.name, LocalEngine(studio))


def records(generator: Generator, folder: Path) -> dict[str, GeneratedImage]:
    return {r.problem_id: r for r in read_set(folder / "sets" / generator.name, GeneratedImage)}


def all_text(folder: Path) -> str:
    return "\n".join(p.read_text(errors="replace") for p in folder.rglob("*") if p.is_file() and p.suffix != ".png")


def test_an_image_comes_with_all_that_the_vendor_says(vendor: Vendor, tmp_path: Path) -> None:
    with vendor.server() as server:
        generator = vendor.generator(server.url)
        manifest = run(generator, problems(2), tmp_path)
    assert server.bad == []
    assert manifest.by_status == {"ok": 2}
    for record in records(generator, tmp_path).values():
        assert record.image is not None
        assert (record.width, record.height) == (256, 192)
        assert image_path(tmp_path / "sets" / generator.name, record.image).exists()
        assert record.vendor is not None
        assert record.vendor.request_id or record.vendor.job
        assert record.vendor.original is not None
        assert record.cost_usd > 0
        assert record.prompt_hash
    again = run(generator, problems(2), tmp_path)
    assert again == manifest
    assert len(server.calls) == 2, "nothing is asked for twice"


@pytest.mark.parametrize("fault", sorted(STATUS))
def test_each_fault_that_is_an_answer_has_its_status(vendor: Vendor, fault: str, tmp_path: Path) -> None:
    if fault not in vendor.server.FAULTS:
        pytest.skip("the vendor's protocol cannot say this")
    with vendor.server(lasting={"number 1.": fault}) as server:
        generator = vendor.generator(server.url)
        run(generator, problems(3), tmp_path)
        got = records(generator, tmp_path)
        assert [got[p].status for p in sorted(got)] == ["ok", STATUS[fault], "ok"]
        assert len(server.calls) == 3, "an answer is not asked for again"
        if got["p0001"].status is not Status.OK:
            assert got["p0001"].error is not None
            assert got["p0001"].error.message


@pytest.mark.parametrize("fault", [pytest.param(f, marks=[pytest.mark.slow] * (f == "slow")) for f in PASSING])
def test_passing_faults_are_tried_again_a_bounded_number_of_times(vendor: Vendor, fault: str, tmp_path: Path) -> None:
    with vendor.server(lasting={"number 1.": fault}, slow_s=4.0, retry_after_s=0.05) as server:
        limit_s = 0.5 if fault == "slow" else 10.0
        patience = {"connections": 16, "timeout_s": limit_s, "retries": 2, "total_s": 60.0, "backoff_s": 0.02}
        generator = vendor.generator(server.url, patience=patience)
        run(generator, problems(3), tmp_path)
        got = records(generator, tmp_path)
        expected = Status.TIMEOUT if fault == "slow" else Status.API_ERROR
        assert [got[p].status for p in sorted(got)] == [Status.OK, expected, Status.OK]
        calls = sum("number 1." in c.prompt for c in server.calls)
        assert calls == 3 or (fault == "slow" and calls < 3), "a call given up early may not have reached the server"
        error = got["p0001"].error
        assert error is not None
        assert "attempts made: 3" in error.message


def test_a_wrong_key_stops_the_run_and_is_shown_nowhere(
    vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in vendor.keys:
        monkeypatch.setenv(name, "wrong-secret-7731")
    with vendor.server() as server:
        generator = vendor.generator(server.url)
        with pytest.raises(ScigenError, match="key was refused") as error:
            run(generator, problems(3), tmp_path)
    assert "7731" not in str(error.value) + all_text(tmp_path) + caplog.text


def test_without_a_key_the_variable_is_named(vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in vendor.keys:
        monkeypatch.delenv(name)
    generator = vendor.generator("https://vendor.invalid")
    with pytest.raises(ScigenError, match="|".join(vendor.keys)):
        run(generator, problems(1), tmp_path)


def test_plain_http_to_another_machine_is_refused(vendor: Vendor, tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match="https"):
        run(vendor.generator("http://192.0.2.1"), problems(1), tmp_path)


def test_a_budget_is_not_crossed(vendor: Vendor, tmp_path: Path) -> None:
    with vendor.server() as server:
        generator = vendor.generator(server.url, usd_per_image=0.1, usd_most=0.1)
        with pytest.raises(BudgetReached):
            run(generator, problems(30), tmp_path, budget=1.05)
        assert 5 <= len(server.calls) <= 10
        with pytest.raises(BudgetReached):
            run(generator, problems(30), tmp_path, budget=1.05)
        assert len(server.calls) <= 10


@pytest.mark.slow
def test_many_problems_with_faults(
    vendor: Vendor, tmp_path: Path, caplog: pytest.LogCaptureFixture, full: bool
) -> None:
    """300 problems, of whose requests 15 % go wrong in every way that the protocol has (without `--full` 100, 35 %).

    One record each, the right status, no key.
    """
    caplog.set_level(logging.DEBUG)
    count, rate = (300, 0.15) if full else (100, 0.35)
    with vendor.server(rate=rate, seed=3, slow_s=0.2, retry_after_s=0.05) as server:
        generator = vendor.generator(server.url)
        manifest = run(generator, problems(count), tmp_path)
        got = records(generator, tmp_path)
    assert server.bad == []
    assert manifest.count == len(got) == count
    last = {c.prompt: c for c in server.calls}
    assert len(last) == count
    for prompt, call in last.items():
        (number,) = [i for i in range(count) if f"number {i}." in prompt]
        assert got[f"p{number:04d}"].status == STATUS.get(call.kind, "ok"), call
    assert max(server.delivered().values()) == 1, "an answer that had arrived was asked for again"
    assert max(c.nth for c in server.calls) <= 8
    kinds = {c.kind for c in server.calls}
    assert kinds == {"ok", *server.FAULTS}, "every fault was met"
    text = all_text(tmp_path) + caplog.text
    assert VendorServer().key not in text
    assert not [name for name in vendor.keys if name in text]
