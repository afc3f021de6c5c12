"""OpenAI's Images API, through the openai client: GPT-Image models, and servers of one's own that speak it.

Protocol (Images, create): POST /images/generations with model, prompt, n, size, quality, ...; the answer holds
`data[0].b64_json` (GPT-Image models) or `data[0].url`, `usage` in tokens, and a header x-request-id. A prompt or image
that the safety system stops is a 400 whose error has the code moderation_blocked or content_policy_violation.
"""

from __future__ import annotations

import base64
import binascii
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, JsonValue, field_validator

from scigen.generators.pixel.base import Order, Painting, PixelModel
from scigen.generators.pixel.download import download
from scigen.models.caller import Cause, Fault
from scigen.models.secrecy import SECRET_NAME
from scigen.records import Status, VendorReport

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types import ImagesResponse

BLOCKS = frozenset({"moderation_blocked", "content_policy_violation", "content_filter"})
"""Error codes of the safety system."""
FIXED = frozenset({"model", "prompt", "n", "stream", "partial_images"})
"""Fields that the class sets: one whole image in the answer."""
OWES = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
"""Error codes of an account without credits."""
MILLION = 1_000_000


class OpenAIImages(PixelModel):
    """`parameters` are sent as they are (size, quality, background, moderation, output_format, ...); `extra` goes
    into the body beside them, for servers of one's own (seed, steps, guidance)."""

    KEYS: ClassVar[tuple[str, ...]] = ("OPENAI_API_KEY",)
    OUTER: ClassVar[frozenset[str]] = PixelModel.OUTER | {"usd_per_million_in", "usd_per_million_out", "key_variable"}

    key_variable: str = KEYS[0]
    """Environment variable with the key. A server of one's own has one of its own, and never sees OpenAI's."""
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    extra: dict[str, JsonValue] = Field(default_factory=dict)
    usd_per_million_in: float | None = Field(default=None, ge=0)
    """Prices of a million tokens, where the vendor charges by them; the answer's usage then gives the price."""
    usd_per_million_out: float | None = Field(default=None, ge=0)

    @field_validator("parameters", "extra")
    @classmethod
    def _free(cls, fields: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if fixed := sorted(FIXED & fields.keys()):
            raise ValueError(f"{', '.join(fixed)}: not to be set here; the model is a field of the generator")
        return fields

    @field_validator("key_variable")
    @classmethod
    def _is_kept_secret(cls, name: str) -> str:
        if not SECRET_NAME.search(name.upper()):
            raise ValueError(f'"{name}" is not named like a key, so its value would not be blotted; end it in _KEY')
        return name

    def client(self) -> AbstractAsyncContextManager[AsyncOpenAI]:
        """See PixelModel."""
        from openai import AsyncOpenAI

        address = self.address("https://api.openai.com/v1")
        key = self.secret(self.key_variable)
        return AsyncOpenAI(api_key=key, base_url=address, max_retries=0, timeout=self.patience.timeout_s)

    async def paint(self, client: AsyncOpenAI, order: Order) -> Painting | Fault:
        """See PixelModel."""
        seed = {} if order.seed is None else {"seed": order.seed}
        raw = await client.images.with_raw_response.generate(
            model=self.model, prompt=order.prompt, n=1, extra_body={**self.parameters, **self.extra, **seed}
        )
        answer: ImagesResponse = raw.parse()
        return await self._painting(answer, raw.headers.get("x-request-id"), order)

    async def _painting(self, answer: ImagesResponse, request_id: str | None, order: Order) -> Painting:
        first = answer.data[0] if answer.data else None
        usage = answer.usage
        tokens = usage.total_tokens if usage else 0
        mime = f"image/{answer.output_format}" if answer.output_format else None
        report = VendorReport(
            model=getattr(answer, "model", None),
            request_id=request_id,
            seed=order.seed,
            revised_prompt=first.revised_prompt if first else None,
            mime=mime,
        )
        if first is not None and first.b64_json:
            return Painting(Status.OK, report, self._usd(usage), decoded(first.b64_json), tokens)
        if first is not None and first.url:
            data = await download(first.url, self.max_bytes, local=self.is_local)
            return Painting(Status.OK, report, self._usd(usage), data, tokens)
        message = report.model_copy(update={"message": "the answer holds no image"})
        return Painting(Status.NO_IMAGE, message, self._usd(usage), None, tokens)

    def _usd(self, usage: Any) -> float:
        if usage is None or self.usd_per_million_in is None or self.usd_per_million_out is None:
            return self.usd_per_image
        sent, made = usage.input_tokens, usage.output_tokens
        return float(sent * self.usd_per_million_in + made * self.usd_per_million_out) / MILLION

    def fault(self, error: Exception) -> Painting | Fault:
        """See PixelModel."""
        code = getattr(error, "code", None)
        if code in BLOCKS:
            request_id = getattr(error, "request_id", None)
            return Painting(Status.BLOCKED, VendorReport(request_id=request_id, message=f"{code}: {error}"))
        if code in OWES:  # a 429 that no waiting mends
            return Fault(Cause.NO_CREDIT, str(error))
        return super().fault(error)


def decoded(text: str) -> bytes:
    """Bytes of base64 text; empty bytes, which are no picture, for anything else."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
