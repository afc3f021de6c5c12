"""Signals that ask a training to write a checkpoint and end: from Slurm before the time limit, or from whoever kills.

SIGUSR1 comes from slurm/train.sbatch, SIGUSR2 from submitit, SIGTERM from everybody else. A second SIGTERM ends the
process at once. SIGINT is not among them: Ctrl-C stays immediate.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from scigen.training.trainer.watched import request_stop

SIGNALS = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM)


@contextmanager
def stopping_at_signals(folder: Path) -> Iterator[None]:
    """Within it, a signal asks the run in `folder` to stop; afterwards the handlers are as before.

    Whoever had a handler of their own for the signal that came (submitit puts the job back into the queue) gets it when
    the run has stopped. In another thread than the main one, which gets no signals, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        if signal.SIGTERM in came and number == signal.SIGTERM:
            sys.exit(128 + number)
        came.append(number)
        request_stop(folder)
        print(f"{signal.Signals(number).name}: a checkpoint is written after this step, then the run ends", flush=True)

    before = {number: signal.signal(number, ask) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for each in came:
            if callable(handler := before[signal.Signals(each)]):
                handler(each, None)
