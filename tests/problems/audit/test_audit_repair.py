"""The corrected problem: permuted, reworded, flagged; nothing dropped, no answer guessed, each change on record."""

from __future__ import annotations

import pytest

from scigen.problems.audit.repair import corrected
from scigen.problems.audit.tally import Tally
from scigen.records import Flag, Problem, Quiz

STEMS = (
    "According to the text, how heavy is the block?",
    "The text lists which colours?",
    "How many blocks are there?",
    "Where is the rope?",
)


def skewed(i: int) -> Problem:
    """Four quizzes whose keys are all C; the first stem can be mended, the second cannot."""
    quizzes = tuple(
        Quiz(question=stem, options={"A": "u", "B": "v", "C": "www", "D": "x"}, correct_option="C") for stem in STEMS
    )
    return Problem(
        id=f"p{i}", source="test", question=f"Question {i}.", answer="7", multimodal_question="Find it.",
        quizzes=quizzes,
    )  # fmt: skip


def test_the_release_of_a_skewed_set_has_even_keys_and_no_open_fault() -> None:
    before, after = Tally(), Tally()
    for i in range(50):
        before.add(skewed(i))
        better, _ = corrected(skewed(i), [], seed=0)
        after.add(better)
    assert before.keys == {"C": 200}
    assert before.skew < 1e-9
    assert after.keys == {"A": 50, "B": 50, "C": 50, "D": 50}
    assert after.skew == pytest.approx(1.0)
    assert before.kinds[Flag.REFERS_TO_TEXT] == 100
    assert after.kinds[Flag.REFERS_TO_TEXT] == after.flagged[Flag.REFERS_TO_TEXT] == 50
    assert before.open > 0
    assert after.open == 0
    assert before.longest == after.longest == 200  # what permuting cannot mend is still counted


def test_each_change_is_on_record_with_before_and_after() -> None:
    better, changes = corrected(skewed(0), [], seed=0)
    kinds = [(c.field, c.action) for c in changes]
    assert kinds.count(("quizzes.0.question", "reworded")) == 1
    assert sum(action == "permuted" for _, action in kinds) == 4
    assert ("quizzes.1.flags", "flagged") in kinds
    assert ("flags", "flagged") in kinds  # it has no image type
    assert better.quizzes[0].question == "How heavy is the block?"
    assert better.quizzes[1].question == STEMS[1]
    assert better.quizzes[1].flags == (Flag.REFERS_TO_TEXT,)
    assert better.answer == "7"
    assert better.id == "p0"
    for quiz in better.quizzes:
        assert quiz.options[quiz.correct_option] == "www"


def test_correcting_twice_changes_nothing_but_the_order_of_options() -> None:
    once, _ = corrected(skewed(0), [], seed=0)
    twice, changes = corrected(once, [], seed=0)
    assert {c.action for c in changes} == {"permuted"}
    assert twice.flags == once.flags
    assert [q.flags for q in twice.quizzes] == [q.flags for q in once.quizzes]


def test_the_same_question_in_other_spacing_is_a_duplicate() -> None:
    tally = Tally()
    tally.add(skewed(1))
    found = tally.add(skewed(2).model_copy(update={"question": "question  1."}))
    assert [f.detail for f in found if f.kind is Flag.DUPLICATE] == ["has the question of p1"]


@pytest.mark.parametrize("counts", [{"A": 25, "B": 25, "C": 25, "D": 25}, {"A": 10, "B": 20, "C": 30, "D": 40}])
def test_the_skew_is_pearsons_chi_square(counts: dict[str, int]) -> None:
    tally = Tally()
    tally.keys.update(counts)
    # (15^2 + 5^2 + 5^2 + 15^2) / 25 = 20; the 0.0001698 quantile of chi-square with 3 degrees of freedom
    assert tally.skew == pytest.approx(1.0 if counts["A"] == 25 else 0.00016974, rel=1e-3)
