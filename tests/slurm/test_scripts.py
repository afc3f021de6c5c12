"""The Slurm scripts without a Slurm: they parse, the pipelines' arguments compose, a report counts every stage."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from scigen.app.cli import said

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path for path in (ROOT / "slurm").rglob("*") if path.suffix in (".sh", ".sbatch", ".env"))
PIPELINES = sorted((ROOT / "slurm/pipelines").glob("*.sh"))
STAGES = ("CURATE", "GENERATE", "EVALUATE", "TRAIN", "ANALYZE")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.name)
def test_a_script_parses(script: Path) -> None:
    done = subprocess.run(["bash", "-n", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def stages_of(pipeline: Path) -> dict[str, list[str]]:
    """Arguments of each stage, as bash reads them."""
    shown = " ".join(f'printf "%s\\0" {name} "${{{name}[@]}}" ""; ' for name in STAGES)
    preset = " ".join(f"{name}=()" for name in STAGES)
    done = subprocess.run(
        ["bash", "-euc", f"{preset}; . {pipeline}; {shown}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    words = done.stdout.split("\0")[:-1]
    found: dict[str, list[str]] = {}
    for name in STAGES:
        start = words.index(name) + 1
        found[name] = words[start : words.index("", start)]
    return found


@pytest.mark.parametrize("pipeline", PIPELINES, ids=lambda p: p.stem)
def test_a_pipelines_arguments_compose(pipeline: Path) -> None:
    stages = stages_of(pipeline)
    experiment, *more = stages["TRAIN"]
    given = stages | {"TRAIN": [f"+experiment={experiment}", *more]}
    for name, arguments in given.items():
        GlobalHydra.instance().clear()
        words = {"generator": "image_sets[]"} if name == "EVALUATE" else {}  # of scripts/evaluate.py
        with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
            config = compose(name.lower(), [said(argument, words) for argument in arguments])
        assert OmegaConf.to_container(config, resolve=True)


def test_the_report_counts_stages_that_failed_were_killed_and_never_ran(tmp_path: Path) -> None:
    (tmp_path / "marks").mkdir()
    marks = {"01-curate": "ok", "02-generate.0": "ok", "02-generate.1": "running /logs/02.1", "03-generate-merged": ""}
    for name, text in marks.items():
        if text:
            (tmp_path / "marks" / name).write_text(f"{text}\n")
    (tmp_path / "stages").write_text("01-curate 1\n02-generate 2\n03-generate-merged 3\n")
    done = subprocess.run(["slurm/report.sh", tmp_path], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    first, second, third, _, verdict, _ = done.stdout.splitlines()
    assert first.split() == ["01-curate", "ok"]
    assert second.split()[:7] == ["02-generate", "killed", "1", "of", "2", "tasks", "ok,"]
    assert third.split() == ["03-generate-merged", "not", "run"]
    assert verdict.startswith("The pipeline stopped at stage 02-generate")
    assert verdict.endswith("log: /logs/02.1")
    (tmp_path / "stages").write_text("01-curate 1\n")
    done = subprocess.run(["slurm/report.sh", tmp_path], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "All stages ended well.")


def test_the_launchers_settings_are_those_that_submitit_knows() -> None:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose("generate", ["hydra/launcher=slurm"], return_hydra_config=True)
    launcher = config.hydra.launcher
    assert launcher._target_.endswith("SlurmLauncher")
    assert launcher.max_num_timeout == 20
    assert config.hydra.callbacks.sweep._target_ == "scigen.app.sweep.Marks"
