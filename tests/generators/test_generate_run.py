"""Runs of a generator over problems: shards and their merging, Ray, failures made again, full disks, budgets."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from generate_command import ROOT, answers, end, generate, start, whole_lines, with_coder, write_problems
from openai_server import OpenAIServer
from scripted_coder import ScriptedCoder, some_problems, trouble_for
from vendors import VENDORS

sys.path.insert(0, str(ROOT / "tests" / "models"))

from chat_server import ChatServer

from scigen.errors import ScigenError
from scigen.generators import Generator, LocalEngine, Made, ProceduralGenerator, Studio
from scigen.generators import generate as run
from scigen.generators.imgcoder import ImgCoder
from scigen.models import ModelSettings, share_of_shard
from scigen.models.journal import Answer, Journal
from scigen.records import GeneratedImage, Problem, Status
from scigen.shards import Shard
from scigen.store import Manifest, image_path, iter_records, read_manifest, read_set

FAMILIES = ("right_triangle", "resistor_network", "cuboid")
CODER = "qwen3_imgcoder"
OPENAI = "gpt_image_1_5"
KEYS = {"QWEN_API_KEY": "loopback-secret-key", **VENDORS["openai"].keys}


def problems(count: int) -> list[Problem]:
    return some_problems(count, names=FAMILIES)


def images(server: OpenAIServer, *more: str) -> Sequence[str]:
    """OpenAI's image model at a loopback server."""
    quick = ["generator.patience.backoff_s=0.02", "generator.patience.retries=2", "generator.patience.connections=8"]
    return [f"generator={OPENAI}", f"generator.base_url={server.url}/v1", *quick, *more]


def check_images(folder: Path, asked: Sequence[Problem]) -> list[GeneratedImage]:
    records = read_set(folder, GeneratedImage)
    assert sorted(r.problem_id for r in records) == sorted(p.id for p in asked)
    assert all(image_path(folder, r.image).stat().st_size > 0 for r in records if r.image)
    return records


# Shards


@pytest.mark.parametrize("text", ["0/4", "5/4", "4", "1/0", "a/b", "1/4/2", "-1/4"])
def test_a_shard_is_one_of_so_many(text: str) -> None:
    assert Shard.parse(" 3/16 ") == Shard(3, 16)
    with pytest.raises(ScigenError, match="3/16, the third of sixteen"):
        Shard.parse(text)


@pytest.mark.slow
def test_four_shards_side_by_side_make_the_set_of_one_run(tmp_path: Path) -> None:
    asked = problems(30)
    coder = ScriptedCoder(asked, trouble_for(asked, 0.3), plain=True)
    parts = range(1, 5)
    with ChatServer(coder) as server:
        arguments = [*write_problems(asked, tmp_path / "problems"), *with_coder(server.base_url, 4)]
        arguments += ["rendering.workers=1", "rendering.timeout_s=6"]
        out, whole = tmp_path / "out", tmp_path / "whole"
        running = [start(out, *arguments, f"shard={n}/4", environment=KEYS) for n in parts]
        for process in running:
            assert "the same command without shard=... merges them" in end(process)
        shards = [out / "sets" / f"{CODER}.shards" / f"000{n}-of-0004" for n in parts]
        assert [len(read_set(shard, GeneratedImage)) for shard in shards] == [8, 8, 7, 7]
        times = server.delivered()
        generate(out, *arguments, environment=KEYS)
        assert server.delivered() == times, "the merge asks for nothing"
        assert set(times.values()) == {1}
        answers(out)  # no key is there twice
        generate(whole, *arguments, environment=KEYS)
    merged = check_images(out / "sets" / CODER, asked)
    assert read_manifest(out / "sets" / CODER) == read_manifest(whole / "sets" / CODER)
    assert any(r.status is not Status.OK for r in merged)
    assert {p.name for p in out.glob("summary*.json")} == {"summary.json", *(f"summary-{n}-of-4.json" for n in parts)}


@pytest.fixture
def coder_at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ImgCoder]:
    monkeypatch.setenv("LOOP_API_KEY", "loopback-secret-key")

    def make(server: ChatServer, **more: int) -> ImgCoder:
        model = ModelSettings(name="openai-api/loop/coder", base_url=server.base_url, stands_for="coder")
        return ImgCoder(name="coder", model=model, repairs=0, **more)

    return make


