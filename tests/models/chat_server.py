"""A loopback server that speaks the chat-completions protocol strictly, answers by a function and fails on demand.

In a test:      with ChatServer(answer, faults=Faults(rate=0.1)) as server: ... server.base_url, server.seen
As a process:   python tests/models/chat_server.py --port 0 --faults 0.1 --log FILE --answer path/to/file.py:function
The process prints its base URL on its first line, and stops at SIGTERM. The log has one JSON line a request, written
once the last byte was handed to the kernel (`delivered`) or the request had failed.

The answer function gets the parsed body and gives the content: a string, or anything else as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import importlib.util
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from aiohttp import web

sys.path.insert(0, str(Path(__file__).parents[1]))  # as a process, or imported from another folder

from loopback_server import LoopbackServer

Body = dict[str, Any]
AnswerFunction = Callable[[Body], Any]

KINDS = ("slow", "rate_limit", "error_500", "cut", "garbage", "wrong_json", "empty", "content_filter")
ANSWERS = frozenset({"ok", "slow", "wrong_json", "empty", "content_filter"})
"""Kinds that end in a well-formed answer of the protocol, which a client has to keep."""
CHARACTERS_A_TOKEN = 4


@dataclass(frozen=True)
class Faults:
    """What goes wrong, how often. The draw depends on the seed, the body, and how often that body has come."""

    rate: float = 0.0
    seed: int = 0
    kinds: tuple[str, ...] = KINDS
    slow_s: float = 0.5
    retry_after_s: float = 0.3

    def draw(self, body_hash: str, nth: int) -> str:
        rng = random.Random(f"{self.seed}/{body_hash}/{nth}")
        return rng.choice(self.kinds) if rng.random() < self.rate else "ok"


@dataclass
class Seen:
    """One request as the server saw it."""

    hash: str
    """sha256 of the body as canonical JSON."""
    nth: int
    """How often this body had come before."""
    kind: str
    """`ok`, one of KINDS, or `bad_request`, `bad_key`."""
    delivered: bool = False
    """An answer of the protocol went out whole (also slow, empty, refused or wrong ones)."""
    input_tokens: int = 0
    output_tokens: int = 0
    at: float = 0.0
    """Seconds on the server's clock when it came."""


class BadRequest(Exception):
    pass


def count_tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_A_TOKEN)


def check(body: Any) -> tuple[int, int]:
    """(input tokens, most output tokens) of a body that keeps to the protocol; BadRequest for any other."""
    if not isinstance(body, dict):
        raise BadRequest("the body is not an object")
    known = {
        "model", "messages", "max_tokens", "max_completion_tokens", "temperature", "seed", "response_format", "stream",
        "reasoning_effort", "top_p", "n", "stop", "user",
    }  # fmt: skip
    if unknown := set(body) - known:
        raise BadRequest(f"unknown fields {sorted(unknown)}")
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise BadRequest("model is not a string")
    if body.get("stream"):
        raise BadRequest("this server does not stream")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequest("messages is not a list with something in it")
    tokens = 0
    for n, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in ("system", "developer", "user", "assistant"):
            raise BadRequest(f"messages[{n}].role")
        tokens += 4 + _content_tokens(message.get("content"), f"messages[{n}].content")
    if messages[-1]["role"] != "user":
        raise BadRequest("the last message is not the user's")
    shape = body.get("response_format")
    if shape is not None:
        if shape.get("type") != "json_schema" or not isinstance(shape["json_schema"].get("schema"), dict):
            raise BadRequest("response_format")
        if not shape["json_schema"].get("name", "").replace("_", "").replace("-", "").isalnum():
            raise BadRequest("response_format.json_schema.name")
        tokens += count_tokens(json.dumps(shape))
    most = body.get("max_completion_tokens", body.get("max_tokens", 1 << 30))
    if not isinstance(most, int) or most < 1:
        raise BadRequest("max_tokens")
    return tokens, most


def _content_tokens(content: Any, where: str) -> int:
    if isinstance(content, str):
        return count_tokens(content)
    if not isinstance(content, list) or not content:
        raise BadRequest(where)
    tokens = 0
    for part in content:
        if part.get("type") == "text" and isinstance(part.get("text"), str):
            tokens += count_tokens(part["text"])
        elif part.get("type") == "image_url":
            tokens += _image_tokens(part["image_url"]["url"], where)
        else:
            raise BadRequest(f"{where}: a part of type {part.get('type')}")
    return tokens


def _image_tokens(url: str, where: str) -> int:
    head, _, data = url.partition(",")
    magic = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8\xff", "image/webp": b"RIFF"}
    kind = head.removeprefix("data:").removesuffix(";base64")
    if kind not in magic or not base64.b64decode(data, validate=True).startswith(magic[kind]):
        raise BadRequest(f"{where}: not a data URI of a PNG, JPEG or WebP")
    return 85


