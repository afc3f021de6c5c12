"""Our keys are merged over verl's own config: typos are named, and what verl would refuse late is refused at once."""

import copy

import pytest

from scigen.errors import ScigenError
from scigen.training.trainer.compose import compose, validate

GPU = {
    "algorithm": {"adv_estimator": "grpo"},
    "data": {
        "train_files": "train.parquet",
        "val_files": "val.parquet",
        "train_batch_size": 128,
        "max_prompt_length": 4096,
        "max_response_length": 8192,
        "image_key": "images",
    },
    "actor_rollout_ref": {
        "model": {"path": "Qwen/Qwen3-VL-8B-Instruct", "use_remove_padding": True},
        "actor": {"strategy": "fsdp2", "ppo_mini_batch_size": 128, "use_dynamic_bsz": True, "use_kl_loss": True},
        "ref": {"log_prob_use_dynamic_bsz": True},
        "rollout": {"name": "vllm", "n": 8, "tensor_model_parallel_size": 2, "log_prob_use_dynamic_bsz": True},
    },
    "reward": {
        "custom_reward_function": {"path": "pkg://scigen.training.reward", "name": "compute_score"},
        "reward_manager": {
            "source": "importlib",
            "name": "RecordingRewardManager",
            "module": {"path": "pkg://scigen.training.trainer.reward_manager"},
        },
        "reward_model": {
            "enable": True,
            "enable_resource_pool": True,
            "n_gpus_per_node": 8,
            "nnodes": 1,
            "model_path": "opencompass/CompassVerifier-7B",
            "rollout": {"name": "vllm", "tensor_model_parallel_size": 1, "max_model_len": 16384},
        },
    },
    "trainer": {"n_gpus_per_node": 8, "nnodes": 2, "total_training_steps": 200},
}


def put(config, key, value):
    config = copy.deepcopy(config)
    *path, last = key.split(".")
    below = config
    for part in path:
        below = below.setdefault(part, {})
    below[last] = value
    return config


def test_the_production_config_needs_no_gpu_and_no_weights():
    config = compose(GPU)
    validate(config, gpu=True)
    # our values, verl's interpolations on them, and verl's defaults
    assert config["actor_rollout_ref"]["rollout"]["response_length"] == 8192
    assert config["trainer"]["critic_warmup"] == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("trainer.save_frq", r"verl\.trainer\.save_frq: .*save_freq"),
        ("actor_rollout_ref.rollout.agent.num_wrkers", r"rollout\.agent\.num_wrkers: .*num_workers"),
        ("ray_kwargs.ray_init.num_gpu", r"ray_init\.num_gpu: .*num_gpus"),
        ("actor_rolout_ref", r"verl\.actor_rolout_ref: .*actor_rollout_ref"),
        ("trainer", r"verl\.trainer: takes a mapping"),
    ],
)
def test_an_unknown_key_is_named_with_its_neighbours(key, message):
    with pytest.raises(ScigenError, match=message):
        compose(put(GPU, key, 1))


@pytest.mark.slow
@pytest.mark.parametrize(
    "key",
    [
        "actor_rollout_ref.model.override_config.attn_implementation",
        "actor_rollout_ref.rollout.engine_kwargs.vllm.anything",
        "actor_rollout_ref.rollout.agent.agent_loop_manager_class",
        "reward.custom_reward_function.reward_kwargs.model",
        "ray_kwargs.ray_init.num_gpus",
    ],
)
def test_keys_that_verl_takes_but_does_not_list(key):
    config = compose(put(GPU, key, "x"))
    for part in key.split("."):
        config = config[part]
    assert config == "x"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("algorithm.adv_estimator", "grppo", r"adv_estimator: .*\"grppo\" .*grpo"),
        ("data.train_batch_size", 100, r"train_batch_size = 100 .*ppo_mini_batch_size = 128"),
        ("trainer.n_gpus_per_node", 3, r"1024 is not a multiple of .* = 6"),
        ("actor_rollout_ref.rollout.tensor_model_parallel_size", 3, r"16 is not a multiple of .* = 3"),
        ("actor_rollout_ref.rollout.name", "transformers_cpu", r"rollout\.name: .*vllm"),
        ("actor_rollout_ref.rollout.mode", "sync", r"rollout: refused by verl"),
        (
            "actor_rollout_ref.actor.ppo_max_token_len_per_gpu",
            12287,
            r"12287 tokens are less than one sequence",
        ),
        (
            "actor_rollout_ref.rollout.log_prob_max_token_len_per_gpu",
            8192,
            r"rollout\.log_prob_max\w+: 8192",
        ),
        (
            "actor_rollout_ref.ref.log_prob_max_token_len_per_gpu",
            8192,
            r"ref\.log_prob_max.*response = 12288",
        ),
        ("actor_rollout_ref.rollout.max_model_len", 8192, r"rollout\.max_model_len: 8192 .*Raise it"),
        ("reward.reward_model.rollout.tensor_model_parallel_size", 3, r"8 is not a multiple of .* verifier .* = 3"),
        ("ray_kwargs.ray_init.num_gpus", 23, r"num_gpus: 23, .* ask for 24"),
        ("reward.custom_reward_function.name", "no_such", r"custom_reward_function: refused by verl"),
        ("reward.reward_manager.name", "NoSuch", r"reward_manager: refused by verl"),
    ],
)
def test_a_plan_that_cannot_run_is_refused(key, value, message):
    with pytest.raises(ScigenError, match=message):
        validate(compose(put(GPU, key, value)), gpu=True)


@pytest.mark.slow
def test_a_gpu_rollout_is_refused_on_a_cpu():
    with pytest.raises(ScigenError, match=r'rollout\.name: "vllm" .*transformers_cpu'):
        validate(compose(GPU), gpu=False)


@pytest.mark.slow
def test_an_outer_hydra_is_left_as_it_was():
    from hydra import compose as hydra_compose
    from hydra import initialize_config_module
    from hydra.core.global_hydra import GlobalHydra

    with initialize_config_module("verl.trainer.config", version_base=None):
        before = GlobalHydra.instance().hydra
        compose(GPU)
        assert GlobalHydra.instance().hydra is before
        assert hydra_compose("ppo_trainer").trainer.critic_warmup == 0
