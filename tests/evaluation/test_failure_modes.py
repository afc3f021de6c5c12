"""Each mode is found where it is, told apart from what could not be told, and counted over the right images."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from scigen.evaluation.evidence import Evidence
from scigen.evaluation.failure_modes import (
    RULES,
    FailureMode,
    Tagged,
    by_generator,
    by_image_type,
    by_paradigm,
    by_subject,
    cases,
    rates,
    rules_table,
    tag,
)
from scigen.records import (
    Dimension,
    Finding,
    FindingKind,
    Flag,
    GeneratedImage,
    ImageType,
    Problem,
    Quiz,
    QuizAnswer,
    Status,
    Subject,
    Verdict,
    VerdictStatus,
)
from scigen.statistics import effective_number, wilson

M = FailureMode


def problem(name: str = "p", **fields: Any) -> Problem:
    """Quiz 0 asks for a value, quiz 1 for a shape, quiz 2 is flagged."""
    options = [{"A": "5 cm", "B": "6 cm"}, {"A": "a circle", "B": "a square"}, {"A": "7", "B": "8"}]
    quizzes = tuple(
        Quiz(question="?", options=o, correct_option="A", flags=(Flag.REFERS_TO_TEXT,) if i == 2 else ())
        for i, o in enumerate(options)
    )
    return Problem.model_validate(
        {"id": name, "source": "t", "question": "?", "answer": "1", "multimodal_question": "?", "quizzes": quizzes,
         "subject": Subject.MATH, "image_type": ImageType.PLANE_GEOMETRIC, **fields}
    )  # fmt: skip


def image(status: str = "ok", name: str = "p", generator: str = "g", **fields: Any) -> GeneratedImage:
    sha = "0" * 64 if status == "ok" else None
    return GeneratedImage.model_validate(
        {"problem_id": name, "generator": generator, "status": status, "image": sha, **fields}
    )


def verdict(evaluator: str, status: str = "scored", name: str = "p", generator: str = "g", **fields: Any) -> Verdict:
    return Verdict.model_validate(
        {"problem_id": name, "generator": generator, "evaluator": evaluator, "status": status, **fields}
    )


def answered(*answers: tuple[int, bool], **fields: Any) -> Verdict:
    """Inverse validation with these (quiz, right) answers."""
    given = tuple(
        QuizAnswer(quiz=q, order="AB", status=VerdictStatus.SCORED, said="A", chosen="A", correct=right)
        for q, right in answers
    )
    return verdict("inverse", answers=given, passed=all(right for _, right in answers), **fields)


def found(evaluator: str, *kinds: FindingKind) -> Verdict:
    findings = tuple(Finding(kind=k, detail="x") for k in kinds)
    return verdict(evaluator, findings=findings, passed=not findings)


def judged(**low: float) -> Verdict:
    return verdict("judge", measures={str(d): 2.0 for d in Dimension} | low)


def tagged(*verdicts: Verdict, image_record: GeneratedImage | None = None) -> Tagged:
    (case,) = cases(Evidence.of([problem()], [image_record or image()], verdicts))
    return tag(case)


@pytest.mark.parametrize(
    ("status", "mode"),
    [
        ("refused", M.REFUSED), ("blocked", M.REFUSED), ("api_error", M.NO_ANSWER), ("no_image", M.NO_ANSWER),
        ("timeout", M.NO_ANSWER), ("no_plan", M.NO_SCRIPT), ("no_code", M.NO_SCRIPT), ("code_error", M.CODE_ERROR),
        ("memory", M.CODE_ERROR), ("blank", M.BLANK), ("bad_image", M.BAD_PICTURE), ("too_large", M.BAD_PICTURE),
    ],
)  # fmt: skip
def test_every_status_without_an_image_is_one_mode(status: str, mode: M) -> None:
    assert tagged(image_record=image(status)).modes == {mode}


def test_every_status_of_an_image_has_a_mode() -> None:
    bad = [s for s in Status if s is not Status.OK]
    assert all(len(tagged(image_record=image(s)).modes) == 1 for s in bad)


def test_a_script_that_took_too_long_is_not_the_vendors_fault() -> None:
    assert tagged(image_record=image("timeout", code="while True: pass")).modes == {M.CODE_ERROR}


def test_what_was_not_looked_at_cannot_be_told() -> None:
    drawn_only = {M.REFUSED, M.NO_ANSWER, M.NO_SCRIPT, M.CODE_ERROR, M.BLANK, M.BAD_PICTURE}
    assert tagged().told == drawn_only
    gone = tagged(verdict("judge", "no_image"), verdict("glassbox", "no_image"), image_record=image("blank"))
    assert gone.told == drawn_only | {M.EVALUATOR_FAILED}


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        (FindingKind.NOT_COVERED, M.MISSING_LABEL), (FindingKind.LEAK, M.LEAKED_ANSWER),
        (FindingKind.OVERLAP, M.TEXT_OVERLAP), (FindingKind.CUT, M.CUT_TEXT), (FindingKind.CROSSED, M.CROSSED_TEXT),
    ],
)  # fmt: skip
def test_findings_of_the_glass_box_are_modes(kind: FindingKind, mode: M) -> None:
    assert tagged(found("glassbox", kind)).modes == {mode}
    assert mode in tagged(found("glassbox")).told
    assert tagged(found("glassbox")).modes == set()


def test_ocr_speaks_only_where_the_glass_box_does_not() -> None:
    assert tagged(found("ocr", FindingKind.NOT_COVERED)).modes == {M.MISSING_LABEL}
    assert tagged(found("ocr", FindingKind.NOT_COVERED), found("glassbox")).modes == set()
    assert M.TEXT_OVERLAP not in tagged(found("ocr")).told


@pytest.mark.parametrize(("share", "has"), [(0.0, False), (0.1, True), (1.0, True)])
def test_garbled_text_has_a_threshold(share: float, has: bool) -> None:
    assert (M.GARBLED_TEXT in tagged(verdict("ocr", measures={"garbled": share})).modes) is has


@pytest.mark.parametrize(
    ("dimension", "mode"),
    [
        ("correctness_fidelity", M.WRONG_STRUCTURE), ("scientific_plausibility", M.IMPLAUSIBLE),
        ("layout_precision", M.POOR_LAYOUT), ("readability_occlusion", M.UNREADABLE),
        ("expressiveness_richness", M.SPARSE),
    ],
)  # fmt: skip
def test_a_judges_mean_near_zero_is_a_mode(dimension: str, mode: M) -> None:
    assert tagged(judged(**{dimension: 0.0})).modes == {mode}
    assert tagged(judged(**{dimension: 1 / 3})).modes == {mode}
    assert tagged(judged(**{dimension: 0.5})).modes == set()


def test_a_wrong_quiz_is_a_wrong_value_or_a_wrong_structure() -> None:
    assert tagged(answered((0, False), (1, True))).modes == {M.WRONG_VALUE}
    assert tagged(answered((0, True), (1, False)), found("glassbox")).modes == {M.WRONG_STRUCTURE}
    missing = found("glassbox", FindingKind.NOT_COVERED)
    assert tagged(answered((0, True), (1, False)), missing).modes == {M.MISSING_LABEL}


def test_a_failure_that_no_rule_explains_is_said_to_be_unexplained() -> None:
    assert tagged(answered((0, True), (1, False))).modes == {M.UNEXPLAINED}
    assert tagged(answered((0, True), (1, True))).modes == set()


def test_a_quiz_is_wrong_by_more_wrong_than_right_orders_and_flagged_ones_do_not_count() -> None:
    assert M.WRONG_VALUE in tagged(answered((0, False), (0, False), (0, True))).modes
    assert M.WRONG_VALUE not in tagged(answered((0, False), (0, True))).modes
    assert M.WRONG_VALUE not in tagged(answered((0, True), (2, False))).modes


def test_an_evaluators_failure_is_counted_apart() -> None:
    assert tagged(verdict("judge", "unparsed")).modes == {M.EVALUATOR_FAILED}
    both = tagged(verdict("judge", "timeout"), found("glassbox", FindingKind.CUT))
    assert both.modes == {M.EVALUATOR_FAILED, M.CUT_TEXT}


def test_rates_are_over_the_images_that_could_be_told_with_wilsons_interval() -> None:
    problems = [problem(f"p{n}") for n in range(10)]
    images = [image("ok" if n < 8 else "blocked", f"p{n}") for n in range(10)]
    verdicts = [judged(layout_precision=0.0 if n < 3 else 2.0).model_copy(update={"problem_id": f"p{n}"})
                for n in range(8)]  # fmt: skip
    every = [tag(c) for c in cases(Evidence.of(problems, images, verdicts))]
    by_mode = {r.mode: r for r in rates(every, by_generator)}
    assert M.MISSING_LABEL not in by_mode
    assert (by_mode[M.POOR_LAYOUT].count, by_mode[M.POOR_LAYOUT].n) == (3, 8)
    assert (by_mode[M.REFUSED].count, by_mode[M.REFUSED].n, by_mode[M.REFUSED].rate) == (2, 10, 0.2)
    interval = binomtest(3, 8).proportion_ci(method="wilson")
    assert (by_mode[M.POOR_LAYOUT].low, by_mode[M.POOR_LAYOUT].high) == pytest.approx(interval)
    assert by_mode[M.REFUSED].examples == ("p8/g", "p9/g")
    assert by_mode[M.BLANK].examples == ()


def test_images_of_one_problem_by_several_generators_are_one_cluster() -> None:
    """Two generators that fail on the same 10 of 40 problems: the interval is that of 40 problems, not of 80 images."""
    problems = [problem(f"p{n}") for n in range(40)]
    images = [image("blank" if n < 10 else "ok", f"p{n}", g) for n in range(40) for g in "ab"]
    every = [tag(c) for c in cases(Evidence.of(problems, images))]
    (rate,) = [r for r in rates(every, by_subject) if r.mode is M.BLANK]
    assert (rate.group, rate.count, rate.n) == ("Math", 20, 80)
    one = binomtest(10, 40).proportion_ci(method="wilson")
    assert (rate.low, rate.high) == pytest.approx((one.low, one.high))
    never = next(r for r in rates(every, by_subject) if r.mode is M.REFUSED)
    assert never.high == pytest.approx(binomtest(0, 40).proportion_ci(method="wilson").high)


def test_the_effective_number_is_between_problems_and_images() -> None:
    assert effective_number([[True], [False], [False]]) == 3
    assert effective_number([[True, True]] * 5 + [[False, False]] * 5) == 10, "alike: as many as problems"
    assert effective_number([[True, False]] * 10) == 10, "no variance at all: no more than is sure"
    mixed = [[True, True]] * 10 + [[True, False]] * 20 + [[False, False]] * 10
    assert effective_number(mixed) == pytest.approx(80 * 39 / 40), "as if drawn one by one, by the formula"


def test_intervals_of_rare_faults_cover() -> None:
    """400 groups of 60 problems with five images each, whose chance of a fault varies by problem around 5 %."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        chance = rng.beta(0.5, 9.5, 60)
        clusters = (rng.random((60, 5)) < chance[:, None]).tolist()
        n = effective_number(clusters)
        low, high = wilson(np.mean(clusters) * n, n)
        covered += low <= 0.05 <= high
    assert covered / 400 == pytest.approx(0.95, abs=0.035)


