"""Measures and layouts of texts, worked out once: within a script, and, for texts that come again, for all scripts.

Pixels stay the same: each cache is keyed by everything its function depends on, and hands back what that function
gave. Measures can be handed from a confined child to the warm process as plain numbers (`lay_out`, `keep`): a script
that draws "$x^2$" after others did finds it parsed, and no script can put a wrong layout there. Which texts are worth
it is decided in the pool (`lessons`). Written for Matplotlib 3.11.
"""

from __future__ import annotations

import json
import math
import os
from functools import lru_cache
from typing import Any

from scigen.rendering import font_cache
from scigen.rendering.font_cache import settings

MAX_TEXTS, MAX_GLYPHS, MAX_NEW, MAX_LENGTH = 40_000, 400_000, 300, 300
_PROPERTIES = ("family", "style", "variant", "weight", "stretch", "size", "math_fontfamily")

_layouts: dict[Any, Any] = {}
_sizes: dict[Any, Any] = {}
_formulas: dict[Any, Any] = {}
_new: dict[Any, None] = {}
_kept_glyphs = [0]
_defaults: list[Any] = []


def install() -> None:
    """Put the caches in place; once, in the warm process, after `font_cache.install`."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.mathtext import MathTextParser
    from matplotlib.text import Text

    # From here on the backend is known, and looking a setting up needs no Python code.
    setattr(mpl.RcParams, "__getitem__", dict.__getitem__)  # noqa: B010 - mypy takes a plain assignment for a mistake
    text_class: Any = Text
    parser: Any = MathTextParser
    measure, lay_out_text = RendererAgg.get_text_width_height_descent, text_class._get_layout
    parse_formula = parser._parse_cached.__wrapped__

    def get_size(self: Any, s: str, prop: Any, ismath: Any) -> Any:
        if ismath:  # formulas are kept below, and TeX is not ours
            return measure(self, s, prop, ismath)
        key = _size_key(s, self.dpi, prop, settings())
        if key not in _sizes:
            _make_room(_sizes)
            _sizes[key] = measure(self, s, prop, ismath)
            _note(False, s, self.dpi, prop)
        return _sizes[key]

    def get_layout(self: Any, renderer: Any) -> Any:
        if type(renderer) is not RendererAgg or self._usetex or self._wrap:
            return lay_out_text(self, renderer)
        key = (
            *(self._text, self.get_rotation(), self._rotation_mode, self._linespacing, self._parse_math),
            *(self._horizontalalignment, self._verticalalignment, self._multialignment),
            *(self.get_figure(root=True).dpi, renderer.dpi, *self._fontproperties.__dict__.values(), settings()),
        )
        if key not in _layouts:
            _make_room(_layouts)
            _layouts[key] = lay_out_text(self, renderer)
        return _layouts[key]

    def parse(self: Any, s: str, dpi: float, prop: Any, antialiased: bool, flags: Any) -> Any:
        if font_cache.uses_plain_fonts() or self._output_type != "vector" or prop is None:
            return parse_formula(self, s, dpi, prop, antialiased, flags)
        key = _formula_key(s, dpi, prop, flags, settings())
        if key not in _formulas:
            _make_room(_formulas)
            _formulas[key] = parse_formula(self, s, dpi, prop, antialiased, flags)
            _note(True, s, dpi, prop)
        return _formulas[key]

    RendererAgg.get_text_width_height_descent = get_size
    text_class._get_layout = get_layout
    parser._parse_cached = parse
    _defaults[:] = [settings()]


def _size_key(text: str, dpi: float, prop: Any, rc: Any) -> tuple[Any, ...]:
    return (text, dpi, *prop.__dict__.values(), rc)


def _formula_key(text: str, dpi: float, prop: Any, flags: Any, rc: Any) -> tuple[Any, ...]:
    return (text, dpi, *prop.__dict__.values(), flags, rc)


def _make_room(cache: dict[Any, Any]) -> None:
    if len(cache) >= 2 * MAX_TEXTS:
        cache.clear()


def _note(formula: bool, text: str, dpi: float, prop: Any) -> None:
    """Remember a text that had to be worked out, if it can be told to others in few words."""
    if len(_new) < MAX_NEW and len(text) <= MAX_LENGTH and prop.get_file() is None and settings() == _defaults[0]:
        style = (prop.get_style(), prop.get_variant(), prop.get_weight(), prop.get_stretch())
        size = (prop.get_size_in_points(), prop.get_math_fontfamily())
        _new[(formula, text, float(dpi), tuple(prop.get_family()), *style, *size)] = None


def begin() -> None:
    """Take the texts so far as known to all: what is new is counted from here."""
    _new.clear()


def new_texts() -> list[list[Any]]:
    """The texts that this process had to work out, JSON-ready: whether a formula, text, dpi, the font's properties."""
    return [[formula, text, dpi, list(family), *rest] for formula, text, dpi, family, *rest in _new]


