"""Studies of finished runs: `python scripts/analyze.py study=scaling runs='FOLDERS'`. See its `--help`."""

from scigen.app.cli import main

if __name__ == "__main__":
    main("analyze", "scigen.app.analyze:run")
