"""Run ids that last, artifacts that are the same wherever they are built, and logging that cannot end a run."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from offline_runs import read_runs

from scigen.errors import ScigenError
from scigen.records import GeneratedImage, Problem, Status
from scigen.store import SetWriter, image_path, move_aside
from scigen.tracking import (
    Destination,
    JobType,
    Kind,
    SampleRow,
    StageLog,
    flattened,
    policy_artifact,
    record,
    run_environment,
    run_id,
    set_artifact,
    train_set_artifact,
)
from scigen.training.trainer.launch import tracked_run


def png(colour: str) -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "PNG")
    return out.getvalue()


def make_sets(folder: Path) -> tuple[Path, Path]:
    """Two problems; one has a red image, the other failed."""
    with SetWriter(folder / "problems", Problem, "i") as problems:
        for n in range(2):
            problems.append(
                Problem(id=f"p{n}", source="t", question=f"q{n}", answer=str(n), multimodal_question=f"q{n}")
            )
        problems.finish()
    with SetWriter(folder / "images", GeneratedImage, "i") as images:
        sha256 = images.put_image(png("red"))
        images.append(
            GeneratedImage(problem_id="p0", generator="g", status=Status.OK, image=sha256, width=64, height=48)
        )
        images.append(GeneratedImage(problem_id="p1", generator="g", status=Status.BLANK))
        images.finish()
    return folder / "problems", folder / "images"


def test_a_run_has_one_id_and_other_content_another(tmp_path: Path) -> None:
    verl = tmp_path / "verl"
    first = run_environment(verl, JobType.TRAIN)
    assert first == run_environment(verl, JobType.TRAIN)
    assert first == {"WANDB_RUN_ID": run_id(verl, "train"), "WANDB_RESUME": "allow", "WANDB_JOB_TYPE": "train"}
    assert run_id(verl, "evaluate-a/b") != first["WANDB_RUN_ID"]
    move_aside(verl)
    assert run_environment(verl, JobType.TRAIN)["WANDB_RUN_ID"] != first["WANDB_RUN_ID"]


def test_verl_is_started_in_the_run_of_its_folder(tmp_path: Path) -> None:
    assert tracked_run({"trainer": {"val_only": True}}, tmp_path)["WANDB_JOB_TYPE"] == "evaluate"
    given = tracked_run({"trainer": {}}, tmp_path)
    assert given["WANDB_JOB_TYPE"] == "train"
    assert given["WANDB_RUN_ID"] == run_id(tmp_path, "train")


def test_a_broken_mark_is_named(tmp_path: Path) -> None:
    (tmp_path / "tracking").mkdir()
    (tmp_path / "tracking" / "train.json").write_text('{"id": 3')
    with pytest.raises(ScigenError, match=r"train\.json: not the mark of a W&B run"):
        run_id(tmp_path, "train")


def test_an_artifact_has_the_hash_of_its_manifest_and_lists_images_by_theirs(tmp_path: Path) -> None:
    problems, images = make_sets(tmp_path)
    given = set_artifact(Kind.PROBLEMS, "problems", problems)
    made = set_artifact(Kind.IMAGES, "images-g", images, [given], tmp_path / "lists")
    assert given.hash == json.loads((problems / "manifest.json").read_bytes())["set_hash"]
    assert made.made_from == (f"problem-set/problems@{given.hash[:12]}",)
    assert made.metadata["by_status"] == {"blank": 1, "ok": 1}
    listed = [json.loads(line) for line in made.files["images.jsonl"].read_text().splitlines()]
    sha256 = hashlib.sha256(png("red")).hexdigest()
    assert [(x["key"], x["status"], x["sha256"]) for x in listed] == [("p0/g", "ok", sha256), ("p1/g", "blank", None)]
    assert not any(path.suffix == ".png" for path in made.files.values())


def test_unfinished_sets_are_no_artifacts(tmp_path: Path) -> None:
    with SetWriter(tmp_path / "open", Problem, "i"):
        pass
    with pytest.raises(ScigenError, match="unfinished"):
        set_artifact(Kind.PROBLEMS, "problems", tmp_path / "open")
    with pytest.raises(ScigenError, match="no train set"):
        train_set_artifact("trainset", tmp_path)


def test_a_policy_is_its_run_and_step_by_reference(tmp_path: Path) -> None:
    assert policy_artifact("policy", tmp_path) is None
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "inputs").write_text("abc")
    hashes = []
    for step in (20, 40, 20):
        (tmp_path / "checkpoints" / "latest_checkpointed_iteration.txt").write_text(str(step))
        found = policy_artifact("policy", tmp_path)
        assert found is not None
        assert found.files == {}
        assert found.metadata["location"].endswith(f"checkpoints/global_step_{step}")
        hashes.append(found.hash)
    assert hashes[0] == hashes[2] != hashes[1]


def test_figures_are_named_by_their_path_and_intervals_have_two_ends() -> None:
    nested = {"seed": 1, "after": {"avg_at_4": 0.5, "ci95": [0.25, 0.75]}, "none": None, "ok": True, "list": [1, 2, 3]}
    assert flattened(nested) == {
        "seed": 1,
        "after/avg_at_4": 0.5,
        "after/ci95_low": 0.25,
        "after/ci95_high": 0.75,
        "ok": 1,
    }


def stage(folder: Path) -> StageLog:
    return StageLog(job_type=JobType.CURATE, key="curate", name="curate", folder=folder)


def test_nothing_is_started_without_tracking(tmp_path: Path) -> None:
    to = Destination(project="p", mode="disabled", group="g", folder=tmp_path / "out")
    assert record([stage(tmp_path)], to) is None
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_hangs_or_fails_is_one_line_and_is_asked_again(tmp_path: Path) -> None:
    to = Destination(project="p", mode="offline", group="g", folder=tmp_path / "out")
    assert record([stage(tmp_path)], to, limit_s=0.01) == "W&B had not answered after 0 s"
    (tmp_path / "out").write_text("a file where the folder should be")
    fault = record([stage(tmp_path)], to)
    assert fault is not None
    assert "FileExistsError" in fault
    assert "\n" not in fault
    assert json.loads((tmp_path / "tracking" / "curate.json").read_bytes())["logged"] == []


AS_VERL_DOES = """
import sys, wandb
first, last = map(int, sys.argv[1:])
wandb.init(project="p", name="n", entity=None, config={"trainer": {}}, settings=None)
for step in range(first, last + 1):
    wandb.log(data={"critic/score/mean": step / 10, **{f"perf/{n}": step / n for n in range(1, 120)}}, step=step)
