"""Memory of a training run on GPUs, phase by phase, by arithmetic from verl's merged config and the models' shapes.

What is held is what verl 0.9.1's FSDP2 engine and its vLLM rollout hold (the functions say where); what cannot be
derived is an assumption with a name. Nothing here was measured on a GPU: expect a tenth either way, and more where
the assumptions are wrong for a machine. GB are 10^9 bytes. Time and cost are `run_estimate`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scigen.errors import ScigenError
from scigen.training import passing_memory
from scigen.training.memory_warnings import warnings_of
from scigen.training.model_shape import BF16, ModelShape, shape_of
from scigen.training.run_estimate import Assumptions

GB = 1e9
FP32 = 4
BYTES = {"fp32": FP32, "float32": FP32, "bf16": BF16, "bfloat16": BF16, "fp16": BF16, "float16": BF16}


@dataclass(frozen=True)
class MemoryAssumptions:
    """What neither config nor shape says. None is a measurement of this project."""

    context_gb: float = 2.0
    """CUDA contexts and NCCL buffers of trainer and sampler together."""
    asleep_gb: float = 2.0
    """What vLLM keeps while it sleeps (level 2): CUDA graphs and workspaces."""
    engine_gb: float = 4.0
    """vLLM's activations, vision tower's profile and CUDA graphs inside its share."""
    host_gb: float = 40.0
    """Ray, data loaders and rollouts in the main memory of a node."""
    usable: float = 0.95
    """Of a GPU's or a node's memory, before fragmentation is expected to end the run."""


@dataclass(frozen=True)
class Phase:
    """What one GPU holds in one phase, in bytes by name."""

    name: str
    parts: Mapping[str, float]

    @property
    def total(self) -> float:
        return sum(self.parts.values())


@dataclass(frozen=True)
class Cache:
    """A vLLM replica's KV cache."""

    gpus: int
    tokens: int
    """That it holds, on all its GPUs."""
    at_full_length: int
    """Sequences of the greatest length that fit at once."""
    at_mean_length: int
    """Sequences of the length that `run_estimate` assumes."""
    at_once: int
    """Sequences that the engine takes at once (max_num_seqs)."""
    longest: int
    """Tokens of the greatest sequence that the engine admits (max_model_len)."""


@dataclass(frozen=True)
class MemoryPlan:
    """The run's memory."""

    policy: ModelShape
    verifier: ModelShape | None
    gpu_gb: float
    host_gb: float | None
    """Of a node; None where the cluster's config does not say."""
    phases: tuple[Phase, ...]
    """Of one policy GPU: sampling, log-probs, update; sampling alone where nothing is trained."""
    judging: Phase | None
    """Of one verifier GPU."""
    cache: Cache
    verifier_cache: Cache | None
    host: Phase
    """Of one policy node."""
    checkpoint: float
    """Bytes of one checkpoint, on all nodes together."""
    checkpoints: int
    """On disk at a time, while one is being written."""
    tokens_a_step: int
    """At most: every prompt and response at its greatest length."""
    warnings: tuple[str, ...] = field(default=())


