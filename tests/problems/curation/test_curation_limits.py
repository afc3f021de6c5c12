"""What passes the limits: length, language, a usable answer."""

from __future__ import annotations

from typing import Any

import pytest

from scigen.errors import ScigenError
from scigen.problems.curation.limits import Limits, other_language, prose
from scigen.problems.curation.record import CurationRecord, CurationStatus
from scigen.records import Problem

QUESTION = "A block with a mass of $5\\,\\text{kg}$ slides down a plane of height 2 m. How fast is it at the foot?"


def problem(question: str = QUESTION, **fields: Any) -> Problem:
    base = {"id": "p", "source": "s", "question": question, "answer": "6.3 m/s", "multimodal_question": question}
    return Problem.model_validate({**base, **fields})


def limits(question: str, **settings: Any) -> CurationRecord:
    return Limits(**settings).decide(problem(question), None)


def test_a_question_must_have_a_length_within_the_limits() -> None:
    assert limits("x" * 19).reason == "too_short"
    assert limits("What is the area of it?").status is CurationStatus.KEPT
    assert limits("What is the area of it?", max_chars=22).reason == "too_long"
    long_answer = Limits(max_answer_chars=6).decide(problem(), None)  # "6.3 m/s" has 7
    assert (long_answer.reason, long_answer.problem) == ("answer_too_long", None)


@pytest.mark.parametrize(
    "question",
    [
        "Evaluate $$\\int_0^1 \\frac{dx}{\\sqrt{1 - x^2}}$$ for x.",
        "Solve: {eq}3x^2 + 2x - \\cos(\\alpha) = 0{/eq} and {eq}\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}{/eq}",
        "Balance: H2 + O2 -> H2O, C6H12O6 + O2 -> CO2 + H2O",
        "Find the angle A in △ABC with a = 5, b = 7, c = 9.",
        "Draw the orbital diagram for arsenic.",
    ],
)
def test_formulas_do_not_pass_for_another_language(question: str) -> None:
    assert limits(question).status is CurationStatus.KEPT


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (
            "Ein Block gleitet die schiefe Ebene hinab. Wie schnell ist er unten mit $v = \\sqrt{2gh}$?",
            "de",
        ),
        ("一个质量为5kg的物体从斜面滑下，求它到达底部的速度是多少？", "zh"),
        ("Un bloc de masse 5 kg glisse sans frottement sur un plan incliné. Quelle est sa vitesse en bas?", "fr"),
    ],
)
def test_another_language_is_dropped_and_named_and_may_be_allowed(question: str, code: str) -> None:
    record = limits(question)
    assert (record.status, record.reason, record.remarks) == (CurationStatus.DROPPED, "language", (code,))
    assert limits(question, languages=["en", code]).status is CurationStatus.KEPT
    assert limits(question, languages=[]).status is CurationStatus.KEPT


def test_a_problem_without_a_usable_answer_is_dropped_and_other_flags_pass() -> None:
    assert Limits().decide(problem(flags=["unusable_answer"]), None).reason == "unusable_answer"
    assert Limits().decide(problem(flags=["chain_of_thought"]), None).status is CurationStatus.KEPT
    assert Limits(refused=["chain_of_thought"]).decide(problem(flags=["chain_of_thought"]), None).problem is None
    with pytest.raises(ScigenError, match="did you mean chain_of_thought"):
        Limits(refused=["chain_of_thoughts"])


def test_prose_is_what_is_left_without_formulas_numbers_and_single_letters() -> None:
    assert prose("Find $x$ in \\(a+b\\), where R_1 = 5 and \\textbf{A} holds.") == "Find in , where and holds."


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(ScigenError, match='no language "english"'):
        other_language("What is the area of this?", ["english"])
