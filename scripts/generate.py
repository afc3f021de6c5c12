"""Images for problems: `python scripts/generate.py generator=NAME problems=NAME`; `generator=?` lists generators."""

import sys

from scigen.app.cli import main

if __name__ == "__main__":
    if {"generator=?", "generator='?'"} & set(sys.argv[1:]):
        from scigen.app.generator_table import show

        show()
    else:
        main("generate", "scigen.app.generate:run")
