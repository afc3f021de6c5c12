"""Lets a torchvision built for CUDA import beside a CPU-only torch. Does nothing where torch has CUDA.

Such a torchvision cannot load its C++ operators, and `import torchvision` then dies while it registers fake kernels
for operators that do not exist. Their schemas are enough: Qwen's processors use only its pure Python functions.
Call `install()` before anything imports torchvision (transformers' image processors and qwen_vl_utils do).
"""

from __future__ import annotations

from typing import Any

_library: Any = None


def install() -> None:
    """Declare `torchvision::nms` and `torchvision::qnms` once for this process."""
    global _library
    import torch

    if _library is not None or torch.version.cuda is not None:
        return
    _library = torch.library.Library("torchvision", "FRAGMENT")
    for op in ("nms", "qnms"):
        try:
            _library.define(f"{op}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        except RuntimeError:
            continue  # a torchvision that did load its operators has declared them
