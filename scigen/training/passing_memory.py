"""What a policy GPU holds only while a micro-batch passes through it: activations, logits, gathered layers, in bytes.

The sums are of verl 0.9.1's FSDP2 engine with flash attention and packed sequences; `memory_plan` puts them together
with what stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scigen.training.model_shape import BF16, ModelShape

FP32 = 4
FUSED_CHUNK = 512
"""Tokens whose logits verl's fused head holds at a time."""


def gathered(shape: ModelShape) -> float:
    """Two decoder layers (the next is fetched ahead) and the embeddings, whole and in bf16."""
    return BF16 * (2 * shape.layer + shape.embedding * (1 if shape.tied else 2))


def one_layer(shape: ModelShape, tokens: int) -> float:
    """What one decoder layer keeps for its own backward pass, with flash attention: its input, two norms and the
    sum after attention; queries, keys and values before and after rotation; attention's output; gate, up and product.
    """
    q, kv = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    return BF16 * tokens * (4 * shape.hidden + 3 * q + 3 * kv + 4 * shape.feed_forward)


def activations(shape: ModelShape, tokens: int, checkpointed: bool) -> float:
    """With checkpointing the input of every layer, and one layer in full while it is computed again."""
    if not checkpointed:
        return shape.layers * one_layer(shape, tokens)
    return BF16 * shape.layers * tokens * shape.hidden + one_layer(shape, tokens)


def vision_tower(shape: ModelShape, tokens: int, share: float) -> float:
    """The vision tower's checkpointed inputs for all patches of a micro-batch that is images as far as it may be, and
    the features that go into the text model. `share` is the part of the tokens that may be image tokens."""
    if shape.vision is None:
        return 0.0
    v, image_tokens = shape.vision, tokens * share
    patches = image_tokens * v.merge**2
    block = patches * (4 * v.hidden + 3 * v.hidden + 2 * v.feed_forward)
    features = image_tokens * shape.hidden * (1 + v.deepstack)
    return BF16 * (v.layers * patches * v.hidden + block + features)


def logits(verl: Mapping[str, Any], shape: ModelShape, tokens: int, entropy: bool) -> float:
    """bf16 logits of a micro-batch, whose gradient flash-attn's cross entropy writes in their place; entropy takes two
    more of them, or three fp32 chunks. The fused head holds four fp32 copies of a chunk and a whole head in fp32."""
    model, fsdp = verl["actor_rollout_ref"]["model"], verl["actor_rollout_ref"]["actor"]["fsdp_config"]
    if model["use_fused_kernels"]:
        return float(4 * FP32 * FUSED_CHUNK * shape.vocabulary + FP32 * shape.embedding)
    whole = float(BF16 * tokens * shape.vocabulary)
    if not entropy:
        return whole
    if fsdp["entropy_from_logits_with_chunking"]:
        return whole + 3.0 * FP32 * min(tokens, int(fsdp["entropy_from_logits_chunk_size"])) * shape.vocabulary
    return 3 * whole


def head_gradient(shape: ModelShape) -> float:
    """Of the output embedding before it is reduced: bf16, and fp32 for the reduction."""
    return (BF16 + FP32) * shape.embedding
