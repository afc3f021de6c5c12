"""The experiments: all compose and are valid for the installed verl without a GPU; the paper's have its numbers."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from experiment_configs import CONF, composed
from omegaconf import OmegaConf
from rich.console import Console

from scigen.app import cluster, train
from scigen.app.settings import HubPolicy, Settings, TinyPolicy, build, parse_as
from scigen.errors import ScigenError
from scigen.training.experiment_plan import (
    Plan,
    describe_experiment,
    make_plan,
    missing_data,
    require_data,
    require_rows,
)
from scigen.training.pixel_budget import PixelBudget
from scigen.training.plan_table import print_plan
from scigen.training.run_estimate import Assumptions, estimate, validations_in

EXPERIMENTS = (
    "baseline",
    "qwen_image",
    "qwen_image_filt",
    "nanobanana",
    "nanobanana_filt",
    "qwen_imgcoder",
    "gemini_imgcoder",
)
CLUSTERS = ("1x8", "2x8", "4x8")


@cache
def merged(experiment: str, *overrides: str) -> dict[str, Any]:
    """Its `verl` node merged over the installed verl's own configuration."""
    from scigen.torchvision_shim import install
    from scigen.training.trainer.compose import compose as compose_verl

    install()
    return compose_verl(composed(experiment, *overrides)["verl"])


def plan_of(experiment: str, verl: dict[str, Any], *overrides: str) -> Plan:
    cfg = composed(experiment, *overrides)
    meta = describe_experiment(
        name=cfg["name"],
        policy=cfg["policy"]["model"],
        reward=cfg["reward"],
        problems=cfg["problems"],
        generator=cfg["generator"],
        evaluators=cfg["filter"]["evaluators"],
        contamination=cfg["contamination"].get("benchmarks", ()),
        benchmark=cfg["benchmark"],
        sets=Path(cfg["paths"]["sets"]),
        val_only=verl["trainer"]["val_only"],
    )
    return make_plan(verl, meta, Path(cfg["paths"]["output"]))


SIZES: dict[str, Any] = {
    "data": {"train_batch_size": 128, "max_prompt_length": 4096, "max_response_length": 8192},
    "trainer": {
        "nnodes": 1,
        "n_gpus_per_node": 8,
        "total_training_steps": 200,
        "test_freq": 20,
        "save_freq": 20,
        "val_before_train": True,
        "val_only": False,
    },
    "actor_rollout_ref": {
        "actor": {
            "optim": {"lr": 1e-6},
            "ppo_mini_batch_size": 128,
            "use_dynamic_bsz": True,
            "ppo_max_token_len_per_gpu": 24576,
        },
        "rollout": {"n": 8, "val_kwargs": {"n": 4, "temperature": 0.6}},
    },
    "reward": {"reward_model": {"enable": True, "enable_resource_pool": True, "nnodes": 1, "n_gpus_per_node": 8}},
}
"""The keys that a plan reads, for tests that need no verl."""


def sizes(**trainer: Any) -> dict[str, Any]:
    changed = copy.deepcopy(SIZES)
    changed["trainer"].update(trainer)
    return changed


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_each_experiment_is_named_like_its_file_and_its_header_gives_the_command(experiment: str) -> None:
    assert composed(experiment)["name"] == experiment
    header = (CONF / "experiment" / f"{experiment}.yaml").read_text().split("defaults:")[0]
    for word in (f"python train.py +experiment={experiment}\n", "Costs", "Expect", "50.45", "Not run here"):
        assert word in header


def test_each_experiment_trains_on_the_images_that_its_name_says() -> None:
    chosen = {e: (composed(e)["generator"]["name"], composed(e)["filter"]["evaluators"]) for e in EXPERIMENTS[1:]}
    assert chosen == {
        "qwen_image": ("qwen_image", []),
        "qwen_image_filt": ("qwen_image", ["judge", "inverse"]),
        "nanobanana": ("nanobanana_pro", []),
        "nanobanana_filt": ("nanobanana_pro", ["judge", "inverse"]),
        "qwen_imgcoder": ("qwen3_imgcoder", []),
        "gemini_imgcoder": ("gemini3_flash_imgcoder", []),
    }


