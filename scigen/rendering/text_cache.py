"""What Matplotlib works out again and again about texts, worked out once: fonts, font lookups, layouts, formulas.

Pixels stay the same: each cache is keyed by everything its function depends on, and hands back what that function
gave. Fonts are held in memory, so that a forked child can use those of the warm process. Layouts of formulas can be
handed from a confined child to the warm process as plain numbers (`lay_out`, `keep`): a script that draws "$x^2$"
after another did finds it parsed, and no script can put a layout there. Written for Matplotlib 3.11.
"""

from __future__ import annotations

import io
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any

MAX_FORMULAS, MAX_GLYPHS, MAX_NEW, MAX_LENGTH = 20_000, 400_000, 200, 300
_MAX_LAYOUTS = 20_000
_RC_NAMES = (
    *("text.hinting", "text.hinting_factor", "text.kerning_factor", "font.enable_last_resort", "axes.unicode_minus"),
    *(f"mathtext.{n}" for n in ("fontset", "default", "fallback", "bf", "bfit", "cal", "it", "rm", "sf", "tt")),
)
_RC_LISTS = tuple(f"font.{n}" for n in ("family", "serif", "sans-serif", "cursive", "fantasy", "monospace"))
_PROPERTIES = ("family", "style", "variant", "weight", "stretch", "size", "math_fontfamily")

_formulas: dict[Any, Any] = {}
_new: dict[Any, None] = {}
_kept_glyphs = [0]
_defaults: list[Any] = []
_plain_fonts: list[bool] = []


class _FontFile(io.BytesIO):
    """A font in memory, which FT2Font gives back as its `fname`; only the vector formats want a path there."""

    def __init__(self, path: str) -> None:
        super().__init__(_content(path))  # shared, not copied, as long as nobody writes into it
        self.name = path

    def __str__(self) -> str:
        return str(self.name)


@cache
def _content(path: str) -> bytes:
    with open(path, "rb") as f:
        return f.read()


def install(fallback: tuple[tuple[str, int], ...] = ()) -> None:
    """Put the caches in place; once, in the warm process. `fallback`: fonts for what the chosen ones lack."""
    import matplotlib as mpl

    # From here on the backend is known, and looking a setting up needs no Python code.
    setattr(mpl.RcParams, "__getitem__", dict.__getitem__)  # noqa: B010 - mypy takes a plain assignment for a mistake
    _keep_fonts(fallback)
    _keep_layouts()
    _keep_formulas()
    _defaults[:] = [_settings()]


@contextmanager
def plain_fonts() -> Iterator[None]:
    """Fonts from files and formulas parsed anew, for formats that embed fonts."""
    _plain_fonts.append(True)
    try:
        yield
    finally:
        _plain_fonts.pop()


def _settings() -> tuple[Any, ...]:
    """The settings that texts depend on."""
    from matplotlib import rcParams

    return _plain(rcParams), *[tuple(v) for v in _lists(rcParams)]


_plain, _lists = itemgetter(*_RC_NAMES), itemgetter(*_RC_LISTS)


