"""From verified images to verl's rows: what is kept, why, and that a row can be walked back."""

from __future__ import annotations

import io
from pathlib import Path

import datasets
import pytest
from PIL import Image

from scigen.errors import ScigenError
from scigen.records import (
    CheckResult,
    FilterDecision,
    Finding,
    FindingKind,
    GeneratedImage,
    Problem,
    Status,
)
from scigen.store import SetWriter, read_set
from scigen.training.filter import RequirePassed
from scigen.training.trainset import TrainSetInfo, build

QUESTION = "How many <image> dots?"


def png(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (96, 96), (shade, 0, 0)).save(out, format="PNG")
    return out.getvalue()


def problem(i: int) -> Problem:
    return Problem(id=f"p{i}", source="test", question=QUESTION, answer=str(i), multimodal_question=QUESTION)


@pytest.fixture
def sets(tmp_path: Path) -> tuple[list[Problem], list[GeneratedImage], list[CheckResult], Path]:
    """Eight problems: 0 timed out, 1 fails its check, 2 was never checked, 3-5 train, 6-7 held out."""
    problems = [problem(i) for i in range(8)]
    with SetWriter(tmp_path / "images", GeneratedImage, "i") as w:
        w.append(GeneratedImage(problem_id="p0", generator="g", status=Status.TIMEOUT))
        for i in range(1, 8):
            sha = w.put_image(png(i))
            w.append(GeneratedImage(problem_id=f"p{i}", generator="g", status=Status.OK, image=sha))
        images = list(w.records.values())
        w.finish()
    leak = Finding(kind=FindingKind.LEAK, detail="shows 1")
    checks = [
        CheckResult(problem_id=f"p{i}", generator="g", evaluator="glassbox", status="scored", passed=i != 1,
                    findings=(leak,) if i == 1 else ())
        for i in range(1, 8) if i != 2
    ]  # fmt: skip
    return problems, images, checks, tmp_path


def make(
    sets: tuple[list[Problem], list[GeneratedImage], list[CheckResult], Path], shown: str = "real"
) -> TrainSetInfo:
    problems, images, checks, folder = sets
    return build(
        folder / f"trainset-{shown}", problems, images, folder / "images", checks, RequirePassed(["glassbox"]),
        split_of=lambda p: "held_out" if p.id in ("p6", "p7") else "train",
        trainable=lambda p: None, shown=shown, prompt="{question} Box it.",
    )  # fmt: skip


def rows(folder: Path, name: str) -> list[dict]:
    return list(datasets.Dataset.from_parquet(str(folder / f"{name}.parquet")))


def test_every_image_has_a_decision_with_its_reason(sets) -> None:
    info = make(sets)
    assert info.rows == {"train": 3, "held_out": 2, "held_out_blank": 2}
    decisions = {
        d.problem_id: (d.kept, d.reason) for d in read_set(sets[3] / "trainset-real/decisions", FilterDecision)
    }
    assert decisions["p0"] == (False, "image: timeout")
    assert decisions["p1"] == (False, "glassbox: leak")
    assert decisions["p2"] == (False, "glassbox: not evaluated")
    assert decisions["p3"] == (True, "passed")
    assert len(decisions) == 8


def test_rows_are_verls_and_lead_back_to_problem_and_image(sets) -> None:
    make(sets)
    images = {i.problem_id: i.image for i in sets[1]}
    for row in rows(sets[3] / "trainset-real", "train"):
        assert set(row) == {"data_source", "prompt", "images", "ability", "reward_model", "extra_info"}
        text = row["prompt"][0]["content"]
        assert text == "<image>How many < image > dots? Box it."  # a placeholder a picture, the user's own broken up
        info = row["extra_info"]
        assert row["reward_model"] == {"style": "rule", "ground_truth": info["problem_id"][1:]}
        assert info["image"] == images[info["problem_id"]]
        assert info["generator"] == "g"


def test_train_and_held_out_share_no_problem(sets) -> None:
    make(sets)
    ids = [{r["extra_info"]["problem_id"] for r in rows(sets[3] / "trainset-real", n)} for n in ("train", "held_out")]
    assert ids == [{"p3", "p4", "p5"}, {"p6", "p7"}]


def red(row: dict) -> int:
    image = row["images"][0]
    return Image.open(io.BytesIO(image["bytes"])).getpixel((0, 0))[0]


def test_controls_change_the_training_images_and_nothing_else(sets) -> None:
    for shown in ("real", "blank", "shuffled"):
        make(sets, shown)
    folder = sets[3]
    assert [red(r) for r in rows(folder / "trainset-blank", "train")] == [255] * 3
    own = {r["extra_info"]["problem_id"]: red(r) for r in rows(folder / "trainset-real", "train")}
    assert own == {"p3": 3, "p4": 4, "p5": 5}
    assert sorted(red(r) for r in rows(folder / "trainset-shuffled", "train")) == [3, 4, 5]
    for shown in ("blank", "shuffled"):
        assert sorted(red(r) for r in rows(folder / f"trainset-{shown}", "held_out")) == [6, 7]
        assert [red(r) for r in rows(folder / f"trainset-{shown}", "held_out_blank")] == [255] * 2


def test_equal_inputs_are_not_made_again_and_give_equal_hashes(sets) -> None:
    first = make(sets)
    stamp = (sets[3] / "trainset-real/train.parquet").stat().st_mtime_ns
    assert make(sets) == first
    assert (sets[3] / "trainset-real/train.parquet").stat().st_mtime_ns == stamp
    (sets[3] / "trainset-real/trainset.json").unlink()  # as after a kill before the last write
    assert make(sets) == first


def test_an_empty_train_set_is_an_error_with_the_counts(sets) -> None:
    problems, images, _, folder = sets
    with pytest.raises(ScigenError, match=r"no training row is left.*glassbox: not evaluated"):
        make((problems, images, [], folder))
