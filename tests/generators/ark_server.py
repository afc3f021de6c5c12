"""A loopback server that speaks Volcengine Ark's image generation API, by its published reference."""

from __future__ import annotations

import base64
import json
import re
from typing import Any, ClassVar

from aiohttp import web
from vendor_server import Call, Refused, VendorServer, need, need_fields

MODELS = ("doubao-seedream-4-0-250828", "seedream-4-0-250828", "doubao-seedream-3-0-t2i-250415")
OPTIONAL = {
    "size": str,
    "seed": int,
    "guidance_scale": float,
    "watermark": (True, False),
    "response_format": ("b64_json", "url"),
    "sequential_image_generation": ("disabled",),
    "optimize_prompt_options": dict,
}
SIZES = {"1K": 1024, "2K": 2048, "4K": 4096}


class ArkServer(VendorServer):
    FAULTS: ClassVar[tuple[str, ...]] = (
        *("rate_limit", "error_500", "cut", "slow", "blocked", "no_image", "corrupt", "wrong_mime", "oversize"),
    )

    def paths(self, app: web.Application) -> None:
        app.router.add_post("/api/v3/images/generations", self._generate)

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.headers.append(dict(request.headers))
        try:
            key = request.headers.get("Authorization")
            need(key == f"Bearer {self.key}", "The API key in the request is missing or invalid.", 401)
            need(request.content_type == "application/json", "Content-Type is not application/json")
            body = json.loads(raw)
            self.bodies.append(body)
            given = {name: value for name, value in body.items() if value is not None}
            need_fields(given, {"model": str, "prompt": str}, OPTIONAL)
            need(given["model"] in MODELS, f"The model or endpoint {given['model']} does not exist", 404)
            need(bool(given["prompt"].strip()), "prompt is empty")
            need(_size_fits(given.get("size", "2K")), f"size {given.get('size')} is not valid")
            need("seed" not in given or "seedream-3" in given["model"], "seed is not supported by this model")
        except Refused as e:
            self.bad.append(str(e))
            code = {401: "AuthenticationError", 404: "InvalidEndpointOrModel.NotFound"}.get(e.status)
            return await self._error(request, None, e.status, code or "InvalidParameter", str(e))
        call = self.draw_fault(given["prompt"])
        await self.patience(call)
        return await self._answer(request, call, given)

    async def _answer(self, request: web.Request, call: Call, given: dict[str, Any]) -> web.StreamResponse:
        if call.kind == "rate_limit":
            after = {"Retry-After": f"{self.retry_after_s:g}"}
            code = "ModelAccountIpmRateLimitExceeded"
            return await self._error(request, call, 429, code, "images per minute exceeded", after)
        if call.kind == "error_500":
            return await self._error(request, call, 500, "InternalServiceError", "internal error")
        if call.kind in ("blocked", "risk"):
            call.delivered = True
            code = "InputTextSensitiveContentDetected" if call.kind == "blocked" else "InputTextRiskDetection"
            return await self._error(request, call, 400, code, "the input text may contain sensitive information")
        if call.kind == "overdue":
            return await self._error(request, call, 403, "AccountOverdueError", "the account has an overdue balance")
        reply: dict[str, Any] = {"model": given["model"], "created": 1_760_000_000}
        if call.kind == "blocked_inside":
            error = {"code": "OutputImageSensitiveContentDetected.PolicyViolation", "message": "the image was stopped"}
            reply |= {"data": [{"error": error}], "usage": usage(0)}
        elif call.kind == "failed_inside" and call.nth == 0:
            reply |= {"data": [], "error": {"code": "InternalServiceError", "message": "try later"}, "usage": usage(0)}
        elif call.kind == "no_image":
            reply |= {"data": [], "usage": usage(0)}
        else:
            image = {"b64_json": base64.b64encode(self.picture(call)).decode(), "size": "2048x2048"}
            reply |= {"data": [image], "usage": usage(1)}
        return await self.send(request, call, reply, headers={"X-Request-Id": f"02{len(self.calls):06d}"})

    async def _error(
        self,
        request: web.Request,
        call: Call | None,
        status: int,
        code: str,
        message: str,
        headers: dict[str, str] | None = None,
    ) -> web.StreamResponse:
        number = f"02{len(self.calls):06d}"
        kind = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 429: "TooManyRequests"}
        error = {
            "code": code,
            "message": f"{message} Request id: {number}",
            "param": "",
            "type": kind.get(status, "InternalServerError"),
        }
        return await self.send(request, call, {"error": error}, status, {"X-Request-Id": number, **(headers or {})})


def usage(images: int) -> dict[str, int]:
    """So many images of 2048 x 2048 px; a token is 256 px."""
    return {"generated_images": images, "output_tokens": images * 16_384, "total_tokens": images * 16_384}


def _size_fits(size: str) -> bool:
    """By name, or by pixels: 1280x720 to 4096x4096 in area, no side more than 16 times the other."""
    if size in SIZES:
        return True
    found = re.fullmatch(r"(\d+)x(\d+)", size)
    if found is None:
        return False
    width, height = int(found[1]), int(found[2])
    return 1280 * 720 <= width * height <= 4096 * 4096 and 1 / 16 <= width / height <= 16
