"""Services of jobs: a job that was paid for is collected, whatever happens to the run, and its money is booked once.

Run against the server of Black Forest Labs; the promises are those of `JobModel`, for every such vendor.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bfl_server import BflServer
from test_vendors import all_text, problems, records, run
from vendors import FAST, KEY, VENDORS

from scigen.errors import ScigenError
from scigen.generators import LocalEngine, Studio, generate
from scigen.generators.pixel.jobs import SUBMISSIONS
from scigen.models import Budget
from scigen.models.journal import Journal
from scigen.records import Status
from scigen.store import Manifest

BFL = VENDORS["bfl"].generator
WORKER = """
import sys
from pathlib import Path
from test_vendors import problems, run
from vendors import VENDORS

run(VENDORS["bfl"].generator(sys.argv[1]), problems(int(sys.argv[2])), Path(sys.argv[3]))
"""


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BFL_API_KEY", KEY)


def again(generator: Any, n: int, folder: Path, budget: Budget | None = None) -> Manifest:
    """Run, with passing failures made again."""
    engine = LocalEngine(lambda: Studio(folder / "responses", budget))
    return generate(problems(n), generator, folder / "sets" / generator.name, engine, retry_failed=True)


def killed_when(enough: Callable[[], bool], server: BflServer, n: int, folder: Path) -> None:
    """Run `n` problems in a process that gets SIGKILL once there is `enough`."""
    here = Path(__file__).parent
    command = [sys.executable, "-c", WORKER, server.url, str(n), str(folder)]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(here)}, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 300
    while process.poll() is None and not enough() and time.monotonic() < until:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
    time.sleep(0.2)  # answers on their way at the kill are counted by the server


@pytest.mark.slow
def test_jobs_that_ran_at_a_kill_are_collected_by_their_ids_and_none_is_submitted_twice(tmp_path: Path) -> None:
    with BflServer() as server:
        server.held = True
        killed_when(lambda: len(server.asked) == 16, server, 40, tmp_path)
        assert len(server.calls) == 16, "as many as are under way at once"
        first = set(server.jobs)
        server.held = False
        generator = BFL(server.url)
        assert run(generator, problems(40), tmp_path).by_status == {"ok": 40}
        assert len(server.calls) == 40
        assert max(server.delivered().values()) == 1
        assert first <= set(server.ended)
        assert set(server.ended.values()) == {1}
    assert Journal(tmp_path / "responses").usd == pytest.approx(40 * 0.1)


@pytest.mark.slow
def test_kills_among_many_with_faults(tmp_path: Path, full: bool) -> None:
    count, kills = (500, 10) if full else (150, 3)
    with BflServer(rate=0.15, seed=5, slow_s=0.05, retry_after_s=0.05, rounds=2) as server:
        for number in range(kills):
            aim = 45 * (number + 1)
            killed_when(lambda aim=aim: sum(server.delivered().values()) >= aim, server, count, tmp_path)  # type: ignore[misc]
        generator = BFL(server.url)
        assert run(generator, problems(count), tmp_path).count == count
        submitted = server.delivered()
        assert len(submitted) == count
        twice = sum(times - 1 for times in submitted.values())
        assert twice <= kills * FAST.connections, "only what was on its way at a kill"
        blocked = sum(r.status is Status.BLOCKED for r in records(generator, tmp_path).values())
        # of a job that was submitted twice the journal knows one; a cut answer may have been charged, and is booked so
        cut = sum(call.kind == "cut" for call in server.calls)
    journal = Journal(tmp_path / "responses")
    assert (count - blocked) * 0.1 <= journal.usd + 1e-6 <= (count - blocked + cut) * 0.1 + 2e-6


def test_a_lost_job_is_replaced_a_bounded_number_of_times_a_run_and_never_asked_for_again(tmp_path: Path) -> None:
    with BflServer(lasting={"number 1.": "lost"}) as server:
        generator = BFL(server.url)
        assert run(generator, problems(3), tmp_path).by_status == {"ok": 2, "api_error": 1}
        assert len(server.calls) == 2 + SUBMISSIONS
        asked = dict(server.asked)
        again(generator, 3, tmp_path)
        assert len(server.calls) == 2 + 2 * SUBMISSIONS
        assert {job: server.asked[job] for job in asked} == asked
        server.lasting.clear()
        assert again(generator, 3, tmp_path).by_status == {"ok": 3}
        assert len(server.calls) == 2 + 2 * SUBMISSIONS + 1


def test_a_job_that_takes_too_long_is_left_to_the_next_run(tmp_path: Path) -> None:
    with BflServer() as server:
        server.held = True
        generator = BFL(server.url, job_s=0.2)
        run(generator, problems(2), tmp_path)
        got = records(generator, tmp_path)
        assert {r.status for r in got.values()} == {Status.TIMEOUT}
        assert "next run" in (got["p0000"].error.message if got["p0000"].error else "")
        server.held = False
        assert again(generator, 2, tmp_path).by_status == {"ok": 2}
        assert len(server.calls) == 2
    assert Journal(tmp_path / "responses").usd == pytest.approx(0.2)


def test_a_new_job_is_given_time_and_one_that_is_known_is_asked_for_at_once(tmp_path: Path) -> None:
    with BflServer(rounds=0) as server:
        start = time.monotonic()
        run(BFL(server.url, poll_s=0.4, job_s=0.1), problems(1), tmp_path)
        assert time.monotonic() - start >= 0.4
        server.held = True
        run(BFL(server.url, poll_s=0.01, job_s=0.02), problems(2), tmp_path)
        server.held = False
        start = time.monotonic()
        assert again(BFL(server.url, poll_s=300.0, poll_most_s=300.0), 2, tmp_path).by_status == {"ok": 2}
        assert time.monotonic() - start < 100
        assert len(server.calls) == 2


def test_money_is_booked_once_in_the_journal_and_in_the_budget(tmp_path: Path) -> None:
    lasting = {
        "number 1.": "content_moderated",
        "number 2.": "lost_once",
        "number 3.": "no_image",
        "number 4.": "expired_once",
        "number 5.": "invalid",
    }
    # each submission says 4.5 cents: one job each for 0 and 3, two for 2 and 4, none for 5; 1 gets its money back
    spent = (1 + 2 + 1 + 2) * 0.045
    with BflServer(lasting=lasting, cost=4.5) as server:
        generator = BFL(server.url, usd_most=0.1)
        budget = Budget(10.0)
        engine = LocalEngine(lambda: Studio(tmp_path / "responses", budget))
        generate(problems(6), generator, tmp_path / "sets" / generator.name, engine)
        assert budget.spent == pytest.approx(spent)
        assert budget.reserved == pytest.approx(0)
        assert Journal(tmp_path / "responses").usd == pytest.approx(spent)
        costs = {p: r.cost_usd for p, r in records(generator, tmp_path).items()}
        assert costs == pytest.approx(
            {"p0000": 0.045, "p0001": 0, **{f"p000{n}": 0.045 for n in (2, 3, 4)}, "p0005": 0}
        )
        later = Budget(10.0)
        again(generator, 6, tmp_path, later)
        assert later.spent == pytest.approx(spent), "what the journal holds counts, and once"


def test_a_run_that_is_stopped_still_collects_the_jobs_under_way(tmp_path: Path) -> None:
    with BflServer(lasting={"number 7.": "no_credits"}, rounds=4) as server:
        generator = BFL(server.url, at_once=8)
        with pytest.raises(ScigenError, match="out of credits"):
            run(generator, problems(8), tmp_path)
        assert len(server.ended) == 7
        server.lasting.clear()
        assert run(generator, problems(8), tmp_path).by_status == {"ok": 8}
        assert len(server.calls) == 9


def test_a_budget_that_is_spent_does_not_keep_paid_jobs_from_being_collected(tmp_path: Path) -> None:
    """The service charges twice what the config says: the budget stops what comes next, not what is paid."""
    with BflServer(cost=20.0, rounds=2) as server:
        generator = BFL(server.url, at_once=3)
        with pytest.raises(ScigenError, match=r"budget\.usd"):
            run(generator, problems(9), tmp_path, budget=0.35)
        assert len(server.calls) == len(server.ended) == 3


def test_a_service_whose_jobs_all_fail_stops_the_run(tmp_path: Path) -> None:
    patience = FAST.model_copy(update={"give_up_after": 3})
    with BflServer(lasting={"number": "job_fails"}) as server:
        with pytest.raises(ScigenError, match="3 requests in a row failed, the last with: 2 jobs failed"):
            run(BFL(server.url, at_once=1, patience=patience), problems(20), tmp_path)
        assert len(server.calls) == 3 * SUBMISSIONS


def test_a_service_whose_jobs_never_end_stops_the_run(tmp_path: Path) -> None:
    patience = FAST.model_copy(update={"give_up_after": 3})
    with BflServer() as server:
        server.held = True
        with pytest.raises(ScigenError, match="3 requests in a row failed, the last with: the job was not done"):
            run(BFL(server.url, at_once=1, job_s=0.05, patience=patience), problems(20), tmp_path)
        assert len(server.calls) == 3


def test_a_lost_jobs_reason_is_written_down_without_the_key(tmp_path: Path) -> None:
    with BflServer(lasting={"number 0.": "tells_key"}) as server:
        generator = BFL(server.url)
        run(generator, problems(1), tmp_path)
    error = records(generator, tmp_path)["p0000"].error
    assert error is not None
    assert "worker with [key] is gone" in error.message
    assert KEY not in all_text(tmp_path)


def test_the_time_of_a_dry_run_counts_jobs_at_work_and_not_connections(tmp_path: Path) -> None:
    patience = FAST.model_copy(update={"connections": 2})
    generator = BFL("https://vendor.invalid", at_once=16, patience=patience, seconds_per_image=8)
    assert generator.estimate(problems(32), tmp_path).seconds == 32 * 8 / 16
