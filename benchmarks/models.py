"""Throughput of the model layer against the bare openai client and Inspect's own `Model.generate`.

One loopback server in a process of its own; in this process the three clients in turn, in many short rounds, each with
requests of the same size over the same number of connections. What is compared is the clients' own work, so the server
answers at once. Prints calls a second and this process's CPU time a call (medians over the rounds), and the ratio of
each to the bare client: the median of the rounds' ratios with a 95 % interval from a bootstrap over rounds. On a busy
machine the CPU ratio is the steadier one. Also: how fast the journal answers the same requests again.

    python benchmarks/models.py [--calls 100] [--rounds 25] [--connections 16]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from scigen.models import Model, ModelSettings, ReplyStatus, Request

if TYPE_CHECKING:
    import inspect_ai.model
    from openai import AsyncOpenAI

SERVER = Path(__file__).parents[1] / "tests" / "models" / "chat_server.py"
KEY = "loopback-key"
NAMES = ("openai client", "scigen.models", "Inspect generate", "journal replay")
Ask = Callable[[Request], Awaitable[None]]


class Verdict(BaseModel):
    """An answer of the size that a judge gives."""

    reason: str
    score: int


def answer(body: object) -> dict[str, object]:
    """What the server says; loaded by it from this file."""
    return {"reason": "Every label that the problem gives is there and none of them covers another.", "score": 2}


def picture() -> bytes:
    """A PNG of about 60 kB, as drawn diagrams have."""
    from PIL import Image

    rng = random.Random(0)
    image = Image.new("RGB", (640, 480), "white")
    image.paste(Image.frombytes("RGB", (160, 128), rng.randbytes(160 * 128 * 3)), (40, 40))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def requests(calls: int, image: bytes | None, mark: str) -> list[Request]:
    """Requests that differ, with a prompt of 1,200 characters and perhaps an image."""
    words = "Say whether the diagram shows what the problem gives. " * 22
    images = () if image is None else (image,)
    return [Request(f"{words}{mark}-{n}", images=images, answer=Verdict, max_tokens=256) for n in range(calls)]


async def bounded(requests: list[Request], connections: int, ask: Ask) -> None:
    """All requests, with so many workers."""
    source = iter(requests)

    async def worker() -> None:
        for request in source:
            await ask(request)

    await asyncio.gather(*(worker() for _ in range(connections)))


def chat_body(request: Request) -> dict[str, object]:
    """The messages that the bare client sends: the same as those of the layer."""
    text = {"type": "text", "text": request.prompt}
    shown = [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(i).decode()}"}}
        for i in request.images
    ]
    schema = {**Verdict.model_json_schema(), "additionalProperties": False}
    return {
        "model": "m",
        "messages": [{"role": "user", "content": [*shown, text] if shown else request.prompt}],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "Verdict", "schema": schema, "strict": True},
        },
    }


def bare(client: AsyncOpenAI) -> Ask:
    """The openai client, and the answer read by pydantic: what a script without any layer would do."""

    async def ask(request: Request) -> None:
        reply = await client.chat.completions.create(**chat_body(request))  # type: ignore[call-overload]
        Verdict.model_validate_json(reply.choices[0].message.content)

    return ask


async def layer(model: Model, asked: list[Request]) -> None:
    """This project's layer, with its journal."""
    async for _, reply in model.ask_each(enumerate(asked)):
        assert reply.status is ReplyStatus.OK, reply


def inspect(url: str, connections: int) -> tuple[inspect_ai.model.Model, Ask]:
    """Inspect's own `Model.generate`."""
    from inspect_ai.model import ChatMessageUser, ContentImage, ContentText, GenerateConfig, ResponseSchema, get_model
    from inspect_ai.util import json_schema

    from scigen.models.provider import data_uri

    config = GenerateConfig(
        max_tokens=256,
        temperature=0.0,
        max_connections=connections,
        max_retries=0,
        response_schema=ResponseSchema(name="Verdict", json_schema=json_schema(Verdict), strict=True),
    )
    model = get_model("openai-api/bench/m", base_url=url, config=config, memoize=False)

    async def ask(request: Request) -> None:
        shown = [ContentImage(image=data_uri(i)) for i in request.images]
        output = await model.generate([ChatMessageUser(content=[*shown, ContentText(text=request.prompt)])])
        Verdict.model_validate_json(output.completion)

    return model, ask


def interval(ratios: list[float]) -> tuple[float, float, float]:
    """(median, low, high): 95 % by a bootstrap over rounds."""
    rng = random.Random(0)
    medians = sorted(statistics.median(rng.choices(ratios, k=len(ratios))) for _ in range(2000))
    return statistics.median(ratios), medians[50], medians[1949]


async def compare(url: str, kind: str, image: bytes | None, args: argparse.Namespace, folder: Path) -> None:
    """Measure and print the rows of one kind of request."""
    from openai import AsyncOpenAI

    seconds: dict[str, list[tuple[float, float]]] = {}
    settings = ModelSettings(name="openai-api/bench/m", base_url=url, connections=args.connections)
    theirs, generate = inspect(url, args.connections)
    async with AsyncOpenAI(api_key=KEY, base_url=url, max_retries=0) as client, Model(settings, folder) as ours, theirs:
        for n in range(-2, args.rounds):  # the first rounds warm up and do not count
            asked = requests(args.calls, image, f"{n}")
            runs: list[tuple[str, Callable[[], Awaitable[None]]]] = [
                (NAMES[0], partial(bounded, asked, args.connections, bare(client))),
                (NAMES[1], partial(layer, ours, asked)),
                (NAMES[2], partial(bounded, asked, args.connections, generate)),
            ]
            random.Random(n).shuffle(runs)
            for name, run in [*runs, (NAMES[3], partial(layer, ours, asked))]:
                wall, cpu = time.perf_counter(), time.process_time()
                await run()
                if n >= 0:
                    taken = (time.perf_counter() - wall, time.process_time() - cpu)
                    seconds.setdefault(name, []).append(taken)
    for name in NAMES:
        wall, cpu = (statistics.median(s[i] for s in seconds[name]) / args.calls for i in (0, 1))
        ratios = [
            interval([b[i] / x[i] for x, b in zip(seconds[name], seconds[NAMES[0]], strict=True)]) for i in (0, 1)
        ]
        shown = "   ".join(f"{m:6.2f} [{low:.2f}, {high:.2f}]" for m, low, high in ratios)
        print(f"{kind:6} {name:17} {1 / wall:7.0f} calls/s {1000 * cpu:6.2f} ms CPU   ratio {shown}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--connections", type=int, default=16)
    args = parser.parse_args()
    os.environ["BENCH_API_KEY"] = KEY
    command = [sys.executable, str(SERVER), "--answer", f"{__file__}:answer"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server, tempfile.TemporaryDirectory() as tmp:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            print(
                f"{args.rounds} rounds of {args.calls} calls, {args.connections} connections; ratios by time and by CPU"
            )
            asyncio.run(compare(url, "text", None, args, Path(tmp)))
            asyncio.run(compare(url, "image", picture(), args, Path(tmp)))
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
