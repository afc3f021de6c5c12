"""Defects of the reference implementation's image metrics: its number, and ours. CLIP's are in test_clip.py, FID's bias
in test_distances.py.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from scigen.evaluation import Item
from scigen.evaluation.image_metrics import ImageMetrics
from scigen.evaluation.image_metrics.canvas import on_canvas
from scigen.evaluation.image_metrics.controls import CONTROLS
from scigen.evaluation.image_metrics.pairs import pair_metrics
from scigen.records import GeneratedImage, Problem, Status, VerdictStatus
from scigen.store import image_path

SEEPHYS = Path(__file__).parents[4] / "shared" / "data" / "scigenbench" / "seephys_images"


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def wedge() -> Image.Image:
    image = Image.new("RGB", (512, 512), "white")
    draw = ImageDraw.Draw(image)
    draw.polygon([(60, 420), (450, 420), (450, 150)], outline="black", width=3)
    draw.ellipse([(230, 180), (310, 260)], outline="black", width=3)
    draw.text((100, 390), "30 deg", fill="black")
    return image


def old_psnr(real: Image.Image, made: Image.Image) -> float:
    """As published: the real picture is resized to the model's."""
    a, b = np.asarray(real.resize(made.size)) / 255, np.asarray(made) / 255
    return float(-10 * np.log10(((a - b) ** 2).mean()))


def test_defect_the_real_picture_is_resized_to_each_models_image() -> None:
    """The same drawing in three sizes: resized to it, the real picture gives PSNRs some dB apart; on the canvas, 1."""
    real = wedge()
    made = [CONTROLS["control_shifted_12px"](real).resize((s, s)) for s in (64, 512, 1024)]
    old = [old_psnr(real, image) for image in made]
    canvases = [on_canvas(png(image), 512) for image in made]
    ours = [found["psnr"] for found in pair_metrics(canvases[1:], [on_canvas(png(real), 512)] * 2)]
    assert max(old) - min(old) > 2
    assert abs(ours[1] - ours[0]) < 1


def test_defect_a_blank_page_beats_the_right_drawing_shifted() -> None:
    """PSNR and SSIM prefer nothing at all, and cannot be mended; so the blank page's row stands beside every other."""
    real, page = on_canvas(png(wedge())), np.full((512, 512, 3), 255, dtype=np.uint8)
    shifted = on_canvas(png(CONTROLS["control_shifted_12px"](wedge())))
    blank, moved = pair_metrics([page, shifted], [real, real])
    assert blank["psnr"] > moved["psnr"] + 2
    assert blank["ssim"] > moved["ssim"]
    assert {"control_blank", "control_shifted_12px"} <= CONTROLS.keys()


@pytest.mark.skipif(not SEEPHYS.is_dir(), reason="the SeePhys pictures are not at ../shared")
@pytest.mark.slow
def test_defect_a_blank_page_beats_the_right_drawing_shifted_on_real_pictures() -> None:
    files = sorted(SEEPHYS.glob("*.png"))[:40]
    real = [on_canvas(f.read_bytes()) for f in files]
    shifted = [on_canvas(png(CONTROLS["control_shifted_12px"](Image.open(f).convert("RGB")))) for f in files]
    blank = pair_metrics([np.full_like(real[0], 255)] * len(real), real)
    moved = pair_metrics(shifted, real)
    for measure in ("psnr", "ssim"):
        assert np.mean([f[measure] for f in blank]) > np.mean([f[measure] for f in moved])


def test_defect_minus_one_is_a_score(tmp_path: Path) -> None:
    """-1.0 for what failed, in a mean of 30 and 28, gives 19. A missing image and a missing CLIP have no measure."""
    assert np.mean([30, 28, -1.0]) == 19
    sha = "0" * 64
    problem = Problem(id="p", source="t", question="?", answer="1", image=sha, multimodal_question="?")
    item = Item(problem, GeneratedImage(problem_id="p", generator="g", status=Status.BLANK), tmp_path, tmp_path)
    none = ImageMetrics().unless_drawn(item)
    assert none is not None
    assert (none.status, none.measures) == (VerdictStatus.NO_IMAGE, {})
    page = np.full((64, 64, 3), 255, dtype=np.uint8)
    assert "clip_score" not in pair_metrics([page], [page])[0]
    assert image_path(tmp_path, sha).suffix == ".png"
