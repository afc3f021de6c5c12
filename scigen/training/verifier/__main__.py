"""`python -m scigen.training.verifier ENDPOINT [--model NAME] [--key-env VARIABLE]`: the canary table of a verifier.

Ask before a long run whether a verifier can be trusted with its rewards. Ends with status 1 if it paid for a canary
that must not be paid, or gave no verdict on some.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from rich.console import Console

from scigen.errors import ScigenError
from scigen.training.verifier import canaries, settings
from scigen.training.verifier.client import Verifier


async def look(chosen: settings.VerifierSettings) -> list[canaries.KindResult]:
    """The canaries' results."""
    async with Verifier(chosen) as verifier:
        return canaries.by_kind(await canaries.measure(verifier))


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m scigen.training.verifier", description=__doc__)
    parser.add_argument("endpoint", help="base address, e.g. http://127.0.0.1:8000/v1")
    parser.add_argument("--model", help="name that the service knows; default: the first that it serves")
    parser.add_argument("--key-env", help="environment variable that holds the key")
    given = parser.parse_args()
    try:
        chosen = settings.parse({"endpoint": given.endpoint, "model": given.model, "key_env": given.key_env})
        results = asyncio.run(look(chosen))
    except ScigenError as e:
        print(f"error: {e}", file=sys.stderr)
        return 2
    Console().print(canaries.table(results, f"canaries of {given.endpoint}"))
    figures = canaries.metrics(results)
    print("  ".join(f"{name.removeprefix('canary/')} {figures[name]:.3f}" for name in FIGURES))
    return int(figures["canary/paid_wrongly"] > 0 or figures["canary/unanswered"] > 0)


FIGURES = ("canary/passed", "canary/paid_wrongly", "canary/unanswered")

if __name__ == "__main__":
    sys.exit(main())
