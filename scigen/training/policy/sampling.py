"""Sampling from the tiny policy in this process: one prefill a prompt, repeated over its samples.

For quick looks and for comparisons outside verl. The reported AVG@4 of a run comes from verl's validation.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scigen.training.policy.examples import Examples
from scigen.training.policy.tiny import VISION

RESPONSE_TOKENS = 4


def sample(model: Any, examples: Examples, index: Sequence[int], n: int, temperature: float, generator: Any) -> Any:
    """Token ids (len(index), n, RESPONSE_TOKENS); what follows an end token is padding."""
    import torch

    tok = examples.tok
    width = max(len(examples.prompts[i]) for i in index)
    ids = torch.full((len(index), width), tok.pad_token_id)
    mask = torch.zeros_like(ids)
    positions = torch.zeros(3, len(index), width, dtype=torch.long)
    following = torch.zeros(len(index), dtype=torch.long)
    for j, i in enumerate(index):
        prompt = examples.prompts[i]
        ids[j, width - len(prompt) :] = torch.tensor(prompt)
        mask[j, width - len(prompt) :] = 1
        pos = examples.positions(prompt, len(prompt) + 1)
        positions[:, j, width - len(prompt) :] = pos[:, :-1]
        following[j] = pos[0, -1]
    barred = tok.convert_tokens_to_ids(list(VISION))
    with torch.inference_mode():
        out = model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            use_cache=True,
            logits_to_keep=1,
            **examples.image_inputs(index),
        )
        cache = out.past_key_values
        cache.batch_repeat_interleave(n)
        mask, following = mask.repeat_interleave(n, 0), following.repeat_interleave(n)
        logits = out.logits[:, -1].repeat_interleave(n, 0)
        done = torch.zeros(len(following), dtype=torch.bool)
        tokens = []
        for step in range(RESPONSE_TOKENS):
            logits[:, barred] = -torch.inf
            token = torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator)[:, 0]
            token = token.masked_fill(done, tok.pad_token_id)
            tokens.append(token)
            done |= token == tok.eos_token_id
            if step == RESPONSE_TOKENS - 1:
                break
            mask = torch.cat([mask, torch.ones(len(mask), 1, dtype=torch.long)], 1)
            out = model(
                input_ids=token[:, None],
                attention_mask=mask,
                position_ids=(following + step)[None, :, None].expand(3, -1, -1),
                past_key_values=cache,
                use_cache=True,
            )
            logits = out.logits[:, -1]
    return torch.stack(tokens, 1).view(len(index), n, -1)


def correct(examples: Examples, index: Sequence[int], tokens: Any) -> Any:
    """Whether each sample (len(index), n, tokens) is exactly the right response; float32 of shape (len(index), n)."""
    import torch

    right = torch.tensor([examples.responses[i] for i in index])
    return (tokens == right[:, None, :]).all(-1).float()


def avg_at_k(
    model: Any, examples: Examples, k: int = 4, temperature: float = 0.6, seed: int = 0, batch_size: int = 256
) -> list[float]:
    """Share of right samples for each row, in the file's order."""
    import torch

    model.eval()
    generator = torch.Generator().manual_seed(seed)
    means: list[float] = []
    for start in range(0, len(examples), batch_size):
        index = range(start, min(start + batch_size, len(examples)))
        tokens = sample(model, examples, index, k, temperature, generator)
        means += correct(examples, index, tokens).mean(1).tolist()
    return means


def load(model_dir: Path) -> Any:
    """The policy in float32, with the patch embedding as a matrix product."""
    from scigen import torchvision_shim

    torchvision_shim.install()
    import torch
    from transformers import AutoModelForImageTextToText

    from scigen.training.policy.patch_embed import use_matrix_product

    use_matrix_product()
    return AutoModelForImageTextToText.from_pretrained(model_dir, dtype=torch.float32, attn_implementation="sdpa")


def avg_at_k_in_process(
    model_dir: Path, parquet: Path, k: int = 4, temperature: float = 0.6, seed: int = 0, blank: bool = False
) -> list[float]:
    """AVG@k of a policy folder on a parquet file, one mean a row; `blank` shows it white pages instead."""
    return avg_at_k(load(model_dir), Examples(model_dir, parquet, blank), k, temperature, seed)
