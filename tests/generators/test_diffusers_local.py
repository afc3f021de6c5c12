"""Open weights on this machine: a real Qwen-Image pipeline, tiny and with random weights, loaded, run and spoilt."""

from __future__ import annotations

import asyncio
import inspect
import json
import random
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError
from test_vendors import problems, records, run
from tiny_pipeline import tiny_qwen_image

from scigen.app.generator_table import composed
from scigen.errors import ScigenError
from scigen.generators import LocalEngine, Studio, generate
from scigen.generators.pixel.diffusers_local import DiffusersImages, Workbench, seed_of
from scigen.generators.pixel.pipeline import Sheet, load
from scigen.records import GeneratedImage, Problem, Status
from scigen.store import image_path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_qwen_image(tmp_path_factory.mktemp("weights") / "tiny")


def tiny(model: Path | str, **more: Any) -> DiffusersImages:
    settings: dict[str, Any] = {
        "name": "tiny",
        "model": str(model),
        "dtype": "float32",
        "device": "cpu",
        "steps": 2,
        "width": 32,
        "height": 24,
        "negative_prompt": " ",
        "parameters": {"true_cfg_scale": 4.0},
        "wait_s": 0.2,
    }
    return DiffusersImages(**{**settings, **more})


def made(generator: DiffusersImages, asked: Sequence[Problem], place: Path) -> dict[str, GeneratedImage]:
    run(generator, list(asked), place)
    return records(generator, place)


def pixels(place: Path, record: GeneratedImage) -> list[int]:
    assert record.image is not None
    image = Image.open(image_path(place / "sets" / record.generator, record.image))
    assert (image.size, image.mode) == ((32, 24), "RGB")
    return list(image.tobytes())


@pytest.mark.slow
def test_each_problem_gets_a_picture_with_a_seed_of_its_own(folder: Path, tmp_path: Path) -> None:
    got = made(tiny(folder, seed=3), problems(3), tmp_path)
    assert [r.status for r in got.values()] == [Status.OK] * 3
    assert len({r.image for r in got.values()}) == 3
    for name, record in got.items():
        assert record.vendor is not None
        assert record.vendor.seed == seed_of(3, name)
        assert (record.width, record.height) == (32, 24)
        assert record.cost_usd == 0
        assert record.seconds > 0
        assert len(pixels(tmp_path, record)) == 32 * 24 * 3
    assert not list((tmp_path / "responses").glob("*")), "nothing is paid, so nothing is journalled"


@pytest.mark.slow
def test_a_picture_depends_on_its_problem_and_the_seed_alone(folder: Path, tmp_path: Path) -> None:
    """Bit for bit in another order and among others; in batches of another size up to rounding, one grey level."""
    asked = problems(5)
    first = made(tiny(folder), asked, tmp_path / "first")
    mixed = random.Random(1).sample(asked, 3)
    again = made(tiny(folder, at_once=1), mixed, tmp_path / "again")
    assert {n: r.image for n, r in again.items()} == {n: first[n].image for n in again}
    batched = made(tiny(folder, batch=3), asked, tmp_path / "batched")
    for name, record in batched.items():
        pairs = zip(
            pixels(tmp_path / "first", first[name]),
            pixels(tmp_path / "batched", record),
            strict=True,
        )
        assert max(abs(a - b) for a, b in pairs) <= 1
    other = made(tiny(folder, seed=1), asked[:1], tmp_path / "other")
    assert other["p0000"].image != first["p0000"].image


@pytest.mark.slow
def test_a_prompt_whose_end_the_pipeline_does_not_see_is_noted(folder: Path, tmp_path: Path) -> None:
    """A token a byte here; 512 are the pipeline's default, 1,024 the most it takes."""
    said = {}
    for name, prompt, more in (("long", "diagram", {}), ("short", "brief", {"max_sequence_length": 1024})):
        got = made(tiny(folder, prompt=prompt, parameters=more), problems(1), tmp_path / name)["p0000"]
        assert got.vendor is not None
        said[name] = got.vendor.message
    assert said["short"] is None
    assert said["long"] is not None
    assert said["long"].endswith("tokens, of which the pipeline sees 512")


