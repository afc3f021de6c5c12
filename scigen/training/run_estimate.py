"""What an RL run will take on GPUs, from its sizes and a page of stated assumptions. Arithmetic only, never measured.

The aim is the right order of magnitude before anything is paid for; a factor of two either way is to be expected.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Assumptions:
    """What the sizes do not say. All are guesses from published figures, none is a measurement of this project."""

    parameters: float = 8.8e9
    mean_prompt_tokens: int = 700
    """Image and question."""
    mean_response_tokens: int = 2000
    """Of at most 8,192: an instruct model on geometry."""
    flops_per_gpu: float = 989e12
    """H100, bf16, dense."""
    utilisation: float = 0.35
    """Share of it that training reaches with packed sequences."""
    decode_tokens_per_gpu_s: float = 4000
    """vLLM, 8B, hundreds of sequences at once."""
    decode_tokens_per_sequence_s: float = 60
    """The speed at which the longest response runs alone."""
    overhead_s: float = 30
    """Weights to the sampler, data, logging, for each step."""
    checkpoint_s: float = 90
    usd_per_gpu_hour: float = 2.5

    @property
    def mean_tokens(self) -> int:
        """Of a sequence: prompt and response."""
        return self.mean_prompt_tokens + self.mean_response_tokens

    def sentence(self) -> str:
        """The assumptions on one line, for a table's foot."""
        return (
            f"assumed, not measured: {self.mean_response_tokens:,} tokens a response, H100 80 GB at "
            f"{self.utilisation:.0%} of {self.flops_per_gpu / 1e12:.0f} TFLOP/s, {self.decode_tokens_per_gpu_s:,.0f} "
            f"sampled tokens/s a GPU, {self.usd_per_gpu_hour} USD a GPU-hour; off by a factor of two is likely"
        )


@dataclass(frozen=True)
class Estimate:
    """Seconds, hours and dollars."""

    step_s: float
    validation_s: float
    """One pass over all benchmarks."""
    hours: float
    gpu_hours: float
    """All GPUs that are held, the verifier's too."""
    usd: float


def estimate(
    *,
    steps: int,
    responses_per_step: int,
    max_response: int,
    validations: int,
    responses_per_validation: int,
    checkpoints: int,
    policy_gpus: int,
    gpus: int,
    assumed: Assumptions,
) -> Estimate:
    """Time and cost of a run.

    A step is sampling, then 12 FLOPs a parameter and token (old and reference log-probabilities 2 + 2; update 2 + 4,
    and 2 for recomputing activations), then overhead. Sampling is bound by throughput or by the longest response.
    """
    sampled = _sampling_s(responses_per_step, max_response, policy_gpus, assumed)
    tokens = responses_per_step * assumed.mean_tokens
    trained = 12 * assumed.parameters * tokens / (policy_gpus * assumed.flops_per_gpu * assumed.utilisation)
    step_s = sampled + trained + assumed.overhead_s
    validation_s = _sampling_s(responses_per_validation, max_response, policy_gpus, assumed)
    seconds = steps * step_s + validations * validation_s + checkpoints * assumed.checkpoint_s
    gpu_hours = seconds / 3600 * gpus
    return Estimate(step_s, validation_s, seconds / 3600, gpu_hours, gpu_hours * assumed.usd_per_gpu_hour)


def validations_in(steps: int, every: int, first: bool) -> int:
    """How often verl validates: before the first step if asked to, every `every` steps, and after the last."""
    if every <= 0:
        return int(first)
    return int(first) + math.ceil(steps / every)


def _sampling_s(responses: int, max_response: int, gpus: int, assumed: Assumptions) -> float:
    if responses == 0:
        return 0.0
    all_of_them = responses * assumed.mean_response_tokens / (gpus * assumed.decode_tokens_per_gpu_s)
    return max(all_of_them, max_response / assumed.decode_tokens_per_sequence_s)
