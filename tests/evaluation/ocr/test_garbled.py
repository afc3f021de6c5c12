"""Words, numbers, units, formulas and names are told from print that says nothing."""

from __future__ import annotations

import pytest

from scigen.evaluation.ocr.garbled import garbled, words_of
from scigen.records import Problem

OWN = words_of(
    Problem(
        id="p", source="t", question="A plasmid is cut by NotI at 3050 bp.", answer="1", multimodal_question="How long?"
    )
)


@pytest.mark.parametrize(
    "text",
    [
        "NotI 3050",
        "Notl 3050",
        "plasmld",
        "relative abundance / %",
        "relativeabundance",
        "Velocity (m/s)",
        "R₁ = 12 Ω",
        "2 FeCl₃",
        "C₆H₁₂O₂",
        "NaOH",
        "ABCDE",
        "HIIIIH",
        "v = 6.5 × 10⁵ m/s",
        "口",
        "→",
        "12.5",
        "x2+k",
    ],
)
def test_print_that_says_something(text: str) -> None:
    assert not garbled(text, OWN)


@pytest.mark.parametrize("text", ["Vlelocjty", "relotine", "magnifcqtion", "alsWer9.6 μm", "cHetdPhenAfnalels"])
def test_print_that_says_nothing(text: str) -> None:
    assert garbled(text, OWN)
