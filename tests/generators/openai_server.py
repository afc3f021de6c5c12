"""A loopback server that speaks OpenAI's Images API (create), by its published reference."""

from __future__ import annotations

import base64
import json
from typing import ClassVar

from aiohttp import web
from vendor_server import Call, Refused, VendorServer, need, need_fields

OPTIONAL = {
    "n": (1,),
    "size": ("1024x1024", "1536x1024", "1024x1536", "auto"),
    "quality": ("low", "medium", "high", "auto"),
    "background": ("transparent", "opaque", "auto"),
    "moderation": ("low", "auto"),
    "output_format": ("png", "jpeg", "webp"),
    "output_compression": int,
    "user": str,
}
MODELS = ("gpt-image-1", "gpt-image-1.5", "gpt-image-1-mini")


class OpenAIServer(VendorServer):
    FAULTS: ClassVar[tuple[str, ...]] = (
        *("rate_limit", "error_500", "cut", "slow", "blocked", "no_image", "corrupt", "wrong_mime", "oversize"),
    )

    def paths(self, app: web.Application) -> None:
        app.router.add_post("/v1/images/generations", self._generate)

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.headers.append(dict(request.headers))
        try:
            need(request.headers.get("Authorization") == f"Bearer {self.key}", "Incorrect API key provided", 401)
            need(request.content_type == "application/json", "Content-Type is not application/json")
            body = json.loads(raw)
            self.bodies.append(body)
            need_fields(body, {"model": str, "prompt": str}, OPTIONAL)
            need(body["model"] in MODELS, f"The model '{body['model']}' does not exist", 404)
            need(0 < len(body["prompt"]) <= 32_000, "prompt is empty or too long")
        except Refused as e:
            self.bad.append(str(e))
            return await self._error(request, None, e.status, "invalid_request_error", None, str(e))
        call = self.draw_fault(body["prompt"])
        await self.patience(call)
        if call.kind == "rate_limit":
            after = {"Retry-After": f"{self.retry_after_s:g}"}
            return await self._error(request, call, 429, "requests", "rate_limit_exceeded", "Rate limit", after)
        if call.kind == "error_500":
            return await self._error(request, call, 500, "server_error", None, "The server had an error")
        if call.kind == "blocked":
            message = "Your request was rejected by the safety system. safety_violations=[test]."
            call.delivered = True
            return await self._error(request, call, 400, "image_generation_user_error", "moderation_blocked", message)
        data = [] if call.kind == "no_image" else [{"b64_json": base64.b64encode(self.picture(call)).decode()}]
        reply = {
            "created": 1_760_000_000,
            "background": "opaque",
            "data": data,
            "output_format": "png",
            "quality": body.get("quality", "high"),
            "size": "1024x1024",
            "usage": {
                "input_tokens": 50,
                "input_tokens_details": {"image_tokens": 0, "text_tokens": 50},
                "output_tokens": 4160,
                "total_tokens": 4210,
            },
        }
        return await self.send(request, call, reply, headers={"x-request-id": f"req_{len(self.calls):06d}"})

    async def _error(
        self,
        request: web.Request,
        call: Call | None,
        status: int,
        kind: str,
        code: str | None,
        message: str,
        headers: dict[str, str] | None = None,
    ) -> web.StreamResponse:
        error = {"error": {"message": message, "type": kind, "param": None, "code": code}}
        sent = {"x-request-id": f"req_{len(self.calls):06d}", **(headers or {})}
        return await self.send(request, call, error, status, sent)
