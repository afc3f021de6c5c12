"""A verifier by exact comparison behind an OpenAI-compatible endpoint, a process of its own, with faults as ordered.

    python verifier_server.py FOLDER SEED '{"hang": 2, "http_500": 2, "unparsed": 3}'

Of every CYCLE requests so many are treated badly, in an order drawn from SEED; the rest get a correct verdict. Writes
FOLDER/address once it listens, and FOLDER/requests.jsonl: each request's id, what was done, the reply. It finds the
sections by their markers, so it knows nothing of the prompt's sentences.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

CYCLE = 40
NO_VERDICTS = ("INVALID", "CORRECT", "The answer is correct: A", "A or B", "", "Grade: [[A]]")
SECTION = r"<{0} Begin>:\n(.*)\n<{0} End>"
FAULTS = ("hang", "http_500", "http_429", "cut", "garbage", "unparsed")


def section(prompt: str, name: str) -> str:
    found = re.search(SECTION.format(re.escape(name)), prompt, re.S)
    assert found, f"no section {name}"
    return found[1]


def verdict(prompt: str) -> str:
    """By exact comparison: of the last box if there is one, else of the whole response."""
    truth, response = section(prompt, "Standard Answer").strip(), section(prompt, "Candidate's Answer").strip()
    boxes = re.findall(r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}", response)
    answers = set(boxes) or {response}
    if answers == {truth}:
        return "A"
    return "B" if boxes else "C"


class FaultyVerifier:
    """The application's state."""

    def __init__(self, folder: Path, seed: int, faults: dict[str, int]) -> None:
        assert not faults.keys() - set(FAULTS)
        cycle = [name for name, n in faults.items() for _ in range(n)]
        cycle += ["verdict"] * (CYCLE - len(cycle))
        random.Random(seed).shuffle(cycle)
        self.cycle, self.asked, self.said = cycle, 0, 0
        self.log = (folder / "requests.jsonl").open("a", buffering=1)

    async def models(self, _: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "exact"}]})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body: dict[str, Any] = await request.json()
        assert body["model"] == "exact"
        assert body["temperature"] == 0.0
        done = self.cycle[self.asked % CYCLE]
        self.asked += 1
        text = verdict(body["messages"][0]["content"])
        if done == "unparsed":
            text = NO_VERDICTS[self.said % len(NO_VERDICTS)]
            self.said += 1
        entry = {"id": request.headers.get("X-Request-Id", ""), "did": done, "said": text}
        self.log.write(f"{json.dumps(entry)}\n")
        if done == "hang":
            await asyncio.sleep(3600)
        if done == "http_500":
            return web.Response(status=500, text="out of memory")
        if done == "http_429":
            return web.Response(status=429, headers={"Retry-After": "0"})
        if done == "cut":
            assert request.transport
            request.transport.close()
        if done == "garbage":
            return web.Response(text="<html>Bad gateway</html>", content_type="text/html")
        return web.json_response({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]})


def application(verifier: FaultyVerifier) -> web.Application:
    app = web.Application()
    app.add_routes([web.get("/v1/models", verifier.models), web.post("/v1/chat/completions", verifier.chat)])
    return app


async def start(app: web.Application) -> tuple[web.AppRunner, str]:
    """Serve on a free port; the runner to clean up and the base address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/v1"


async def main(folder: Path, seed: int, faults: dict[str, int]) -> None:
    _, address = await start(application(FaultyVerifier(folder, seed, faults)))
    (folder / "address.part").write_text(address)
    (folder / "address.part").rename(folder / "address")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])))
