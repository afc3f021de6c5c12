"""The process behind `scigen.training.reward`: reads [answer, truth, seconds] as JSON lines, prints true or false.

It limits its own memory and ends itself when a comparison is late, so none outlives the process that asked.
"""

from __future__ import annotations

import json
import resource
import signal
import sys

MEMORY_BYTES = 2 << 30


def main() -> None:
    """Serve until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from math_verify import parse, verify

    print("ready", flush=True)
    for line in sys.stdin:
        answer, truth, seconds = json.loads(line)
        # SIGALRM's default action ends the process, also within C code; the asker starts another.
        signal.setitimer(signal.ITIMER_REAL, seconds + 0.5)
        try:
            sides = [parse(f"${side}$", parsing_timeout=None, raise_on_error=False) for side in (truth, answer)]
            equal = all(sides) and verify(*sides, timeout_seconds=None, raise_on_error=False)
        except (Exception, MemoryError):
            equal = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        print("true" if equal else "false", flush=True)


if __name__ == "__main__":
    main()
