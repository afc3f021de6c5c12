"""The warm start learns the format from training rows, the same way each time, and leaves a whole folder or none."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from scigen import torchvision_shim
from scigen.errors import ScigenError
from scigen.training.policy import sampling, tiny, warm_start
from scigen.training.policy.examples import Examples
from scigen.training.policy.warm_start import Supervised

torchvision_shim.install()

SMALL = tiny.TinySize(hidden=48, layers=1, heads=4, feed_forward=64, vision_hidden=32, vision_layers=1, deepstack=())
QUESTION = "Which half is dark?"
SETTINGS = Supervised(steps=40, batch_size=16, warm_up=5, lr=4e-3)


def row(index: int, left: bool) -> dict[str, object]:
    from PIL import Image

    image = Image.new("RGB", (96, 96), "white")
    image.paste((10 * (index % 5), 0, 0), (0, 0, 40, 96) if left else (56, 0, 96, 96))
    png = io.BytesIO()
    image.save(png, format="PNG")
    return {
        "data_source": "t",
        "prompt": [{"role": "user", "content": f"<image>{QUESTION}"}],
        "images": [{"bytes": png.getvalue(), "path": None}],
        "ability": "halves",
        "reward_model": {"style": "rule", "ground_truth": "left" if left else "right"},
        "extra_info": {"index": index},
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    import datasets

    folder = tmp_path_factory.mktemp("warm")
    parquet = folder / "train.parquet"
    datasets.Dataset.from_list([row(i, i % 2 == 0) for i in range(32)]).to_parquet(parquet)
    tiny.build(folder / "random", [QUESTION], ["left", "right"], seed=0, size=SMALL)
    return folder / "random", parquet


@pytest.fixture(scope="module")
def warmed(world: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "warm"
    warm_start.warm_start(*world, out, SETTINGS, seed=1)
    return out


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def test_it_learns_to_answer_from_the_image_and_not_from_blank_pages(world: tuple[Path, Path], warmed: Path) -> None:
    _, parquet = world
    assert mean(sampling.avg_at_k_in_process(world[0], parquet)) < 0.05
    assert mean(sampling.avg_at_k_in_process(warmed, parquet)) > 0.9
    assert mean(sampling.avg_at_k_in_process(warmed, parquet, blank=True)) < 0.8


def test_same_inputs_same_weights(world: tuple[Path, Path], warmed: Path, tmp_path: Path) -> None:
    report = warm_start.warm_start(*world, tmp_path / "again", SETTINGS, seed=1)
    assert (tmp_path / "again/model.safetensors").read_bytes() == (warmed / "model.safetensors").read_bytes()
    assert report.steps == 40
    assert report.examples_seen == 640
    assert report.loss_last < report.loss_first


def test_a_finished_folder_is_kept_and_one_from_other_inputs_replaced(
    world: tuple[Path, Path], warmed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "warm"
    short = Supervised(steps=2, batch_size=16)
    first = warm_start.warm_start(*world, out, short, seed=1)
    written = (out / "model.safetensors").stat().st_mtime_ns
    assert warm_start.warm_start(*world, out, short, seed=1) == first
    assert (out / "model.safetensors").stat().st_mtime_ns == written
    other = warm_start.warm_start(*world, out, short, seed=2)
    assert other.inputs != first.inputs
    assert json.loads((out / "warm_start.json").read_text())["inputs"] == other.inputs
    assert [p.name for p in tmp_path.iterdir()] == ["warm"]


def test_more_supervised_steps_stop_by_time(world: tuple[Path, Path], warmed: Path, tmp_path: Path) -> None:
    report = warm_start.continue_supervised(warmed, world[1], tmp_path / "more", seconds=0.5, settings=SETTINGS)
    assert report.steps >= 1
    assert 0.5 <= report.seconds < 3


def test_too_few_rows_are_refused(world: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match="32 training rows are fewer than a batch of 64"):
        warm_start.warm_start(*world, tmp_path / "x", Supervised(), seed=0)


def test_prompts_are_what_the_processor_makes(world: tuple[Path, Path]) -> None:
    """Token by token and position by position what transformers computes by itself."""
    import torch
    from PIL import Image
    from transformers import AutoProcessor

    model_dir, parquet = world
    examples = Examples(model_dir, parquet)
    processor = AutoProcessor.from_pretrained(model_dir)
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]}]
    text = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    whole = processor(text=[text], images=[Image.new("RGB", (96, 96))], return_tensors="pt")
    assert examples.prompts[0] == whole["input_ids"][0].tolist()
    positions, _ = sampling.load(model_dir).model.get_rope_index(
        whole["input_ids"], whole["mm_token_type_ids"], whole["image_grid_thw"], None, whole["attention_mask"]
    )
    assert torch.equal(examples.positions(examples.prompts[0], len(examples.prompts[0])), positions[:, 0])
