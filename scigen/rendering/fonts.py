"""Fonts for the characters that Matplotlib's own lack: Chinese, Japanese, Korean. DejaVu, which it brings, has Greek.

Taken from the system (Debian: fonts-noto-cjk or fonts-droid-fallback) or from the package of the extra `cjk`. With none
there, such characters are drawn as boxes and reported in `Drawing.missing_glyphs`.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

FAMILIES = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "Noto Sans SC", "WenQuanYi Micro Hei"),
    *("WenQuanYi Zen Hei", "Droid Sans Fallback", "IPAexGothic", "IPAGothic", "Noto Sans JP", "NanumGothic"),
)
"""In order of preference; the first with Chinese comes before those of one country."""
_PACKAGE = "matplotlib_fontja"
MOST = 3


def fallback() -> tuple[tuple[str, int], ...]:
    """At most `MOST` fonts (path, face) to look into, in this order, for a character that the chosen font lacks."""
    from matplotlib import font_manager

    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder).rglob("*.ttf")):
            font_manager.fontManager.addfont(path)
    regular = {
        e.name: (e.fname, e.index)
        for e in reversed(font_manager.fontManager.ttflist)
        if e.name in FAMILIES and e.style == "normal" and str(e.weight) in ("400", "normal", "regular")
    }
    return tuple(regular[name] for name in FAMILIES if name in regular)[:MOST]
