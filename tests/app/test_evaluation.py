"""`python train.py mode=evaluate`: a checkpoint alone, with verl's own merger and validation on the CPU."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from scigen.app import evaluate_checkpoint
from scigen.app.settings import Settings, parse_as
from scigen.errors import ScigenError

ROOT = Path(__file__).parents[2]
SMALL = [
    "problems.textbook=0",
    "problems.glance=32",
    "problems.held_out=16",
    "++verl.data.train_batch_size=8",
    "++verl.actor_rollout_ref.actor.ppo_mini_batch_size=8",
    "++verl.actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=32",
    "++verl.actor_rollout_ref.rollout.n=4",
]


def settings_of(*overrides: str) -> Settings:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        cfg = OmegaConf.to_container(compose("train", ["mode=evaluate", *overrides]), resolve=True)
    assert isinstance(cfg, dict)
    return parse_as(Settings, {str(k): v for k, v in cfg.items()})


VERL: dict[str, Any] = {
    "data": {"max_response_length": 6},
    "actor_rollout_ref": {
        "rollout": {
            "val_kwargs": {"n": 4, "temperature": 0.6, "top_p": 1.0, "top_k": -1},
            "agent": {"default_agent_loop": "single_turn_agent"},
        }
    },
}


def test_the_evaluation_only_validates() -> None:
    trainer = settings_of("checkpoint=outputs/tiny-seed0").verl["trainer"]
    assert (trainer["val_only"], trainer["val_before_train"], trainer["resume_mode"]) == (True, True, "disable")


def test_another_checkpoint_step_or_sampling_has_another_folder(tmp_path: Path) -> None:
    settings = settings_of("checkpoint=none", f"paths.output={tmp_path}")
    run = tmp_path / "tiny-seed0"
    latest = run / "verl" / "checkpoints" / "latest_checkpointed_iteration.txt"
    for step in (20, 40):
        actor = latest.parent / f"global_step_{step}" / "actor"
        actor.mkdir(parents=True)
        (actor / "model_world_size_1_rank_0.pt").touch()

    def folder(checkpoint: Path | str, temperature: float = 0.6) -> Path:
        verl = json.loads(json.dumps(VERL))
        verl["actor_rollout_ref"]["rollout"]["val_kwargs"]["temperature"] = temperature
        return evaluate_checkpoint.evaluation_folder(settings.model_copy(update={"checkpoint": str(checkpoint)}), verl)

    latest.write_text("20")
    first = folder(run)
    assert first.parent == tmp_path / "evaluations"
    assert first.name.startswith("tiny-seed0-global_step_20-")
    assert folder(run / "verl" / "checkpoints" / "global_step_20") == first, "the same weights by another name"
    latest.write_text("40")
    assert folder(run).name.startswith("tiny-seed0-global_step_40-")
    assert folder("Qwen/Qwen3-VL-8B-Instruct").name.startswith("Qwen-Qwen3-VL-8B-Instruct-")
    assert len({first, folder(run), folder(run, 0.7)}) == 3


def test_a_published_policy_is_its_own_checkpoint_and_the_tiny_one_has_none() -> None:
    assert evaluate_checkpoint.checkpoint_of(settings_of("+experiment=baseline")) == "Qwen/Qwen3-VL-8B-Instruct"
    with pytest.raises(ScigenError, match="no checkpoint is named"):
        evaluate_checkpoint.checkpoint_of(settings_of())


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_of_verl_is_merged_validated_and_summed_up(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    from scigen.app import laptop_sets
    from scigen.app.stages import Stages
    from scigen.training.policy import tiny

    output, run = tmp_path / "out", tmp_path / "run"
    settings = settings_of(*SMALL, f"paths.output={output}")
    sets = laptop_sets.make_sets(settings, Stages(output))
    questions = sorted({p.multimodal_question for p in sets.problems})
    policy = tmp_path / "policy"
    tiny.build(policy, questions, sorted({p.answer for p in sets.problems}), seed=0)
    weights = load_file(policy / "model.safetensors")
    actor = run / "verl" / "checkpoints" / "global_step_3" / "actor"
    actor.mkdir(parents=True)
    save_as_verl_does(policy, weights, actor)
    (actor.parents[1] / "latest_checkpointed_iteration.txt").write_text("3")

    command = [sys.executable, "train.py", "mode=evaluate", f"checkpoint={run}", f"paths.output={output}"]
    done = subprocess.run([*command, *SMALL], cwd=ROOT, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (folder,) = [p for p in (output / "evaluations").iterdir() if p.name != ".hydra"]
    merged = load_file(folder / "model" / "model.safetensors")
    assert merged.keys() == weights.keys()
    assert all(torch.equal(merged[name], weights[name].bfloat16()) for name in weights)

    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["mode"], summary["checkpoint"]) == ("evaluate", str(run))
    assert summary["weights"] == str(actor)
    assert summary["sampling"]["temperature"] == 0.6
    assert f"mode=evaluate checkpoint={run}" in summary["command"]
    lines = [json.loads(line) for line in (folder / "verl" / "generations" / "0.jsonl").read_text().splitlines()]
    for source in ("held_out", "held_out_blank"):
        scores, responses = summary["scores"][source], [r for r in lines if r["data_source"] == source]
        assert (scores["k"], scores["avg"]["n"], scores["responses"]) == (4, 16, 64)
        assert scores["missing"] == 0
        assert len(responses) == 64
        assert scores["avg"]["value"] == pytest.approx(sum(r["acc"] for r in responses) / 64)
        assert scores["rule"]["disagreement"]["value"] == 0.0, "here the reward is the rule"
        assert sum(group["n"] for group in scores["groups"]["family"].values()) == 16
    assert not (folder / "verl" / "checkpoints").exists(), "nothing was trained"
    assert not (output / "summary.json").exists(), "a training's summary is another file"


def save_as_verl_does(policy: Path, weights: dict[str, torch.Tensor], actor: Path) -> None:
    """A checkpoint of verl's FSDP2 engine on one rank: sharded tensors, their world size, config and tokenizer."""
    import torch.distributed as dist
    from torch.distributed.tensor import Shard, distribute_tensor

    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        mesh = dist.init_device_mesh("cpu", (1,), mesh_dim_names=("fsdp",))
        sharded = {name: distribute_tensor(weight, mesh, [Shard(0)]) for name, weight in weights.items()}
        torch.save(sharded, actor / "model_world_size_1_rank_0.pt")
    finally:
        dist.destroy_process_group()
    (actor / "fsdp_config.json").write_text(json.dumps({"FSDP_version": 2, "world_size": 1}))
    shutil.copytree(policy, actor / "huggingface", ignore=shutil.ignore_patterns("*.safetensors"))