def make_part(generator: Generator, asked: list[Problem], out: Path, shard: Shard | None) -> Manifest:
    engine = LocalEngine(lambda: Studio(out / "responses", workers=1))
    return run(asked, generator, out / "set", engine, shard=shard)


@pytest.mark.slow
def test_a_merge_makes_up_for_shards_that_are_torn_or_begun_or_missing(
    coder_at: Callable[..., ImgCoder], tmp_path: Path
) -> None:
    asked = problems(20)
    with ChatServer(ScriptedCoder(asked, plain=True)) as server:
        coder = coder_at(server)
        for number in (1, 2, 3):
            make_part(coder, asked, tmp_path / "out", Shard(number, 5))
        whole, torn, begun = (Shard(n, 5).folder(tmp_path / "out" / "set") for n in (1, 2, 3))
        (torn / "manifest.json").unlink()
        os.truncate(torn / "records.jsonl", (torn / "records.jsonl").stat().st_size - 9)
        for name in ("manifest.json", "records.jsonl"):  # as if it had been killed at its start
            (begun / name).unlink()
        times = server.delivered()
        merged = make_part(coder, asked, tmp_path / "out", None)
        new = server.delivered() - times
        assert sum(new.values()) == 3 * 8, "three steps for each problem of shards 4 and 5; the others are known"
        assert max(server.delivered().values()) == 1
        assert merged == make_part(coder, asked, tmp_path / "other", None)
    check_images(tmp_path / "out" / "set", asked)
    assert len(whole_lines(whole / "records.jsonl")) == 4, "shards stay as they are"
    assert len(whole_lines(torn / "records.jsonl")) == 3


@pytest.mark.slow
def test_shards_of_other_settings_or_problems_are_left_alone(tmp_path: Path) -> None:
    asked = problems(8)
    out = tmp_path / "out"
    make_part(ProceduralGenerator(defect_rate=1.0), asked, out, Shard(1, 2))
    make_part(ProceduralGenerator(defect_rate=0.0), asked[:7], out, Shard(2, 2))
    make_part(ProceduralGenerator(defect_rate=0.0), asked, out, None)
    assert {r.planted_defect for r in read_set(out / "set", GeneratedImage)} == {None}


class Counting(ProceduralGenerator):
    """Notes in `<journal>/made` for whom it draws."""

    async def make(self, problem: Problem, studio: Studio) -> Made:
        studio.folder.mkdir(exist_ok=True)
        with (studio.folder / "made").open("a") as file:
            file.write(f"{problem.id}\n")
        return await super().make(problem, studio)


@pytest.mark.slow
def test_a_set_from_other_settings_is_moved_aside(tmp_path: Path) -> None:
    asked = problems(4)
    first = make_part(Counting(defect_rate=0.0), asked, tmp_path, None)
    assert make_part(Counting(defect_rate=0.0, at_once=1), asked, tmp_path, None) == first, "that is no setting"
    assert len(whole_lines(tmp_path / "responses" / "made")) == 4
    second = make_part(Counting(defect_rate=1.0), asked, tmp_path, None)
    make_part(Counting(defect_rate=1.0), asked[:3], tmp_path, None)
    assert (second.count, second.set_hash == first.set_hash) == (4, False)
    assert read_manifest(tmp_path / "set.old-1") == first
    assert read_manifest(tmp_path / "set.old-2") == second
    check_images(tmp_path / "set.old-1", asked)
    check_images(tmp_path / "set", asked[:3])


# Ray


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_same_set_under_ray(tmp_path: Path) -> None:
    asked = problems(24)
    with ChatServer(ScriptedCoder(asked, trouble_for(asked, 0.2), plain=True)) as server:
        arguments = [*write_problems(asked, tmp_path / "problems"), *with_coder(server.base_url, 8)]
        arguments += ["rendering.timeout_s=6"]
        ray = [*arguments, "runtime=ray", "runtime.batch=6", "runtime.chunk=16"]  # two chunks, several batches
        generate(tmp_path / "local", *arguments, environment=KEYS)
        times = server.delivered()
        short = {**KEYS, "TMPDIR": "/tmp"}  # Ray puts sockets there, whose paths are limited
        generate(tmp_path / "ray", *ray, environment=short)
        assert server.delivered() == times + times
    check_images(tmp_path / "ray" / "sets" / CODER, asked)
    assert read_manifest(tmp_path / "ray" / "sets" / CODER) == read_manifest(tmp_path / "local" / "sets" / CODER)
    assert len(list((tmp_path / "ray" / "responses").glob("*.jsonl"))) > 1, "a file for each worker"


