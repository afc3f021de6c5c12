"""A loopback server that speaks the Gemini API's generateContent for image models, by its published reference."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, ClassVar

from aiohttp import web
from vendor_server import LASTING, PASSING, Call, Refused, VendorServer, need, need_fields

RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
SIZES: dict[str, tuple[str, ...]] = {"gemini-2.5-flash-image": (), "gemini-3-pro-image-preview": ("1K", "2K", "4K")}
"""Models, and the sizes that each knows by name."""
IMAGE_TOKENS, THOUGHT_TOKENS, PROMPT_TOKENS = 1120, 300, 200
RPC = "type.googleapis.com/google.rpc"


@dataclass
class GeminiImageServer(VendorServer):
    kinds: tuple[str, ...] = (*PASSING, *LASTING, "refused")

    FAULTS: ClassVar[tuple[str, ...]] = (*PASSING, *LASTING, "refused")

    def paths(self, app: web.Application) -> None:
        app.router.add_post("/v1beta/models/{model}:generateContent", self._generate)

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.headers.append(dict(request.headers))
        model = request.match_info["model"]
        try:
            _check_key(request, self.key)
            need(request.content_type == "application/json", "Content-Type is not application/json")
            body = json.loads(raw)
            self.bodies.append(body)
            need(model in SIZES, f"models/{model} is not found for API version v1beta", 404)
            prompt = _prompt(body, SIZES[model])
        except Refused as e:
            self.bad.append(str(e))
            return await self._refuse(request, e)
        call = self.draw_fault(prompt)
        await self.patience(call)
        if call.kind == "drop":
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if call.kind == "rate_limit":
            wait = {"@type": f"{RPC}.RetryInfo", "retryDelay": f"{self.retry_after_s:g}s"}
            quota = {"@type": f"{RPC}.QuotaFailure", "violations": [{"quotaId": "GenerateRequestsPerMinute"}]}
            return await self._error(request, 429, "RESOURCE_EXHAUSTED", "Quota exceeded.", [quota, wait])
        if call.kind == "error_500":
            return await self._error(request, 500, "INTERNAL", "An internal error has occurred.")
        if call.kind == "no_billing":
            return await self._error(request, 400, "FAILED_PRECONDITION", "The free tier is not available here.")
        return await self.send(request, call, self._answer(call, model))

    def _answer(self, call: Call, model: str) -> dict[str, Any]:
        number = len(self.calls)
        head = {"modelVersion": f"{model}-001", "responseId": f"resp-{number:06d}"}
        usage = {"promptTokenCount": PROMPT_TOKENS, "totalTokenCount": PROMPT_TOKENS}
        if call.kind == "prompt_blocked" or (call.kind == "blocked" and number % 2):
            feedback = {"blockReason": "PROHIBITED_CONTENT", "safetyRatings": []}
            return {"promptFeedback": feedback, "usageMetadata": usage, **head}
        if call.kind == "nothing":
            return head
        reason, parts = self._candidate(call)
        candidate: dict[str, Any] = {"index": 0, "finishReason": reason}
        if reason != "STOP":
            candidate["finishMessage"] = f"The image could not be made ({reason})."
        candidate["content"] = {"role": "model", **({"parts": parts} if parts else {})}
        usage |= _usage(parts)
        return {"candidates": [candidate], "usageMetadata": usage, **head}

    def _candidate(self, call: Call) -> tuple[str, list[dict[str, Any]]]:
        """Finish reason, and parts."""
        picture = {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(self.picture(call)).decode()}}
        words = {"text": "I cannot draw this for you."}
        draft = {"text": "A draft first.", "thought": True}
        if call.kind == "refused":
            return "STOP", [words]
        if call.kind == "not_base64":
            return "STOP", [{"inlineData": {"mimeType": "image/png", "data": "%%%"}}]
        if call.kind == "thoughts_only":
            return "STOP", [draft, {**picture, "thought": True}]
        if call.kind == "drafts":
            other = self.picture(Call(f"{call.prompt} draft", 0, "ok"))
            data = {"mimeType": "image/png", "data": base64.b64encode(other).decode()}
            return "STOP", [draft, {"inlineData": data, "thought": True}, words, picture]
        if call.kind == "blocked":
            return "IMAGE_SAFETY", []
        if call.kind == "no_image":
            return "NO_IMAGE", []
        if call.kind.isupper():
            return call.kind, []
        return "STOP", [picture]

    async def _refuse(self, request: web.Request, error: Refused) -> web.StreamResponse:
        if error.status == 401:  # the vendor's form of it
            info = [{"@type": f"{RPC}.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}]
            return await self._error(request, 400, "INVALID_ARGUMENT", str(error), info)
        status = "NOT_FOUND" if error.status == 404 else "INVALID_ARGUMENT"
        return await self._error(request, error.status, status, str(error))

    async def _error(
        self, request: web.Request, code: int, status: str, message: str, details: list[dict[str, Any]] | None = None
    ) -> web.StreamResponse:
        error = {"code": code, "message": message, "status": status, **({"details": details} if details else {})}
        return await self.send(request, None, {"error": error}, code)


def _check_key(request: web.Request, key: str) -> None:
    need("key" not in request.query and "Authorization" not in request.headers, "the key is in the wrong place")
    need(request.headers.get("x-goog-api-key") == key, "API key not valid. Please pass a valid API key.", 401)


def _prompt(body: Any, sizes: tuple[str, ...]) -> str:
    """The prompt of a body that keeps to the protocol. Raises Refused."""
    need_fields(body, {"contents": list, "generationConfig": dict}, {})
    (content,) = body["contents"]
    need_fields(content, {"parts": list, "role": str}, {})
    need(content["role"] == "user", "Please use a valid role: user, model.")
    (part,) = content["parts"]
    need_fields(part, {"text": str}, {})
    config = body["generationConfig"]
    need_fields(config, {"responseModalities": list}, {"imageConfig": dict, "seed": int})
    need(set(config["responseModalities"]) <= {"TEXT", "IMAGE"}, "unknown modality")
    need_fields(config.get("imageConfig", {}), {}, {"aspectRatio": RATIOS, "imageSize": sizes})
    need(len(part["text"]) > 0, "the prompt is empty")
    text: str = part["text"]
    return text


def _usage(parts: list[dict[str, Any]]) -> dict[str, Any]:
    drawn = any("inlineData" in part for part in parts)
    words = sum(4 for part in parts if "text" in part)
    details = [{"modality": "IMAGE", "tokenCount": IMAGE_TOKENS}] if drawn else []
    out = (IMAGE_TOKENS if drawn else 0) + words
    return {
        "candidatesTokenCount": out,
        "candidatesTokensDetails": details,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": PROMPT_TOKENS}],
        "thoughtsTokenCount": THOUGHT_TOKENS,
        "totalTokenCount": PROMPT_TOKENS + out + THOUGHT_TOKENS,
    }
