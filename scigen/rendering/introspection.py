"""Records what Matplotlib really draws, and where, in the pass that makes the picture.

Wraps `Figure.draw`, `Text.draw` and `draw_text` of the Agg renderer, so nothing is drawn twice; passes that only
measure (for layout and tight boxes) are left alone. A text that is invisible, empty, fully transparent or clipped away
is not recorded; one that lies behind a shape is. Artists and axes: see `artists`; lines through texts: see `crossings`.
"""

from __future__ import annotations

import math
from typing import Any

from scigen.rendering.artists import MAX_AXES, MAX_COUNTS, MAX_LENGTH, Contents
from scigen.rendering.crossings import MAX_CROSSINGS, MAX_PIXELS, Piece, crossings, pixels

__all__ = ["MAX_AXES", "MAX_COUNTS", "MAX_CROSSINGS", "MAX_LENGTH", "MAX_TEXTS", "drawn", "install"]

MAX_TEXTS = 1000
_DUMMY = 0xA4
"""What formulas show for a character that no font has."""


class _Pass:
    """One drawing of one figure, in progress or over."""

    def __init__(self, renderer: Any) -> None:
        self.renderer = renderer
        self.texts: list[dict[str, Any]] = []
        self.pieces: list[Piece] = []
        self.missing: dict[str, None] = {}
        self.partial = False
        self.owner: Any = None
        self.lines: list[Piece] = []
        """Those of the text being drawn."""
        self.space = MAX_PIXELS
        self.arrows: dict[int, Any] = {}
        """Paths of arrows in pixels: Matplotlib takes long to work them out."""
        self.contents: dict[str, Any] = {}

    def keep(self, text: Any) -> None:
        """The text is drawn: make a record of its lines, if it can be seen."""
        if not self.lines or text.get_alpha() == 0 or not text.get_text().strip() or _is_transparent(text.get_color()):
            return
        if len(self.texts) >= MAX_TEXTS:
            self.partial = True
            return
        record = _record(text, self.lines)
        if not all(math.isfinite(v) for v in (*record["box"].values(), record["size"])):
            self.partial = True
            return
        for piece in self.lines:
            piece.text = len(self.texts)
        self.texts.append(record)
        self.pieces += self.lines

    def close(self, figure: Any) -> None:
        """The figure is drawn: look at what is in it."""
        contents = Contents(figure, float(self.renderer.height))
        artists, colors = contents.counts()
        crossed, partial = crossings(self.pieces, pixels(self.renderer), contents.strokes, self.arrows)
        self.partial |= contents.partial or partial
        self.contents = {"axes": contents.axes, "artists": artists, "colors": colors, "crossings": crossed}


_passes: list[_Pass] = []
"""The current one, or none before the first and while a figure is only measured."""
_last: list[_Pass] = []


def install() -> None:
    """Wrap Matplotlib's methods; call once, in the process that draws."""
    import matplotlib.text as mtext
    from matplotlib import _text_helpers
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyArrowPatch

    find_arrow_path = getattr(FancyArrowPatch, "_get_path_in_displaycoord")  # noqa: B009
    figure_draw, text_draw, warn = Figure.draw, mtext.Text.draw, _text_helpers.warn_on_missing_glyph

    def draw_figure(self: Any, renderer: Any) -> Any:
        saving = type(renderer) is RendererAgg and "draw_text" not in renderer.__dict__ and self.canvas.is_saving()
        if not saving or _passes:
            return figure_draw(self, renderer)
        now = _Pass(renderer)
        _passes.append(now)
        try:
            result = figure_draw(self, renderer)
        finally:
            _passes.clear()
        try:
            now.close(self)
        except Exception:  # a script can make its artists raise anything; its picture is made all the same
            now.partial = True
        _last[:] = [now]
        now.pieces.clear()
        now.arrows.clear()
        return result

    def draw_text_artist(self: Any, renderer: Any, *args: Any, **kwargs: Any) -> Any:
        if not _passes:
            return text_draw(self, renderer, *args, **kwargs)
        now = _passes[0]
        now.owner, now.lines = self, []
        try:
            return text_draw(self, renderer, *args, **kwargs)
        finally:
            now.owner = None
            now.keep(self)

    def warn_on_missing_glyph(codepoint: int, fontnames: str) -> None:
        if _passes and _passes[0].owner is not None:
            _passes[0].missing[chr(codepoint)] = None
        warn(codepoint, fontnames)

    def arrow_path(self: Any) -> Any:
        result = find_arrow_path(self)
        if _passes:
            _passes[0].arrows[id(self)] = result[0]
        return result

    setattr(FancyArrowPatch, "_get_path_in_displaycoord", arrow_path)  # noqa: B010
    setattr(Figure, "draw", draw_figure)  # noqa: B010 - mypy takes a plain assignment for a mistake
    setattr(mtext.Text, "draw", draw_text_artist)  # noqa: B010
    _text_helpers.warn_on_missing_glyph = warn_on_missing_glyph
    _watch_texts(RendererAgg)


