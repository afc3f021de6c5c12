"""Pictures are read, whatever drew them, and held against their problem. No network, one engine a process."""

from __future__ import annotations

import io
import socket
from pathlib import Path

import pytest
import yaml

from scigen.app.settings import build
from scigen.errors import ScigenError
from scigen.evaluation import Item
from scigen.evaluation.ocr import Ocr
from scigen.evaluation.ocr.evaluator import leaked
from scigen.evaluation.ocr.reader import engine, read
from scigen.records import Box, DrawnText, Finding, FindingKind, GeneratedImage, Problem, Status, VerdictStatus
from scigen.store import image_path

CONF = Path(__file__).parents[3] / "conf" / "evaluator" / "ocr.yaml"
SEEPHYS = Path(__file__).parents[4] / "shared" / "data" / "scigenbench" / "seephys_images"
OCR: Ocr = build(yaml.safe_load(CONF.read_text()), "evaluator.ocr")
PROBLEM = Problem(
    id="p",
    source="t",
    question="A block of 8.2 kg hangs from two springs. How long is the rope?",
    answer="72.8",
    elements=("m = 8.2 kg", "θ = 25°", "block", "A", r"$\frac{k}{2}$"),
    multimodal_question="How long?",
)

pytestmark = pytest.mark.slow  # reading takes most of a second an image
SHOWN = {"m = 8.2 kg": (0.3, 0.8), "θ = 25°": (0.7, 0.8), "block": (0.3, 0.3), "A": (0.7, 0.3)}


def png(texts: dict[str, tuple[float, float]], rotation: float = 0, size: tuple[float, float] = (4, 3)) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(size, dpi=100)
    for text, (x, y) in texts.items():
        figure.text(x, y, text, fontsize=12, ha="center", va="center", rotation=rotation)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def item(folder: Path, picture: bytes, **fields: object) -> Item:
    path = image_path(folder, "ab" * 32)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture)
    record = GeneratedImage(problem_id="p", generator="g", status=Status.OK, image="ab" * 32, **fields)
    return Item(PROBLEM, record, folder, folder)


def test_a_picture_is_read_where_it_stands_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refused)
    engine.cache_clear()
    picture = png(SHOWN)
    texts = read(picture)
    assert sorted(t.text.replace(" ", "") for t in texts) == sorted(t.replace(" ", "") for t in SHOWN)
    block = next(t for t in texts if t.text == "block").box
    assert (block.cx, block.cy) == (pytest.approx(0.3 * 400, abs=4), pytest.approx(0.7 * 300, abs=4))
    assert read(picture) == texts
    assert engine() is engine()


def test_turned_texts_are_read() -> None:
    assert [t.text for t in read(png({"velocity": (0.5, 0.5)}, rotation=90))] == ["velocity"]


def test_all_is_right(tmp_path: Path) -> None:
    """The drawing is not used: the picture passes without one."""
    verdict = OCR.look(item(tmp_path, png(SHOWN)))
    assert (verdict.status, verdict.passed, verdict.findings) == (VerdictStatus.SCORED, True, ())
    confidence = verdict.measures["confidence"]
    assert verdict.measures == {
        "labels": 4,
        "unreadable": 1,
        "texts": 4,
        "garbled": 0,
        "coverage": 1,
        "confidence": confidence,
    }
    assert confidence > 0.9
    assert "block" in verdict.texts


def test_a_missing_label_a_leak_and_garbled_print_are_found(tmp_path: Path) -> None:
    shown = {k: v for k, v in SHOWN.items() if k != "θ = 25°"}
    verdict = OCR.look(item(tmp_path, png({**shown, "N = 72.8 N": (0.7, 0.8), "Vlelocjty": (0.5, 0.1)})))
    assert {(f.kind, f.texts) for f in verdict.findings} == {
        (FindingKind.NOT_COVERED, ("θ = 25°",)),
        (FindingKind.LEAK, ("N = 72.8 N",)),
        (FindingKind.GARBLED, ("Vlelocjty",)),
    }
    assert not verdict.passed
    assert verdict.measures["coverage"] == 0.75
    assert verdict.measures["garbled"] == 0.2


