"""What readers of pictures confuse makes no difference; what they do not confuse does."""

from __future__ import annotations

import pytest

from scigen.evaluation.ocr.matching import fold, matched, near, readable
from scigen.records import Box, DrawnText


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("10 Ω", "1O Ω"),
        ("R₁ = 12 Ω", "Rl=12Ω"),
        ("$R_1$ = 12 Ω", "R1 =12 Ω"),
        ("NotI 3050", "Notl 3050"),
        ("II-4", "I1-4"),
        ("30°", "30"),
        (r"$30^\circ$", "30º"),
        ("F′", "F"),
        ("dₒ = 28.9 cm", "d。= 28.9 cm"),
        ("14 n⁰", "14 nº"),
        ("12 p⁺", "12 p+"),
        ("$x^2+k$", "x2 + k"),
        ("Volume (cm³)", "volume(cm3)"),
        (r"$v = 6.5\times 10^{5}$ m/s", "v = 6.5 × 10⁵ m/s"),
        ("20 µs/div", "20 us/div"),
        ("y ← 5·x − 5", "y← 5.x - 5"),
        ("−3.32 eV", "- 3.32 eV"),
        ("(10, 100)", "(10,100)"),
        ("+", "十"),
        ("C", "c"),
        ("0.50", ".5"),
    ],
)
def test_look_alikes_are_the_same(printed: str, read: str) -> None:
    assert fold(printed).replace(" ", "") == fold(read).replace(" ", "")
    assert fold(fold(printed)) == fold(printed)


@pytest.mark.parametrize(
    ("printed", "read"),
    [("21", "-21"), ("5.3", "53"), ("10", "100"), ("A", "a"), ("A", "B"), ("Qq", "qq"), ("m = 5 kg", "m = 6 kg")],
)
def test_others_are_not(printed: str, read: str) -> None:
    assert fold(printed).replace(" ", "") != fold(read).replace(" ", "")


@pytest.mark.parametrize(
    ("read", "label", "same"),
    [
        ("relativc abundance", "relative abundance", True),  # another letter
        ("relatve abundance", "relative abundance", True),  # one lost
        ("relattive abundance", "relative abundance", True),  # one more
        ("relatwc abundance", "relative abundance", False),  # two
        ("metal z", "metal x", False),  # a name
        ("angle 31", "angle 30", False),  # a number
        ("angle 3", "angle 30", False),
    ],
)
def test_one_sign_of_a_long_word_may_differ(read: str, label: str, same: bool) -> None:
    assert near(fold(read), fold(label)) is same


def text(words: str, x: float, y: float, width: float = 40) -> DrawnText:
    return DrawnText(text=words, box=Box(cx=x, cy=y, width=width, height=10), size=10)


def test_a_label_on_two_lines_or_in_two_boxes_is_one() -> None:
    drawn = [text("144", 50, 50, 30), text("95.30", 50, 61), text("m = 5", 200, 50, 40), text("kg", 230, 50, 14)]
    assert [t.text for t in matched(drawn, ["144\n95.30", "m = 5 kg"])] == [fold("144\n95.30"), fold("m = 5 kg")]
    apart = [text("m = 5", 200, 50), text("kg", 330, 50)]
    assert [t.text for t in matched(apart, ["m = 5 kg"])] == ["m = 5", "kg"]


def test_a_text_serves_one_label_only() -> None:
    assert [t.text for t in matched([text("O", 0, 0), text("5", 9, 9)], ["O", "O"])] == ["0", "5"]


def test_stacked_formulas_are_not_read_by_line() -> None:
    assert all(map(readable, ["5 kg", "$x^2+k$", r"$\theta_2$ = 23.9°", r"$10^{-3}$ m", r"$\sqrt{x}$"]))
    assert not any(map(readable, [r"$\frac{a}{b}$", r"y = $\int_0^1 x\,dx$", r"$\sum_{i} x_i$", "$2^{2^n}$"]))
