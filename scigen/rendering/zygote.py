"""The warm process: loads Matplotlib once, then forks a locked-down child for each script.

`python -m scigen.rendering.zygote OPTIONS` (JSON of `Options`) speaks over its standard input and output:
in: u32 length, script in UTF-8; out: u32 length of a JSON header, u32 length of the child's bytes, both.
It passes on what the child sent without looking into it, keeps the wall clock, and ends when its input closes.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import resource
import select
import shutil
import signal
import struct
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scigen.rendering import introspection, lockdown, script

REPORT_BYTES = 8 << 20
"""Room for the child's report beside the PNG."""
_REPLY_FD, _RULES_FD = 3, 4


@dataclass(frozen=True)
class Options:
    """What the pool tells a zygote."""

    folder: str
    """The worker's private folder; scripts run in `work` below it, which is emptied after each."""
    sandbox: bool
    """Landlock and seccomp; False only for a user's own scripts."""
    timeout_s: float
    memory_mb: int
    max_png_bytes: int
    max_pixels: int

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def warm_up() -> None:
    """Load and use what scripts use, so that a child finds fonts, mathtext and modules in memory."""
    import importlib

    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np

    for name in (
        *("numpy.random", "numpy.linalg", "numpy.fft", "numpy.polynomial", "mpl_toolkits.mplot3d"),
        *("matplotlib.animation", "matplotlib.sankey", "matplotlib.table", "matplotlib.tri", "matplotlib.dates"),
        *("mpl_toolkits.axes_grid1", "PIL.PngImagePlugin", "decimal", "fractions", "statistics", "calendar"),
    ):
        importlib.import_module(name)
    figure = plt.figure()
    axes = figure.add_subplot(211)
    axes.set_title(r"$\frac{a}{b}\sqrt{x}\vec{F}\hat{\imath}_1^2 30^\circ$ warm")
    axes.text(0.5, 0.5, "b", weight="bold", style="italic")
    axes.plot([1, 2], label="l")
    axes.legend()
    axes.imshow(np.eye(3))
    solid = figure.add_subplot(212, projection="3d")
    solid.plot([0, 1], [0, 1], [0, 1])
    figure.savefig(io.BytesIO(), bbox_inches="tight")
    plt.close("all")
    matplotlib.rcdefaults()
    matplotlib.use("Agg")


