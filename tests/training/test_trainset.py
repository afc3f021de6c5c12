"""From verified images to verl's rows: what is kept, why, and that a row can be walked back."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import datasets
import pytest
from PIL import Image

from scigen.errors import ScigenError
from scigen.problems.contamination import ContaminationVerdict, ImageStatus, Match, TextStatus
from scigen.problems.procedural.make import make_problems
from scigen.problems.procedural.registry import families
from scigen.records import (
    FilterDecision,
    Finding,
    FindingKind,
    Flag,
    GeneratedImage,
    Problem,
    Status,
    Verdict,
)
from scigen.store import SetWriter, iter_records, read_set
from scigen.training.filter import ContaminationRule, RefuseContaminated, RequirePassed, Unchecked
from scigen.training.selection import Selection
from scigen.training.trainset import TrainSetInfo, build

QUESTION = "How many <image> dots?"


def png(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (96, 96), (shade, 0, 0)).save(out, format="PNG")
    return out.getvalue()


def problem(i: int) -> Problem:
    return Problem(id=f"p{i}", source="test", question=QUESTION, answer=str(i), multimodal_question=QUESTION)


@pytest.fixture
def sets(tmp_path: Path) -> tuple[list[Problem], list[GeneratedImage], list[Verdict], Path]:
    """Eight problems: 0 timed out, 1 fails its check, 2 was never checked, 3-5 train, 6-7 held out."""
    problems = [problem(i) for i in range(8)]
    with SetWriter(tmp_path / "images", GeneratedImage, "i") as w:
        w.append(GeneratedImage(problem_id="p0", generator="g", status=Status.TIMEOUT))
        for i in range(1, 8):
            sha = w.put_image(png(i))
            w.append(GeneratedImage(problem_id=f"p{i}", generator="g", status=Status.OK, image=sha))
        images = list(iter_records(tmp_path / "images", GeneratedImage))
        w.finish()
    leak = Finding(kind=FindingKind.LEAK, detail="shows 1")
    checks = [
        Verdict(problem_id=f"p{i}", generator="g", evaluator="glassbox", status="scored", passed=i != 1,
                    findings=(leak,) if i == 1 else ())
        for i in range(1, 8) if i != 2
    ]  # fmt: skip
    return problems, images, checks, tmp_path


def make(
    sets: tuple[list[Problem], list[GeneratedImage], list[Verdict], Path],
    shown: str = "real",
    clean: ContaminationRule | None = None,
    compared: Iterable[ContaminationVerdict] = (),
) -> TrainSetInfo:
    problems, images, checks, folder = sets
    return build(
        folder / f"trainset-{shown}", problems, images, folder / "images", checks, RequirePassed(["glassbox"]),
        split_of=lambda p: "held_out" if p.id in ("p6", "p7") else "train",
        trainable=lambda p: None, clean=clean or Unchecked(), compared=compared,
        shown=shown, prompt="{question} Box it.",
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


BENCHMARKS = ("geometry3k", "mathvision")


def verdict(i: int, *benchmarks: str, against: tuple[str, ...] = BENCHMARKS) -> ContaminationVerdict:
    """Problem i, found in the benchmarks given (item 17 of each, scores falling in the order given)."""
    return ContaminationVerdict(
        problem_id=f"p{i}",
        status="contaminated" if benchmarks else "clean",
        text=TextStatus.COMPARED,
        image=ImageStatus.NO_IMAGE,
        against=against,
        matches=tuple(
            Match(benchmark=b, item="17", kind="text", score=0.9 - n / 10, matched=9, contaminated=True)
            for n, b in enumerate(benchmarks)
        ),
    )


def reasons(sets) -> dict[str, str]:
    return {d.problem_id: d.reason for d in read_set(sets[3] / "trainset-real/decisions", FilterDecision)}


def test_a_contaminated_problem_is_refused_with_benchmark_and_item(sets) -> None:
    compared = [verdict(i, *(["mathvision", "geometry3k"] if i == 4 else [])) for i in range(8)]
    info = make(sets, clean=RefuseContaminated(BENCHMARKS), compared=compared)
    assert info.rows["train"] == 2
    assert info.decisions["contaminated: mathvision:17"] == 1
    assert reasons(sets)["p4"] == "contaminated: mathvision:17"
    assert {r["extra_info"]["problem_id"] for r in rows(sets[3] / "trainset-real", "train")} == {"p3", "p5"}


def test_a_match_in_a_benchmark_that_is_not_asked_about_is_no_reason(sets) -> None:
    compared = [verdict(i, "mathvision") for i in range(8)]
    info = make(sets, clean=RefuseContaminated(["geometry3k"]), compared=compared)
    assert info.rows["train"] == 3


def test_what_a_training_set_may_not_contain_may_be_held_out(sets) -> None:
    compared = [verdict(i, *(["geometry3k"] if i >= 6 else [])) for i in range(8)]
    assert make(sets, clean=RefuseContaminated(BENCHMARKS), compared=compared).rows["held_out"] == 2


def test_problems_without_a_verdict_against_every_benchmark_stop_the_build(sets) -> None:
    with pytest.raises(
        ScigenError, match=r"6 problems were not compared.*first p0 \(not with geometry3k, mathvision\)"
    ):
        make(sets, clean=RefuseContaminated(BENCHMARKS))
    half = [verdict(i, against=("geometry3k",) if i == 5 else BENCHMARKS) for i in range(6)]
    with pytest.raises(ScigenError, match=r"1 problems were not compared.*first p5 \(not with mathvision\)"):
        make(sets, clean=RefuseContaminated(BENCHMARKS), compared=half)
    assert not (sets[3] / "trainset-real").exists()


def test_the_check_can_be_left_out_only_by_name(sets) -> None:
    assert make(sets, clean=Unchecked(), compared=[verdict(i, "geometry3k") for i in range(8)]).rows["train"] == 3


def test_procedural_problems_need_no_verdict_and_heed_one(sets) -> None:
    made = next(iter(make_problems(list(families().values()), "glance", 1, "train", 15, 0, 2))).procedure
    assert made is not None
    procedural = [p.model_copy(update={"procedure": made}) for p in sets[0]]
    mine = (procedural, *sets[1:])
    assert make(mine, clean=RefuseContaminated(BENCHMARKS)).rows["train"] == 3
    compared = [verdict(3, "geometry3k")]
    assert make(mine, clean=RefuseContaminated(BENCHMARKS), compared=compared).rows["train"] == 2


def test_a_new_verdict_makes_the_set_anew(sets) -> None:
    clean = [verdict(i) for i in range(8)]
    assert make(sets, clean=RefuseContaminated(BENCHMARKS), compared=clean).rows["train"] == 3
    found = [*clean[:3], verdict(3, "geometry3k"), *clean[4:]]
    assert make(sets, clean=RefuseContaminated(BENCHMARKS), compared=found).rows["train"] == 2


@pytest.mark.parametrize("flag", [Flag.UNUSABLE_ANSWER, Flag.CHAIN_OF_THOUGHT])
def test_an_answer_that_is_no_ground_truth_trains_nothing(sets, flag: Flag) -> None:
    problems = [p.model_copy(update={"flags": (flag,)}) if p.id in ("p3", "p6") else p for p in sets[0]]
    info = make((problems, *sets[1:]))
    assert info.rows == {"train": 2, "held_out": 1, "held_out_blank": 1}
    assert reasons(sets)["p3"] == f"answer: {flag.value}"


def test_other_flags_do_not_keep_a_problem_from_training(sets) -> None:
    problems = [p.model_copy(update={"flags": (Flag.NO_IMAGE_TYPE,)}) for p in sets[0]]
    assert make((problems, *sets[1:])).rows["train"] == 3


def chosen(sets, name: str, **how: object) -> TrainSetInfo:
    """The eight problems without held-out ones: five rows pass (p3 to p7)."""
    problems, images, checks, folder = sets
    return build(
        folder / name, problems, images, folder / "images", checks, RequirePassed(["glassbox"]),
        split_of=lambda p: "train", trainable=lambda p: None, clean=Unchecked(), **how,
    )  # fmt: skip


def trained_on(sets, name: str) -> list[str]:
    return [r["extra_info"]["problem_id"] for r in rows(sets[3] / name, "train")]


def test_a_smaller_set_is_the_beginning_of_a_larger_one(sets) -> None:
    for size in (2, 3, 4, None):
        info = chosen(sets, f"size{size}", selection=Selection(size=size))
        assert (info.rows["train"], info.available, info.chosen.size) == (size or 5, 5, size)
    whole = trained_on(sets, "sizeNone")
    assert sorted(whole) == ["p3", "p4", "p5", "p6", "p7"]
    for size in (2, 3, 4):
        assert trained_on(sets, f"size{size}") == whole[:size]
    other = chosen(sets, "seed1", selection=Selection(size=4), seed=1)
    assert other.rows["train"] == 4
    assert trained_on(sets, "seed1") != whole[:4]


def test_what_a_size_leaves_out_has_a_decision(sets) -> None:
    info = chosen(sets, "small", selection=Selection(size=2))
    assert info.decisions["not among the first 2"] == 3
    kept = {d.problem_id for d in read_set(sets[3] / "small/decisions", FilterDecision) if d.kept}
    assert kept == set(trained_on(sets, "small"))


def test_more_rows_than_there_are_is_an_error_that_says_how_many_there_are(sets) -> None:
    with pytest.raises(ScigenError, match=r"6 training rows are asked for and 5 are left"):
        chosen(sets, "large", selection=Selection(size=6))


def test_the_size_and_the_problems_of_another_train_set(sets) -> None:
    chosen(sets, "trainset-filt", selection=Selection(size=2))
    filt = sets[3] / "trainset-filt"
    same_size = chosen(sets, "same-size", selection=Selection(size_of=filt), seed=3)
    assert (same_size.rows["train"], same_size.chosen.size) == (2, 2)
    same_problems = chosen(sets, "same-problems", selection=Selection(matched=filt), seed=3)
    assert sorted(trained_on(sets, "same-problems")) == sorted(trained_on(sets, "trainset-filt"))
    assert same_problems.decisions["not among the matched problems"] == 6  # 0 to 2 would not have passed anyway
    assert same_problems.chosen.rows_hashes["matched"] == same_size.chosen.rows_hashes["size_of"]
    assert Selection(size=3, matched=filt).label == "-size3-matched-filt"


def test_another_train_set_that_changed_makes_the_matched_one_anew(sets) -> None:
    filt = sets[3] / "filt"
    chosen(sets, "filt", selection=Selection(size=2))
    first = chosen(sets, "matched", selection=Selection(matched=filt))
    assert chosen(sets, "matched", selection=Selection(matched=filt)) == first
    chosen(sets, "filt", selection=Selection(size=3))
    assert chosen(sets, "matched", selection=Selection(matched=filt)).rows["train"] == 3


def test_selections_that_cannot_be_made(sets, tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match=r"trainset.matched: there is no finished train set in .*none"):
        chosen(sets, "a", selection=Selection(matched=tmp_path / "none"))
    with pytest.raises(ScigenError, match="both given"):
        chosen(sets, "a", selection=Selection(size=2, size_of=tmp_path))
    with pytest.raises(ScigenError, match="0 is no number of rows"):
        chosen(sets, "a", selection=Selection(size=0))


def test_rows_of_text_alone_have_neither_picture_nor_placeholder(sets) -> None:
    info = chosen(sets, "text", shown="none")
    assert info.shown == "none"
    for row in rows(sets[3] / "text", "train"):
        assert row.get("images") is None
        assert row["prompt"][0]["content"] == "How many < image > dots?"
    make(sets, "none")
    assert sorted(red(r) for r in rows(sets[3] / "trainset-none", "held_out")) == [6, 7]


def test_the_original_question_can_be_asked_instead(sets) -> None:
    problems = [p.model_copy(update={"question": "Three dots and two more: how many?"}) for p in sets[0]]
    mine = (problems, *sets[1:])
    info = chosen(mine, "original", shown="none", asked="original")
    assert info.asked == "original"
    (text,) = {r["prompt"][0]["content"] for r in rows(sets[3] / "original", "train")}
    assert text == "Three dots and two more: how many?"
    assert info.inputs != chosen(mine, "usual", shown="none").inputs


@pytest.mark.slow
def test_verls_data_set_reads_rows_of_text_alone(sets, tmp_path: Path) -> None:
    """verl's own RLHFDataset: no placeholder is looked for, and a question's length is counted without a picture."""
    from omegaconf import OmegaConf

    from scigen.training.policy import tiny

    chosen(sets, "text", shown="none")
    tiny.build(tmp_path / "policy", [QUESTION], ["7"], 0)
    from transformers import AutoProcessor
    from verl.utils.dataset.rl_dataset import RLHFDataset

    processor = AutoProcessor.from_pretrained(tmp_path / "policy")
    config = OmegaConf.create({"max_prompt_length": 64, "cache_dir": str(tmp_path), "image_patch_size": 16})
    read = RLHFDataset(str(sets[3] / "text/train.parquet"), processor.tokenizer, config, processor)
    assert len(read) == 5  # none was dropped as too long
    assert read[0]["raw_prompt"] == [{"role": "user", "content": "How many < image > dots?"}]
