"""What this machine offers for drawing untrusted scripts: walls, cores, fonts. Found by trying; `--probe` shows it."""

from __future__ import annotations

import math
import os
import platform
from pathlib import Path

from scigen.errors import ScigenError
from scigen.rendering import lockdown

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
    grants = [float(len(os.sched_getaffinity(0))), *_quotas(_CGROUP, Path("/proc/self/cgroup"))]
    grants += [float(os.environ[name]) for name in SLURM if os.environ.get(name, "").isdigit()][:1]
    return max(1, math.floor(min(grants) + 0.01))


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


def kernel() -> str:
    """Kernel and machine, such as `Linux 6.8 x86_64`."""
    return f"{platform.system()} {platform.release()} {platform.machine()}"