def lay_out(lesson: bytes) -> bytes:
    """The measures of texts as numbers, in JSON. For a confined child: the texts are anybody's.

    `lesson` is the JSON of a list in the shape of `new_texts`. Texts with a fault are left out.
    """
    results = []
    for given in json.loads(lesson):
        formula, text, dpi = given[:3]
        try:
            prop = _font_properties(given)
            if formula:
                width, height, depth, glyphs, rects = _parser().parse(text, dpi, prop)
            else:
                (width, height, depth), glyphs, rects = _measure(text, dpi, prop), [], []
        except (ValueError, TypeError, RecursionError, RuntimeError):
            continue
        drawn = [[str(font.fname), *(float(size), int(c), int(i)), *map(float, xy)] for font, size, c, i, *xy in glyphs]
        boxes = [[float(v) for v in rect] for rect in rects]
        results.append([given, float(width), float(height), float(depth), drawn, boxes])
    return json.dumps(results).encode()


def keep(layouts: bytes) -> int:
    """Put what `lay_out` gave into the caches of this process; gives the number kept.

    Raises ValueError for what is not made of finite numbers and this machine's fonts.
    """
    import numpy as np
    from matplotlib import font_manager
    from matplotlib.ft2font import LoadFlags
    from matplotlib.mathtext import VectorParse

    known = {os.path.realpath(entry.fname) for entry in font_manager.fontManager.ttflist}
    kept = 0
    for given, width, height, depth, glyphs, rects in json.loads(layouts):
        count = len(glyphs) + len(rects)
        if len(_formulas) + len(_sizes) >= MAX_TEXTS or _kept_glyphs[0] + count > MAX_GLYPHS:
            break
        if not {g[0] for g in glyphs} <= known:
            raise ValueError("a layout names a font that is not among this machine's")
        numbers = [width, height, depth, *(v for g in glyphs for v in g[1:]), *(v for r in rects for v in r)]
        if not all(isinstance(v, (int, float)) and math.isfinite(v) for v in numbers):
            raise ValueError("a layout holds something that is not a finite number")
        formula, text, dpi = given[:3]
        prop = _font_properties(given)
        if formula:
            _formulas[_formula_key(text, dpi, prop, LoadFlags.NO_HINTING, _defaults[0])] = VectorParse(
                *(np.float64(v) for v in (width, height, depth)),
                [(font_manager.get_font(path), *rest) for path, *rest in glyphs],
                [tuple(r) for r in rects],
            )
        else:
            _sizes[_size_key(text, dpi, prop, _defaults[0])] = (width, height, depth)
        _kept_glyphs[0] += count
        kept += 1
    return kept


@lru_cache(1)
def _parser() -> Any:
    from matplotlib.mathtext import MathTextParser

    return MathTextParser("path")


def _measure(text: str, dpi: float, prop: Any) -> tuple[float, float, float]:
    from matplotlib.backends.backend_agg import RendererAgg

    size: tuple[float, float, float] = RendererAgg(1, 1, dpi).get_text_width_height_descent(text, prop, False)
    return size


def _font_properties(given: list[Any]) -> Any:
    from matplotlib.font_manager import FontProperties

    return FontProperties(**dict(zip(_PROPERTIES, given[3:], strict=True)))
