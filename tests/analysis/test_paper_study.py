"""Studies of training runs: published beside ours, controls read in words, nothing invented where nothing was run."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf
from pydantic import ValidationError
from training_runs import answers, start, write_run

from scigen.analysis.paper_study.intervals import Rate, accuracy, difference
from scigen.analysis.paper_study.paper import findings, image_table, paper_rows, training_table
from scigen.analysis.paper_study.published import PublishedRow, published_table
from scigen.analysis.paper_study.results import Row
from scigen.analysis.paper_study.rows import row_of
from scigen.analysis.paper_study.runs import StudyRun, read_study_run
from scigen.analysis.paper_study.words import reading, worth
from scigen.app.analyze import find
from scigen.app.analyze import run as analyze
from scigen.errors import ScigenError
from scigen.statistics import estimate

CONF = Path(__file__).parents[2] / "conf"
WANTED = {"baseline", "nanobanana_filt", "control_blank", "control_format"}
UNTRAINED = "Qwen/Qwen3-VL-8B-Instruct"
BENCHMARKS = ["geometry3k", "mathvision_mini"]


def test_the_published_numbers_are_the_papers_and_the_average_is_their_mean() -> None:
    table = published_table()
    assert {n: (r.geometry3k, r.mathvision_mini, r.average) for n, r in table.rows.items()} == {
        "baseline": (61.9, 39.0, 50.45),
        "qwen_image": (68.2, 45.9, 57.1),
        "qwen_image_filt": (68.6, 47.0, 57.8),
        "nanobanana": (70.7, 46.1, 58.4),
        "nanobanana_filt": (68.7, 47.7, 58.2),
        "qwen_imgcoder": (None, None, None),
        "gemini_imgcoder": (69.1, 46.9, 58.0),
    }
    assert table.rows["baseline"].printed_average == 54.5
    with pytest.raises(ValidationError, match=r"average 54\.5, but the mean is 50\.45"):
        PublishedRow(title="as printed", geometry3k=61.9, mathvision_mini=39.0, average=54.5)


def test_benchmarks_count_alike_whatever_their_sizes() -> None:
    large, small = {f"a{i}": 1.0 for i in range(9)} | {"a9": 0.0}, {"b0": 0.0, "b1": 0.5}
    found = accuracy([{0: large}, {0: small}])
    assert found is not None
    assert found.value == pytest.approx((0.9 + 0.25) / 2)
    assert (found.problems, found.seeds) == (12, 1)


def test_an_interval_of_two_benchmarks_is_as_wide_as_their_variances_say() -> None:
    """Half of the sum of two independent means: standard error sqrt(s1^2 / n1 + s2^2 / n2) / 2."""
    rng = np.random.default_rng(0)
    a, b = ({str(i): float(v) for i, v in enumerate(rng.random(n))} for n in (600, 300))
    found = accuracy([{0: a}, {0: b}])
    assert found is not None
    error = np.sqrt(np.var(list(a.values())) / 600 + np.var(list(b.values())) / 300) / 2
    assert found.ci95[1] - found.ci95[0] == pytest.approx(2 * 1.96 * error, rel=0.08)


def test_one_benchmark_and_one_seed_give_the_projects_own_interval() -> None:
    marks = {f"p{i}": (i % 5) / 4 for i in range(200)}
    found, own = accuracy([{0: marks}]), estimate({p: [v] for p, v in marks.items()})
    assert found is not None
    assert found.value == pytest.approx(own.value)
    assert found.ci95 == pytest.approx((own.low, own.high), abs=0.006)


def test_seeds_that_differ_widen_the_interval() -> None:
    problems = [f"p{i}" for i in range(200)]
    alike = accuracy([{s: {p: (i % 2) * 1.0 for i, p in enumerate(problems)} for s in (0, 1, 2)}])
    apart = accuracy([{s: {p: (i % 2) * 0.6 + 0.2 * s for i, p in enumerate(problems)} for s in (0, 1, 2)}])
    assert alike is not None
    assert apart is not None
    assert apart.seeds == 3
    assert apart.ci95[1] - apart.ci95[0] > 2 * (alike.ci95[1] - alike.ci95[0])


def test_none_right_of_300_is_not_certain() -> None:
    """Wilson's upper end for 0 of 300 is z^2 / (n + z^2)."""
    found = accuracy([{0: {f"p{i}": 0.0 for i in range(300)}}])
    assert found is not None
    assert found.ci95 == pytest.approx((0.0, 1.96**2 / (300 + 1.96**2)), abs=1e-4)


