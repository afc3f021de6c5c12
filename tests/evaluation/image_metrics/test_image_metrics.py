"""The evaluator with its controls on real PNGs."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from scigen.evaluation import evaluate, items_of, verdict_set
from scigen.evaluation.evidence import Evidence
from scigen.evaluation.image_metrics import ImageMetrics, make_controls
from scigen.evaluation.image_metrics.controls import BLANK, CONTROLS, REFERENCE
from scigen.evaluation.image_metrics.extractors import packed, unpacked
from scigen.evaluation.image_metrics.sets import common_features, over_all, set_figures
from scigen.generators import Studio
from scigen.records import GeneratedImage, Problem, Status, Verdict
from scigen.store import SetWriter, read_set

pytestmark = pytest.mark.slow  # the sets take some seconds to make

COUNT = 12


def drawing(n: int, shift: int = 0) -> bytes:
    image = Image.new("RGB", (200, 150), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((20 + shift, 20, 60 + 8 * n + shift, 100), outline="black", width=2)
    draw.text((30 + shift, 110), f"{n} cm", fill="black")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve problems with a picture and one without; a generator that missed one and drew the others shifted."""
    sets = tmp_path_factory.mktemp("sets")
    with SetWriter(sets / "problems", Problem, "p") as problems:
        for n in range(COUNT + 1):
            sha = problems.put_image(drawing(n)) if n < COUNT else None
            problems.append(
                Problem(id=f"p{n:02d}", source="s", question="?", answer="9", multimodal_question="?", image=sha)
            )
        problems.finish()
    with SetWriter(sets / "g", GeneratedImage, "i") as images:
        for n in range(COUNT + 1):
            ok = n != 3
            images.append(
                GeneratedImage(
                    problem_id=f"p{n:02d}",
                    generator="g",
                    status=Status.OK if ok else Status.REFUSED,
                    image=images.put_image(drawing(n, shift=4)) if ok else None,
                )
            )
        images.finish()
    for name in [*make_controls(sets / "problems", sets), "g"]:
        items = items_of(sets / "problems", sets / name)
        folder = verdict_set(sets, name, "image_metrics")
        evaluate(items, ImageMetrics(side=224, batch=5), folder, lambda: Studio(sets / "responses"))
    return sets


@pytest.fixture(scope="module")
def evidence(sets: Path) -> Evidence:
    names = [*CONTROLS, "g"]
    return Evidence.read(sets / "problems", [sets / "g"], [verdict_set(sets, name, "image_metrics") for name in names])


def test_each_image_has_a_verdict(sets: Path) -> None:
    found = read_set(verdict_set(sets, "g", "image_metrics"), Verdict)
    assert Counter(v.status.value for v in found) == {"scored": 11, "no_image": 1, "not_applicable": 1}
    for verdict in found:
        assert set(verdict.measures) == ({"psnr", "ssim", "ms_ssim"} if verdict.status.value == "scored" else set())
        assert bool(verdict.features) == (verdict.status.value == "scored")
    assert -1.0 not in [value for v in found for value in v.measures.values()], "what was not measured has no value"


def test_the_controls_rank_as_they_must(evidence: Evidence) -> None:
    def mean(name: str, measure: str) -> float:
        return float(np.mean([v.measures[measure] for v in evidence.verdicts_of(name, "image_metrics") if v.measures]))

    assert mean(REFERENCE, "psnr") == 120
    assert mean(REFERENCE, "ssim") == pytest.approx(1)
    blank, shifted = BLANK, "control_shifted_12px"
    assert mean(blank, "psnr") > mean(shifted, "psnr")
    assert mean("control_jpeg_50", "ssim") > mean("control_quarter_size", "ssim") > mean(shifted, "ssim")


def test_a_missing_image_counts_as_a_blank_page(evidence: Evidence) -> None:
    """A metric has no value for it; leaving it out would reward whoever draws only what is easy."""
    found = over_all(evidence, "g", "psnr")
    blank = {v.problem_id: v.measures["psnr"] for v in evidence.verdicts_of(BLANK, "image_metrics")}
    assert len(found) == COUNT
    assert found["p03"] == blank["p03"]


def test_sets_are_compared_problem_by_problem(evidence: Evidence) -> None:
    pair = common_features(evidence, "g")
    assert pair is not None
    assert pair[0].shape == pair[1].shape == (11, 1280)
    figures = set_figures(evidence, "g")
    assert figures["kid"].n == 11
    nothing = set_figures(evidence, REFERENCE)
    assert nothing["fid"].value == pytest.approx(0, abs=1e-6)
    assert nothing["kid"].value < figures["kid"].value


def test_no_pair_leaves_fid_because_another_metric_failed(evidence: Evidence) -> None:
    """In the reference implementation an error of CLIP drops the pair from FID too. Here every image that was measured
    has features, and one that could not be is counted by its status."""
    verdicts = evidence.verdicts_of("g", "image_metrics")
    assert {v.problem_id for v in verdicts if v.features} == {
        v.problem_id for v in verdicts if v.status.value == "scored"
    }


def test_sets_seen_by_two_networks_are_not_compared(evidence: Evidence) -> None:
    other = [v.model_copy(update={"model": "inception"}) if v.generator == "g" else v for v in evidence.verdicts]
    assert set_figures(Evidence(evidence.problems, evidence.images, tuple(other)), "g") == {}


def test_features_survive_a_record() -> None:
    vector = np.random.default_rng(0).normal(size=1280).astype(np.float32)
    assert (unpacked(packed(vector)) == vector).all()
