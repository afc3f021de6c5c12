"""A loopback server that speaks DashScope's asynchronous image synthesis, by its published reference."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aiohttp import web
from vendor_server import Call, Refused, VendorServer, need, need_fields

MODELS = ("qwen-image-plus", "qwen-image")
PARAMETERS = {
    "size": ("1664*928", "1472*1104", "1472*1140", "1328*1328", "1104*1472", "1140*1472", "928*1664"),
    "n": (1,),
    "seed": int,
    "prompt_extend": (True, False),
    "watermark": (True, False),
}
AT_THE_DOOR = ("blocked", "arrearage", "infringement")
"""Answers to the submission, `blocked` to every other one; all else that lasts is a fault of the task."""


@dataclass
class Task:
    """A task that was given out."""

    call: Call
    prompt: str
    extended: bool
    asked: int = 0
    polls: list[str] = field(default_factory=list)
    """Faults of the coming questions about it."""


@dataclass
class DashScopeServer(VendorServer):
    polls: tuple[str, ...] = ()
    """What the first questions about each task get: rate_limit, error_500, cut."""
    rounds: int = 2
    """Questions after which a task is done."""

    FAULTS: ClassVar[tuple[str, ...]] = (
        *("rate_limit", "error_500", "cut", "slow", "blocked", "no_image", "corrupt", "wrong_mime", "oversize"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.tasks: dict[str, Task] = {}

    def paths(self, app: web.Application) -> None:
        app.router.add_post("/api/v1/services/aigc/text2image/image-synthesis", self._submit)
        app.router.add_get("/api/v1/tasks/{task}", self._task)
        app.router.add_get("/api/v1/tasks/{task}/", self._task)  # so the vendor's own client asks

    def _key(self, request: web.Request) -> None:
        self.headers.append(dict(request.headers))
        need(request.headers.get("Authorization") == f"Bearer {self.key}", "Invalid API-key provided.", 401)

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        try:
            self._key(request)
            need(request.headers.get("X-DashScope-Async") == "enable", "does not support synchronous calls", 403)
            need(request.content_type == "application/json", "Content-Type is not application/json")
            body = json.loads(raw)
            self.bodies.append(body)
            need_fields(body, {"model": str, "input": dict}, {"parameters": dict})
            need_fields(body["input"], {"prompt": str}, {"negative_prompt": str})
            need_fields(body.get("parameters", {}), {}, PARAMETERS)
            need(body["model"] in MODELS, "Model not exist.", 404)
            need(0 < len(body["input"]["prompt"]) <= 800, "this test's server reads no more than 800 characters")
        except Refused as e:
            self.bad.append(str(e))
            code = {401: "InvalidApiKey", 403: "AccessDenied", 404: "ModelNotFound"}.get(e.status, "InvalidParameter")
            return await self._error(request, None, e.status, code, str(e))
        call = self.draw_fault(body["input"]["prompt"])
        await self.patience(call)
        if call.kind == "drop":
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if call.kind == "rate_limit":
            after = {"Retry-After": f"{self.retry_after_s:g}"}
            return await self._error(request, call, 429, "Throttling.RateQuota", "Requests rate limit exceeded", after)
        if call.kind == "error_500":
            return await self._error(request, call, 500, "InternalError", "An internal error has occurred")
        later = call.kind == "blocked" and len(self.calls) % 2 == 0
        if call.kind in AT_THE_DOOR and not later:
            call.delivered = True
            code = {"blocked": "DataInspectionFailed", "infringement": "IPInfringementSuspect"}.get(call.kind)
            return await self._error(request, call, 400, code or "Arrearage", "Input data may be inappropriate.")
        name = f"task-{len(self.tasks) + 1:06d}"
        extended = body.get("parameters", {}).get("prompt_extend", True)
        self.tasks[name] = Task(call, call.prompt, extended, polls=list(self.polls))
        output = {"task_status": "PENDING", "task_id": name}
        return await self.send(request, call, {"output": output, "request_id": f"s-{len(self.calls)}"})

    async def _task(self, request: web.Request) -> web.StreamResponse:
        try:
            self._key(request)
        except Refused as e:
            self.bad.append(str(e))
            return await self._error(request, None, e.status, "InvalidApiKey", str(e))
        name = request.match_info["task"]
        task = self.tasks.get(name)
        if task is None:
            output: dict[str, Any] = {"task_id": name, "task_status": "UNKNOWN"}
            return await self.send(request, None, {"request_id": "f-0", "output": output})
        fault = task.polls.pop(0) if task.polls else "ok"
        if fault == "rate_limit":
            return await self._error(request, None, 429, "Throttling", "too many", {"retry-after": "0.05"})
        if fault == "error_500":
            return await self._error(request, None, 500, "InternalError", "An internal error has occurred")
        task.asked += 1
        output = {"task_id": name, "task_status": "PENDING" if task.asked == 1 else "RUNNING"}
        usage: dict[str, Any] = {}
        if task.asked > self.rounds:
            output |= self._end(task)
            if "results" in output:
                usage = {"usage": {"image_count": sum("url" in result for result in output["results"])}}
        reply = {"request_id": f"f-{name}", "output": output, **usage}
        call = Call(task.prompt, 0, fault)
        return await self.send(request, call, reply)

    def _end(self, task: Task) -> dict[str, Any]:
        """How a task ends: status, and results or the error."""
        kind, first = task.call.kind, task.call.nth == 0
        stopped = {"code": "DataInspectionFailed", "message": "Output data may contain inappropriate content."}
        broken = {"code": "InternalError.Timeout", "message": "An internal timeout error has occurred."}
        wrong = {"code": "InvalidParameter", "message": "size is wrong"}
        if kind in ("blocked", "blocked_later"):
            return {"task_status": "FAILED", **stopped}
        if kind == "blocked_inside":
            return {"task_status": "SUCCEEDED", "results": [stopped]}
        if kind == "invalid":
            return {"task_status": "FAILED", **wrong}
        if kind == "job_fails" or (kind == "job_fails_once" and first):
            return {"task_status": "FAILED", **broken}
        if kind == "canceled_once" and first:
            return {"task_status": "CANCELED"}
        if kind == "unknown_once" and first:
            return {"task_status": "UNKNOWN"}
        if kind == "never":
            return {}
        if kind == "no_image":
            return {"task_status": "SUCCEEDED", "results": []}
        result = {"url": self.host(task.call), "orig_prompt": task.prompt}
        if task.extended:
            result["actual_prompt"] = f"{task.prompt} In a clean style."
        return {"task_status": "SUCCEEDED", "results": [result]}

    async def _error(
        self,
        request: web.Request,
        call: Call | None,
        status: int,
        code: str,
        message: str,
        headers: dict[str, str] | None = None,
    ) -> web.StreamResponse:
        error = {"code": code, "message": message, "request_id": f"s-{len(self.calls)}"}
        return await self.send(request, call, error, status, headers)
