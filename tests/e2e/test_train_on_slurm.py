"""Training as a job of a real Slurm: over a Ray cluster of two nodes, stopped at its time limit, requeued, gone on."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_slurm import MISSING, WHY, Slurm, local_slurm, wait_until

from scigen.training.trainer import run_metrics

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400), pytest.mark.skipif(bool(MISSING), reason=WHY)]

STEPS = 12
SMALL = [
    "problems.textbook=4",
    "problems.glance=64",
    "problems.held_out=8",
    "policy.warm_start_steps=2",
    "verl.data.train_batch_size=4",
    "verl.actor_rollout_ref.actor.ppo_mini_batch_size=4",
    "verl.actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=4",
    "verl.actor_rollout_ref.rollout.n=2",
    "verl.actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu=4",
    f"verl.trainer.total_training_steps={STEPS}",
    f"verl.trainer.test_freq={STEPS}",
    "verl.trainer.save_freq=100",  # only when it is stopped, and at the end
]


@pytest.fixture(scope="module")
def slurm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    if not request.config.getoption("full"):
        pytest.skip("two starts of verl over two Slurm nodes take up to ten minutes on two cores; --full runs them")
    with local_slurm(tmp_path_factory.mktemp("slurm")) as slurm:
        yield slurm


@pytest.fixture
def scratch() -> Iterator[Path]:
    """For Ray's sockets, whose paths must be short."""
    with tempfile.TemporaryDirectory(prefix="sg") as folder:
        yield Path(folder)


def test_two_nodes_train_and_a_job_at_its_time_limit_goes_on_after_requeueing(
    slurm: Slurm, tmp_path: Path, scratch: Path
) -> None:
    run, log = tmp_path / "run", tmp_path / "job.log"
    first = run / "verl/metrics/attempt-000.jsonl"
    job = slurm.run(
        *("sbatch", "--parsable", "--gpus-per-node=1", f"--output={log}", "slurm/train.sbatch", "tiny"),
        *("cluster=laptop_slurm", f"paths.output={run}", *SMALL),
        RAY_worker_niceness="0",
        SCIGEN_SCRATCH=str(scratch),
    ).strip()

    def trained() -> bool:
        assert slurm.is_queued(job), log.read_text()
        return any("critic/score/mean" in data for data in run_metrics.read(first).values())

    wait_until(trained, "the first step", 900)
    name = json.loads((run / "verl/tracking/train.json").read_bytes())["id"]
    slurm.run("scancel", "--signal=USR1", "--batch", job)  # as Slurm does for --signal=B:USR1@900
    wait_until(lambda: slurm.field(job, "Restarts") == "1", "the job's return to the queue")
    wait_until(lambda: not slurm.is_queued(job), "the job's end", 1200)

    text = log.read_text()
    assert (slurm.field(job, "JobState"), slurm.field(job, "Restarts")) == ("COMPLETED", "1"), text
    assert text.count("Ray: 2 nodes") == 2, "at each start all nodes were there before the training began"
    steps = sorted(run_metrics.read(first))
    stopped = steps[-1]
    assert 1 <= stopped < STEPS
    assert f"stopped as asked at step {stopped} of {STEPS}" in text
    resumed = [n for n, data in run_metrics.read(first.with_name("attempt-001.jsonl")).items() if "actor/lr" in data]
    assert resumed == list(range(stopped + 1, STEPS + 1)), "no step lost, none twice"
    merged = run_metrics.read(run / "verl/metrics.jsonl")
    assert sorted(merged) == list(range(STEPS + 1)), "one curve, with the validation before it"
    assert json.loads((run / "verl/tracking/train.json").read_bytes())["id"] == name
    assert len(list(run.rglob(f"offline-run-*-{name}"))) >= 2, "both starts in one W&B run"
    ranks = {path.name for path in (run / f"verl/checkpoints/global_step_{STEPS}/actor").glob("model_*.pt")}
    assert ranks == {f"model_world_size_2_rank_{n}.pt" for n in range(2)}
    assert json.loads((run / "summary.json").read_bytes())["training_steps"] == STEPS
    assert not list(scratch.iterdir()), "Ray's folders are gone"
