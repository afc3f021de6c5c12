"""Power spectra of generators beside that of the real pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scigen.analysis.figures import Theme
from scigen.analysis.plotting import DASHES, SERIES, one_plot, say_nothing, styled
from scigen.evaluation.evidence import Evidence
from scigen.evaluation.image_metrics.controls import REFERENCE
from scigen.evaluation.spectrum import HIGH, mean_profile

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
def spectra(evidence: Evidence, generators: Sequence[str], *, theme: Theme = "light") -> Figure:
    """Mean log power a ring of frequencies, with 95 % bootstrap bands over images; the real pictures in grey."""
    figure, axes = one_plot(6.4, 4.2)
    drawn = 0
    for name in (REFERENCE, *(g for g in generators if g != REFERENCE)):
        found = mean_profile(evidence, name)
        if found is None:
            continue
        mean, low, high, n = found
        frequency = (np.arange(len(mean)) + 0.5) / len(mean)
        real = name == REFERENCE
        color = "0.45" if real else SERIES[drawn % len(SERIES)]
        label = f"{'real pictures' if real else name} (n={n})"
        axes.fill_between(frequency, low, high, color=color, alpha=0.2, linewidth=0)
        axes.plot(frequency, mean, color=color, linestyle="-" if real else DASHES[drawn % len(DASHES)], label=label)
        drawn += not real
    if not axes.lines:
        say_nothing(axes, "spectra: not run")
        return figure
    axes.axvline(HIGH, color="0.6", linewidth=0.8, linestyle=":")
    axes.set_xlabel("frequency, share of Nyquist's")
    axes.set_ylabel("log10 of the share of power a ring")
    axes.legend(fontsize=8)
    return figure
