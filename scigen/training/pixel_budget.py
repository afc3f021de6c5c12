"""How many pixels an image may have and how many tokens a prompt then takes: one budget for training and evaluation.

Three programs size an image on its way into the model: qwen_vl_utils (in verl's data set and agent loop), the model's
own image processor, and that processor again inside vLLM. Where they disagree, image tokens do not match features and
the run dies, or a prompt overruns. So an image is brought once, when a row is written, to a size that all of them
leave as it is: sides that are multiples of patch x merge, and an area inside the budget. The same budget goes to verl
as `data.mm_processor_kwargs` and to vLLM, so that an image that was not written here is sized alike.

Sizes are pixels, images PNG bytes. It does not decide what is done with a row that does not fit: see `trainset`.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from scigen.errors import ScigenError

MAX_RATIO = 200
"""Longer to shorter side, beyond which Qwen's processors refuse an image."""
OPAQUE = ("RGB", "L")


class PixelBudget(BaseModel):
    """Least and most pixels of an image; `factor` is patch x merge, so one token stands for factor^2 pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_pixels: int = Field(gt=0)
    max_pixels: int = Field(gt=0)
    factor: int = Field(default=32, gt=0)
    """Patch 16 x merge 2 for Qwen3-VL."""

    @model_validator(mode="after")
    def _has_room(self) -> PixelBudget:
        if self.min_pixels < self.factor**2:
            raise ValueError(f"min_pixels {self.min_pixels} is less than one token ({self.factor**2} pixels)")
        if self.max_pixels < 4 * self.min_pixels:
            raise ValueError(
                f"max_pixels {self.max_pixels} must be at least 4 x min_pixels = {4 * self.min_pixels}: sides are "
                f"rounded to multiples of {self.factor}, and between closer bounds no size may be left"
            )
        return self

    @property
    def most_tokens(self) -> int:
        """Of one image."""
        return self.max_pixels // self.factor**2

    def fitted(self, width: int, height: int) -> tuple[int, int]:
        """The size, (width, height), that Qwen's processors give an image under this budget.

        The arithmetic of `smart_resize` in transformers and qwen_vl_utils, which agree wherever both sides are at
        least `factor / 2`. Raises ScigenError when no size near the image's proportions fits.
        """
        if max(width, height) > MAX_RATIO * min(width, height):
            raise ScigenError(f"image {width} x {height}: longer than {MAX_RATIO} times its width; crop or redraw it.")
        f = self.factor
        w, h = max(f, round(width / f) * f), max(f, round(height / f) * f)
        if w * h > self.max_pixels:
            shrink = math.sqrt(width * height / self.max_pixels)
            w, h = (max(f, math.floor(side / shrink / f) * f) for side in (width, height))
        elif w * h < self.min_pixels:
            grow = math.sqrt(self.min_pixels / (width * height))
            w, h = (math.ceil(side * grow / f) * f for side in (width, height))
        if not self.min_pixels <= w * h <= self.max_pixels:
            raise ScigenError(
                f"image {width} x {height}: too narrow for {self.min_pixels} to {self.max_pixels} pixels in multiples "
                f"of {f}. Crop or redraw it, or widen policy.pixels."
            )
        return w, h

    def tokens(self, width: int, height: int) -> int:
        """Image tokens of an image of this size, after fitting."""
        w, h = self.fitted(width, height)
        return w * h // self.factor**2

    def processor_kwargs(self) -> dict[str, int]:
        """The budget as the processors' keyword arguments; verl's and vLLM's `mm_processor_kwargs`."""
        return {"min_pixels": self.min_pixels, "max_pixels": self.max_pixels}