# Failures made again


@pytest.mark.slow
def test_only_passing_failures_are_made_again_and_only_when_told_to(tmp_path: Path) -> None:
    asked = problems(12)
    passing, lasting = asked[3].question[:60], asked[7].question[:60]
    faults = {passing: "error_500", lasting: "blocked"}
    with OpenAIServer(lasting=faults) as server:
        arguments = [*write_problems(asked, tmp_path / "problems"), *images(server)]
        out = tmp_path / "out"
        folder = out / "sets" / OPENAI
        assert "api_error" in generate(out, *arguments, environment=KEYS)
        first = {r.problem_id: r for r in check_images(folder, asked)}
        wrong = {i: r.status for i, r in first.items() if r.status is not Status.OK}
        assert wrong == {asked[3].id: Status.API_ERROR, asked[7].id: Status.BLOCKED}
        server.lasting.clear()
        before = len(server.calls)
        generate(out, *arguments, environment=KEYS)
        assert len(server.calls) == before
        generate(out, *arguments, "retry_failed=true", environment=KEYS)
        assert [passing in c.prompt for c in server.calls[before:]] == [True]
        generate(out, *arguments, "retry_failed=true", environment=KEYS)
        assert len(server.calls) == before + 1
    second = {r.problem_id: r for r in check_images(folder, asked)}
    assert second.pop(asked[3].id).status is Status.OK
    assert second == {i: r for i, r in first.items() if i != asked[3].id}
    assert {r.problem_id: r for r in read_set(folder.with_name(f"{OPENAI}.old-1"), GeneratedImage)} == first
    assert not folder.with_name(f"{OPENAI}.old-2").exists()


# Full disks


