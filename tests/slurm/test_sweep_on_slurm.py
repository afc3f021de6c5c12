"""A sweep whose cells are jobs of a real Slurm."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_slurm import MISSING, WHY, Slurm, local_slurm

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=WHY)]

ON_SLURM = ["hydra/launcher=slurm", "hydra.launcher.timeout_min=20"]
SMALL = ["problems.textbook=2", "problems.glance=1", "problems.held_out=1", "gallery=0"]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    with local_slurm(tmp_path_factory.mktemp("slurm")) as slurm:
        yield slurm


def test_four_jobs_give_four_results_and_a_table(slurm: Slurm, tmp_path: Path) -> None:
    axes = ["seed=0,1", "generator.defect_rate=0.0,1.0"]
    said = slurm.run(
        *(sys.executable, "scripts/generate.py", "-m", *ON_SLURM, *axes, *SMALL, f"hydra.sweep.dir={tmp_path}"),
    )
    assert "4 of 4 cells done" in said
    cells = json.loads((tmp_path / "sweep.json").read_bytes())
    assert [(c["status"], c["summary"]["images"], c["summary"]["seed"]) for c in cells] == [
        ("done", 4, 0), ("done", 4, 0), ("done", 4, 1), ("done", 4, 1),
    ]  # fmt: skip
    assert len({c["job"] for c in cells}) == 4
    assert {slurm.field(c["job"], "JobState") for c in cells} == {"COMPLETED"}
    assert len({Path(c["output"]) for c in cells}) == 4


def test_a_cell_that_raised_is_counted_though_slurm_calls_its_job_completed(
    slurm: Slurm, tmp_path: Path, full: bool
) -> None:
    if not full:
        pytest.skip("tests/app/test_sweep.py counts a failing cell without Slurm; --full runs it")
    said = slurm.run(
        *(sys.executable, "scripts/generate.py", "-m", *ON_SLURM, "generator.defect_rate=0.0,2.0", *SMALL),
        f"hydra.sweep.dir={tmp_path}",
        code=1,
    )
    assert "1 of 2 cells done" in said
    good, bad = json.loads((tmp_path / "sweep.json").read_bytes())
    assert (good["status"], bad["status"]) == ("done", "failed")
    assert "defect_rate: Input should be less than or equal to 1" in bad["error"]
    assert slurm.field(bad["job"], "JobState") == "COMPLETED"
    (log,) = (tmp_path / ".submitit").glob(f"{bad['job']}/*_log.out")
    assert "error: defect_rate" in log.read_text()
