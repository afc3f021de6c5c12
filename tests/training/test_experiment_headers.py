"""Every experiment, sweep and study says in its header what it takes and what to expect; the documentation has all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = sorted(path for group in ("experiment", "sweep", "study") for path in (ROOT / "conf" / group).glob("*.yaml"))
COMMAND = {"experiment": "+experiment=", "sweep": "-m +sweep=", "study": "study="}


def header(path: Path) -> str:
    """The comment at the top."""
    lines = path.read_text().splitlines()
    return "\n".join(lines[: next(n for n, line in enumerate(lines) if not line.startswith("#"))])


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_header_gives_command_costs_and_expectation_and_whether_it_was_run(path: Path) -> None:
    text = header(path)
    assert text.startswith("# @package _global_\n# ")
    for word in ("#   Command   ", "#   Costs     ", "#   Expect    "):
        assert word in text, f"{path.name}: {word.strip('# ')} is missing"
    started = "python train.py  " if path.stem == "tiny" else f"{COMMAND[path.parent.name]}{path.stem}"
    assert re.search(rf"{re.escape(started)}(?![\w-])", text), f"{path.name}: its own command is missing"
    assert re.search(r"Not run here|measured here|README\.md|docs/\w+\.md", text)


GPU = [p for p in FILES if p.parent.name == "experiment" and not p.stem.startswith("tiny")]


@pytest.mark.parametrize("path", GPU, ids=lambda p: p.stem)
def test_what_needs_gpus_says_how_long_and_that_it_was_not_run(path: Path) -> None:
    text = header(path)
    assert re.search(r"about \d+ GPU-hours?", text)
    assert "#   Needs     " in text
    assert "Not run here: no GPUs, no weights, no data." in text


def test_names_are_those_of_the_files() -> None:
    for path in FILES:
        if path.parent.name == "experiment":
            assert yaml.safe_load(path.read_text())["name"] == path.stem


def test_the_documentation_lists_every_experiment_and_sweep() -> None:
    listed = set(re.findall(r"`(\w+)`", (ROOT / "docs/experiments.md").read_text()))
    assert {p.stem for p in FILES if p.parent.name in ("experiment", "sweep")} - listed == set()