print("logged", flush=True)
if last < 60:
    sys.stdin.read()
wandb.finish()
"""
"""The calls of verl.utils.tracking.Tracking; before its last step it waits to be killed."""


@pytest.mark.slow
def test_a_killed_training_goes_on_in_its_own_wandb_run(tmp_path: Path) -> None:
    verl = tmp_path / "verl"
    places = {"WANDB_MODE": "offline", "WANDB_DIR": str(tmp_path), "WANDB_RUN_GROUP": "tiny", "WANDB_SILENT": "true"}
    for first, last in ((1, 40), (31, 60)):
        child = subprocess.Popen(
            [sys.executable, "-c", AS_VERL_DOES, str(first), str(last)],
            env={**os.environ, **places, **run_environment(verl, JobType.TRAIN)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        while (line := child.stdout.readline()) != "logged\n":
            assert line, "ended without having logged"
        if last < 60:
            child.kill()
        child.wait(120)
    killed, resumed = read_runs(tmp_path)  # offline, each start has a folder of its own; `wandb sync` goes by the id
    assert {(r.id, r.group, r.job_type, r.resume) for r in (killed, resumed)} == {
        (run_id(verl, "train"), "tiny", "train", True)
    }
    assert [s["_step"] for s in resumed.steps] == list(range(31, 61))
    steps = [s["_step"] for s in killed.steps]
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) >= 20, "W&B writes 32 KB at a time, so a kill may take the last steps from it"


@pytest.mark.slow
def test_runs_artifacts_and_tables_are_read_back_and_nothing_is_logged_twice(tmp_path: Path) -> None:
    problems, images = make_sets(tmp_path)
    given = set_artifact(Kind.PROBLEMS, "problems", problems)
    made = set_artifact(Kind.IMAGES, "images-g", images, [given], tmp_path / "lists")
    picture = image_path(images, hashlib.sha256(png("red")).hexdigest())
    logs = [
        StageLog(job_type=JobType.CURATE, key="curate", name="curate-seed0", folder=tmp_path, outputs=(given,)),
        StageLog(
            job_type=JobType.GENERATE,
            key="generate-g",
            name="generate-g-seed0",
            folder=tmp_path,
            config={"seed": 0, "settings": {"a": 1}},
            summary={"by_status/ok": 1, "rate": 0.5},
            inputs=(given,),
            outputs=(made,),
            samples=(
                SampleRow(problem_id="p0", question="q0", image=picture, answer="0", responses="7", verdict="ok"),
                SampleRow(problem_id="p1", question="q1", answer="1", verdict="blank"),
            ),
        ),
    ]
    to = Destination(project="scigen", mode="offline", group="experiment", folder=tmp_path)
    assert record(logs, to) is None
    assert record(logs, to) is None, "sent already"
    curate, generate = read_runs(tmp_path)
    assert [r.job_type for r in (curate, generate)] == ["curate", "generate"]
    assert {r.group for r in (curate, generate)} == {"experiment"}
    assert [r.id for r in (curate, generate)] == [run_id(tmp_path, k) for k in ("curate", "generate-g")]
    assert generate.name == "generate-g-seed0"
    assert generate.config["settings"] == {"a": 1}

    assert curate.made["problems"]["type"] == "problem-set"
    assert generate.used["problems"]["digest"] == curate.made["problems"]["digest"], "one version, by content"
    assert generate.made["images-g"]["metadata"]["made_from"] == [given.ref]
    assert sorted(f["path"] for f in generate.made["images-g"]["manifest"]["contents"]) == [
        "identity.json",
        "images.jsonl",
        "manifest.json",
    ]
    assert generate.summary["rate"] == 0.5
    rows = generate.tables["samples"]
    assert [(r["question"], r["answer"], r["responses"], r["verdict"]) for r in rows] == [
        ("q0", "0", "7", "ok"),
        ("q1", "1", "", "blank"),
    ]
    assert rows[0]["image"]["_type"] == "image-file"
    assert (rows[0]["image"]["width"], rows[0]["image"]["height"]) == (64, 48)
    assert rows[1]["image"] is None
    for run in (curate, generate):  # all that `wandb sync` needs lies in the run's own folder
        for artifact in (*run.used.values(), *run.made.values()):
            assert all(Path(f["local_path"]).is_relative_to(tmp_path) for f in artifact["manifest"]["contents"])
