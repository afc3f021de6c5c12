"""Texts that come again are measured once for all, with the same pixels; what nobody should learn is not."""

from __future__ import annotations

import pytest

from scigen.records import Status
from scigen.rendering import RenderPool
from scigen.rendering.lessons import BATCH, MAX_FAILURES, Lessons

FONT = [["sans-serif"], "normal", "normal", "normal", "normal", 10.0, "dejavusans"]


def texts(*words: str) -> list[list[object]]:
    return [[False, word, 100.0, *FONT] for word in words]


def test_a_text_is_due_when_a_second_script_drew_it_and_given_once() -> None:
    lessons, words = Lessons(), [str(n) for n in range(BATCH)]
    lessons.add(texts(*words))
    assert lessons.next() == []
    lessons.add(texts(*words[1:]))
    assert lessons.next() == [], "one less than a batch"
    lessons.add(texts(words[0]))
    assert sorted(t[1] for t in lessons.next()) == sorted(words)
    for _ in range(3):
        lessons.add(texts(*words))
    assert lessons.next() == []


def test_reports_of_another_shape_teach_nothing() -> None:
    lessons = Lessons()
    for report in (None, 3, {"a": 1}, [["x"]], texts("x" * 1000), [[False, "x", 1e9, *FONT]], texts("x") * 10_000):
        for _ in range(2):
            lessons.add(report)
    assert not lessons._seen


def test_lessons_that_come_to_nothing_end() -> None:
    lessons = Lessons()
    for n in range(MAX_FAILURES):
        for _ in range(2):
            lessons.add(texts(*(f"{n} {m}" for m in range(BATCH))))
        assert lessons.next()
        lessons.failed()
    for _ in range(2):
        lessons.add(texts(*map(str, range(BATCH))))
    assert lessons.next() == []


@pytest.mark.slow
def test_pixels_are_the_same_before_and_after_a_text_was_learned() -> None:
    script = "import matplotlib.pyplot as plt\nfig = plt.figure(figsize=(5, 5))\n"
    script += f"for n in range({BATCH}):\n"
    script += "    fig.text(.1 + n % 4 / 5, n / 40, '$x_{%d}^2 + \\\\frac{1}{%d}$' % (n, n), fontsize=8)"
    with RenderPool(1) as pool:
        drawn = [pool.draw(script) for _ in range(5)]
        learned = len(pool._lessons._given)
    assert {r.status for r in drawn} == {Status.OK}, drawn[0].error
    assert learned >= BATCH
    assert len({r.png for r in drawn}) == 1


def test_a_font_of_the_script_is_not_learned() -> None:
    script = "import matplotlib.pyplot as plt, matplotlib, os\n"
    script += "path = os.path.join(matplotlib.get_data_path(), 'fonts/ttf/STIXGeneral.ttf')\n"
    script += "fig = plt.figure(figsize=(5, 5))\nfrom pathlib import Path\n"
    script += "for n in range(40):\n    fig.text(.1, .1, f'w{n}', font=Path(path))"
    with RenderPool(1) as pool:
        for _ in range(3):
            assert pool.draw(script).status is Status.OK
        assert not [t for t in pool._lessons._seen if t[1].startswith("w")]
