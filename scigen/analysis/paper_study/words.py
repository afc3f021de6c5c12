"""Readings in plain words, from intervals alone. A difference is clear when its interval leaves out zero."""

from __future__ import annotations

from scigen.analysis.paper_study.intervals import Rate
from scigen.analysis.paper_study.results import Row
from scigen.analysis.verdict import MINUS, percent

NOT_RUN = "not run"


def signed(rate: Rate) -> str:
    """ "+7.7 (+5.1 to +10.2)", in points."""
    value, low, high = (f"{100 * x:+.1f}".replace("-", MINUS) for x in (rate.value, *rate.ci95))
    return f"{value} ({low} to {high})"


def span(rate: Rate) -> str:
    """ "45.7 (42.1 to 49.0)", in per cent."""
    return f"{percent(rate.value)} ({percent(rate.ci95[0])} to {percent(rate.ci95[1])})"


def reading(main: Row, control: Row, gap: Rate | None, what: str) -> str:
    """What a control says of the main run's gain. `gap` is main minus control; `what` is such as "white pages"."""
    if control.state != "run":
        return f"Not run: nothing can be said of {what}."
    if main.state != "run":
        return f"{main.name} was not run: there is nothing to compare with."
    if gap is None:
        return "The two were not tested on the same problems."
    gain, own = main.average_gain, control.average_gain
    if gain is None or own is None:
        return _by_gap_alone(main, gap, what)
    if not (gain.clear and gain.value > 0):
        return f"{main.name} has no clear gain ({signed(gain)}), so there is nothing to explain."
    numbers = f"gain {signed(gain)} against {signed(own)}, difference {signed(gap)}"
    if gap.clear and gap.value < 0:
        return f"{what} does better than {main.name}: {numbers}."
    if not gap.clear:
        if own.clear and own.value > 0:
            return f"The gain may be wholly explained by {what}: no clear difference ({numbers})."
        return f"It cannot be told whether the gain is explained by {what}: neither comparison is clear ({numbers})."
    if own.clear and own.value > 0:
        share = f"{100 * own.value / gain.value:.0f} %"
        return f"A part of the gain, about {share}, is explained by {what}; the rest is not ({numbers})."
    return f"The gain is not explained by {what} ({numbers})."


def worth(main: Row, other: Row, gap: Rate | None, what: str) -> str:
    """What an ablation says: is the main run better or worse than the one with something changed?"""
    if other.state != "run" or main.state != "run":
        return reading(main, other, gap, what)
    if gap is None:
        return "The two were not tested on the same problems."
    return _by_gap_alone(main, gap, what)


def _by_gap_alone(main: Row, gap: Rate, what: str) -> str:
    if not gap.clear:
        return f"No clear difference between {main.name} and {what}: {signed(gap)} points."
    return f"{main.name} is clearly {'better' if gap.value > 0 else 'worse'} than {what}: {signed(gap)} points."
