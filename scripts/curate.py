"""Problems from a source: `python scripts/curate.py problems=NAME`. See `python scripts/curate.py --help`."""

from scigen.app.cli import main

if __name__ == "__main__":
    main("curate", "scigen.app.curate:run")
