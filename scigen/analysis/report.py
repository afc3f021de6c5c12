"""Writes `report.html` and `figures/*.png` of one run. The page needs no network, no script and no other file.

It shows what `RunResults` holds and measures nothing. Links to records and images are relative to the run folder, so
they work as long as the page stays there; everything that the page itself shows is inside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scigen.analysis import figures as plots
from scigen.analysis import verdict as words
from scigen.analysis.cards import Card, cards, data_uri
from scigen.analysis.pages import templates
from scigen.analysis.results import RunResults, Score, Stage
from scigen.store import write_atomic


@dataclass(frozen=True)
class ReportFiles:
    """Where the report lies."""

    html: Path
    figures: dict[str, Path]
    """By name: reward, avg_at_4, families, controls; only those for which there was data."""


@dataclass(frozen=True)
class Picture:
    """One figure in both themes, as data URIs."""

    light: str
    dark: str
    path: str


@dataclass(frozen=True)
class Segment:
    """A part of a stage's bar; `share` of its width in per cent."""

    name: str
    count: int
    share: float
    passed: bool


def write_report(results: RunResults, folder: Path) -> ReportFiles:
    """Write `folder`/report.html and `folder`/figures/<name>.png, each atomically."""
    paths: dict[str, Path] = {}
    pictures: dict[str, Picture] = {}
    for name, draw in plots.all_figures(results).items():
        light = draw("light")
        paths[name] = folder / "figures" / f"{name}.png"
        write_atomic(paths[name], light)
        pictures[name] = Picture(data_uri(light), data_uri(draw("dark")), f"figures/{name}.png")
    html = folder / "report.html"
    write_atomic(html, render(results, pictures).encode())
    return ReportFiles(html, paths)


def render(results: RunResults, pictures: Mapping[str, Picture]) -> str:
    """The page as text. Everything that comes from problems, scripts, answers and configs is escaped."""
    environment = templates()
    environment.filters.update(percent=words.percent, duration=words.duration, points=words.points)
    environment.filters["words"] = lambda text: str(text).replace("_", " ")
    shown = cards(results)
    largest = max((s.total for s in results.stages), default=1) or 1
    page = environment.get_template("report.html.j2").render(
        r=results,
        verdict=words.verdict(results),
        scale=IntervalScale.of(results),
        stages=[(s, segments(s), 100 * s.total / largest) for s in results.stages],
        cards=shown,
        picks=picks(shown),
        pictures=pictures,
        clear=words.clear,
        meaning=words.ROLE_MEANING,
    )
    return page + "\n"


@dataclass(frozen=True)
class Pick:
    """One way to narrow down the contact sheet; `id` is a class of the cards, or "all"."""

    id: str
    text: str
    count: int


PICKS = {
    "textbook": "textbook",
    "glance": "glance",
    "planted": "planted defects",
    "found": "with findings",
    "missed": "answered wrong after training",
}


def picks(shown: list[Card]) -> list[Pick]:
    """All cards, then each class that some card has."""
    counts = {name: sum(name in c.classes.split() for c in shown) for name in PICKS}
    return [Pick("all", "all", len(shown))] + [Pick(n, PICKS[n], count) for n, count in counts.items() if count]


def segments(stage: Stage) -> list[Segment]:
    """The parts of a stage's bar, what passed first, largest first."""
    whole = sum(stage.counts.values()) or 1
    parts = [Segment(n, c, 100 * c / whole, n in stage.passed) for n, c in stage.counts.items()]
    return sorted(parts, key=lambda s: (not s.passed, -s.count))


@dataclass(frozen=True)
class IntervalScale:
    """The common axis of the small interval drawings in the verdict table, 0 to `top` (a proportion)."""

    top: float
    width: int = 200

    @classmethod
    def of(cls, results: RunResults) -> IntervalScale:
        """Up to the next tenth above everything that is drawn."""
        highest = max([m.ci95[1] for m in results.verdict_rows()] + [results.chance or 0.1])
        return cls(min(1.0, (int(highest * 10) + 1) / 10))

    def x(self, rate: float) -> float:
        """Pixels from the left, within a margin of 5."""
        return round(5 + (self.width - 10) * min(1.0, max(0.0, rate / self.top)), 1)

    def bar(self, score: Score) -> tuple[float, float, float]:
        """Low end, value and high end in pixels."""
        return self.x(score.ci95[0]), self.x(score.avg_at_4), self.x(score.ci95[1])
