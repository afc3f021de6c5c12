"""`python train.py` for real, small: the whole chain with verl, killed in every stage and run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from offline_runs import OfflineRun, read_runs

from scigen.records import FilterDecision, GeneratedImage, Problem, Verdict
from scigen.store import iter_records, read_manifest
from scigen.tracking import run_id
from scigen.training.trainer import run_metrics

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
    "checks": Verdict,
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


def kill_in(stage: str, folder: Path, ready: Callable[[], bool] | None = None) -> None:
    """SIGKILL the job once it says that it is in `stage` (and, if given, once it is `ready`)."""
    job = start(folder)
    assert job.stdout is not None
    for line in job.stdout:
        if line.startswith(f"{stage} ─"):
            break
    else:
        pytest.fail(f"the job ended before {stage}")
    while ready is not None and not ready():
        assert job.poll() is None, "the job ended before it could be killed"
        time.sleep(0.1)
    assert ready is None or len(descendants(folder)) > 5, "verl's and Ray's"
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


def logged_steps(folder: Path) -> set[int]:
    return set(run_metrics.of_attempts(folder / "verl"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, full: bool) -> Path:
    """A run that was killed among its images and in the middle of training, and then ended; with --full, everywhere."""
    folder = tmp_path_factory.mktemp("whole")
    for stage in ("problems", "images", "checks", "train set", "warm start") if full else ("images",):
        kill_in(stage, folder)
    kill_in("verl", folder, ready=lambda: 1 in logged_steps(folder))
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


def test_a_killed_run_has_the_sets_of_an_undisturbed_one(whole: Path, tmp_path: Path) -> None:
    kill_in("warm start", tmp_path)  # nobody disturbed what comes before
    assert hashes(tmp_path) == hashes(whole)


def test_training_goes_on_at_its_checkpoint_in_the_same_wandb_run(whole: Path) -> None:
    _, last = sorted((whole / "verl" / "metrics").iterdir())
    trained = [json.loads(line)["step"] for line in last.read_text().splitlines() if "critic/score/mean" in line]
    assert min(trained) > 1, f"training began anew: {trained}"
    logged = [path.name.rsplit("-", 1)[1] for path in (whole / "wandb").glob("offline-run-*")]
    assert logged.count(run_id(whole / "verl", "train")) >= 1
    assert len(set(logged)) == 6, f"one run a stage, the killed training goes on in its own: {logged}"
    merged = [json.loads(line)["step"] for line in (whole / "verl/metrics.jsonl").read_text().splitlines()]
    assert merged == sorted(set(merged))
    assert {1, 2, 3, 4} <= set(merged)


def test_wandb_has_the_stages_and_the_lineage_from_problems_to_policy(whole: Path) -> None:
    runs: dict[str, list[OfflineRun]] = {}
    for run in read_runs(whole):
        runs.setdefault(run.job_type, []).append(run)
    assert set(runs) == {"curate", "generate", "evaluate", "select", "train", "analyze"}
    assert {run.group for found in runs.values() for run in found} == {"tiny"}
    used = {job: {name for run in found for name in run.used} for job, found in runs.items()}
    made = {job: {name for run in found for name in run.made} for job, found in runs.items()}
    sets = ["problems", "images-procedural_spoilt", "scores-procedural_spoilt-glassbox"]
    chain = [*sets, "trainset-tiny", "policy-tiny-seed0"]
    assert [made[job] for job in ("curate", "generate", "evaluate", "select", "train")] == [{name} for name in chain]
    assert used["curate"] == set()
    assert used["generate"] == set(chain[:1])
    assert used["evaluate"] == set(chain[:2])
    assert used["select"] == set(chain[:3])
    assert used["train"] == {chain[3]}
    assert used["analyze"] == set(chain[3:])
    digests: dict[str, set[str]] = {}
    for found in runs.values():
        for run in found:
            for name, artifact in (*run.used.items(), *run.made.items()):
                digests.setdefault(name, set()).add(artifact["digest"])
    assert {name: len(each) for name, each in digests.items()} == dict.fromkeys(chain, 1), "one version each"

    manifest = read_manifest(whole / "sets" / "problems")
    assert manifest is not None
    assert runs["curate"][0].made["problems"]["metadata"]["hash"] == manifest.set_hash
    assert {run.id for run in runs["train"]} == {run_id(whole / "verl", "train")}
    curve = [step for run in runs["train"] for step in run.steps]
    logged = {s["_step"] for s in curve if "critic/score/mean" in s}
    assert {2, 3, 4} <= logged <= {1, 2, 3, 4}, "W&B may not have written the step before the kill; verl/metrics has it"
    summary = json.loads((whole / "summary.json").read_bytes())
    assert runs["analyze"][0].summary["after/avg_at_4"] == summary["after"]["avg_at_4"]
    row = runs["analyze"][0].tables["samples"][0]
    assert row["image"]["_type"] == "image-file"
    assert row["question"]
    assert row["answer"]
    assert len(row["responses"].splitlines()) == 4
