"""`python train.py` for real, small: the whole chain with verl, killed in every stage and run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from scigen.records import CheckResult, FilterDecision, GeneratedImage, Problem
from scigen.store import iter_records, read_manifest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

ROOT = Path(__file__).parents[2]
SMALL = [
    "problems.textbook=16",
    "problems.glance=128",
    "problems.held_out=16",
    "policy.warm_start_steps=12",
    "verl.data.train_batch_size=8",
    "verl.actor_rollout_ref.actor.ppo_mini_batch_size=8",
    "verl.actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=32",
    "verl.actor_rollout_ref.rollout.n=4",
    "verl.actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu=32",
    "verl.trainer.total_training_steps=4",
    "verl.trainer.test_freq=4",
    "verl.trainer.save_freq=1",
]
SETS: dict[str, type[Any]] = {
    "problems": Problem,
    "images": GeneratedImage,
    "checks": CheckResult,
    "trainset-real/decisions": FilterDecision,
}


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "train.py", *SMALL, f"paths.output={folder}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"SCIGEN_TEST_RUN": str(folder)},
    )


def kill_in(stage: str, folder: Path, ready: Path | None = None) -> None:
    """SIGKILL the job once it says that it is in `stage` (and, if given, once `ready` exists)."""
    job = start(folder)
    assert job.stdout is not None
    for line in job.stdout:
        if line.startswith(f"{stage} ─"):
            break
    else:
        pytest.fail(f"the job ended before {stage}")
    while ready is not None and not ready.exists():
        assert job.poll() is None, "the job ended before it could be killed"
        time.sleep(0.1)
    job.send_signal(signal.SIGKILL)
    job.wait()
    deadline = time.monotonic() + 30
    while alive := descendants(folder):
        assert time.monotonic() < deadline, f"still alive half a minute after the kill: {alive}"
        time.sleep(0.5)


def descendants(folder: Path) -> list[str]:
    """Processes that were started by a run in `folder`: zygotes excepted, whose environment is clean."""
    found = []
    for process in psutil.process_iter(["name"]):
        try:
            if process.environ().get("SCIGEN_TEST_RUN") == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{process.pid} {process.info['name']}")
        except (psutil.Error, OSError):
            continue
    return found


def hashes(folder: Path) -> dict[str, str]:
    found = {}
    for name, record_type in SETS.items():
        manifest = read_manifest(folder / "sets" / name)
        assert manifest is not None
        keys = [r.key for r in iter_records(folder / "sets" / name, record_type)]
        assert len(keys) == len(set(keys)) == manifest.count
        found[name] = manifest.set_hash
    found["rows"] = json.loads((folder / "sets/trainset-real/trainset.json").read_bytes())["rows_hash"]
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    job = start(folder)
    output, _ = job.communicate()
    assert job.returncode == 0, output
    assert "Held-out AVG@4" in output
    return folder


def test_the_summary_holds_the_figures_of_the_closing_table(whole: Path) -> None:
    summary = json.loads((whole / "summary.json").read_bytes())
    for name in ("before", "after", "blank_image"):
        score = summary[name]
        assert 0 <= score["ci95"][0] <= score["avg_at_4"] <= score["ci95"][1] <= 1
        assert score["n"] == 16
        assert 0 <= score["truncated"] <= 1
        assert 0 <= score["no_answer"] <= 1
    assert summary["seed"] == 0
    assert summary["wall_s"] > 0
    assert summary["counts"]["images"]["ok"] == 160
    assert summary["training_steps"] == 4


def test_the_report_stands_alone_and_leads_to_scripts(whole: Path) -> None:
    page = (whole / "report.html").read_text()
    assert 'src="http' not in page
    assert "savefig" in page
    assert "held_out.parquet" in page
    assert {p.suffix for p in (whole / "figures").iterdir()} == {".png"}


def test_verl_saw_the_merged_configuration(whole: Path) -> None:
    text = (whole / "verl" / "verl_config.yaml").read_text()
    assert "adv_estimator: grpo" in text
    assert "total_training_steps: 4" in text
    assert (whole / "verl/generations/0.jsonl").exists()
    assert (whole / "verl/generations/4.jsonl").exists()


def test_a_finished_run_is_not_run_again(whole: Path) -> None:
    attempts = len(list((whole / "verl" / "metrics").iterdir()))
    job = start(whole)
    output, _ = job.communicate()
    assert job.returncode == 0, output
    assert len(list((whole / "verl" / "metrics").iterdir())) == attempts


def test_killed_in_every_stage_it_ends_in_the_same_sets_and_resumes_training(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    for stage in ("problems", "images", "checks", "train set", "warm start"):
        kill_in(stage, folder)
    kill_in("images", folder)  # once more, half-way through whatever is left
    kill_in("verl", folder, ready=folder / "verl/checkpoints/global_step_2")
    job = start(folder)
    output, _ = job.communicate()
    assert job.returncode == 0, output
    assert hashes(folder) == hashes(whole)
    last = sorted((folder / "verl" / "metrics").iterdir())[-1]
    steps = [json.loads(line)["step"] for line in last.read_text().splitlines()]
    trained = [json.loads(line)["step"] for line in last.read_text().splitlines() if "critic/score/mean" in line]
    assert min(trained) > 1, f"training began anew: {steps}"
    merged = [json.loads(line)["step"] for line in (folder / "verl/metrics.jsonl").read_text().splitlines()]
    assert merged == sorted(set(merged))
    assert {1, 2, 3, 4} <= set(merged)
