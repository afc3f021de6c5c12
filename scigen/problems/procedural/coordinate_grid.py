"""A square coordinate grid with arrows on its axes; its numbers stand at the left and below, clear of any curve."""

from __future__ import annotations

from dataclasses import dataclass

from scigen.problems.procedural.placing import Point


@dataclass(frozen=True)
class CoordinateGrid:
    """From -reach to reach on both axes, in a square figure with sides of `side` inches."""

    reach: int
    side: float

    @property
    def low(self) -> float:
        """The figure's left and lower end in coordinates."""
        return -self.reach - 1.1

    @property
    def high(self) -> float:
        return self.reach + 0.8

    def inch(self, x: float, y: float) -> Point:
        """From coordinates to inches of the figure."""
        scale = self.side / (self.high - self.low)
        return (x - self.low) * scale, (y - self.low) * scale

    def back(self, x: float, y: float) -> Point:
        """From inches to coordinates."""
        scale = self.side / (self.high - self.low)
        return x / scale + self.low, y / scale + self.low

    def code(self) -> str:
        """Source that draws the grid and measures `ax` in its coordinates."""
        r, edge = self.reach, self.reach + 0.5
        return f"""
ax.set_position([0, 0, 1, 1])
ax.set_xlim({self.low:g}, {self.high:g})
ax.set_ylim({self.low:g}, {self.high:g})
ax.set_aspect("equal")
ax.axis("off")
grid = np.arange({-r}, {r + 1})
ax.hlines(grid, {-r}, {r}, color="0.88", linewidth=0.8, zorder=0)
ax.vlines(grid, {-r}, {r}, color="0.88", linewidth=0.8, zorder=0)
for start, end in (([{-r}, 0], [{edge:g}, 0]), ([0, {-r}], [0, {edge:g}])):
    ax.annotate("", xy=end, xytext=start, arrowprops=dict(
        arrowstyle="-|>", color="black", lw=1.2, shrinkA=0, shrinkB=0))
for v in range({-r}, {r + 1}, 2):
    ax.text(v, {-r - 0.5:g}, str(v).replace("-", "−"), fontsize=9, color="0.3", ha="center", va="center")
    ax.text({-r - 0.25:g}, v, str(v).replace("-", "−"), fontsize=9, color="0.3", ha="right", va="center")
ax.text({edge:g}, -0.6, "x", fontsize=12, style="italic", ha="center", va="center")
ax.text(-0.6, {edge:g}, "y", fontsize=12, style="italic", ha="center", va="center")
"""
