"""CLIP, fed with what it expects: the reference implementation hands its processor floats in 0..1, which are divided by
255 once more, so that every image is black and every score the same.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from scigen import torchvision_shim
from scigen.errors import ScigenError

if TYPE_CHECKING:
    import torch

SCALE = 100.0


class Clip(NamedTuple):
    """A model and its processor."""

    model: Any
    processor: Any
    device: str

    @classmethod
    @cache
    def load(cls, name: str, device: str = "cpu") -> Self:
        """From the hub or a folder, once a process. Raises ScigenError if it cannot be had."""
        torchvision_shim.install()
        from transformers import CLIPModel, CLIPProcessor

        try:
            model = CLIPModel.from_pretrained(name).eval().to(device)
            return cls(model, CLIPProcessor.from_pretrained(name), device)
        except (OSError, ValueError) as e:
            raise ScigenError(
                f"evaluator.image_metrics.clip: {name} cannot be loaded ({str(e).splitlines()[0]}). Name a folder that "
                "holds it, or leave the CLIP score out by clip=null."
            ) from e

    @property
    def dimension(self) -> int:
        return int(self.model.config.projection_dim)

    def image_features(self, images: torch.Tensor) -> torch.Tensor:
        """(n, 3, side, side) in 0..1 to (n, dimension)."""
        import torch

        pixels = (images * 255).round().to(torch.uint8).cpu()
        inputs = self.processor(images=list(pixels), return_tensors="pt").to(self.device)
        return _pooled(self.model.get_image_features(**inputs))

    def text_features(self, texts: list[str]) -> torch.Tensor:
        """(n, dimension); what is longer than the model reads (77 tokens) is cut off."""
        longest = self.model.config.text_config.max_position_embeddings  # a tokenizer need not know it
        inputs = self.processor(text=texts, return_tensors="pt", padding=True, truncation=True, max_length=longest)
        inputs = inputs.to(self.device)
        return _pooled(self.model.get_text_features(**inputs))

    def scores(self, images: torch.Tensor, texts: list[str]) -> list[float]:
        """100 times the cosine of image and text, at least 0 (Hessel et al. 2021, as torchmetrics scales it)."""
        import torch

        with torch.inference_mode():
            cosine = torch.nn.functional.cosine_similarity(self.image_features(images), self.text_features(texts))
            found: list[float] = (SCALE * cosine).clamp(min=0).double().cpu().tolist()
            return found


def _pooled(output: Any) -> torch.Tensor:
    """transformers 5 gives an object where transformers 4 gave the tensor."""
    return getattr(output, "pooler_output", output)
