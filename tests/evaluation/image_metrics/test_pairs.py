"""PSNR, SSIM, canvas and evaluator, against scikit-image and by hand."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from scigen import torchvision_shim
from scigen.evaluation import evaluate, items_of
from scigen.evaluation.evidence import Evidence
from scigen.evaluation.image_metrics import ImageMetrics, make_controls
from scigen.evaluation.image_metrics.canvas import on_canvas
from scigen.evaluation.image_metrics.evaluator import feature_vectors
from scigen.evaluation.image_metrics.extractors import packed, unpacked
from scigen.evaluation.image_metrics.pairs import IDENTICAL_DB, pair_metrics
from scigen.evaluation.image_metrics.sets import over_all, set_figures
from scigen.generators import Studio
from scigen.records import GeneratedImage, Problem, Status, Verdict, VerdictStatus
from scigen.store import SetWriter, read_set


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def drawing(seed: int = 0, size: tuple[int, int] = (400, 300)) -> Image.Image:
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        draw.line([(float(x * size[0]), float(y * size[1])) for x, y in rng.random((2, 2))], fill="black", width=2)
    return image


def noise(seed: int, side: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3)).astype(np.uint8)


def test_the_canvas_keeps_the_aspect_on_white() -> None:
    """200 x 100 in black fills the canvas's width and, centred, half its height."""
    canvas = on_canvas(png(Image.new("RGB", (200, 100), "black")), 64)
    assert canvas.shape == (64, 64, 3)
    assert (canvas[16:48] == 0).all()
    assert (canvas[:16] == 255).all()
    assert (canvas[48:] == 255).all()


def test_transparency_shows_white() -> None:
    assert (on_canvas(png(Image.new("RGBA", (10, 10), (0, 0, 0, 0))), 64) == 255).all()


def test_psnr_by_hand() -> None:
    """Each value off by 51 of 255: 10 log10(1 / 0.2^2) = 13.979 dB. Equal pictures have 120, as inf is no number."""
    a, b = (np.full((64, 64, 3), v, dtype=np.uint8) for v in (100, 151))
    found = pair_metrics([a, a], [b, a])
    assert found[0]["psnr"] == pytest.approx(13.9794, abs=1e-3)
    assert (found[1]["psnr"], found[1]["ssim"]) == (IDENTICAL_DB, pytest.approx(1))
    assert "ms_ssim" not in found[0]


