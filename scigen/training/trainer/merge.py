"""`python -m scigen.training.trainer.merge ...`: verl's own model merger, with its own arguments.

A process of its own, started by `scigen.training.checkpoints`: verl and its libraries stay out of the caller, and the
torchvision shim comes first.
"""

from __future__ import annotations

import runpy
import sys


def main() -> None:
    """Run `python -m verl.model_merger` with this process's arguments."""
    from scigen import torchvision_shim

    torchvision_shim.install()
    sys.argv[0] = "verl.model_merger"
    runpy.run_module("verl.model_merger", run_name="__main__")


if __name__ == "__main__":
    main()
