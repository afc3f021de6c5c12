r"""The rule reward: the last boxed answer, compared exactly, then by math-verify in a process that can be killed.

verl calls `compute_score` (reward.custom_reward_function). Strict on purpose, since training finds every gap: only
what stands in the last `\boxed{...}` counts, words are compared as words, and mathematics that takes too long is wrong.
It asks no model; a verifier model is another reward.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import subprocess
import sys
import threading
import time
from typing import IO, Any, Protocol, cast

DEADLINE_S = 2.0
"""Longest comparison of two expressions."""
START_S = 60.0
"""Longest start of the worker, which imports sympy."""
LONGEST = 300
"""Longer answers than this are compared as strings only."""

BOX = "\\boxed{"
_MATHS = re.compile(r"[0-9\\^=+*/]")
_TEXT = re.compile(r"\\(?:text|mathrm|textbf|mathbf)\{([^{}]*)\}")


def last_boxed(text: str) -> str | None:
    r"""Content of the last `\boxed{...}` whose braces balance, or None. Escaped braces do not count."""
    at = text.rfind(BOX)
    while at >= 0:
        depth, i = 1, at + len(BOX)
        while i < len(text):
            if text[i] == "\\":
                i += 2
                continue
            depth += {"{": 1, "}": -1}.get(text[i], 0)
            if depth == 0:
                return text[at + len(BOX) : i]
            i += 1
        at = text.rfind(BOX, 0, at)
    return None


def normalise(answer: str) -> str:
    r"""The answer without dollar signs, `\text{}`, outer spaces and a final full stop."""
    answer = answer.strip().removeprefix("$").removesuffix("$")
    answer = _TEXT.sub(r"\1", answer).replace("\\!", "").replace("\\,", " ")
    return " ".join(answer.split()).removesuffix(".").strip()


def is_equal(answer: str, truth: str) -> bool:
    """Whether the answer is the truth: as a string (case counts only for single letters), else as mathematics."""
    a, t = normalise(answer), normalise(truth)
    if not a:
        return False
    if a == t or (len(t) > 1 and a.casefold() == t.casefold()):
        return True
    # math-verify reads a word as a product of letters, so "left" would equal "felt": words are never sent there.
    if not (_MATHS.search(a) and _MATHS.search(t)) or max(len(a), len(t)) > LONGEST or "$" in a or BOX in a:
        return False
    return _WORKER.equal(a, t)


def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: dict[str, Any] | None = None, **_: Any
) -> dict[str, Any]:
    """Score of one response: 1 for the right answer, else 0.

    Returns `score` and `acc` (0 or 1), `no_answer` (1 when nothing is boxed), `problem_id` (from `extra_info`, else
    empty) and `data_source`. Whether the response was cut off cannot be seen in its text; the reward manager adds it.
    """
    answer = last_boxed(solution_str or "")
    correct = answer is not None and is_equal(answer, str(ground_truth))
    return {
        "score": float(correct),
        "acc": float(correct),
        "no_answer": float(answer is None),
        "problem_id": str((extra_info or {}).get("problem_id", "")),
        "data_source": data_source,
    }


class _Buffered(Protocol):
    stdin: IO[bytes]
    stdout: IO[bytes]


class MathWorker:
    """A process that compares expressions one at a time, killed when it is late and started again when next needed.

    Works from any thread. math-verify's own time limits need the main thread and do not stop sympy inside C code.
    """

    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        self.deadline_s = deadline_s
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def equal(self, answer: str, truth: str) -> bool:
        """Whether the two expressions are equal; False when that takes longer than the deadline."""
        with self._lock:
            for _ in range(2):  # once more if the worker had died in the meantime
                reply = self._ask(json.dumps([answer, truth, self.deadline_s]))
                if reply is not None:
                    return reply == "true"
            return False

    def close(self) -> None:
        """End the worker."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def _ask(self, line: str) -> str | None:
        """The worker's answer, "late", or None when it had died."""
        process = self._running()
        pipes = cast(_Buffered, process)
        try:
            pipes.stdin.write(line.encode() + b"\n")
            pipes.stdin.flush()
        except OSError:
            self.close()
            return None
        reply = _read_line(pipes.stdout, self.deadline_s)
        if reply is None:
            # A killed worker is late or dead; it ends itself at the deadline, too.
            self.close()
            return "late"
        return reply

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        env = {k: os.environ[k] for k in ("PATH", "HOME", "LANG", "PYTHONPATH") if k in os.environ}
        process = subprocess.Popen(
            [sys.executable, "-m", "scigen.training.math_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=env,
        )
        self._process = process
        if _read_line(cast(_Buffered, process).stdout, START_S) != "ready":
            self.close()
            raise RuntimeError("the math-verify worker did not start; is math-verify installed?")
        return process


def _read_line(pipe: IO[bytes], seconds: float) -> str | None:
    """One line, or None at the end of the pipe or of the time."""
    end, line = time.monotonic() + seconds, b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, end - time.monotonic())):
                return None
            part = os.read(pipe.fileno(), 4096)
            if not part:
                return None
            line += part
    return line.decode().strip()


_WORKER = MathWorker()
