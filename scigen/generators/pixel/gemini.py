"""Gemini's image models, through the google-genai client.

Protocol (Gemini API, models.generateContent): POST /v1beta/models/<model>:generateContent with x-goog-api-key and
{contents, generationConfig: {responseModalities, imageConfig: {aspectRatio, imageSize}, seed}}. The picture is a part
with `inlineData`; a part with `thought` is a draft. Where the safety filter stopped the prompt there is
`promptFeedback.blockReason` and no candidate; where it stopped the picture, the candidate's `finishReason` says so.
`usageMetadata` counts tokens, by kind in `candidatesTokensDetails`. A 429 has its time to wait in the body.

What had to be kept off in the client (3.4.0): without retry options it sends a broken request again, unasked; it
follows continuation tokens with further calls; it takes its address and Vertex AI from the environment. The answer is
read as it came, since the client drops `finishMessage`, where the vendor says why it shows no picture.
"""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from scigen.generators.pixel.base import Order, Painting, PixelModel, retry_after
from scigen.generators.pixel.openai_images import decoded
from scigen.models.caller import Cause, Fault, fault_of_http
from scigen.models.provider import RETRY_DELAY
from scigen.records import Status, VendorReport

if TYPE_CHECKING:
    from google.genai.client import AsyncClient
    from google.genai.errors import APIError

API_VERSION = "v1beta"
BLOCKS = frozenset(
    {
        *("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION", "ESCALATION"),
        *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
    }
)
"""Finish reasons of the safety filter."""
SHUT_OUT = "PUP_LIMITED_DISABLED"
"""Finish reason of an account that the vendor has limited: every request will get it."""
MILLION = 1_000_000


class GeminiImages(PixelModel):
    """One picture a call; without `aspect_ratio` and `image_size` the model's own defaults hold (1:1, 1K)."""

    KEYS: ClassVar[tuple[str, ...]] = ("GOOGLE_API_KEY",)
    OUTER: ClassVar[frozenset[str]] = PixelModel.OUTER | {
        *("usd_per_million_in", "usd_per_million_out", "usd_per_million_image")
    }

    modalities: tuple[Literal["TEXT", "IMAGE"], ...] = ("IMAGE",)
    """What the answer may hold; with TEXT the model may also talk instead of drawing."""
    aspect_ratio: Literal["1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"] | None = None
    image_size: Literal["1K", "2K", "4K"] | None = None
    """Not for gemini-2.5-flash-image, which knows one size."""
    usd_per_million_in: float | None = Field(default=None, ge=0)
    """Prices of a million tokens; where all three are given, the answer's usage gives the price."""
    usd_per_million_out: float | None = Field(default=None, ge=0)
    """Of words and thoughts."""
    usd_per_million_image: float | None = Field(default=None, ge=0)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[AsyncClient]:
        """See PixelModel."""
        import httpx
        from google.genai import Client
        from google.genai.types import HttpOptions, HttpRetryOptions

        address = self.address("https://generativelanguage.googleapis.com")
        key = self.secret(self.KEYS[0])
        limits = httpx.Limits(max_connections=self.patience.connections)
        timeout = self.patience.timeout_s
        async with httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=not self.is_local) as line:
            options = HttpOptions(
                base_url=address,
                api_version=API_VERSION,
                timeout=math.ceil(timeout * 1000),
                retry_options=HttpRetryOptions(attempts=1),
                httpx_async_client=line,
            )
            whole = Client(vertexai=False, api_key=key, http_options=options)
            try:
                yield whole.aio
            finally:
                whole.close()

    async def paint(self, client: AsyncClient, order: Order) -> Painting | Fault:
        """See PixelModel."""
        from google.genai.types import AutomaticFunctionCallingConfig, GenerateContentConfig, ImageConfig

        shape = ImageConfig(aspect_ratio=self.aspect_ratio, image_size=self.image_size)
        config = GenerateContentConfig(
            response_modalities=list(self.modalities),
            image_config=shape if self.aspect_ratio or self.image_size else None,
            seed=order.seed,
            automatic_continuation=False,
            automatic_function_calling=AutomaticFunctionCallingConfig(disable=True),
            should_return_http_response=True,
        )
        answer = await client.models.generate_content(model=self.model, contents=order.prompt, config=config)
        whole = answer.sdk_http_response
        assert whole is not None
        return self._painting(json.loads(whole.body or "{}"), order)

    def _painting(self, answer: Mapping[str, Any], order: Order) -> Painting | Fault:
        usage = answer.get("usageMetadata") or {}
        tokens = usage.get("totalTokenCount", 0)
        report = VendorReport(model=answer.get("modelVersion"), request_id=answer.get("responseId"), seed=order.seed)
        candidates = answer.get("candidates") or [None]
        parts = _parts(candidates[0])
        pictures = [part["inlineData"] for part in parts if "inlineData" in part]
        if pictures:  # the last one, where there are steps on the way
            report = report.model_copy(update={"mime": pictures[-1].get("mimeType")})
            return Painting(Status.OK, report, self._usd(usage, 1), decoded(pictures[-1].get("data", "")), tokens)
        status, words = _why_not(answer, candidates[0], parts)
        if status is None:
            return Fault(Cause.NO_ACCESS, words)
        report = report.model_copy(update={"message": words})
        return Painting(status, report, self._usd(usage, 0), None, tokens)

    def _usd(self, usage: Mapping[str, Any], pictures: int) -> float:
        """Dollars by the tokens used; without usage or rates, by the pictures that came."""
        rates = (self.usd_per_million_in, self.usd_per_million_out, self.usd_per_million_image)
        if not usage or None in rates:
            return self.usd_per_image * pictures
        out = usage.get("candidatesTokenCount", 0)
        details = usage.get("candidatesTokensDetails")
        drawn = sum(d.get("tokenCount", 0) for d in details if d.get("modality") == "IMAGE") if details else out
        said = out - drawn + usage.get("thoughtsTokenCount", 0)
        counts = (usage.get("promptTokenCount", 0), said, drawn)
        return float(sum(count * (rate or 0.0) for count, rate in zip(counts, rates, strict=True)) / MILLION)

    def fault(self, error: Exception) -> Painting | Fault:
        """See PixelModel."""
        from google.genai.errors import APIError

        return _meaning(error) if isinstance(error, APIError) else super().fault(error)


