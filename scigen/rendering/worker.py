"""One zygote process as the pool sees it: start it, speak with it, restart it when it died."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import scigen
from scigen.errors import ScigenError
from scigen.rendering.outcome import Limits
from scigen.rendering.zygote import LEARN_S, Options

START_S = 120.0
"""How long a zygote may take to start; the first one on a machine lists the fonts."""
GRACE_S = 10.0
"""How much later than the zygote the pool gives up on a script."""
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts")


class ZygoteDied(Exception):
    """The process ended; `restart` gives another."""


class Worker:
    """One zygote process and the pipes to it. Not for several threads at once."""

    def __init__(
        self,
        folder: Path,
        limits: Limits,
        sandbox: bool,
        namespaces: bool,
        language: str = "matplotlib",
        programs: Mapping[str, str] | None = None,
    ) -> None:
        self.folder, self.limits, self.sandbox, self.wanted = folder, limits, sandbox, namespaces
        self.language, self.programs = language, dict(programs or {})
        self.start()

    def start(self) -> None:
        """Spawn the process; `wait_ready` must follow."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder.with_suffix(".log")
        limits = self.limits
        options = Options(
            folder=str(self.folder),
            sandbox=self.sandbox,
            namespaces=self.wanted,
            timeout_s=limits.timeout_s,
            memory_mb=limits.memory_mb,
            max_png_bytes=limits.max_png_bytes,
            max_pixels=limits.max_pixels,
            work_mb=limits.work_mb,
            work_files=limits.work_files,
            language=self.language,
            programs=self.programs,
        )
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-s", "-P", "-m", "scigen.rendering.zygote", options.to_json()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=clean_environment(self.folder),
                cwd=self.folder,
                start_new_session=True,
            )

    def wait_ready(self) -> None:
        """Raises ScigenError if the zygote does not come up or its test child could not be confined."""
        try:
            head, _ = self._receive(time.monotonic() + START_S)
        except (ZygoteDied, TimeoutError) as e:
            self.stop()
            last = self.log.read_text(errors="replace").strip()[-2000:] if self.log.exists() else ""
            raise ScigenError(f"rendering: the drawing process did not start ({e}). It said:\n{last}") from e
        trial = head["trial"]
        if trial.get("outcome") not in ("drawn", "no_figure"):
            self.stop()
            if trial.get("outcome") == "error":
                error = trial["error"]
                said = "; ".join(error["stdout"].split("\n")[-5:])
                raise ScigenError(
                    f"rendering: a trial drawing in {self.language} failed, so its installation is not complete: "
                    f"{error['message']} {said}"
                )
            raise ScigenError(
                f"rendering: the sandbox could not be set up on this host: {trial.get('error', trial)}. "
                f"Use a host that allows Landlock and seccomp, or, for your own scripts only, unsafe=True."
            )
        self.namespaces: str = head["namespaces"]
        self.facts: dict[str, Any] = head["facts"]

    def draw(self, script: str) -> tuple[dict[str, Any], bytes]:
        """Raises ZygoteDied, or TimeoutError if the zygote itself hangs."""
        return self._ask("draw", script.encode("utf-8", "surrogatepass"), self.limits.timeout_s)

    def lay_out(self, texts: list[list[Any]]) -> bytes:
        """Layouts of texts as `keep` takes them; empty if they could not be made. Raises as `draw`."""
        return self._ask("lay_out", json.dumps(texts).encode(), LEARN_S)[1]

    def keep(self, layouts: bytes) -> None:
        """Raises as `draw`."""
        self._ask("keep", layouts, LEARN_S)

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

    def _ask(self, what: str, body: bytes, seconds: float) -> tuple[dict[str, Any], bytes]:
        assert self.process.stdin is not None
        head = json.dumps({"do": what}).encode()
        try:
            self.process.stdin.write(struct.pack("<II", len(head), len(body)) + head + body)
            self.process.stdin.flush()
        except OSError as e:
            raise ZygoteDied(str(e)) from e
        return self._receive(time.monotonic() + seconds + GRACE_S)

    def _receive(self, deadline: float) -> tuple[dict[str, Any], bytes]:
        head_size, body_size = struct.unpack("<II", self._read(8, deadline))
        head: dict[str, Any] = json.loads(self._read(head_size, deadline))
        return head, self._read(body_size, deadline)

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
                raise ZygoteDied("it ended")
            data += chunk
        return bytes(data)


def clean_environment(folder: Path) -> dict[str, str]:
    """Nothing of the caller's environment: no keys, a fixed hash seed, one thread, our own Matplotlib settings."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scigen" / f"matplotlib-{_fonts_key()}"
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError:
        cache = folder / "matplotlib"
        cache.mkdir(exist_ok=True)
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {
        "PYTHONPATH": str(Path(scigen.__file__).resolve().parent.parent),
        "PYTHONHASHSEED": "0",
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TZ": "UTC0",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": str(cache),
        **threads,
    }


def _fonts_key() -> str:
    """Changes when fonts are installed: Matplotlib keeps its list of them for ever."""
    folders = (folder for top in FONT_FOLDERS for folder, _, _ in sorted(os.walk(top)))
    state = [(folder, os.stat(folder).st_mtime_ns) for folder in folders]
    return hashlib.sha256(repr(state).encode()).hexdigest()[:12]
