"""A pool of warm zygotes that draw untrusted Matplotlib scripts: `with RenderPool() as pool: pool.draw(script)`.

The pool holds the wall clock's last word, restarts a zygote that died, and never runs a script in its own process.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import scigen
from scigen.errors import ScigenError
from scigen.records import ScriptError, Status
from scigen.rendering import lockdown, picture
from scigen.rendering.outcome import Limits, Rendering
from scigen.rendering.zygote import Options

START_S = 120.0
"""How long a zygote may take to start; the first one on a machine lists the fonts."""
GRACE_S = 10.0
"""How much later than the zygote the pool gives up on a script."""


class _ZygoteDied(Exception):
    pass


class _Worker:
    """One zygote process and the pipes to it."""

    def __init__(self, folder: Path, limits: Limits, sandbox: bool) -> None:
        self.folder, self.limits, self.sandbox = folder, limits, sandbox
        self.start()

    def start(self) -> None:
        """Spawn the process; `wait_ready` must follow."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder.with_suffix(".log")
        limits = self.limits
        options = Options(
            folder=str(self.folder),
            sandbox=self.sandbox,
            timeout_s=limits.timeout_s,
            memory_mb=limits.memory_mb,
            max_png_bytes=limits.max_png_bytes,
            max_pixels=limits.max_pixels,
        )
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-s", "-P", "-m", "scigen.rendering.zygote", options.to_json()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=_clean_environment(self.folder),
                cwd=self.folder,
                start_new_session=True,
            )

    def wait_ready(self) -> None:
        """Raises ScigenError if the zygote does not come up or its test child could not be confined."""
        try:
            header, body = self._receive(time.monotonic() + START_S)
        except (_ZygoteDied, TimeoutError) as e:
            self.stop()
            last = self.log.read_text(errors="replace").strip()[-2000:] if self.log.exists() else ""
            raise ScigenError(f"rendering: the drawing process did not start ({e}). It said:\n{last}") from e
        json_size, _ = struct.unpack_from("<II", body) if len(body) >= 8 else (0, 0)
        report = json.loads(body[8 : 8 + json_size] or b"{}")
        if header.get("end") != "ready" or report.get("outcome") != "no_figure":
            self.stop()
            raise ScigenError(
                f"rendering: the sandbox could not be set up on this host: {report.get('error', report)}. "
                f"Use a host that allows Landlock and seccomp, or, for your own scripts only, unsafe=True."
            )

    def draw(self, script: str) -> tuple[dict[str, Any], bytes]:
        """Raises _ZygoteDied, or TimeoutError if the zygote itself hangs."""
        assert self.process.stdin is not None
        data = script.encode("utf-8", "surrogatepass")
        try:
            self.process.stdin.write(struct.pack("<I", len(data)) + data)
            self.process.stdin.flush()
        except OSError as e:
            raise _ZygoteDied(str(e)) from e
        return self._receive(time.monotonic() + self.limits.timeout_s + GRACE_S)

    def stop(self) -> None:
        """End the process; closing its input makes it clean up and go."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def restart(self) -> None:
        self.process.kill()
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.start()
        self.wait_ready()

    def _receive(self, deadline: float) -> tuple[dict[str, Any], bytes]:
        head_size, body_size = struct.unpack("<II", self._read(8, deadline))
        header: dict[str, Any] = json.loads(self._read(head_size, deadline))
        return header, self._read(body_size, deadline)

    def _read(self, size: int, deadline: float) -> bytes:
        assert self.process.stdout is not None
        fd, data = self.process.stdout.fileno(), bytearray()
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        while len(data) < size:
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise TimeoutError("no answer in time")
            chunk = os.read(fd, min(1 << 20, size - len(data)))
            if not chunk:
                raise _ZygoteDied("it ended")
            data += chunk
        return bytes(data)


def _clean_environment(folder: Path) -> dict[str, str]:
    """Nothing of the caller's environment: no keys, a fixed hash seed, one thread, our own Matplotlib settings."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scigen" / "matplotlib"
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError:
        cache = folder
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {
        "PYTHONPATH": str(Path(scigen.__file__).resolve().parent.parent),
        "PYTHONHASHSEED": "0",
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": str(cache),
        **threads,
    }


class RenderPool:
    """Draws scripts in sandboxed children of warm processes; use as a context manager, from any number of threads.

    `workers` defaults to the cores this process may use. Raises ScigenError where the host cannot confine a script,
    unless `unsafe=True`, which is for one's own scripts: it leaves out Landlock and seccomp and keeps the rest.
    """

    def __init__(self, workers: int | None = None, limits: Limits | None = None, *, unsafe: bool = False) -> None:
        lacks = lockdown.missing()
        if lacks and not unsafe:
            raise ScigenError(
                f"rendering: this host cannot confine untrusted scripts; it lacks {' and '.join(lacks)}. "
                f"Use a host that has it, or, for your own scripts only, RenderPool(unsafe=True)."
            )
        if workers is not None and workers < 1:
            raise ScigenError(f"rendering: workers={workers}; it must be at least 1")
        self.workers = workers or len(os.sched_getaffinity(0))
        self.limits = limits or Limits()
        self._sandbox = not unsafe

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="scigen-render-"))
        self._all: list[_Worker] = []
        self._idle: queue.Queue[_Worker] = queue.Queue()
        try:
            for n in range(self.workers):
                self._all.append(_Worker(self._folder / str(n), self.limits, self._sandbox))
            for worker in self._all:
                worker.wait_ready()
                self._idle.put(worker)
        except BaseException:
            self._stop()
            raise
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="scigen-render")
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)
        self._stop()

    def _stop(self) -> None:
        for worker in self._all:
            worker.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def draw(self, script: str) -> Rendering:
        """Draw one script; whatever it does, there is a Rendering.

        Raises ScigenError only if the drawing process cannot be started again after it died.
        """
        worker = self._idle.get()
        try:
            return self._draw_on(worker, script)
        finally:
            self._idle.put(worker)

    def map(self, scripts: Iterable[str]) -> Iterator[Rendering]:
        """Draw many, in order. Takes from `scripts` only a few more than were taken from the result."""
        pending: deque[Future[Rendering]] = deque()
        try:
            for script in scripts:
                pending.append(self._threads.submit(self.draw, script))
                if len(pending) > 3 * self.workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()

    def _draw_on(self, worker: _Worker, script: str) -> Rendering:
        start = time.perf_counter()
        for _ in range(2):
            try:
                header, body = worker.draw(script)
            except _ZygoteDied:
                worker.restart()
                continue
            except TimeoutError:
                worker.restart()
                header, body = {"end": "timeout"}, b""
            return picture.judge(header, body, self.limits, time.perf_counter() - start)
        error = ScriptError(type="ZygoteDied", message="the drawing process died twice while drawing this script")
        return Rendering(Status.CODE_ERROR, error=error, seconds=time.perf_counter() - start)
