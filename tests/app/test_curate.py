"""scripts/curate.py: light help, slips named, today's plain reading, a forecast that does nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scigen.problems.malformed import Malformed
from scigen.records import Problem
from scigen.store import read_set

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "tests" / "problems" / "curation"
HEAVY = {"torch", "ray", "datasets", "matplotlib", "inspect_ai", "openai", "numpy", "scipy", "py3langid", "pandas"}
BLOCKS = ["--config-dir", str(SOURCES / "conf"), "problems=blocks", "problems.count=40"]
PROCEDURAL = ["problems.textbook=0", "problems.glance=6", "problems.held_out=2", "+problems.names=[cuboid]"]


def curate(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCES), "COLUMNS": "80"}
    return subprocess.run(
        [sys.executable, "scripts/curate.py", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_help_names_every_stage_and_loads_nothing_heavy() -> None:
    script = (
        "import runpy, sys\n"
        "sys.argv = ['scripts/curate.py', '--help']\n"
        "try:\n    runpy.run_path('scripts/curate.py', run_name='__main__')\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', sorted({HEAVY!r} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120)
    stages = ("limits", "duplicates", "contamination", "visualisable", "classify", "elements", "quizzes", "rewrite")
    for word in (*stages, "audit=true", "retry_failed", "budget.usd", "runtime=ray", "dry_run"):
        assert word in done.stdout
    assert "HEAVY []" in done.stdout


def test_without_a_model_problems_are_read_validated_and_written(tmp_path: Path) -> None:
    done = curate(*PROCEDURAL, f"paths.output={tmp_path}")
    assert done.returncode == 0, done.stderr
    problems = read_set(tmp_path / "sets" / "problems", Problem)
    assert len(problems) == 8
    assert read_set(tmp_path / "sets" / "problems-malformed", Malformed) == []
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["problems"] == sum(summary["by_image_type"].values()) == 8
    assert summary["quizzes"] == sum(len(p.quizzes) for p in problems)
    assert "funnel" not in summary
    assert not (tmp_path / "sets" / "curation").exists()


@pytest.mark.slow
def test_stages_that_need_no_model_run_when_they_are_named(tmp_path: Path) -> None:
    done = curate(*BLOCKS, "stages=[limits,duplicates]", f"paths.output={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert "too_short 2" in done.stdout
    summary = json.loads((tmp_path / "summary.json").read_text())
    rows = {row["stage"]: row for row in summary["funnel"]}
    assert rows["limits"] | {"wall_s": 0} == {
        "stage": "limits", "in": 40, "kept": 36, "dropped": {"too_short": 2, "language": 2}, "failed": {}, "waiting": 0,
        "remarks": {}, "calls": 0, "input_tokens": 0, "output_tokens": 0, "usd": 0, "model_s": 0, "wall_s": 0,
    }  # fmt: skip
    assert rows["duplicates"]["dropped"] == {"exact_duplicate": 2}
    assert summary["problems"] == len(read_set(tmp_path / "sets" / "problems", Problem)) == 34
    figure = (tmp_path / "figures" / "funnel.png").read_bytes()
    assert figure.startswith(b"\x89PNG")


def test_a_dry_run_prints_calls_tokens_cost_and_time_and_writes_nothing(tmp_path: Path) -> None:
    done = curate(
        *BLOCKS, "stages=[limits,visualisable,quizzes]", "model=default", "model.name=google/some-model",
        "model.price={input: 1.0, output: 2.0}", "model.seconds_per_call=8", "model.connections=4",
        f"paths.output={tmp_path}", "dry_run=true",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [[cell.strip() for cell in line.split("│")] for line in done.stdout.splitlines()]
    rows = {cells[1]: cells for cells in lines if len(cells) > 3}
    assert rows["limits"][2:4] == ["40", "0"]
    assert rows["visualisable"][2:4] == ["40", "40"]
    assert rows["visualisable"][8] == "0:01:20"  # 40 calls of 8 s, 4 at once
    assert rows["all"][3] == "80"
    most = float(rows["visualisable"][7])
    assert most >= 40 * 300 * 2e-6  # what the answers alone may come to
    assert {path.name for path in tmp_path.iterdir()} <= {".hydra"}  # Hydra's own copy of the configuration


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["stages=[limit]"], ['no stage "limit"', "did you mean limits"]),
        pytest.param(["stages=[visualisable]"], ["visualisable asks a model", "model=NAME"], marks=pytest.mark.slow),
        pytest.param(["stages=[limits]", "stage.limits.min_char=3"], ["min_char"], marks=pytest.mark.slow),
        pytest.param(
            ["stages=[limits]", "stage.limits.languages=[english]"], ['no language "english"'], marks=pytest.mark.slow
        ),
        (["retry_faild=true"], ["retry_faild", "retry_failed"]),
        (["runtime=rai"], ["rai", "ray"]),
        pytest.param(
            ["stages=[duplicates]", "stage.duplicates.threshold=1.5"], ["threshold 1.5"], marks=pytest.mark.slow
        ),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else None,
)
def test_a_slip_is_an_error_without_a_traceback(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    done = curate(*BLOCKS, *arguments, f"paths.output={tmp_path}")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


@pytest.mark.slow
def test_benchmarks_may_be_local_copies(tmp_path: Path) -> None:
    where = "stage.contamination.benchmarks"
    items = [{"problem": "A block with a mass of 103 kg slides from rest down a smooth plane of height 4 m. How fast?"}]
    items = [{**item, "question": item["problem"], "answer": "8.86 m/s", "id": "g1"} for item in items]
    (tmp_path / "copy.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    paths = [f"{where}.{name}.path={tmp_path / 'copy.jsonl'}" for name in ("geometry3k", "mathvision")]
    done = curate(*BLOCKS, "stages=[contamination]", *paths, f"paths.output={tmp_path / 'out'}")
    assert done.returncode == 0, done.stderr
    row = json.loads((tmp_path / "out" / "summary.json").read_text())["funnel"][0]
    assert sum(row["dropped"].values()) >= 1
    assert (tmp_path / "out" / "sets" / "contamination" / "manifest.json").exists()
    missing = curate(
        *BLOCKS,
        "stages=[contamination]",
        paths[0],
        f"{where}.mathvision.path={tmp_path / 'no.jsonl'}",
        f"paths.output={tmp_path / 'no'}",
    )
    assert missing.returncode == 2
    assert f"{where}.mathvision.path=" in missing.stderr