def fit_image(png: bytes, budget: PixelBudget) -> bytes:
    """The image at the budget's size as an RGB PNG; the same bytes when it has that size already.

    Transparent parts become white. Resampled once, bicubic, as the processors do.

    Raises ScigenError when it is no image, or when no size near its proportions fits.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(png)) as image:
            image.load()  # a file that is cut off shows only here
            size = budget.fitted(*image.size)
            if image.format == "PNG" and image.size == size and _is_opaque(image):
                return png
            page = _on_white(image)
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as e:
        raise ScigenError(f"not a readable image ({type(e).__name__}: {e}). Make it anew.") from e
    if page.size != size:
        page = page.resize(size, Image.Resampling.BICUBIC)
    out = io.BytesIO()
    page.save(out, format="PNG")
    return out.getvalue()


def _is_opaque(image: Any) -> bool:
    return image.mode in OPAQUE and "transparency" not in image.info


def _on_white(image: Any) -> Any:
    from PIL import Image

    if _is_opaque(image):
        return image.convert("RGB")
    drawn = image.convert("RGBA")
    page = Image.new("RGB", drawn.size, "white")
    page.paste(drawn, mask=drawn.getchannel("A"))
    return page


@dataclass(frozen=True)
class PromptCounter:
    """Counts a row's prompt tokens with the model's own chat template, tokenizer and image processor."""

    processor: Any
    """A transformers processor for images and text, as `AutoProcessor` loads it."""
    budget: PixelBudget

    def __post_init__(self) -> None:
        images = self.processor.image_processor
        factor = images.patch_size * images.merge_size
        if factor != self.budget.factor:
            raise ScigenError(
                f"policy.pixels.factor: {self.budget.factor}, but the model's processor has patch "
                f"{images.patch_size} x merge {images.merge_size} = {factor}. Set it to {factor}."
            )

    def count(self, prompt: Sequence[Mapping[str, Any]], images: Sequence[bytes]) -> int:
        """Tokens of a prompt in verl's row format (`<image>` once an image), the generation prompt included.

        Equal to the length of what verl hands to the rollout, without computing any pixel.

        Raises ScigenError when `<image>` does not occur once an image, or the text holds an image token itself.
        """
        named = sum(str(m["content"]).count("<image>") for m in prompt)
        if named != len(images):
            raise ScigenError(
                f"prompt names {named} images and the row has {len(images)}. Write <image> once an image."
            )
        text = self.processor.apply_chat_template(
            [{**m, "content": _parts(str(m["content"]))} for m in prompt] if images else list(prompt),
            add_generation_prompt=True,
            tokenize=False,
        )
        ids = self.processor.tokenizer(text)["input_ids"]
        marks = ids.count(self.processor.image_token_id)
        if marks != len(images):
            raise ScigenError(
                f"the prompt's text holds {marks - len(images)} image tokens of its own "
                f"({self.processor.image_token}), which would have no features. Break them up."
            )
        return int(len(ids) - marks) + sum(self._image_tokens(png) for png in images)

    def _image_tokens(self, png: bytes) -> int:
        from PIL import Image

        with Image.open(io.BytesIO(png)) as image:
            width, height = image.size
        images = self.processor.image_processor
        patches = images.get_number_of_image_patches(height, width, self.budget.processor_kwargs())
        return int(patches // images.merge_size**2)


def load_counter(model: str | Path, budget: PixelBudget) -> PromptCounter:
    """The counter for a checkpoint's folder or a model's name on the hub (its processor files, not its weights).

    Raises ScigenError when its processor cannot be loaded, or sizes images by another factor than the budget.
    """
    from transformers import AutoProcessor

    from scigen import torchvision_shim

    torchvision_shim.install()
    try:
        processor = AutoProcessor.from_pretrained(model)
    except (OSError, ValueError, ImportError) as e:
        raise ScigenError(
            f"{model}: its processor cannot be loaded ({type(e).__name__}: {str(e).splitlines()[0]}). The prompts' "
            "tokens are counted with it: give a folder that holds it, or make the model available once."
        ) from e
    return PromptCounter(processor, budget)


def _parts(content: str) -> list[dict[str, str]]:
    """`<image>` marks become image parts, as in verl's RLHFDataset."""
    parts: list[dict[str, str]] = []
    for i, text in enumerate(content.split("<image>")):
        if i:
            parts.append({"type": "image"})
        if text:
            parts.append({"type": "text", "text": text})
    return parts