def readable_paths() -> list[Path]:
    """Where libraries, fonts and Matplotlib's font list lie; never the project's own folder or a home."""
    config = os.environ.get("MPLCONFIGDIR")
    return [
        *(Path(p) / d for p in {sys.prefix, sys.base_prefix} for d in ("lib", "lib64")),
        *(Path(p) for p in ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/fonts", "/usr/local/share/fonts")),
        *(Path(p) for p in ("/usr/share/zoneinfo", "/dev/null", "/dev/urandom")),
        *([Path(config)] if config else []),
    ]


class Zygote:
    """Forks one child a script and brings back what it sent and how it ended."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.work = Path(options.folder) / "work"
        self.work.mkdir(exist_ok=True)
        self.null = os.open(os.devnull, os.O_RDWR)
        self.baseline = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        self.rules = lockdown.landlock_ruleset(readable_paths(), self.work) if options.sandbox else -1
        self.filter = lockdown.seccomp_program() if options.sandbox else b""

    def serve(self, source: str, parent_fd: int) -> tuple[dict[str, Any], bytes]:
        """Run one script. The header says how it ended: `end` is reply, timeout, too_big or died."""
        start = time.perf_counter()
        read_fd, write_fd = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                self._child(source, write_fd)
            finally:
                os._exit(1)
        os.close(write_fd)
        try:
            end, body = self._collect(read_fd, parent_fd, start + self.options.timeout_s)
            ended_by = self._signal_of(pid) if end == "died" else 0
        finally:
            os.close(read_fd)
            for kill in (os.killpg, os.kill):  # the group exists only once the child has made it
                with contextlib.suppress(ProcessLookupError):
                    kill(pid, signal.SIGKILL)
            _, _, usage = os.wait4(pid, 0)
            self._empty_work()
        header = {"end": end, "signal": ended_by, "max_rss_kb": usage.ru_maxrss}
        return header, body

    def _signal_of(self, pid: int) -> int:
        """The signal that ended the child, 0 for none. A child that only closed its pipe is given a second to end."""
        deadline = time.perf_counter() + 1.0
        while time.perf_counter() < deadline:
            ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is not None:
                return ended.si_status if ended.si_code in (os.CLD_KILLED, os.CLD_DUMPED) else 0
            time.sleep(0.002)
        return 0

    def _collect(self, fd: int, parent_fd: int, deadline: float) -> tuple[str, bytes]:
        poll, buffer = select.poll(), bytearray()
        poll.register(fd, select.POLLIN)
        poll.register(parent_fd, select.POLLIN)
        largest = self.options.max_png_bytes + REPORT_BYTES
        while True:
            left = deadline - time.perf_counter()
            if left <= 0:
                return "timeout", b""
            ready = dict(poll.poll(left * 1000))
            if parent_fd in ready:  # it never writes while a script runs: it is gone
                raise EOFError("the pool has gone")
            if fd not in ready:
                continue
            chunk = os.read(fd, 1 << 20)
            if not chunk:
                return "died", b""
            buffer += chunk
            if len(buffer) > largest + 8:
                return "too_big", b""
            if len(buffer) >= 8 and len(buffer) >= 8 + sum(struct.unpack_from("<II", buffer)):
                return "reply", bytes(buffer)

    def _child(self, source: str, write_fd: int) -> None:
        try:
            self._confine(write_fd)
        except BaseException as e:
            _send(_REPLY_FD, {"outcome": "no_sandbox", "error": repr(e)[:500]}, b"")
            return
        try:
            report, png = script.run(source, self.options.max_pixels)
        except MemoryError:
            report, png = {"outcome": "memory"}, b""
        _send(_REPLY_FD, report, png)

    def _confine(self, write_fd: int) -> None:
        """Give up everything the script does not need. The order matters: files first, then rights, seccomp last."""
        o = self.options
        os.setsid()
        lockdown.die_with_parent()
        if os.getppid() == 1:
            raise OSError("the zygote has gone")
        for fd in (0, 1, 2):
            os.dup2(self.null, fd)
        reply, rules = os.dup(write_fd), os.dup(self.rules) if o.sandbox else -1
        os.dup2(reply, _REPLY_FD)
        if o.sandbox:
            os.dup2(rules, _RULES_FD)
        os.closerange(_RULES_FD + (1 if o.sandbox else 0), 4096)
        os.chdir(self.work)
        config = os.environ.get("MPLCONFIGDIR", "")
        os.environ.clear()
        os.environ.update(
            {"MPLBACKEND": "Agg", "MPLCONFIGDIR": config, "HOME": str(self.work), "PATH": "", "LANG": "C.UTF-8"}
        )
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        gc.set_threshold(50_000, 20, 100)
        lockdown.no_new_privileges()
        if os.geteuid() == 0:
            lockdown.drop_capabilities()
        cpu_s = int(o.timeout_s) + 2
        lockdown.limit_resources(self.baseline + (o.memory_mb << 20), cpu_s, o.max_png_bytes)
        if o.sandbox:
            lockdown.landlock_restrict(_RULES_FD)
            os.close(_RULES_FD)
            lockdown.seccomp_restrict(self.filter)

    def _empty_work(self) -> None:
        for entry in os.scandir(self.work):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)


def _send(fd: int, head: dict[str, Any], body: bytes) -> None:
    text = json.dumps(head).encode()
    data = memoryview(struct.pack("<II", len(text), len(body)) + text + body)
    while data:
        data = data[os.write(fd, data) :]


def _receive(fd: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = os.read(fd, size - len(data))
        if not chunk:
            raise EOFError("the pool has closed")
        data += chunk
    return data


def main() -> None:
    options = Options(**json.loads(sys.argv[1]))
    fd_in, fd_out = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the pool's affair
    root = os.environ.get("PYTHONPATH")
    try:
        warm_up()
        introspection.install()
        zygote = Zygote(options)
        lockdown.undumpable()
        sys.path[:] = [p for p in sys.path if p != root]
        gc.collect()
        gc.freeze()
        _send(fd_out, {"end": "ready"}, zygote.serve("pass", fd_in)[1])
        while True:
            (size,) = struct.unpack("<I", _receive(fd_in, 4))
            source = _receive(fd_in, size).decode("utf-8", "surrogatepass")
            _send(fd_out, *zygote.serve(source, fd_in))
    except (EOFError, BrokenPipeError):
        Path(options.folder).with_suffix(".log").unlink(missing_ok=True)
    finally:
        shutil.rmtree(options.folder, ignore_errors=True)
        with_siblings = Path(options.folder).parent
        with contextlib.suppress(OSError):
            with_siblings.rmdir()


if __name__ == "__main__":
    main()
