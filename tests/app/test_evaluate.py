"""What the README says of scripts/evaluate.py, as a user types it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scigen.records import Verdict
from scigen.store import iter_records, read_manifest, read_set

pytestmark = pytest.mark.slow  # each starts the command as a process

ROOT = Path(__file__).parents[2]
QUICK = ["problems.textbook=12", "problems.glance=0", "problems.held_out=0", "gallery=0"]


def command(script: str, out: Path, *more: str) -> list[str]:
    return [sys.executable, script, *more, f"paths.output={out}"]


def run(script: str, out: Path, *more: str, code: int = 0, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command(script, out, *more),
        cwd=ROOT,
        env={**os.environ, **(environment or {}), "COLUMNS": "160"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@contextmanager
def vlm(problems: Path, log: Path, *more: str) -> Iterator[list[str]]:
    """The simulated vision model; gives the arguments that make it the model of a command."""
    server = [sys.executable, str(ROOT / "tests/models/chat_server.py"), "--log", str(log), *more]
    server += ["--answer", f"{ROOT / 'tests/evaluation/vlm_answers.py'}:answer"]
    environment = {**os.environ, "SIMULATED_PROBLEMS": str(problems)}
    process = subprocess.Popen(server, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        model = ["model=default", "model.name=openai-api/test/vlm", f"model.base_url={url}", "model.stands_for=test"]
        yield [*model, "model.backoff_s=0.02", "model.price={input: 1.0, output: 1.0}"]
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one set of images."""
    out = tmp_path_factory.mktemp("images") / "out"
    run("scripts/generate.py", out, *QUICK)
    return out


def test_help_names_every_evaluator_of_the_configuration() -> None:
    text = run("scripts/evaluate.py", Path("unused"), "--help")
    for path in (ROOT / "conf/evaluator").glob("*.yaml"):
        assert path.stem in text, path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["generator=procedurel"], 'no image set "procedurel".*did you mean procedural'),
        (["evaluators=glasbox"], 'no evaluator "glasbox".*did you mean glassbox'),
        (["evaluator.inverse.permutation=2"], 'no key "evaluator.inverse.permutation"'),
        (["shard=4/3"], "is not of the form 3/16"),
        (["problems=/nowhere"], "/nowhere"),
        (["calibration=/nowhere.json", "evaluators=glassbox"], "/nowhere.json"),
    ],
)
def test_a_slip_is_an_error_in_words(images: Path, arguments: list[str], said: str) -> None:
    text = run("scripts/evaluate.py", images, *arguments, code=2)
    assert re.search(said, " ".join(text.split())), text
    assert "Traceback" not in text


def test_a_dry_run_forecasts_and_writes_nothing(images: Path) -> None:
    before = sorted(images.rglob("*"))
    text = run("scripts/evaluate.py", images, "evaluators=[inverse,inverse_blind,judge]", "dry_run=true")
    assert "nothing was asked, nothing written" in text
    assert sorted(p for p in images.rglob("*") if ".hydra" not in str(p)) == [
        p for p in before if ".hydra" not in str(p)
    ]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_quizzes_and_judge_survive_kills_and_say_the_same(tmp_path: Path, full: bool) -> None:
    """Faults in one request of ten, killed twice; every image one verdict, no answer asked for again."""
    count = 60 if full else 30
    out, log = tmp_path / "out", tmp_path / "log.jsonl"
    run(
        "scripts/generate.py",
        out,
        f"problems.textbook={count}",
        "problems.glance=0",
        "problems.held_out=0",
        "gallery=0",
    )
    kinds = "slow,rate_limit,error_500,cut,garbage,wrong_json"
    faults = ["--faults", "0.1", "--kinds", kinds, "--slow", "0.05", "--retry-after", "0.05"]
    with vlm(out / "sets" / "problems", log, *faults) as model:
        order = ["evaluators=[inverse,inverse_blind,judge,glassbox]", "model.connections=8", *model]
        asked = 0
        for at in (2 * count // 3, 10 * count // 3):
            process = subprocess.Popen(
                command("scripts/evaluate.py", out, *order), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            while process.poll() is None and len(lines(log)) < at:
                time.sleep(0.02)
            assert process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.communicate()
        text = run("scripts/evaluate.py", out, *order)
        asked = len(lines(log))
        run("scripts/evaluate.py", out, *order)
        assert len(lines(log)) == asked, "a finished run asks nothing"
    delivered = Counter(line["hash"] for line in lines(log) if line["delivered"])
    assert sum(n - 1 for n in delivered.values()) <= 2 * 8, "under way at a kill"
    for generator, evaluator in (("procedural", "inverse"), ("nothing", "inverse_blind"), ("procedural", "judge")):
        verdicts = read_set(out / "sets" / "verdicts" / generator / evaluator, Verdict)
        assert len({v.problem_id for v in verdicts}) == len(verdicts) == count
        statuses = Counter(v.status.value for v in verdicts)
        assert set(statuses) <= {"scored", "unparsed"}, "an answer in the wrong shape stays one"
        assert statuses["scored"] >= 0.8 * count
    assert "R_inv" in text
    summary = json.loads((out / "evaluation.json").read_text())
    value, low, high, n = summary["leaderboard"]["procedural"]["r_inv"]
    assert n == count
    assert 0.3 < low < value < high <= 1
    for suffix in ("md", "csv", "tex", "html"):
        assert (out / f"leaderboard.{suffix}").stat().st_size > 500
    assert list((out / "transcripts").glob("*.eval"))


def lines(path: Path) -> list[dict[str, object]]:
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


@pytest.mark.slow
def test_shards_merge_to_what_one_run_gives(images: Path, tmp_path: Path) -> None:
    order = ["evaluators=[glassbox,spectrum]", f"problems={images}/sets/problems"]
    copy = tmp_path / "out"
    subprocess.run(["cp", "-r", str(images), str(copy)], check=True)
    for number in (1, 2, 3):
        assert "merges them" in run("scripts/evaluate.py", copy, *order, f"shard={number}/3")
    run("scripts/evaluate.py", copy, *order)
    run("scripts/evaluate.py", images, *order)
    for evaluator in ("glassbox", "spectrum"):
        one, other = (f / "sets" / "verdicts" / "procedural" / evaluator for f in (images, copy))
        assert read_manifest(one) == read_manifest(other)


@pytest.mark.slow
def test_an_evaluator_of_ones_own_is_one_class_and_one_config(images: Path, tmp_path: Path) -> None:
    section = (ROOT / "docs" / "evaluation.md").read_text().split("## An evaluator of your own")[1]
    code, config = re.findall(r"```(?:python|yaml)\n(.*?)```", section, re.DOTALL)
    assert code.count("\n") <= 11
    (tmp_path / "ink.py").write_text(code)
    (tmp_path / "my_conf" / "evaluator").mkdir(parents=True)
    (tmp_path / "my_conf" / "evaluator" / "ink.yaml").write_text(config)
    own = ["--config-dir", str(tmp_path / "my_conf"), "+evaluator@evaluator.ink=ink", "evaluators=[ink]"]
    run("scripts/evaluate.py", images, *own, environment={"PYTHONPATH": str(tmp_path)})
    verdicts = list(iter_records(images / "sets" / "verdicts" / "procedural" / "ink", Verdict))
    assert len(verdicts) == 12
    assert all(0 < v.measures["ink"] < 0.5 for v in verdicts)
