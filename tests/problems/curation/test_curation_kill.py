"""2,000 items, one call in ten failing, the process killed with SIGKILL again and again: nothing lost or twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "models"))

from chat_server import Seen, read_log

from scigen.problems.curation.record import CurationRecord
from scigen.records import Problem
from scigen.store import read_manifest, read_set

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
STAGES = ["limits", "duplicates", "visualisable", "classify", "elements", "quizzes", "rewrite"]
CONNECTIONS = 16
RECOVERABLE = "slow,rate_limit,error_500,cut,garbage,wrong_json"
ANY = f"{RECOVERABLE},empty,content_filter"


@contextmanager
def server(log: Path, kinds: str, rate: float = 0.1) -> Iterator[str]:
    command = [sys.executable, str(ROOT / "tests/models/chat_server.py"), "--log", str(log), "--faults", str(rate)]
    command += ["--kinds", kinds, "--slow", "0.1", "--retry-after", "0.05"]
    command += ["--answer", f"{HERE / 'curation_answers.py'}:answer"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(10)


def start(output: Path, url: str, count: int, *more: str) -> subprocess.Popen[str]:
    """The command as a user types it; what comes later in `more` overrides."""
    command = [sys.executable, "scripts/curate.py", "--config-dir", str(HERE / "conf"), "problems=blocks"]
    command += [f"problems.count={count}", "model=default", "model.name=openai-api/test/answers"]
    command += [f"model.base_url={url}", "model.stands_for=test", "model.backoff_s=0.02"]
    command += [f"model.connections={CONNECTIONS}", f"stages=[{','.join(STAGES)}]", f"paths.output={output}", *more]
    environment = {**os.environ, "PYTHONPATH": str(HERE), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def killed_and_restarted(output: Path, url: str, count: int, log: Path, at: list[int], *more: str) -> list[int]:
    """Kill the run when the server has seen each of these numbers of requests, then let it end.

    Gives the numbers of requests seen at the kills.
    """
    kills = []
    for threshold in at:
        process = start(output, url, count, *more)
        while process.poll() is None and _lines(log) < threshold:
            time.sleep(0.02)
        assert process.poll() is None, process.communicate()[0]
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills.append(_lines(log))
    end(start(output, url, count, *more))
    return kills


def end(process: subprocess.Popen[str]) -> str:
    text, _ = process.communicate(timeout=1000)
    assert process.returncode == 0, text
    return text


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def check_calls(seen: list[Seen], kills: list[int], responses: Path) -> None:
    """A delivered answer is asked for again only if it was among those under way at a kill.

    What had arrived is in the journal, and the journal holds no answer twice.
    """
    repeated = Counter(s.hash for s in seen if s.delivered)
    lines = [line for path in responses.glob("*.jsonl") for line in path.read_text().splitlines(keepends=True)]
    keys = [json.loads(line)["key"] for line in lines if line.endswith("\n")]
    assert len(keys) == len(set(keys)) == len(repeated)
    assert sum(n - 1 for n in repeated.values()) <= CONNECTIONS * len(kills)
    first = {s.hash: i for i, s in reversed(list(enumerate(seen))) if s.delivered}
    for digest, n in repeated.items():
        if n > 1:  # answered for the first time just before a kill, or after it to the dead process' connection
            gaps = [kill - first[digest] for kill in kills]
            assert any(-CONNECTIONS <= gap <= 2 * CONNECTIONS for gap in gaps), gaps


def check_sets(output: Path, count: int, stages: list[str] = STAGES) -> dict[str, Any]:
    """One record an item and stage; each stage gets what the one before kept; the summary says the same."""
    summary: dict[str, Any] = json.loads((output / "summary.json").read_text())
    expected = count
    for n, row in enumerate(summary["funnel"], 1):
        found = read_set(output / "sets" / "curation" / f"{n:02d}-{stages[n - 1]}", CurationRecord)
        counts = Counter(r.status.value for r in found)
        assert len(found) == len({r.problem_id for r in found}) == row["in"] == expected
        assert row["kept"] == counts.pop("kept")
        assert sum(row["dropped"].values()) == counts.pop("dropped", 0)
        assert row["failed"] == counts
        expected = row["kept"]
    problems = read_set(output / "sets" / "problems", Problem)
    assert len({p.id for p in problems}) == len(problems) == expected == summary["problems"]
    return summary


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_many_items_with_faults_and_kills(tmp_path: Path, full: bool) -> None:
    log, count = tmp_path / "log.jsonl", 2000 if full else 300
    with server(log, ANY) as url:
        kills = killed_and_restarted(tmp_path / "out", url, count, log, [count // 5, count, 3 * count])
        seen = read_log(log)
    check_calls(seen, kills, tmp_path / "out" / "responses")
    summary = check_sets(tmp_path / "out", count)
    assert summary["failed"] > 0  # refusals stay what they are
    kinds = Counter(s.kind for s in seen)
    assert all(kinds[kind] > count // 100 for kind in ANY.split(",")), kinds
    assert 0.07 < 1 - kinds["ok"] / len(seen) < 0.13


@pytest.mark.slow
def test_a_killed_run_leaves_the_sets_of_an_undisturbed_one(tmp_path: Path) -> None:
    """With faults that a repetition heals, so that answers are a function of the question."""
    log = tmp_path / "log.jsonl"
    with server(log, RECOVERABLE) as url:
        kills = killed_and_restarted(tmp_path / "killed", url, 120, log, [3, 200])
        check_calls(read_log(log), kills, tmp_path / "killed" / "responses")
        end(start(tmp_path / "undisturbed", url, 120))
    check_sets(tmp_path / "killed", 120)
    manifests = sorted((tmp_path / "killed" / "sets").rglob("manifest.json"))
    assert len(manifests) == len(STAGES) + 2
    for path in manifests:
        twin = tmp_path / "undisturbed" / path.relative_to(tmp_path / "killed")
        assert read_manifest(path.parent) == read_manifest(twin.parent)


FEW = ["duplicates", "visualisable"]
"""Under Ray each stage starts its workers anew, which takes longer than their work on so few items. Without the first,
two workers may ask at once a question that is said twice."""


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_same_records_under_ray(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    few = f"stages=[{','.join(FEW)}]"
    with server(log, RECOVERABLE, rate=0.0) as url:
        end(start(tmp_path / "local", url, 80, few))
        asked = _lines(log)
        ray = [few, "runtime=ray", "runtime.batch=16", "runtime.chunk=64"]  # more than one chunk, several batches
        end(start(tmp_path / "ray", url, 80, *ray))
        assert _lines(log) == 2 * asked
        end(start(tmp_path / "ray", url, 80, *ray))
        assert _lines(log) == 2 * asked
    check_sets(tmp_path / "ray", 80, FEW)
    manifests = sorted((tmp_path / "local" / "sets").rglob("manifest.json"))
    assert len(manifests) == len(FEW) + 2
    for path in manifests:
        twin = tmp_path / "ray" / path.relative_to(tmp_path / "local")
        assert read_manifest(path.parent) == read_manifest(twin.parent)
    assert len(list((tmp_path / "ray" / "responses").glob("*.jsonl"))) > 1  # a file for each worker


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ray_workers_together_keep_within_the_budget(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    more = ["model.price={input: 10.0, output: 10.0}", "runtime=ray", "runtime.batch=8", "model.connections=4"]
    more += [f"stages=[{','.join(FEW)}]"]
    with server(log, RECOVERABLE, rate=0.0) as url:
        process = start(tmp_path / "out", url, 60, "budget.usd=0.15", *more)
        text, _ = process.communicate(timeout=1000)
        assert process.returncode == 2, text
        assert "budget.usd" in text
        spent = sum(s.input_tokens + s.output_tokens for s in read_log(log) if s.delivered) * 1e-5
        assert 0.05 < spent <= 0.15
        end(start(tmp_path / "out", url, 60, "budget.usd=20", *more))
    assert max(Counter(s.hash for s in read_log(log) if s.delivered).values()) == 1
    check_sets(tmp_path / "out", 60, FEW)
