"""What a memory plan says against the run, in words, each with what to change. Warnings: the run may be started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scigen.training.memory_plan import Cache, MemoryAssumptions, MemoryPlan

GB = 1e9
PROMPT_TOKENS = 2048
"""Of a verifier's prompt beside the response, at most."""


def warnings_of(plan: MemoryPlan, verl: Mapping[str, Any], assumed: MemoryAssumptions) -> Iterator[str]:
    """One sentence a fault, the gravest first."""
    yield from _fused_head(plan, verl)
    yield from _phases(plan, assumed)
    yield from _engine(plan, verl)
    yield from _verifier(plan, verl)
    if plan.host_gb is not None and plan.host.total > plan.host_gb * GB * assumed.usable:
        yield (
            f"main memory: a policy node needs {plan.host.total / GB:,.0f} of {plan.host_gb:,.0f} GB. Leave Adam on "
            "the GPUs (actor.fsdp_config.optimizer_offload=false), or spread the policy over more nodes."
        )


def _fused_head(plan: MemoryPlan, verl: Mapping[str, Any]) -> Iterator[str]:
    model, actor = verl["actor_rollout_ref"]["model"], verl["actor_rollout_ref"]["actor"]
    options = model.get("fused_kernel_options") or {}
    backend = options.get("impl_backend")
    if model["use_fused_kernels"] and actor["strategy"] == "fsdp2" and not plan.policy.tied and backend == "torch":
        yield (
            "use_fused_kernels: verl 0.9.1 shards a head that is not tied by itself and hands the fused loss fp32 "
            "weights with bf16 activations; the first update ends with a type error. Set "
            "verl.actor_rollout_ref.model.use_fused_kernels=false."
        )


def _phases(plan: MemoryPlan, assumed: MemoryAssumptions) -> Iterator[str]:
    mends = {
        "sampling": "lower rollout.gpu_memory_utilization, or set actor.fsdp_config.optimizer_offload=true",
        "log-probs": "lower rollout.log_prob_max_token_len_per_gpu, or set "
        "actor.entropy_from_logits_with_chunking=true",
        "update": "lower actor.ppo_max_token_len_per_gpu, set actor.fsdp_config.offload_policy=true, or take more "
        "policy GPUs",
        "judging": "lower reward_model.rollout.gpu_memory_utilization",
    }
    for phase in (*plan.phases, *([plan.judging] if plan.judging else [])):
        if phase.total > plan.gpu_gb * GB * assumed.usable:
            largest = max(phase.parts, key=lambda k: phase.parts[k])
            yield (
                f"{phase.name}: {phase.total / GB:.1f} of {plan.gpu_gb:.0f} GB a GPU, the most for {largest} "
                f"({phase.parts[largest] / GB:.1f}). It will not fit: {mends[phase.name]}."
            )


def _engine(plan: MemoryPlan, verl: Mapping[str, Any]) -> Iterator[str]:
    rollout, data = verl["actor_rollout_ref"]["rollout"], verl["data"]
    longest = data["max_prompt_length"] + data["max_response_length"]
    heads = {"policy": (plan.policy, plan.cache.gpus)}
    if plan.verifier and plan.verifier_cache:
        heads["verifier"] = (plan.verifier, plan.verifier_cache.gpus)
    for whose, (shape, gpus) in heads.items():
        if shape.heads % gpus or (shape.kv_heads % gpus and gpus % shape.kv_heads):
            yield (
                f"{whose}: tensor_model_parallel_size={gpus} does not divide {shape.heads} heads and {shape.kv_heads} "
                "KV heads, and vLLM will not start. Use a divisor of both."
            )
    yield from _too_small(plan.cache, "policy", "rollout")
    if plan.verifier_cache:
        yield from _too_small(plan.verifier_cache, "verifier", "reward_model.rollout")
    if rollout["max_model_len"] is None and plan.policy.context > longest:
        yield (
            f"rollout.max_model_len is not set: vLLM then wants room for a sequence of {plan.policy.context:,} tokens, "
            f"and the longest here has {longest:,}. Set it to {longest}."
        )
    replicas = verl["trainer"]["nnodes"] * verl["trainer"]["n_gpus_per_node"] // plan.cache.gpus
    each = -(-data["train_batch_size"] * rollout["n"] // max(1, replicas))
    if min(each, plan.cache.at_mean_length) > plan.cache.at_once:
        yield (
            f"sampling: a replica gets {each} of a step's sequences and its cache holds {plan.cache.at_mean_length} of "
            f"the length assumed, but it takes only {plan.cache.at_once} at once. Raise rollout.max_num_seqs."
        )


def _verifier(plan: MemoryPlan, verl: Mapping[str, Any]) -> Iterator[str]:
    if plan.verifier is None or plan.verifier_cache is None:
        return
    context, response = plan.verifier_cache.longest, verl["data"]["max_response_length"]
    if context > plan.verifier.context:
        yield (
            f"verifier: reward_model.rollout.max_model_len={context} is more than the model's {plan.verifier.context} "
            "tokens, and vLLM will not start. Lower it."
        )
    if context < response + PROMPT_TOKENS:
        yield (
            f"verifier: {context} tokens of context are less than a response of {response} and {PROMPT_TOKENS} for "
            "question, reference and instructions, so the longest responses are judged by their end alone. Raise "
            "reward_model.rollout.max_model_len, or shorten data.max_response_length."
        )


def _too_small(cache: Cache, whose: str, where: str) -> Iterator[str]:
    if cache.tokens < cache.longest:
        yield (
            f"{whose}: the cache holds {cache.tokens:,} tokens, less than one sequence of {cache.longest:,}, and vLLM "
            f"will not start. Raise {where}.gpu_memory_utilization or tensor_model_parallel_size, or lower "
            f"{where}.max_model_len."
        )
