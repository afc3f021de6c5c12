"""A model's parameters from its shape, against transformers and the published sizes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scigen import torchvision_shim
from scigen.errors import ScigenError
from scigen.training.model_shape import ModelShape, shape_of

torchvision_shim.install()

PUBLISHED = {  # parameters as the hub's safetensors headers give them, in billions
    "Qwen/Qwen3-VL-2B-Instruct": 2.13,
    "Qwen/Qwen3-VL-4B-Instruct": 4.44,
    "Qwen/Qwen3-VL-8B-Instruct": 8.77,
    "opencompass/CompassVerifier-3B": 3.09,
    "opencompass/CompassVerifier-7B": 7.62,
    "opencompass/CompassVerifier-32B": 32.76,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_shapes_give_the_published_sizes(name: str) -> None:
    assert shape_of(name).parameters / 1e9 == pytest.approx(PUBLISHED[name], abs=0.005)


def qwen3_vl(s: ModelShape) -> dict:
    v = s.vision
    return {
        "text_config": {
            "vocab_size": s.vocabulary, "hidden_size": s.hidden, "intermediate_size": s.feed_forward,
            "num_hidden_layers": s.layers, "num_attention_heads": s.heads, "num_key_value_heads": s.kv_heads,
            "head_dim": s.head_dim, "max_position_embeddings": s.context,
        },
        "vision_config": {
            "depth": v.layers, "hidden_size": v.hidden, "intermediate_size": v.feed_forward, "num_heads": 16,
            "out_hidden_size": v.output, "num_position_embeddings": v.positions, "deepstack_visual_indexes": [1, 2, 3],
        },
        "tie_word_embeddings": s.tied,
    }  # fmt: skip


def on_meta(config: object, cls: object) -> int:
    import torch

    with torch.device("meta"):
        model = cls(config)
        model.tie_weights()
    return sum(p.numel() for p in model.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Qwen/Qwen3-VL-4B-Instruct", "Qwen/Qwen3-VL-8B-Instruct"])
def test_transformers_builds_a_qwen3_vl_with_as_many_parameters(name: str, tmp_path: Path) -> None:
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    shape = shape_of(name)
    config = Qwen3VLConfig(**qwen3_vl(shape))
    assert on_meta(config, Qwen3VLForConditionalGeneration) == shape.parameters
    config.save_pretrained(tmp_path)
    assert shape_of(tmp_path) == shape


@pytest.mark.slow
def test_transformers_builds_a_qwen2_with_as_many_parameters(tmp_path: Path) -> None:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    s = shape_of("opencompass/CompassVerifier-7B")
    config = Qwen2Config(
        vocab_size=s.vocabulary, hidden_size=s.hidden, intermediate_size=s.feed_forward, num_hidden_layers=s.layers,
        num_attention_heads=s.heads, num_key_value_heads=s.kv_heads, max_position_embeddings=s.context,
        tie_word_embeddings=False,
    )  # fmt: skip
    assert on_meta(config, Qwen2ForCausalLM) == s.parameters
    config.save_pretrained(tmp_path)
    assert shape_of(tmp_path) == s


def test_a_token_of_the_8b_model_takes_144_kib_of_cache() -> None:
    # keys and values: 2 x 36 layers x 8 heads x 128 x 2 bytes
    assert shape_of("Qwen/Qwen3-VL-8B-Instruct").kv_bytes == 147_456 == 144 * 1024
    assert shape_of("opencompass/CompassVerifier-7B").kv_bytes == 2 * 28 * 4 * 128 * 2


def test_an_unknown_model_is_an_error_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match=r"is not known \(did you mean .*Qwen3-VL-8B-Instruct.*model_shapes"):
        shape_of("Qwen/Qwen3-VL-9B-Instruct")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama", "num_hidden_layers": 2}))
    with pytest.raises(ScigenError, match=r"config.json: not the configuration of a Qwen2 or Qwen3-VL"):
        shape_of(tmp_path)
