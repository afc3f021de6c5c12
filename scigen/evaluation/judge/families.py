"""Which family a model is of: judges favour their own (self-preference), so a shared family is said aloud."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

from scigen.evaluation.evidence import Evidence
from scigen.records import Dimension, GeneratedImage, Rating, VerdictStatus
from scigen.statistics import Estimate, paired_bootstrap

FAMILIES: Mapping[str, str] = {
    "gemini": r"gemini|gemma|nano-?banana|imagen",
    "gpt": r"\bgpt|openai/|chatgpt|dall-?e|\bo[134]\b",
    "qwen": r"qwen|qwq|wan\d",
    "claude": r"claude|anthropic",
    "flux": r"flux",
    "seed": r"seedream|doubao|\bseed-",
    "hunyuan": r"hunyuan",
    "llama": r"llama",
    "mistral": r"mi[sx]tral|pixtral",
}
"""Family to what its models' names have in common."""


@dataclass(frozen=True)
class SelfPreference:
    """A judge and a generator of one family."""

    judge: str
    generator: str
    family: str
    excess: Estimate | None
    """Total score (0 to 10) by this judge minus that by the judges of other families on the same images; None if no
    judge of another family rated them. What other generators' images differ by is to be taken off: see `baseline`."""
    baseline: Estimate | None
    """The same difference on images of generators of other families."""

    def words(self) -> str:
        """A warning for people."""
        said = f"judge {self.judge} and generator {self.generator} are both {self.family}: judges favour their own."
        if self.excess is None:
            return f"{said} Add a judge of another family to see by how much."
        e = self.excess
        beside = f"; on others' images {self.baseline.value:+.2f}" if self.baseline else ""
        return (
            f"{said} It gives {e.value:+.2f} of 10 ({e.low:+.2f} to {e.high:+.2f}, n={e.n}) more than others{beside}."
        )


def family_of(*names: str | None) -> str | None:
    """The family that one of the names speaks of, or None."""
    for name in names:
        for family, pattern in FAMILIES.items():
            if name and re.search(pattern, name.lower().replace("_", "-")):
                return family
    return None


def self_preference(evidence: Evidence, evaluator: str = "judge") -> list[SelfPreference]:
    """Every pair of a judge and a generator of one family."""
    totals: dict[str, dict[str, dict[str, list[float]]]] = {}
    judges: dict[str, str | None] = {}
    for generator in evidence.generators:
        for verdict in evidence.verdicts_of(generator, evaluator):
            for rating in verdict.ratings:
                if rating.status is VerdictStatus.SCORED:
                    judges.setdefault(rating.judge, family_of(rating.model, rating.judge))
                    by_judge = totals.setdefault(generator, {}).setdefault(rating.judge, {})
                    by_judge.setdefault(verdict.problem_id, []).append(_total(rating))
    families = {g: family_of(g, *_models(evidence.images_of(g))) for g in totals}
    found = []
    for judge, family in judges.items():
        rivals = [j for j, f in judges.items() if f != family]
        others = [_excess(totals[g], judge, rivals, g) for g, f in families.items() if f != family]
        baseline = _pooled(others)
        for generator, own in families.items():
            if family is not None and own == family and judge in totals[generator]:
                excess = _pooled([_excess(totals[generator], judge, rivals, generator)])
                found.append(SelfPreference(judge, generator, family, excess, baseline))
    return found


def _excess(
    by_judge: Mapping[str, Mapping[str, list[float]]], judge: str, rivals: Iterable[str], generator: str
) -> tuple[dict[str, float], dict[str, float]]:
    """(this judge's totals, the rivals' mean totals) by image."""
    own = {f"{generator}/{p}": fmean(t) for p, t in by_judge.get(judge, {}).items()}
    theirs: dict[str, list[float]] = {}
    for rival in rivals:
        for problem, values in by_judge.get(rival, {}).items():
            theirs.setdefault(f"{generator}/{problem}", []).append(fmean(values))
    return own, {image: fmean(values) for image, values in theirs.items()}


def _pooled(parts: Iterable[tuple[dict[str, float], dict[str, float]]]) -> Estimate | None:
    own: dict[str, float] = {}
    theirs: dict[str, float] = {}
    for a, b in parts:
        own |= a
        theirs |= b
    n = len(own.keys() & theirs.keys())
    return Estimate(*paired_bootstrap(own, theirs), n) if n else None


def _models(images: Iterable[GeneratedImage]) -> list[str]:
    return sorted({i.model for i in images if i.model})


def _total(rating: Rating) -> float:
    return float(sum(rating.scores[d] for d in Dimension))
