"""A private world for a drawing process: own mounts, network and IPC, and a root of libraries and fonts, read-only.

The second wall behind Landlock and seccomp, where the kernel allows it: names outside cannot even be asked for, there
is no network device, and files that scripts write go to a small tmpfs. It hides no processes; seccomp denies signals.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from scigen.rendering import lockdown as ld

Way = Literal["user", "root", "none"]
"""How the namespaces were made: by anybody in a user namespace, by root without one, or not at all."""

WORK = Path("/scigen-work")
"""Where scripts run in the private root."""
_SPOT = "/proc"  # an existing folder that nobody reads from afterwards: the new root is mounted over it
_LOCKED = {os.ST_NOSUID: ld.MS_NOSUID, os.ST_NODEV: ld.MS_NODEV, os.ST_NOEXEC: ld.MS_NOEXEC}


def usable(readable: Iterable[Path]) -> Way:
    """The first way that works on this host for this user, found by trying it in a throw-away child."""
    readable = list(readable)
    ways: list[Way] = ["user", "root"] if os.geteuid() == 0 else ["user"]
    for way in ways:
        pid = os.fork()
        if pid == 0:
            try:
                enter(way, readable, None, 1, 16)
                os._exit(0)
            finally:
                os._exit(1)
        if os.waitpid(pid, 0)[1] == 0:
            return way
    return "none"


def enter(way: Way, readable: Iterable[Path], cache: Path | None, work_mb: int, work_files: int) -> None:
    """Move this process, which must have one thread, into its own namespaces and root.

    Of the host's files only those below `readable` (read-only) and `cache` (writable until `seal`) are left, under
    their own names, and WORK, an empty tmpfs of `work_mb` MiB and `work_files` files. Raises OSError, half done.
    """
    uid, gid = os.getuid(), os.getgid()
    ld.unshare(ld.NEW_MOUNTS | ld.NEW_NET | ld.NEW_IPC | (ld.NEW_USER if way == "user" else 0))
    if way == "user":
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    ld.mount("none", "/", None, ld.MS_REC | ld.MS_PRIVATE)
    ld.mount("tmpfs", _SPOT, "tmpfs", ld.MS_NOSUID | ld.MS_NODEV, "size=1m,mode=755")
    for path in _outermost(readable):
        _bind(path, read_only=True)
    if cache is not None:
        _bind(cache, read_only=False)
    os.makedirs(_SPOT + str(WORK))
    os.makedirs(_SPOT + "/.old")
    ld.pivot_root(_SPOT, "/.old")
    os.rmdir("/.old")
    own = ld.MS_NOSUID | ld.MS_NODEV
    ld.mount("tmpfs", str(WORK), "tmpfs", own | ld.MS_NOEXEC, f"size={work_mb}m,nr_inodes={work_files},mode=700")
    ld.mount("none", "/", None, ld.MS_REMOUNT | ld.MS_BIND | ld.MS_RDONLY | own)


def seal(cache: Path) -> None:
    """Make the cache read-only too, once it has been filled. Raises OSError."""
    _read_only(str(cache))


def _outermost(paths: Iterable[Path]) -> list[Path]:
    """Existing paths under the names given and under their real names, without those that lie below another."""
    every = {p for given in paths if os.path.exists(given) for p in (given.absolute(), given.resolve())}
    return sorted(p for p in every if not any(q in every for q in p.parents))


def _bind(path: Path, read_only: bool) -> None:
    target = Path(_SPOT + str(path))
    if path.is_symlink():  # such as /lib on most systems; what it points to is among the paths by its real name
        target.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            target.symlink_to(os.readlink(path))
        return
    if path.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    ld.mount(str(path), str(target), None, ld.MS_BIND | ld.MS_REC)
    if read_only:
        _read_only(str(target))


def _read_only(target: str) -> None:
    """Remount a bind mount without writing, keeping the flags that a user namespace may not take off."""
    have = os.statvfs(target).f_flag
    kept = sum(flag for bit, flag in _LOCKED.items() if have & bit)
    times = have & (os.ST_NOATIME | os.ST_NODIRATIME | os.ST_RELATIME)  # the same numbers in both calls but relatime
    kept |= (times & ~os.ST_RELATIME) | (0x200000 if times & os.ST_RELATIME else 0)
    ld.mount("none", target, None, ld.MS_REMOUNT | ld.MS_BIND | ld.MS_RDONLY | ld.MS_NOSUID | kept)
