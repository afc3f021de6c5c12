"""Problems against benchmarks: shares worked out by hand, one verdict a row, the same in any order and process."""

from __future__ import annotations

import io
from pathlib import Path
from random import Random

import pytest
from PIL import Image, ImageDraw

from scigen.errors import ScigenError
from scigen.problems.contamination import (
    BenchmarkItem,
    ContaminationVerdict,
    ImageStatus,
    Index,
    Limits,
    Row,
    TextStatus,
    check,
    write_verdicts,
)
from scigen.records import Problem
from scigen.store import iter_records, read_set

TEXT = "one block slides down the plane from rest at noon and meets another one there"  # 15 words, 8 runs
LETTERS = TEXT.split()


def picture(seed: int) -> bytes:
    random = Random(seed)
    page = Image.new("RGB", (300, 200), "white")
    pen = ImageDraw.Draw(page)
    for _ in range(9):
        pen.line([(random.randrange(300), random.randrange(200)) for _ in range(2)], fill="black", width=3)
    out = io.BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def smaller(png: bytes) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(png)).resize((150, 100)).save(out, "PNG")
    return out.getvalue()


def index(*items: tuple[str, str] | tuple[str, str, bytes], limits: Limits | None = None) -> Index:
    return Index.build((BenchmarkItem("b", *item) for item in items), limits)


def verdict(text: str, against: Index, image: bytes | None = None) -> ContaminationVerdict:
    (only,) = check([Row("r", (text,), image)], against)
    return only


def test_the_share_of_eight_word_runs_worked_out_by_hand() -> None:
    """15 words have 8 runs. Another 4th word leaves the 4 runs from the 5th word on, another 8th word none."""
    known = index(("i", " ".join(LETTERS)))
    fourth = " ".join([*LETTERS[:3], "up", *LETTERS[4:]])
    got = verdict(fourth, known)
    assert [(m.item, m.kind, m.score, m.matched, m.contaminated) for m in got.matches] == [("i", "text", 0.5, 4, True)]
    eighth = " ".join([*LETTERS[:7], "start", *LETTERS[8:]])
    assert verdict(eighth, known).matches == ()
    sixth = verdict(" ".join([*LETTERS[:5], "roof", *LETTERS[6:]]), known)  # the last 2 of 8 stay
    assert (sixth.status, [(m.score, m.contaminated) for m in sixth.matches]) == ("clean", [(0.25, False)])


def test_other_type_and_mark_up_hide_nothing() -> None:
    known = index(("i", r"A mass of $5.0\,\mathrm{kg}$ at rest falls $\frac{1}{2}$ of the way down"))
    assert verdict("a MASS of 5 kg, at rest, falls 1/2 of the way down!", known).worst is not None


def test_other_numbers_are_another_problem() -> None:
    text = "A mass of {} kg at rest falls down a height of {} m in {} s on the moon"
    assert verdict(text.format(7, 8, 9), index(("i", text.format(1, 2, 3)))).status == "clean"


def test_an_item_within_a_longer_text_is_found() -> None:
    """24 of the row's runs are its own, but all 8 of the item's are there."""
    around = [f"word{chr(97 + i)}" for i in range(12)]
    got = verdict(" ".join([*around, *LETTERS, *around[::-1]]), index(("i", " ".join(LETTERS))))
    assert got.worst is not None
    assert (got.worst.score, got.worst.matched) == (1.0, 8)


def test_a_small_item_within_a_longer_text_is_a_phrase() -> None:
    """An item of 11 words has 4 runs, one less than it takes."""
    around = [f"word{chr(97 + i)}" for i in range(12)]
    got = verdict(" ".join([*around, *LETTERS[:11]]), index(("i", " ".join(LETTERS[:11]))))
    assert (got.status, [m.score for m in got.matches]) == ("clean", [pytest.approx(4 / 16)])


def test_phrases_that_many_items_share_tell_nothing() -> None:
    phrase = "find the area of the shaded region round to the nearest tenth"
    items = [(str(i), phrase) for i in range(4)]
    assert verdict(phrase, index(*items)).text is TextStatus.STOCK
    assert verdict(phrase, index(*items)).status == "clean"
    assert verdict(phrase, index(*items[:3])).worst is not None


def test_short_texts_match_as_a_whole_and_only_where_there_is_no_picture() -> None:
    assert verdict("Find  X!", index(("i", "find x"))).status == "contaminated"
    assert verdict("Find x now", index(("i", "find x"))).status == "clean"
    pictured = verdict("Find x", index(("i", "find x", picture(1))))
    assert (pictured.status, pictured.text) == ("clean", TextStatus.SHORT)
    assert [(m.score, m.contaminated) for m in pictured.matches] == [(1.0, False)]
    broken = verdict("Find x", index(("i", "find x", b"no picture")))
    assert broken.status == "clean"