@pytest.mark.slow
def test_an_answer_that_finds_no_room_is_an_error_and_the_next_run_completes(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk."""
    asked = problems(20)
    with OpenAIServer(delay_s=0.5) as server:
        arguments = [*write_problems(asked, tmp_path / "problems"), *images(server)]
        process = start(tmp_path / "out", *arguments, environment=KEYS)
        while process.poll() is None and not server.calls:
            time.sleep(0.01)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        said = end(process, code=2)
        assert "Free some space and run the same command again" in " ".join(said.split())
        kept = len(answers(tmp_path / "out"))
        assert 0 < kept < 20
        generate(tmp_path / "out", *arguments, environment=KEYS)
        lost = sum(n - 1 for n in server.delivered().values())
    assert lost <= 8, "only what had arrived and could not be written is asked for again"
    records = check_images(tmp_path / "out" / "sets" / OPENAI, asked)
    assert {r.status for r in records} == {Status.OK}


def may_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Callable[[str], str]:
    """Runs a script with a disk of 300 KB at `$DISK`; what it leaves there is copied to `tmp_path/copy`."""
    if not may_mount():
        pytest.skip("mounting is not allowed here")
    disk = tmp_path / "disk"
    disk.mkdir()

    def on_disk(script: str) -> str:
        lines = [f"mount -t tmpfs -o size=300K none {disk}", script, f"cp -r {disk} {tmp_path / 'copy'}"]
        done = subprocess.run(
            ["unshare", "--mount", "bash", "-ec", "\n".join(lines)],
            cwd=ROOT,
            env={**os.environ, "DISK": str(disk), "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return on_disk


@pytest.mark.slow
def test_a_full_disk_is_an_error_and_the_next_run_completes(small_disk: Callable[[str], str], tmp_path: Path) -> None:
    asked = problems(20)
    write_problems(asked, tmp_path / "problems")
    command = f"{sys.executable} scripts/generate.py gallery=0 problems=curated problems.set={tmp_path / 'problems'}"
    command += " problems.max_items=null generator.defect_rate=0 paths.output=$DISK/out"
    said = small_disk(f"! {command}\nwc -l $DISK/out/sets/*/records.jsonl\nmount -o remount,size=50M $DISK\n{command}")
    words = " ".join(said.split())
    assert "No space left on device" in words
    assert "Free some space and run the same command again" in words
    assert "Traceback" not in said
    (written,) = [int(line.split()[0]) for line in said.splitlines() if line.endswith("records.jsonl")]
    assert 0 < written < 20
    assert {r.status for r in check_images(tmp_path / "copy" / "out" / "sets" / "procedural", asked)} == {Status.OK}


# Budgets


def spend(folder: Path, usd: float, part: str = "") -> None:
    journal = Journal(folder, part)
    journal.put(os.urandom(32).hex(), Answer("", "stop", "m", 0, 0, usd=usd, seconds=0.0))
    journal.close()


def test_a_shards_share_worked_out_by_hand(tmp_path: Path) -> None:
    first, second = Shard(1, 2), Shard(2, 2)
    assert share_of_shard(1.0, tmp_path, first).usd == 0.5
    spend(tmp_path, 0.2)
    assert share_of_shard(1.0, tmp_path, first).usd == pytest.approx(0.4)
    spend(tmp_path, 0.3, "shard-1-of-2")
    assert share_of_shard(1.0, tmp_path, second).usd == pytest.approx(0.4), "whatever the first has spent"
    assert share_of_shard(1.0, tmp_path, first).usd == pytest.approx(0.1), "begun again, it has no second share"
    spend(tmp_path, 0.3, "shard-1-of-2")
    assert share_of_shard(1.0, tmp_path, first).usd == 0
    assert share_of_shard(2.0, tmp_path, first).usd == pytest.approx(0.3), "(2 - 0.2) / 2 - 0.6"
    assert share_of_shard(1.0, tmp_path, Shard(1, 4)).usd == pytest.approx(0.05), "cut anew: (1 - 0.8) / 4"


CENT = ["generator.usd_per_image=0.01", "generator.usd_most=0.01"]
CENT += ["generator.usd_per_million_in=null", "generator.usd_per_million_out=null"]
"""An image costs one cent."""


@pytest.mark.slow
def test_shards_begun_again_and_again_stay_below_the_budget_together(tmp_path: Path) -> None:
    """100 images of 1 cent each; 40 cents for all, so 10 images for each of four shards."""
    asked = problems(100)
    with OpenAIServer() as server:
        arguments = [*write_problems(asked, tmp_path / "problems"), *images(server, *CENT)]
        out = tmp_path / "out"
        end(start(out, *arguments, "shard=1/4", "budget.usd=0.24", environment=KEYS), code=2)
        assert sum(server.delivered().values()) == 6
        running = [start(out, *arguments, f"shard={n}/4", "budget.usd=0.4", environment=KEYS) for n in range(1, 5)]
        for process in running:
            assert "budget.usd" in end(process, code=2)
        assert sum(server.delivered().values()) == 40
        end(start(out, *arguments, "budget.usd=0.45", environment=KEYS), code=2)
        assert sum(server.delivered().values()) == 45, "the run over all takes over what the shards have paid for"
        generate(out, *arguments, "budget.usd=1.01", environment=KEYS)
    assert Counter(server.delivered().values()) == {1: 100}
    records = check_images(out / "sets" / OPENAI, asked)
    assert sum(r.cost_usd for r in records) == pytest.approx(1.0)
    assert len(list(iter_records(Shard(1, 4).folder(out / "sets" / OPENAI), GeneratedImage))) == 10


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_shard_under_ray_spends_its_share_and_no_more(tmp_path: Path, full: bool) -> None:
    """Of 10 cents the first of two shards has 5."""
    if not full:
        pytest.skip("a start of Ray; shards without Ray and Ray without shards have tests of their own; --full runs it")
    asked = problems(30)
    short = {**KEYS, "TMPDIR": "/tmp"}
    with OpenAIServer() as server:
        arguments = [*write_problems(asked, tmp_path / "problems"), *images(server, *CENT)]
        arguments += ["shard=1/2", "runtime=ray", "runtime.workers=1"]
        said = generate(tmp_path / "out", *arguments, "budget.usd=0.10", code=2, environment=short)
        assert "share of shard-1-of-2" in said
        assert sum(server.delivered().values()) == len(answers(tmp_path / "out")) == 5
