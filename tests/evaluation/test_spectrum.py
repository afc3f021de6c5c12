"""Spectra in closed form: gratings, noise, Parseval; and against the real pictures."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import fft

from scigen.evaluation.base import Item
from scigen.evaluation.evidence import Evidence
from scigen.evaluation.image_metrics.controls import REFERENCE
from scigen.evaluation.spectrum import Spectrum, against_reference, mean_profile, power_spectrum, ring_sums, set_figures
from scigen.records import GeneratedImage, Problem, Status, Verdict, VerdictStatus
from scigen.store import image_path

SIDE = 128


def grating(cycles: float) -> np.ndarray:
    """A cosine of so many periods across the page."""
    return np.tile(0.5 + 0.5 * np.cos(2 * np.pi * cycles * np.arange(SIDE) / SIDE), (SIDE, 1))


@pytest.mark.parametrize("cycles", [4, 16, 40, 60])
def test_a_gratings_energy_lies_in_its_ring(cycles: int) -> None:
    """Nyquist's frequency is 64 periods a page, so of 32 rings the one that holds cycles / 64. Hann's window spreads a
    line over three frequencies, which are one or two rings."""
    energy, _ = ring_sums(power_spectrum(grating(cycles)), 32)
    ring = int(cycles / 64 * 32)
    assert energy[max(0, ring - 1) : ring + 2].sum() / energy.sum() > 0.999


def test_white_noise_is_flat() -> None:
    noise = np.random.default_rng(0).normal(size=(SIDE, SIDE))
    energy, pixels = ring_sums(power_spectrum(noise), 16)
    mean = energy / pixels
    assert mean[2:].max() / mean[2:].min() < 1.6
    assert energy[8:].sum() / energy.sum() == pytest.approx(0.75, abs=0.02), "area of the outer half: 1 - (1/2)^2"


def test_power_is_parsevals_and_scipys() -> None:
    page = np.random.default_rng(1).random((SIDE, SIDE))
    window = np.hanning(SIDE)[:, None] * np.hanning(SIDE)[None, :]
    moved = (page - page.mean()) * window
    power = power_spectrum(page)
    assert power.sum() == pytest.approx((moved**2).sum() * SIDE**2)
    assert np.allclose(power, np.fft.fftshift(np.abs(fft.fft2(moved)) ** 2))


def item(folder: Path, array: np.ndarray, n: int = 0, generator: str = "g") -> Item:
    out = io.BytesIO()
    Image.fromarray((255 * array).astype(np.uint8)).save(out, "PNG")
    sha = f"{n:064d}"
    image_path(folder, sha).parent.mkdir(parents=True, exist_ok=True)
    image_path(folder, sha).write_bytes(out.getvalue())
    problem = Problem(id=f"p{n}", source="s", question="?", answer="9", multimodal_question="?")
    image = GeneratedImage(problem_id=f"p{n}", generator=generator, status=Status.OK, image=sha)
    return Item(problem, image, folder, folder)


def test_fine_detail_is_high_frequency(tmp_path: Path) -> None:
    spectrum = Spectrum(side=SIDE, rings=32)
    coarse, fine = (spectrum.look(item(tmp_path, grating(c), c)).measures["high_frequency"] for c in (8, 48))
    assert coarse < 0.01
    assert fine > 0.99
    verdict = spectrum.look(item(tmp_path, grating(8)))
    assert len(verdict.profile) == 32
    assert sum(verdict.profile) == pytest.approx(1, abs=1e-4)


def test_a_page_of_one_colour_has_no_spectrum(tmp_path: Path) -> None:
    verdict = Spectrum(side=SIDE).look(item(tmp_path, np.ones((50, 50))))
    assert (verdict.status, verdict.measures, verdict.profile) == (VerdictStatus.NOT_APPLICABLE, {}, ())


def verdict(n: int, generator: str, high: float) -> Verdict:
    return Verdict(
        problem_id=f"p{n}",
        generator=generator,
        evaluator="spectrum",
        status=VerdictStatus.SCORED,
        measures={"high_frequency": high},
        profile=(high, 1 - high),
    )


def test_energy_against_the_real_pictures_by_hand() -> None:
    """Means 0.3 and 0.2 over the common problems: a ratio of 1.5."""
    problems = [Problem(id=f"p{n}", source="s", question="?", answer="9", multimodal_question="?") for n in range(30)]
    verdicts = [verdict(n, REFERENCE, 0.1 + 0.2 * (n % 2)) for n in range(30)]
    verdicts += [verdict(n, "g", 0.2 + 0.2 * (n % 2)) for n in range(20)]
    evidence = Evidence.of(problems, (), verdicts)
    found = against_reference(evidence, "g")
    assert found is not None
    assert (found.value, found.n) == (pytest.approx(1.5), 20)
    assert found.low <= 1.5 <= found.high
    assert set_figures(evidence, "none") == {}
    profile = mean_profile(evidence, "g")
    assert profile is not None
    mean, low, high, n = profile
    assert n == 20
    assert (low <= mean).all()
    assert (mean <= high).all()
