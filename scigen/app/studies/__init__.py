"""Studies of many runs, one file each: what `scripts/analyze.py study=NAME` does."""
