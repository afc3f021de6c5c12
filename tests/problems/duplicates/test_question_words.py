"""What counts as the same word: type, mark-up and Unicode forms do not, numbers and signs do."""

from __future__ import annotations

import pytest

from scigen.problems.duplicates.words import figures, wording, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A block slides down.", "a  BLOCK\n slides, down!"),
        ("mass $m = 5\\,\\mathrm{kg}$", "mass m = 5 kg"),
        (r"\frac{1}{2} m v^2", "1/2 m v²"),
        (r"3 \times 10^{-3} m", "3 × 10⁻³ m"),
        (r"$\alpha \leq \beta$", "α ≤ β"),
        (r"\left( x + 1 \right)", "(x + 1)"),
        ("an angle of $30^\\circ$", "an angle of 30°"),
        ("a right-angled triangle", "a right angled triangle"),
        ("1,234 J", "1234 J"),
        ("2.50 m and .5 m", "2.5 m and 0.5 m"),
        ("x − 5", "x - 5"),
        ("ﬁnd Å", "find Å"),
        ("**Find** x", "Find x"),
        (r"∠ABC in △ABC", r"\angle ABC in \triangle ABC"),
        ("final sigma ς", "final sigma σ"),
    ],
)
def test_two_ways_to_write_one_thing(one: str, other: str) -> None:
    assert words(one) == words(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Find x + y", "Find x - y"),
        ("x < 3", "x > 3"),
        ("5 kg", "50 kg"),
        ("0.5 m", "5 m"),
        ("points 1, 2", "points 12"),
        ("10^3", "10^-3"),
        ("sin x", "cos x"),
    ],
)
def test_what_makes_another_problem_makes_other_words(one: str, other: str) -> None:
    assert words(one) != words(other)


def test_words_worked_out_by_hand() -> None:
    text = r"Find $\frac{1}{2}$ of \textbf{5.0} m/s at $-3 \times 10^{-3}$"
    assert " ".join(words(text)) == "find 1 / 2 of 5 m / s at - 3 * 10 ^ - 3"
    assert " ".join(wording(words("A 5 kg block, 4 m"))) == "a # kg block # m"
    assert figures(words("from -5 m to 4.0 m at x > 2")) == ["-", "5", "4", ">", "2"]


def test_scripts_without_spaces_count_by_the_character() -> None:
    assert words("求三角形ABC的面积") == [*"求三角形", "abc", *"的面积"]


def test_a_text_without_words_is_itself() -> None:
    assert words(" !? ") == ["!?"]
    assert words("") == [""]
