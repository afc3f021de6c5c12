"""What a script would have shown is what is kept: several figures, windows, animations, closed figures, letters."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from scigen.records import Status
from scigen.rendering import Rendering, RenderPool

PLT = "import matplotlib.pyplot as plt\n"
TINY = "plt.figure(figsize=(1, 1), dpi=50).text(.1, .4, {!r})\n"


@pytest.fixture(scope="module")
def pool() -> Iterator[RenderPool]:
    with RenderPool(1) as pool:
        yield pool


def words(r: Rendering) -> list[str]:
    assert r.status is Status.OK, r.error
    return [t.text for t in r.texts]


def pixels(png: bytes | None) -> np.ndarray:
    assert png is not None
    return np.asarray(Image.open(BytesIO(png)))


def test_all_figures_shown_are_kept_and_the_last_is_the_picture(pool: RenderPool) -> None:
    r = pool.draw(PLT + "".join(TINY.format(w) for w in "abc") + "plt.show()")
    alone = [pool.draw(PLT + TINY.format(w) + "plt.show()").png for w in "abc"]
    assert words(r) == ["c"]
    assert r.drawing is not None
    assert r.drawing.figures == 3
    assert [*r.others, r.png] == alone


def test_what_is_plotted_after_a_show_is_a_new_figure(pool: RenderPool) -> None:
    script = PLT + "plt.figtext(.1, .4, 'one')\nplt.show()\nplt.figtext(.1, .4, 'two')\nplt.show()"
    r = pool.draw(script)
    assert words(r) == ["two"]
    assert len(r.others) == 1
    kept = pool.draw(script.replace("plt.show()", "plt.show(block=False)"))
    assert words(kept) == ["one", "two"]


def test_saving_after_the_window_was_closed_does_not_blank_the_picture(pool: RenderPool) -> None:
    assert words(pool.draw(PLT + TINY.format("a") + "plt.show()\nplt.savefig('a.png')")) == ["a"]


def test_a_figure_saved_twice_is_one_picture(pool: RenderPool) -> None:
    r = pool.draw(PLT + TINY.format("a") + "plt.savefig('a.png')\nplt.savefig('a.pdf', dpi=100)\nplt.show()")
    assert (r.width, r.others) == (100, ())


def test_a_saved_figure_is_not_replaced_by_showing_it(pool: RenderPool) -> None:
    r = pool.draw(PLT + TINY.format("a") + "plt.savefig('a.png', dpi=100)\nplt.show()")
    assert r.width == 100


@pytest.mark.parametrize("init", ["", ", init_func=lambda: dot.set_data([], [])"])
@pytest.mark.parametrize("end", ["plt.show()", "a.save('a.gif')", "", "plt.savefig('a.png')"])
def test_an_animation_is_its_first_frame(pool: RenderPool, init: str, end: str) -> None:
    axes = "fig, ax = plt.subplots(figsize=(1, 1), dpi=50)\nax.set(xlim=(0, 9), ylim=(0, 9))\n"
    axes += "dot, = ax.plot([], [], 'o')\n"
    moving = PLT + "from matplotlib.animation import FuncAnimation\n" + axes
    moving += f"a = FuncAnimation(fig, lambda i: dot.set_data([i + 2], [3]), frames=5{init})\n{end}"
    still = pool.draw(PLT + axes + "dot.set_data([2], [3])\nplt.show()")
    r = pool.draw(moving)
    assert r.status is Status.OK, r.error
    assert r.png == still.png


def test_windows_that_cannot_open_do_no_harm(pool: RenderPool) -> None:
    script = "import matplotlib\nmatplotlib.use('TkAgg')\n" + PLT + "plt.switch_backend('QtAgg')\nplt.ion()\n"
    r = pool.draw(script + TINY.format("a") + "plt.pause(30)\nplt.show()")
    assert words(r) == ["a"]
    assert r.seconds < 10


def test_figures_made_without_pyplot_are_seen(pool: RenderPool) -> None:
    script = "from matplotlib.figure import Figure\nfrom matplotlib.backends.backend_agg import FigureCanvasAgg\n"
    script += "f = Figure(figsize=(1, 1))\nFigureCanvasAgg(f)\nf.text(.1, .4, 'a')\nf.canvas.print_figure('a.png')"
    assert words(pool.draw(script)) == ["a"]


@pytest.mark.parametrize("kind", ["png", "pdf", "svg", "jpg"])
def test_a_script_can_save_into_memory_and_read_it(pool: RenderPool, kind: str) -> None:
    starts = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml", "jpg": b"\xff\xd8"}
    script = f"import io\nb = io.BytesIO()\nplt.savefig(b, format={kind!r})\n"
    script += f"assert b.getvalue().startswith({starts[kind]!r})"
    assert words(pool.draw(PLT + TINY.format("$x^2$ a") + script)) == ["$x^2$ a"]


def test_a_script_can_make_folders_and_read_its_picture_again(pool: RenderPool) -> None:
    script = "import os\nos.makedirs('out/a')\nplt.savefig('out/a/x.png')\n"
    script += "assert plt.imread('out/a/x.png').shape[:2] == (50, 50)"
    assert words(pool.draw(PLT + TINY.format("a") + script)) == ["a"]


def test_styles_and_settings_end_with_the_script(pool: RenderPool) -> None:
    before = pool.draw(PLT + TINY.format("$a$"))
    styled = "plt.style.use('seaborn-v0_8-dark')\nplt.rcParams.update({'font.size': 20, 'mathtext.fontset': 'stix'})\n"
    changed = pool.draw(PLT + styled + TINY.format("$a$"))
    assert changed.status is Status.OK
    assert changed.png != before.png
    assert pool.draw(PLT + TINY.format("$a$")).png == before.png


def test_the_same_formula_under_other_settings_is_another_picture(pool: RenderPool) -> None:
    script = PLT + "for font in ('cm', 'stix', 'cm'):\n    plt.rcParams['mathtext.fontset'] = font\n"
    script += "    " + TINY.format("$g$") + "    plt.show()\n"
    script += "plt.rcParams['mathtext.default'] = 'rm'\n" + TINY.format("$g$") + "plt.show()"
    r = pool.draw(script)
    first, second, third, roman = (pixels(p) for p in [*r.others, r.png])
    assert (first == third).all()
    assert (first != second).any()
    assert (roman != third).any()


@pytest.mark.parametrize("text", ["中文", "ギリシャ", "角度 $\\theta$ と 辺"])
def test_chinese_and_japanese_letters_are_drawn(pool: RenderPool, text: str) -> None:
    if not pool.facts["fonts"]:
        pytest.skip("no font with Chinese or Japanese letters on this machine")
    r = pool.draw(PLT + f"plt.figure(figsize=(4, 1)).text(.1, .4, '{text}', fontsize=30)\nplt.show()")
    assert r.drawing is not None
    assert r.drawing.missing_glyphs == ""


def test_letters_that_no_font_has_are_reported(pool: RenderPool) -> None:
    r = pool.draw(PLT + "plt.figure(figsize=(2, 1)).text(.1, .4, 'a\U000e0100\ue123β')\nplt.show()")
    assert r.drawing is not None
    assert "\ue123" in r.drawing.missing_glyphs
    assert not set("aβ") & set(r.drawing.missing_glyphs)


def test_usetex_fails_with_words_that_help(pool: RenderPool) -> None:
    r = pool.draw(PLT + "plt.rcParams['text.usetex'] = True\n" + TINY.format("$x$") + "plt.show()")
    assert r.status is Status.CODE_ERROR
    assert r.error is not None
    assert "mathtext" in r.error.message


def test_libraries_that_come_again_are_loaded_once(pool: RenderPool) -> None:
    script = (
        "import networkx as nx\n"
        + PLT
        + "plt.figure(figsize=(1, 1))\nnx.draw(nx.path_graph(3), pos={0: (0, 0), 1: (1, 1), 2: (2, 0)})"
    )
    runs = [pool.draw(script) for _ in range(3)]
    assert {r.status for r in runs} == {Status.OK}
    assert len({r.png for r in runs}) == 1
    assert runs[2].cpu_s < runs[0].cpu_s / 2, "importing it takes longer than the drawing"
