"""Radially averaged power spectra: synthetic images carry more high-frequency energy than real ones (paper, section 4).

The canvas in grey, less its mean, under a Hann window; the power of its Fourier transform, averaged over rings of equal
width from 0 to the Nyquist frequency. What lies in the corners beyond is left out of the rings and of all sums.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from scigen.evaluation.base import Item
from scigen.evaluation.evidence import Evidence
from scigen.evaluation.image_metrics.canvas import SIDE, on_canvas
from scigen.evaluation.image_metrics.controls import REFERENCE
from scigen.evaluation.local import LocalEvaluator
from scigen.records import Verdict, VerdictStatus
from scigen.statistics import Estimate, paired_ratio

GREY = np.array([0.299, 0.587, 0.114])
"""ITU-R BT.601."""
HIGH = 0.5
"""Share of the Nyquist frequency from which a frequency is high."""
NAME = "spectrum"


class Spectrum(LocalEvaluator):
    """Measures any image: its spectrum, and the share of its energy at high frequencies."""

    VERSION: ClassVar[int] = 1

    name: str = NAME
    side: int = Field(default=SIDE, ge=64, le=2048)
    rings: int = Field(default=64, ge=8, le=256)

    def look(self, item: Item) -> Verdict:
        """`profile`: mean power in each ring over the sum of these; `high_frequency`: 0 to 1.

        An image of one colour has no energy to share: it is not applicable.
        """
        if (none := self.unless_drawn(item)) is not None:
            return none
        power = power_spectrum(on_canvas(item.png(), self.side) @ GREY)
        energy, pixels = ring_sums(power, self.rings)
        if energy.sum() == 0:
            return self.verdict(item, VerdictStatus.NOT_APPLICABLE, error="the image is of one colour")
        mean = energy / np.maximum(pixels, 1)
        high = energy[round(HIGH * self.rings) :].sum() / energy.sum()
        return self.verdict(
            item,
            VerdictStatus.SCORED,
            measures={"high_frequency": float(high)},
            profile=tuple(float(f"{x:.6g}") for x in mean / mean.sum()),
        )


def power_spectrum(grey: NDArray[np.floating]) -> NDArray[np.float64]:
    """(side, side) to (side, side): squared modulus of the transform, frequency 0 in the middle."""
    side = len(grey)
    window = np.hanning(side)[:, None] * np.hanning(side)[None, :]
    moved = (grey - grey.mean()) * window
    return np.asarray(np.fft.fftshift(np.abs(np.fft.fft2(moved)) ** 2), dtype=np.float64)


def ring_sums(power: NDArray[np.floating], rings: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(energy, number of frequencies) in `rings` rings between frequency 0 and Nyquist's."""
    side = len(power)
    place = np.arange(side) - side // 2
    radius = np.hypot(place[:, None], place[None, :]) / (side / 2)
    inside = radius < 1
    ring = np.minimum((radius[inside] * rings).astype(int), rings - 1)
    return (
        np.asarray(np.bincount(ring, weights=power[inside], minlength=rings), dtype=np.float64),
        np.asarray(np.bincount(ring, minlength=rings), dtype=np.int64),
    )


def against_reference(evidence: Evidence, generator: str) -> Estimate | None:
    """High-frequency energy of the generator's images over that of the real pictures of the same problems."""
    ours, real = (_high(evidence, g) for g in (generator, REFERENCE))
    common = sorted(ours.keys() & real.keys())
    if not common:
        return None
    a, b = (np.array([values[p] for p in common]) for values in (ours, real))
    return paired_ratio(a, b) if b.sum() > 0 else None


def set_figures(evidence: Evidence, generator: str) -> dict[str, Estimate]:
    """For the leaderboard."""
    found = against_reference(evidence, generator)
    return {} if found is None else {"high_frequency_ratio": found}


def mean_profile(
    evidence: Evidence, generator: str, draws: int = 1000, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], int] | None:
    """Mean of log10 power a ring, its 95 % bootstrap band over images (low, high), and the number of images."""
    profiles = [v.profile for v in evidence.verdicts_of(generator, NAME) if v.profile]
    if not profiles:
        return None
    logs = np.log10(np.maximum(np.array(profiles), 1e-12))
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(logs), np.full(len(logs), 1 / len(logs)), size=draws) / len(logs)
    low, high = np.quantile(weights @ logs, [0.025, 0.975], axis=0)
    return logs.mean(axis=0), low, high, len(logs)


def _high(evidence: Evidence, generator: str) -> dict[str, float]:
    return {
        v.problem_id: v.measures["high_frequency"]
        for v in evidence.verdicts_of(generator, NAME)
        if "high_frequency" in v.measures
    }
