"""The paper's experiments: they compose, merge into the installed verl without a GPU, and have the paper's numbers."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf
from rich.console import Console

from scigen.errors import ScigenError
from scigen.training.experiment_plan import Plan, describe_experiment, make_plan, missing_data, require_data
from scigen.training.plan_table import print_plan
from scigen.training.run_estimate import Assumptions, estimate, validations_in

CONF = Path(__file__).parents[2] / "conf"
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
def composed(experiment: str, *overrides: str) -> dict[str, Any]:
    """The experiment's whole configuration as a plain mapping, resolved."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = OmegaConf.to_container(compose("train", [f"+experiment={experiment}", *overrides]), resolve=True)
    assert isinstance(cfg, dict)
    return cfg


@cache
def merged(experiment: str, *overrides: str) -> dict[str, Any]:
    """Its `verl` node merged over the installed verl's own configuration."""
    from scigen.training.torchvision_shim import install
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


@pytest.mark.slow
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_it_merges_into_the_installed_verl_with_the_papers_numbers(experiment: str) -> None:
    verl = merged(experiment)
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


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Disabled critic")
@pytest.mark.parametrize("cluster", CLUSTERS)
def test_verl_accepts_it_without_a_gpu_on_every_cluster(cluster: str) -> None:
    verl = merged("nanobanana_filt", f"cluster={cluster}")
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import omega_conf_to_dataclass, validate_config

    cfg = OmegaConf.create(verl)
    assert need_reference_policy(cfg), "the KL term needs the reference policy"
    validate_config(cfg, use_reference_policy=True, use_critic=need_critic(cfg))
    for part in ("actor_rollout_ref.actor", "actor_rollout_ref.rollout", "algorithm", "reward.reward_model.rollout"):
        assert omega_conf_to_dataclass(OmegaConf.select(cfg, part)) is not None


@pytest.mark.slow
@pytest.mark.parametrize(("cluster", "policy", "gpus"), [("1x8", 4, 8), ("2x8", 8, 16), ("4x8", 16, 32)])
def test_a_cluster_uses_its_gpus_and_no_more(cluster: str, policy: int, gpus: int) -> None:
    verl = merged("nanobanana", f"cluster={cluster}")
    plan = plan_of("nanobanana", verl, f"cluster={cluster}")
    assert (plan.policy_gpus, plan.policy_gpus + plan.verifier_gpus) == (policy, gpus)
    assert plan.nodes == composed("nanobanana", f"cluster={cluster}")["cluster"]["nodes"]
    assert verl["trainer"]["n_gpus_per_node"] % verl["actor_rollout_ref"]["rollout"]["tensor_model_parallel_size"] == 0


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
    from scigen.app.settings import HubPolicy, Settings, build, parse_as

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
    for word in ("204,800", "128 prompts x 8", "8,192", "AVG@4", "0.6", "601", "CompassVerifier-7B", "missing"):
        assert word in text


def test_without_data_the_error_lists_the_commands_in_order() -> None:
    with pytest.raises(ScigenError) as e:
        require_data(plan_of("nanobanana_filt", sizes()))
    commands = [line.strip() for line in str(e.value).splitlines() if line.startswith("  python")]
    assert commands == [
        "python scripts/curate.py problems=webinstruct_verified paths.sets=outputs/sets",
        "python scripts/generate.py generator=nanobanana_pro paths.sets=outputs/sets",
        "python scripts/evaluate.py generator=nanobanana_pro paths.sets=outputs/sets",
        "python scripts/curate.py benchmark=mathvision_geometry3k paths.sets=outputs/sets",
        "python train.py +experiment=nanobanana_filt",
    ]


def test_what_is_there_is_not_asked_for_and_an_unfinished_set_is(tmp_path: Path) -> None:
    plan = plan_of("nanobanana", sizes(), f"paths.sets={tmp_path}")
    assert [i.what for i in missing_data(plan)] == [
        "problems",
        "images",
        "benchmark mathvision_mini",
        "benchmark geometry3k",
    ]
    (tmp_path / "problems").mkdir()
    (tmp_path / "problems" / "manifest.json").touch()
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
    short = sizes()
    short["actor_rollout_ref"]["actor"]["ppo_max_token_len_per_gpu"] = 12287
    with pytest.raises(ScigenError, match=r"12287 is less than one sequence.*12288"):
        plan_of("nanobanana", short)
    shared = sizes()
    shared["reward"]["reward_model"]["enable_resource_pool"] = False
    with pytest.raises(ScigenError, match="enable_resource_pool"):
        plan_of("nanobanana", shared)


def test_a_generator_without_a_place_for_its_set_says_which_group_to_change() -> None:
    with pytest.raises(ScigenError, match="conf/generator"):
        plan_of("nanobanana", sizes(), "generator=procedural")


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