def test_a_picture_alone_is_enough() -> None:
    known = index(("i", "find x", picture(1)), ("j", "find y", picture(2)))
    got = verdict("How long is the rope?", known, smaller(picture(2)))
    assert got.image is ImageStatus.COMPARED
    assert got.worst is not None
    assert (got.worst.kind, got.worst.item) == ("image", "j")
    assert got.worst.score == got.worst.matched / 256 >= (256 - 56) / 256
    assert verdict("How long is the rope?", known, picture(3)).status == "clean"


def test_why_a_picture_was_not_compared_is_on_record() -> None:
    known = index(("i", "find x", picture(1)))
    white = io.BytesIO()
    Image.new("RGB", (30, 30), "white").save(white, "PNG")
    assert verdict("y", known).image is ImageStatus.NO_IMAGE
    assert verdict("y", known, b"no picture").image is ImageStatus.BAD_IMAGE
    assert verdict("y", known, white.getvalue()).image is ImageStatus.BLANK


def test_the_closest_item_of_each_benchmark_is_named() -> None:
    whole, half = " ".join(LETTERS), " ".join([*LETTERS[:3], "up", *LETTERS[4:]])
    known = Index.build(
        [BenchmarkItem("b", "half", half), BenchmarkItem("b", "whole", whole), BenchmarkItem("a", "1", half)]
    )
    got = verdict(whole, known)
    assert got.against == ("a", "b")
    assert [(m.benchmark, m.item, m.score) for m in got.matches] == [("a", "1", 0.5), ("b", "whole", 1.0)]
    assert got.worst is not None
    assert got.worst.item == "whole"


def test_both_wordings_of_a_problem_are_compared() -> None:
    problem = Problem(
        id="p", source="s", question="A question of its own that nobody has ever put in such words", answer="1",
        multimodal_question=" ".join(LETTERS),
    )  # fmt: skip
    (got,) = check([Row.of(problem)], index(("i", " ".join(LETTERS))))
    assert got.status == "contaminated"


def many(count: int) -> tuple[Index, list[Row]]:
    random = Random(5)
    vocabulary = [a + b for a in "bcdfg" for b in ("an", "el", "ir", "os", "ut")]
    items = [random.choices(vocabulary, k=random.randint(3, 30)) for _ in range(60)]
    rows = []
    for i in range(count):
        text = list(random.choice(items)) if i % 3 else random.choices(vocabulary, k=20)
        if i % 2:
            text[random.randrange(len(text))] = "other"
        rows.append(Row(f"r{i}", (" ".join(text),), picture(i % 7) if i % 20 == 0 else None))
    known = Index.build(
        BenchmarkItem("ab"[n % 2], str(n), " ".join(t), picture(n) if n < 3 else None) for n, t in enumerate(items)
    )
    return known, rows


def test_one_verdict_a_row_and_the_same_in_any_order_and_company() -> None:
    known, rows = many(1200)
    together = list(check(rows, known))
    assert [v.problem_id for v in together] == [r.problem_id for r in rows]
    assert len({v.status for v in together}) == 2
    by_id = {v.problem_id: v for v in together}
    for row in rows[::40]:
        assert list(check([row], known)) == [by_id[row.problem_id]]
    shuffled = Random(1).sample(rows, len(rows))
    assert {v.problem_id: v for v in check(shuffled, known)} == by_id


def test_rows_are_read_as_they_are_needed() -> None:
    taken = 0

    def rows():
        nonlocal taken
        while True:
            taken += 1
            yield Row(str(taken), ("find x",))

    stream = check(rows(), index(("i", "find y")))
    next(stream)
    assert taken < 5000


def test_an_interrupted_set_goes_on_and_ends_equal(tmp_path: Path) -> None:
    known, rows = many(60)
    whole = write_verdicts(tmp_path / "whole", rows, known, "rows")

    def cut():
        yield from rows[:40]
        raise KeyboardInterrupt

    small = [r for r in rows if r.image is None]
    with pytest.raises(KeyboardInterrupt):
        write_verdicts(
            tmp_path / "cut", (r for part in (small, cut()) for r in part if part is not small), known, "rows"
        )
    assert write_verdicts(tmp_path / "cut", rows, known, "rows").set_hash == whole.set_hash
    assert len(read_set(tmp_path / "cut", ContaminationVerdict)) == 60
    assert whole.by_status["clean"] + whole.by_status["contaminated"] == 60


def test_other_limits_start_a_new_set(tmp_path: Path) -> None:
    _, rows = many(5)
    items = [("i", " ".join(LETTERS))]
    write_verdicts(tmp_path / "v", rows, index(*items), "rows")
    write_verdicts(tmp_path / "v", rows, index(*items, limits=Limits(text=0.9)), "rows")
    assert (tmp_path / "v.old-1").is_dir()
    assert len(list(iter_records(tmp_path / "v", ContaminationVerdict))) == 5


def test_wrong_use_is_said() -> None:
    with pytest.raises(ScigenError, match="no benchmark item"):
        Index.build([])
    with pytest.raises(ScigenError, match='benchmark b: the id "i" comes twice'):
        index(("i", "x"), ("i", "y"))
    with pytest.raises(ScigenError, match="text above 0"):
        Limits(text=0)
