"""Boxes lie where the text was drawn, chips say what happened, the chain leads from parquet row to parameters."""

from __future__ import annotations

import hashlib
import io
from itertools import pairwise

from PIL import Image

from scigen.analysis.cards import EMBED_BYTES, Chip, card, cards, shrink, text_boxes
from scigen.analysis.results import RunResults
from scigen.records import Box, Defect, Drawing, DrawnText


def test_box_turns_as_svg_wants_it(small_run: RunResults) -> None:
    # centre (100, 50), 40 x 10 px, turned 30 degrees anticlockwise; SVG's rotate turns clockwise, y is down in both
    text = DrawnText(text="m", box=Box(cx=100, cy=50, width=40, height=10, angle=30), size=12)
    image = small_run.samples[0].image.model_copy(update={"drawing": Drawing(texts=(text,))})
    (box,) = text_boxes(small_run.samples[0].model_copy(update={"image": image}), ())
    assert (box.x, box.y, box.width, box.height) == (80, 45, 40, 10)
    assert box.transform == "rotate(-30 100 50)"
    assert not box.at_fault


def test_boxes_cover_the_ink(small_run: RunResults) -> None:
    """Every box of a real drawing holds dark pixels."""
    sample = small_run.samples[0]
    assert sample.png is not None
    with Image.open(io.BytesIO(sample.png)) as image:
        grey = image.convert("L")
    boxes = text_boxes(sample, ())
    assert len(boxes) == 5  # two lengths and three vertices
    for box in boxes:
        low, _ = grey.crop(
            (int(box.x), int(box.y), int(box.x + box.width) + 1, int(box.y + box.height) + 1)
        ).getextrema()
        assert low < 128, box


def test_chips(small_run: RunResults, run_without_image: RunResults) -> None:
    plain, glance, planted = cards(small_run)
    assert plain.chips == (Chip("checks passed", "good"),)
    assert plain.classes == "textbook"
    assert "glance" in glance.classes.split()
    assert planted.chips == (Chip("planted: overlapping text", "plain"), Chip("found: overlap", "good"))
    assert planted.classes.split() == ["textbook", "planted", "found"]
    assert sum(b.at_fault for b in planted.boxes) >= 2
    (failed,) = cards(run_without_image)
    assert failed.chips == (Chip("no image: code error", "bad"),)
    assert failed.picture is None


def test_a_planted_defect_that_passes_is_called_missed(small_run: RunResults) -> None:
    sample = small_run.samples[0]
    image = sample.image.model_copy(update={"planted_defect": Defect.WRONG_VALUE})
    result = card(small_run, sample.model_copy(update={"image": image}), "x")
    assert result.chips == (Chip("planted: wrong value", "plain"), Chip("checks passed: missed", "bad"))


def test_chain_leads_from_row_to_parameters(small_run: RunResults) -> None:
    glance = cards(small_run)[1]
    sample = glance.sample
    assert [link.what for link in glance.chain] == [
        "parquet row", "filter decision", "check", "image", "code", "problem", "parameters",
    ]  # fmt: skip
    row, decision, check, image, code, problem, parameters = glance.chain
    assert row.where == "sets/trainset-real/held_out.parquet, row 0 (counted from 0)"
    assert (decision.text, decision.href) == (
        "kept: passed (held out)", "sets/trainset-real/decisions/records.jsonl",
    )  # fmt: skip
    assert check.text == "glassbox: passed, 0 findings"
    assert sample.png is not None
    digest = hashlib.sha256(sample.png).hexdigest()
    assert image.href == f"sets/images/images/{digest[:2]}/{digest}.png"
    assert hashlib.sha256((sample.image.code or "").encode()).hexdigest()[:16] in code.text
    assert problem.text == f"id {sample.problem.id}, source procedural"
    assert sample.problem.procedure is not None
    assert str(sample.problem.procedure.params["angle"]) in parameters.text


def test_what_is_not_in_the_train_set_says_so(small_run: RunResults) -> None:
    textbook = cards(small_run)[0]
    assert textbook.chain[0].text == "none: not in the train set"
    assert textbook.chain[1].text == "left out: not for this policy: needs more than 96 px (train)"


def test_anchors_are_in_order(small_run: RunResults) -> None:
    numbers = [int(c.anchor.removeprefix("sample-")) for c in cards(small_run)]
    assert numbers[0] == 1
    assert all(b == a + 1 for a, b in pairwise(numbers))


def test_large_pictures_are_made_smaller_and_small_ones_left_alone(small_run: RunResults) -> None:
    small = small_run.samples[0].png
    assert small is not None
    assert shrink(small) == small
    out = io.BytesIO()
    Image.effect_noise((400, 400), 60).convert("RGB").save(out, format="PNG", compress_level=0)
    large = out.getvalue()
    assert len(large) > EMBED_BYTES
    result = shrink(large)
    assert len(result) < len(large) / 2
    with Image.open(io.BytesIO(result)) as image:
        assert image.size == (400, 400)
