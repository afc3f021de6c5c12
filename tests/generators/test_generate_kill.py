"""scripts/generate.py killed with SIGKILL again and again: one record a problem, nothing lost, nothing asked twice.

What may be asked again is what was under way at a kill: its answer had left the server and was not in the journal yet.
The tests show of each repeated question that it was of these.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from bfl_server import BflServer
from generate_command import ROOT, answers, end, start, whole_lines, with_coder, write_problems
from PIL import Image
from scripted_coder import some_problems
from vendor_server import Call, VendorServer
from vendors import VENDORS

sys.path.insert(0, str(ROOT / "tests" / "models"))

from chat_server import Seen, read_log

from scigen.app.generator_table import composed
from scigen.generators.pixel.base import PixelModel
from scigen.records import GeneratedImage, Problem, Status
from scigen.store import image_path, read_manifest, read_set

CONNECTIONS = 16
FAMILIES = ("right_triangle", "resistor_network", "cuboid")
PASSING = ("rate_limit", "error_500", "cut")
SETTLED_S = 0.3
"""After a kill the server still reads what the dead process had sent; no next run asks so soon after its start."""


class Kill(NamedTuple):
    """What lay on the disk when a run had been killed."""

    at: float
    """On the clock that the server notes its requests by."""
    requests: int
    """Requests that the server had noted."""
    answers: dict[str, str]
    records: list[bytes]
    asked: Counter[str]
    """Questions about jobs that had come, by job."""


def killed_and_ended(
    begin: Callable[[], subprocess.Popen[str]],
    asked: Callable[[], int],
    moments: Sequence[int],
    output: Path,
    name: str,
    polled: Counter[str] | None = None,
) -> list[Kill]:
    """Kill a run a random time after each of these numbers of requests and records together, then let it end.

    Requests alone would not do: on a slow machine all may be asked before much is drawn.
    """
    rng, kills, children = random.Random(5), list[Kill](), list[psutil.Process]()
    records = output / "sets" / name / "records.jsonl"
    for moment in moments:
        process = begin()
        while process.poll() is None and asked() + len(whole_lines(records)) < moment:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.1))
        assert process.poll() is None, process.communicate()[0]
        children += psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills.append(
            Kill(time.monotonic() + SETTLED_S, asked(), answers(output), whole_lines(records), Counter(polled))
        )
    end(begin())
    assert not psutil.wait_procs(children, timeout=60)[1], "a drawing process outlived its run"
    work = {(len(kill.answers), len(kill.records)) for kill in kills}
    assert len(work) == len(kills), "each struck at other work"
    assert len({len(kill.records) for kill in kills} - {0}) >= len(kills) / 3, "many struck among the records"
    return kills


def random_moments(count: int, most: int, seed: int) -> list[int]:
    """`count` numbers out of `most`: the first one, and one in each of equal parts."""
    rng, parts = random.Random(seed), count - 1
    return [1, *(rng.randrange(2 + n * most // parts, (n + 1) * most // parts) for n in range(parts))]


def check_set(folder: Path, problems: Sequence[Problem], kills: Sequence[Kill]) -> list[GeneratedImage]:
    """One record a problem; every image is there, whole, and decodes; what stood there at a kill still does."""
    records = read_set(folder, GeneratedImage)
    assert sorted(r.problem_id for r in records) == sorted(p.id for p in problems)
    for record in records:
        assert (record.status is Status.OK) == (record.image is not None)
        if record.image is None:
            continue
        path = image_path(folder, record.image)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == record.image
        with Image.open(path) as image:
            image.load()
            assert image.size == (record.width, record.height)
    pictures = {p.stem for p in (folder / "images").rglob("*.png")}
    assert pictures == {r.image for r in records if r.image}
    lines = whole_lines(folder / "records.jsonl")
    for kill in kills:
        assert lines[: len(kill.records)] == kill.records
    return records


def lives(kills: Sequence[Kill], moments: Sequence[float]) -> list[int]:
    """In which life of the run (0 before the first kill) each of these moments was."""
    return [sum(moment > kill.at for kill in kills) for moment in moments]


def was_under_way(number: int, kills: Sequence[Kill]) -> bool:
    """Whether the n-th request that the server noted was one of the last before a kill, or came to its end after it."""
    return any(-CONNECTIONS <= kill.requests - number <= 4 * CONNECTIONS for kill in kills)


# ImgCoder


@contextmanager
def coder(log: Path, count: int) -> Iterator[str]:
    """The scripted model as a process; one request in twenty fails for a passing reason or is slow."""
    command = [sys.executable, str(ROOT / "tests/models/chat_server.py"), "--log", str(log), "--delay", "0.02"]
    command += ["--faults", "0.05", "--kinds", "slow,rate_limit,error_500,cut,garbage"]
    command += [
        "--slow",
        "0.1",
        "--retry-after",
        "0.05",
        "--answer",
        f"{Path(__file__).parent}/scripted_coder.py:answer",
    ]
    own = {"SCRIPTED_COUNT": str(count), "SCRIPTED_TROUBLE": "0.03", "SCRIPTED_FAMILIES": ",".join(FAMILIES)}
    environment = {**os.environ, **own, "SCRIPTED_PLAIN": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_imgcoder_killed_again_and_again_makes_the_set_of_an_undisturbed_run(tmp_path: Path, full: bool) -> None:
    count, times, name = 500 if full else 150, 10 if full else 4, "qwen3_imgcoder"
    problems = some_problems(count, names=FAMILIES)
    settings = [*write_problems(problems, tmp_path / "problems"), "rendering.timeout_s=6", "rendering.workers=1"]
    log = tmp_path / "log.jsonl"

    def begin(output: Path, url: str) -> subprocess.Popen[str]:
        arguments = [*settings, *with_coder(url, CONNECTIONS), f"generator.at_once={CONNECTIONS}"]
        return start(output, *arguments, environment={"QWEN_API_KEY": "loopback-secret-key"})

    with coder(log, count) as url, coder(tmp_path / "other.jsonl", count) as other:
        undisturbed = begin(tmp_path / "undisturbed", other)
        moments = random_moments(times, 4 * count - 100, seed=1)
        output = tmp_path / "killed"
        kills = killed_and_ended(lambda: begin(output, url), lambda: size_of(log), moments, output, name)
        end(undisturbed)
    folder = output / "sets" / name
    records = check_set(folder, problems, kills)
    assert {r.status for r in records} > {Status.OK}, "some scripts could not be mended"
    assert any(r.attempts > 1 and r.status is Status.OK for r in records), "and some could"
    assert read_manifest(folder) == read_manifest(tmp_path / "undisturbed" / "sets" / name)
    again = repeated_answers(read_log(log), kills, output)
    print(f"{len(kills)} kills, {again} answers asked for again")


def size_of(log: Path) -> int:
    """Requests in the server's log."""
    return log.read_bytes().count(b"\n") if log.exists() else 0


