"""`python -m scigen.training.trainer.keeper PARENT COMMAND...`: runs a command and leaves nothing of it behind.

Ray's daemons die with verl, but their own children (agents, workers) end in their own time: an agent whose raylet is
gone still waits a minute for the head of the cluster, to report it. The keeper is a subreaper (prctl(2)): whatever
loses its parent becomes the keeper's child, and ends with the command, or when process PARENT dies.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import psutil

from scigen.rendering import lockdown

GRACE_S = 5.0
"""Between SIGTERM and SIGKILL."""
PARENT_DIED = signal.SIGHUP
"""From the kernel."""


class Stopped(Exception):
    """A signal came: SIGTERM from whoever started the keeper, or PARENT_DIED."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def keep(command: list[str]) -> int:
    """Run the command; its exit status, negative for a signal, the keeper's own if that was stopped by one.

    Told to end, it gives the command time to; without its parent, which can only have been killed, it does not.
    """
    child = subprocess.Popen(command, preexec_fn=lockdown.die_with_parent)  # should the keeper itself be killed
    try:
        return _wait_for(child.pid)
    except Stopped as e:
        if e.number == signal.SIGTERM:
            child.terminate()
            with suppress(subprocess.TimeoutExpired):
                child.wait(GRACE_S)
        return -e.number
    finally:
        _kill_all()


def _wait_for(pid: int) -> int:
    """Reaps whatever becomes the keeper's child meanwhile."""
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == pid:
            return os.waitstatus_to_exitcode(status)


def _kill_all() -> None:
    """Whoever is killed leaves its children to the keeper, so this ends when nobody is left."""
    while left := psutil.Process().children(recursive=True):
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.02)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    for each in (signal.SIGTERM, PARENT_DIED):
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(number)


def main(parent: int, command: list[str]) -> int:
    """Run the command for as long as it and process `parent` live."""
    for each in (signal.SIGTERM, PARENT_DIED):
        signal.signal(each, _stop)
    lockdown.become_subreaper()
    lockdown.die_with_parent(PARENT_DIED)
    if os.getppid() != parent:  # it died before the call
        return 1
    try:
        return keep(command)
    except Stopped as e:  # before the command was there
        return -e.number


if __name__ == "__main__":
    code = main(int(sys.argv[1]), sys.argv[2:])
    sys.exit(code if code >= 0 else 128 - code)
