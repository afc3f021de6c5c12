"""The reported boxes hold the ink: a text alone on white is found by its pixels and compared."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image, ImageOps

from scigen.evaluation.boxes import corners
from scigen.records import Status
from scigen.rendering import RenderPool


@pytest.fixture(scope="module")
def pool() -> Iterator[RenderPool]:
    with RenderPool(1) as pool:
        yield pool


@pytest.mark.parametrize("angle", [0, 90, 30, -45])
@pytest.mark.parametrize("text", ["Hxg", r"$\\frac{a}{b}$", r"two\nlines"])
@pytest.mark.parametrize("save", ["", "fig.savefig('a.png', bbox_inches='tight', dpi=200)"])
def test_a_box_holds_the_ink_of_its_text(pool: RenderPool, angle: int, text: str, save: str) -> None:
    draw = f"fig.text(.4, .6, '{text}', fontsize=20, rotation={angle})"
    r = pool.draw(f"import matplotlib.pyplot as plt\nfig = plt.figure(figsize=(3, 2), dpi=100)\n{draw}\n{save}")
    assert r.status is Status.OK, r.error
    assert r.png is not None
    (found,) = r.texts
    assert found.box.angle == angle % 360
    assert found.size == 20
    ink = ImageOps.invert(Image.open(BytesIO(r.png)).convert("L")).getbbox()
    assert ink is not None
    xs, ys = zip(*corners(found.box), strict=True)
    # Turned text: the box's corners reach past the ink, by no more than the letters leave free there.
    slack = 4 if angle % 90 == 0 else 18
    scale = 2 if save else 1
    for edge, inked, sign in zip((min(xs), min(ys), max(xs), max(ys)), ink, (1, 1, -1, -1), strict=True):
        assert -3 * scale <= (inked - edge) * sign <= slack * scale


def test_only_what_is_drawn_is_reported(pool: RenderPool) -> None:
    r = pool.draw(
        "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.axis('off')\n"
        "ax.text(.5, .5, r'$m_1 = 2$')\nax.text(.1, .1, 'hidden', visible=False)\nax.text(.2, .2, 'clear', alpha=0)\n"
        "fig.canvas.draw()\nplt.show()"
    )
    assert [t.text for t in r.texts] == ["$m_1 = 2$"]
