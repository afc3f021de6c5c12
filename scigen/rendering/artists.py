"""Reads a Matplotlib figure after it was drawn: its axes, its artists by class, their colours, and its visible lines.

Looks at what the artists say of themselves, not at pixels: an artist that lies behind another, or outside the limits
of its axes, is counted. The furniture of axes is not: axis, ticks, grid, spines, titles, background, colour bars' and
legends' insides. A table's cells and a text's box belong to the table and the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MAX_ARTISTS, MAX_AXES, MAX_COUNTS, MAX_LENGTH = 3000, 64, 64, 500
_MAX_ROWS, _MAX_VERTICES = 256, 20_000
_NOTHING = ("", " ", "None", "none", None)

Color = tuple[float, ...]


class Contents:
    """What is in a figure, found in one walk; `height` is the picture's, in pixels."""

    def __init__(self, figure: Any, height: float) -> None:
        from matplotlib.axes import Axes
        from matplotlib.axis import Axis
        from matplotlib.collections import Collection
        from matplotlib.figure import SubFigure
        from matplotlib.legend import Legend
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch
        from matplotlib.spines import Spine
        from matplotlib.table import Table
        from matplotlib.text import Text

        self._furniture, self._axes_class, self._groups = (Axis, Spine), Axes, (SubFigure, Table)
        self._readers = ((Line2D, self._line), (Patch, self._patch), (Collection, self._collection), (Text, self._text))
        self._table, self._legend = Table, Legend
        self.height = height
        self.axes: list[dict[str, Any]] = []
        self.artists: dict[str, int] = {}
        self.colors: dict[str, int] = {}
        self.strokes: list[tuple[Any, Any]] = []
        """Artists with lines, each with the text it belongs to, if any."""
        self.partial = False
        self._seen = 0
        self._walk(figure, None)

    def counts(self) -> tuple[dict[str, int], dict[str, int]]:
        """Artists by class and colours by use, the most frequent first; no more than MAX_COUNTS."""
        self.partial |= len(self.artists) > MAX_COUNTS
        both = (sorted(d.items(), key=lambda item: (-item[1], item[0])) for d in (self.artists, self.colors))
        artists, colors = (dict(items[:MAX_COUNTS]) for items in both)
        return artists, colors

    def _walk(self, parent: Any, axes: Any) -> None:
        furniture = {id(getattr(parent, name, None)) for name in ("patch", "title", "_left_title", "_right_title")}
        for child in parent.get_children():
            if self._seen >= MAX_ARTISTS:
                self.partial = True
                return
            if id(child) in furniture or isinstance(child, self._furniture) or not child.get_visible():
                continue
            self._seen += 1
            try:
                self._take(child, parent, axes)
            except Exception:  # a script can make its artists raise anything
                self.partial = True

    def _take(self, child: Any, parent: Any, axes: Any) -> None:
        if isinstance(child, self._axes_class):
            if len(self.axes) < MAX_AXES:
                self.axes.append(self._describe(child))
            else:
                self.partial = True
            if not hasattr(child, "_colorbar"):
                self._walk(child, child)
            return
        colors: set[str] | None = set()
        for kind, read in self._readers:
            if isinstance(child, kind):
                colors = read(child, axes)
                break
        if colors is None:
            return
        for color in colors:
            self.colors[color] = self.colors.get(color, 0) + 1
        if isinstance(child, self._groups):
            self._walk(child, axes)
        if not isinstance(parent, self._table):
            name = type(child).__name__[:80]
            self.artists[name] = self.artists.get(name, 0) + 1

    def _describe(self, axes: Any) -> dict[str, Any]:
        """Shape of `scigen.records.DrawnAxes`."""
        x0, y0, x1, y1 = (float(v) for v in axes.bbox.extents)
        aspect = axes.get_aspect()
        solid = axes.name == "3d"  # has neither frame nor spines, and its own switch
        spines = [] if solid else list(axes.spines.values())
        framed = axes._axis3don if solid else axes.axison and axes.get_frame_on()
        return {
            "kind": "colorbar" if hasattr(axes, "_colorbar") else str(axes.name)[:40],
            "box": {
                "cx": round((x0 + x1) / 2, 2),
                "cy": round(self.height - (y0 + y1) / 2, 2),
                "width": round(x1 - x0, 2),
                "height": round(y1 - y0, 2),
            },
            "aspect": "equal" if aspect in (1, "equal") else float(aspect) if not isinstance(aspect, str) else "auto",
            "axis": [
                {
                    "name": str(getattr(axis, "axis_name", name))[:40],
                    "scale": str(axis.get_scale())[:40],
                    "limits": [float(v) for v in axis.get_view_interval()],
                    "label": axis.get_label_text()[:MAX_LENGTH],
                }
                for name, axis in axes._axis_map.items()
            ],
            "frame": bool(framed and (not spines or any(s.get_visible() for s in spines))),
        }

    def _line(self, line: Any, axes: Any) -> set[str] | None:
        if not len(line.get_xydata()):
            return None
        stroked = line.get_linestyle() not in _NOTHING and line.get_linewidth() > 0
        marked = line.get_marker() not in _NOTHING
        alpha = line.get_alpha()
        colors = _hex([line.get_color()] if stroked else [], alpha)
        if colors and not _is_axis_line(line, axes):
            self.strokes.append((line, None))
        if marked:
            colors |= _hex([line.get_markerfacecolor(), line.get_markeredgecolor()], alpha)
        return colors or None

    def _patch(self, patch: Any, axes: Any) -> set[str] | None:
        edge = _hex([patch.get_edgecolor()]) if _has_edge(patch) else set()
        face = _hex([patch.get_facecolor()]) if patch.get_fill() else set()
        if edge - face:
            self.strokes.append((patch, None))
        return (edge | face) or (set() if patch.get_hatch() else None)

    def _collection(self, collection: Any, axes: Any) -> set[str] | None:
        if not len(collection.get_offsets()) or not (
            len(collection.get_paths()) or hasattr(collection, "_coordinates")
        ):
            return None
        faces, edges = collection.get_facecolor(), collection.get_edgecolor()
        if not len(faces) and len(edges) and max(collection.get_linewidth(), default=0) > 0:
            self.strokes.append((collection, None))
        if collection.get_array() is not None:
            return set()
        colors = _hex([c for rows in (faces, edges) for c in rows[:: 1 + len(rows) // _MAX_ROWS]])
        return colors or None

    def _text(self, text: Any, axes: Any) -> set[str] | None:
        arrow = getattr(text, "arrow_patch", None)
        colors = set()
        if arrow is not None and arrow.get_visible():
            colors = _hex([arrow.get_edgecolor()])
            self.strokes.append((arrow, text))
        if text.get_text().strip() and text.get_alpha() != 0:
            colors |= _hex([text.get_color()])
        return colors or None


def outlines(artist: Any, arrows: Mapping[int, Any]) -> Iterator[tuple[Any, Color]]:
    """The lines of one of the `strokes`: points (N x 2, pixels, y up) with their RGBA from 0 to 1.

    `arrows`: paths in pixels of the artists, by id, whose shape is known from the drawing and costly to work out.
    Raises ValueError for a line of more than 20,000 points, and whatever the artist raises.
    """
    from matplotlib.colors import to_rgba

    if hasattr(artist, "_prepare_points"):
        transform, offset_transform, offsets, paths = artist._prepare_points()
        shifts, colors = offset_transform.transform(offsets), artist.get_edgecolor()
        for n, path in enumerate(paths[:_MAX_ROWS]):
            for points in _points(path, transform):
                yield points + shifts[n % len(shifts)], colors[n % len(colors)]
        return
    color = to_rgba(artist.get_color(), artist.get_alpha()) if hasattr(artist, "get_color") else artist.get_edgecolor()
    known = arrows.get(id(artist))
    if known is None:
        known, transform = artist.get_path(), artist.get_transform()
    else:
        transform = None
    for path in known if isinstance(known, (list, tuple)) else [known]:
        for points in _points(path, transform):
            yield points, color


def _points(path: Any, transform: Any) -> Iterator[Any]:
    if len(path.vertices) > _MAX_VERTICES:
        raise ValueError("a line of very many points")
    if path.codes is None and (transform is None or transform.is_affine or path._interpolation_steps == 1):
        yield path.vertices if transform is None else transform.transform(path.vertices)
        return
    if transform is not None:
        path = transform.transform_path(path)
    if path.codes is None:
        yield path.vertices
    else:
        yield from path.to_polygons(closed_only=False)


def _has_edge(patch: Any) -> bool:
    return patch.get_linewidth() > 0 and patch.get_linestyle() not in _NOTHING


def _is_axis_line(line: Any, axes: Any) -> bool:
    """Whether it is an axhline or axvline at 0, which stands for an axis."""
    if line.get_transform() is getattr(axes, "_yaxis_transform", None):
        return not any(line.get_ydata())
    return line.get_transform() is getattr(axes, "_xaxis_transform", None) and not any(line.get_xdata())


def _hex(colors: list[Any], alpha: Any = None) -> set[str]:
    """`#rrggbb` of those that are not fully transparent."""
    from matplotlib.colors import to_rgba

    found = set()
    for color in colors:
        red, green, blue, opacity = (
            to_rgba(color, alpha) if isinstance(color, str) else (*color[:3], *color[3:], 1.0)[:4]
        )
        if opacity:
            found.add(f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}")
    return found