def memory_plan(
    verl: Mapping[str, Any],
    cluster: Mapping[str, Any],
    most_image_tokens: int | None = None,
    assumed: MemoryAssumptions | None = None,
) -> MemoryPlan:
    """Memory of the run that `verl`'s merged config describes, on GPUs of `cluster.gpu_memory_gb`.

    `most_image_tokens` is the pixel budget's, of one image; without one every prompt token may be an image's.

    Raises ScigenError for a model whose shape is not known and a cluster that does not say its GPUs' memory.
    """
    assumed = assumed or MemoryAssumptions()
    if "gpu_memory_gb" not in cluster:
        raise ScigenError(f'cluster "{cluster.get("name")}": no gpu_memory_gb. Write the memory of one GPU, in GB.')
    gpu_gb = float(cluster["gpu_memory_gb"])
    actor_rollout, reward = verl["actor_rollout_ref"], verl["reward"]["reward_model"]
    policy = shape_of(actor_rollout["model"]["path"])
    verifier = shape_of(reward["model_path"]) if reward["enable"] else None
    vision = 0.0 if policy.vision is None else min(1.0, (most_image_tokens or 1e9) / verl["data"]["max_prompt_length"])
    data = verl["data"]
    longest = data["max_prompt_length"] + data["max_response_length"]
    plan = MemoryPlan(
        policy=policy,
        verifier=verifier,
        gpu_gb=gpu_gb,
        host_gb=cluster.get("host_memory_gb"),
        phases=_phases(verl, policy, vision, gpu_gb, assumed),
        judging=None if verifier is None else Phase("judging", _engine(verifier, reward["rollout"], gpu_gb, assumed)),
        cache=_cache(policy, actor_rollout["rollout"], longest, gpu_gb, assumed),
        verifier_cache=None
        if verifier is None
        else _cache(verifier, reward["rollout"], reward["rollout"]["max_model_len"] or 0, gpu_gb, assumed),
        host=_host(verl, policy, assumed),
        checkpoint=_checkpoint(verl, policy),
        checkpoints=(verl["trainer"].get("max_actor_ckpt_to_keep") or 0) + 1,
        tokens_a_step=data["train_batch_size"] * actor_rollout["rollout"]["n"] * longest,
    )
    return MemoryPlan(**{**vars(plan), "warnings": tuple(warnings_of(plan, verl, assumed))})


def _phases(
    verl: Mapping[str, Any], shape: ModelShape, vision: float, gpu_gb: float, assumed: MemoryAssumptions
) -> tuple[Phase, ...]:
    """One policy GPU. Weights are kept in `model_dtype` and gathered layer by layer in bf16; gradients and Adam's two
    moments have the weights' type. Gradients live from backward to the optimizer's step only."""
    actor, rollout = verl["actor_rollout_ref"]["actor"], verl["actor_rollout_ref"]["rollout"]
    fsdp = actor["fsdp_config"]
    shard = _shard(verl, fsdp, shape)
    weights, adam = shard, 2 * shard
    waits = fsdp["offload_policy"]
    idle_weights = 0.0 if fsdp["param_offload"] or waits else weights
    idle_adam = 0.0 if fsdp["optimizer_offload"] or waits else adam
    held = 0.0 if waits else weights
    context, asleep = assumed.context_gb * GB, assumed.asleep_gb * GB
    token_limit = _tokens(actor, "ppo_max_token_len_per_gpu", verl)
    probs_limit = _tokens(rollout, "log_prob_max_token_len_per_gpu", verl)
    sampling = {"weights": idle_weights, "Adam": idle_adam} | _engine(shape, rollout, gpu_gb, assumed)
    sampling |= {"CUDA and NCCL": context}
    if verl["trainer"]["val_only"]:
        return (Phase("sampling", sampling | {"Adam": 0.0}),)  # its moments are made in the first update
    probs = {
        "weights": held, "Adam": idle_adam, "gathered layers": passing_memory.gathered(shape),
        "activations": passing_memory.one_layer(shape, probs_limit),
        "logits": passing_memory.logits(verl, shape, probs_limit, entropy=True),
        "vLLM asleep": asleep, "CUDA and NCCL": context,
    }  # fmt: skip
    checkpointed = verl["actor_rollout_ref"]["model"]["enable_gradient_checkpointing"]
    update = {
        "weights": held, "Adam": 0.0 if waits else adam, "gradients": 0.0 if waits else shard,
        "gathered layers": passing_memory.gathered(shape) + 2 * FP32 * shape.layer,
        "activations": passing_memory.activations(shape, token_limit, checkpointed),
        "vision tower": passing_memory.vision_tower(shape, token_limit, vision),
        "logits": passing_memory.logits(verl, shape, token_limit, entropy=bool(actor["entropy_coeff"]))
        + passing_memory.head_gradient(shape),
        "vLLM asleep": asleep, "CUDA and NCCL": context,
    }  # fmt: skip
    return (
        Phase("sampling", sampling),
        Phase("log-probs", probs),
        Phase("update", update),
    )


def _shard(verl: Mapping[str, Any], fsdp: Mapping[str, Any], shape: ModelShape) -> float:
    """Bytes of one copy of all weights on one GPU; fsdp_size -1 shards over all of them."""
    gpus = verl["trainer"]["nnodes"] * verl["trainer"]["n_gpus_per_node"]
    ranks = fsdp["fsdp_size"] if fsdp["fsdp_size"] > 0 else gpus
    return float(shape.parameters * BYTES[fsdp["model_dtype"] or "fp32"] / ranks)


