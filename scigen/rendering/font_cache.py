"""Fonts held in memory, found once, and completed: what a forked child need not open, search or lack.

Matplotlib opens its fonts anew in every forked process, and looks through all fonts of the machine for each size of
each. Which font is chosen stays the same; characters that it lacks are taken from spare ones (`fonts`). Written for
Matplotlib 3.11.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any

_RC_NAMES = (
    *("text.hinting", "text.hinting_factor", "text.kerning_factor", "font.enable_last_resort", "axes.unicode_minus"),
    *(f"mathtext.{n}" for n in ("fontset", "default", "fallback", "bf", "bfit", "cal", "it", "rm", "sf", "tt")),
)
_RC_LISTS = tuple(f"font.{n}" for n in ("family", "serif", "sans-serif", "cursive", "fantasy", "monospace"))

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


def install(fallback: tuple[tuple[str, int], ...]) -> None:
    """Put the caches in place; once, in the warm process. `fallback`: see `fonts.fallback`."""
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
        key = (id(self), len(self.ttflist), _without_size(prop), settings())
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
        key = (id(self), len(self.ttflist), _without_size(prop), settings())
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


def uses_plain_fonts() -> bool:
    """Whether within `plain_fonts`."""
    return bool(_plain_fonts)


@contextmanager
def plain_fonts() -> Iterator[None]:
    """Fonts from files and formulas parsed anew, for formats that embed fonts."""
    _plain_fonts.append(True)
    try:
        yield
    finally:
        _plain_fonts.pop()


def settings() -> tuple[Any, ...]:
    """The settings that texts depend on."""
    from matplotlib import rcParams

    return _plain(rcParams), *[tuple(v) for v in _lists(rcParams)]


_plain, _lists = itemgetter(*_RC_NAMES), itemgetter(*_RC_LISTS)
