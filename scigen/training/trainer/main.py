"""`python -m scigen.training.trainer.main CONFIG`: runs verl's own PPO trainer on a merged config file.

A process of its own, started by `launch`, because verl reads its platform from the environment when it is imported.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PARENT = "SCIGEN_PARENT_PID"
"""Set by `launch`: the process without which this one has no purpose."""


RAY_STARTS = 3
"""Ray gives its node 30 s to start, whatever else the machine does, and has no setting for it."""


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies. Ray's daemons follow it by the same means."""
    parent = int(os.environ.get(PARENT, "0"))
    if not parent:
        return
    pr_set_pdeathsig = 1
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the call
        os._exit(1)


def main(path: str) -> None:
    """Train or evaluate as the file says."""
    die_with_parent()
    from omegaconf import OmegaConf
    from verl.trainer.main_ppo import TaskRunnerV1, run_ppo

    config = OmegaConf.load(path)
    for start in range(1, RAY_STARTS + 1):
        try:
            run_ppo(config, task_runner_class=TaskRunnerV1)
            return
        except Exception as e:
            if "timed out during startup" not in str(e) or start == RAY_STARTS:
                raise
            print(f"Ray did not start on this busy machine (try {start} of {RAY_STARTS}): {e}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