@pytest.mark.slow
def test_what_is_under_way_at_once_shares_batches(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    paint = Workbench._paint

    def counted(bench: Workbench, orders: Any) -> list[Sheet]:
        sizes.append(len(orders))
        return paint(bench, orders)

    monkeypatch.setattr(Workbench, "_paint", counted)
    made(tiny(folder, batch=4, at_once=4), problems(8), tmp_path)
    assert sum(sizes) == 8
    assert sizes[0] == 4
    assert len(sizes) <= 4


@pytest.mark.slow
def test_a_run_that_was_stopped_makes_only_what_is_left_and_the_same(folder: Path, tmp_path: Path) -> None:
    whole = made(tiny(folder), problems(6), tmp_path / "whole")
    generator, place = tiny(folder, at_once=1), tmp_path / "cut"
    engine = LocalEngine(lambda: Studio(place / "responses"))
    seen: list[str] = []

    def watch(record: GeneratedImage) -> None:
        seen.append(record.problem_id)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(problems(6), generator, place / "sets" / "tiny", engine, watch=watch)
    generate(problems(6), generator, place / "sets" / "tiny", engine, watch=lambda r: seen.append(r.problem_id))
    assert sorted(seen) == [f"p{i:04d}" for i in range(6)], "none was made twice"
    assert {n: r.image for n, r in records(generator, place).items()} == {n: r.image for n, r in whole.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "status", "words"), [("nan", "bad_image", "no numbers"), ("blank", "blank", "colour")]
)
def test_no_numbers_and_one_colour_have_their_status(spoil: str, status: str, words: str, tmp_path: Path) -> None:
    got = made(tiny(tiny_qwen_image(tmp_path / "weights", spoil)), problems(2), tmp_path)
    for record in got.values():
        assert record.status == status
        assert record.image is None
        assert record.error is not None
        assert words in record.error.message


@pytest.mark.slow
def test_a_run_of_failures_ends_and_keeps_its_records(tmp_path: Path) -> None:
    generator = tiny(tiny_qwen_image(tmp_path / "weights", "nan"), at_once=1, give_up_after=3)
    with pytest.raises(ScigenError, match=r"3 pictures in a row failed.*bad_image"):
        made(generator, problems(9), tmp_path)
    lines = (tmp_path / "sets" / "tiny" / "records.jsonl").read_text().splitlines()
    assert [json.loads(line)["status"] for line in lines] == ["bad_image"] * 3


@pytest.mark.slow
def test_want_of_memory_has_its_status_and_may_be_tried_again(folder: Path, tmp_path: Path) -> None:
    """256 TB are asked of the real allocator; a later run with `retry_failed` tries again."""
    generator = tiny(folder, width=16_000_000, height=16_000_000)
    got = made(generator, problems(2), tmp_path)
    assert [r.status for r in got.values()] == [Status.MEMORY] * 2
    assert got["p0000"].error is not None
    assert "can't allocate memory" in got["p0000"].error.message
    again: list[GeneratedImage] = []
    engine = LocalEngine(lambda: Studio(tmp_path / "responses"))
    place = tmp_path / "sets" / "tiny"
    generate(problems(2), generator, place, engine, retry_failed=True, watch=again.append)
    assert len(again) == 2


@pytest.mark.slow
def test_a_batch_that_does_not_fit_is_made_one_by_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    alone = made(tiny(folder), problems(3), tmp_path / "alone")
    paint = Workbench._paint

    def small(bench: Workbench, orders: Any) -> list[Sheet]:
        if len(orders) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return paint(bench, orders)

    monkeypatch.setattr(Workbench, "_paint", small)
    got = made(tiny(folder, batch=3), problems(3), tmp_path / "batched")
    assert {n: r.image for n, r in got.items()} == {n: r.image for n, r in alone.items()}


@pytest.mark.slow
def test_an_error_at_the_first_picture_stops_the_run_and_a_later_one_is_a_record(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ScigenError, match=r"first picture.*max_sequence_length"):
        made(tiny(folder, parameters={"max_sequence_length": 4096}), problems(2), tmp_path / "first")
    paint = Workbench._paint

    def breaks(bench: Workbench, orders: Any) -> list[Sheet]:
        if "number 1." in orders[0].prompt:
            raise RuntimeError("a kernel failed")
        return paint(bench, orders)

    monkeypatch.setattr(Workbench, "_paint", breaks)
    got = made(tiny(folder, at_once=1), problems(3), tmp_path / "later")
    assert [got[n].status for n in sorted(got)] == [Status.OK, Status.API_ERROR, Status.OK]
    assert got["p0001"].error is not None
    assert "a kernel failed" in got["p0001"].error.message


