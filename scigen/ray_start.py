"""Ray's start on a busy machine: tried again, since Ray waits 30 s for its node and has no setting for it.

Its workers run at the niceness of whoever starts them; Ray's own choice of 15 starves them beside anything else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

TRIES = 3
TOO_LATE = "timed out during startup"
"""What Ray 2.60 says of a node that took longer than it waits."""


def patiently(start: Callable[[], None]) -> None:
    """Call `start`, which starts Ray, again while Ray's node is too slow; at most three times. Other errors pass."""
    os.environ.setdefault("RAY_worker_niceness", "0")
    for number in range(1, TRIES + 1):
        try:
            start()
            return
        except Exception as e:  # Ray raises a bare Exception here
            if TOO_LATE not in str(e) or number == TRIES:
                raise
            print(f"Ray did not start on this busy machine (try {number} of {TRIES})", file=sys.stderr, flush=True)
