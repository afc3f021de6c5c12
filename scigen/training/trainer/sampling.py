"""Sampling from a Qwen3-VL (or text-only) transformers model on a CPU, with one prefill for all rollouts of a prompt.

Not a general engine: no paging, no streaming, no stop strings. `transformers.generate` would encode each picture once
for every rollout, which was two thirds of a training step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Prompt:
    """One prompt with its pictures as the processor gives them, and how many rollouts it gets."""

    ids: tuple[int, ...]
    pixel_values: torch.Tensor | None = None
    """(patches, channels * temporal * patch * patch)."""
    image_grid_thw: torch.Tensor | None = None
    """(images, 3)."""
    n: int = 1
    max_tokens: int = 16


@dataclass(frozen=True)
class Sampling:
    """temperature 0 is greedy; top_k 0 is off."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0


@dataclass(frozen=True)
class Rollout:
    """Sampled tokens (with the end token, if there is one) and the log-probability of each under the policy."""

    token_ids: list[int]
    log_probs: list[float]
    finished: bool
    """False when it was cut off at `max_tokens`."""


def suppressed_tokens(config: Any) -> list[int]:
    """Vision placeholders: a policy that samples one gets a sequence whose M-RoPE positions cannot be computed."""
    names = ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")
    return [i for i in (getattr(config, name, None) for name in names) if i is not None]


@torch.inference_mode()  # type: ignore[untyped-decorator]
def sample(
    model: Any,
    prompts: Sequence[Prompt],
    sampling: Sampling,
    pad_id: int,
    eos_ids: Sequence[int],
    generator: torch.Generator | None = None,
) -> list[list[Rollout]]:
    """`prompts[i].n` rollouts for each prompt.

    Log-probabilities are those of the whole vocabulary at the sampling temperature (1 for greedy), before top-p, top-k
    and the suppression of placeholders: what verl's trainer computes for the same tokens.
    """
    state = _prefill(model, prompts, pad_id)
    banned = torch.tensor(suppressed_tokens(model.config), dtype=torch.long)
    eos = torch.tensor(list(eos_ids), dtype=torch.long)
    limit = torch.tensor([p.max_tokens for p in prompts for _ in range(p.n)])
    rows = len(limit)
    tokens: list[list[int]] = [[] for _ in range(rows)]
    log_probs: list[list[float]] = [[] for _ in range(rows)]
    finished = [False] * rows
    active = torch.arange(rows)
    logits, cache, mask, position = state
    step = 0
    while True:
        scaled = logits.float() / (sampling.temperature if sampling.temperature > 0 else 1.0)
        logp = scaled.log_softmax(-1)
        scaled[:, banned] = -torch.inf
        token = _choose(scaled, sampling, generator)
        chosen = logp.gather(-1, token[:, None])[:, 0]
        ended = torch.isin(token, eos)
        done = ended | (step + 1 >= limit[active])
        for row, t, lp, e in zip(active.tolist(), token.tolist(), chosen.tolist(), ended.tolist(), strict=True):
            tokens[row].append(t)
            log_probs[row].append(lp)
            finished[row] = e
        keep = (~done).nonzero()[:, 0]
        if len(keep) == 0:
            break
        if len(keep) < len(active):  # finished rows leave the batch
            cache.batch_select_indices(keep)
            active, token, mask, position = active[keep], token[keep], mask[keep], position[keep]
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], 1)
        out = model(
            input_ids=token[:, None],
            attention_mask=mask,
            position_ids=_positions(model, position),
            past_key_values=cache,
            use_cache=True,
        )
        logits, position, step = out.logits[:, -1], position + 1, step + 1
    flat = iter(Rollout(t, lp, f) for t, lp, f in zip(tokens, log_probs, finished, strict=True))
    return [[next(flat) for _ in range(p.n)] for p in prompts]


def _is_vlm(model: Any) -> bool:
    return hasattr(model.config, "vision_config")


def _positions(model: Any, position: torch.Tensor) -> torch.Tensor:
    """After the pictures the three axes of M-RoPE agree, so one number a row is enough."""
    return position[None, :, None].expand(3, -1, -1) if _is_vlm(model) else position[:, None]


def _prefill(
    model: Any, prompts: Sequence[Prompt], pad_id: int
) -> tuple[torch.Tensor, Any, torch.Tensor, torch.Tensor]:
    """Logits of the first token, cache, mask and next position, each repeated for the prompt's rollouts."""
    width = max(len(p.ids) for p in prompts)
    ids = torch.full((len(prompts), width), pad_id, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for i, p in enumerate(prompts):
        ids[i, width - len(p.ids) :] = torch.tensor(p.ids)
        mask[i, width - len(p.ids) :] = 1
    inputs: dict[str, torch.Tensor] = {}
    if _is_vlm(model):
        pictures = [p for p in prompts if p.pixel_values is not None]
        if pictures:
            inputs["pixel_values"] = torch.cat([p.pixel_values for p in pictures if p.pixel_values is not None])
            inputs["image_grid_thw"] = torch.cat([p.image_grid_thw for p in pictures if p.image_grid_thw is not None])
        positions, _ = model.model.get_rope_index(
            input_ids=ids,
            mm_token_type_ids=(ids == model.config.image_token_id).int(),
            image_grid_thw=inputs.get("image_grid_thw"),
            attention_mask=mask,
        )
        last = positions[0, :, -1]
    else:
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        last = positions[:, -1]
    out = model(input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=True, logits_to_keep=1, **inputs)
    repeats = torch.tensor([p.n for p in prompts])
    index = torch.arange(len(prompts)).repeat_interleave(repeats)
    out.past_key_values.batch_select_indices(index)
    return out.logits[index, -1], out.past_key_values, mask[index], last[index] + 1


def _choose(scores: torch.Tensor, sampling: Sampling, generator: torch.Generator | None) -> torch.Tensor:
    if sampling.temperature <= 0:
        return scores.argmax(-1)
    if sampling.top_k > 0:
        kth = scores.topk(min(sampling.top_k, scores.shape[-1]), -1).values[:, -1:]
        scores = scores.masked_fill(scores < kth, -torch.inf)
    probs = scores.softmax(-1)
    if sampling.top_p < 1:
        ordered, order = probs.sort(-1, descending=True)
        before = ordered.cumsum(-1) - ordered
        probs = torch.zeros_like(probs).scatter(-1, order, ordered.masked_fill(before >= sampling.top_p, 0.0))
    return torch.multinomial(probs, 1, generator=generator)[:, 0]
