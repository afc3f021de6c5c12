"""The panels as one local page: own SVG drawn by a small script of our own, no network, works by opening the file.

It shows what the runs have logged so far; run the command again for a run that is under way.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from scigen.analysis.dashboard.panels import SECTIONS, Against, Curves, Levels, Panel, interval_of
from scigen.analysis.dashboard.runs import Run
from scigen.analysis.pages import script, templates
from scigen.errors import ScigenError
from scigen.store import write_atomic

DIGITS = 6
"""Significant digits that the page keeps of a value."""


def write_page(runs: Sequence[Run], out: Path) -> int:
    """Write the page and give the number of panels in it. Raises ScigenError when the runs have logged nothing."""
    data = page_data(runs)
    count = sum(len(section["panels"]) for section in data["sections"])
    if not count:
        raise ScigenError(f"{', '.join(r.name for r in runs)}: nothing was logged yet. Wait for the first step.")
    code, allowed = script("dashboard.js")
    page = (
        templates()
        .get_template("dashboard.html.j2")
        .render(
            data=data,
            script=code,
            allowed=allowed,
            made=datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        )
    )
    write_atomic(out, f"{page}\n".encode())
    return count


def page_data(runs: Sequence[Run]) -> dict[str, Any]:
    """What the script draws: only panels, lines and points that are there."""
    sections = []
    for section in SECTIONS:
        panels = [drawn for panel in section.panels if (drawn := _panel(panel, runs))]
        if panels:
            sections.append({"title": section.title, "note": section.note, "panels": panels})
    return {"runs": [_row(run) for run in runs], "sections": sections}


def _row(run: Run) -> dict[str, Any]:
    """One line of the table of runs."""
    reward, accuracy = run.curves.get("critic/score/mean", ()), _first_accuracy(run)
    return {
        "name": run.name,
        "state": run.state,
        "steps": run.steps,
        "experiment": run.words.get("experiment", ""),
        "command": run.words.get("command", ""),
        "rows": run.figures.get("rows/train"),
        "reward": _short(reward[-1][1]) if reward else None,
        "accuracy": [_short(accuracy[0][1]), _short(accuracy[-1][1])] if accuracy else None,
    }


def _first_accuracy(run: Run) -> Sequence[tuple[int, float]]:
    """AVG@4 on the first benchmark of the run."""
    panel = next(p for p in SECTIONS[0].panels if isinstance(p, Curves) and p.title.startswith("AVG@4"))
    names = panel.chosen(run.curves)
    return run.curves[names[0]] if names else ()


def _panel(panel: Panel, runs: Sequence[Run]) -> dict[str, Any] | None:
    head = {"title": panel.title, "unit": panel.unit, "percent": panel.percent}
    if isinstance(panel, Curves):
        lines = _lines(panel, runs)
        more = {"kind": "curves", "logY": panel.log_y, "smoothed": panel.smoothed, "lines": lines}
        return {**head, **more} if lines else None
    if isinstance(panel, Levels):
        points = _points(runs, panel.figures, None)
        return {**head, "kind": "levels", "zero": panel.zero, "points": points} if points else None
    assert isinstance(panel, Against)
    points = _points(runs, panel.y, panel.x)
    if len({p["x"] for p in points}) < 2:
        return None  # one size is no axis
    return {**head, "kind": "against", "logX": panel.log_x, "xTitle": panel.x_title, "points": points}


def _lines(panel: Curves, runs: Sequence[Run]) -> list[dict[str, Any]]:
    labels = short_names({name for run in runs for name in panel.chosen(run.curves)})
    return [
        {
            "run": number,
            "metric": name,
            "label": labels[name],
            "x": [step for step, _ in run.curves[name]],
            "y": [_short(value) for _, value in run.curves[name]],
        }
        for number, run in enumerate(runs)
        for name in panel.chosen(run.curves)
    ]


def _points(runs: Sequence[Run], figures: Sequence[str], x: str | None) -> list[dict[str, Any]]:
    labels = short_names(figures)
    found = []
    for number, run in enumerate(runs):
        for name in figures:
            if name in run.figures and (x is None or x in run.figures):
                low, high = (run.figures.get(end) for end in interval_of(name))
                value = {"y": _short(run.figures[name]), "n": run.figures.get(f"{name.rsplit('/', 1)[0]}/n")}
                ends = {"low": low, "high": high} if name.endswith(("avg_at_4", "value")) else {}
                at = {} if x is None else {"x": run.figures[x]}
                label = labels[name] if len(figures) > 1 else ""
                found.append({"run": number, "label": label, **value, **ends, **at})
    return found


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Without the parts at both ends that all of them have: val-core/a/acc/mean@4 and val-core/b/... are a and b."""
    parts = {name: name.split("/") for name in names}
    if len(parts) < 2:
        return dict.fromkeys(parts, "")
    shortest = min(map(len, parts.values()))
    start = next((k for k in range(shortest) if len({p[k] for p in parts.values()}) > 1), shortest)
    end = next((k for k in range(shortest - start) if len({p[-1 - k] for p in parts.values()}) > 1), shortest - start)
    return {name: "/".join(p[start : len(p) - end]) for name, p in parts.items()}


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
