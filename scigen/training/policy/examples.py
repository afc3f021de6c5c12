"""Rows of a verl parquet file as tensors, made once: prompt tokens, positions, patches and the right response.

The image goes through the policy's own processor and the prompt through its chat template, so a policy trained here
sees what verl shows it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scigen.errors import ScigenError
from scigen.training.policy.tiny import response


class Examples:
    """All rows of a parquet file for one policy. Every row has one image, all of one size, or no row has any."""

    def __init__(self, model_dir: Path, parquet: Path, blank: bool = False) -> None:
        """`blank` shows white pages of the same size instead of the images."""
        from scigen import torchvision_shim

        torchvision_shim.install()
        import datasets
        from transformers import AutoProcessor

        processor = AutoProcessor.from_pretrained(model_dir)
        self.tok = processor.tokenizer
        rows = datasets.Dataset.from_parquet(str(parquet), cache_dir=None, keep_in_memory=True).to_list()
        self.answers: list[str] = [r["reward_model"]["ground_truth"] for r in rows]
        self.families: list[str] = [r["ability"] for r in rows]
        self.grid: tuple[int, int, int] | None = None
        self.pixels: Any = None
        self.merge: int = processor.image_processor.merge_size
        if any(r.get("images") for r in rows):
            self.pixels, self.grid = _patches(processor, [r["images"][0]["bytes"] for r in rows], blank, parquet)
        self.image_token: int = processor.image_token_id
        tokens = 0 if self.grid is None else self.grid[1] * self.grid[2] // self.merge**2
        vision = f"<|vision_start|>{'<|image_pad|>' * tokens}<|vision_end|>"
        prompts = [
            self.tok.apply_chat_template(r["prompt"], tokenize=False, add_generation_prompt=True).replace(
                "<image>", vision
            )
            for r in rows
        ]
        cache: dict[str, list[int]] = {p: self.tok(p)["input_ids"] for p in set(prompts)}
        self.prompts: list[list[int]] = [cache[p] for p in prompts]
        self.responses: list[list[int]] = [self.tok(response(a))["input_ids"] for a in self.answers]
        self.right: list[int] = [r[1] for r in self.responses]
        self._positions: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self.answers)

    def image_inputs(self, index: Sequence[int]) -> dict[str, Any]:
        """Patches (n x patches, values) and grids (n, 3) of these rows; nothing for rows of text alone."""
        import torch

        if self.grid is None:
            return {}
        return {
            "pixel_values": self.pixels[list(index)].flatten(0, 1),
            "image_grid_thw": torch.tensor([self.grid] * len(index)),
        }

    def positions(self, prompt: Sequence[int], length: int) -> Any:
        """M-RoPE positions (3, length) of a sequence that starts with `prompt`; its one image is at a fixed place."""
        import torch

        if self.grid is None:
            return torch.arange(length).expand(3, -1)
        start = list(prompt).index(self.image_token)
        key = (start << 16) + length
        if key not in self._positions:
            _, h, w = self.grid
            h, w = h // self.merge, w // self.merge
            pos = torch.zeros(3, length, dtype=torch.long)
            pos[:, :start] = torch.arange(start)
            pos[0, start : start + h * w] = start
            pos[1, start : start + h * w] = start + torch.arange(h).repeat_interleave(w)
            pos[2, start : start + h * w] = start + torch.arange(w).repeat(h)
            pos[:, start + h * w :] = start + max(h, w) + torch.arange(length - start - h * w)
            self._positions[key] = pos
        return self._positions[key]

    def batch(
        self, index: Sequence[int], responses: Sequence[Sequence[int]] | None = None
    ) -> tuple[dict[str, Any], Any]:
        """Model inputs, padded on the right, and labels (n, length) that are -100 outside the responses."""
        import torch

        responses = responses if responses is not None else [self.responses[i] for i in index]
        whole = [[*self.prompts[i], *r] for i, r in zip(index, responses, strict=True)]
        length = max(map(len, whole))
        ids = torch.full((len(whole), length), self.tok.pad_token_id)
        labels = torch.full_like(ids, -100)
        mask = torch.zeros_like(ids)
        for j, (i, sequence) in enumerate(zip(index, whole, strict=True)):
            n = len(self.prompts[i])
            ids[j, : len(sequence)] = torch.tensor(sequence)
            mask[j, : len(sequence)] = 1
            labels[j, n : len(sequence)] = torch.tensor(sequence[n:])
        positions = torch.stack([self.positions(self.prompts[i], length) for i in index], 1)
        return {"input_ids": ids, "attention_mask": mask, "position_ids": positions, **self.image_inputs(index)}, labels


def _patches(processor: Any, images: Sequence[bytes], blank: bool, parquet: Path) -> tuple[Any, tuple[int, int, int]]:
    """What the processor makes of the images: (rows, patches, values), and the one grid that all of them have."""
    import torch
    from PIL import Image

    patches: list[torch.Tensor] = []
    grids: set[tuple[int, int, int]] = set()
    for start in range(0, len(images), 256):
        pages = [Image.open(io.BytesIO(b)).convert("RGB") for b in images[start : start + 256]]
        if blank:
            pages = [Image.new("RGB", page.size, "white") for page in pages]
        out = processor.image_processor(images=pages, return_tensors="pt")
        patches.append(out["pixel_values"])
        grids.update(map(tuple, out["image_grid_thw"].tolist()))
    if len(grids) != 1:
        raise ScigenError(f"{parquet}: images of {len(grids)} sizes. The tiny policy needs all of one size.")
    (grid,) = grids
    t, h, w = grid
    return torch.cat(patches).view(len(images), t * h * w, -1), grid
