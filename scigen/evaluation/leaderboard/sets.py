"""The leaderboard's columns that are no mean over problems: what is worked out over a generator's whole set."""

from __future__ import annotations

from collections.abc import Mapping

from scigen.evaluation.evidence import Evidence
from scigen.statistics import Estimate


def inverse_figures(evidence: Evidence, generator: str) -> Mapping[str, Estimate]:
    """R_inv by the published recipe, by unflagged quizzes, its blind floor, and above that floor."""
    from scigen.evaluation.inverse.rates import rates

    found = rates(evidence, generator)
    figures = {
        "r_inv_paper": found.published_recipe,
        "r_inv_unflagged": found.unflagged,
        "r_inv_floor": found.floor,
        "r_inv_adjusted": found.adjusted,
    }
    return {key: value for key, value in figures.items() if value is not None}


def reference_figures(evidence: Evidence, generator: str) -> Mapping[str, Estimate]:
    """FID, FID at infinitely many images, KID, and high-frequency energy against the real pictures."""
    from scigen.evaluation import spectrum
    from scigen.evaluation.image_metrics import sets

    return {**sets.set_figures(evidence, generator), **spectrum.set_figures(evidence, generator)}


SET_FIGURES = (inverse_figures, reference_figures)
"""All of them, in the order in which they are worked out."""