@pytest.mark.parametrize(
    ("answer", "text", "shown"),
    [
        ("O", "O", False),  # an atom
        ("O", "atom = 0", True),
        ("30°", "angle = 30", True),
        ("1.86", "F = 1,86 N", False),
        ("1.86", "F=1.86N", True),
        ("8.2", "m = 8.2 kg", False),  # given
        ("Met-Phe", "Met-Phe", True),
        ("1", "I", False),  # a stroke
        ("1", "n = 1", True),
    ],
)
def test_the_answer_is_found_in_what_was_read(answer: str, text: str, shown: bool) -> None:
    drawn = DrawnText(text=text, box=Box(cx=0, cy=0, width=9, height=9), size=9)
    assert bool(list(leaked(PROBLEM.model_copy(update={"answer": answer}), [drawn]))) is shown


def test_thresholds_decide() -> None:
    """Three labels of four, one text of four garbled; no label at all."""
    missing = Finding(kind=FindingKind.NOT_COVERED, detail="")
    measures = {"coverage": 0.75, "garbled": 0.25}
    assert Ocr(least_coverage=0.75, most_garbled=0.25).passes([missing], measures)
    assert not Ocr(least_coverage=0.76, most_garbled=0.25).passes([missing], measures)
    assert not Ocr(least_coverage=0.75, most_garbled=0.24).passes([missing], measures)
    lenient = Ocr(least_coverage=0, most_garbled=1)
    assert lenient.passes([], {"garbled": 0})
    assert not lenient.passes([Finding(kind=FindingKind.LEAK, detail="")], {"garbled": 0})


def test_a_blank_picture_is_scored_and_a_missing_one_is_not(tmp_path: Path) -> None:
    blank = OCR.look(item(tmp_path, png({}, size=(1, 1))))
    assert (blank.status, blank.passed, blank.measures["coverage"]) == (VerdictStatus.SCORED, False, 0)
    bare = Item(
        PROBLEM.model_copy(update={"elements": ()}), item(tmp_path, png({}, size=(1, 1))).image, tmp_path, tmp_path
    )
    assert OCR.look(bare).status is VerdictStatus.NOT_APPLICABLE
    none = GeneratedImage(problem_id="p", generator="g", status=Status.BLANK)
    verdict = OCR.look(Item(PROBLEM, none, tmp_path, tmp_path))
    assert (verdict.status, verdict.passed) == (VerdictStatus.NO_IMAGE, False)


def test_bytes_that_are_no_picture_stop_the_run_in_words(tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match="p/g: the image cannot be opened"):
        OCR.look(item(tmp_path, b"GIF89a and no more"))


def test_print_at_a_glance_is_enlarged(tmp_path: Path) -> None:
    """A picture of 96 px with letters of 13 px."""
    from PIL import Image

    with Image.open(io.BytesIO(png({"A": (0.25, 0.3), "24": (0.7, 0.7)}, size=(0.96, 0.96)))) as picture:
        assert picture.size == (96, 96)
    assert {t.text for t in read(png({"A": (0.25, 0.3), "24": (0.7, 0.7)}, size=(0.96, 0.96)))} == {"A", "24"}


@pytest.mark.skipif(not SEEPHYS.is_dir(), reason="the SeePhys images are not beside this checkout")
def test_real_pictures_are_read() -> None:
    found = [read(path.read_bytes()) for path in sorted(SEEPHYS.iterdir())[:1]]
    assert all(0 <= t.confidence <= 1 for texts in found for t in texts)


@pytest.mark.slow
@pytest.mark.skipif(not SEEPHYS.is_dir(), reason="the SeePhys images are not beside this checkout")
def test_many_real_pictures_are_read(full: bool) -> None:
    found = [read(path.read_bytes()) for path in sorted(SEEPHYS.iterdir())[:: 5 if full else 15]]
    assert sum(map(bool, found)) > 0.8 * len(found)
