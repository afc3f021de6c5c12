"""A real run of verl on this CPU: it trains, resumes, measures, and leaves nothing behind."""

import json
import os
from pathlib import Path

import psutil
import pytest

from scigen.errors import ScigenError
from scigen.training import avg_at_k
from scigen.training.trainer import run_metrics
from scigen.training.trainer.launch import RAY_FOLDER, RunStopped, describe, train
from scigen.training.trainer.watched import request_stop

COLOURS = {"red": (214, 39, 40), "green": (44, 160, 44), "blue": (31, 119, 180)}


def rows(source, n):
    import io

    from PIL import Image

    for i in range(n):
        name = list(COLOURS)[i % 3]
        png = io.BytesIO()
        Image.new("RGB", (96, 96), COLOURS[name]).save(png, format="PNG")
        yield {
            "data_source": source,
            "prompt": [{"role": "user", "content": "<image>" + ("Which colour?" if i % 2 else "Name the colour.")}],
            "images": [{"bytes": png.getvalue(), "path": None}],
            "ability": "colour",
            "reward_model": {"style": "rule", "ground_truth": name},
            "extra_info": {"index": i, "problem_id": f"{source}-{i}"},
        }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    import datasets

    from scigen.training.policy import tiny

    folder = tmp_path_factory.mktemp("verl")
    tiny.build(folder / "policy", ["Which colour?", "Name the colour."], list(COLOURS), seed=0)
    for source, n in (("train", 24), ("held_out", 6)):
        datasets.Dataset.from_list(list(rows(source, n))).to_parquet(folder / f"{source}.parquet")
    return folder


def config(folder, run, steps, save_freq=1):
    from scigen.training.trainer.compose import compose, validate

    config = compose(
        {
            "algorithm": {"adv_estimator": "grpo", "rollout_correction": {"bypass_mode": True}},
            "data": {
                "train_files": str(folder / "train.parquet"),
                "val_files": str(folder / "held_out.parquet"),
                "train_batch_size": 8,
                "max_prompt_length": 64,
                "max_response_length": 4,
                "image_key": "images",
                "image_patch_size": 16,
                "filter_overlong_prompts": False,
                "dataloader_num_workers": 0,
            },
            "actor_rollout_ref": {
                "model": {
                    "path": str(folder / "policy"),
                    "override_config": {"attn_implementation": "sdpa"},
                    "use_remove_padding": False,
                    "enable_gradient_checkpointing": False,
                },
                "actor": {
                    "strategy": "fsdp2",
                    "use_torch_compile": False,
                    "ppo_mini_batch_size": 8,
                    "ppo_micro_batch_size_per_gpu": 32,
                    "optim": {"lr": 1e-3},
                    "fsdp_config": {
                        "model_dtype": "fp32",
                        "mixed_precision": {"param_dtype": "fp32", "reduce_dtype": "fp32", "buffer_dtype": "fp32"},
                        "use_torch_compile": False,
                    },
                },
                "rollout": {
                    "name": "transformers_cpu",
                    "n": 4,
                    "tensor_model_parallel_size": 1,
                    "n_gpus_per_node": 1,
                    "log_prob_micro_batch_size_per_gpu": 32,
                    "agent": {
                        "num_workers": 1,
                        "agent_loop_manager_class": "scigen.training.trainer.agent_loop.BatchAgentLoopManager",
                    },
                    "val_kwargs": {"n": 4, "temperature": 0.6, "do_sample": True},
                },
            },
            "reward": {
                "num_workers": 1,
                "custom_reward_function": {"path": "pkg://scigen.training.reward", "name": "compute_score"},
                "reward_manager": {
                    "source": "importlib",
                    "name": "RecordingRewardManager",
                    "module": {"path": "pkg://scigen.training.trainer.reward_manager"},
                },
            },
            "transfer_queue": {"backend": {"SimpleStorage": {"num_data_storage_units": 1}}},
            "trainer": {
                "device": "cpu",
                "n_gpus_per_node": 1,
                "nnodes": 1,
                "logger": ["console", "file"],
                "total_epochs": 1000,
                "total_training_steps": steps,
                "test_freq": 1,
                "save_freq": save_freq,
                "val_before_train": False,
                "resume_mode": "auto",
                "default_local_dir": str(run / "checkpoints"),
                "validation_data_dir": str(run / "generations"),
                "v1": {
                    "sampler": {
                        "custom_sampler": {"path": "pkg://scigen.training.trainer.replay", "name": "FastReplayBuffer"}
                    }
                },
            },
            "ray_kwargs": {"ray_init": {"num_cpus": 16, "num_gpus": 1, "include_dashboard": False}},
        }
    )
    validate(config, gpu=False)
    return config