def test_few_problems_with_several_images_have_an_interval_with_width() -> None:
    """One problem of which one of five generators makes a blank: nothing is known but that it can happen."""
    images = [image("blank" if g == "a" else "ok", "p", g) for g in "abcde"]
    every = [tag(c) for c in cases(Evidence.of([problem()], images))]
    (rate,) = [r for r in rates(every, by_subject) if r.mode is M.BLANK]
    assert (rate.count, rate.n) == (1, 5)
    z = NormalDist().inv_cdf(0.975)
    centre, half = (0.2 + z * z / 2) / (1 + z * z), z / (1 + z * z) * (0.2 * 0.8 + z * z / 4) ** 0.5
    assert (rate.low, rate.high) == pytest.approx((centre - half, centre + half)), "Wilson's formula with n = 1"


def test_groups_are_subjects_types_and_paradigms_and_controls_are_in_none() -> None:
    problems = [problem("p0"), problem("p1", subject=None, image_type=None)]
    images = [image(name="p0", code="x"), image(name="p1", code="x"), image(name="p0", generator="h")]
    blank = [verdict("inverse", "scored", "p0", "control_blank"), verdict("inverse_blind", "scored", "p0", "nothing")]
    every = [tag(c) for c in cases(Evidence.of(problems, images, blank))]
    groups = {g.__name__: {r.group for r in rates(every, g)} for g in (by_subject, by_image_type, by_paradigm)}
    assert groups == {
        "by_subject": {"Math"}, "by_image_type": {"Plane Geometric"}, "by_paradigm": {"code", "pixel"},
    }  # fmt: skip


def test_every_mode_has_one_rule_and_the_table_names_it() -> None:
    assert [rule.mode for rule in RULES] == list(FailureMode)
    table = rules_table()
    assert all(f"`{mode}`" in table for mode in FailureMode)
    assert {line.count("|") for line in table.splitlines()} == {4}
