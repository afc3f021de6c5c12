"""`python -m scigen.training.plan +experiment=NAME [cluster=2x8,4x8] [key=value ...]`: memory, time and cost.

Only the name of the command lies here; it reads the configuration, so it is `scigen.app.plan`.
"""

from __future__ import annotations

import runpy

if __name__ == "__main__":
    runpy.run_module("scigen.app.plan", run_name="__main__")
