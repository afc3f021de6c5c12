"""The leaderboard's columns: what each is called, its unit, which way is better, and its values problem by problem.

A column that needs more than a mean over problems (floor-adjusted R_inv, FID, KID) has no values here; see `sets.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from scigen.evaluation.evidence import Evidence
from scigen.records import Dimension, Status, Verdict, VerdictStatus

Values = Mapping[str, float]
"""Problem id to value."""
Reader = Callable[[Evidence, str], Values]


class Section(StrEnum):
    """Columns that are shown as one table."""

    RIGHT = "Right or wrong"
    JUDGE = "Judge, over all images"
    JUDGE_SCORED = "Judge, over the images it scored"
    TEXT = "Labels and texts"
    REFERENCE = "Against the reference images"
    COST = "Cost"


SECTION_NOTES = {
    Section.RIGHT: "An image passes inverse validation if all its quizzes are answered right by a model that sees only "
    "the image; an image that was not drawn, or on which the evaluator failed, did not pass, unless over scored. "
    "The paper's recipe keeps the order of the options and leaves failures out. Blind floor: what passes unseen.",
    Section.JUDGE: "Means of 0 to 2. An image that was not drawn has 0; where the judge failed there is no score. "
    "Judged right: by the judge's pass rule; what was not drawn or not judged did not pass.",
    Section.JUDGE_SCORED: "Mean of 0 to 2 over the images with scores.",
    Section.TEXT: "Glass-box: the drawing is known and nothing was found in it. OCR: the share of the asked labels "
    "that was read in the image, and the share of garbled texts.",
    Section.REFERENCE: "Against real SeePhys images. A blank page is a row of its own: what does not beat it says "
    "little. An image that is not there has the blank page's value; FID, KID and energies are over the drawn images.",
    Section.COST: "Of making the images, not of judging them.",
}


@dataclass(frozen=True)
class Column:
    """One figure of the leaderboard."""

    key: str
    title: str
    section: Section
    better: int
    """1 if more is better, -1 if less is, 0 if neither."""
    digits: int = 2
    scale: float = 1.0
    """What the value is multiplied by where it is shown: 100 for per cent."""
    unit: str = ""
    values: Reader | None = None
    """None if it is not a mean over problems."""
    yes_no: bool = False
    """Whether each problem's value is 0 or 1: then the mean is a rate, and its interval Wilson's."""


def _verdicts(evidence: Evidence, generator: str, evaluator: str) -> list[Verdict]:
    return [v for v in evidence.verdicts_of(generator, evaluator) if v.counts]


def _passed(evaluator: str) -> Reader:
    """1 or 0 for each image that counts; what was not drawn or not judged did not pass.

    None at all if the evaluator does not apply to what the generator draws: then only what it did not draw would count,
    and pixels would have a glass-box rate of 0.
    """

    def read(e: Evidence, g: str) -> Values:
        verdicts = e.verdicts_of(g, evaluator)
        statuses = {v.status for v in verdicts}
        if statuses <= {VerdictStatus.NO_IMAGE, VerdictStatus.NOT_APPLICABLE} and (
            VerdictStatus.NOT_APPLICABLE in statuses
        ):
            return {}
        return {v.problem_id: float(v.passed) for v in verdicts if v.counts}

    return read


def _passed_scored(evaluator: str) -> Reader:
    return lambda e, g: {
        v.problem_id: float(v.passed) for v in _verdicts(e, g, evaluator) if v.status is VerdictStatus.SCORED
    }


def _answered(e: Evidence, g: str) -> Values:
    """Share of an image's answers that are right, among those that were given."""
    found = {}
    for verdict in _verdicts(e, g, "inverse"):
        given = [a.correct for a in verdict.answers if a.status is VerdictStatus.SCORED]
        if given:
            found[verdict.problem_id] = sum(given) / len(given)
    return found


def _measured(evaluator: str, measure: str) -> Reader:
    return lambda e, g: {
        v.problem_id: v.measures[measure] for v in e.verdicts_of(g, evaluator) if measure in v.measures
    }


def _against_reference(measure: str) -> Reader:
    """Of the image, or of a blank page where there is none."""

    def read(e: Evidence, g: str) -> Values:
        from scigen.evaluation.image_metrics.sets import over_all

        return over_all(e, g, measure)

    return read


