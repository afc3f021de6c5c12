"""CLIP through a tiny CLIPModel with random weights and transformers' own processor."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scigen import torchvision_shim
from scigen.errors import ScigenError
from scigen.evaluation.image_metrics.clip import Clip
from scigen.evaluation.image_metrics.evaluator import feature_vectors
from scigen.evaluation.image_metrics.extractors import as_tensor


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder that holds the model, as a downloaded one would."""
    torchvision_shim.install()
    import torch
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

    folder = tmp_path_factory.mktemp("clip")
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    words = [*letters, *(f"{c}</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({w: n for n, w in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    torch.manual_seed(0)
    model = CLIPModel(
        CLIPConfig(
            text_config={**small, "vocab_size": len(words), "bos_token_id": 52, "eos_token_id": 53, "pad_token_id": 53},
            vision_config={**small, "image_size": 32, "patch_size": 8},
            projection_dim=16,
        )
    )
    side = {"height": 32, "width": 32}
    processor = CLIPProcessor(CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=side), tokenizer)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return str(folder)


def pages() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [np.full((64, 64, 3), v, dtype=np.uint8) for v in (0, 255)] + [
        rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    ]


def test_defect_clip_is_fed_black_images(clip: str) -> None:
    """Floats in 0..1 are divided by 255 again: black, white and noise come out within 0.02 of each other, where the
    scale of CLIP's input is 3.7 from black to white."""
    import torch

    found = Clip.load(clip)
    tensor = as_tensor(pages(), "cpu")
    old = found.processor(images=list(tensor), return_tensors="pt")["pixel_values"]
    ours = found.processor(images=list((tensor * 255).round().to(torch.uint8)), return_tensors="pt")["pixel_values"]
    assert float((old[1] - old[0]).abs().max()) < 0.02
    assert float((ours[1] - ours[0]).abs().min()) > 3.5
    with torch.inference_mode():
        blind = found.model.get_image_features(pixel_values=old)
        blind = getattr(blind, "pooler_output", blind)
        seen = found.image_features(tensor)
        right = found.model.get_image_features(pixel_values=ours)
    assert torch.allclose(seen, getattr(right, "pooler_output", right))
    cosine = torch.nn.functional.cosine_similarity
    assert float(cosine(blind[0], blind[1], dim=0)) > 0.9999
    assert float(cosine(seen[0], seen[1], dim=0)) < 0.99


def test_the_score_is_100_times_the_cosine_and_never_below_0(clip: str) -> None:
    import torch

    found, texts = Clip.load(clip), ["a ball", "a wedge", "x" * 500]
    tensor = as_tensor(pages(), "cpu")
    with torch.inference_mode():
        x, y = found.image_features(tensor).numpy(), found.text_features(texts).numpy()
    cosines = (x * y).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)
    assert found.scores(tensor, texts) == pytest.approx(list(np.maximum(0, 100 * cosines)), abs=1e-3)


def test_it_serves_as_extractor(clip: str) -> None:
    assert [v.shape for v in feature_vectors(pages(), "clip", clip=clip)] == [(16,)] * 3


def test_defect_a_clip_error_drops_a_pair(tmp_path: Path) -> None:
    """There, the pair is gone from FID without a word. Here the run stops and says what to do."""
    with pytest.raises(ScigenError, match="leave the CLIP score out by clip=null"):
        Clip.load(str(tmp_path / "nothing"))
