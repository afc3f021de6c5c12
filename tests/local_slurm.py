"""A real Slurm of two nodes on this machine, for tests: see slurm/local_cluster.sh. Not a test itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "munged")
MISSING = [name for name in PROGRAMS if shutil.which(name) is None]
WHY = f"no {', '.join(MISSING)} here: apt-get install slurmctld slurmd slurm-client munge"
SLACK_S = 500.0
"""What is waited for at most, wherever a busy machine may be slow."""


@dataclass(frozen=True)
class Slurm:
    """A running cluster."""

    environment: dict[str, str]

    def run(self, *command: str | Path, code: int = 0, **environment: str) -> str:
        """A command in the repository's folder; its standard output."""
        done = subprocess.run(
            list(map(str, command)),
            cwd=ROOT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=SLACK_S,
        )
        assert done.returncode == code, f"{command}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def field(self, job: str, name: str) -> str:
        """Of `scontrol show job`, e.g. JobState."""
        text = self.run("scontrol", "show", "job", job, "-o")
        return next(word.partition("=")[2] for word in text.split() if word.startswith(f"{name}="))

    def is_queued(self, *jobs: str) -> bool:
        """Whether one of them waits or runs."""
        return bool(set(jobs) & set(self.run("squeue", "-h", "-o", "%F").split()))


def wait_until(condition: Callable[[], bool], what: str, seconds: float = SLACK_S) -> None:
    """Looks again and again; fails the test when it never becomes true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in {seconds:.0f} s: {what}"
        time.sleep(0.2)


@contextmanager
def local_slurm(folder: Path) -> Iterator[Slurm]:
    """Up, and down again with all its jobs."""
    script = str(ROOT / "slurm/local_cluster.sh")
    subprocess.run([script, "up", str(folder)], check=True, timeout=SLACK_S)
    own = {"SLURM_CONF": str(folder / "etc/slurm.conf"), "OMP_NUM_THREADS": "1", "COLUMNS": "120"}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ours = {key: value for key, value in os.environ.items() if not key.startswith(("SLURM_", "SBATCH_"))}
    slurm = Slurm({**ours, **own, "PATH": path})
    try:
        yield slurm
    finally:
        slurm.run("scancel", "--user", slurm.run("id", "-un").strip(), "--full")
        wait_until(lambda: not slurm.run("squeue", "-h"), "the jobs' end", 60)
        subprocess.run([script, "down", str(folder)], check=True, timeout=60)
