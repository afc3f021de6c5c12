"""A loopback server that speaks Black Forest Labs' API (FLUX.2 [flex]), by its published reference."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

from aiohttp import web
from vendor_server import Call, Refused, VendorServer, need, need_fields

OPTIONAL = {
    "width": int,
    "height": int,
    "seed": int,
    "prompt_upsampling": (True, False),
    "guidance": (1.5, 4.5, 5, 10),
    "steps": int,
    "safety_tolerance": (0, 1, 2, 3, 4, 5),
    "output_format": ("png", "jpeg"),
}
MODERATION = {"Moderation Reasons": ["test"]}


@dataclass
class BflServer(VendorServer):
    rounds: int = 1
    """Questions that a job answers with Pending before it is done."""
    cost: float | None = 10.0
    """Credits that a submission says it costs."""
    polling: str = "{url}/v1/get_result?id={id}"
    """Form of the address to ask."""
    polls: tuple[str, ...] = ()
    """What the first questions about each job get: rate_limit, error_500, cut, not_json, unknown."""

    FAULTS: ClassVar[tuple[str, ...]] = (
        *("rate_limit", "error_500", "cut", "slow", "blocked", "no_image", "corrupt", "wrong_mime", "oversize"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.jobs: dict[str, Call] = {}
        self.asked: Counter[str] = Counter()
        """Questions by job's id."""
        self.ended: Counter[str] = Counter()
        """How often a job's end was told."""
        self.held = False
        """While it is set no job is done."""
        self.lent = True
        """Whether pictures are still behind their addresses."""
        self.keyless: list[str] = []
        """Questions that came without the key."""
        self.polling_headers: list[dict[str, str]] = []

    def paths(self, app: web.Application) -> None:
        app.router.add_post("/v1/flux-2-flex", self._submit)
        app.router.add_get("/v1/get_result", self._result)
        app.router.add_get("/elsewhere", self._elsewhere)
        app.router.add_get("/expired/{name}", self._expired)

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.headers.append(dict(request.headers))
        try:
            need("Authorization" not in request.headers, "Not authenticated", 403)
            need(request.headers.get("x-key") == self.key, "Not authenticated - Invalid Authentication", 403)
            need(request.content_type == "application/json", "Content-Type is not application/json", 422)
            need(request.headers.get("accept") == "application/json", "accept is not application/json", 422)
            body = json.loads(raw)
            self.bodies.append(body)
            need_fields(body, {"prompt": str}, OPTIONAL)
            _check_size(body)
        except Refused as e:
            self.bad.append(str(e))
            return await self._error(request, None, e.status, str(e))
        call = self.draw_fault(body["prompt"])
        await self.patience(call)
        if (refused := await self._refused(request, call)) is not None:
            return refused
        job = f"job-{len(self.jobs):06d}"
        self.jobs[job] = call
        reply = {"id": job, "polling_url": self.polling.format(url=self.url, id=job)}
        if self.cost is not None:
            reply |= {"cost": self.cost, "input_mp": 0.0, "output_mp": 1.0}  # type: ignore[dict-item]
        if call.kind == "no_job":
            reply = {"id": job}
        return await self.send(request, call, reply)

    async def _refused(self, request: web.Request, call: Call) -> web.StreamResponse | None:
        if call.kind == "rate_limit":
            after = {"Retry-After": f"{self.retry_after_s:g}"}
            return await self._error(request, call, 429, "You have exceeded the limit of active tasks.", after)
        if call.kind == "error_500":
            return await self._error(request, call, 500, "Internal Server Error")
        if call.kind == "no_credits":
            return await self._error(request, call, 402, "Insufficient credits")
        if call.kind == "key_form":
            return await self._error(request, call, 422, "Invalid API key format")
        if call.kind == "invalid":
            return await self._error(request, call, 422, [{"loc": ["body", "steps"], "msg": "too many"}])
        return None

    async def _result(self, request: web.Request) -> web.StreamResponse:
        self.polling_headers.append(dict(request.headers))
        job = request.query.get("id", "")
        if request.headers.get("x-key") != self.key:
            self.keyless.append(job)
            return await self._error(request, None, 403, "Not authenticated")
        if set(request.query) != {"id"}:
            self.bad.append("the address to ask was changed")
        self.asked[job] += 1
        number = self.asked[job]
        call = self.jobs.get(job)
        if call is None or (call.kind == "lost_404" and call.nth == 0):
            return await self._error(request, None, 404, "Task not found")
        trouble = self.polls[number - 1] if number <= len(self.polls) else "ok"
        if trouble == "rate_limit":
            return await self._error(request, None, 429, "slow down", {"Retry-After": "0.05"})
        if trouble == "error_500":
            return await self._error(request, None, 503, "unavailable")
        if trouble == "not_json":
            return web.Response(text="<html>")
        reply: dict[str, Any] = {"id": job, "status": "Pending", "result": None, "progress": 0.5}
        if trouble == "unknown":
            reply["status"] = "On Holiday"
        elif not self.held and number > self.rounds + len(self.polls):
            self.ended[job] += 1
            reply |= {"progress": 1.0, **self._end(call, job)}
        return await self.send(request, Call(job, 0, trouble), reply)

    def _end(self, call: Call, job: str) -> dict[str, Any]:
        """How a job ends: status, and result or details."""
        kind, first = call.kind, call.nth == 0
        if kind == "request_moderated" or (kind == "blocked" and len(self.ended) % 2):
            return {"status": "Request Moderated", "details": MODERATION}
        if kind in ("content_moderated", "blocked"):
            return {"status": "Content Moderated", "details": MODERATION}
        if kind == "job_fails" or (kind == "job_fails_once" and first):
            return {"status": "Error", "details": {"error": "out of memory"}}
        if kind == "tells_key":
            return {"status": "Error", "details": {"error": f"worker with {self.key} is gone"}}
        if kind == "lost" or (kind == "lost_once" and first):
            return {"status": "Task not found"}
        if kind == "no_image":
            return {"status": "Ready", "result": {}}
        url = self.host(call)
        if kind == "expired" or (kind == "expired_once" and first) or not self.lent:
            url = f"{self.url}/expired/{job}.png?sig=abc"
        result = {"sample": url, "prompt": f"{call.prompt} In a clean style.", "seed": 4242, "duration": 9.5}
        return {"status": "Ready", "result": result}

    async def _elsewhere(self, request: web.Request) -> web.StreamResponse:
        """An address to ask on another host."""
        self.polling_headers.append(dict(request.headers))
        if "x-key" in request.headers:
            self.bad.append("the key was sent to another host")
        return web.json_response({"status": "Pending"}, status=403 if "closed" in request.query else 200)

    async def _expired(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=403, text="Signature expired")

    async def _error(
        self,
        request: web.Request,
        call: Call | None,
        status: int,
        detail: Any,
        headers: dict[str, str] | None = None,
    ) -> web.StreamResponse:
        return await self.send(request, call, {"detail": detail}, status, headers)


def _check_size(body: dict[str, Any]) -> None:
    """Each side a multiple of 16, at least 64, and no more than 4 megapixels. Raises Refused."""
    width, height = body.get("width", 1024), body.get("height", 1024)
    need(min(width, height) >= 64 and width % 16 == height % 16 == 0, "width or height is not allowed", 422)
    need(width * height <= 4 << 20, "more than 4 megapixels", 422)
    need(len(body["prompt"]) > 0, "the prompt is empty", 422)
    need(body.get("seed", 0) >= 0, "the seed is negative", 422)