def _keep_fonts(fallback: tuple[tuple[str, int], ...]) -> None:
    from matplotlib import _mathtext, cbook, font_manager, ft2font

    last_resort = os.path.realpath(cbook._get_data_path("fonts", "ttf", "LastResortHE-Regular.ttf"))

    def font(path: str, index: int, others: list[Any], kerning: Any, warn: bool = False) -> Any:
        file: Any = _FontFile(path)
        return ft2font.FT2Font(
            file, face_index=index, _fallback_list=others, _kerning_factor=kerning, _warn_if_used=warn
        )

    original = font_manager._get_font  # type: ignore[attr-defined]

    @lru_cache(256)
    def in_memory(paths: Any, *, _kerning_factor: Any, thread_id: int, enable_last_resort: bool) -> Any:
        (first, first_index), *rest = paths
        others = [font(path, index, [], _kerning_factor) for path, index in rest]
        if enable_last_resort and (last_resort, 0) not in paths:
            others.append(font(last_resort, 0, [], _kerning_factor, warn=True))
            others[-1].set_charmap(0)
        result = font(first, first_index, others, _kerning_factor)
        if (last_resort, 0) in paths:
            at = paths.index((last_resort, 0))
            (result if at == 0 else others[at - 1]).set_charmap(0)
        return result

    def get_font(paths: Any, **kwargs: Any) -> Any:
        return (original if _plain_fonts else in_memory)(paths, **kwargs)

    manager = font_manager.FontManager
    find = manager._find_fonts_by_props
    spare = [font_manager.FontPath(*font) for font in fallback]
    found: dict[Any, list[Any]] = {}

    def find_fonts(self: Any, prop: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if args or kwargs or not isinstance(prop, font_manager.FontProperties):
            return [*find(self, prop, *args, **kwargs), *spare]
        key = (id(self), len(self.ttflist), _without_size(prop), _settings())
        if key not in found:
            found[key] = [*find(self, prop), *spare]
        return list(found[key])

    findfont: Any = manager.findfont
    properties: Any = font_manager.FontProperties
    best: dict[Any, Any] = {}

    def find_font(self: Any, prop: Any, fontext: str = "ttf", *args: Any, **kwargs: Any) -> Any:
        if args or kwargs or fontext != "ttf":
            return findfont(self, prop, fontext, *args, **kwargs)
        prop = properties._from_any(prop)
        key = (id(self), len(self.ttflist), _without_size(prop), _settings())
        if key not in best:
            best[key] = findfont(self, prop)
        return best[key]

    setattr(font_manager, "_get_font", get_font)  # noqa: B010
    setattr(manager, "_find_fonts_by_props", find_fonts)  # noqa: B010
    if all(entry.size == "scalable" for entry in font_manager.fontManager.ttflist):  # else the size matters
        setattr(manager, "findfont", find_font)  # noqa: B010
        for module in (font_manager, _mathtext):  # both hold the method by name
            setattr(module, "findfont", font_manager.fontManager.findfont)  # noqa: B010
    _complete_formulas(spare)


def _without_size(prop: Any) -> tuple[Any, ...]:
    return tuple(value for name, value in prop.__dict__.items() if name != "_size")


def _complete_formulas(spare: list[Any]) -> None:
    """In a text with a formula in it, Matplotlib looks no further than its own fonts; look into the spare ones too."""
    from matplotlib import _mathtext, font_manager

    dummy = 0xA4  # what it draws for a character that no font has
    original = _mathtext.UnicodeFonts._get_glyph

    def get_glyph(self: Any, fontname: str, font_class: str, sym: str) -> Any:
        found = original(self, fontname, font_class, sym)
        if found[1] == dummy and len(sym) == 1 and ord(sym) != dummy:
            for path in spare:
                font = font_manager.get_font(path)
                if font.get_char_index(ord(sym)):
                    return font, ord(sym), False
        return found

    setattr(_mathtext.UnicodeFonts, "_get_glyph", get_glyph)  # noqa: B010


def _keep_layouts() -> None:
    """One layout a text, font, size and turn, for all passes and figures of a script."""
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.text import Text

    text_class: Any = Text
    measure, lay_out_text = RendererAgg.get_text_width_height_descent, text_class._get_layout
    sizes: dict[Any, Any] = {}
    layouts: dict[Any, Any] = {}

    def get_size(self: Any, s: str, prop: Any, ismath: Any) -> Any:
        if ismath == "TeX":
            return measure(self, s, prop, ismath)
        key = (s, ismath, self.dpi, *prop.__dict__.values(), _settings())
        if key not in sizes:
            if len(sizes) >= _MAX_LAYOUTS:
                sizes.clear()
            sizes[key] = measure(self, s, prop, ismath)
        return sizes[key]

    def get_layout(self: Any, renderer: Any) -> Any:
        if type(renderer) is not RendererAgg or self._usetex or self._wrap:
            return lay_out_text(self, renderer)
        key = (
            *(self._text, self.get_rotation(), self._rotation_mode, self._linespacing, self._parse_math),
            *(self._horizontalalignment, self._verticalalignment, self._multialignment),
            *(self.get_figure(root=True).dpi, renderer.dpi, *self._fontproperties.__dict__.values(), _settings()),
        )
        if key not in layouts:
            if len(layouts) >= _MAX_LAYOUTS:
                layouts.clear()
            layouts[key] = lay_out_text(self, renderer)
        return layouts[key]

    RendererAgg.get_text_width_height_descent = get_size
    text_class._get_layout = get_layout


def _keep_formulas() -> None:
    """Parsed formulas, shared by all renderers of a script and, once learned, by all scripts."""
    from matplotlib.mathtext import MathTextParser

    parser: Any = MathTextParser
    original = parser._parse_cached.__wrapped__

    def parse(self: Any, s: str, dpi: float, prop: Any, antialiased: bool, flags: Any) -> Any:
        if _plain_fonts or self._output_type != "vector" or prop is None:
            return original(self, s, dpi, prop, antialiased, flags)
        key = (s, dpi, *prop.__dict__.values(), flags, _settings())
        if key not in _formulas:
            if len(_formulas) >= 2 * MAX_FORMULAS:
                _formulas.clear()
            _formulas[key] = original(self, s, dpi, prop, antialiased, flags)
            if len(_new) < MAX_NEW and len(s) <= MAX_LENGTH and prop.get_file() is None and _settings() == _defaults[0]:
                _new[(s, float(dpi), *_properties(prop))] = None
        return _formulas[key]

    parser._parse_cached = parse


def _properties(prop: Any) -> tuple[Any, ...]:
    values = (prop.get_family(), prop.get_style(), prop.get_variant(), prop.get_weight(), prop.get_stretch())
    return tuple(values[0]), *values[1:], prop.get_size_in_points(), prop.get_math_fontfamily()


def new_formulas() -> list[list[Any]]:
    """The formulas that this process had to parse, JSON-ready: text, dpi, and the font's properties."""
    return [[text, dpi, list(family), *rest] for text, dpi, family, *rest in _new]


def lay_out(lesson: bytes) -> bytes:
    """The layouts of formulas as numbers, in JSON. For a confined child: the formulas are anybody's.

    `lesson` is the JSON of a list in the shape of `new_formulas`. Formulas with a fault are left out.
    """
    results = []
    for formula in json.loads(lesson):
        try:
            width, height, depth, glyphs, rects = _parser().parse(formula[0], formula[1], _font_properties(formula))
        except (ValueError, TypeError, RecursionError, RuntimeError):
            continue
        drawn = [
            [str(font.fname), float(size), int(c), int(g), float(x), float(y)] for font, size, c, g, x, y in glyphs
        ]
        boxes = [[float(v) for v in rect] for rect in rects]
        results.append([formula, float(width), float(height), float(depth), drawn, boxes])
    return json.dumps(results).encode()


def keep(layouts: bytes) -> int:
    """Put what `lay_out` gave into the cache of this process; gives the number kept.

    Raises ValueError for what is not made of finite numbers and this machine's fonts.
    """
    import numpy as np
    from matplotlib import font_manager
    from matplotlib.ft2font import LoadFlags
    from matplotlib.mathtext import VectorParse

    known = {os.path.realpath(entry.fname) for entry in font_manager.fontManager.ttflist}
    kept = 0
    for formula, width, height, depth, glyphs, rects in json.loads(layouts):
        if len(_formulas) >= MAX_FORMULAS or _kept_glyphs[0] + len(glyphs) + len(rects) > MAX_GLYPHS:
            break
        if not {g[0] for g in glyphs} <= known:
            raise ValueError("a layout names a font that is not among this machine's")
        sizes = [width, height, depth, *(v for g in glyphs for v in g[1:]), *(v for r in rects for v in r)]
        if not all(isinstance(v, (int, float)) and math.isfinite(v) for v in sizes):
            raise ValueError("a layout holds something that is not a finite number")
        text, dpi = formula[:2]
        prop = _font_properties(formula)
        value = VectorParse(
            *(np.float64(v) for v in (width, height, depth)),
            [(font_manager.get_font(path), *numbers) for path, *numbers in glyphs],
            [tuple(r) for r in rects],
        )
        key = (text, dpi, *prop.__dict__.values(), LoadFlags.NO_HINTING, _defaults[0])
        _formulas[key] = value
        _kept_glyphs[0] += len(glyphs) + len(rects)
        kept += 1
    return kept


@lru_cache(1)
def _parser() -> Any:
    from matplotlib.mathtext import MathTextParser

    return MathTextParser("path")


def _font_properties(formula: list[Any]) -> Any:
    from matplotlib.font_manager import FontProperties

    return FontProperties(**dict(zip(_PROPERTIES, formula[2:], strict=True)))