def test_differences_are_paired_by_problem_and_by_seed() -> None:
    a = {0: {"p": 0.75, "q": 0.25}, 1: {"p": 1.0, "q": 0.5}}
    b = {0: {"p": 0.5, "q": 0.0, "r": 1.0}, 1: {"p": 0.75, "q": 0.25}}
    found = difference([(a, b)])
    assert found is not None
    assert (found.value, found.ci95, found.problems, found.seeds) == (0.25, (0.25, 0.25), 2, 2)
    apart = difference([(a, {7: {"p": 0.5, "q": 0.0}})])  # no seed in common: means over seeds, 0.875 and 0.375
    assert apart is not None
    assert (apart.value, apart.seeds) == (0.375, 1)
    assert difference([(a, {0: {"z": 1.0}})]) is None


def both(geometry: float, vision: float, seed: int) -> dict[str, dict[str, list[int]]]:
    return {
        "geometry3k": answers(120, geometry, seed, "g"),
        "mathvision_mini": answers(60, vision, seed + 1000, "m"),
    }


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated runs: a baseline, three seeds of nanobanana_filt, two controls, one run that was only begun."""
    out = tmp_path_factory.mktemp("outputs")
    baseline = out / "baseline-seed0-evaluation"  # train.py keeps it below baseline-seed0/evaluations
    write_run(baseline, "baseline", 0, {0: both(0.62, 0.39, 1)}, {0: 0.25}, "verl/generations", evaluated=UNTRAINED)
    for s in range(3):
        steps = {0: both(0.62, 0.39, 10 + s), 200: both(0.80, 0.60, 20 + s)}
        rewards = {n: 0.5 + n / 1000 for n in range(1, 201)}
        write_run(out / f"nanobanana_filt-seed{s}", "nanobanana_filt", s, steps, {0: 0.5, 200: 0.0}, rewards=rewards)
    for name, gain in (("control_blank", 0.0), ("control_format", 0.2)):
        steps = {0: both(0.62, 0.39, 30), 200: both(0.62 + gain, 0.39 + gain, 31)}
        write_run(out / f"{name}-seed0", name, 0, steps)
    start(out / "gemini_imgcoder-seed0", "gemini_imgcoder", 0)
    return out


@pytest.fixture(scope="module")
def runs(folders: Path) -> list[StudyRun]:
    found = [read_study_run(f, WANTED, UNTRAINED) for f in sorted(folders.iterdir()) if (f / "summary.json").exists()]
    return [run for run in found if run is not None]


def test_rows_are_worked_out_from_the_dumps(folders: Path, runs: list[StudyRun]) -> None:
    rows = {row.name: row for row in paper_rows(runs, frozenset({"gemini_imgcoder"}))}
    row = rows["nanobanana_filt"]
    assert (row.state, row.seeds, row.steps) == ("run", (0, 1, 2), (200, 200, 200))
    dumps = [folders / f"nanobanana_filt-seed{s}/verl/validation/200.jsonl" for s in range(3)]
    marks = [json.loads(line) for dump in dumps for line in dump.read_text().splitlines()]
    for name in BENCHMARKS:
        mine = [m["acc"] for m in marks if m["data_source"] == name]
        assert row.scores[name].accuracy.value == pytest.approx(sum(mine) / len(mine))
        assert (row.scores[name].truncated_before, row.scores[name].truncated) == (0.5, 0.0)
    assert row.average is not None
    assert row.average.value == pytest.approx(sum(row.scores[b].accuracy.value for b in BENCHMARKS) / 2)
    baseline = rows["baseline"]
    assert row.gain_over == "the baseline's runs"
    assert row.average_gain is not None
    assert baseline.average is not None
    assert row.average_gain.value == pytest.approx(row.average.value - baseline.average.value)
    assert row.average_gain.clear
    assert baseline.average_gain is None
    assert rows["gemini_imgcoder"].state == "begun, not finished"
    assert {n for n, r in rows.items() if r.state == "not run"} == {
        "qwen_image", "qwen_image_filt", "nanobanana", "qwen_imgcoder",
    }  # fmt: skip


def test_without_a_baseline_the_gain_is_over_the_runs_own_start(runs: list[StudyRun]) -> None:
    own = row_of("nanobanana_filt", "x", runs, BENCHMARKS)
    assert own.gain_over == "its own first validation"
    score = own.scores["geometry3k"]
    assert score.before is not None
    assert score.gain is not None
    assert score.gain.value == pytest.approx(score.accuracy.value - score.before.value)


def test_where_nothing_was_run_every_cell_of_ours_says_so() -> None:
    table = training_table(paper_rows([]))
    ours = [n for n, head in enumerate(table.head) if "ours" in head or head in ("seeds", "steps")]
    for line in table.rows:
        assert {line[n] for n in ours} <= {"not run", "–"}
    assert not any(table.done)
    published = {line[0]: (line[2], line[4], line[6]) for line in table.rows}
    assert published["Nanobanana-Pro (Filt)"] == ("68.7", "47.7", "58.2")
    assert published["Qwen-ImgCoder"] == ("not among our numbers",) * 3
    assert "50.45" in published["Qwen3-VL-8B-Instruct, untrained"][2]


def test_runs_that_cannot_be_told_apart_and_runs_without_scores_are_errors(
    runs: list[StudyRun], tmp_path: Path
) -> None:
    twice = [r for r in runs if r.experiment == "baseline"] * 2
    with pytest.raises(ScigenError, match=r"baseline: two runs have one seed .*baseline-seed0"):
        row_of("baseline", "x", twice, BENCHMARKS)
    (tmp_path / "summary.json").write_text(json.dumps({"experiment": "tiny", "seed": 0}))
    with pytest.raises(ScigenError, match=r"finished, but it has no validation dump"):
        read_study_run(tmp_path, {"tiny"})


def test_evaluations_of_checkpoints_and_other_summaries_are_no_runs(tmp_path: Path) -> None:
    trained = {"experiment": "baseline", "seed": 0, "mode": "evaluate", "checkpoint": "outputs/nanobanana-seed0"}
    for body in (trained, {"study": "scaling"}, {"experiment": "tiny", "seed": 0}):
        (tmp_path / "summary.json").write_text(json.dumps(body))
        assert read_study_run(tmp_path, WANTED, UNTRAINED) is None


def test_a_dry_run_has_begun_nothing(tmp_path: Path) -> None:
    begun, planned = (start(tmp_path / name, "nanobanana", 0) for name in ("begun", "planned"))
    (planned / ".hydra" / "config.yaml").write_text("name: nanobanana\ndry_run: true\n")
    assert find([f"{tmp_path}/*"]).unfinished == (begun,)
    assert find([f"{tmp_path}/none*"], required=False).unfinished == ()


def rate(value: float, half: float) -> Rate:
    return Rate(value=value, ci95=(value - half, value + half), problems=900, seeds=1)


def row(name: str, gain: Rate | None) -> Row:
    return Row(name=name, title=name, state="run", average_gain=gain)


@pytest.mark.parametrize(
    ("gain", "own", "gap", "starts"),
    [
        (rate(0.08, 0.02), rate(0.00, 0.02), rate(0.08, 0.02), "The gain is not explained by white pages"),
        (rate(0.08, 0.02), rate(0.04, 0.02), rate(0.04, 0.02), "A part of the gain, about 50 %, is explained by white"),
        (rate(0.08, 0.02), rate(0.08, 0.02), rate(0.00, 0.02), "The gain may be wholly explained by white pages"),
        (rate(0.08, 0.02), rate(0.05, 0.06), rate(0.03, 0.06), "It cannot be told whether"),
        (rate(0.01, 0.02), rate(0.00, 0.02), rate(0.01, 0.02), "main has no clear gain"),
        (rate(0.04, 0.02), rate(0.08, 0.02), rate(-0.04, 0.02), "white pages does better than main"),
        (None, rate(0.08, 0.02), rate(0.05, 0.02), "main is clearly better than white pages"),
    ],
)  # fmt: skip
def test_a_reading_follows_from_the_intervals(gain: Rate | None, own: Rate, gap: Rate, starts: str) -> None:
    assert reading(row("main", gain), row("c", own), gap, "white pages").startswith(starts)


def test_nothing_is_read_from_what_was_not_run() -> None:
    absent = Row(name="c", title="c")
    assert reading(row("main", None), absent, None, "white pages") == "Not run: nothing can be said of white pages."
    assert worth(row("main", None), absent, None, "a filter") == "Not run: nothing can be said of a filter."
    assert reading(absent, row("c", None), None, "x") == "c was not run: there is nothing to compare with."
    assert worth(row("main", None), row("c", None), rate(0.01, 0.02), "a filter").startswith("No clear difference")


def study(name: str, output: Path, runs: str) -> dict[str, Any]:
    """`python scripts/analyze.py study=name`, in this process; returns summary.json."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("analyze", [f"study={name}", f"paths.output={output}", f"runs=[{runs}]"])
    analyze(OmegaConf.to_container(cfg, resolve=True))  # type: ignore[arg-type]
    return dict(json.loads((output / "summary.json").read_text()))


