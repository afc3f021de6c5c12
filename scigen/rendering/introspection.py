"""Records which texts Matplotlib really draws, and where, in the pass that makes the picture.

Works by wrapping `Text.draw` and `draw_text` of the Agg renderer, so nothing is drawn twice. A text that is invisible,
empty or fully transparent is not recorded; one that lies behind a shape is (this does not look at pixels).
"""

from __future__ import annotations

import math
from typing import Any

MAX_TEXTS = 5000
MAX_LENGTH = 500

_drawn: list[dict[str, Any]] = []
_lines: list[tuple[float, ...]] = []
_owner: list[Any] = []


def install() -> None:
    """Wrap Matplotlib's methods; call once, in the process that draws."""
    import matplotlib.text as mtext
    from matplotlib.backend_bases import RendererBase
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.figure import Figure

    figure_draw, text_draw = Figure.draw, mtext.Text.draw

    def draw_figure(self: Any, renderer: Any) -> Any:
        _drawn.clear()
        return figure_draw(self, renderer)

    def draw_text_artist(self: Any, renderer: Any, *args: Any, **kwargs: Any) -> Any:
        _lines.clear()
        _owner[:] = [self]
        try:
            return text_draw(self, renderer, *args, **kwargs)
        finally:
            _owner.clear()
            if _lines and len(_drawn) < MAX_TEXTS and self.get_alpha() != 0 and self.get_text().strip():
                _drawn.append(_record(self, renderer))

    def watch(cls: type) -> None:
        draw_text = cls.draw_text  # type: ignore[attr-defined]

        def draw(
            self: Any,
            gc: Any,
            x: float,
            y: float,
            s: str,
            prop: Any,
            angle: float,
            ismath: Any = False,
            mtext: Any = None,
        ) -> Any:
            if _owner:
                size = self.get_text_width_height_descent(s, prop, ismath)
                _lines.append((float(x), float(y), *map(float, size), float(angle)))
            return draw_text(self, gc, x, y, s, prop, angle, ismath, mtext)

        cls.draw_text = draw  # type: ignore[attr-defined]

    setattr(Figure, "draw", draw_figure)  # noqa: B010 - mypy takes a plain assignment for a mistake
    setattr(mtext.Text, "draw", draw_text_artist)  # noqa: B010
    watch(RendererAgg)
    watch(RendererBase)  # texts with path effects come this way


def drawn() -> list[dict[str, Any]]:
    """The texts of the last drawn figure as JSON-ready dicts in the shape of `scigen.records.DrawnText`."""
    return [d for d in _drawn if all(math.isfinite(v) for v in (*d["box"].values(), d["size"]))]


def _record(text: Any, renderer: Any) -> dict[str, Any]:
    """One text: the smallest box along its direction that holds the ink of all its lines.

    A line is anchored at the left end of its baseline (x, y from the top left corner, y down); its ink reaches
    `width` along the direction, `height - descent` above the baseline and `descent` below.
    """
    angle = _lines[0][5]
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    along, up = [], []
    for x, y, width, height, descent, _ in _lines:
        a, u = x * cos - y * sin, -x * sin - y * cos
        along += [a, a + width]
        up += [u - descent, u + height - descent]
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
