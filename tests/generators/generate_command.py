"""scripts/generate.py as a process, as a user starts it, and what it leaves behind. Not a test itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from scigen.records import Problem
from scigen.store import SetWriter

ROOT = Path(__file__).parents[2]


def write_problems(problems: Iterable[Problem], folder: Path) -> list[str]:
    """A finished set of problems, and the arguments that make the command read it in place."""
    with SetWriter(folder, Problem, "test") as writer:
        for problem in problems:
            writer.append(problem)
        writer.finish()
    return ["problems=curated", f"problems.set={folder}", "problems.max_items=null"]


def start(output: Path, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """The command, writing to `output`. `--config-dir` and its folder come first among the arguments."""
    flags = 2 if arguments[:1] == ("--config-dir",) else 0
    command = [sys.executable, "scripts/generate.py", *arguments[:flags], "gallery=0", f"paths.output={output}"]
    command += arguments[flags:]
    scratch = output.with_name("scratch")  # a killed process cannot clean up after itself
    scratch.mkdir(parents=True, exist_ok=True)
    own = {"OMP_NUM_THREADS": "1", "COLUMNS": "120", "TMPDIR": str(scratch), **(environment or {})}
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def end(process: subprocess.Popen[str], code: int = 0) -> str:
    """What it printed."""
    text, _ = process.communicate(timeout=500)
    assert process.returncode == code, text
    assert "Traceback" not in text, text
    return text


def generate(output: Path, *arguments: str, code: int = 0, environment: dict[str, str] | None = None) -> str:
    """Run the command to its end; gives what it printed."""
    return end(start(output, *arguments, environment=environment), code)


def whole_lines(path: Path) -> list[bytes]:
    """Lines with their line ends."""
    if not path.exists():
        return []
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def answers(output: Path) -> dict[str, str]:
    """The journal's answers by key. Asserts that no key is there twice."""
    found: dict[str, str] = {}
    for path in sorted((output / "responses").glob("*.jsonl")):
        for line in map(json.loads, whole_lines(path)):
            if "key" in line:
                assert line["key"] not in found, f"{path}: {line['key']} is there twice"
                found[line["key"]] = line["text"]
    return found


def with_coder(url: str, connections: int, *more: str) -> Sequence[str]:
    """ImgCoder at the scripted server."""
    return [
        "generator=qwen3_imgcoder",
        f"generator.model.base_url={url}",
        f"generator.model.connections={connections}",
        "generator.model.backoff_s=0.02",
        *more,
    ]
