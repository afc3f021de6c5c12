"""kill -9 in the middle of a run: what had arrived is not asked for again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from chat_server import ChatServer, Faults

CONNECTIONS = 8
WORKER = f"""
import asyncio, sys
from pathlib import Path
from scigen.models import Model, ModelSettings, Request

async def main():
    settings = ModelSettings(
        name="openai-api/loop/m", base_url=sys.argv[1], connections={CONNECTIONS}, backoff_s=0.02, retries=8
    )
    async with Model(settings, Path(sys.argv[2])) as model:
        async for name, reply in model.ask_each((n, Request(f"item {{n}}")) for n in range(300)):
            print(name, reply.status, reply.text, flush=True)

asyncio.run(main())
"""


@pytest.mark.slow
def test_no_delivered_answer_is_asked_for_again_after_kills(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WORKER]
    environment = {**os.environ, "LOOP_API_KEY": "loopback"}
    kills = 0
    before: Counter[str] = Counter()
    faults = Faults(0.1, seed=5, kinds=("rate_limit", "error_500", "cut", "garbage", "slow"), slow_s=0.1)
    with ChatServer(delay_s=0.01, faults=faults) as server:
        for aim in (60, 170):  # killed when so many answers have been delivered
            process = subprocess.Popen(
                [*command, server.base_url, str(tmp_path)], env=environment, stdout=subprocess.DEVNULL
            )
            while process.poll() is None and sum(server.delivered().values()) < aim:
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
            kills += 1
            time.sleep(0.3)  # answers on their way at the kill are counted by the server
            before = server.delivered()
        done = subprocess.run(
            [*command, server.base_url, str(tmp_path)], env=environment, capture_output=True, text=True, check=True
        )
        delivered = server.delivered()
    lines = sorted(done.stdout.splitlines())
    assert lines == sorted(f"{n} ok item {n}" for n in range(300))
    twice = {digest: times for digest, times in delivered.items() if times > 1}
    assert len(delivered) == 300
    assert sum(times - 1 for times in twice.values()) <= kills * CONNECTIONS
    assert sum(before.values()) >= 170
    files = sorted(tmp_path.glob("*.jsonl"))
    assert len(files) == 3
    whole = [line for f in files for line in f.read_text().splitlines(keepends=True) if line.endswith("\n")]
    keys = Counter(json.loads(line).get("key") for line in whole if '"key"' in line)
    assert len(keys) == 300
    assert max(keys.values()) == 1, "what a journal held was written again"
