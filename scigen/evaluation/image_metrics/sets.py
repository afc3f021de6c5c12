"""Figures of whole sets, from verdicts: FID and KID of a generator's features against the real pictures'."""

from __future__ import annotations

import numpy as np

from scigen.evaluation.evidence import Evidence
from scigen.evaluation.image_metrics.controls import BLANK, REFERENCE
from scigen.evaluation.image_metrics.distances import Matrix, fid_by_size, fid_estimate, kid_estimate
from scigen.evaluation.image_metrics.extractors import unpacked
from scigen.records import VerdictStatus
from scigen.statistics import Estimate

EVALUATOR = "image_metrics"


def features_of(evidence: Evidence, generator: str) -> dict[str, np.ndarray]:
    """Problem id to feature vector."""
    return {v.problem_id: unpacked(v.features) for v in evidence.verdicts_of(generator, EVALUATOR) if v.features}


def set_figures(evidence: Evidence, generator: str) -> dict[str, Estimate]:
    """`fid`, `fid_infinite` and `kid` against `control_reference`, over the problems that both have.

    Nothing without that control, or where the two were not seen by the same network.
    """
    pair = common_features(evidence, generator)
    if pair is None:
        return {}
    real, made = pair
    by_size = fid_by_size(real, made)
    found = {
        "fid": fid_estimate(real, made),
        "fid_infinite": by_size.infinite if by_size else None,
        "kid": kid_estimate(real, made, paired=True),
    }
    return {name: value for name, value in found.items() if value is not None}


def common_features(evidence: Evidence, generator: str) -> tuple[Matrix, Matrix] | None:
    """(real, made), row by row of one problem; None if nothing can be compared."""
    networks = {v.model for g in (REFERENCE, generator) for v in evidence.verdicts_of(g, EVALUATOR) if v.features}
    real, made = features_of(evidence, REFERENCE), features_of(evidence, generator)
    common = sorted(real.keys() & made.keys())
    if not common or len(networks) != 1:
        return None
    return np.stack([real[p] for p in common]), np.stack([made[p] for p in common])


def over_all(evidence: Evidence, generator: str, measure: str) -> dict[str, float]:
    """Problem id to a measure, with a blank page's in place of an image that is not there.

    A metric has no value for a missing image; a blank page is what a reader gets. Without `control_blank` missing
    images are left out.
    """
    blank = {v.problem_id: v.measures for v in evidence.verdicts_of(BLANK, EVALUATOR)}
    found = {}
    for verdict in evidence.verdicts_of(generator, EVALUATOR):
        if verdict.status is VerdictStatus.NO_IMAGE:
            stand_in = blank.get(verdict.problem_id, {})
            if measure in stand_in:
                found[verdict.problem_id] = stand_in[measure]
        elif measure in verdict.measures:
            found[verdict.problem_id] = verdict.measures[measure]
    return found
