"""The leaderboard's figures are what one works out by hand, and nothing stands in for what was not run."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_1samp

from scigen.errors import ScigenError
from scigen.evaluation import NO_GENERATOR
from scigen.evaluation.evidence import Evidence, Paradigm, Split
from scigen.evaluation.leaderboard import BY_KEY, Kind, Mark, breakdown, image_type_of, leaderboard, subject_of
from scigen.evaluation.leaderboard.board import boards
from scigen.evaluation.leaderboard.paradigms import code_minus_pixels
from scigen.evaluation.leaderboard.rows import Cell, Row, marked, mean
from scigen.records import (
    Dimension,
    GeneratedImage,
    ImageType,
    Problem,
    QuizAnswer,
    Status,
    Subject,
    Verdict,
    VerdictStatus,
)


def problem(name: str, source: str = "scigenbench/scigen", subject: Subject | None = Subject.MATH) -> Problem:
    kind = ImageType.PLANE_GEOMETRIC if subject is Subject.MATH else None
    return Problem(
        id=name, source=source, question="?", answer="1", multimodal_question="?", subject=subject, image_type=kind
    )


def drawn(name: str, generator: str = "a", **fields: object) -> GeneratedImage:
    return GeneratedImage.model_validate(
        {"problem_id": name, "generator": generator, "status": "ok", "image": "0" * 64, **fields}
    )


def inverse(name: str, right: str, generator: str = "a", status: str = "scored") -> Verdict:
    """A verdict of inverse validation; `right` holds + and - for its answers."""
    answers = tuple(
        QuizAnswer(quiz=i, order="AB", status=VerdictStatus.SCORED, said="A", chosen="A", correct=c == "+")
        for i, c in enumerate(right)
    )
    return Verdict(
        problem_id=name, generator=generator, evaluator="inverse", status=VerdictStatus(status), answers=answers,
        passed=status == "scored" and "-" not in right,
    )  # fmt: skip


def judged(name: str, score: float, generator: str = "a") -> Verdict:
    measures = {str(d): score for d in Dimension}
    return Verdict(
        problem_id=name, generator=generator, evaluator="judge", status=VerdictStatus.SCORED, measures=measures
    )


def only(rows: list, name: str):  # type: ignore[no-untyped-def, type-arg]
    return next(r for r in rows if r.name == name)


def test_over_all_counts_what_was_not_drawn_or_judged_and_over_scored_does_not() -> None:
    """p0 right, p1 half right, p2 not drawn, p3 refused by the evaluator, p4 has no quizzes."""
    evidence = Evidence.of(
        [problem(f"p{n}") for n in range(5)],
        [drawn("p0"), drawn("p1"), GeneratedImage(problem_id="p2", generator="a", status=Status.BLANK), drawn("p3")],
        [
            inverse("p0", "++"), inverse("p1", "+-"), inverse("p2", "", status="no_image"),
            inverse("p3", "", status="refused"), inverse("p4", "", status="not_applicable"),
        ],
    )  # fmt: skip
    (row,) = leaderboard(evidence, with_published=False)
    assert (row.cells["r_inv"].value, row.cells["r_inv"].n) == (1 / 4, 4)
    assert (row.cells["r_inv_scored"].value, row.cells["r_inv_scored"].n) == (1 / 2, 2)
    assert (row.cells["quiz_accuracy"].value, row.cells["quiz_accuracy"].n) == (3 / 4, 2)
    assert row.images == 4
    assert row.statuses == {"ok": 3, "blank": 1}
    assert row.failures == {"inverse": {"refused": 1}}
    interval = binomtest(1, 4).proportion_ci(method="wilson")
    assert (row.cells["r_inv"].low, row.cells["r_inv"].high) == pytest.approx(interval)


def test_a_cell_that_was_not_measured_is_not_there() -> None:
    evidence = Evidence.of([problem("p0")], [drawn("p0", cost_usd=0.25, seconds=3)], [inverse("p0", "+")])
    (row,) = leaderboard(evidence, with_published=False)
    assert set(row.cells) == {"drawn", "r_inv", "r_inv_scored", "quiz_accuracy", "usd", "seconds"}
    assert row.cells["usd"].value == 0.25
    free = Evidence.of([problem("p0"), problem("p1")], [drawn("p0"), drawn("p1")])
    (row,) = leaderboard(free, with_published=False)
    assert (row.cells["usd"].low, row.cells["usd"].high) == (0, 0), "a price is no rate"
    (nothing,) = leaderboard(Evidence.of([problem("p0")], [drawn("p0")]), with_published=False)
    assert "r_inv" not in nothing.cells


def test_the_judge_gives_an_image_that_is_not_there_nothing_and_a_failure_of_its_own_no_score() -> None:
    gone = Verdict(problem_id="p1", generator="a", evaluator="judge", status=VerdictStatus.NO_IMAGE)
    failed = Verdict(problem_id="p2", generator="a", evaluator="judge", status=VerdictStatus.API_ERROR)
    evidence = Evidence.of([problem(f"p{n}") for n in range(3)], [], [judged("p0", 1.5), gone, failed])
    (row,) = leaderboard(evidence, with_published=False)
    cell, scored = row.cells["correctness_fidelity"], row.cells["correctness_fidelity_scored"]
    assert (cell.value, cell.n) == (0.75, 2)
    assert (scored.value, scored.n) == (1.5, 1)
    assert row.failures == {"judge": {"api_error": 1}}
    assert (row.cells["judge_pass"].value, row.cells["judge_pass"].n) == (0, 3)


def test_pixels_have_no_glass_box_rate_rather_than_zero() -> None:
    """Two pixel images to which the check does not apply, and one that was not drawn."""

    def checked(name: str, status: str, **fields: object) -> Verdict:
        return Verdict.model_validate(
            {"problem_id": name, "generator": "a", "evaluator": "glassbox", "status": status, **fields}
        )

    problems = [problem(f"p{n}") for n in range(4)]
    pixels = [checked("p0", "not_applicable"), checked("p1", "not_applicable"), checked("p2", "no_image")]
    (row,) = leaderboard(Evidence.of(problems, [], pixels), with_published=False)
    assert "glassbox_pass" not in row.cells
    (mixed,) = leaderboard(Evidence.of(problems, [], [*pixels, checked("p3", "scored", passed=True)]), Split.SCIGEN)
    assert (mixed.cells["glassbox_pass"].value, mixed.cells["glassbox_pass"].n) == (1 / 2, 2)
    (none,) = leaderboard(Evidence.of(problems, [], pixels[2:]), with_published=False)
    assert none.cells["glassbox_pass"].value == 0, "who draws nothing passes nothing"


def test_a_few_lucky_images_do_not_lead_the_table() -> None:
    problems = [problem(f"p{n}") for n in range(25)]
    many = [inverse(p.id, "+" if n < 20 else "-") for n, p in enumerate(problems)]
    few = [inverse(f"p{n}", "+", "lucky") for n in range(3)]
    rows = leaderboard(Evidence.of(problems, [drawn("p0", "unjudged")], [*few, *many]), with_published=False)
    assert [r.name for r in rows] == ["a", "lucky", "unjudged"]


def test_splits_go_by_source_and_the_papers_values_by_what_they_are_over() -> None:
    problems = [problem("p0"), problem("p1", "scigenbench/seephys"), problem("p2", "procedural")]
    evidence = Evidence.of(problems, [drawn(p.id) for p in problems], [inverse(p.id, "+") for p in problems])
    counted = {s: only(leaderboard(evidence, s), "a").cells["r_inv"].n for s in Split}
    assert counted == {Split.ALL: 3, Split.SCIGEN: 1, Split.SEEPHYS: 1}
    kinds = {s: [r.kind for r in leaderboard(evidence, s)].count(Kind.PUBLISHED) for s in Split}
    assert kinds == {Split.ALL: 11, Split.SCIGEN: 0, Split.SEEPHYS: 11}
    theirs = only(leaderboard(evidence, Split.SEEPHYS), "nanobanana_pro")
    assert set(theirs.cells) == {"psnr", "ssim", "clip_score", "fid"}


def test_published_values_are_the_papers_and_carry_no_interval() -> None:
    rows = leaderboard(Evidence.of([problem("p0")]))
    assert [r.title for r in rows][:2] == ["Gemini3-Pro-ImgCoder", "Gemini3-Flash-ImgCoder"]
    row = only(rows, "gpt_image_1_5")
    assert (row.kind, row.paradigm, row.images) == (Kind.PUBLISHED, Paradigm.PIXEL, None)
    assert row.cells["r_inv"] == Cell(pytest.approx(0.6352))
    assert row.cells["scientific_plausibility"] == Cell(1.17)
    assert all(c.low is None and c.n is None and c.mark is None for r in rows for c in r.cells.values())


def contest(a: list[bool], b: list[bool]) -> dict[str, Mark | None]:
    """Marks of R_inv of two generators with these passes, problem by problem, beside a control and the paper."""
    verdicts = [
        inverse(f"p{n}", "+" if right else "-", generator)
        for generator, passes in (("a", a), ("b", b), ("control_blank", [True] * len(a)))
        for n, right in enumerate(passes)
    ]
    rows = leaderboard(Evidence.of([problem(f"p{n}") for n in range(len(a))], [], verdicts))
    assert all(r.cells["r_inv"].mark is None for r in rows if r.kind is not Kind.MEASURED)
    return {r.name: r.cells["r_inv"].mark for r in rows if r.kind is Kind.MEASURED}


def test_a_winner_is_called_the_best_only_if_the_paired_difference_bears_it_out() -> None:
    """13 problems of 40 that only `a` passes, none that only `b` does: exact sign test p = 0.0002."""
    both, only_a = [True] * 20, [True] * 13 + [False] * 7
    assert contest(both + only_a, both + [False] * 20) == {"a": Mark.BEST, "b": None}
    near = [True] * 20 + [False] * 19 + [True]
    assert contest(both + [True] + [False] * 19, near) == {"a": Mark.TIED, "b": Mark.TIED}


def test_too_few_problems_crown_nobody() -> None:
    assert contest([True] * 19, [False] * 19) == {"a": None, "b": None}
    assert contest([True] * 20, [False] * 20) == {"a": Mark.BEST, "b": None}


def test_paired_comparison_sees_what_overlapping_intervals_hide() -> None:
    """60 of 100 against 50, `b` never right alone: the intervals overlap, but all ten discordant pairs go one way."""
    a, b = [True] * 60 + [False] * 40, [True] * 50 + [False] * 50
    assert contest(a, b) == {"a": Mark.BEST, "b": None}


def test_set_figures_are_compared_by_their_intervals() -> None:
    from scigen.statistics import Estimate

    evidence = Evidence.of([problem("p0")], [drawn("p0"), drawn("p0", "b"), drawn("p0", "c")])
    fid = {"a": Estimate(10, 8, 12, 300), "b": Estimate(11, 9, 13, 300), "c": Estimate(20, 18, 22, 300)}
    rows = leaderboard(evidence, with_published=False, set_figures=[lambda e, g: {"fid": fid[g]}])
    assert {r.name: r.cells["fid"].mark for r in rows} == {"a": Mark.TIED, "b": Mark.TIED, "c": None}
    apart = fid | {"b": Estimate(15, 14, 16, 300)}
    rows = leaderboard(evidence, with_published=False, set_figures=[lambda e, g: {"fid": apart[g]}])
    assert only(rows, "a").cells["fid"].mark is Mark.BEST


def test_breakdowns_leave_out_problems_without_a_subject() -> None:
    problems = [problem("p0"), problem("p1"), problem("p2", subject=Subject.PHYSICS), problem("p3", subject=None)]
    rights = zip(problems, "+-+-", strict=True)
    evidence = Evidence.of(problems, [], [inverse(p.id, right) for p, right in rights])
    by_subject = breakdown(evidence, BY_KEY["r_inv"], subject_of)["a"]
    assert {k: (c.value, c.n) for k, c in by_subject.items()} == {"Math": (0.5, 2), "Physics": (1.0, 1)}
    by_type = breakdown(evidence, BY_KEY["r_inv"], image_type_of)["a"]
    assert {k: c.n for k, c in by_type.items()} == {"Plane Geometric": 2}
    with pytest.raises(ValueError, match="fid has no values"):
        breakdown(evidence, BY_KEY["fid"], subject_of)


def test_a_scripted_image_makes_a_code_generator_and_the_paper_knows_its_own() -> None:
    evidence = Evidence.of([problem("p0")], [drawn("p0", code="x"), drawn("p0", "b"), drawn("p0", "qwen3_imgcoder")])
    paradigms = {r.name: r.paradigm.value for r in leaderboard(evidence, with_published=False)}
    assert paradigms == {"a": "code", "b": "pixel", "qwen3_imgcoder": "code"}


def test_a_verdict_on_a_problem_of_another_set_is_an_error() -> None:
    with pytest.raises(ScigenError, match="Verdict p9/a/inverse: there is no problem p9"):
        Evidence.of([problem("p0")], [], [inverse("p9", "+")])


def test_a_verdict_that_comes_twice_is_an_error_and_not_the_last_one() -> None:
    with pytest.raises(ScigenError, match="Verdict p0/a/inverse comes twice"):
        Evidence.of([problem("p0")], [], [inverse("p0", "+"), inverse("p0", "-")])


def test_code_minus_pixels_is_over_the_problems_that_both_drew() -> None:
    """Ten problems: two code generators pass 8 and 6, a pixel one 2 of the first eight; so 14 / 16 - 2 / 8 by hand."""
    problems = [problem(f"p{n}", subject=Subject.MATH if n < 8 else Subject.BIOLOGY) for n in range(10)]
    passes = {"a": 8, "qwen3_imgcoder": 6, "b": 2}
    verdicts = [
        inverse(p.id, "+" if n < passes[name] else "-", name)
        for name in passes
        for n, p in enumerate(problems)
        if name != "b" or n < 8
    ]
    evidence = Evidence.of(problems, [drawn(p.id, code="x") for p in problems], verdicts)
    (found,) = code_minus_pixels(evidence, subject_of)
    assert (found.group, found.value, found.n, found.clear) == ("Math", (8 + 6) / 16 - 2 / 8, 8, True)
    differences = [0.0] * 2 + [1.0] * 4 + [0.5] * 2
    interval = ttest_1samp(differences, 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert code_minus_pixels(evidence.narrowed(lambda p: p.id in ("p0", "p1")), subject_of)[0].low is None
    assert code_minus_pixels(evidence.narrowed(lambda p: p.subject is Subject.BIOLOGY), subject_of) == []


def test_the_blind_floor_and_r_inv_above_it_are_columns_of_the_board() -> None:
    """18 of 24 pass with the image and 6 of them blind: (18 - 6) / (24 - 6)."""
    problems = [problem(f"p{n}") for n in range(24)]
    seen = [inverse(p.id, "+" if n < 18 else "-") for n, p in enumerate(problems)]
    blind = [
        inverse(p.id, "+" if n < 6 else "-", NO_GENERATOR).model_copy(update={"evaluator": "inverse_blind"})
        for n, p in enumerate(problems)
    ]
    row = only(list(boards(Evidence.of(problems, [], [*seen, *blind]))[0].rows), "a")
    assert row.cells["r_inv_floor"].value == 6 / 24
    assert row.cells["r_inv_adjusted"].value == pytest.approx(12 / 18)
    assert "r_inv_paper" not in row.cells
    assert NO_GENERATOR not in Evidence.of(problems, [], blind).generators


@pytest.mark.slow
@pytest.mark.parametrize("systems", [2, 4])
def test_of_equals_one_is_called_the_best_in_one_run_of_twenty_at_most(systems: int) -> None:
    """300 runs of equally good generators over the same 100 problems, some of which are hard for all."""
    rng = np.random.default_rng(0)
    crowned = 0
    for _ in range(300):
        chance = rng.beta(2, 1, 100)
        rows = []
        for name in "abcd"[:systems]:
            passes = {f"p{n}": float(x) for n, x in enumerate(rng.random(100) < chance)}
            cells = {"r_inv": Cell.of(mean(passes, BY_KEY["r_inv"]))}
            rows.append(Row(name, name, Kind.MEASURED, Paradigm.PIXEL, cells, values={"r_inv": passes}))
        crowned += any(r.cells["r_inv"].mark is Mark.BEST for r in marked(rows))
    assert crowned / 300 <= 0.05 + 2 * (0.05 * 0.95 / 300) ** 0.5
