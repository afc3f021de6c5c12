"""The warm process: loads what scripts need once, then forks a locked-down child for each script.

`python -m scigen.rendering.zygote OPTIONS` (JSON of `Options`) speaks over its standard input and output in frames of
two u32 lengths, a JSON head and a body. In: {"do": "draw"} with a script in UTF-8, {"do": "lay_out"} with texts,
{"do": "keep"} with layouts. Out: how the child ended, and its bytes, into which this process does not look. It keeps
the wall clock and the size of the work folder, and ends when its input closes. How a script is drawn: see `languages`.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import select
import shutil
import signal
import struct
import sys
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from scigen.rendering import languages, lockdown, namespaces, text_cache
from scigen.rendering.languages import Job
from scigen.rendering.work_folder import WorkFolder

REPORT_BYTES = 8 << 20
"""Room for the child's report beside the PNGs."""
LEARN_S = 2.0
"""Wall clock for laying out a lesson's texts."""
MAX_THREADS = 128
"""Threads of one script; no kernel limit binds root to a number."""
_REPLY_FD, _RULES_FD = 3, 4
LOADERS = ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")
"""What the kernel executes to start a program."""
_LOOK_S = 0.05
"""How often threads are counted and, where no tmpfs bounds it, the work folder is measured."""


@dataclass(frozen=True)
class Options:
    """What the pool tells a zygote."""

    folder: str
    """The worker's private folder; without namespaces scripts run in `work` below it, which is emptied after each."""
    sandbox: bool
    """Landlock and seccomp; False only for a user's own scripts."""
    namespaces: bool
    """Whether to go into own namespaces where the host allows it."""
    timeout_s: float
    memory_mb: int
    max_png_bytes: int
    max_pixels: int
    work_mb: int
    work_files: int
    language: str = "matplotlib"
    """One of `languages.MODULES`."""
    programs: dict[str, str] = field(default_factory=dict)
    """Name to path of the programs that children may execute; see `languages.Language.programs`."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def readable_paths() -> list[Path]:
    """Where libraries and fonts lie; never the project's own folder or a home."""
    packages = (p for p in sys.path if Path(p).name in ("site-packages", "dist-packages"))
    return [
        *(Path(p) / d for p in {sys.prefix, sys.base_prefix} for d in ("lib", "lib64")),
        *(Path(p) for p in packages),
        *(Path(p) for p in ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/fonts", "/usr/local/share/fonts")),
        *(Path(p) for p in ("/usr/share/zoneinfo", "/dev/null", "/dev/urandom")),
    ]


class Zygote:
    """Forks one child a script and brings back what it sent and how it ended."""

    def __init__(self, options: Options) -> None:
        """Goes into the namespaces, so it must come before any thread and any import that makes one."""
        self.options = options
        self.language = languages.load(options.language)
        cache = Path(os.environ["MPLCONFIGDIR"])
        self.proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)  # the private root has none
        self.statm = os.open("/proc/self/statm", os.O_RDONLY)
        programs = [Path(p) for p in options.programs.values()]
        readable = [*readable_paths(), *self.language.readable_paths(options.programs), *programs]
        self.way = namespaces.usable(readable) if options.namespaces else "none"
        if self.way == "none":
            folder = Path(options.folder) / "work"
            folder.mkdir(exist_ok=True)
        else:
            namespaces.enter(self.way, readable, cache, options.work_mb, options.work_files)
            folder = namespaces.WORK
        self.work = WorkFolder(folder, options.work_mb, options.work_files)
        self._load(cache if self.way != "none" else None)
        self.null = os.open(os.devnull, os.O_RDWR)
        execute = [*programs, *map(Path, LOADERS)] if programs else []
        self.rules = lockdown.landlock_ruleset([*readable, cache], folder, execute) if options.sandbox else -1
        self.filter = lockdown.seccomp_program(execve=bool(programs)) if options.sandbox else b""
        self._settle()
        lockdown.undumpable()

    def _load(self, to_seal: Path | None) -> None:
        self.language.warm_up()
        if to_seal is not None:
            namespaces.seal(to_seal)
        root = os.environ.get("PYTHONPATH")
        sys.path[:] = [p for p in sys.path if p != root]

    def _settle(self) -> None:
        """What was loaded up to here belongs to this process, not to a script's memory, and is no garbage."""
        self.modules = len(sys.modules)
        self.baseline = int(os.pread(self.statm, 100, 0).split()[0]) * resource.getpagesize()
        gc.collect()
        gc.freeze()
        lockdown.collapse_memory(self.proc)

    def draw(self, source: str, parent_fd: int) -> tuple[dict[str, Any], bytes]:
        """Run one script. The head says how it ended: `end` is reply, timeout, too_big, folder_full or died."""
        o = self.options
        jobs = self.language.jobs(source, o.programs, o.max_pixels)
        job = next(jobs)
        if len(sys.modules) != self.modules:  # the language has loaded something for this script and later ones
            self._settle()
        deadline, cpu_s = time.perf_counter() + o.timeout_s, 0.0
        with contextlib.suppress(StopIteration), contextlib.ExitStack() as at_end:
            at_end.callback(self.work.empty)
            while True:
                left = max(0.001, deadline - time.perf_counter())
                head, body = self._in_child(job, left, o.max_png_bytes + REPORT_BYTES, parent_fd)
                cpu_s = head["cpu_s"] = head["cpu_s"] + cpu_s
                if head["end"] != "died" or head["signal"]:
                    break
                job = jobs.send(head["code"])
        return head, body

    def lay_out(self, texts: bytes, parent_fd: int) -> tuple[dict[str, Any], bytes]:
        """Have a confined child lay out texts of anybody's; the body is what `keep` takes."""
        try:
            head, body = self._in_child(partial(_lay_out, texts), LEARN_S, REPORT_BYTES, parent_fd)
        finally:
            self.work.empty()
        return head, body[8 + struct.unpack_from("<I", body)[0] :] if head["end"] == "reply" else b""

    def keep(self, layouts: bytes) -> tuple[dict[str, Any], bytes]:
        """Put layouts where all later children find them."""
        kept = text_cache.keep(layouts)
        self._settle()
        return {"kept": kept}, b""

    def _in_child(self, job: Job, timeout_s: float, largest: int, parent_fd: int) -> tuple[dict[str, Any], bytes]:
        start = time.perf_counter()
        read_fd, write_fd = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                self._child(job, timeout_s, write_fd)
            finally:
                os._exit(1)
        os.close(write_fd)
        try:
            end, body = self._collect(pid, read_fd, parent_fd, start + timeout_s, largest)
            ended_by, code = self._end_of(pid) if end == "died" else (0, 0)
            if ended_by == signal.SIGALRM:  # of a program that knows of no alarm
                end = "timeout"
        finally:
            os.close(read_fd)
            for kill in (os.killpg, os.kill):  # the group exists only once the child has made it
                with contextlib.suppress(ProcessLookupError):
                    kill(pid, signal.SIGKILL)
            _, _, usage = os.wait4(pid, 0)
        cpu_s = usage.ru_utime + usage.ru_stime
        head = {"end": end, "signal": ended_by, "code": code, "max_rss_kb": usage.ru_maxrss, "cpu_s": cpu_s}
        return head, body

    def _end_of(self, pid: int) -> tuple[int, int]:
        """The signal that ended the child, 0 for none, and its exit code.

        A child that only closed its pipe is given a second to end, and then counts as one that left with code 1.
        """
        deadline = time.perf_counter() + 1.0
        while time.perf_counter() < deadline:
            ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is not None:
                return (0, ended.si_status) if ended.si_code == os.CLD_EXITED else (ended.si_status, 1)
            time.sleep(0.002)
        return 0, 1

    def _collect(self, pid: int, fd: int, parent_fd: int, deadline: float, largest: int) -> tuple[str, bytes]:
        poll, buffer = select.poll(), bytearray()
        poll.register(fd, select.POLLIN)
        poll.register(parent_fd, select.POLLIN)
        deadline += 0.25  # the child's own alarm, which knows the line, comes first
        look = time.perf_counter() + _LOOK_S
        while True:
            now = time.perf_counter()
            if now >= deadline:
                return "timeout", b""
            ready = dict(poll.poll(max(0.0, min(deadline, look) - now) * 1000))
            if parent_fd in ready:  # it never writes while a script runs: it is gone
                raise EOFError("the pool has gone")
            if time.perf_counter() >= look:  # by the clock: a script that trickles its reply is looked at too
                if self._threads(pid) > MAX_THREADS:
                    return "too_many_threads", b""
                if self.way == "none" and self.work.is_full():
                    return "folder_full", b""
                look = time.perf_counter() + _LOOK_S
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

    def _child(self, job: Job, timeout_s: float, write_fd: int) -> None:
        try:
            self._confine(write_fd, timeout_s)
        except BaseException as e:
            send(_REPLY_FD, {"outcome": "no_sandbox", "error": repr(e)[:500]}, b"")
            return
        signal.signal(signal.SIGALRM, self._on_alarm)
        try:
            report, body = job()
        except MemoryError:
            report, body = {"outcome": "memory"}, b""
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        send(_REPLY_FD, report, body)

    def _on_alarm(self, number: int, frame: FrameType | None) -> None:
        send(_REPLY_FD, self.language.timed_out(frame), b"")
        os._exit(0)

    def _confine(self, write_fd: int, timeout_s: float) -> None:
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
        os.chdir(self.work.path)
        config = os.environ["MPLCONFIGDIR"]
        os.environ.clear()
        os.environ.update(
            {"MPLBACKEND": "Agg", "MPLCONFIGDIR": config, "HOME": str(self.work.path), "PATH": "", "LANG": "C.UTF-8"}
        )
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, timeout_s)
        lockdown.no_new_privileges()
        if os.geteuid() == 0 or self.way != "none":
            lockdown.drop_capabilities()
        lockdown.limit_resources(self.baseline + (o.memory_mb << 20), int(timeout_s) + 2, o.work_mb << 20)
        if o.sandbox:
            lockdown.landlock_restrict(_RULES_FD)
            os.close(_RULES_FD)
            lockdown.seccomp_restrict(self.filter)

    def _threads(self, pid: int) -> int:
        try:
            fd = os.open(f"{pid}/stat", os.O_RDONLY, dir_fd=self.proc)
        except OSError:
            return 0
        with open(fd, "rb") as stat:
            return int(stat.read().rpartition(b")")[2].split()[17])


