"""Runs a Python file as another user: `python other_user.py UID FILE ARGS...`, started by root. Not a test itself.

Where the interpreter or the checkout lies below a folder that only root may enter (root's home, say), the new process
gets mounts of its own in which just these lie open, under their own names, read-only. The host's mounts stay.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from scigen.rendering import lockdown as ld

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
UID = 4242


def command(uid: int | None, file: Path, *args: str) -> list[str]:
    """How to run the file as that user; None: as the one who asks."""
    return [sys.executable, *([__file__, str(uid)] if uid is not None else []), str(file), *args]


@cache
def why_not(uid: int) -> str:
    """Why no file can be run as that user here; empty if it can."""
    if os.geteuid() != 0:
        return "only root can start a process of another user"
    trial = [sys.executable, __file__, str(uid), "-c", "import scigen.rendering.pool, psutil"]
    done = subprocess.run(trial, cwd="/", capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
    return f"user {uid} cannot reach the interpreter: {done.stderr.strip()[-200:]}" if done.returncode else ""


@contextmanager
def home(uid: int | None) -> Iterator[Path]:
    """A new folder of that user's own. Not one of pytest's: each start of pytest closes those of all runs to others."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        if uid is not None:
            os.chown(folder, uid, uid)
            for above in folder.parents:
                if above.stat().st_uid == os.getuid() and not above.stat().st_mode & 0o001:
                    above.chmod(above.stat().st_mode | 0o011)
        yield folder


def open_the_way(paths: list[Path]) -> None:
    """Move to mounts of our own in which everybody may reach these paths."""
    closed = {top: [p for p in paths if p.is_relative_to(top)] for p in paths if (top := _closed_above(p)) is not None}
    if not closed:
        return
    ld.unshare(ld.NEW_MOUNTS)
    ld.mount("none", "/", None, ld.MS_REC | ld.MS_PRIVATE)
    for top, below in closed.items():
        held = {path: os.open(path, os.O_PATH) for path in below}
        ld.mount("tmpfs", str(top), "tmpfs", ld.MS_NOSUID | ld.MS_NODEV, "mode=755")
        for path, fd in held.items():
            path.mkdir(parents=True, exist_ok=True)
            ld.mount(f"/proc/self/fd/{fd}", str(path), None, ld.MS_BIND | ld.MS_REC)
            ld.mount("none", str(path), None, ld.MS_REMOUNT | ld.MS_BIND | ld.MS_RDONLY | ld.MS_NOSUID)


def _closed_above(path: Path) -> Path | None:
    """The outermost folder above the path that others may not enter."""
    return next((p for p in reversed([path, *path.parents]) if not p.stat().st_mode & 0o001), None)


def main() -> None:
    uid = int(sys.argv[1])
    needed = {Path(p).resolve() for p in (sys.prefix, sys.base_prefix, ROOT, SHARED) if os.path.exists(p)}
    open_the_way(sorted(needed))
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.execv(sys.executable, [sys.executable, *sys.argv[2:]])


if __name__ == "__main__":
    main()