def check_papers_numbers(experiment: str, verl: dict[str, Any]) -> None:
    actor, rollout = verl["actor_rollout_ref"]["actor"], verl["actor_rollout_ref"]["rollout"]
    assert verl["algorithm"]["adv_estimator"] == "grpo"
    assert verl["data"]["train_batch_size"] == 128
    assert rollout["n"] == 8
    assert verl["data"]["max_response_length"] == rollout["response_length"] == 8192
    assert verl["trainer"]["total_training_steps"] == 200
    assert (rollout["val_kwargs"]["n"], rollout["val_kwargs"]["temperature"]) == (4, 0.6)
    assert rollout["val_kwargs"]["do_sample"] is True
    assert float(actor["optim"]["lr"]) == 1e-6
    assert verl["actor_rollout_ref"]["model"]["path"] == "Qwen/Qwen3-VL-8B-Instruct"
    assert verl["reward"]["reward_model"]["model_path"] == "opencompass/CompassVerifier-7B"
    assert verl["reward"]["reward_model"]["rollout"]["max_model_len"] >= 16384
    assert verl["data"]["image_patch_size"] == 16
    assert verl["trainer"]["val_only"] is (experiment == "baseline")


def check_one_pixel_budget(settings: Settings, verl: dict[str, Any]) -> None:
    """The same for the train set, verl's processor, each request to vLLM, vLLM's profile, and the benchmarks."""
    budget = settings.policy.pixels.processor_kwargs()
    assert verl["data"]["mm_processor_kwargs"] == budget
    assert verl["actor_rollout_ref"]["rollout"]["engine_kwargs"]["vllm"]["mm_processor_kwargs"] == budget
    assert settings.policy.pixels == PixelBudget(**settings.benchmark["pixels"])
    assert settings.policy.pixels.most_tokens < verl["data"]["max_prompt_length"]


def check_on_cluster(settings: Settings, verl: dict[str, Any]) -> None:
    """It uses the cluster's GPUs and no more, and fits by the plan's arithmetic."""
    plan, memory = cluster.plan(settings, settings.policy, verl), cluster.memory(settings, settings.policy, verl)
    held = {"1x8": (4, 4), "2x8": (8, 8), "4x8": (16, 16)}[settings.cluster["name"]]
    wanted = held if verl["reward"]["reward_model"]["enable"] else (held[0], 0)
    assert (plan.policy_gpus, plan.verifier_gpus) == wanted
    assert plan.nodes <= settings.cluster["nodes"]
    assert verl["trainer"]["n_gpus_per_node"] % verl["actor_rollout_ref"]["rollout"]["tensor_model_parallel_size"] == 0
    assert [w for w in memory.warnings if "by their end alone" not in w] == []
    for phase in memory.phases:
        assert 20 < phase.total / 1e9 < 76


