"""What the loopback servers of the image vendors share: a thread, a log of requests, faults on demand, pictures.

A vendor's server is a subclass in a file of its own. It checks path, key and body strictly and answers by the published
protocol; `self.fault(request body)` says what shall go wrong this time, and the subclass says how that looks.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from aiohttp import web
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the processes that tests start

from loopback_server import LoopbackServer

PASSING = ("rate_limit", "error_500", "cut", "slow")
"""Faults after which another attempt goes better."""
LASTING = ("blocked", "no_image", "corrupt", "wrong_mime", "oversize")
"""Faults that are an answer; what each must end in is `STATUS`."""
STATUS = {
    "blocked": "blocked",
    "refused": "refused",
    "no_image": "no_image",
    "corrupt": "bad_image",
    "wrong_mime": "ok",
    "oversize": "too_large",
}
MOST_BYTES = 1 << 20
"""What the tests' generators take at most; `oversize` is more."""


class Refused(Exception):
    """The request breaks the protocol; becomes an error of the vendor's form."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Call:
    """One request for an image (or a job), as the server saw it."""

    prompt: str
    nth: int
    """How often this prompt had come before."""
    kind: str
    delivered: bool = False
    """The answer (for jobs: the job's id) went out whole."""
    at: float = field(default_factory=time.monotonic)
    """When it came, on the clock that all processes share."""


@dataclass
class VendorServer(LoopbackServer):
    """The server in a thread of this process. `rate` of the requests go wrong, by seed, prompt and count."""

    key: str = "loopback-secret-key"
    rate: float = 0.0
    seed: int = 0
    kinds: tuple[str, ...] = (*PASSING, *LASTING)
    slow_s: float = 0.3
    retry_after_s: float = 0.2
    delay_s: float = 0.0
    lasting: dict[str, str] = field(default_factory=dict)
    """Text in a prompt -> a lasting fault that all requests with it get."""

    FAULTS: ClassVar[tuple[str, ...]] = (*PASSING, *LASTING)
    """Those that this vendor's protocol can show."""

    def __post_init__(self) -> None:
        self.calls: list[Call] = []
        self.bad: list[str] = []
        """What broke the protocol."""
        self.headers: list[dict[str, str]] = []
        self.bodies: list[Any] = []
        self.files: dict[str, tuple[bytes, str]] = {}
        """Name -> (bytes, type) of the pictures behind addresses."""
        self._times: Counter[str] = Counter()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def paths(self, app: web.Application) -> None:
        """Add the vendor's paths."""
        raise NotImplementedError

    def routes(self, app: web.Application) -> None:
        self.paths(app)
        app.router.add_get("/files/{name}", self._file)

    def draw_fault(self, prompt: str) -> Call:
        """Note a request for `prompt` and draw what happens to it."""
        nth = self._times[prompt]
        self._times[prompt] += 1
        rng = random.Random(f"{self.seed}/{hashlib.sha256(prompt.encode()).hexdigest()}/{nth}")
        kind = rng.choice([k for k in self.kinds if k in self.FAULTS]) if rng.random() < self.rate else "ok"
        for text, fault in self.lasting.items():
            kind = fault if text in prompt else kind
        call = Call(prompt, nth, kind)
        self.calls.append(call)
        return call

    def delivered(self) -> Counter[str]:
        """How many answers (jobs) went out whole, by prompt."""
        return Counter(c.prompt for c in self.calls if c.delivered)

    def picture(self, call: Call) -> bytes:
        """The picture for a call: a PNG that differs from prompt to prompt, or what the fault makes of it."""
        if call.kind == "oversize":
            return random.Random(0).randbytes(MOST_BYTES + 4096)
        image = Image.new("RGB", (256, 192), "white")
        draw = ImageDraw.Draw(image)
        draw.rectangle((20, 20, 120, 90), outline="black")
        draw.text((30, 120), hashlib.sha256(call.prompt.encode()).hexdigest()[:12], fill="black")
        out = io.BytesIO()
        image.save(out, "JPEG" if call.kind == "wrong_mime" else "PNG")
        data = out.getvalue()
        return data[: len(data) // 2] if call.kind == "corrupt" else data

    def host(self, call: Call) -> str:
        """Put the picture behind an address and give that."""
        name = f"{hashlib.sha256(call.prompt.encode()).hexdigest()[:16]}-{call.nth}.png"
        self.files[name] = (self.picture(call), "image/png")
        return f"{self.url}/files/{name}"

    async def _file(self, request: web.Request) -> web.StreamResponse:
        if any("key" in name.lower() or name.lower() == "authorization" for name in request.headers):
            self.bad.append("a key was sent to the pictures' address")
        data, kind = self.files[request.match_info["name"]]
        return web.Response(body=data, content_type=kind)

    async def send(
        self,
        request: web.Request,
        call: Call | None,
        body: Any,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> web.StreamResponse:
        """The body as JSON; cut in the middle where the call's fault is `cut`."""
        data = json.dumps(body).encode()
        sent = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
        response = web.StreamResponse(status=status, headers=sent)
        try:
            await response.prepare(request)
            if call is not None and call.kind == "cut":
                await response.write(data[: len(data) // 2])
                assert request.transport is not None
                request.transport.close()
                return response
            await response.write(data)
            await response.write_eof()
            if call is not None and status == 200:
                call.delivered = True
        except ConnectionError:
            pass  # the client has gone: not delivered
        return response

    async def patience(self, call: Call) -> None:
        """What a call takes."""
        if self.delay_s or call.kind == "slow":
            await asyncio.sleep(self.slow_s if call.kind == "slow" else self.delay_s)


def need(condition: bool, message: str, status: int = 400) -> None:
    """Raise Refused unless the condition holds."""
    if not condition:
        raise Refused(message, status)


def need_fields(body: Any, required: dict[str, type], optional: dict[str, Any]) -> None:
    """The body's fields, no others, of these types; an optional one may be given by its allowed values."""
    need(isinstance(body, dict), "the body is not an object")
    for name, kind in required.items():
        need(isinstance(body.get(name), kind), f"{name} is missing or not {kind.__name__}")
    for name, value in body.items():
        if name in required:
            continue
        need(name in optional, f"unknown field {name}")
        allowed = optional[name]
        fits = isinstance(value, allowed) if isinstance(allowed, type) else value in allowed
        need(fits, f"{name}: {value!r} is not allowed")
