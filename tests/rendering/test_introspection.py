"""What is reported is what was drawn: boxes hold the ink, lines through texts are seen, axes are as they were set."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image, ImageOps

from scigen.records import Drawing, Status
from scigen.rendering import RenderPool, drawings
from scigen.rendering.boxes import corners
from scigen.rendering.introspection import MAX_TEXTS

BLANK = "import matplotlib.pyplot as plt\nfig = plt.figure(figsize=(4, 3), dpi=100)\n"
CANVAS = BLANK + "ax = fig.add_axes((0, 0, 1, 1)); ax.set(xlim=(0, 400), ylim=(0, 300)); ax.axis('off')\n"
"""400 x 300 px; data units are pixels, y up."""
WORD = "ax.text(200, 150, 'HHHHHH', fontsize=20, va='center', ha='center')\n"


@pytest.fixture(scope="module")
def pool() -> Iterator[RenderPool]:
    with RenderPool(1) as pool:
        yield pool


def drawing(pool: RenderPool, script: str) -> Drawing:
    r = pool.draw(script)
    assert r.drawing is not None, r.error
    assert not r.drawing.partial
    return r.drawing


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
    d = drawing(
        pool,
        CANVAS + "ax.text(50, 50, r'$m_1 = 2$')\nax.text(10, 10, 'hidden', visible=False)\n"
        "ax.text(20, 20, 'clear', alpha=0)\nax.text(500, 20, 'outside', clip_on=True)\n"
        "ax.plot([1, 2], [1, 2], visible=False)\nax.plot([], [])\nax.plot([1], [1], ls='', marker='')\n"
        "ax.add_patch(plt.Circle((9, 9), 5, fill=False, lw=0))\nfig.canvas.draw()\nplt.show()",
    )
    assert [t.text for t in d.texts] == ["$m_1 = 2$"]
    # 'clear' and what has no colour are not there; the text outside is an artist all the same.
    assert d.artists == {"Text": 2}


def test_artists_and_colours_are_counted_without_furniture(pool: RenderPool) -> None:
    d = drawing(
        pool,
        BLANK + "ax = fig.add_subplot(title='T', xlabel='x'); ax.grid()\n"
        "ax.plot([1, 2], color='red', label='a'); ax.plot([2, 1], color='#ff0000', marker='o', mfc='lime')\n"
        "ax.bar([0, 1], [1, 2], color='navy'); ax.scatter([0, 1, 2], [1, 1, 1], c=['lime', 'lime', 'navy'])\n"
        "ax.text(1, 1, 'a', color='navy'); ax.legend(); ax.imshow([[1, 2]], extent=(0, 1, 0, 1))",
    )
    assert d.artists == {"Line2D": 2, "Rectangle": 2, "PathCollection": 1, "Text": 1, "Legend": 1, "AxesImage": 1}
    assert d.colors == {"#000080": 4, "#ff0000": 2, "#00ff00": 2}
    assert next(iter(d.colors)) == "#000080"


def test_axes_are_told_with_scale_limits_and_aspect(pool: RenderPool) -> None:
    d = drawing(
        pool,
        BLANK + "a = fig.add_axes((.25, .5, .5, .25), xscale='log', xlim=(1, 1000), ylim=(5, -5), ylabel='depth')\n"
        "b = fig.add_axes((0, 0, .3, .4), projection='polar'); b.set_rmax(2); b.set_rmin(0)\n"
        "c = fig.add_axes((.5, 0, .3, .4), projection='3d', xlim=(0, 1), ylim=(0, 2), zlim=(-1, 3)); c.axis('off')\n"
        "e = fig.add_axes((.9, 0, .1, .1)); e.set_aspect(2); e.set_axis_off()\n"
        "g = fig.add_axes((.9, .2, .1, .1)); g.set_visible(False)\nc.plot([0, 1], [0, 1], [0, 1])",
    )
    log, polar, solid, plain = d.axes
    assert (log.kind, log.aspect, log.frame) == ("rectilinear", "auto", True)
    # A quarter of 400 px from the left and 200 wide; from 1/2 to 3/4 of 300 px from below.
    assert (log.box.cx, log.box.cy, log.box.width, log.box.height) == (200, 112.5, 200, 75)
    x, y = log.axis
    assert (x.name, x.scale, x.limits, x.label) == ("x", "log", (1, 1000), "")
    assert (y.name, y.scale, y.limits, y.label) == ("y", "linear", (5, -5), "depth")
    assert (polar.kind, polar.aspect) == ("polar", "equal")
    assert [(a.name, a.limits[0]) for a in polar.axis] == [("theta", 0), ("radius", 0)]
    assert polar.axis[1].limits[1] == 2
    assert (solid.kind, solid.frame) == ("3d", False)
    assert [a.name for a in solid.axis] == ["x", "y", "z"]
    assert solid.axis[2].limits[0] <= -1 < 3 <= solid.axis[2].limits[1]
    assert (plain.aspect, plain.frame) == (2, False)


def test_a_line_through_a_text_is_told_with_its_length(pool: RenderPool) -> None:
    d = drawing(pool, CANVAS + WORD + "ax.plot([200, 200], [0, 300], color='#cc0000', lw=2)")
    (c,) = d.crossings
    assert (c.text, c.line, c.color) == (0, "Line2D", "#cc0000")
    # Upright through the box from edge to edge, less a tenth and half a pixel of air on each side.
    assert c.length == pytest.approx(0.8 * d.texts[0].box.height - 1, abs=1.5)
    along = drawing(pool, CANVAS + WORD + "ax.plot([0, 400], [150, 150], color='#cc0000', zorder=0)")
    assert along.crossings[0].length == pytest.approx(along.texts[0].box.width, rel=0.15)
    turned = drawing(pool, CANVAS + WORD.replace("va=", "rotation=90, va=") + "ax.plot([200, 200], [0, 300], 'r')")
    assert turned.crossings[0].length == pytest.approx(along.texts[0].box.width, rel=0.15)


@pytest.mark.parametrize(
    "line",
    [
        "ax.add_patch(plt.Rectangle((200, -50), 300, 500, fill=False, edgecolor='k'))",
        "ax.add_collection(__import__('matplotlib').collections.LineCollection([[(200, 0), (200, 300)]], colors='k'))",
        "ax.annotate('', (200, 290), (200, 10), arrowprops={'arrowstyle': '->'})",
        "ax.vlines(200, 0, 300, color='k', linestyles='--')",
        "ax.axvline(200, color='k')",
        "ax.plot([200, 200], [0, 300], 'k', zorder=9)",
    ],
)
@pytest.mark.parametrize("save", ["", "\nfig.savefig('a.png', bbox_inches='tight', dpi=150)"])
def test_lines_of_every_kind_are_seen(pool: RenderPool, line: str, save: str) -> None:
    (c,) = drawing(pool, CANVAS + WORD + line + save).crossings
    assert c.length > 5
    assert c.color == "#000000"


@pytest.mark.parametrize(
    "script",
    [
        WORD + "ax.plot([0, 400], [180, 180], 'k')",
        "ax.plot([200, 200], [0, 300], 'k')\n" + WORD.replace("va=", "bbox={'fc': 'white', 'ec': 'none'}, va="),
        "ax.plot([200, 200], [0, 300], 'k')\nax.add_patch(plt.Circle((200, 150), 90, fc='gold', zorder=2.5))\n" + WORD,
        "ax.plot([200, 200], [0, 300], color='0.85')\n" + WORD,
        "ax.plot([200, 200], [0, 300], 'k', alpha=0.15)\n" + WORD,
        "ax.axvline(0, color='k')\nax.text(0, 150, 'HH', ha='center', fontsize=20)",
        "ax.axis('on'); ax.grid(color='k'); ax.set_xticks([200])\n" + WORD,
        "ax.annotate('HHHH', (300, 250), (200, 150), arrowprops={'arrowstyle': '->', 'shrinkA': 0})",
        "ax.plot([0, 1], [0, 1], 'k', label='HHHH'); ax.legend(loc='center', framealpha=1, fontsize=20)",
        "ax.bar([200], [500], width=400, color='gold')\n" + WORD,
        "from matplotlib.patheffects import withStroke\nax.plot([200, 200], [0, 300], 'r')\n"
        + WORD.replace("va=", "path_effects=[withStroke(linewidth=4, foreground='w')], va="),
    ],
    ids=["above", "box", "shape", "faint", "thin", "axis", "grid", "own arrow", "legend", "bar", "halo"],
)
def test_what_leaves_a_text_readable_is_no_crossing(pool: RenderPool, script: str) -> None:
    assert drawing(pool, CANVAS + script).crossings == ()


def test_a_text_beyond_the_edge_is_cut_by_so_many_pixels(pool: RenderPool) -> None:
    place = "fig.text(0, .5, 'HHHH', fontsize=20, rotation=90, ha='left'); fig.text(.5, 0, 'H', fontsize=8)\n"
    inside = drawing(pool, BLANK + place)
    left = min(x for x, _ in corners(inside.texts[0].box))
    moved = drawing(pool, BLANK + place.replace("fig.text(0,", "fig.text(-.05,"))
    (cut,) = moved.cuts
    assert cut.text == 0
    assert cut.beyond == pytest.approx(20 - left, abs=1), "a twentieth of 400 px"
    assert inside.cuts == ()
    assert (moved.smallest_text, len(moved.texts)) == (8, 2)


def test_text_over_text_and_figures_are_told(pool: RenderPool) -> None:
    d = drawing(
        pool,
        "import matplotlib.pyplot as plt\nplt.figure().text(.5, .5, 'first'); plt.show()\n" + CANVAS + WORD
        + "ax.text(10, 10, 'far')\nax.text(205, 152, 'HHH', va='center', ha='center')\nplt.show()",
    )  # fmt: skip
    assert [(o.first, o.second) for o in d.overlaps] == [(0, 2)]
    assert d.figures == 2
    assert drawing(pool, CANVAS + "ax.plot([0, 400], [0, 300])").smallest_text is None


def test_characters_without_a_glyph_are_told(pool: RenderPool) -> None:
    d = drawing(pool, CANVAS + "ax.text(9, 9, 'a\\U00012000 α')\nax.text(9, 99, r'$x + \U00012001 β$')")
    assert d.missing_glyphs == "\U00012000\U00012001"
    assert drawing(pool, CANVAS + WORD).missing_glyphs == ""


def test_a_picture_of_very_many_things_is_cut_short(pool: RenderPool) -> None:
    r = pool.draw(CANVAS + f"for i in range({MAX_TEXTS} + 50): ax.text(i % 400, i % 300, 'x', fontsize=3)")
    assert r.drawing is not None
    assert (len(r.drawing.texts), r.drawing.partial) == (MAX_TEXTS, True)


@pytest.mark.parametrize(
    "report",
    [
        None,
        [],
        {"texts": 5, "axes": {"a": 1}, "artists": [], "colors": {"x": "y"}, "missing_glyphs": 7, "figures": -1},
        {"texts": [{"text": "a", "size": float("nan"), "box": {"cx": 1e300, "cy": 0, "width": 1, "height": 1}}]},
        {"texts": [[[[]]]] * 5000, "crossings": [{"text": 9, "line": "l", "color": "#000000", "length": 1}]},
        {
            "axes": [{"kind": "k" * 10**6}],
            "artists": {str(i): 1 for i in range(10**4)},
            "missing_glyphs": "\ud800" * 999,
        },
    ],
)
def test_no_report_of_a_child_is_believed_or_breaks_the_parent(report: object) -> None:
    d = drawings.read(report, 100, 100)
    assert d.partial
    assert (d.texts, d.axes, d.crossings) == ((), (), ())
    assert len(d.artists) <= 64
    assert len(d.missing_glyphs) <= 500
    assert Drawing.model_validate_json(d.model_dump_json()) == d


def test_crossings_keep_their_text_when_a_broken_one_is_left_out() -> None:
    good = {"text": "b", "size": 9, "box": {"cx": 5, "cy": 5, "width": 4, "height": 4}}
    line = {"text": 1, "line": "Line2D", "color": "#000000", "length": 3.0}
    d = drawings.read({"texts": [{"text": "a"}, good], "crossings": [line], "partial": False}, 100, 100)
    assert [t.text for t in d.texts] == ["b"]
    assert [c.text for c in d.crossings] == [0]