def _lay_out(texts: bytes) -> tuple[dict[str, Any], bytes]:
    return {}, text_cache.lay_out(texts)


def send(fd: int, head: dict[str, Any], body: bytes) -> None:
    """Write one frame, whole."""
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
    own = Path(options.folder)
    top = os.open(own.parent.parent, os.O_RDONLY | os.O_DIRECTORY)  # a way back to the folder from the private root
    try:
        zygote = Zygote(options)
        answer, _ = _head_and_body(zygote.draw(zygote.language.TRIAL, fd_in)[1])
        send(fd_out, {"namespaces": zygote.way, "trial": answer, "facts": zygote.language.facts()}, b"")
        while True:
            sizes = struct.unpack("<II", _receive(fd_in, 8))
            request, body = json.loads(_receive(fd_in, sizes[0])), _receive(fd_in, sizes[1])
            match request["do"]:
                case "draw":
                    reply = zygote.draw(body.decode("utf-8", "surrogatepass"), fd_in)
                case "lay_out":
                    reply = zygote.lay_out(body, fd_in)
                case _:
                    reply = zygote.keep(body)
            send(fd_out, *reply)
    except (EOFError, BrokenPipeError):
        with contextlib.suppress(OSError):
            os.unlink(f"{own.parent.name}/{own.name}.log", dir_fd=top)
    finally:
        shutil.rmtree(f"{own.parent.name}/{own.name}", ignore_errors=True, dir_fd=top)
        with contextlib.suppress(OSError):  # the last zygote removes the pool's folder too
            os.rmdir(own.parent.name, dir_fd=top)


def _head_and_body(frame: bytes) -> tuple[dict[str, Any], bytes]:
    head, body = struct.unpack_from("<II", frame) if len(frame) >= 8 else (0, 0)
    return json.loads(frame[8 : 8 + head] or b"{}"), frame[8 + head : 8 + head + body]


if __name__ == "__main__":
    main()
