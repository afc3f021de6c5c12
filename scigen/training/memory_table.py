"""A memory plan printed for a person: one column a run, so that clusters stand side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from scigen.training.experiment_plan import Plan
from scigen.training.memory_plan import GB, MemoryAssumptions, MemoryPlan, Phase
from scigen.training.run_estimate import Assumptions


def print_memory(plans: Mapping[str, MemoryPlan], console: Console, runs: Mapping[str, Plan] | None = None) -> None:
    """The plans as one table, a column for each name; `runs` adds time and cost. Warnings follow, by name."""
    table = Table(title="memory by arithmetic, in GB (10^9 bytes)", title_justify="left")
    table.add_column("", no_wrap=True)
    for name in plans:
        table.add_column(name, justify="right")
    for section in _sections(list(plans.values()), [runs[name] for name in plans] if runs else []):
        for row in section:
            table.add_row(*row)
        table.add_section()
    console.print(table)
    for name, plan in plans.items():
        for warning in plan.warnings:
            console.print(f"{name}: {warning}", style="yellow", highlight=False)
        if not plan.warnings:
            console.print(f"{name}: fits, by this arithmetic", style="green", highlight=False)
    a = MemoryAssumptions()
    console.print(
        f"Assumed, not measured: {a.context_gb:g} GB for CUDA and NCCL, {a.asleep_gb:g} GB for vLLM asleep, "
        f"{a.engine_gb:g} GB for vLLM at work, {a.host_gb:g} GB of main memory. A GPU is full at {a.usable:.0%}.",
        style="dim",
    )


def _sections(plans: Sequence[MemoryPlan], runs: Sequence[Plan]) -> Iterator[list[list[str]]]:
    yield [["GPU memory", *(f"{p.gpu_gb:.0f}" for p in plans)]]
    for i, phase in enumerate(plans[0].phases):
        yield list(_phase(f"policy GPU, {phase.name}", [p.phases[i] for p in plans]))
    if any(p.judging for p in plans):
        yield list(_phase("verifier GPU, judging", [p.judging or Phase("judging", {}) for p in plans]))
    yield [
        ["KV bytes a token", *(f"{p.policy.kv_bytes:,}" for p in plans)],
        ["tokens in a replica's cache", *(f"{p.cache.tokens:,}" for p in plans)],
        ["  sequences at full length", *(f"{p.cache.at_full_length:,}" for p in plans)],
        [f"  of {Assumptions().mean_tokens:,} tokens", *(f"{p.cache.at_mean_length:,}" for p in plans)],
        ["  that vLLM takes at once", *(f"{p.cache.at_once:,}" for p in plans)],
        ["verifier: tokens in a cache", *(f"{p.verifier_cache.tokens:,}" if p.verifier_cache else "-" for p in plans)],
        ["tokens a step, at most", *(f"{p.tokens_a_step:,}" for p in plans)],
    ]
    yield list(_phase("main memory, policy node", [p.host for p in plans]))
    yield [
        ["a checkpoint on disk", *(f"{p.checkpoint / GB:.0f}" for p in plans)],
        ["  with those that are kept", *(f"{p.checkpoints * p.checkpoint / GB:.0f}" for p in plans)],
    ]
    if runs:
        yield [
            ["GPUs", *(f"{r.policy_gpus} + {r.verifier_gpus}" for r in runs)],
            ["seconds a step", *("-" if r.val_only else f"{r.estimate.step_s:.0f}" for r in runs)],
            ["hours", *(f"{r.estimate.hours:.1f}" for r in runs)],
            ["GPU-hours", *(f"{r.estimate.gpu_hours:,.0f}" for r in runs)],
            ["USD", *(f"{r.estimate.usd:,.0f}" for r in runs)],
        ]


def _phase(name: str, phases: Sequence[Phase]) -> Iterator[list[str]]:
    yield [f"[bold]{name}", *(f"[bold]{p.total / GB:.1f}" for p in phases)]
    parts = dict.fromkeys(part for p in phases for part in p.parts)
    for part in parts:
        values = [p.parts.get(part, 0.0) for p in phases]
        if any(values):
            yield [f"  {part}", *(f"{v / GB:.1f}" for v in values)]