def repeated_answers(seen: list[Seen], kills: list[Kill], output: Path) -> int:
    """How many delivered answers were asked for again. Asserts that these are those that a kill kept from the journal.

    `seen` is in the order in which the requests came to their end. In each life of the run, all delivered answers but
    those of at most `CONNECTIONS` requests reached the journal.
    """
    delivered = Counter(s.hash for s in seen if s.delivered)
    assert len(answers(output)) == len(delivered), "each answer is in the journal, once"
    by_life = Counter(lives(kills, [s.at for s in seen if s.delivered]))
    kept = [0, *(len(k.answers) for k in kills), len(delivered)]
    lost = [by_life[life] - (kept[life + 1] - kept[life]) for life in range(len(kills) + 1)]
    assert all(0 <= n <= CONNECTIONS for n in lost), lost
    assert lost[-1] == 0
    again = sum(n - 1 for n in delivered.values())
    assert again == sum(lost)
    last = {s.hash: i for i, s in enumerate(seen) if s.delivered}
    for i, request in enumerate(seen):
        assert not request.delivered or last[request.hash] == i or was_under_way(i, kills)
    return again


# Image models


def paid_once(model: PixelModel, problems: list[Problem], calls: list[Call], kills: list[Kill], *of: object) -> int:
    """How many delivered answers (jobs) were asked for again. Asserts that none of them was in the journal at a kill.

    `of` is what the journal's key is made of beside the order.
    """
    keys = {(order := model.order(p)).prompt: model.key(order, *of) for p in problems}
    life_of = lives(kills, [call.at for call in calls])
    for call, life in zip(calls, life_of, strict=True):
        for kill in kills[:life]:
            assert keys[call.prompt] not in kill.answers, "an answer in the journal was asked for again"
    for life, kill in enumerate(kills):
        arrived = {c.prompt for c, n in zip(calls, life_of, strict=True) if n == life and c.delivered}
        assert sum(keys[prompt] not in kill.answers for prompt in arrived) <= CONNECTIONS
    delivered = Counter(call.prompt for call in calls if call.delivered)
    assert delivered.keys() == keys.keys()
    last = {call.prompt: i for i, call in enumerate(calls) if call.delivered}
    for i, call in enumerate(calls):
        assert not call.delivered or last[call.prompt] == i or was_under_way(i, kills)
    return sum(n - 1 for n in delivered.values())