def _tokens(node: Mapping[str, Any], key: str, verl: Mapping[str, Any]) -> int:
    """Tokens of one micro-batch: the dynamic limit, or that many sequences of the greatest length."""
    if node.get("use_dynamic_bsz", node.get("log_prob_use_dynamic_bsz")):
        return int(node[key])
    size = node.get("ppo_micro_batch_size_per_gpu") or node.get("log_prob_micro_batch_size_per_gpu") or 1
    return int(size) * int(verl["data"]["max_prompt_length"] + verl["data"]["max_response_length"])


def _engine(
    shape: ModelShape, rollout: Mapping[str, Any], gpu_gb: float, assumed: MemoryAssumptions
) -> dict[str, float]:
    """vLLM's share of one GPU: weights in bf16 at TP, what it needs to run, and the rest as cache."""
    share = rollout["gpu_memory_utilization"] * gpu_gb * GB
    weights = BF16 * shape.parameters / rollout["tensor_model_parallel_size"]
    engine = assumed.engine_gb * GB
    return {"vLLM weights": weights, "vLLM engine": engine, "KV cache": max(0.0, share - weights - engine)}


def _cache(
    shape: ModelShape, rollout: Mapping[str, Any], longest: int, gpu_gb: float, assumed: MemoryAssumptions
) -> Cache:
    """Heads are spread over the GPUs of a replica, so that it holds the sum of their caches."""
    gpus = rollout["tensor_model_parallel_size"]
    room = _engine(shape, rollout, gpu_gb, assumed)["KV cache"] * gpus
    tokens = int(room // (shape.kv_bytes * max(1, gpus // shape.kv_heads)))
    return Cache(
        gpus=gpus,
        tokens=tokens,
        at_full_length=tokens // longest if longest else 0,
        at_mean_length=tokens // Assumptions().mean_tokens,
        at_once=rollout["max_num_seqs"],
        longest=rollout["max_model_len"] or shape.context,
    )


def _host(verl: Mapping[str, Any], shape: ModelShape, assumed: MemoryAssumptions) -> Phase:
    """One policy node: what is kept off its GPUs, and the greater of two passing needs: rank 0 reads the whole model
    in fp32, or a checkpoint's shards are gathered in main memory. The reference policy is always kept here (FSDP2's
    CPU offload, pinned, in verl's engines that only go forward)."""
    nodes = verl["trainer"]["nnodes"]
    actor = verl["actor_rollout_ref"]["actor"]
    fsdp, ref = actor["fsdp_config"], verl["actor_rollout_ref"]["ref"]["fsdp_config"]
    size, p = BYTES[fsdp["model_dtype"] or "fp32"], shape.parameters
    needs_ref = actor["use_kl_loss"] or verl["algorithm"]["use_kl_in_reward"]
    off = fsdp["offload_policy"]
    parts = {
        "reference policy": BYTES[ref["model_dtype"] or "bf16"] * p / nodes if needs_ref else 0.0,
        "Adam": 2 * size * p / nodes if fsdp["optimizer_offload"] or off else 0.0,
        "weights": size * p / nodes if fsdp["param_offload"] or off else 0.0,
        "reading, or a checkpoint": max(FP32 * p, _checkpoint(verl, shape) / nodes),
        "Ray and data": assumed.host_gb * GB,
    }
    return Phase("main memory of a policy node", parts)


def _checkpoint(verl: Mapping[str, Any], shape: ModelShape) -> float:
    """verl saves the shards as they are: weights, Adam, and the model once more for transformers if asked to."""
    if verl["trainer"]["val_only"]:
        return 0.0
    actor = verl["actor_rollout_ref"]["actor"]
    size, saved = BYTES[actor["fsdp_config"]["model_dtype"] or "fp32"], actor["checkpoint"]["save_contents"]
    copies = size * ("model" in saved) + 2 * size * ("optimizer" in saved) + BF16 * ("hf_model" in saved)
    return float(copies * shape.parameters)
