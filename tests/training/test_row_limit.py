"""Rows that do not fit the policy are refused on record, and verl's own filter then finds nothing to drop."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import datasets
import pytest
from PIL import Image

from scigen import torchvision_shim
from scigen.errors import ScigenError
from scigen.records import FilterDecision, GeneratedImage, Problem, Status
from scigen.store import SetWriter, iter_records, read_set
from scigen.training.filter import RequirePassed, Unchecked
from scigen.training.pixel_budget import PixelBudget, load_counter
from scigen.training.policy import tiny
from scigen.training.row_limit import RowLimit, require_fit
from scigen.training.trainset import TrainSetInfo, build

torchvision_shim.install()

BUDGET = PixelBudget(min_pixels=4096, max_pixels=65_536)
"""4 to 64 tokens."""
LONG = "Which angle is drawn? " * 20
PICTURES = {
    "p0": (256, 256),  # as it is: 64 tokens
    "p1": (1024, 512),  # becomes 352 x 160: 55 tokens
    "p2": (256, 256),  # with a long question: too long for the prompt
    "p3": (3000, 10),  # no size near these proportions is allowed
    "p4": (96, 96),  # small, with the long question: its 9 tokens leave room
    "p5": (64, 64),  # the question holds an image token
}
QUESTIONS = {"p2": LONG, "p4": LONG, "p5": "What is <|image_pad|> here?"}


def png(size: tuple[int, int], shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (shade, 0, 0)).save(out, format="PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def limit(tmp_path_factory: pytest.TempPathFactory) -> RowLimit:
    folder = tmp_path_factory.mktemp("policy") / "tiny"
    small = tiny.TinySize(hidden=48, layers=1, heads=4, feed_forward=64, vision_hidden=32, vision_layers=1)
    tiny.build(folder, ["Which angle is drawn?"], ["right", "acute"], seed=3, size=small)
    counter = load_counter(folder, BUDGET)
    text = counter.count([{"role": "user", "content": LONG}], [])
    return RowLimit(counter, max_prompt=text + 2 + 40)  # the long question and an image of at most 40 tokens


def make(folder: Path, limit: RowLimit | None, shown: Any = "real", seed: int = 0) -> TrainSetInfo:
    problems = []
    for i, name in enumerate(PICTURES):
        question = QUESTIONS.get(name, "Which angle is drawn?")
        problems.append(Problem(id=name, source="test", question=question, answer=str(i), multimodal_question=question))
    if not (folder / "images").exists():
        with SetWriter(folder / "images", GeneratedImage, "i") as w:
            for i, (name, size) in enumerate(PICTURES.items()):
                sha = w.put_image(png(size, i))
                w.append(GeneratedImage(problem_id=name, generator="g", status=Status.OK, image=sha))
            w.finish()
    images = list(iter_records(folder / "images", GeneratedImage))
    return build(
        folder / f"trainset-{shown}", problems, images, folder / "images", [], RequirePassed([]),
        split_of=lambda p: "train", trainable=lambda p: None, clean=Unchecked(), shown=shown, limit=limit, seed=seed,
    )  # fmt: skip


def test_each_row_that_does_not_fit_has_a_decision_with_its_reason(tmp_path: Path, limit: RowLimit) -> None:
    info = make(tmp_path, limit)
    assert {d.problem_id: d.reason for d in read_set(tmp_path / "trainset-real/decisions", FilterDecision)} == {
        "p0": "passed",
        "p1": "passed",
        "p2": f"prompt: more than {limit.max_prompt} tokens",
        "p3": "image: not within the pixel budget",
        "p4": "passed",
        "p5": "prompt: image tokens in the text",
    }
    assert info.rows["train"] == 3
    sizes = {
        r["extra_info"]["problem_id"]: Image.open(io.BytesIO(r["images"][0]["bytes"])).size
        for r in datasets.Dataset.from_parquet(str(tmp_path / "trainset-real/train.parquet"))
    }
    assert sizes == {"p0": (256, 256), "p1": (352, 160), "p4": (96, 96)}


def verl_keeps(parquet: Path, limit: RowLimit, tmp_path: Path) -> int:
    """Rows left by verl's own data set with its overlong filter, as main_ppo makes it."""
    from omegaconf import OmegaConf
    from verl.utils.dataset.rl_dataset import RLHFDataset

    processor = limit.counter.processor
    config = {
        "max_prompt_length": limit.max_prompt, "filter_overlong_prompts": True, "filter_overlong_prompts_workers": None,
        "image_patch_size": 16, "mm_processor_kwargs": BUDGET.processor_kwargs(), "cache_dir": str(tmp_path / "cache"),
    }  # fmt: skip
    return len(RLHFDataset([str(parquet)], processor.tokenizer, OmegaConf.create(config), processor))


@pytest.mark.slow
def test_verls_filter_drops_none_of_ours_and_one_of_those_without_a_limit(tmp_path: Path, limit: RowLimit) -> None:
    make(tmp_path / "ours", limit)
    assert verl_keeps(tmp_path / "ours/trainset-real/train.parquet", limit, tmp_path) == 3
    make(tmp_path / "unlimited", None)
    # p2 is too long; p3 and p5 cannot be read, which verl's filter takes for too long
    assert verl_keeps(tmp_path / "unlimited/trainset-real/train.parquet", limit, tmp_path) == 3


def test_controls_have_the_rows_of_the_set_itself(tmp_path: Path, limit: RowLimit) -> None:
    assert make(tmp_path, limit, "blank").rows == make(tmp_path, limit).rows


def shuffle_often(folder: Path, limit: RowLimit) -> None:
    """Until p4 does not happen to keep its own image."""
    for seed in range(8):
        make(folder, limit, "shuffled", seed)


def test_a_shuffled_image_that_is_too_large_for_its_new_row_is_an_error(tmp_path: Path, limit: RowLimit) -> None:
    """The long question of p4 has room for 40 tokens of image, and both other images have more."""
    with pytest.raises(ScigenError, match=r"with shown=shuffled a prompt is longer.*max_pixels"):
        shuffle_often(tmp_path, limit)


def test_another_budget_makes_the_set_anew(tmp_path: Path, limit: RowLimit) -> None:
    first = make(tmp_path, limit)
    assert make(tmp_path, limit) == first
    assert make(tmp_path, RowLimit(limit.counter, limit.max_prompt + 100)).rows["train"] == 4


def test_a_benchmark_row_that_verl_would_leave_out_stops_the_run(tmp_path: Path, limit: RowLimit) -> None:
    make(tmp_path, limit)
    parquet = tmp_path / "trainset-real/train.parquet"
    require_fit([parquet], limit, max_images=1)
    shorter = RowLimit(limit.counter, limit.max_prompt - 40)
    with pytest.raises(ScigenError, match=r"train.parquet: 1 of 3 prompts .* first p4 \(\d+ tokens\); verl"):
        require_fit([parquet], shorter, max_images=1)
    with pytest.raises(ScigenError, match=r"3 of 3 prompts .* or 0 images, first p\d \(1 images\)"):
        require_fit([parquet], limit, max_images=0)