def _watch_texts(agg: Any) -> None:
    """Wrap `draw_text`: Agg's own, and the general one, which texts with path effects come by."""
    from matplotlib.backend_bases import RendererBase

    draw_plain, draw_as_path = agg.draw_text, RendererBase.draw_text

    def draw(
        self: Any, gc: Any, x: Any, y: Any, s: Any, prop: Any, angle: Any, ismath: Any = False, mtext: Any = None
    ) -> Any:
        if not _passes or _passes[0].owner is None:
            return draw_plain(self, gc, x, y, s, prop, angle, ismath, mtext)
        now = _passes[0]
        piece = _piece(self, now.owner, x, y, s, prop, angle, ismath)
        canvas = pixels(self)
        size = piece.enclose(*canvas.shape)
        if ismath and not s.isascii():
            now.missing.update(dict.fromkeys(_missing_in_formula(self, s, prop)))
        if not _is_clipped(gc, piece, canvas.shape[0]):
            now.lines.append(piece)
        if not 0 < size <= now.space:
            now.partial |= size > 0
            return draw_plain(self, gc, x, y, s, prop, angle, ismath, mtext)
        now.space -= size
        ground = canvas[piece.rows, piece.columns]
        piece.before = None if (ground == ground[0, 0]).all() else ground.copy()
        result = draw_plain(self, gc, x, y, s, prop, angle, ismath, mtext)
        piece.after = ground.tobytes()
        return result

    def draw_outlined(
        self: Any, gc: Any, x: Any, y: Any, s: Any, prop: Any, angle: Any, ismath: Any = False, mtext: Any = None
    ) -> Any:
        if _passes and _passes[0].owner is not None:
            now = _passes[0]
            now.lines.append(_piece(now.renderer, now.owner, x, y, s, prop, angle, ismath))
        return draw_as_path(self, gc, x, y, s, prop, angle, ismath, mtext)

    agg.draw_text = draw
    setattr(RendererBase, "draw_text", draw_outlined)  # noqa: B010


def drawn() -> dict[str, Any]:
    """The last picture, JSON-ready: `scigen.records.Drawing` without what follows from the texts' boxes."""
    if not _last:
        return {"partial": True}
    last = _last[0]
    missing = "".join(sorted(last.missing))[:MAX_LENGTH]
    return {"texts": last.texts, **last.contents, "missing_glyphs": missing, "partial": last.partial}


def _piece(renderer: Any, owner: Any, x: Any, y: Any, s: Any, prop: Any, angle: Any, ismath: Any) -> Piece:
    width, height, descent = renderer.get_text_width_height_descent(s, prop, ismath)
    return Piece(owner, float(x), float(y), float(width), float(height), float(descent), float(angle))


def _is_clipped(gc: Any, piece: Piece, height: float) -> bool:
    """Whether no pixel of the piece's rectangle is within the clip rectangle."""
    clip = gc.get_clip_rectangle()
    if clip is None:
        return False
    (x0, y0), (x1, y1) = clip.min, clip.max
    rows, columns = piece.rows, piece.columns
    apart = columns.stop <= x0 or columns.start >= x1 or rows.stop <= height - y1 or rows.start >= height - y0
    return bool(apart)


def _is_transparent(color: Any) -> bool:
    from matplotlib.colors import to_rgba

    return bool(to_rgba(color)[3] == 0)


def _missing_in_formula(renderer: Any, s: str, prop: Any) -> list[str]:
    """Characters of a formula that no font has. They are drawn as a dummy sign; alone each would be that sign."""

    def has_dummy(formula: str) -> bool:
        glyphs = renderer.mathtext_parser.parse(formula, renderer.dpi, prop).glyphs
        return any(glyph[2] == _DUMMY for glyph in glyphs)

    if not has_dummy(s):
        return []
    return [c for c in sorted(set(s)) if not c.isascii() and ord(c) != _DUMMY and has_dummy(f"${c}$")]


def _record(text: Any, lines: list[Piece]) -> dict[str, Any]:
    """One text: the smallest box along its direction that holds the ink of all its lines.

    A line's ink reaches `width` along the direction, `height - descent` above the baseline and `descent` below.
    """
    angle = lines[0].angle
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    along, up = [], []
    for piece in lines:
        a, u = piece.x * cos - piece.y * sin, -piece.x * sin - piece.y * cos
        along += [a, a + piece.width]
        up += [u - piece.descent, u + piece.height - piece.descent]
    a, u = (min(along) + max(along)) / 2, (min(up) + max(up)) / 2
    return {
        "text": str(text.get_text())[:MAX_LENGTH].encode(errors="replace").decode(),
        "box": {
            "cx": round(a * cos - u * sin, 2),
            "cy": round(-a * sin - u * cos, 2),
            "width": round(max(along) - min(along), 2),
            "height": round(max(up) - min(up), 2),
            "angle": round(angle % 360.0, 2),
        },
        "size": round(float(text.get_fontsize()), 2),
    }
