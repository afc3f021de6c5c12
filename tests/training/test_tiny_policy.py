"""The tiny policy loads through the public classes, reads 96 px as 9 tokens and answers in four."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from scigen import torchvision_shim
from scigen.errors import ScigenError
from scigen.training.policy import patch_embed, sampling, tiny

torchvision_shim.install()

QUESTIONS = ("Which angle is drawn?", "How many crests does the wave have?")
ANSWERS = ("right", "acute", "two", "3")
SMALL = tiny.TinySize(hidden=48, layers=1, heads=4, feed_forward=64, vision_hidden=32, vision_layers=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("policy") / "tiny"
    tiny.build(out, QUESTIONS, ANSWERS, seed=3, size=SMALL)
    return out


def test_a_response_is_box_word_brace_end(folder: Path) -> None:
    from transformers import AutoProcessor

    tok = AutoProcessor.from_pretrained(folder).tokenizer
    for answer in ANSWERS:
        ids = tok(tiny.response(answer))["input_ids"]
        assert [tok.decode([i]) for i in ids] == [r"\boxed{", answer, "}", "<|im_end|>"]


def test_other_text_comes_back_unchanged(folder: Path) -> None:
    from transformers import AutoTokenizer

    tok = AutoTokenizer.from_pretrained(folder)
    text = "Größe of the brightest ∠ABC = 12.5° {}"
    assert tok.decode(tok(text)["input_ids"], clean_up_tokenization_spaces=False) == text


def test_a_drawing_of_96_px_is_nine_image_tokens(folder: Path) -> None:
    from PIL import Image
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(folder)
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTIONS[0]}]}]
    text = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    out = processor(text=[text], images=[Image.new("RGB", (96, 96), (242, 242, 242))], return_tensors="pt")
    assert (out["input_ids"] == processor.image_token_id).sum() == 9
    assert out["pixel_values"].shape == (36, 3 * 2 * 16 * 16)
    # (242 / 255 - 0.95) / 0.2
    assert out["pixel_values"].mean().item() == pytest.approx(-0.0049, abs=1e-4)


def test_the_folder_holds_qwen3_vl(folder: Path) -> None:
    assert type(sampling.load(folder)).__name__ == "Qwen3VLForConditionalGeneration"


def test_vision_placeholders_are_never_sampled(folder: Path) -> None:
    model = sampling.load(folder)
    config = model.config
    assert {config.image_token_id, config.video_token_id, config.vision_start_token_id} <= set(
        model.generation_config.suppress_tokens
    )


def test_same_seed_same_files(folder: Path, tmp_path: Path) -> None:
    def digest(path: Path) -> str:
        return hashlib.sha256((path / "model.safetensors").read_bytes()).hexdigest()

    tiny.build(tmp_path / "again", QUESTIONS, ANSWERS, seed=3, size=SMALL)
    tiny.build(tmp_path / "other", QUESTIONS, ANSWERS, seed=4, size=SMALL)
    assert digest(tmp_path / "again") == digest(folder)
    assert digest(tmp_path / "other") != digest(folder)
    assert (tmp_path / "again/tokenizer.json").read_bytes() == (folder / "tokenizer.json").read_bytes()


def test_an_answer_of_two_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match="'two waves' is not one token"):
        tiny.build(tmp_path / "x", QUESTIONS, ("two waves",), seed=0, size=SMALL)
    assert not (tmp_path / "x").exists()


def test_an_image_that_patches_do_not_divide_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match="112 is not a multiple"):
        tiny.build(tmp_path / "x", QUESTIONS, ANSWERS, seed=0, size=tiny.TinySize(image_px=112))


def test_the_matrix_product_is_the_convolution() -> None:
    from transformers.models.qwen3_vl.configuration_qwen3_vl import Qwen3VLVisionConfig
    from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLVisionPatchEmbed

    torch.manual_seed(0)
    embed = Qwen3VLVisionPatchEmbed(Qwen3VLVisionConfig(hidden_size=8, patch_size=4, temporal_patch_size=2))
    patches = torch.randn(5, 3 * 2 * 4 * 4)
    conv = F.conv3d(patches.view(5, 3, 2, 4, 4), embed.proj.weight, embed.proj.bias, stride=(2, 4, 4)).flatten(1)
    patch_embed.use_matrix_product()
    assert torch.allclose(embed(patches), conv, atol=1e-5)
