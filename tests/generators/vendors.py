"""The image vendors under test: each one's loopback server and a generator that points at it. Not a test itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ark_server import ArkServer
from bfl_server import BflServer
from dashscope_server import DashScopeServer
from gemini_server import GeminiImageServer
from openai_server import OpenAIServer
from tencent_server import TencentServer
from vendor_server import MOST_BYTES, VendorServer

from scigen.generators.pixel.ark import ArkImages
from scigen.generators.pixel.base import PixelModel
from scigen.generators.pixel.bfl import BflImages
from scigen.generators.pixel.dashscope_images import DashScopeImages
from scigen.generators.pixel.gemini import GeminiImages
from scigen.generators.pixel.openai_images import OpenAIImages
from scigen.generators.pixel.tencent import TencentImages
from scigen.models.caller import Patience

FAST = Patience(connections=16, timeout_s=5.0, retries=8, total_s=60.0, backoff_s=0.02)


class Vendor(NamedTuple):
    """How to test one vendor."""

    server: type[VendorServer]
    keys: dict[str, str]
    """Environment variables to set, by the server's keys."""
    generator: Callable[..., PixelModel]
    """From the server's url."""


def _with(kind: type[PixelModel], **fixed: Any) -> Callable[..., PixelModel]:
    def make(url: str, **more: Any) -> PixelModel:
        settings = {"base_url": url, "at_once": 16, "max_bytes": MOST_BYTES, "patience": FAST, **fixed, **more}
        settings["base_url"] += settings.pop("path", "")
        return kind(**settings)

    return make


KEY = VendorServer().key

VENDORS = {
    "openai": Vendor(
        OpenAIServer,
        {"OPENAI_API_KEY": KEY},
        _with(
            OpenAIImages,
            path="/v1",
            name="gpt_image_1_5",
            model="gpt-image-1.5",
            parameters={"size": "1024x1024", "quality": "high"},
            usd_per_image=0.133,
        ),
    ),
    "ark": Vendor(
        ArkServer,
        {"ARK_API_KEY": KEY},
        _with(
            ArkImages,
            path="/api/v3",
            name="seedream_4",
            model="doubao-seedream-4-0-250828",
            parameters={"size": "2K", "watermark": False},
            usd_per_image=0.03,
        ),
    ),
    "dashscope": Vendor(
        DashScopeServer,
        {"DASHSCOPE_API_KEY": KEY},
        _with(
            DashScopeImages,
            path="/api/v1",
            name="qwen_image",
            model="qwen-image-plus",
            parameters={"size": "1328*1328", "prompt_extend": True, "watermark": False},
            usd_per_image=0.03,
            poll_s=0.01,
            poll_most_s=0.05,
        ),
    ),
    "tencent": Vendor(
        TencentServer,
        {"TENCENTCLOUD_SECRET_ID": TencentServer().secret_id, "TENCENTCLOUD_SECRET_KEY": KEY},
        _with(
            TencentImages,
            name="hunyuan_image_3",
            model="hunyuan-image-3.0",
            parameters={"Resolution": "1024:1024", "LogoAdd": 0},
            usd_per_image=0.03,
            poll_s=0.02,
        ),
    ),
    "gemini": Vendor(
        GeminiImageServer,
        {"GOOGLE_API_KEY": KEY},
        _with(
            GeminiImages,
            name="nanobanana_pro",
            model="gemini-3-pro-image-preview",
            image_size="1K",
            usd_per_image=0.134,
        ),
    ),
    "bfl": Vendor(
        BflServer,
        {"BFL_API_KEY": KEY},
        _with(
            BflImages,
            name="flux2_flex",
            model="flux-2-flex",
            parameters={"width": 1024, "height": 1024, "output_format": "png"},
            usd_per_image=0.1,
            poll_s=0.01,
            poll_most_s=0.05,
        ),
    ),
}