def test_psnr_and_ssim_are_scikit_images() -> None:
    drawn = on_canvas(png(drawing()), 192)
    moved = np.roll(drawn, 5, axis=0)
    for a, b in ((drawn, moved), (noise(0, 192), noise(1, 192)), (np.full_like(drawn, 255), drawn)):
        ours = pair_metrics([a], [b])[0]
        x, y = a / 255, b / 255
        ssim = structural_similarity(
            y, x, data_range=1, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        assert ours["psnr"] == pytest.approx(peak_signal_noise_ratio(y, x, data_range=1), abs=1e-4)
        assert ours["ssim"] == pytest.approx(ssim, abs=1e-6)


def test_ms_ssim_is_that_of_its_definition() -> None:
    """Five scales with scipy's Gaussian in float64: contrast and structure at four, all of SSIM at the last."""
    drawn = on_canvas(png(drawing()), 256)
    a, b = drawn / 255, np.roll(drawn, 2, axis=1) / 255
    expected = 1.0
    for n, power in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        x, y, xx, yy, xy = (
            gaussian_filter(z, sigma=(1.5, 1.5, 0), truncate=3.5)[5:-5, 5:-5] for z in (a, b, a * a, b * b, a * b)
        )
        contrast = (2 * (xy - x * y) + 0.0009) / (xx - x * x + yy - y * y + 0.0009)
        brightness = (2 * x * y + 0.0001) / (x * x + y * y + 0.0001)
        expected *= float((contrast * (brightness if n == 4 else 1)).mean()) ** power
        side = len(a) // 2
        a, b = (z[: 2 * side, : 2 * side].reshape(side, 2, side, 2, 3).mean(axis=(1, 3)) for z in (a, b))
    (found,) = pair_metrics([drawn], [np.roll(drawn, 2, axis=1)])
    assert found["ms_ssim"] == pytest.approx(expected, abs=1e-5)


@pytest.mark.slow
def test_ssim_and_ms_ssim_are_torchmetrics_but_for_the_border() -> None:
    """torchmetrics also averages over the mirrored border: 5 of 256 pixels a side, more of the smaller scales."""
    torchvision_shim.install()
    import torch
    from torchmetrics.functional.image import (
        multiscale_structural_similarity_index_measure,
        structural_similarity_index_measure,
    )

    one, other = noise(0, 256), np.clip(noise(0, 256).astype(int) + noise(1, 256) // 4, 0, 255).astype(np.uint8)
    a, b = (torch.from_numpy(x).permute(2, 0, 1)[None].double() / 255 for x in (one, other))
    (found,) = pair_metrics([one], [other])
    assert found["ssim"] == pytest.approx(float(structural_similarity_index_measure(a, b, data_range=1.0)), abs=0.01)
    theirs = float(multiscale_structural_similarity_index_measure(a, b, data_range=1.0))
    assert found["ms_ssim"] == pytest.approx(theirs, abs=0.03)


def test_the_batch_does_not_matter() -> None:
    a, b = [noise(n, 64) for n in range(3)], [noise(n + 9, 64) for n in range(3)]
    assert pair_metrics(a, b) == [pair_metrics([x], [y])[0] for x, y in zip(a, b, strict=True)]


def test_features_are_kept_to_the_bit_in_a_record() -> None:
    vector = np.random.default_rng(0).normal(size=1280).astype(np.float32)
    assert (unpacked(packed(vector)) == vector).all()


def test_the_packaged_network_sees_a_drawing_and_the_same_one_shifted_as_alike() -> None:
    drawn, blank = on_canvas(png(drawing())), np.full((512, 512, 3), 255, dtype=np.uint8)
    real, shifted, nothing = feature_vectors([drawn, np.roll(drawn, 12, axis=(0, 1)), blank], "efficientnet")
    assert real.shape == (1280,)
    assert np.linalg.norm(real - shifted) < 0.7 * np.linalg.norm(real - nothing)


def sets(folder: Path, count: int = 9) -> Path:
    """Problems p0.. with pictures and one without; generator g drew all but p0."""
    with (
        SetWriter(folder / "problems", Problem, "p") as problems,
        SetWriter(folder / "g", GeneratedImage, "i") as images,
    ):
        for n in range(count + 1):
            shown = problems.put_image(png(drawing(n))) if n < count else None
            problems.append(
                Problem(id=f"p{n}", source="t", question="?", answer="1", image=shown, multimodal_question="?")
            )
            if n == 0:
                images.append(GeneratedImage(problem_id="p0", generator="g", status=Status.BLANK))
            else:
                sha = images.put_image(png(drawing(n + 100)))
                images.append(GeneratedImage(problem_id=f"p{n}", generator="g", status=Status.OK, image=sha))
        problems.finish()
        images.finish()
    return folder / "problems"


def evidence(folder: Path) -> Evidence:
    problems = sets(folder)
    verdicts: list[Verdict] = []
    for name in ("g", *make_controls(problems, folder)):
        place = folder / "verdicts" / name
        items = items_of(problems, folder / name)
        evaluate(items, ImageMetrics(side=64, batch=4), place, lambda: Studio(folder / "responses"))
        verdicts += read_set(place, Verdict)
    return Evidence.of(read_set(problems, Problem), verdicts=verdicts)


@pytest.mark.slow
def test_a_run_over_a_generator_and_its_controls(tmp_path: Path) -> None:
    found = evidence(tmp_path)
    of = {v.problem_id: v for v in found.verdicts_of("g", "image_metrics")}
    assert [of[f"p{n}"].status.value for n in range(10)] == ["no_image", *["scored"] * 8, "not_applicable"]
    assert not any(v.passed for v in of.values())
    assert (of["p0"].measures, of["p0"].features) == ({}, "")
    assert of["p1"].model == "efficientnet"
    same = set_figures(found, "control_reference")
    assert (same["fid"].value, same["kid"].n) == (pytest.approx(0, abs=1e-6), 9)
    assert all(v.measures["psnr"] == IDENTICAL_DB for v in found.verdicts_of("control_reference", "image_metrics"))
    ours = set_figures(found, "g")
    assert ours["kid"].n == 8
    assert ours["fid"].value < set_figures(found, "control_blank")["fid"].value
    # a missing image has no PSNR of its own: over all, it is the blank page's
    blank = next(v for v in found.verdicts_of("control_blank", "image_metrics") if v.problem_id == "p0")
    assert over_all(found, "g", "psnr")["p0"] == blank.measures["psnr"]
    assert len(over_all(found, "g", "psnr")) == 9
    assert VerdictStatus.NOT_APPLICABLE is of["p9"].status
