"""What a script drew, in pixels of the picture and units of its axes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from scigen.records.base import Part

Pixels = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
"""A place or length in the picture. Bounded, so that what is worked out from it stays finite."""
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Box(Part):
    """A rectangle turned about its centre, in pixels from the top left corner of the PNG (y down)."""

    cx: Pixels
    cy: Pixels
    width: Pixels
    height: Pixels
    angle: Pixels = 0.0
    """Degrees anticlockwise."""


class DrawnText(Part):
    """A text that the renderer really drew."""

    text: str = Field(max_length=500)
    box: Box
    """Holds the ink of all its lines."""
    size: Pixels
    """Font size in points."""


class DrawnAxis(Part):
    """One axis of a coordinate system, as it was when the picture was made."""

    name: str = Field(max_length=40)
    """x, y, z; theta and radius of a polar plot."""
    scale: str = Field(max_length=40)
    """linear, log, symlog, ..."""
    limits: tuple[Finite, Finite]
    """In data units, days since 1970 for dates; the first is the greater one where the axis runs backwards."""
    label: str = Field(default="", max_length=500)


class DrawnAxes(Part):
    """One coordinate system of a figure."""

    kind: str = Field(max_length=40)
    """rectilinear, polar, 3d, another projection's name, or colorbar."""
    box: Box
    """The plotting area; for 3D the square that holds the view."""
    aspect: Literal["auto", "equal"] | Annotated[float, Field(gt=0, allow_inf_nan=False)] = "auto"
    """Pixels of one y unit over those of one x unit; `equal` for 1."""
    axis: tuple[DrawnAxis, ...] = ()
    frame: bool = True
    """Whether axes and frame are drawn (`ax.axis("off")` and a frame without spines are not)."""


class TextOverlap(Part):
    """Two texts that lie on each other."""

    first: int = Field(ge=0)
    """Index in `Drawing.texts`."""
    second: int = Field(ge=0)
    depth: Pixels
    """Pixels that one must be moved to get clear of the other."""


class TextOverLine(Part):
    """A line that can be seen within the ink box of a text."""

    text: int = Field(ge=0)
    """Index in `Drawing.texts`."""
    line: str = Field(max_length=80)
    """Class of the artist that drew it: Line2D, FancyArrowPatch, Polygon, ..."""
    color: str = Field(pattern="^#[0-9a-f]{6}$")
    length: Pixels
    """Pixels of it within the box."""


class TextCut(Part):
    """A text that reaches beyond the picture's edge."""

    text: int = Field(ge=0)
    """Index in `Drawing.texts`."""
    beyond: Pixels
    """Pixels of its box beyond the edge."""


class Drawing(Part):
    """What a script drew: exact for an honest script, advice for any other, for the script's own process reports it."""

    texts: tuple[DrawnText, ...] = ()
    axes: tuple[DrawnAxes, ...] = ()
    artists: dict[str, int] = Field(default_factory=dict)
    """Visible artists by class; without furniture of axes: axis, ticks, grid, spines, titles, insides of legends."""
    colors: dict[str, int] = Field(default_factory=dict)
    """`#rrggbb` to the number of artists that use it; the 64 most used, without furniture, images, colour maps."""
    overlaps: tuple[TextOverlap, ...] = ()
    crossings: tuple[TextOverLine, ...] = ()
    """Not by furniture, lines at 0 that stand for an axis, a text's own arrow, or what its box or a halo hides."""
    cuts: tuple[TextCut, ...] = ()
    smallest_text: float | None = None
    """Points; None without texts."""
    missing_glyphs: str = Field(default="", max_length=500)
    """Characters that no font had."""
    figures: int = Field(default=1, ge=1)
    """How many figures the script saved or showed; this is the last one."""
    partial: bool = False
    """A limit was met, or something could not be read: there is more than is listed."""
