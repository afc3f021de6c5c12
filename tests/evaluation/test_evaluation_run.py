"""One verdict an image, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from scigen.errors import ScigenError
from scigen.evaluation import Evaluator, Glassbox, Item, evaluate, items_of
from scigen.evaluation.image_metrics import ImageMetrics
from scigen.evaluation.run import settings_of
from scigen.evaluation.spectrum import Spectrum
from scigen.generators import Studio
from scigen.records import Box, Drawing, DrawnText, GeneratedImage, Problem, Status, Verdict
from scigen.shards import Shard
from scigen.store import SetWriter, read_set


def make_sets(folder: Path) -> list[Item]:
    """A drawn image that is right, one of which nothing is known, and one that failed."""
    shown = DrawnText(text="5", box=Box(cx=50, cy=50, width=20, height=10), size=12)
    drawn = Drawing(texts=(shown,))
    with (
        SetWriter(folder / "problems", Problem, "p") as problems,
        SetWriter(folder / "g", GeneratedImage, "i") as images,
    ):
        for n in range(3):
            problems.append(
                Problem(id=f"p{n}", source="t", question="?", answer="99", elements=("5",), multimodal_question="?")
            )
        sha = images.put_image(b"png")
        images.append(GeneratedImage(problem_id="p0", generator="g", status=Status.OK, image=sha, drawing=drawn))
        images.append(GeneratedImage(problem_id="p1", generator="g", status=Status.OK, image=sha))
        images.append(GeneratedImage(problem_id="p2", generator="g", status=Status.BLANK))
        problems.finish()
        images.finish()
    return items_of(folder / "problems", folder / "g")


def studio(folder: Path) -> Studio:
    return Studio(folder / "responses")


def test_a_set_is_evaluated_once_and_resumed(tmp_path: Path) -> None:
    items = make_sets(tmp_path)
    first = evaluate(items, Glassbox(), tmp_path / "checks", lambda: studio(tmp_path))
    results = read_set(tmp_path / "checks", Verdict)
    assert {r.key: (r.status.value, r.passed) for r in results} == {
        "p0/g/glassbox": ("scored", True),
        "p1/g/glassbox": ("not_applicable", False),
        "p2/g/glassbox": ("no_image", False),
    }
    assert evaluate(items, Glassbox(), tmp_path / "checks", lambda: studio(tmp_path)) == first
    assert not list(tmp_path.glob("checks.old-*"))


def test_the_settings_lie_beside_the_verdicts(tmp_path: Path) -> None:
    items, folder = make_sets(tmp_path), tmp_path / "checks"
    assert settings_of(folder) == {}
    evaluate(items, Glassbox(), folder, lambda: studio(tmp_path))
    assert settings_of(folder) == Glassbox().settings()
    (folder / "settings.json").write_text("{")
    with pytest.raises(ScigenError, match=r"settings\.json: not JSON .*Delete it, or evaluate again"):
        settings_of(folder)


def test_in_processes_the_verdicts_are_the_same(tmp_path: Path) -> None:
    items = make_sets(tmp_path)
    here = evaluate(items, Glassbox(), tmp_path / "here", lambda: studio(tmp_path))
    there = evaluate(items, Glassbox(workers=2), tmp_path / "there", lambda: studio(tmp_path))
    assert here == there


def test_shards_merge_to_the_whole(tmp_path: Path) -> None:
    items = make_sets(tmp_path)
    for number in (1, 2):
        part = evaluate(items, Glassbox(), tmp_path / "checks", lambda: studio(tmp_path), shard=Shard(number, 2))
        assert part.count == (2, 1)[number - 1]
    seen: list[Verdict] = []
    merged = evaluate(items, Glassbox(), tmp_path / "checks", lambda: studio(tmp_path), watch=seen.append)
    assert (merged.count, seen) == (3, [])
    assert merged == evaluate(items, Glassbox(), tmp_path / "whole", lambda: studio(tmp_path))


@pytest.mark.parametrize("evaluator", [Spectrum(workers=0), ImageMetrics(side=64)])
def test_a_picture_that_is_torn_is_an_error_that_names_it(tmp_path: Path, evaluator: Evaluator) -> None:
    items = make_sets(tmp_path)[:1]
    pictured = items[0].problem.model_copy(update={"image": items[0].image.image})
    torn = Item(pictured, items[0].image, tmp_path / "g", tmp_path / "g")
    with pytest.raises(ScigenError, match=r"p0/g: the image.* unreadable"):
        evaluate([torn], evaluator, tmp_path / "v", lambda: studio(tmp_path))


def test_an_image_of_another_problem_set_is_an_error(tmp_path: Path) -> None:
    make_sets(tmp_path)
    with SetWriter(tmp_path / "others", Problem, "o") as problems:
        problems.finish()
    with pytest.raises(ScigenError, match=r"p0/g of .*: there is no problem p0"):
        items_of(tmp_path / "others", tmp_path / "g")
