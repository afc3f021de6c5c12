"""What the jobs of every size share: the console, timed stages, and the sets that the first stages leave."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from scigen.records import GeneratedImage, Problem, Verdict
from scigen.store import write_atomic

CONSOLE = Console()


class Stages:
    """Names, announces and times the stages. What a stage took in earlier, interrupted runs is kept and added to."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "timings.json"
        self.seconds: dict[str, float] = json.loads(self._path.read_bytes()) if self._path.exists() else {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times the block."""
        CONSOLE.rule(f"[bold]{name}", align="left")
        start = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.monotonic() - start, 1)
            write_atomic(self._path, json.dumps(self.seconds, indent=2).encode())


@dataclass(frozen=True)
class Sets:
    """What the first four stages leave."""

    problems: list[Problem]
    images: list[GeneratedImage]
    checks: list[Verdict]
    trainset: Path
    warm_up: Path
    """The train set that the warm start learns from: `trainset` itself, unless rows were set apart for it."""