def merged_once(settings: Settings, seen: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The merged and validated configuration; of nodes that differ in names alone one stands for all."""
    node = json.dumps([type(settings.policy).__name__, settings.verl], sort_keys=True, default=str)
    key = node.replace(settings.name, "NAME")
    if key not in seen:
        seen[key] = train.merged(settings)
    return seen[key]


@pytest.mark.slow
def test_every_experiment_is_valid_for_the_installed_verl_on_every_cluster() -> None:
    """All of conf/experiment on all GPU clusters, tiny ones on the CPU: real composition, verl's own checks."""
    faults: list[str] = []
    seen: dict[str, dict[str, Any]] = {}
    for experiment in sorted(p.stem for p in (CONF / "experiment").glob("*.yaml")):
        own = parse_as(Settings, composed(experiment))
        tiny = isinstance(own.policy, TinyPolicy)
        for name in (own.cluster["name"],) if tiny else CLUSTERS:
            same = name == own.cluster["name"]
            settings = own if same else parse_as(Settings, composed(experiment, f"cluster={name}"))
            try:
                verl = merged_once(settings, seen)
                if tiny:
                    continue
                check_on_cluster(settings, verl)
                check_one_pixel_budget(settings, verl)
                if experiment in EXPERIMENTS:
                    check_papers_numbers(experiment, verl)
            except (ScigenError, AssertionError) as e:
                faults.append(f"{experiment} on {name}: {e}")
    assert faults == []


def test_each_gpu_cluster_is_known_to_the_test_above() -> None:
    assert {p.stem for p in (CONF / "cluster").glob("*.yaml") if "gpu_memory_gb" in p.read_text()} == set(CLUSTERS)


@pytest.mark.slow
def test_verl_finds_the_reward_function_and_the_manager() -> None:
    cfg = OmegaConf.create(merged("nanobanana"))
    from verl.trainer.ppo.reward import get_custom_reward_fn, resolve_reward_manager_cls

    assert get_custom_reward_fn(cfg) is not None
    assert resolve_reward_manager_cls(cfg).__name__ == "RecordingRewardManager"


@pytest.mark.slow
def test_a_key_that_verl_does_not_have_is_an_error_with_the_nearest() -> None:
    with pytest.raises(ScigenError, match="total_training_steps"):
        merged("nanobanana", "++verl.trainer.total_trainig_steps=20")


def test_the_settings_take_every_experiment() -> None:
    for experiment in EXPERIMENTS:
        settings = parse_as(Settings, composed(experiment))
        assert build(settings.filter, "filter").evaluators == tuple(settings.filter["evaluators"])
        assert isinstance(settings.policy, HubPolicy)
        assert settings.trainset.prompt.format(question="How long?").startswith("How long?\n")
        assert r"\boxed{}" in settings.trainset.prompt.format(question="")


def test_the_plan_counts_responses_and_validations() -> None:
    plan = plan_of("nanobanana_filt", sizes())
    assert plan.responses == 200 * 128 * 8 == 204_800
    assert plan.val_responses == (304 + 601) * 4 == 3_620
    assert plan.validations == 11  # before the first step, and after 20, 40, ..., 200
    assert (plan.policy_gpus, plan.verifier_gpus, plan.nodes) == (8, 8, 2)
    assert plan.usd_images == pytest.approx(1400 * 0.134)


def test_the_plan_is_printed_with_its_files() -> None:
    console = Console(width=140, record=True)
    print_plan(plan_of("nanobanana_filt", sizes()), console)
    text = console.export_text()
    evaluate = "evaluators=[judge,inverse] paths.sets"
    for word in (
        "204,800",
        "128 prompts x 8",
        "8,192",
        "AVG@4",
        "0.6",
        "601",
        "CompassVerifier-7B",
        "missing",
        evaluate,
    ):
        assert word in text


def test_without_data_the_error_lists_the_commands_in_order() -> None:
    with pytest.raises(ScigenError) as e:
        require_data(plan_of("nanobanana_filt", sizes()))
    commands = [line.strip() for line in str(e.value).splitlines() if line.startswith("  python")]
    assert commands == [
        "python scripts/curate.py problems=webinstruct_verified model=gemini3_flash paths.sets=outputs/sets",
        "python scripts/generate.py generator=nanobanana_pro problems=curated paths.sets=outputs/sets",
        "python scripts/evaluate.py generator=nanobanana_pro evaluators=[judge,inverse] paths.sets=outputs/sets",
        "python scripts/curate.py benchmark=mathvision_geometry3k paths.sets=outputs/sets",
        "python train.py +experiment=nanobanana_filt",
    ]


def test_what_is_there_is_not_asked_for_and_an_unfinished_set_is(tmp_path: Path) -> None:
    plan = plan_of("nanobanana", sizes(), f"paths.sets={tmp_path}")
    assert [i.what for i in missing_data(plan)] == [
        "problems",
        "verdicts against geometry3k and mathvision",
        "images",
        "benchmark mathvision_mini",
        "benchmark geometry3k",
    ]
    (tmp_path / "problems").mkdir()
    (tmp_path / "problems" / "manifest.json").touch()
    (tmp_path / "contamination").mkdir()
    (tmp_path / "contamination" / "manifest.json").touch()
    (tmp_path / "nanobanana_pro").mkdir()
    (tmp_path / "nanobanana_pro" / "records.jsonl").touch()  # no manifest: still being made
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "geometry3k_test.parquet").touch()
    assert [i.what for i in missing_data(plan)] == ["images", "benchmark mathvision_mini"]


def test_the_baseline_needs_the_benchmarks_alone() -> None:
    plan = plan_of("baseline", sizes(val_only=True))
    assert [i.what for i in plan.experiment.inputs] == ["benchmark mathvision_mini", "benchmark geometry3k"]
    assert (plan.responses, plan.validations, plan.usd_images) == (0, 1, 0)


def test_sizes_that_verl_takes_but_should_not_are_refused() -> None:
    with pytest.raises(ScigenError, match=r"6 GPUs do not divide the 1024 responses.*Use 4 or 8 GPUs"):
        plan_of("nanobanana", sizes(n_gpus_per_node=6))
    shared = sizes()
    shared["reward"]["reward_model"]["enable_resource_pool"] = False
    with pytest.raises(ScigenError, match="enable_resource_pool"):
        plan_of("nanobanana", shared)


