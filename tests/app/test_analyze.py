"""`python scripts/analyze.py study=scaling` on folders of the form that train.py leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from scigen.app.analyze import Runs, find
from scigen.app.studies.scaling import Scaling
from scigen.errors import ScigenError

ROOT = Path(__file__).parents[2]
SIZES, SEEDS, PROBLEMS = (32, 96, 352), (0, 1), 30


def run_folder(folder: Path, size: int, seed: int, *, name: str = "small", finished: bool = True) -> Path:
    """A run: what Hydra kept, the train set's record, verl's configuration, two validations, and the summary."""
    run = folder / f"seed={seed},trainset.size={size}"
    sets = folder / f"sets-of-seed{seed}" / f"trainset-size{size}"
    for place in (run / ".hydra", run / "verl" / "generations", sets):
        place.mkdir(parents=True, exist_ok=True)
    (run / ".hydra" / "config.yaml").write_text(yaml.safe_dump({"name": name}))
    overrides = [f"+experiment={name}", f"trainset.size={size}", f"seed={seed}"]
    (run / ".hydra" / "overrides.yaml").write_text(yaml.safe_dump(overrides))
    info = {"rows": {"train": size, "held_out": PROBLEMS, "held_out_blank": PROBLEMS}, "decisions": {}}
    body = info | {"decisions_hash": "", "rows_hash": "", "inputs": ""}
    (sets / "trainset.json").write_text(json.dumps(body))
    config = {"data": {"train_files": [str(sets / "train.parquet")]}}
    (run / "verl" / "verl_config.yaml").write_text(yaml.safe_dump(config))
    if not finished:
        return run
    rng = np.random.default_rng(1000 * size + seed)
    for step, chance in ((0, 0.4), (40, 0.4 + 0.05 * np.log(size / 32))):
        lines = [
            {"data_source": "held_out", "problem_id": f"p{i}", "acc": float(rng.random() < chance), "step": step}
            for i in range(PROBLEMS)
            for _ in range(4)
        ]
        (run / "verl" / "generations" / f"{step}.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    (run / "summary.json").write_text(json.dumps({"experiment": name, "seed": seed}))
    return run


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """All cells, and one of a third seed that was killed."""
    for size in SIZES:
        for seed in SEEDS:
            run_folder(tmp_path / "sweep", size, seed)
    run_folder(tmp_path / "sweep", 32, 2, finished=False)
    return tmp_path / "sweep"


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "scripts/analyze.py", *arguments]
    env = os.environ | {"COLUMNS": "160"}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, env=env)


@pytest.mark.slow  # starts the command as a process
def test_the_command_writes_result_page_figure_and_summary(sweep: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"
    done = analyze("study=scaling", f"runs={sweep}/*", f"paths.output={out}", "study.n_boot=60")
    assert done.returncode == 0, done.stderr
    assert {p.name for p in out.iterdir()} >= {"scaling.json", "scaling.md", "scaling.png", "summary.json"}
    summary = json.loads((out / "summary.json").read_bytes())
    assert summary["runs"] == 6
    assert summary["unfinished"] == [str(sweep / "seed=2,trainset.size=32")]
    found = summary["experiments"]["small"]
    assert found["seeds"] == [0, 1]
    assert found["left_out"] == ["seed=2,trainset.size=32: not finished"]
    for size in SIZES:
        right = [
            json.loads(line)["acc"]
            for seed in SEEDS
            for line in (sweep / f"seed={seed},trainset.size={size}/verl/generations/40.jsonl").read_text().splitlines()
        ]
        assert found["sizes"][str(size)]["avg"] == pytest.approx(np.mean(right))
    assert "Left out: seed=2,trainset.size=32: not finished" in done.stdout
    assert f"files in {out}" in done.stdout.replace("\n", "")


@pytest.mark.slow  # starts the command as a process
def test_a_dry_run_reads_and_writes_nothing(sweep: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"
    done = analyze("study=scaling", f"runs={sweep}/*", f"paths.output={out}", "dry_run=true")
    assert done.returncode == 0, done.stderr
    assert not (out / "summary.json").exists()
    assert "not finished" in done.stdout
    assert "seed=0,trainset.size=352" in done.stdout


def test_runs_are_found_once_and_folders_that_are_no_runs_are_passed_over(sweep: Path) -> None:
    folder = sweep / "seed=0,trainset.size=32"
    found = find([f"{sweep}/*", str(folder)])
    assert len(found.finished) == 6
    assert found.unfinished == (sweep / "seed=2,trainset.size=32",)
    with pytest.raises(ScigenError, match="no folder matches"):
        find([f"{sweep}/nothing*"])


def test_runs_that_differ_in_more_than_size_and_seed_are_not_put_together(sweep: Path, tmp_path: Path) -> None:
    other = sweep / "seed=1,trainset.size=96" / ".hydra" / "overrides.yaml"
    other.write_text(yaml.safe_dump([*yaml.safe_load(other.read_text()), "++verl.trainer.total_training_steps=4"]))
    with pytest.raises(ScigenError, match=r"differ in more than size and seed.*total_training_steps=4"):
        Scaling("held_out", 20, 0).run(find([f"{sweep}/*"]), tmp_path)


def test_a_wrong_benchmark_and_no_finished_run_are_told(sweep: Path, tmp_path: Path) -> None:
    runs = find([f"{sweep}/*"])
    with pytest.raises(ScigenError, match="no benchmark geometry3k in its validations \\(held_out\\)"):
        Scaling("geometry3k", 20, 0).run(runs, tmp_path)
    with pytest.raises(ScigenError, match="none of 1 is finished"):
        Scaling("held_out", 20, 0).run(Runs((), runs.unfinished), tmp_path)
