"""A small OpenAI-compatible endpoint in front of the CPU rollout: what verl's reward router passes requests on to.

Chat completions of text, one message list at a time, and the list of models. No streaming, no images, no tools. On GPUs
verl's vLLM replicas bring their own.
"""

from __future__ import annotations

import time
import uuid
from typing import Any, Protocol

HOST = "127.0.0.1"
LARGEST_REQUEST = 16 << 20


class Engine(Protocol):
    """The part of TransformersServer that is needed."""

    tokenizer: Any

    async def generate(self, prompt_ids: list[int], sampling_params: dict[str, Any], request_id: str) -> Any: ...


async def serve(engine: Engine, model: str) -> str:
    """Start the endpoint in this event loop; it serves for as long as the process lives. Returns `host:port`."""
    from aiohttp import web

    async def chat(request: web.Request) -> web.Response:
        body = await request.json()
        prompt = engine.tokenizer.apply_chat_template(
            body["messages"], add_generation_prompt=True, tokenize=True, return_dict=False
        )
        limit = body.get("max_tokens") or body.get("max_completion_tokens") or 64
        asked = {"temperature": body.get("temperature", 1.0), "top_p": body.get("top_p", 1.0), "max_tokens": limit}
        out = await engine.generate(list(prompt), asked, uuid.uuid4().hex)
        choice = {
            "index": 0,
            "finish_reason": "stop" if out.stop_reason == "completed" else "length",
            "message": {
                "role": "assistant",
                "content": engine.tokenizer.decode(out.token_ids, skip_special_tokens=True),
            },
        }
        usage = {"prompt_tokens": len(prompt), "completion_tokens": len(out.token_ids)}
        name = {"id": uuid.uuid4().hex, "object": "chat.completion", "created": int(time.time()), "model": model}
        return web.json_response(name | {"choices": [choice], "usage": usage})

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": model, "object": "model"}]})

    app = web.Application(client_max_size=LARGEST_REQUEST)
    app.add_routes([web.post("/v1/chat/completions", chat), web.get("/v1/models", models)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    host, port = runner.addresses[0][:2]
    return f"{host}:{port}"