def test_a_train_set_smaller_than_a_batch_is_refused(tmp_path: Path) -> None:
    require_rows(tmp_path, 128, 128)
    with pytest.raises(ScigenError, match=r"127 training rows are fewer than one batch of 128.*milder filter"):
        require_rows(tmp_path, 127, 128)


def test_any_generator_can_feed_an_experiment() -> None:
    plan = plan_of("nanobanana", sizes(), "generator=procedural")
    (images,) = [i for i in plan.experiment.inputs if i.what == "images"]
    assert images.path == Path("outputs/sets/procedural")
    assert "generator=procedural" in images.command


def test_the_estimate_is_the_arithmetic_that_it_says() -> None:
    assumed = Assumptions(
        parameters=1e9,
        mean_prompt_tokens=500,
        mean_response_tokens=1500,
        flops_per_gpu=1e15,
        utilisation=0.5,
        decode_tokens_per_gpu_s=1000,
        decode_tokens_per_sequence_s=100,
        overhead_s=6,
        checkpoint_s=50,
        usd_per_gpu_hour=2,
    )
    done = estimate(
        steps=10,
        responses_per_step=1000,
        max_response=8000,
        validations=2,
        responses_per_validation=400,
        checkpoints=2,
        policy_gpus=10,
        gpus=12,
        assumed=assumed,
    )
    # sampling 1000 x 1500 / (10 x 1000) = 150 s; training 12 x 1e9 x 2e6 / (10 x 0.5e15) = 4.8 s; overhead 6 s
    assert done.step_s == pytest.approx(160.8)
    # a validation takes 60 s by throughput, but its longest response takes 8000 / 100 = 80 s
    assert done.validation_s == pytest.approx(80)
    assert done.hours == pytest.approx((1608 + 160 + 100) / 3600)
    assert done.gpu_hours == pytest.approx(12 * done.hours)
    assert done.usd == pytest.approx(2 * done.gpu_hours)


@pytest.mark.parametrize(
    ("steps", "every", "first", "times"),
    [(200, 20, True, 11), (200, 30, False, 7), (200, -1, True, 1), (5, 20, True, 2)],
)
def test_how_often_verl_validates(steps: int, every: int, first: bool, times: int) -> None:
    assert validations_in(steps, every, first) == times


@pytest.mark.slow
def test_the_plan_command_puts_clusters_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    from scigen.app.plan import main

    assert main(["+experiment=nanobanana_filt", "cluster=1x8,4x8"]) == 0
    text = capsys.readouterr().out
    for word in ("1x8", "4x8", "policy GPU, update", "verifier GPU", "477,876", "GPU-hours", "4x8: fits"):
        assert word in text
    assert main(["+experiment=nanobanana_filt", "verl.actor_rollout_ref.rollout.gpu_memory_utilization=0.9"]) == 1
    assert "2x8: sampling: 87.2 of 80 GB a GPU" in " ".join(capsys.readouterr().out.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["+experiment=tiny"], "a tiny policy, trained on a CPU"),
        (["+experiment=nanobanana", "cluster=3x8"], 'no "cluster/3x8"'),
        (["+experiment=nanobanana", "verl.data.train_batch_size=100"], "train_batch_size = 100 is not a multiple"),
        (["+experiment=nanobanana", "verl.data.max_response_length=16384"], "12288 tokens are less than one sequence"),
        (["+experiment=nanobanana", "policy.pixels.max_pixels=1048576"], "is not policy.pixels"),
        (["+experiment=nanobanana", "policy.pixels.max_pixels=70000"], "at least 4 x min_pixels"),
        (["+experiment=nanobanana", "policy.model=Qwen/Qwen3-VL-9B"], "its shape is not known"),
    ],
)
def test_a_plan_that_cannot_be_made_is_an_error(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from scigen.app.plan import main

    assert main(arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_a_dry_run_shows_the_same_memory(capsys: pytest.CaptureFixture[str]) -> None:
    train.run(composed("nanobanana_filt", "dry_run=true"))
    text = " ".join(capsys.readouterr().out.split())
    for word in ("plan of nanobanana_filt", "memory by arithmetic", "policy GPU, update", "2x8: fits"):
        assert word in text
    train.run(composed("nanobanana_filt", "dry_run=true", "policy.model=Qwen/Qwen3-VL-9B"))
    assert "memory: not known" in capsys.readouterr().out
