"""What this machine offers for drawing untrusted scripts: walls, cores, fonts. Found by trying; `--probe` shows it."""

from __future__ import annotations

import math
import os
import platform
import time
from pathlib import Path

from scigen.errors import ScigenError
from scigen.rendering import lockdown, tikz

SLURM = ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE")
_CGROUP = Path("/sys/fs/cgroup")


def require_confinement() -> None:
    """Raises ScigenError, which says what is missing and what to do, where Landlock or seccomp is."""
    if lacks := lockdown.missing():
        raise ScigenError(
            f"rendering: this host cannot confine untrusted scripts; it lacks {' and '.join(lacks)}. "
            f"Use a host that has it, or, for your own scripts only, RenderPool(unsafe=True)."
        )


def cores() -> int:
    """Cores this process may really use: the least of its affinity, its control groups' quota and Slurm's grant."""
    return max(1, math.floor(min(grants().values()) + 0.01))


def grants() -> dict[str, float]:
    """Cores granted, by who grants them."""
    found = {"affinity": float(len(os.sched_getaffinity(0)))}
    if quotas := _quotas(_CGROUP, Path("/proc/self/cgroup")):
        found["control group"] = min(quotas)
    if slurm := [float(os.environ[name]) for name in SLURM if os.environ.get(name, "").isdigit()]:
        found["Slurm"] = slurm[0]
    return found


def _quotas(mount: Path, membership: Path) -> list[float]:
    """Cores allowed by each control group from the process's own up to the root; both versions of the interface."""
    found = []
    for line in _read(membership).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, pick = mount, _quota_2
        elif "cpu" in controllers.split(","):
            top, pick = mount / "cpu", _quota_1
        else:
            continue
        group = top / path.lstrip("/")
        found += [q for folder in (group, *group.parents) if folder.is_relative_to(top) for q in pick(folder)]
    return found


def _quota_2(folder: Path) -> list[float]:
    quota, _, period = _read(folder / "cpu.max").partition(" ")
    return [int(quota) / int(period)] if quota.isdigit() and int(quota) > 0 else []


def _quota_1(folder: Path) -> list[float]:
    quota, period = _read(folder / "cpu.cfs_quota_us").strip(), _read(folder / "cpu.cfs_period_us").strip()
    return [int(quota) / int(period)] if quota.isdigit() and int(quota) > 0 and period.isdigit() else []


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def probe() -> tuple[list[tuple[str, str, str]], bool]:
    """Rows of (what, found, meaning) for people, and whether untrusted scripts can be drawn. Draws one to find out."""
    from scigen.rendering.pool import RenderPool

    abi = lockdown.landlock_abi()
    rows = [
        ("kernel", f"{platform.system()} {platform.release()} {platform.machine()}", ""),
        ("Landlock", f"ABI {abi}" if abi else "missing", _LANDLOCK[min(abi, 6)]),
        ("seccomp", "yes" if lockdown.has_seccomp() else "missing", "system calls by allow-list"),
    ]
    granted = ", ".join(f"{who} {number:g}" for who, number in grants().items())
    try:
        start = time.perf_counter()
        with RenderPool(1) as pool:
            facts, way = pool.facts, pool.confinement
            started = time.perf_counter() - start
            status = pool.draw("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()").status
        fonts = ", ".join(facts["fonts"])
        rows += [
            ("namespaces", way, _NAMESPACES[way]),
            ("drawing with", f"Matplotlib {facts['matplotlib']}, NumPy {facts['numpy']}", ""),
            ("more fonts", fonts or "none", "for Chinese, Japanese, Korean" if fonts else _NO_FONTS),
            ("trial", status.value, f"after {started:.1f} s to start"),
        ]
        verdict = status.value == "ok"
    except ScigenError as e:
        rows.append(("trial", "refused", str(e)))
        verdict = False
    try:
        rows.append(("TikZ", "yes", f"with {Path(next(iter(tikz.programs().values()))).name}"))
    except ScigenError as e:
        rows.append(("TikZ", "no", str(e)))
    rows.append(("workers", str(cores()), f"by default: the least of {granted}"))
    return rows, verdict


_LANDLOCK = {
    0: "no file is safe from a script",
    **dict.fromkeys((1, 2, 3), "files"),
    **dict.fromkeys((4, 5), "files, TCP"),
    6: "files, TCP, signals, abstract sockets",
}
_NAMESPACES = {
    "user": "user, mount, network, IPC; files go to a small private tmpfs",
    "root": "mount, network, IPC (as root); files go to a small private tmpfs",
    "none": "not on this host: Landlock and seccomp stand alone, the work folder is measured 20 times a second",
}
_NO_FONTS = "Chinese, Japanese, Korean are drawn as boxes and reported: install fonts-noto-cjk or the extra cjk"
