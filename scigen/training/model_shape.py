"""The shape of a model: what its memory depends on, and its parameters counted from it.

Two families, dense only: Qwen2 and Qwen2.5 (text), and Qwen3-VL (text with a vision tower). It loads no weights.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from scigen.errors import ScigenError, nearest

BF16 = 2
SHAPES = "model_shapes.yaml"


class VisionShape(BaseModel):
    """Qwen3-VL's vision tower."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layers: int
    hidden: int
    feed_forward: int
    output: int
    """The text model's hidden size."""
    positions: int
    deepstack: int
    """Layers whose features also go into the text model, each through a merger of its own."""
    patch: int = 16
    temporal_patch: int = 2
    merge: int = 2

    @property
    def parameters(self) -> int:
        h, f, wide = self.hidden, self.feed_forward, self.hidden * self.merge**2
        patches = 3 * self.temporal_patch * self.patch**2 * h + h
        block = 4 * h + (h * 3 * h + 3 * h) + (h * h + h) + (h * f + f) + (f * h + h)
        linear = wide * wide + wide + wide * self.output + self.output
        merger, deep = 2 * h + linear, 2 * wide + linear
        return patches + self.positions * h + self.layers * block + merger + self.deepstack * deep


class ModelShape(BaseModel):
    """Sizes of a dense decoder, with or without a vision tower."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: Literal["qwen2", "qwen3_vl"]
    layers: int
    hidden: int
    feed_forward: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied: bool
    """Whether input and output embeddings are one matrix."""
    context: int
    """Tokens that positions are defined for."""
    vision: VisionShape | None = None

    @property
    def embedding(self) -> int:
        """Parameters of one embedding matrix."""
        return self.vocabulary * self.hidden

    @property
    def layer(self) -> int:
        """Parameters of one decoder layer."""
        h, q, kv = self.hidden, self.heads * self.head_dim, self.kv_heads * self.head_dim
        attention = h * q + 2 * h * kv + q * h
        attention += q + 2 * kv if self.family == "qwen2" else 2 * self.head_dim  # biases, or norms of queries and keys
        return attention + 3 * h * self.feed_forward + 2 * h

    @property
    def parameters(self) -> int:
        text = self.embedding * (1 if self.tied else 2) + self.layers * self.layer + self.hidden
        return text + (self.vision.parameters if self.vision else 0)

    @property
    def kv_bytes(self) -> int:
        """Of one token in the KV cache, in bf16: keys and values of every layer."""
        return 2 * self.layers * self.kv_heads * self.head_dim * BF16


def shape_of(model: str | Path) -> ModelShape:
    """The shape of a checkpoint's folder, from its config.json, or of a name in model_shapes.yaml.

    Raises ScigenError for a name that is not there and a config.json that is of neither family.
    """
    folder = Path(model)
    if folder.is_dir():
        return _from_config(folder / "config.json")
    known = _known()
    if str(model) not in known:
        raise ScigenError(
            f"{model}: its shape is not known ({nearest(str(model), known)}). Add it to scigen/training/{SHAPES}, or "
            "give the folder of a checkpoint with its config.json."
        )
    return known[str(model)]


@cache
def _known() -> dict[str, ModelShape]:
    table = yaml.safe_load(files("scigen.training").joinpath(SHAPES).read_text())
    return {name: ModelShape.model_validate(node) for name, node in table.items()}


def _from_config(path: Path) -> ModelShape:
    try:
        config = json.loads(path.read_text())
        return _read(config)
    except (OSError, json.JSONDecodeError, KeyError, ValidationError) as e:
        raise ScigenError(
            f"{path}: not the configuration of a Qwen2 or Qwen3-VL model ({type(e).__name__}: {e}). "
            "The folder must hold a checkpoint as transformers writes it."
        ) from e


def _read(config: dict[str, Any]) -> ModelShape:
    text, vision = config.get("text_config", config), config.get("vision_config")
    return ModelShape(
        family=config["model_type"],
        layers=text["num_hidden_layers"],
        hidden=text["hidden_size"],
        feed_forward=text["intermediate_size"],
        heads=text["num_attention_heads"],
        kv_heads=text["num_key_value_heads"],
        head_dim=text.get("head_dim") or text["hidden_size"] // text["num_attention_heads"],
        vocabulary=text["vocab_size"],
        tied=config.get("tie_word_embeddings", False),
        context=text["max_position_embeddings"],
        vision=None if vision is None else VisionShape(
            layers=vision["depth"],
            hidden=vision["hidden_size"],
            feed_forward=vision["intermediate_size"],
            output=vision["out_hidden_size"],
            positions=vision["num_position_embeddings"],
            deepstack=len(vision["deepstack_visual_indexes"]),
            patch=vision["patch_size"],
            temporal_patch=vision["temporal_patch_size"],
            merge=vision["spatial_merge_size"],
        ),
    )  # fmt: skip
