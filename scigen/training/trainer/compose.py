"""verl's own config with ours merged over it. No GPU, no weights and no process are needed.

verl's config tree cannot be mounted inside another Hydra config (its interpolations break, some in silence), so it is
composed by itself and our plain mapping is merged over the result.
"""

from __future__ import annotations

import contextlib
import copy
import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from scigen import torchvision_shim
from scigen.errors import ScigenError, nearest
from scigen.training.verifier.settings import of_config


def compose(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """verl's `ppo_trainer` config with `overrides` (a nested mapping) merged over it, every interpolation resolved.

    A key that verl does not have is an error, except where verl itself takes free keys: below a mapping that is empty
    in its config (override_config, engine_kwargs.vllm, reward_kwargs...), a field of the dataclass that the mapping is
    made into (agent.agent_loop_manager_class), and the arguments of ray.init.

    Raises ScigenError naming the key and the nearest valid ones.
    """
    from omegaconf import OmegaConf, open_dict
    from omegaconf.errors import OmegaConfBaseException

    base = _base()
    _check_keys(OmegaConf.to_container(base, resolve=False), overrides, "")
    try:
        with open_dict(base):
            merged = OmegaConf.merge(base, copy.deepcopy(dict(overrides)))
        resolved = OmegaConf.to_container(merged, resolve=True)
    except OmegaConfBaseException as e:
        raise ScigenError(f"verl.{getattr(e, 'full_key', '') or ''}: {str(e).splitlines()[0]}") from e
    assert isinstance(resolved, dict)
    return {str(k): v for k, v in resolved.items()}


@cache
def _base() -> Any:
    """verl's own `ppo_trainer`, composed once a process; nothing changes it."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_module

    torchvision_shim.install()  # verl's config classes import transformers' processors
    with _own_hydra(), initialize_config_module("verl.trainer.config", version_base=None):
        return hydra_compose("ppo_trainer")


@contextmanager
def _own_hydra() -> Iterator[None]:
    """Hydra keeps one global state; put an outer `@hydra.main`'s aside and back."""
    from hydra.core.global_hydra import GlobalHydra

    outer = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = outer


def _check_keys(base: Any, overrides: Mapping[str, Any], where: str) -> None:
    free = _free_keys(base, where)
    for key, value in overrides.items():
        path = f"{where}{key}"
        if key not in base and free is not None and key not in free:
            raise ScigenError(f"verl.{path}: verl has no such key ({nearest(str(key), set(base) | free)}).")
        below = base.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            _check_keys(below, value, f"{path}.")
        elif isinstance(below, Mapping) and below and value is not None:
            raise ScigenError(f"verl.{path}: takes a mapping with {', '.join(map(str, below))}, not {value!r}.")


def _free_keys(base: Mapping[str, Any], where: str) -> set[str] | None:
    """Keys that verl takes here beyond those in its file; None means any."""
    if not base:
        return None
    if where == "ray_kwargs.ray_init.":
        import inspect

        import ray

        return set(inspect.signature(ray.init).parameters) - {"kwargs"}
    if where == "reward.custom_reward_function.":
        return {"reward_kwargs"}
    target = base.get("_target_")
    if isinstance(target, str):
        import dataclasses
        import importlib

        module, _, name = target.rpartition(".")
        cls = getattr(importlib.import_module(module), name)
        if dataclasses.is_dataclass(cls):
            return {f.name for f in dataclasses.fields(cls)}
    return set()


def validate(config: Mapping[str, Any], gpu: bool) -> None:
    """Refuse a composed config that verl would refuse later, or not at all; no GPU and no weights are needed.

    `gpu` says where it is to run: on a CPU only this project's rollout works, and on GPUs it does not.

    Raises ScigenError naming the key.
    """
    from omegaconf import OmegaConf

    torchvision_shim.install()
    tree = OmegaConf.create(dict(config))
    missing = sorted(k for k in OmegaConf.missing_keys(tree) if _is_used(tree, k))
    if missing:
        raise ScigenError(f"verl.{missing[0]}: must be set ({len(missing)} missing: {', '.join(missing)}).")
    _check_rollout(tree, gpu)
    _check_estimator(tree)
    _check_batches(tree)
    _check_lengths(tree)
    _check_slots(tree)
    of_config(config)
    _verl_checks(tree)


def _is_used(tree: Any, key: str) -> bool:
    if key.startswith("critic."):
        return bool(tree.algorithm.adv_estimator == "gae")
    return not key.startswith("reward.reward_model.") or bool(tree.reward.reward_model.enable)


def _check_rollout(tree: Any, gpu: bool) -> None:
    name = tree.actor_rollout_ref.rollout.name
    if (name == "transformers_cpu") == gpu:
        where = "a CPU-only rollout, but this run is for GPUs" if gpu else "not a rollout for CPUs"
        mend = "vllm or sglang" if gpu else "transformers_cpu"
        raise ScigenError(f'verl.actor_rollout_ref.rollout.name: "{name}" is {where}. Set it to {mend}.')


def _check_estimator(tree: Any) -> None:
    from verl.trainer.ppo.core_algos import ADV_ESTIMATOR_REGISTRY

    known = {getattr(k, "value", str(k)) for k in ADV_ESTIMATOR_REGISTRY} | {"gae"}
    name = str(tree.algorithm.adv_estimator)
    if name not in known:
        raise ScigenError(f'verl.algorithm.adv_estimator: verl has no "{name}" ({nearest(name, known)}).')


def _check_batches(tree: Any) -> None:
    """verl pads a batch that does not divide, or stops in the middle of a run; a plan that divides needs neither."""
    actor, rollout, trainer = tree.actor_rollout_ref.actor, tree.actor_rollout_ref.rollout, tree.trainer
    gpus = trainer.n_gpus_per_node * trainer.nnodes
    batch, mini, n = tree.data.train_batch_size, actor.ppo_mini_batch_size, rollout.n
    replica = rollout.tensor_model_parallel_size * rollout.data_parallel_size * rollout.pipeline_model_parallel_size
    ranks = gpus // (actor.get("ulysses_sequence_parallel_size") or 1)
    rules = [
        (batch, mini, "data.train_batch_size", "actor_rollout_ref.actor.ppo_mini_batch_size"),
        (mini * n, ranks, "actor.ppo_mini_batch_size x rollout.n", "the data-parallel ranks (GPUs / ulysses size)"),
        (gpus, replica, "trainer.n_gpus_per_node x nnodes", "the GPUs of one rollout replica (TP x DP x PP)"),
    ]
    micro = actor.ppo_micro_batch_size_per_gpu
    if not actor.use_dynamic_bsz and micro:
        rules.append((mini * n // max(ranks, 1), micro, "the mini-batch of one rank", "ppo_micro_batch_size_per_gpu"))
    if tree.reward.reward_model.enable and tree.reward.reward_model.enable_resource_pool:
        judge = tree.reward.reward_model
        held, one = judge.nnodes * judge.n_gpus_per_node, judge.rollout.tensor_model_parallel_size
        rules.append((held, one, "reward.reward_model.n_gpus_per_node x nnodes", "the GPUs of one verifier (its TP)"))
    for whole, part, what, by in rules:
        if part < 1 or whole % part:
            raise ScigenError(f"verl: {what} = {whole} is not a multiple of {by} = {part}. Change one of them.")


def _check_slots(tree: Any) -> None:
    """verl finds out that Ray has too few GPUs, or slots that stand for them, only when Ray is up."""
    judge, slots = tree.reward.reward_model, tree.ray_kwargs.ray_init.get("num_gpus")
    wanted = tree.trainer.nnodes * tree.trainer.n_gpus_per_node
    if judge.enable and judge.enable_resource_pool:
        wanted += judge.nnodes * judge.n_gpus_per_node
    if slots is not None and slots < wanted:
        raise ScigenError(
            f"verl.ray_kwargs.ray_init.num_gpus: {slots}, but the policy and its verifier ask for {wanted}. Set it to "
            f"{wanted}, or to null for what the machine has."
        )


def _check_lengths(tree: Any) -> None:
    """A limit below the longest sequence stops verl in the middle of a step, or cuts responses in silence."""
    policy, data = tree.actor_rollout_ref, tree.data
    longest = data.max_prompt_length + data.max_response_length
    ulysses = policy.actor.get("ulysses_sequence_parallel_size") or 1
    limits = {"rollout.max_model_len": policy.rollout.max_model_len}
    if policy.actor.use_dynamic_bsz:
        limits["actor.ppo_max_token_len_per_gpu"] = policy.actor.ppo_max_token_len_per_gpu * ulysses
    for name in ("rollout", "ref"):
        if policy[name].log_prob_use_dynamic_bsz:
            key = f"{name}.log_prob_max_token_len_per_gpu"
            limits[key] = policy[name].log_prob_max_token_len_per_gpu * ulysses
    for key, limit in limits.items():
        if limit is not None and limit < longest:
            raise ScigenError(
                f"verl.actor_rollout_ref.{key}: {limit} tokens are less than one sequence (prompt + response = "
                f"{longest}). Raise it, or shorten data.max_response_length."
            )


def _verl_checks(tree: Any) -> None:
    from omegaconf import OmegaConf
    from verl.trainer.ppo.reward import resolve_reward_manager_cls
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import omega_conf_to_dataclass, validate_config
    from verl.utils.import_utils import load_extern_object

    typed = (
        "actor_rollout_ref.actor",
        "actor_rollout_ref.actor.optim",
        "actor_rollout_ref.actor.fsdp_config",
        "actor_rollout_ref.rollout",
        "actor_rollout_ref.rollout.checkpoint_engine",
        "algorithm",
    )
    where = "verl"
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that GRPO has no critic
            validate_config(config=tree, use_reference_policy=need_reference_policy(tree), use_critic=need_critic(tree))
            for key in typed:
                where = f"verl.{key}"
                omega_conf_to_dataclass(OmegaConf.select(tree, key))
            where = "verl.reward.reward_manager"
            resolve_reward_manager_cls(tree)
            function = tree.reward.custom_reward_function
            if function.path:
                where = "verl.reward.custom_reward_function"
                load_extern_object(function.path, function.name)
            if tree.reward.reward_model.enable:
                where = "verl.reward.reward_model.rollout"
                omega_conf_to_dataclass(tree.reward.reward_model.rollout)
    except Exception as e:  # verl raises all kinds here
        raise ScigenError(f"{where}: refused by verl: {str(e).strip() or type(e).__name__}") from e