def body_hash(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def echo(body: Body) -> str:
    """The default answer: the last message's text."""
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else "".join(p.get("text", "") for p in content)


@dataclass
class ChatServer(LoopbackServer):
    """The server in a thread of this process. `seen` and `bodies` may be read at any time."""

    answer: AnswerFunction = echo
    faults: Faults = field(default_factory=Faults)
    port: int = 0
    key: str | None = None
    """The only key that is let in; None lets any in, but not none at all."""
    delay_s: float = 0.0
    log: Path | None = None
    keep_bodies: bool = True

    def __post_init__(self) -> None:
        self.seen: list[Seen] = []
        self.bodies: list[Body] = []
        self.most_at_once = 0
        self._times: Counter[str] = Counter()
        self._at_once = 0
        self._log_file: IO[str] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def delivered(self) -> Counter[str]:
        """How many answers went out whole, by body hash."""
        return Counter(s.hash for s in self.seen if s.delivered)

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/chat/completions", self._handle)

    async def start(self) -> None:
        if self.log is not None:
            self._log_file = self.log.open("a")
        await super().start()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await self._respond(request)
        finally:
            self._at_once -= 1

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        digest = body_hash(body)
        seen = Seen(digest, self._times[digest], "ok", at=asyncio.get_running_loop().time())
        self._times[digest] += 1
        self.seen.append(seen)
        if self.keep_bodies:
            self.bodies.append(body)
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not key or (self.key is not None and key != self.key):
            seen.kind = "bad_key"
            return self._error(seen, 401, "invalid_api_key", f"Incorrect API key provided: {key}")
        try:
            seen.input_tokens, most = check(body)
            if request.content_type != "application/json":
                raise BadRequest("Content-Type is not application/json")
        except (BadRequest, KeyError, TypeError, AttributeError, ValueError) as e:
            seen.kind = "bad_request"
            return self._error(seen, 400, "invalid_request_error", str(e))
        seen.kind = self.faults.draw(digest, seen.nth)
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if seen.kind == "slow":
            await asyncio.sleep(self.faults.slow_s)
        if seen.kind == "rate_limit":
            headers = {"Retry-After": f"{self.faults.retry_after_s:g}"}
            return self._error(seen, 429, "rate_limit_exceeded", "Too many requests", headers)
        if seen.kind == "error_500":
            return self._error(seen, 500, "server_error", "Something broke")
        return await self._answer(request, body, seen, most)

    async def _answer(self, request: web.Request, body: Body, seen: Seen, most: int) -> web.StreamResponse:
        finish = "stop"
        if seen.kind == "wrong_json":
            content = '{"unexpected": "shape"'
        elif seen.kind in ("empty", "content_filter"):
            content = ""
            finish = "content_filter" if seen.kind == "content_filter" else finish
        else:
            made = self.answer(body)
            content = made if isinstance(made, str) else json.dumps(made)
        if count_tokens(content) > most:
            content, finish = content[: most * CHARACTERS_A_TOKEN], "length"
        seen.output_tokens = count_tokens(content)
        reply = {
            "id": f"chatcmpl-{seen.hash[:12]}-{seen.nth}",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": body["model"],
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": content},
                    "finish_reason": finish,
                    "logprobs": None,
                }
            ],
            "usage": self.usage(seen),
        }
        data = json.dumps(reply).encode()
        if seen.kind == "garbage":
            data = b"<html>\x00 this is not JSON " + data[: len(data) // 2]
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(data))})
        try:
            await response.prepare(request)
            if seen.kind == "cut":
                await response.write(data[: len(data) // 2])
                assert request.transport is not None
                request.transport.close()
                self._note(seen)
                return response
            await response.write(data)
            await response.write_eof()
            seen.delivered = seen.kind in ANSWERS
        except ConnectionError:
            pass  # the client has gone: not delivered
        finally:
            if seen.kind != "cut":
                self._note(seen)
        return response

    def usage(self, seen: Seen) -> dict[str, int] | None:
        """What the answer says about its tokens."""
        return {
            "prompt_tokens": seen.input_tokens,
            "completion_tokens": seen.output_tokens,
            "total_tokens": seen.input_tokens + seen.output_tokens,
        }

    def _error(
        self, seen: Seen, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> web.Response:
        self._note(seen)
        error = {"error": {"message": message, "type": code, "param": None, "code": code}}
        return web.json_response(error, status=status, headers=headers)

    def _note(self, seen: Seen) -> None:
        if self._log_file is not None:
            self._log_file.write(json.dumps(asdict(seen)) + "\n")
            self._log_file.flush()


def load_function(place: str) -> AnswerFunction:
    """`path/to/file.py:function` or `package.module:function`."""
    module_name, _, function = place.rpartition(":")
    if module_name.endswith(".py"):
        spec = importlib.util.spec_from_file_location("answers", module_name)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["answers"] = module
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(module_name)
    found: AnswerFunction = getattr(module, function)
    return found


def read_log(path: Path) -> list[Seen]:
    """The log's requests; a line cut off at its end is left out."""
    return [Seen(**json.loads(line)) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--faults", type=float, default=0.0, help="share of requests that go wrong")
    parser.add_argument("--kinds", default=",".join(KINDS), help="which faults, with commas between")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slow", type=float, default=0.5, help="seconds of a slow answer")
    parser.add_argument("--retry-after", type=float, default=0.3, help="seconds that a 429 asks to wait")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds that each answer takes")
    parser.add_argument("--key", default=None)
    parser.add_argument("--log", type=Path, default=None)
    parser.add_argument("--answer", default=None, help="file.py:function or module:function")
    args = parser.parse_args()
    faults = Faults(args.faults, args.seed, tuple(args.kinds.split(",")), args.slow, args.retry_after)
    answer = load_function(args.answer) if args.answer else echo
    server = ChatServer(answer, faults, args.port, args.key, args.delay, args.log, keep_bodies=False)

    async def serve() -> None:
        await server.start()
        print(server.base_url, flush=True)
        await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
