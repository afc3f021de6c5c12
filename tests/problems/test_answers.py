"""Which answers are no ground truth, told by their form."""

from __future__ import annotations

import pytest

from scigen.problems.answers import answer_fault
from scigen.records import Flag


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("5", None),
        ("0", None),
        ("No, none of them", None),
        ("x" * 1000, None),
        ("x" * 1001, Flag.CHAIN_OF_THOUGHT),
        ("<think>\nLet me see", Flag.CHAIN_OF_THOUGHT),
        (" none ", Flag.UNUSABLE_ANSWER),
        ("N/A", Flag.UNUSABLE_ANSWER),
    ],
)
def test_which_answers_are_no_ground_truth(answer: str, fault: Flag | None) -> None:
    assert answer_fault(answer) is fault
