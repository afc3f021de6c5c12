"""Sends logs to W&B in a process of its own: whatever W&B does, the run goes on after a bounded time.

Logs that were sent already are passed over, so a command that is run again adds nothing and costs nothing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

from pydantic import BaseModel

from scigen.errors import ScigenError
from scigen.tracking.run_ids import note_logged, read_mark
from scigen.tracking.shapes import Destination, StageLog

WRITER = "scigen.tracking.writer"
LIMIT_S = {"offline": 120.0, "online": 600.0}
"""After which the writer is ended."""


class Parcel(BaseModel):
    """What the writer reads: each log with the id of its run."""

    to: Destination
    logs: tuple[tuple[str, StageLog], ...]


def record(logs: Sequence[StageLog], to: Destination, limit_s: float | None = None) -> str | None:
    """Log the stages, each to its run. What went wrong, in words, or None; it never raises for what W&B does.

    Nothing is sent when the destination's mode is disabled.
    """
    if to.mode == "disabled":
        return None
    try:
        marked = [(read_mark(log.folder, log.key), log, log.content_hash()) for log in logs]
        new = [(mark.id, log, content) for mark, log, content in marked if content not in mark.logged]
        if not new:
            return None
        parcel = Parcel(to=to, logs=tuple((id_, log) for id_, log, _ in new))
        fault = _send(parcel, LIMIT_S[to.mode] if limit_s is None else limit_s)
        if fault is None:
            for _, log, content in new:
                note_logged(log.folder, log.key, content)
        return fault
    except (ScigenError, OSError) as e:
        return str(e)


def _send(parcel: Parcel, limit_s: float) -> str | None:
    writer = subprocess.Popen(
        [sys.executable, "-m", WRITER],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # W&B's service is a child of it, to be ended with it
    )
    try:
        _, said = writer.communicate(parcel.model_dump_json(), timeout=limit_s)
    except subprocess.TimeoutExpired:
        return f"W&B had not answered after {limit_s:.0f} s"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(writer.pid, signal.SIGKILL)
        writer.wait()
    if writer.returncode == 0:
        return None
    lines = [line for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else f"the writer ended with status {writer.returncode}"
