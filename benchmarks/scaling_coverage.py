"""Do the scaling study's intervals cover the truth, and does it claim to know the form when it does not?

    python benchmarks/scaling_coverage.py [--studies 200] [--sizes 32,96,352,1280] [--seeds 3] [--problems 240]

Studies of a known law: problems of unlike difficulty, some of them helped more than others by data, seeds with a level
of their own, trainings with a scatter of their own, four answers a problem. Every study goes through the package's own
code, and is asked for the accuracy at its largest size, the growth, the curve at four times the largest size, and the
rows for one more point, by the form that is true; then whether it says that the forms can be told apart. Chances of a
right answer are never clipped, so that the law holds exactly.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from scigen.analysis.scaling import Cell, study
from scigen.analysis.scaling.draws import draw_means, percentiles
from scigen.analysis.scaling.fit import profile
from scigen.analysis.scaling.forms import LOG_LINEAR, NONE, POWER_LAW, SATURATING, Array, Form, Span
from scigen.analysis.scaling.grid import grid_of
from scigen.analysis.scaling.study import AHEAD, GAIN, weights_of
from scigen.statistics import wilson

SIZES = (32, 96, 352, 1280)
TARGETS = ("accuracy at the largest size", "growth", "curve at 4 x the largest size", "rows for one more point")
DIFFICULTY, HELPED, LEVEL, SCATTER = 0.3, 0.05, 0.01, 0.008
"""Half-widths of problems' difficulty and of how much a size helps a problem; deviations of seeds and of trainings."""


@dataclass(frozen=True)
class Law:
    """A form with its heights at the smallest size (start of the span) and the end, and its shape."""

    form: Form
    start: float
    end: float
    shape: float

    def at(self, sizes: Sequence[float], span: Span) -> Array:
        one = [np.array([x]) for x in (self.start, self.end, self.shape)]
        return self.form.value(np.array(sizes, dtype=float), *one, span)[0]


LAWS = (
    Law(NONE, 0.45, 0.45, 1.0),
    Law(LOG_LINEAR, 0.42, 0.52, 1.0),
    Law(POWER_LAW, 0.42, 0.54, 0.6),
    Law(SATURATING, 0.38, 0.54, 120.0),
)


def simulate(law: Law, sizes: Sequence[int], seeds: int, problems: int, rng: np.random.Generator) -> list[Cell]:
    """The cells of one study of the law."""
    curve = law.at(sizes, Span(min(sizes), max(sizes)))
    difficulty = rng.uniform(-DIFFICULTY, DIFFICULTY, (problems, 1, 1))
    helped = rng.uniform(-HELPED, HELPED, (problems, 1, len(sizes)))
    level = rng.normal(0, LEVEL, (1, seeds, 1))
    scatter = rng.normal(0, SCATTER, (1, seeds, len(sizes)))
    right = rng.binomial(4, curve + difficulty + helped + level + scatter) / 4
    return [
        Cell(n, s, {f"p{i}": float(right[i, s, j]) for i in range(problems)})
        for j, n in enumerate(sizes)
        for s in range(seeds)
    ]


def true_values(law: Law, sizes: Sequence[int]) -> dict[str, float]:
    """The targets, by the law itself."""
    span = Span(min(sizes), max(sizes))
    first, last, ahead = law.at([min(sizes), max(sizes), max(sizes) * AHEAD], span)
    one = [np.array([x]) for x in (law.start, law.end, law.shape)]
    rows = law.form.size_for(np.array([last + GAIN]), *one, span)[0]
    return dict(zip(TARGETS, map(float, (last, last - first, ahead, rows)), strict=True))


def intervals(law: Law, cells: Sequence[Cell], n_boot: int, seed: int) -> dict[str, tuple[float, float]]:
    """The study's intervals for the targets, by the form that is true."""
    grid = grid_of(cells)
    drawn = draw_means(grid.scores, n_boot, seed)
    curves = profile(law.form, grid.sizes, drawn, weights_of(grid))
    ahead = curves.value(grid.sizes[-1:] * AHEAD)[:, 0]
    found = (drawn[:, -1], drawn[:, -1] - drawn[:, 0], ahead, curves.size_for_gain(GAIN))
    return {name: percentiles(values) for name, values in zip(TARGETS, found, strict=True)}


def covered(
    law: Law, sizes: Sequence[int], seeds: int, problems: int, studies: int, n_boot: int = 400
) -> dict[str, int]:
    """Intervals that held the truth, of `studies` studies with random numbers of their own."""
    truth = {name: value for name, value in true_values(law, sizes).items() if np.isfinite(value)}
    counts = dict.fromkeys(truth, 0)
    for i in track(range(studies), f"intervals, {law.form.label}", transient=True):
        cells = simulate(law, sizes, seeds, problems, np.random.default_rng(i))
        found = intervals(law, cells, n_boot, i)
        for name, value in truth.items():
            counts[name] += bool(found[name][0] <= value <= found[name][1])
    return counts


def claims(
    law: Law, sizes: Sequence[int], seeds: int, problems: int, studies: int, n_boot: int = 200
) -> dict[str, int]:
    """How often the study says that the forms are told apart, and names the true one or another."""
    counts = {"forms told apart, rightly": 0, "forms told apart, wrongly": 0}
    for i in track(range(studies), f"claims, {law.form.label}", transient=True):
        cells = simulate(law, sizes, seeds, problems, np.random.default_rng(i))
        result = study(cells, "simulated", "held_out", 4, n_boot, seed=i)
        if result.told_apart:
            named = next(f.form for f in result.fits if f.delta == 0)
            counts["forms told apart, rightly" if named == law.form.name else "forms told apart, wrongly"] += 1
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--claims", type=int, default=100, help="studies for how often forms are said to be known")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--problems", type=int, default=240)
    options = parser.parse_args()
    sizes = [int(n) for n in options.sizes.split(",")]
    what = f"sizes {options.sizes}, {options.seeds} seeds, {options.problems} problems"
    table = Table(title=f"simulated studies: {what}", title_justify="left")
    for name in ("law", "quantity", "studies", "held, or said, %", "95 % interval"):
        table.add_column(name, justify="left" if name in ("law", "quantity") else "right")
    for law in LAWS:
        held = covered(law, sizes, options.seeds, options.problems, options.studies)
        said = claims(law, sizes, options.seeds, options.problems, options.claims)
        for counts, n in ((held, options.studies), (said, options.claims)):
            for name, count in counts.items():
                low, high = (f"{100 * x:.1f}" for x in wilson(count, n))
                table.add_row(law.form.label, name, str(n), f"{100 * count / n:.1f}", f"{low} to {high}")
    Console().print(table)


if __name__ == "__main__":
    main()
