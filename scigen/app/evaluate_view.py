"""What evaluating shows at its end. Nothing is computed beyond counts and their intervals."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.table import Table

from scigen.app.progress import duration
from scigen.evaluation.base import decides
from scigen.evaluation.calibration import CLEAN, Calibration, Change, Interval, Turned
from scigen.evaluation.judge.agreement import Agreement
from scigen.models import Estimate
from scigen.records import Verdict, VerdictStatus
from scigen.statistics import wilson
from scigen.store import iter_set


def estimates_table(rows: Iterable[tuple[str, str, int, Estimate]]) -> Table:
    """What evaluators would ask and cost: (generator, evaluator, images, estimate) a row."""
    table = Table(title="what it would come to", title_justify="left", show_footer=True)
    rows = list(rows)
    total = sum((row[3] for row in rows), Estimate())
    known = total.priced
    usd, most = (f"${x:,.2f}" if known else "not known" for x in (total.usd, total.usd_most))
    table.add_column("generator", footer="all")
    table.add_column("evaluator")
    foots = (f"{sum(r[2] for r in rows):,}", f"{total.calls:,}", f"{total.cached:,}", usd, most)
    heads = ("images", "calls", "answered", "cost, likely", "at most")
    for head, foot in zip(heads, foots, strict=True):
        table.add_column(head, footer=foot, justify="right")
    table.add_column("time", footer=duration(total.seconds), justify="right")
    for generator, evaluator, images, e in rows:
        cost = (f"${e.usd:,.2f}", f"${e.usd_most:,.2f}") if e.priced else ("not known", "not known")
        time = duration(e.seconds) if e.calls else "–"
        table.add_row(generator, evaluator, f"{images:,}", f"{e.calls:,}", f"{e.cached:,}", *cost, time)
    table.caption = "without repairs and retries; nothing was asked, nothing written"
    return table


def verdicts_table(sets: Iterable[tuple[str, str, Path]]) -> Table:
    """Counts and pass rates: (generator, evaluator, verdict set) a row."""
    table = Table(title="verdicts", title_justify="left")
    for name in ("generator", "evaluator"):
        table.add_column(name)
    for name in ("images", "scored", "not scored", "passed, all %", "passed, scored %"):
        table.add_column(name, justify="right")
    for generator, evaluator, folder in sets:
        verdicts = list(iter_set(folder, Verdict))
        found = Counter(v.status for v in verdicts)
        passed = sum(v.passed for v in verdicts)
        scored, other = found.pop(VerdictStatus.SCORED, 0), found
        counted = scored + sum(n for s, n in other.items() if s is not VerdictStatus.NOT_APPLICABLE)
        rates = (_rate(passed, counted), _rate(passed, scored)) if decides(verdicts) else ("measures only", "–")
        words = ", ".join(f"{status.value} {n}" for status, n in other.most_common())
        table.add_row(generator, evaluator, f"{counted:,}", f"{scored:,}", words, *rates)
    table.caption = "all: failures of generator and evaluator count as not passed; 95 % intervals"
    return table


def calibration_table(calibrations: Mapping[str, Calibration]) -> Table:
    """Recall a kind of planted defect, and false alarms on clean images."""
    table = Table(title="planted defects: what the evaluators flag", title_justify="left")
    table.add_column("images")
    for name, found in calibrations.items():
        table.add_column(f"{name}{f' ({found.models[0]})' if len(found.models) == 1 else ''}", justify="right")
    kinds = list(dict.fromkeys(kind for c in calibrations.values() for kind in c.kinds))
    for kind in kinds:
        cells = []
        for found in calibrations.values():
            seen = found.kinds.get(kind)
            failed = f", {seen.failed} not told" if seen and seen.failed else ""
            cells.append("–" if seen is None else f"{seen.flagged} of {seen.scored}: {_percent(seen.rate)}{failed}")
        table.add_row("clean (false alarms)" if kind == CLEAN else kind.replace("_", " "), *cells)
    table.add_section()
    table.add_row("precision, each as frequent", *(_percent(c.precision) for c in calibrations.values()))
    table.caption = "per cent, 95 % intervals"
    return table


def drift_table(changes: Mapping[str, Sequence[Change]]) -> Table:
    """Rates against an earlier calibration's."""
    table = Table(title="against the earlier calibration", title_justify="left")
    for name in ("evaluator", "images", "before %", "change, points", ""):
        table.add_column(name, justify="right" if "%" in name or "points" in name else "left")
    for name, found in changes.items():
        for c in found:
            change = f"{100 * c.change.value:+.1f} ({100 * c.change.low:+.1f} to {100 * c.change.high:+.1f})"
            table.add_row(name, c.kind.replace("_", " "), f"{100 * c.before:.1f}", change, c.verdict.value)
    return table


def turned_words(evaluator: str, found: Sequence[Turned] | None) -> str:
    """What the reader of a drift table must know of settings; empty where they are the same."""
    if found is None:
        return f"{evaluator}: one of the two calibrations does not hold its settings, so a change may come from them"
    changes = ", ".join(f"{t.name} {json.dumps(t.before)} -> {json.dumps(t.now)}" for t in found)
    return f"{evaluator} is not set as it was, so this is no drift of one evaluator: {changes}" if found else ""


def agreement_table(found: Sequence[Agreement]) -> Table:
    """Judges with themselves and with each other."""
    table = Table(title="judges' agreement", title_justify="left")
    for name in ("first", "second", "dimension", "images", "weighted kappa", "equal %", "second - first"):
        table.add_column(name, justify="left" if name in ("first", "second", "dimension") else "right")
    for a in found:
        kappa = (
            "none: no variation"
            if a.kappa is None
            else f"{a.kappa.value:.2f} ({a.kappa.low:.2f} to {a.kappa.high:.2f})"
        )
        exact = "–" if a.exact is None else f"{100 * a.exact.value:.0f}"
        n = "" if a.exact is None else f"{a.exact.n:,}"
        difference = "–" if a.mean_difference is None else f"{a.mean_difference:+.2f}"
        table.add_row(a.first, a.second, a.dimension.value.replace("_", " "), n, kappa, exact, difference)
    return table


def _percent(found: Interval | None) -> str:
    return "–" if found is None else f"{100 * found.value:.0f} ({100 * found.low:.0f} to {100 * found.high:.0f})"


def _rate(k: int, n: int) -> str:
    if not n:
        return "–"
    low, high = wilson(k, n)
    return f"{100 * k / n:.1f} ({100 * low:.1f} to {100 * high:.1f})"
