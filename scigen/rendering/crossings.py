"""Finds texts with a line in their ink box that can be seen there, from pixels kept while the picture was drawn.

For each line of text its rectangle is kept as it was before and after the text came. Where the ground was of one
colour and nothing came on top there is nothing to look for. Else each artist's line is followed through the box, and
counts where the pixels have its colour. So what an opaque box or shape hides is not found, and the pictures of most
texts cost two small copies.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from scigen.rendering.artists import outlines

MAX_CROSSINGS = 500
MAX_PIXELS = 4_000_000
"""Of all kept rectangles together."""
LEAST_PX = 2.0
"""Shorter stretches are the box's air or a line's rounded end."""
AIR = 0.1
"""Share of its height by which a box is made smaller on each side: it holds a little air."""
FAINT = 64
"""A line whose colour differs less from the ground, of 255 in any channel, leaves a text readable."""
_MAX_LOOKS, _MAX_SEGMENTS, _MAX_LINES, _MAX_POINTS = 300, 400, 4000, 100_000


@dataclass
class Piece:
    """One line of a text, anchored at the left end of its baseline: pixels, y down; degrees anticlockwise."""

    owner: Any
    x: float
    y: float
    width: float
    height: float
    descent: float
    angle: float
    text: int = -1
    """Index among the recorded texts, once it is one."""
    rows: slice = field(default_factory=lambda: slice(0))
    columns: slice = field(default_factory=lambda: slice(0))
    before: Any = None
    """The rectangle's pixels (rows x columns of 4 bytes); None where they have one colour."""
    after: bytes | None = None

    def centre(self) -> tuple[float, float]:
        cos, sin = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        along, up = self.width / 2, self.height / 2 - self.descent
        return self.x + along * cos - up * sin, self.y - along * sin - up * cos

    def enclose(self, height: int, width: int) -> int:
        """Set `rows` and `columns` to the upright rectangle around it within a canvas; gives its number of pixels."""
        cos, sin = abs(math.cos(math.radians(self.angle))), abs(math.sin(math.radians(self.angle)))
        (x, y), half_w, half_h = self.centre(), self.width / 2, self.height / 2
        dx, dy = half_w * cos + half_h * sin, half_w * sin + half_h * cos
        if not math.isfinite(x + y + dx + dy):
            return 0
        self.rows = slice(max(0, math.floor(y - dy)), max(0, min(height, math.ceil(y + dy))))
        self.columns = slice(max(0, math.floor(x - dx)), max(0, min(width, math.ceil(x + dx))))
        return int(max(0, self.rows.stop - self.rows.start) * max(0, self.columns.stop - self.columns.start))


def pixels(renderer: Any) -> Any:
    """The canvas as it is now, not a copy: rows x columns, each pixel's four bytes as one number."""
    import numpy as np

    return np.asarray(renderer._renderer).view(np.uint32)[..., 0]


def crossings(
    pieces: Sequence[Piece], canvas: Any, strokes: Sequence[tuple[Any, Any]], arrows: Mapping[int, Any]
) -> tuple[list[dict[str, Any]], bool]:
    """JSON-ready dicts in the shape of `scigen.records.TextOverLine`, and whether something could not be looked at.

    `strokes`, `arrows`: see `scigen.rendering.artists`.
    """
    import numpy as np

    looks = list(islice((look for piece in pieces for look in _looks(piece, canvas)), _MAX_LOOKS))
    if not looks or not strokes:
        return [], False
    lines = _Lines(strokes, canvas.shape[0], arrows)
    longest: dict[tuple[int, int, int], float] = defaultdict(float)
    for piece, kept, mask in looks:
        near = lines.near(piece)
        if not len(near):
            continue
        places, weights, which = _inside(lines.start[near], lines.end[near], piece)
        stroke = lines.stroke[near][which]
        weights = weights * _seen(places, lines.colors[stroke], piece, kept, mask)
        totals = np.bincount(stroke, weights, len(strokes) + 1)
        for n in np.flatnonzero(totals).tolist():  # a line is drawn once, though it may be looked for twice
            key = (piece.text, id(piece), n)
            longest[key] = max(longest[key], float(totals[n]))
    lengths: dict[tuple[int, str, str], float] = defaultdict(float)
    for (text, _, n), length in longest.items():
        lengths[text, *lines.names[n]] += length
    found = [
        {"text": text, "line": line, "color": color, "length": round(length, 1)}
        for (text, line, color), length in sorted(lengths.items())
        if length > LEAST_PX
    ]
    return found[:MAX_CROSSINGS], lines.partial or len(looks) == _MAX_LOOKS or len(found) > MAX_CROSSINGS