@pytest.mark.slow
def test_a_stopped_run_ends_between_two_steps(folder: Path, tmp_path: Path) -> None:
    """100,000 steps would take minutes."""

    async def main() -> None:
        async with Studio(tmp_path / "responses") as studio:
            generator = tiny(folder, steps=100_000)
            await studio.opened(("diffusers", generator.model_dump_json()), lambda: Workbench(generator))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(2):
                    await generator.make(problems(1)[0], studio)

    start = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - start < 60


@pytest.mark.slow
def test_offline_and_from_a_folder_the_hub_is_never_asked_for(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def nowhere(host: Any, *_: Any, **__: Any) -> Any:
        asked.append(host)
        raise socket.gaierror("no network")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(ScigenError, match=r"nobody/nothing cannot be loaded"):
        made(tiny("nobody/nothing", local_files_only=True), problems(3), tmp_path)
    assert made(tiny(folder), problems(1), tmp_path / "folder")["p0000"].status is Status.OK
    assert asked == []
    with pytest.raises(ScigenError, match=r"nobody/nothing cannot be loaded"):
        made(tiny("nobody/nothing"), problems(3), tmp_path)
    assert asked, "else the first half shows nothing"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match=r"none is no folder.*model_index\.json"):
        made(tiny(tmp_path / "none"), problems(1), tmp_path)


@pytest.mark.slow
def test_what_the_pipeline_does_not_take_is_named_with_what_it_takes(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match=r"QwenImagePipeline takes no cfg\..*true_cfg_scale"):
        made(tiny(folder, parameters={"cfg": 4.0}), problems(1), tmp_path)


@pytest.mark.slow
def test_pickles_and_code_that_come_with_weights_are_refused(tmp_path: Path) -> None:
    pickled = tiny_qwen_image(tmp_path / "pickled", safe_serialization=False)
    assert list(pickled.rglob("*.bin"))
    with pytest.raises(ScigenError, match="cannot be loaded"):
        load(tiny(pickled))
    coded = tiny_qwen_image(tmp_path / "coded")
    mark = tmp_path / "ran"
    (coded / "pipeline.py").write_text(
        "from diffusers import QwenImagePipeline\n"
        f"open({str(mark)!r}, 'w').close()\n"
        "class Mine(QwenImagePipeline):\n    pass\n"
    )
    index = json.loads((coded / "model_index.json").read_text())
    (coded / "model_index.json").write_text(json.dumps({**index, "_class_name": ["pipeline", "Mine"]}))
    with pytest.raises(ScigenError, match="cannot be loaded"):
        load(tiny(coded))
    assert not mark.exists()


def test_what_the_fields_hold_cannot_be_set_behind_them() -> None:
    with pytest.raises(ValidationError, match="output_type"):
        tiny("x", parameters={"output_type": "pil"})
    with pytest.raises(ValidationError, match="at_once"):
        tiny("x", batch=8, at_once=4)


def test_how_it_runs_makes_no_other_set_and_what_it_draws_does() -> None:
    base = tiny("x").settings()
    runs = {"device": "cuda", "offload": "model", "batch": 2, "wait_s": 1.0, "local_files_only": True, "at_once": 2}
    assert tiny("x", **runs).settings() == base
    for more in ({"steps": 3}, {"dtype": "bfloat16"}, {"seed": 1}, {"revision": "abc"}, {"prompt": "brief"}):
        assert tiny("x", **more).settings() != base


def test_an_estimate_costs_nothing_and_takes_time(tmp_path: Path) -> None:
    estimate = tiny("x", seconds_per_image=30).estimate(problems(10), tmp_path)
    assert (estimate.calls, estimate.usd, estimate.seconds) == (10, 0.0, 300.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "pipeline"), [("qwen_image_local", "QwenImagePipeline"), ("flux_local", "Flux2KleinPipeline")]
)
def test_the_configs_fit_their_pipelines(name: str, pipeline: str) -> None:
    """No weights here: the arguments are those that the pipeline's call takes."""
    import diffusers

    generator = composed(name)
    assert isinstance(generator, DiffusersImages)
    assert generator.name == name
    takes = inspect.signature(getattr(diffusers, pipeline).__call__).parameters
    assert generator.parameters.keys() <= takes.keys()
    assert (generator.negative_prompt is None) or "negative_prompt" in takes
