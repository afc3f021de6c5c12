"""All that a folder of verdicts comes to is written, and reads back."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from simulated_benchmark import benchmark

from scigen.analysis.benchmark_report import write_benchmark
from scigen.evaluation.evidence import Evidence
from scigen.evaluation.leaderboard import leaderboard


@pytest.mark.slow
def test_files_of_a_benchmark(tmp_path: Path) -> None:
    evidence = benchmark(60)
    written = write_benchmark(evidence, leaderboard(evidence), tmp_path, n_boot=50)
    assert sorted(p.relative_to(tmp_path).as_posix() for p in written) == sorted(
        p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()
    )
    assert sum(p.suffix == ".png" for p in written) == 12
    with (tmp_path / "failure_modes.csv").open() as file:
        modes = list(csv.DictReader(file))
    assert {line["by"] for line in modes} == {"generator", "paradigm", "subject", "image_type"}
    for line in modes:
        assert float(line["low"]) - 1e-9 <= float(line["rate"]) <= float(line["high"]) + 1e-9
        assert float(line["rate"]) == int(line["count"]) / int(line["n"])
        assert len(line["examples"].split()) == min(5, int(line["count"]))
    text = (tmp_path / "failure_modes.md").read_text()
    assert "## pixel_old" in text
    assert "| wrong structure |" in text
    assert "| `garbled_text` | a text is garbled | OCR |" in text
    with (tmp_path / "agreement.csv").open() as file:
        found = list(csv.DictReader(file))
    assert {line["level"] for line in found} == {"image", "system", "paper"}
    assert all(line["value"] or line["reason"] for line in found)
    fid = next(x for x in found if (x["level"], x["b"], x["coefficient"]) == ("paper", "fid", "spearman"))
    assert (fid["a"], round(float(fid["value"]), 2), fid["n"]) == ("r_inv", 0.16, "11")


def test_nothing_at_all_is_written_as_such(tmp_path: Path) -> None:
    nothing = Evidence.of([])
    written = write_benchmark(nothing, leaderboard(nothing), tmp_path, n_boot=10)
    assert not [p for p in written if p.suffix == ".png"], "the paper's values alone are no result of ours"
    with (tmp_path / "failure_modes.csv").open() as file:
        assert list(csv.DictReader(file)) == []
    with (tmp_path / "agreement.csv").open() as file:
        assert {line["level"] for line in csv.DictReader(file)} == {"paper"}
