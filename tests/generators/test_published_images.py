"""Published pictures are images like any other: one record a problem, from parquet of the hub's form."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pytest
from PIL import Image
from pydantic import ValidationError

from scigen.generators import LocalEngine, Studio, generate
from scigen.generators.published import PublishedImages
from scigen.problems.sources import SciGenBench
from scigen.problems.sources.published import SYSTEMS
from scigen.records import GeneratedImage, Problem, Status
from scigen.store import Manifest, image_path, read_set

DATA = Path(__file__).parents[3] / "shared" / "data" / "scigenbench" / "scigen.json"


def png(color: str | tuple[int, int, int]) -> bytes:
    image = Image.new("RGB", (64, 48), "white")
    image.paste(color, (8, 8, 40, 40))
    out = io.BytesIO()
    image.save(out, format="PNG")
    return out.getvalue()


def problem(id_: str, question: str) -> Problem:
    return Problem(id=id_, source="scigenbench/scigen", question=question, answer="1", multimodal_question=question)


def parquet(path: Path, rows: list[tuple[bytes | None, str]], posed: list[str] | None = None) -> None:
    """A table of the hub's schema; the wording beside a picture is the question, unless `posed` has another."""
    from datasets import Dataset, Features, Value
    from datasets import Image as Picture

    names = ("original_question", "answer", "image_type", "multimodal_question")
    features = Features({"image": Picture(), **{name: Value("string") for name in names}})
    columns = {name: [question for _, question in rows] for name in names}
    columns["multimodal_question"] = posed or columns["multimodal_question"]
    images = [None if b is None else {"bytes": b, "path": None} for b, _ in rows]
    table = Dataset.from_dict({"image": images, **columns}, features=features)
    table.to_parquet(str(path))


def run(generator: PublishedImages, problems: list[Problem], folder: Path) -> Manifest:
    return generate(problems, generator, folder / "set", LocalEngine(lambda: Studio(folder / "responses")))


def test_each_problem_has_its_picture_or_a_status(tmp_path: Path) -> None:
    rows = [
        (png("red"), "How far  is it?"),
        (png("blue"), "Unknown?"),
        (b"broken", "How HEAVY is it?"),
        (png("green"), "How far is it?"),
        (None, "How long is it?"),
    ]
    parquet(tmp_path / "scigen.parquet", rows)
    problems = [
        problem("far", "How far is it?"),
        problem("again", "How far is it?"),
        problem("heavy", "How heavy is it?"),
        problem("none", "And then?"),
        problem("long", "How long is it?"),
    ]
    generator = PublishedImages(name="nanobanana_pro", system="nanobanana_pro", path=str(tmp_path))
    manifest = run(generator, problems, tmp_path)
    assert manifest.by_status == {"bad_image": 1, "no_image": 2, "ok": 2}
    records = {r.problem_id: r for r in read_set(tmp_path / "set", GeneratedImage)}
    far = records["far"]
    assert far.image is not None
    assert image_path(tmp_path / "set", far.image).read_bytes() == png("red"), "the first row, as it was published"
    assert (far.width, far.height, far.cost_usd, far.attempts) == (64, 48, 0, 0)
    assert records["again"].image == far.image
    assert far.vendor is not None
    assert "J017athan/SciGenBench" in (far.vendor.message or "")
    assert records["heavy"].status is Status.BAD_IMAGE
    assert records["none"].error is not None
    assert "no row" in records["none"].error.message
    assert records["long"].status is Status.NO_IMAGE
    assert records["long"].error is not None
    assert "scigen.parquet:5: the row holds no picture" in records["long"].error.message
    assert run(generator, problems, tmp_path) == manifest


def test_a_question_that_comes_twice_has_the_picture_of_each_wording(tmp_path: Path) -> None:
    posed = ["From the table, how much?", "From the sketch, how much?"]
    parquet(tmp_path / "scigen.parquet", [(png("red"), "How much?"), (png("blue"), "How much?")], posed)
    words = {"table": posed[0], "sketch": posed[1], "mended": "From another picture, how much?"}
    problems = [problem(k, "How much?").model_copy(update={"multimodal_question": v}) for k, v in words.items()]
    run(PublishedImages(name="x", system="seedream_4", path=str(tmp_path)), problems, tmp_path)
    images = {r.problem_id: r.image for r in read_set(tmp_path / "set", GeneratedImage)}
    red, blue = (hashlib.sha256(png(color)).hexdigest() for color in ("red", "blue"))
    assert images == {"table": red, "sketch": blue, "mended": red}


@pytest.mark.skipif(not DATA.exists(), reason="the benchmark's files are not beside the checkout")
def test_each_problem_of_the_published_benchmark_has_a_picture_of_its_own(tmp_path: Path) -> None:
    items = json.loads(DATA.read_text())
    pictures = {item["id"]: png((n % 256, n // 256, 90)) for n, item in enumerate(items)}
    rows: list[tuple[bytes | None, str]] = [(pictures[item["id"]], item["question"]) for item in items]
    parquet(tmp_path / "scigen.parquet", rows, [item.get("multimodal_question", "") for item in items])
    problems = [i.problem for i in SciGenBench(path=str(DATA), split="scigen").items() if i.problem is not None]
    assert len(problems) > 600
    run(PublishedImages(name="x", system="flux2_flex", path=str(tmp_path)), problems, tmp_path)
    digests = {hashlib.sha256(data).hexdigest() for data in pictures.values()}
    images = [r.image for r in read_set(tmp_path / "set", GeneratedImage)]
    assert len(images) == len(set(images) & digests) == len(problems)


def test_another_copy_is_another_set(tmp_path: Path) -> None:
    settings = []
    for n in range(2):
        (tmp_path / str(n)).mkdir()
        parquet(tmp_path / str(n) / "scigen.parquet", [(png("red"), f"{'so ' * n}far?")] * (n + 1))
        settings.append(PublishedImages(name="x", system="seedream_4", path=str(tmp_path / str(n))).settings())
    assert settings[0] != settings[1]


def test_an_unknown_system_is_named_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match="did you mean nanobanana"):
        PublishedImages(name="x", system="nanobananas")
    assert len(SYSTEMS) == len(set(SYSTEMS.values())) == 11
