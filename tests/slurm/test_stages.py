"""The stages as jobs of a real Slurm: an array of shards and its merge, and a pipeline that stops where it fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_slurm import MISSING, ROOT, WHY, Slurm, local_slurm, wait_until

from scigen.records import GeneratedImage, Problem
from scigen.store import read_set, set_hash

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=WHY)]

SMALL = ["problems.textbook=10", "problems.glance=5", "problems.held_out=4"]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    with local_slurm(tmp_path_factory.mktemp("slurm")) as slurm:
        yield slurm


def submit(slurm: Slurm, *arguments: str | Path) -> str:
    """Job id."""
    return slurm.run("sbatch", "--parsable", *arguments).strip()


def test_an_array_of_eight_shards_merges_into_the_unsharded_set(slurm: Slurm, tmp_path: Path) -> None:
    shards, whole = tmp_path / "shards", tmp_path / "whole"
    log = f"--output={tmp_path}/%x-%j.log"
    command = ["slurm/array.sbatch", "generate", "gallery=0", *SMALL]
    array = submit(slurm, log, "--array=0-7", *command, f"paths.output={shards}")
    alone = submit(slurm, log, *command, f"paths.output={whole}")
    slurm.run("sbatch", "--wait", log, f"--dependency=afterok:{array}", *command, f"paths.output={shards}")
    slurm.run("sbatch", "--wait", f"--dependency=afterok:{alone}", f"--output={tmp_path}/wait", "--wrap=true")
    made = sorted((shards / "sets/procedural.shards").glob("*-of-0008"))
    assert len(made) == 8
    parts = [read_set(part, GeneratedImage) for part in made]
    merged, unsharded = (read_set(d / "sets/procedural", GeneratedImage) for d in (shards, whole))
    assert sum(map(len, parts)) == len(merged) == len(unsharded) == 19
    assert {r.key for part in parts for r in part} == {r.key for r in merged} == {r.key for r in unsharded}
    images = [{r.key: (r.status, r.image, r.code) for r in found} for found in (merged, unsharded)]
    assert images[0] == images[1]
    assert set_hash(read_set(shards / "sets/problems", Problem)) == set_hash(read_set(whole / "sets/problems", Problem))


def test_a_stage_near_its_time_limit_goes_back_into_the_queue_and_on(slurm: Slurm, tmp_path: Path) -> None:
    output, log = tmp_path / "output", tmp_path / "log"
    many = ["problems.textbook=40", "problems.glance=1", "problems.held_out=1", f"paths.output={output}"]
    job = submit(slurm, f"--output={log}", "slurm/array.sbatch", "generate", "gallery=0", *many)
    records = output / "sets/procedural/records.jsonl"
    wait_until(lambda: records.exists() and records.read_bytes().count(b"\n") > 5, "the first images")
    slurm.run("scancel", "--signal=USR1", "--batch", job)  # as Slurm does for --signal=B:USR1@120
    wait_until(lambda: slurm.field(job, "Restarts") == "1", "the job's return to the queue")
    before = records.read_bytes()
    wait_until(lambda: not slurm.is_queued(job), "the job's end")
    text = log.read_text()
    assert (slurm.field(job, "JobState"), slurm.field(job, "Restarts")) == ("COMPLETED", "1"), text
    assert "a checkpoint is asked for" in text
    assert "back into the queue" in text
    assert "(start 2 on" in text
    assert before.count(b"\n") < 42, "it was stopped in the middle"
    assert records.read_bytes().startswith(before[: before.rindex(b"\n") + 1]), "what was done stays"
    assert len(read_set(output / "sets/procedural", GeneratedImage)) == 42


def test_an_array_that_is_not_all_shards_is_refused(slurm: Slurm, tmp_path: Path) -> None:
    log = f"--output={tmp_path}/log"
    slurm.run("sbatch", "--wait", log, "--array=3", "slurm/array.sbatch", "generate", code=2)
    assert "SHARDS must say how many there are" in (tmp_path / "log").read_text()


def test_a_pipeline_stops_at_the_stage_that_fails_and_says_which(slurm: Slurm, tmp_path: Path) -> None:
    plan = tmp_path / "small.sh"
    output = f"paths.output={tmp_path}/output"
    plan.write_text(
        "SHARDS=2\n"
        f"CURATE=({' '.join(SMALL)} {output})\n"
        f"GENERATE=(problems=curated gallery=0 {output})\n"
        f"EVALUATE=('evaluators=[glasbox]' {output})\n"
        f"TRAIN=(tiny {output})\nTRAIN_SBATCH=(--gpus-per-node=1)\n"
        f"ANALYZE=(study=scaling {output})\n"
    )
    said = slurm.run("slurm/pipeline.sh", "--wait", plan, code=1, SCIGEN_PIPELINES=str(tmp_path / "pipelines"))
    (folder,) = (tmp_path / "pipelines").iterdir()
    assert said.count("job ") == 7, "curate, shards and merge of generate and evaluate, train, analyze"
    lines = {line.split()[0]: line for line in (folder / "report.txt").read_text().splitlines() if line[:1].isdigit()}
    assert [line.split()[1] for line in lines.values()] == ["ok", "ok", "ok", "failed", "not", "not", "not"]
    assert "The pipeline stopped at stage 04-evaluate 0 of 2 tasks ok, one failed with status 2; log: " in said
    log = Path(said.partition("log: ")[2].split()[0])
    assert log.is_relative_to(folder)
    assert 'no evaluator "glasbox": did you mean glassbox' in log.read_text()
    assert not slurm.run("squeue", "-h"), "nothing is left in the queue"
    assert len(read_set(tmp_path / "output/sets/procedural", GeneratedImage)) == 19
    assert json.loads((tmp_path / "output/summary.json").read_bytes())["images"] == 19
    assert not list(ROOT.glob("slurm-*.out"))
