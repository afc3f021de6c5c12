"""One pixel budget: every program that sizes an image agrees, and tokens are counted as verl's rollout counts them."""

from __future__ import annotations

import io
import math
import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError

from scigen import torchvision_shim
from scigen.errors import ScigenError
from scigen.training.pixel_budget import PixelBudget, PromptCounter, fit_image, load_counter
from scigen.training.policy import tiny

torchvision_shim.install()

LARGE = PixelBudget(min_pixels=65_536, max_pixels=2_097_152)
"""As in conf/policy/qwen3_vl_8b.yaml: 64 to 2,048 tokens."""
SMALL = PixelBudget(min_pixels=1024, max_pixels=9216)
"""The tiny policy's: 1 to 9 tokens."""


def png(width: int, height: int, mode: str = "RGB", colour: Any = 0) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height), colour).save(out, format="PNG")
    return out.getvalue()


def size(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size


@pytest.mark.parametrize(
    ("given", "fitted"),
    [
        ((1024, 1024), (1024, 1024)),  # inside already
        ((1000, 700), (992, 704)),  # to the nearest multiple of 32: 31.25 -> 31, 21.9 -> 22
        # 4096^2 / 2^21 = 8; 4096 / sqrt(8) = 1448.15 -> 45 x 32 = 1440
        ((4096, 4096), (1440, 1440)),
        # 2 x 1 at 8,000,000 px: 4000 / sqrt(3.8147) = 2048, 2000 / sqrt(3.8147) = 1024 exactly
        ((4000, 2000), (2048, 1024)),
        # 120 x 90 = 10,800 px; x sqrt(65536 / 10800) = 2.4633: 295.6 -> 320, 221.7 -> 224
        ((120, 90), (320, 224)),
        ((16, 16), (256, 256)),
    ],
)
def test_sizes_worked_out_by_hand(given: tuple[int, int], fitted: tuple[int, int]) -> None:
    assert LARGE.fitted(*given) == fitted
    assert LARGE.tokens(*given) == fitted[0] * fitted[1] // 1024


@pytest.mark.slow
@pytest.mark.parametrize("budget", [LARGE, SMALL])
def test_transformers_and_qwen_vl_utils_leave_a_fitted_image_as_it_is(budget: PixelBudget) -> None:
    from qwen_vl_utils.vision_process import smart_resize as utils_resize
    from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

    rng = random.Random(7)
    refused = 0
    for _ in range(5000):
        width, height = (round(math.exp(rng.uniform(math.log(20), math.log(6000)))) for _ in range(2))
        try:
            w, h = budget.fitted(width, height)
        except ScigenError:
            refused += 1
            continue
        assert budget.fitted(w, h) == (w, h)
        bounds = (budget.min_pixels, budget.max_pixels)
        assert smart_resize(height, width, 32, *bounds) == (h, w)  # what the processor would have made of the original
        assert smart_resize(h, w, 32, *bounds) == utils_resize(h, w, 32, *bounds) == (h, w)
        if budget is LARGE:
            # and with what they do when nobody tells them a budget: the hub's 65,536 to 16,777,216, and 4 to 16,384
            # tokens of qwen_vl_utils
            assert smart_resize(h, w, 32, 65_536, 16_777_216) == utils_resize(h, w, 32) == (h, w)
    assert refused < (50 if budget is LARGE else 2000)  # strips beyond 1 : 200


def test_an_image_of_the_right_size_keeps_its_bytes() -> None:
    given = png(640, 480)
    assert fit_image(given, LARGE) is given
    assert fit_image(png(640, 480, "L", 200), LARGE) == png(640, 480, "L", 200)


def test_what_is_transparent_becomes_white() -> None:
    for mode, colour in (("RGBA", (255, 0, 0, 0)), ("LA", (0, 0))):
        image = Image.open(io.BytesIO(fit_image(png(640, 480, mode, colour), LARGE)))
        assert (image.mode, image.getpixel((5, 5))) == ("RGB", (255, 255, 255))
    half = Image.open(io.BytesIO(fit_image(png(640, 480, "RGBA", (255, 0, 0, 128)), LARGE)))
    assert half.getpixel((5, 5)) == (255, 127, 127)


def test_an_image_is_brought_to_the_size() -> None:
    for given in ((1000, 700), (2400, 1200), (120, 90)):
        assert size(fit_image(png(*given), LARGE)) == LARGE.fitted(*given)


def test_proportions_are_kept_to_a_multiple() -> None:
    """A disc stays a disc: at most half a multiple of 32 is lost or won a side."""
    w, h = LARGE.fitted(3000, 1800)
    assert w / h == pytest.approx(3000 / 1800, rel=32 / h)


def test_what_cannot_fit_is_an_error_with_a_mend() -> None:
    with pytest.raises(ScigenError, match=r"4021 x 20: longer than 200 times.*crop"):
        LARGE.fitted(4021, 20)
    with pytest.raises(ScigenError, match=r"2000 x 12: too narrow for 1024 to 9216"):
        SMALL.fitted(2000, 12)
    with pytest.raises(ScigenError, match="not a readable image"):
        fit_image(b"GIF89a?", LARGE)
    with pytest.raises(ScigenError, match="not a readable image"):
        fit_image(png(640, 480)[:60], LARGE)
    with pytest.raises(ValidationError, match=r"at least 4 x min_pixels"):
        PixelBudget(min_pixels=65_536, max_pixels=131_072)
    with pytest.raises(ValidationError, match="less than one token"):
        PixelBudget(min_pixels=500, max_pixels=9216)


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("policy") / "tiny"
    small = tiny.TinySize(hidden=48, layers=1, heads=4, feed_forward=64, vision_hidden=32, vision_layers=1)
    tiny.build(folder, ["Which angle is drawn?"], ["right", "acute"], seed=3, size=small)
    return folder


def rollout_length(processor: Any, prompt: list[dict[str, str]], images: list[bytes], budget: PixelBudget) -> int:
    """The prompt's length where verl's agent loop computes it: its data set, qwen_vl_utils, its token builder."""
    from types import SimpleNamespace

    from verl.utils.dataset.rl_dataset import RLHFDataset
    from verl.utils.tokenizer.continuous_token import VLContinuousTokenBuilder

    row = {"prompt": [dict(m) for m in prompt], "images": [{"bytes": b, "path": None} for b in images]}
    keys = SimpleNamespace(image_key="images", video_key="videos", audio_key="audios", processor=processor)
    messages = RLHFDataset._build_messages(keys, row, "prompt")
    found, _, _ = RLHFDataset._process_multi_modal_info(messages, 16, {})
    builder = VLContinuousTokenBuilder(
        processor.tokenizer, processor=processor, mm_processor_kwargs=budget.processor_kwargs()
    )
    return len(builder.build_initial_tokens(messages, images=found))


@pytest.mark.parametrize("budget", [LARGE, SMALL])
@pytest.mark.parametrize("sizes", [[], [(1000, 700)], [(90, 96), (300, 200)]])
def test_the_count_is_the_length_that_verls_rollout_sees(
    policy: Path, budget: PixelBudget, sizes: list[tuple[int, int]]
) -> None:
    counter = load_counter(policy, budget)
    images = [fit_image(png(*s), budget) for s in sizes]
    prompt = [{"role": "user", "content": "<image>" * len(images) + "Which angle is drawn? 37.5° {x}"}]
    counted = counter.count(prompt, images)
    assert counted == rollout_length(counter.processor, prompt, images, budget)
    if images:
        text = counter.count([{"role": "user", "content": "Which angle is drawn? 37.5° {x}"}], [])
        # each image: its tokens between a start and an end mark
        assert counted == text + sum(budget.tokens(*s) + 2 for s in sizes)


def test_a_qwen3_vl_processor_with_its_published_settings(policy: Path) -> None:
    """Patch 16, merge 2, 65,536 to 16,777,216 pixels: a square of 2,048 px would take 4,096 tokens, and takes 2,025."""
    from transformers import Qwen2VLImageProcessor, Qwen3VLProcessor, Qwen3VLVideoProcessor

    images = Qwen2VLImageProcessor(
        patch_size=16, merge_size=2, size={"shortest_edge": 65_536, "longest_edge": 16_777_216}
    )
    tok = load_counter(policy, LARGE).processor.tokenizer
    processor = Qwen3VLProcessor(images, tok, Qwen3VLVideoProcessor(), chat_template=tiny.CHAT_TEMPLATE)
    counter = PromptCounter(processor, LARGE)
    fitted = fit_image(png(2048, 2048), LARGE)
    prompt = [{"role": "user", "content": "<image>Which?"}]
    text = counter.count([{"role": "user", "content": "Which?"}], [])
    assert counter.count(prompt, [fitted]) == rollout_length(processor, prompt, [fitted], LARGE) == text + 2 + 45 * 45
    # what the budget is for: by the model's own settings such an image fills the whole prompt
    assert images.get_number_of_image_patches(2048, 2048, {}) // 4 == 4096


def test_a_prompt_that_verl_would_die_of_is_named(policy: Path) -> None:
    counter = load_counter(policy, SMALL)
    with pytest.raises(ScigenError, match=r"names 0 images and the row has 1"):
        counter.count([{"role": "user", "content": "Which?"}], [png(96, 96)])
    with pytest.raises(ScigenError, match=r"holds 1 image tokens of its own \(<\|image_pad\|>\)"):
        counter.count([{"role": "user", "content": "<image>Is <|image_pad|> a token?"}], [png(96, 96)])


def test_a_budget_of_another_factor_than_the_models_is_refused(policy: Path) -> None:
    with pytest.raises(ScigenError, match=r"factor: 28, but .*patch 16 x merge 2 = 32. Set it to 32"):
        load_counter(policy, PixelBudget(min_pixels=3136, max_pixels=1_000_000, factor=28))
    with pytest.raises(ScigenError, match="its processor cannot be loaded"):
        load_counter(policy / "nothing", SMALL)
