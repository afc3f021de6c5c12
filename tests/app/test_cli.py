"""What a user types: help at once, and for a slip the right word."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scigen.app.cli import CONF, check_keys, dotted, open_verl_key
from scigen.errors import ScigenError, nearest

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "transformers", "verl", "ray", "vllm", "datasets", "wandb", "matplotlib", "PIL", "numpy"}
EXPERIMENTS = sorted(p.stem for p in (CONF / "experiment").glob("*.yaml"))


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(("flags", "text"), [(["--help"], "Often changed"), (["--cfg", "job"], "name: tiny")])
def test_help_and_config_answer_without_loading_anything_heavy(flags: list[str], text: str) -> None:
    script = (
        "import runpy, sys\n"
        f"sys.argv = ['train.py', *{flags!r}]\n"
        "try:\n    runpy.run_path('train.py', run_name='__main__')\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', sorted({HEAVY!r} & set(sys.modules)))\n"
    )
    done = command("-c", script)
    assert text in done.stdout, done.stderr
    assert "HEAVY []" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["seeed=1"], ["seeed", "seed"]),
        (["paths.outputs=x"], ["paths.outputs", "paths.output"]),
        (["filter=glasbox"], ["glasbox", "glassbox"]),
        (["+experiment=nanobanan"], ["nanobanan", "nanobanana"]),
        (["filtre=glassbox"], ["filtre", "filter"]),
        (["+sede=1"], ["sede", "seed"]),
        (["+trainset.show=blank"], ["trainset.show", "shown"]),
        pytest.param(["+problems.glanc=3"], ["problems.glanc", "glance"], marks=pytest.mark.slow),
        pytest.param(
            ["verl.trainer.total_trainig_steps=3"],
            ["trainer.total_trainig_steps", "total_training_steps"],
            marks=pytest.mark.slow,
        ),
        (["trainset.shown=blanc"], ["trainset.shown", "'real', 'blank', 'shuffled' or 'none'"]),
    ],
    ids=lambda x: x[0] if isinstance(x, list) else None,
)
def test_a_typo_is_an_error_that_names_the_key_and_the_nearest_valid_ones(
    tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    output = [] if arguments[0].startswith("paths.") else [f"paths.output={tmp_path}"]
    done = command("train.py", *arguments, *output, "dry_run=true")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_a_typo_inside_an_experiment_file_is_named_too(tmp_path: Path) -> None:
    """The file lies in a second config folder, as a user's own experiments may."""
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\nnaem: mine\n")
    done = command("train.py", "--config-dir", str(tmp_path), "+experiment=mine", "dry_run=true")
    assert done.returncode == 2
    assert 'no key "naem"' in done.stderr
    assert "did you mean name?" in done.stderr


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_says_its_command_cost_and_expectation(name: str) -> None:
    header = (CONF / "experiment" / f"{name}.yaml").read_text()
    for word in ("Command", "Costs", "Expect", f"name: {name}"):
        assert word in header


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_help_lists_every_experiment(name: str) -> None:
    assert name in (CONF / "hydra" / "default.yaml").read_text()


def test_keys_of_verl_may_be_new_to_our_node() -> None:
    assert open_verl_key("verl.trainer.save_freq=3") == "++verl.trainer.save_freq=3"
    assert open_verl_key("seed=3") == "seed=3"
    assert open_verl_key("+verl.trainer.save_freq=3") == "+verl.trainer.save_freq=3"


def test_nearest_keys() -> None:
    assert list(dotted({"a": {"b": 1, "c": {"d": 2}}})) == ["a", "a.b", "a.c", "a.c.d"]
    assert nearest("seeed", ["seed", "name"]) == "did you mean seed?"
    assert nearest("zzz", ["seed", "name"]) == "known: name, seed"
    with pytest.raises(ScigenError, match=r'conf: no key "b": known: a'):
        check_keys(["b"], ["a"], "conf")