class _Lines:
    """All lines of a figure as one list of straight segments, in pixels, y down."""

    def __init__(self, strokes: Sequence[tuple[Any, Any]], height: float, arrows: Mapping[int, Any]) -> None:
        import numpy as np

        self.partial = False
        self.names: list[tuple[str, str]] = []
        self.owned: dict[int, list[int]] = defaultdict(list)
        points, sizes = [np.zeros((0, 2))], [0]
        colors: list[tuple[float, ...]] = [(0.0, 0.0, 0.0, 0.0)]
        self.names.append(("", ""))
        total = 0
        for artist, owner in strokes:
            try:
                for line, color in outlines(artist, arrows):
                    if total + len(line) > _MAX_POINTS or len(self.names) > _MAX_LINES:
                        self.partial = True
                        break
                    if len(line) < 2 or not color[3]:
                        continue
                    total += len(line)
                    if owner is not None:
                        self.owned[id(owner)].append(len(self.names))
                    shade = "#" + "".join(f"{round(255 * float(c)):02x}" for c in color[:3])
                    self.names.append((type(artist).__name__[:80], shade))
                    points.append(line)
                    sizes.append(len(line))
                    colors.append(tuple(float(c) for c in color[:4]))
            except Exception:  # a script can make its artists raise anything
                self.partial = True
        every = np.concatenate(points)
        every[:, 1] = height - every[:, 1]
        last = np.cumsum(sizes) - 1
        joined = np.ones(max(len(every) - 1, 0), bool)
        joined[last[(last >= 0) & (last < len(joined))]] = False
        self.start, self.end = every[:-1][joined], every[1:][joined]
        self.stroke = np.repeat(np.arange(len(sizes)), sizes)[:-1][joined]
        self.colors = np.array(colors)
        self._low, self._high = np.minimum(self.start, self.end), np.maximum(self.start, self.end)

    def near(self, piece: Piece) -> Any:
        """Indices of segments that may touch the piece's rectangle and are not of its text's own arrow."""
        import numpy as np

        left, top = (piece.columns.start, piece.rows.start)
        right, bottom = (piece.columns.stop, piece.rows.stop)
        near = (self._high[:, 0] > left) & (self._low[:, 0] < right)
        near &= (self._high[:, 1] > top) & (self._low[:, 1] < bottom)
        found = np.flatnonzero(near)[:_MAX_SEGMENTS]
        own = self.owned.get(id(piece.owner))
        return found[~np.isin(self.stroke[found], own)] if own and len(found) else found


def _looks(piece: Piece, canvas: Any) -> Iterator[tuple[Piece, Any, Any]]:
    """The moments when a line may be seen in the piece's rectangle: its pixels then, and which of them count."""
    if piece.after is None:
        return
    if piece.before is not None:
        yield piece, piece.before, None
    now = canvas[piece.rows, piece.columns]
    if now.tobytes() != piece.after:
        yield piece, now, now != _frombuffer(piece.after, now.shape)


def _frombuffer(data: bytes, shape: tuple[int, ...]) -> Any:
    import numpy as np

    return np.frombuffer(data, np.uint32).reshape(shape)


def _seen(places: Any, colors: Any, piece: Piece, kept: Any, mask: Any) -> Any:
    """For each place (K x 2, pixels): whether it or a neighbour has its line's colour rather than the ground's."""
    import numpy as np

    values, counts = np.unique(kept, return_counts=True)
    ground = _on_white(values[counts.argmax() : counts.argmax() + 1])[0]
    line = 255 * colors[:, 3:] * colors[:, :3] + (1 - colors[:, 3:]) * ground
    step = line - ground
    clear = np.abs(step).max(1) >= FAINT
    around = np.stack(np.meshgrid((-1, 0, 1), (-1, 0, 1)), -1).reshape(1, 9, 2)
    near = np.floor(places).astype(int)[:, None] - (piece.columns.start, piece.rows.start) + around
    near = np.clip(near, 0, (kept.shape[1] - 1, kept.shape[0] - 1))
    columns, rows = near[..., 0], near[..., 1]
    away = _on_white(kept[rows, columns]) - ground
    share = (away * step[:, None]).sum(-1) / np.maximum((step * step).sum(-1), 1)[:, None]
    rest = np.abs(away - share[..., None] * step[:, None]).max(-1)
    good = (share >= 0.5) & (share <= 1.2) & (rest <= FAINT)
    if mask is not None:
        good &= mask[rows, columns]
    return clear & good.any(1)


def _on_white(kept: Any) -> Any:
    """RGB from 0 to 255."""
    import numpy as np

    rgba = np.ascontiguousarray(kept).view(np.uint8).reshape(*kept.shape, 4).astype(float)
    opacity = rgba[..., 3:] / 255
    return opacity * rgba[..., :3] + 255 * (1 - opacity)


def _inside(start: Any, end: Any, piece: Piece) -> tuple[Any, Any, Any]:
    """Places a pixel or less apart on the segments within the piece's box, and the length and segment of each."""
    import numpy as np

    angle = math.radians(piece.angle)
    turn = np.array([(math.cos(angle), -math.sin(angle)), (-math.sin(angle), -math.cos(angle))]).T
    move = end - start
    local, step = (start - piece.centre()) @ turn, move @ turn
    air = AIR * piece.height + 0.5
    half = np.array([max(piece.width / 2 - air, 0), max(piece.height / 2 - air, 0)])
    slope = np.where(step == 0, 1e-12, step)
    one, other = (-half - local) / slope, (half - local) / slope
    enter = np.clip(np.minimum(one, other).max(1), 0, 1)
    reach = np.clip(np.maximum(one, other).min(1), 0, 1) - enter
    hit = np.flatnonzero(reach > 0)
    length = reach[hit] * np.hypot(*step[hit].T)
    number = np.clip(np.ceil(length), 1, 4000).astype(int)
    which = np.repeat(hit, number)
    place = (np.arange(len(which)) - np.repeat(np.cumsum(number) - number, number) + 0.5) / np.repeat(number, number)
    t = enter[which] + place * reach[which]
    return start[which] + t[:, None] * move[which], np.repeat(length / number, number), which