def _judged(dimension: Dimension) -> Reader:
    """The judge's score; 0 for an image that was not drawn."""

    def read(e: Evidence, g: str) -> Values:
        found = {v.problem_id: 0.0 for v in _verdicts(e, g, "judge") if v.status is VerdictStatus.NO_IMAGE}
        return found | dict(_measured("judge", dimension)(e, g))

    return read


def _usd(e: Evidence, g: str) -> Values:
    return {i.problem_id: i.cost_usd for i in e.images_of(g)}


def _seconds(e: Evidence, g: str) -> Values:
    return {i.problem_id: i.seconds for i in e.images_of(g)}


def _drawn(e: Evidence, g: str) -> Values:
    return {i.problem_id: float(i.status is Status.OK) for i in e.images_of(g)}


SHORT = {
    Dimension.CORRECTNESS_FIDELITY: "C&F",
    Dimension.LAYOUT_PRECISION: "L&P",
    Dimension.READABILITY_OCCLUSION: "R&O",
    Dimension.SCIENTIFIC_PLAUSIBILITY: "SP",
    Dimension.EXPRESSIVENESS_RICHNESS: "E&R",
}
"""The paper's abbreviations."""

COLUMNS: tuple[Column, ...] = (
    Column("drawn", "drawn", Section.RIGHT, 1, 1, 100, "%", _drawn, True),
    Column("r_inv", "R_inv", Section.RIGHT, 1, 1, 100, "%", _passed("inverse"), True),
    Column("r_inv_scored", "R_inv, scored", Section.RIGHT, 1, 1, 100, "%", _passed_scored("inverse"), True),
    Column("r_inv_paper", "R_inv, paper's recipe", Section.RIGHT, 1, 1, 100, "%"),
    Column("r_inv_unflagged", "R_inv, unflagged quizzes", Section.RIGHT, 1, 1, 100, "%"),
    Column("r_inv_floor", "blind floor", Section.RIGHT, 0, 1, 100, "%"),
    Column("r_inv_adjusted", "R_inv above floor", Section.RIGHT, 1, 1, 100, "%"),
    Column("quiz_accuracy", "questions right", Section.RIGHT, 1, 1, 100, "%", _answered),
    Column("judge_pass", "judged right", Section.JUDGE, 1, 1, 100, "%", _passed("judge"), True),
    *(Column(d, SHORT[d], Section.JUDGE, 1, 2, values=_judged(d)) for d in Dimension),
    *(Column(f"{d}_scored", SHORT[d], Section.JUDGE_SCORED, 1, 2, values=_measured("judge", d)) for d in Dimension),
    Column("glassbox_pass", "glass-box pass", Section.TEXT, 1, 1, 100, "%", _passed("glassbox"), True),
    Column("ocr_coverage", "OCR coverage", Section.TEXT, 1, 1, 100, "%", _measured("ocr", "coverage")),
    Column("ocr_garbled", "garbled", Section.TEXT, -1, 1, 100, "%", _measured("ocr", "garbled")),
    Column("psnr", "PSNR", Section.REFERENCE, 1, 2, unit="dB", values=_against_reference("psnr")),
    Column("ssim", "SSIM", Section.REFERENCE, 1, 3, values=_against_reference("ssim")),
    Column("ms_ssim", "MS-SSIM", Section.REFERENCE, 1, 3, values=_against_reference("ms_ssim")),
    Column("clip_score", "CLIP score", Section.REFERENCE, 1, 2, values=_against_reference("clip_score")),
    Column("fid", "FID", Section.REFERENCE, -1, 1),
    Column("fid_infinite", "FID, n to infinity", Section.REFERENCE, -1, 1),
    Column("kid", "KID", Section.REFERENCE, -1, 3),
    Column("high_frequency", "high-frequency energy", Section.REFERENCE, 0, 2, 100, "%",
           _measured("spectrum", "high_frequency")),
    Column("high_frequency_ratio", "by the real pictures'", Section.REFERENCE, 0, 2),
    Column("usd", "USD an image", Section.COST, -1, 4, values=_usd),
    Column("seconds", "seconds an image", Section.COST, -1, 1, values=_seconds),
)  # fmt: skip
BY_KEY = {column.key: column for column in COLUMNS}
