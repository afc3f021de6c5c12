"""A loopback server that speaks Tencent Cloud's aiart API (HunyuanImage 3.0), by its published reference.

Every request's TC3-HMAC-SHA256 signature is computed again, from the key and from what came over the wire.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from datetime import UTC, datetime
from typing import Any, ClassVar

from aiohttp import web
from vendor_server import Call, Refused, VendorServer, need, need_fields

AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<date>\d{4}-\d\d-\d\d)/(?P<service>\w+)/tc3_request, "
    r"SignedHeaders=content-type;host, Signature=(?P<signature>[0-9a-f]{64})"
)
OPTIONAL = {"Resolution": str, "Seed": int, "LogoAdd": (0, 1), "Revise": (0, 1)}
WAITS = ("1", "2")
"""Codes that a job shows before it is done."""


class TencentServer(VendorServer):
    FAULTS: ClassVar[tuple[str, ...]] = (
        *("rate_limit", "error_500", "cut", "slow", "blocked", "no_image", "corrupt", "wrong_mime", "oversize"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.jobs: dict[str, tuple[Call, dict[str, Any]]] = {}
        self.asked: list[str] = []
        """Job ids in the order in which they were asked for."""
        self.held = False
        """While it is set no job is done."""

    @property
    def secret_id(self) -> str:
        return f"{self.key}-id"

    def paths(self, app: web.Application) -> None:
        app.router.add_post("/", self._act)

    async def _act(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.headers.append(dict(request.headers))
        try:
            self._check_head(request, raw)
            body = json.loads(raw)
            action = request.headers["X-TC-Action"]
            if action == "QueryTextToImageJob":
                need_fields(body, {"JobId": str}, {})
                return await self._query(request, body["JobId"])
            need(action == "SubmitTextToImageJob", f"InvalidAction|no action {action}")
            self.bodies.append(body)
            need_fields(body, {"Prompt": str}, OPTIONAL)
            need(0 < len(body["Prompt"]) <= 8192, "InvalidParameterValue.TextLengthExceed|the prompt is too long")
            need(_size_fits(body.get("Resolution", "1024:1024")), "InvalidParameterValue|Resolution is not valid")
            need(body.get("Seed", 1) > 0, "InvalidParameterValue|Seed is not positive")
        except Refused as e:
            self.bad.append(str(e))
            code, _, message = str(e).rpartition("|")
            return await self._error(request, code or "InvalidParameter", message)
        return await self._submit(request, body)

    def _check_head(self, request: web.Request, raw: bytes) -> None:
        """Raise Refused unless the headers are those of the common parameters and the signature is right."""
        head = request.headers
        need(request.query_string == "", "InvalidParameter|there is a query")
        need(head.get("Content-Type") == "application/json", "InvalidParameter|not application/json")
        need(head.get("X-TC-Version") == "2022-12-29", "NoSuchVersion|no such version")
        need(re.fullmatch(r"[a-z]+-[a-z]+", head.get("X-TC-Region", "")) is not None, "UnsupportedRegion|no region")
        found = AUTHORIZATION.fullmatch(head.get("Authorization", ""))
        need(found is not None, "AuthFailure.InvalidAuthorization|Authorization is not of the form")
        assert found is not None
        moment = int(head.get("X-TC-Timestamp", "0"))
        need(abs(moment - time.time()) < 300, "AuthFailure.SignatureExpire|the timestamp is too old")
        day = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
        need(found["date"] == day, "AuthFailure.SignatureFailure|the date is not the timestamp's")
        need(found["service"] == "aiart", "AuthFailure.SignatureFailure|signed for another service")
        need(found["id"] == self.secret_id, "AuthFailure.SecretIdNotFound|the SecretId is not found")
        host = f"127.0.0.1:{self.port}"
        need(head.get("Host") == host, "AuthFailure.SignatureFailure|the host is another")
        expected = signature(self.key, "aiart", moment, host, raw)
        need(hmac.compare_digest(found["signature"], expected), "AuthFailure.SignatureFailure|the signature is wrong")

    async def _submit(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        call = self.draw_fault(body["Prompt"])
        await self.patience(call)
        if call.kind == "rate_limit":
            return await self._error(request, "RequestLimitExceeded", "the frequency limit is exceeded")
        if call.kind == "too_many_jobs" and call.nth == 0:
            return await self._error(request, "RequestLimitExceeded.JobNumExceed", "too many jobs at work")
        if call.kind == "error_500":
            return await self.send(request, None, {"message": "upstream"}, 500)
        if call.kind == "arrears":
            return await self._error(request, "ResourceUnavailable.InArrears", "the account is in arrears")
        if call.kind == "blocked":
            call.delivered = True
            return await self._error(request, "OperationDenied.TextIllegalDetected", "the text did not pass review")
        job = f"1259388371-1764399486-{len(self.jobs):04d}-0"
        self.jobs[job] = (call, body)
        return await self._reply(request, {"JobId": job}, call)

    async def _query(self, request: web.Request, job: str) -> web.StreamResponse:
        self.asked.append(job)
        times = self.asked.count(job)
        call, body = self.jobs.get(job, (None, {}))
        if call is None or (call.kind == "forgotten" and call.nth == 0):
            return await self._error(request, "FailedOperation.JobNotExist", "the job does not exist")
        reply: dict[str, Any] = {
            "JobStatusCode": "5",
            "JobStatusMsg": "done",
            "JobErrorCode": "",
            "JobErrorMsg": "",
            "ResultImage": [],
            "ResultDetails": [],
            "RevisedPrompt": [],
        }
        if self.held or times <= len(WAITS):
            reply["JobStatusCode"] = WAITS[min(times, len(WAITS)) - 1]
        elif (code := _job_error(call)) is not None:
            reply |= {"JobStatusCode": "4", "JobErrorCode": code, "JobErrorMsg": "the job has failed"}
        else:
            revised = body["Prompt"] + (" In the style of a textbook." if body.get("Revise", 1) else "")
            images = [] if call.kind == "no_image" else [self.host(call)]
            reply |= {"ResultImage": images, "ResultDetails": ["Success"] * len(images), "RevisedPrompt": [revised]}
        return await self._reply(request, reply, None)

    async def _reply(self, request: web.Request, reply: dict[str, Any], call: Call | None) -> web.StreamResponse:
        number = f"fd7b5e60-{len(self.headers):06d}"
        return await self.send(request, call, {"Response": {**reply, "RequestId": number}})

    async def _error(self, request: web.Request, code: str, message: str) -> web.StreamResponse:
        """An error, which comes with HTTP 200."""
        return await self._reply(request, {"Error": {"Code": code, "Message": message}}, None)


def signature(
    key: str, service: str, moment: int, host: str, body: bytes, content_type: str = "application/json"
) -> str:
    """TC3-HMAC-SHA256 of a POST to / at `moment` (Unix seconds), in hex."""
    day = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
    lines = ["POST", "/", "", f"content-type:{content_type}", f"host:{host}", "", "content-type;host"]
    lines.append(hashlib.sha256(body).hexdigest())
    request = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    text = "\n".join(["TC3-HMAC-SHA256", str(moment), f"{day}/{service}/tc3_request", request])
    secret = f"TC3{key}".encode()
    for part in (day, service, "tc3_request"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    return hmac.digest(secret, text.encode(), "sha256").hex()


def _job_error(call: Call) -> str | None:
    """Code with which the job fails, if it does."""
    if call.kind == "image_blocked":
        return "FailedOperation.GenerateImageFailed"
    if call.kind == "bad_value":
        return "InvalidParameterValue.ParameterValueError"
    if call.kind == "job_fails" or (call.kind == "job_fails_once" and call.nth == 0):
        return "FailedOperation.ServerError"
    return None


def _size_fits(size: str) -> bool:
    """width:height, each 512 to 2048 px, no more than 1024 x 1024 px in area."""
    found = re.fullmatch(r"(\d+):(\d+)", size)
    if found is None:
        return False
    width, height = int(found[1]), int(found[2])
    return min(width, height) >= 512 and max(width, height) <= 2048 and width * height <= 1 << 20
