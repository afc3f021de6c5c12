"""Qwen3-VL's patch embedding as a matrix product.

Its Conv3d has a kernel as large as its stride, so it is a linear map of each patch; on a CPU the convolution takes a
quarter of a training step of the tiny policy. The parameters, their names and the result stay the same.
"""

from __future__ import annotations

from typing import Any


def use_matrix_product() -> None:
    """Replace the forward pass of every Qwen3-VL patch embedding in this process. Calling it again changes nothing."""
    import torch.nn.functional as F
    from transformers.models.qwen3_vl import modeling_qwen3_vl

    def forward(self: Any, hidden_states: Any) -> Any:
        weight = self.proj.weight
        patches = hidden_states.reshape(-1, weight[0].numel()).to(weight.dtype)
        return F.linear(patches, weight.flatten(1), self.proj.bias)

    modeling_qwen3_vl.Qwen3VLVisionPatchEmbed.forward = forward