def _parts(candidate: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """The answer's parts, without thoughts."""
    content = (candidate or {}).get("content") or {}
    return [part for part in content.get("parts") or [] if not part.get("thought")]


def _why_not(
    answer: Mapping[str, Any], first: Mapping[str, Any] | None, parts: list[Mapping[str, Any]]
) -> tuple[Status | None, str]:
    """Status of an answer without a picture, None if no request will get one, and the vendor's words."""
    if first is None:
        feedback = answer.get("promptFeedback") or {}
        if "blockReason" not in feedback:
            return Status.NO_IMAGE, "the answer holds no candidate"
        return Status.BLOCKED, _joined(f"prompt: {feedback['blockReason']}", feedback.get("blockReasonMessage"))
    said = "".join(part.get("text", "") for part in parts).strip()
    reason = first.get("finishReason", "no finish reason")
    words = _joined(reason, first.get("finishMessage"), said)
    if reason == SHUT_OUT:
        return None, words
    if reason in BLOCKS:
        return Status.BLOCKED, words
    return (Status.REFUSED, said) if said else (Status.NO_IMAGE, words)


def _joined(*words: str | None) -> str:
    return ": ".join(word for word in words if word)


def _meaning(error: APIError) -> Fault:
    """What an error of the API means; the time to wait is in the body, in RetryInfo."""
    text = f"{error.code} {error.status}: {error.message}"
    body = str(error.details)
    if "API_KEY_INVALID" in body or "api key not valid" in body.lower():
        return Fault(Cause.NO_ACCESS, text)
    if error.status == "FAILED_PRECONDITION":  # no billing, a region that is not served: a 400, and all will get it
        return Fault(Cause.NOT_THERE, text)
    found = RETRY_DELAY.search(body)
    headers: Any = getattr(error.response, "headers", None) or {}
    return fault_of_http(error.code, text, float(found[1]) if found else retry_after(headers))
