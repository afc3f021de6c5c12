"""Verdicts on images: `python scripts/evaluate.py generator=a,b evaluators=[inverse,judge]`. See its `--help`."""

from scigen.app.cli import main

if __name__ == "__main__":
    words = {"generator": "image_sets[]", "evaluators": "evaluators[]", "problems": "problem_set"}
    main("evaluate", "scigen.app.evaluate:run", words)
