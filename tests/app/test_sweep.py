"""What a sweep tells at its end: every cell counted, whatever became of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from scigen.app import sweep

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sweep over four cells has begun, two axes from its file and its command line."""
    monkeypatch.setattr(sweep, "_marks", None)
    monkeypatch.setenv(sweep.MARKS, "")
    config = {
        "sweep": {"dir": str(tmp_path)},
        "sweeper": {"params": {"trainset.size": "64,256"}},
        "overrides": {"task": ["+experiment=tiny", "seed=0,1"]},
    }
    sweep.Marks().on_multirun_start(OmegaConf.create({"hydra": config}))
    return tmp_path


def run(overrides: list[str], output: Path, error: Exception | None = None) -> None:
    with sweep.marked(overrides, output, lambda e: str(e) if isinstance(e, ValueError) else None):
        if error is not None:
            raise error
        output.mkdir()
        (output / "summary.json").write_text(json.dumps({"after": {"avg_at_4": 0.25, "n": 8}, "seed": 0}))


def cell(size: int, seed: int) -> list[str]:
    return [f"trainset.size={size}", "+experiment=tiny", f"seed={seed}"]


def test_cells_that_failed_or_never_ran_stay_in_the_table(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    run(cell(64, 0), folder / "a")
    with pytest.raises(ValueError, match="too few rows"):
        run(cell(256, 0), folder / "b", ValueError("too few rows"))
    with pytest.raises(ZeroDivisionError):
        run(cell(64, 1), folder / "c", ZeroDivisionError("a bug"))
    with pytest.raises(SystemExit) as ended:
        sweep.close()
    assert ended.value.code == 1
    record = json.loads((folder / "sweep.json").read_bytes())
    assert [(tuple(c["overrides"]), c["status"], c["error"]) for c in record] == [
        (tuple(cell(64, 0)), "done", ""),
        (tuple(cell(64, 1)), "failed", "ZeroDivisionError: a bug"),
        (tuple(cell(256, 0)), "failed", "too few rows"),
        (tuple(cell(256, 1)), "not run", ""),
    ]
    assert record[0]["summary"] == {"after": {"avg_at_4": 0.25, "n": 8}, "seed": 0}
    said = capsys.readouterr()
    assert "1 of 4 cells done" in said.out
    row = next(line for line in said.out.splitlines() if "│" in line)
    assert [word.strip() for word in row.strip("│").split("│")][:2] == ["trainset.size=64 seed=0", "done"], "no more"
    assert "25.0" in said.out
    assert "3 of 4 cells are not done" in said.out
    assert "ZeroDivisionError: a bug" in said.err, "a bug's traceback is in the cell's log"


def test_a_whole_sweep_ends_well_whatever_another_command_does_in_its_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [cell(size, seed) for size in (64, 256) for seed in (0, 1)]
    for n, each in enumerate(cells):
        run(each, folder / str(n))
    ours = sweep._marks
    config = {"sweep": {"dir": str(folder)}, "sweeper": {"params": None}, "overrides": {"task": ["seed=2,3"]}}
    monkeypatch.setattr(os, "getpid", lambda: 1)  # another process
    sweep.Marks().on_multirun_start(OmegaConf.create({"hydra": config}))
    assert sweep._marks is not None
    assert [c.status for c in sweep.read(sweep._marks)] == ["not run", "not run"]
    monkeypatch.setattr(sweep, "_marks", ours)
    sweep.close()
    assert [c["status"] for c in json.loads((folder / "sweep.json").read_bytes())] == ["done"] * 4


def test_cells_are_those_of_hydras_sweeper() -> None:
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    given = ["a=1,2", "b=choice(x,y)", "c=range(1,3)", "d=[1,2]"]
    (batch,) = BasicSweeper.split_arguments(OverridesParser.create().parse_overrides(given), None)
    config = OmegaConf.create({"hydra": {"sweeper": {"params": {}}, "overrides": {"task": given}}})
    assert sweep.cells_of(config) == batch
    assert len(batch) == 8


@pytest.mark.slow
def test_a_failing_cell_ends_neither_the_others_nor_in_silence(tmp_path: Path) -> None:
    sizes = [
        "problems.textbook=1",
        "problems.glance=1",
        "problems.held_out=1",
        "gallery=0",
        f"hydra.sweep.dir={tmp_path}",
    ]
    done = subprocess.run(
        [sys.executable, "scripts/generate.py", "-m", "generator.defect_rate=2.0,0.0", *sizes],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1, done.stderr
    first, second = json.loads((tmp_path / "sweep.json").read_bytes())
    assert (first["status"], second["status"]) == ("failed", "done")
    assert "defect_rate: Input should be less than or equal to 1" in first["error"]
    assert second["summary"]["images"] == 3
    assert "Traceback" not in done.stderr


def test_a_cells_folder_has_a_name_that_file_systems_take() -> None:
    assert sweep.cell_folder("seed=0,trainset.size=32") == "seed=0,trainset.size=32"
    assert sweep.cell_folder("checkpoint=a/b") == "checkpoint=a_b"
    fixed = ",".join(f"++verl.a_rather_long_key.number_{i}=32" for i in range(12))
    names = {sweep.cell_folder(f"{fixed},seed={seed}") for seed in range(3)}
    assert len(names) == 3
    for name in names:
        assert len(name) <= 200
        assert name.endswith(("seed=0", "seed=1", "seed=2"))
    assert len(sweep.cell_folder("x=" + "y" * 500)) == 12, "not even one override fits"
