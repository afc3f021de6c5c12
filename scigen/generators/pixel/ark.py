"""Volcengine Ark's image models (Seedream), through the volcengine-ark-runtime client.

Protocol (image generation): POST {base}/images/generations with model, prompt, size, watermark, response_format, ...;
the client sends null for what is not set. The answer holds `data[0].b64_json`, `usage.generated_images` (what is
charged) and a header x-request-id. A sensitive prompt or image is a 400, or an `error` in the answer, whose code holds
SensitiveContent (of the model's own filter) or RiskDetection (of the account's content security).

The client keeps no state outside its object, and writes no key to its logs. Its hidden retries are off.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, JsonValue, field_validator

from scigen.generators.pixel.base import Order, Painting, PixelModel
from scigen.generators.pixel.openai_images import decoded
from scigen.models.caller import Cause, Fault
from scigen.records import Status, VendorReport

if TYPE_CHECKING:
    from volcenginesdkarkruntime import AsyncArk

FIXED = frozenset({"model", "prompt", "seed", "response_format", "sequential_image_generation", "stream"})
"""Fields that the class sets: one image in the answer, none behind an address."""
WHOLE = {"X-Stainless-Raw-Response": "true"}
"""Makes the client hand out the answer with its headers and its errors, which its own type of an image leaves out."""


class ArkImages(PixelModel):
    """`parameters` go into the body as they are: size (1K, 2K, 4K or 2048x2048), watermark, guidance_scale,
    optimize_prompt_options, ... A `seed` is for models that take one; Seedream 4.0 documents none."""

    KEYS: ClassVar[tuple[str, ...]] = ("ARK_API_KEY",)

    parameters: dict[str, JsonValue] = Field(default_factory=dict)

    @field_validator("parameters")
    @classmethod
    def _free(cls, parameters: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if fixed := sorted(FIXED & parameters.keys()):
            raise ValueError(f"{', '.join(fixed)}: not a parameter here; model and seed are fields of the generator")
        return parameters

    def client(self) -> AbstractAsyncContextManager[AsyncArk]:
        """See PixelModel."""
        from volcenginesdkarkruntime import AsyncArk

        address = self.address("https://ark.cn-beijing.volces.com/api/v3")
        key = self.secret(self.KEYS[0])
        client: AbstractAsyncContextManager[AsyncArk] = AsyncArk(
            api_key=key, base_url=address, max_retries=0, timeout=self.patience.timeout_s
        )
        return client

    async def paint(self, client: AsyncArk, order: Order) -> Painting | Fault:
        """See PixelModel."""
        raw = await client.images.generate(
            model=self.model,
            prompt=order.prompt,
            seed=order.seed,
            response_format="b64_json",
            sequential_image_generation="disabled",
            extra_headers=WHOLE,
            extra_body=self.parameters or None,
        )
        return self._painting(raw.http_response.json(), raw.headers.get("x-request-id"), order)

    def _painting(self, answer: Mapping[str, Any], request_id: str | None, order: Order) -> Painting | Fault:
        usage = answer.get("usage") or {}
        first = (answer.get("data") or [{}])[0]
        image, form = first.get("b64_json"), first.get("output_format")
        report = VendorReport(
            model=answer.get("model"),
            request_id=request_id,
            seed=order.seed,
            mime=f"image/{form}" if form else None,
        )
        usd = self.usd_per_image * usage.get("generated_images", 1 if image else 0)
        tokens = usage.get("total_tokens") or 0
        if image:
            return Painting(Status.OK, report, usd, decoded(image), tokens)
        error = answer.get("error") or first.get("error")
        if not error:
            nothing = report.model_copy(update={"message": "the answer holds no image"})
            return Painting(Status.NO_IMAGE, nothing, usd, None, tokens)
        words = f"{error.get('code')}: {error.get('message')}"
        if not _blocks(error.get("code")):
            return Fault(Cause.PASSING, words)
        return Painting(Status.BLOCKED, report.model_copy(update={"message": words}), usd, None, tokens)

    def fault(self, error: Exception) -> Painting | Fault:
        """See PixelModel."""
        if _blocks(getattr(error, "code", None)):
            response = getattr(error, "response", None)
            request_id = response.headers.get("x-request-id") if response is not None else None
            return Painting(Status.BLOCKED, VendorReport(request_id=request_id, message=str(error)))
        if type(error).__name__ == "ArkAPIConnectionError":  # never made, or cut: only its cause tells
            cause = error.__cause__ or error
            words = f"{type(cause).__name__}: {cause}"
            return Fault(Cause.PASSING, words, may_cost="Connect" not in type(cause).__name__)
        return super().fault(error)


def _blocks(code: object) -> bool:
    """Whether an error code is one of a safety filter."""
    return isinstance(code, str) and ("SensitiveContent" in code or "RiskDetection" in code)