def test_other_numbers_of_problems_and_other_settings_are_said(runs: list[StudyRun]) -> None:
    changed = [replace(r, changed=("verl.trainer.total_training_steps=20",)) for r in runs if r.seed == 0]
    said = findings(paper_rows(changed))
    assert any("tested on 120 problems, not the paper's 601" in s for s in said)
    assert any("run with verl.trainer.total_training_steps=20, so it is not the paper's setting" in s for s in said)
    assert said[0].startswith("2 of the 7 rows")


def test_images_that_were_evaluated_stand_beside_the_published_ones() -> None:
    """`measured` as scripts/evaluate.py writes it: value, interval, problems; rates as shares."""
    measured = {"nanobanana_pro": {"r_inv": [0.7, 0.61, 0.78, 120]}, "procedural": {"fid": [12.34, None, None, None]}}
    table = image_table(measured)
    lines = {line[0]: line[1:] for line in table.rows}
    assert lines["Nanobanana-Pro"] == ("70.0 (61.0 to 78.0), n=120", "73.4", "not run", "1.59", "not run", "87.7")
    assert lines["procedural"] == ("not run", "–", "not run", "–", "12.3", "–")
    assert lines["Qwen-Image"][0] == "not run"
    assert sum(table.done) == 2


@pytest.mark.slow
def test_the_paper_study_of_nothing_says_not_run_in_every_row(tmp_path: Path) -> None:
    summary = study("paper", tmp_path / "study", f"'{tmp_path}/none*'")
    assert {r["state"] for r in summary["rows"].values()} == {"not run"}
    assert len(summary["rows"]) == 7
    page = (tmp_path / "study/paper.html").read_text()
    for title in [r.title for r in published_table().rows.values()]:
        line = re.search(rf"<tr[^>]*><th scope=\"row\">{re.escape(title)}</th>.*?</tr>", page)
        assert line is not None
        assert "not run" in line.group()
    assert "nothing of the training was run" in page


@pytest.mark.slow
def test_the_studies_of_simulated_runs_are_whole_pages(folders: Path, tmp_path: Path) -> None:
    summary = study("paper", tmp_path / "paper", f"'{folders}/*'")
    assert summary["rows"]["nanobanana_filt"]["state"] == "run"
    assert summary["rows"]["qwen_image"]["state"] == "not run"
    read = study("controls", tmp_path / "controls", f"'{folders}/*'")["compared"]
    assert read["control_blank"]["reading"].startswith("The gain is not explained by training on white pages")
    assert read["control_format"]["reading"].startswith("The gain may be wholly explained by a reward for format")
    assert read["control_random"]["reading"] == "Not run: nothing can be said of a random reward."
    for name in ("paper", "controls"):
        page = (tmp_path / name / f"{name}.html").read_text()
        assert re.findall(r'(?:src|srcset)="(?!data:)', page) == []  # one file, no network
        assert "<script" not in page
        markdown = (tmp_path / name / f"{name}.md").read_text()
        for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", markdown):
            assert (tmp_path / name / picture).stat().st_size > 5000