class StopAtStep5:
    """A hook as a user writes one; it fails after the step that it has asked to be the last but one."""

    def __init__(self, run, note):
        self.run, self.note = run, note
        assert run.verl["trainer"]["save_freq"] == 50
        assert run.reward_router is None

    def after_step(self, step, metrics):
        assert metrics["timing_s/step"] > 0, "it sees what verl has measured"
        metrics[f"note/{self.note}"] = float(step)
        if step == 5:
            request_stop(self.run.folder)
        if step == 6:
            raise OSError("the hook's own trouble")


def ray_processes_of(pid):
    """Processes whose Ray folder belongs to a run started by `pid`."""
    found = []
    for process in psutil.process_iter():
        try:
            if f"{RAY_FOLDER}{pid}-" in process.environ().get("RAY_TMPDIR", ""):
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_trains_measures_and_stops_at_a_checkpoint(folder, tmp_path, monkeypatch):
    """Six steps: an epoch has three. That a stopped run goes on is shown by tests/e2e."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))  # of the hook
    hook = {"_target_": f"{__name__}.StopAtStep5", "note": "seen"}
    with pytest.raises(RunStopped, match="at step 6 of 100"):
        train(config(folder, tmp_path, 100, save_freq=50), tmp_path, True, tmp_path / "verl.log", hooks=[hook])
    steps = run_metrics.read(tmp_path / "metrics.jsonl")
    assert list(steps) == [1, 2, 3, 4, 5, 6]
    assert [step["hooks/failed"] for step in steps.values()] == [0, 0, 0, 0, 0, 1]
    assert steps[4]["note/seen"] == 4, "a hook may add to the metrics"
    assert (tmp_path / "checkpoints" / "latest_checkpointed_iteration.txt").read_text() == "6", "saved when it stopped"
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert all(line["data"]["timing_s/step"] > 0 for line in lines)
    # rollout and trainer compute the same log-probabilities, so the first ratio is 1
    assert all(abs(line["data"]["actor/ppo_kl"]) < 1e-4 for line in lines)
    assert avg_at_k.steps(tmp_path / "generations") == [1, 2, 3, 4, 5, 6]
    result = avg_at_k.read(tmp_path / "generations" / "6.jsonl")["held_out"]
    assert (result.n_problems, result.k, result.step) == (6, 4, 6)
    assert result.avg_at_k == pytest.approx(lines[-1]["data"]["val-core/held_out/acc/mean@4"])
    assert 0 <= result.truncated_rate <= 1
    assert ray_processes_of(os.getpid()) == []


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_failure_shows_the_end_of_the_log(folder, tmp_path):
    broken = config(folder, tmp_path, 1)
    broken["actor_rollout_ref"]["model"]["path"] = str(tmp_path / "no_such_policy")
    with pytest.raises(ScigenError, match=r"verl ended with status 1; the last of .*verl\.log:\n(.|\n)*no_such_policy"):
        train(broken, tmp_path, True, tmp_path / "verl.log")
    assert ray_processes_of(os.getpid()) == []


def test_later_attempts_win_name_by_name(tmp_path):
    first, second = run_metrics.new_attempt(tmp_path), None
    first.write_text('{"step": 1, "data": {"a": 1}}\n{"step": 2, "data": {"a": 2, "b": 2}}\n')
    second = run_metrics.new_attempt(tmp_path)
    second.write_text('{"step": 2, "data": {"b": 9}}\n{"step": 3, "data": {"a": 3}}\n{"step": 4, "da')
    expected = {1: {"a": 1}, 2: {"a": 2, "b": 9}, 3: {"a": 3}}
    assert run_metrics.merge(tmp_path) == expected
    assert run_metrics.read(tmp_path / "metrics.jsonl") == expected


def test_progress_line():
    data = {"critic/score/mean": 0.25, "timing_s/step": 2.345, "val-core/held_out/acc/mean@4": 0.5}
    assert describe(7, data) == "step 7  reward 0.250  2.3 s a step  held_out 50.0 %"
