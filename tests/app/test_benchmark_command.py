"""`python scripts/curate.py benchmark=NAME`, and what a training on benchmarks leaves in its summary."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf
from PIL import Image

from scigen.app import curate
from scigen.app.benchmark_scores import before_and_after, training_figures
from scigen.errors import ScigenError
from scigen.problems.malformed import Malformed
from scigen.store import read_set

CONF = Path(__file__).parents[2] / "conf"
datasets.disable_progress_bars()


def config(*overrides: str) -> dict[str, Any]:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = OmegaConf.to_container(compose("curate", list(overrides)), resolve=True)
    assert isinstance(cfg, dict)
    return {str(k): v for k, v in cfg.items()}


def picture() -> dict[str, Any]:
    out = io.BytesIO()
    Image.new("RGB", (300, 280), "white").save(out, format="PNG")
    return {"bytes": out.getvalue(), "path": None}


def copies(folder: Path) -> list[str]:
    """Local copies of both data sets, of two and three rows, and where the command is to look for them."""
    vision = [
        {"id": "4", "question": "How many?\n<image1>", "options": [], "decoded_image": picture(), "answer": "6"},
        {"id": "5", "question": "Which?\n<image1>", "options": ["left", "right"], "decoded_image": None, "answer": "A"},
    ]
    rest = {"image": "images/4.jpg", "solution": None, "level": 1, "subject": "counting"}
    geometry = [{"images": [picture()], "problem": f"<image>Find x_{n}.", "answer": str(n)} for n in range(3)]
    for name, rows in (("testmini", [row | rest for row in vision]), ("test", geometry)):
        (folder / name).mkdir()
        datasets.Dataset.from_list(rows).to_parquet(folder / name / f"{name}-00000-of-00001.parquet")
    return [f"benchmark.mathvision.path={folder / 'testmini'}", f"benchmark.geometry3k.path={folder / 'test'}"]


def test_the_command_builds_both_files_and_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    made = config("benchmark=mathvision_geometry3k", f"paths.output={tmp_path}", *copies(tmp_path))
    curate.run(made)
    printed = capsys.readouterr().out
    assert "mathvision_mini: 1 of the 304 published problems" in printed
    assert "geometry3k: 3 of the 601 published problems" in printed
    assert (
        "error mathvision_mini:testmini-00000-of-00001.parquet:2: pictures: 'images/4.jpg' is neither a file" in printed
    )
    files = made["benchmark"]["files"]
    assert [pq.read_metadata(files[n]).num_rows for n in ("mathvision_mini", "geometry3k")] == [1, 3]
    (left_out,) = read_set(tmp_path / "sets" / "benchmarks" / "mathvision_mini-malformed", Malformed)
    assert left_out.severity == "error"
    summary = json.loads((tmp_path / "summary.json").read_text())["benchmarks"]["geometry3k"]
    assert (summary["written"], summary["expected"], summary["complete"]) == (3, 601, False)


def test_a_dry_run_reads_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    curate.run(config("benchmark=mathvision_full", f"paths.output={tmp_path / 'out'}", "dry_run=true"))
    assert "mathvision: 3040 problems of MathLLMs/MathVision on the hub" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_a_benchmark_of_the_train_set_cannot_be_built_alone(tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match="benchmark=held_out: has nothing to be built from"):
        curate.run(config("benchmark=held_out", f"paths.output={tmp_path}"))


def test_a_training_is_summed_up_before_and_after_and_paired(tmp_path: Path) -> None:
    for step, right in ((0, 1), (20, 3), (40, 4)):
        rows = [
            {"data_source": "mini", "problem_id": p, "step": step, "acc": float(n < right), "output": "", "gts": "1"}
            for p in ("a", "b")
            for n in range(4)
        ]
        (tmp_path / f"{step}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    figures = json.loads(json.dumps(training_figures(before_and_after(tmp_path, []))))
    assert figures["before"]["mini"] == {
        "avg_at_4": 0.25, "ci95": figures["before"]["mini"]["ci95"], "n": 2, "truncated": None, "no_answer": None,
        "step": 0,
    }  # fmt: skip
    assert (figures["after"]["mini"]["avg_at_4"], figures["after"]["mini"]["step"]) == (1.0, 40)
    assert figures["scores"]["before"]["mini"]["pass_at"]["4"]["value"] == 1.0
    assert figures["differences"]["after minus before"]["mini"]["avg"]["value"] == 0.75