def patient(path: str, server: VendorServer) -> list[str]:
    """Arguments for many quick attempts at a loopback server."""
    pressing = {"connections": CONNECTIONS, "retries": 8, "backoff_s": 0.02, "total_s": 60}
    return [
        f"generator.base_url={server.url}{path}",
        f"generator.at_once={CONNECTIONS}",
        *(f"generator.patience.{name}={value}" for name, value in pressing.items()),
    ]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_openai_images_killed_again_and_again(tmp_path: Path, full: bool) -> None:
    (count, times), name, vendor = (150, 4) if full else (80, 3), "gpt_image_1_5", VENDORS["openai"]
    problems = some_problems(count, names=FAMILIES)
    output = tmp_path / "out"
    with vendor.server(rate=0.05, kinds=PASSING, delay_s=0.1, retry_after_s=0.05) as server:
        arguments = [f"generator={name}", *write_problems(problems, tmp_path / "problems"), *patient("/v1", server)]
        kills = killed_and_ended(
            lambda: start(output, *arguments, environment=vendor.keys),
            lambda: len(server.calls),
            random_moments(times, 2 * count - 40, seed=2),
            output,
            name,
        )
        assert server.bad == []
        calls, folder = list(server.calls), output / "sets" / name
        records = check_set(folder, problems, kills)
        first = read_manifest(folder)
        shutil.rmtree(folder)
        end(start(output, *arguments, environment=vendor.keys))
        assert len(server.calls) == len(calls), "a set that is lost is made again without asking"
        assert read_manifest(folder) == first
    check_set(folder, problems, [])
    assert {r.status for r in records} == {Status.OK}
    again = paid_once(made(name), problems, calls, kills)
    print(f"{len(kills)} kills, {again} images asked for again")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_jobs_are_picked_up_by_their_id(tmp_path: Path, full: bool) -> None:
    (count, times), name, vendor = (150, 4) if full else (80, 3), "flux2_flex", VENDORS["bfl"]
    problems = some_problems(count, names=FAMILIES)
    output = tmp_path / "out"
    with BflServer(rate=0.05, kinds=PASSING, delay_s=0.05, retry_after_s=0.05, rounds=2) as server:
        arguments = [f"generator={name}", *write_problems(problems, tmp_path / "problems"), *patient("", server)]
        kills = killed_and_ended(
            lambda: start(output, *arguments, "generator.poll_s=0.1", environment=vendor.keys),
            lambda: len(server.calls),
            random_moments(times, 2 * count - 40, seed=3),
            output,
            name,
            server.asked,
        )
        assert server.bad == []
    records = check_set(output / "sets" / name, problems, kills)
    assert {r.status for r in records} == {Status.OK}
    model = made(name)
    again = paid_once(model, problems, server.calls, kills, "job", 1)
    running = [
        (json.loads(kill.answers[submitted])["id"], kill)
        for kill in kills
        for order in map(model.order, problems)
        if (submitted := model.key(order, "job", 1)) in kill.answers and model.key(order) not in kill.answers
    ]
    assert len(running) >= len(kills)
    for job, kill in running:
        assert server.asked[job] > kill.asked[job], "a job that ran at a kill is asked for by its id"
    of_records = [r.vendor.job for r in records if r.vendor]
    assert len(set(of_records)) == count, "each job gave one image"
    print(f"{len(kills)} kills, {again} jobs submitted again, {len(running)} running ones picked up")


def made(option: str) -> PixelModel:
    """The generator as the command makes it: the journal's keys are the same at any address."""
    model = composed(option)
    assert isinstance(model, PixelModel)
    return model
