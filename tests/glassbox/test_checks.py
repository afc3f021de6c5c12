"""Each check on drawings made by hand, with boxes whose geometry is worked out on paper."""

from __future__ import annotations

import math

import pytest

from scigen.glassbox import findings
from scigen.glassbox.tokens import tokens
from scigen.records import Box, Drawing, DrawnText, Problem, TextOverLine
from scigen.rendering.boxes import corners, cuts, overhang, overlaps, penetration


def text(s: str, x: float, y: float, w: float = 20, h: float = 10, angle: float = 0) -> DrawnText:
    return DrawnText(text=s, box=Box(cx=x, cy=y, width=w, height=h, angle=angle), size=12)


def image(*texts: DrawnText) -> Drawing:
    return Drawing(texts=texts, overlaps=overlaps(texts), cuts=cuts(texts, 200, 100))


def problem(*elements: str, answer: str = "99") -> Problem:
    return Problem(id="p", source="t", question="?", answer=answer, elements=elements, multimodal_question="?")


def kinds(p: Problem, i: Drawing) -> list[str]:
    return [str(f.kind) for f in findings(p, i)]


def row(*words: str, y: float = 50) -> tuple[DrawnText, ...]:
    """Texts side by side with 10 px between them, unevenly stepped so that they are no scale."""
    return tuple(text(w, 20 + 30 * n + n * n, y) for n, w in enumerate(words))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"$30^\circ$", "30°"),
        ("$m_{1}$", "m₁"),
        (r"$6\,\Omega$", "6 Ω"),
        ("10²", "$10^{2}$"),
        ("0.50 m", "0.5m"),
        ("1,200", "1200"),
        ("40\u2009000 kJ", "40000 kJ"),
        ("−4", "-4"),
        (r"$\frac{a}{b}$", "a/b"),
        (r"$\mathrm{H_2O}$", "H₂O"),
        ("two\nlines", "two lines"),
    ],
)
def test_spellings_of_the_same_text_are_equal(one: str, other: str) -> None:
    assert tokens(one) == tokens(other)


@pytest.mark.parametrize(("one", "other"), [("10²", "102"), ("5", "-5"), ("A", "a"), ("m1", "m 1"), ("0.5", "5")])
def test_different_texts_are_different(one: str, other: str) -> None:
    assert tokens(one) != tokens(other)


def test_a_complete_drawing_passes() -> None:
    assert findings(problem("5", "12", "A"), image(*row("5", "12", "A"))) == ()


def test_a_given_value_must_be_drawn_as_often_as_it_is_given() -> None:
    assert kinds(problem("5", "12"), image(*row("5"))) == ["not_covered"]
    assert kinds(problem("5", "5"), image(*row("5"))) == ["not_covered"]
    assert kinds(problem("5", "5"), image(*row("5", "5"))) == []
    assert kinds(problem("5"), image(*row("15"))) == ["not_covered"]


def test_a_given_value_may_be_part_of_a_longer_text_once() -> None:
    assert kinds(problem("5 cm"), image(*row("AB = 5 cm"))) == []
    assert kinds(problem("5 cm", "5 cm"), image(*row("AB = 5 cm"))) == ["not_covered"]


def test_the_answer_is_a_leak_only_as_a_value_of_its_own() -> None:
    assert kinds(problem("A", answer="13"), image(*row("A", "AB = 13"))) == ["leak"]
    assert kinds(problem("A", answer="13"), image(*row("A", "c = 13.0 cm"))) == ["leak"]
    assert kinds(problem("A", answer="13"), image(*row("A", "130"))) == []
    assert kinds(problem("A", answer="1"), image(*row("A", "m1"))) == []
    assert kinds(problem("A", answer="Carbon"), image(*row("A", "carbon"))) == ["leak"]


def test_a_given_value_that_equals_the_answer_is_no_leak_but_a_further_text_is() -> None:
    assert kinds(problem("5", answer="5"), image(*row("5", "5"))) == []
    assert kinds(problem("5", answer="5"), image(*row("5", "x = 5"))) == ["leak"]


def test_a_letter_is_a_leak_only_after_an_equals_sign() -> None:
    assert kinds(problem(answer="B"), image(*row("B"))) == []
    assert kinds(problem(answer="B"), image(*row("ans = B"))) == ["leak"]


def test_the_numbers_of_a_scale_are_no_leak() -> None:
    ticks = tuple(text(str(v), 20 + 40 * v, 90, w=8) for v in range(5))
    assert kinds(problem(answer="3"), image(*ticks)) == []
    assert kinds(problem(answer="3"), image(*ticks, text("3", 100, 20))) == ["leak"]


def test_overlap_is_judged_along_the_texts_direction() -> None:
    assert kinds(problem(), image(text("a", 50, 50), text("b", 60, 50))) == ["overlap"]
    assert kinds(problem(), image(text("a", 50, 50), text("b", 69, 50))) == [], "1 px is within tolerance"
    # Two long texts at 45 degrees, 20 px apart across their direction: upright boxes would overlap, these do not.
    step = 20 / math.sqrt(2)
    slanted = [text("a", 80, 50, w=80, angle=45), text("b", 80 + step, 50 + step, w=80, angle=45)]
    assert kinds(problem(), image(*slanted)) == []


def test_penetration_and_corners_by_hand() -> None:
    flat = Box(cx=10, cy=10, width=20, height=10)
    assert penetration(flat, Box(cx=26, cy=10, width=20, height=10)) == pytest.approx(4)
    assert penetration(flat, Box(cx=10, cy=30, width=10, height=20, angle=90)) == pytest.approx(-10)
    upright = corners(Box(cx=0, cy=0, width=20, height=10, angle=90))
    assert sorted((round(x), round(y)) for x, y in upright) == [(-5, -10), (-5, 10), (5, -10), (5, 10)]
    assert overhang(Box(cx=10, cy=10, width=30, height=10, angle=90), 100, 100) == pytest.approx(5)


def test_a_text_beyond_the_canvas_is_cut() -> None:
    assert kinds(problem(), image(text("a", 195, 50))) == ["cut"]
    assert kinds(problem(), image(text("a", 190, 50))) == []
    assert kinds(problem(), image(text("a", 100, 2))) == ["cut"]


def test_a_line_through_a_text_is_a_fault_and_a_graze_is_none() -> None:
    def crossed(text: DrawnText, length: float) -> list[str]:
        line = TextOverLine(text=0, line="Line2D", color="#ff0000", length=length)
        drawing = Drawing(texts=(text,), crossings=(line,))
        return kinds(problem(), drawing)

    one, two = text("a", 50, 50, h=10), text("a\nb", 50, 50, h=20)
    assert [crossed(one, 6), crossed(one, 5)] == [["crossed"], []], "half of 10 px is the limit"
    assert [crossed(two, 6), crossed(two, 5)] == [["crossed"], []], "each of two lines is 10 px high"
