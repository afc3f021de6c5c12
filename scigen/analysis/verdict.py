"""What the measurements mean, and what they do not, in plain words made from the numbers and nothing else.

A difference is called clear only when its 95 % interval leaves out zero. Where a comparison was not run, the text
says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from scigen.analysis.results import Difference, Measurement, Role, RunResults

MINUS = "−"

ROLE_MEANING = {
    Role.UNTRAINED: "The floor: no training at all.",
    Role.BEFORE: "Where reinforcement learning starts; it learnt this from given answers.",
    Role.DURING: "On the way.",
    Role.AFTER: "What reinforcement learning made of it.",
    Role.BLANK_IMAGE: "What it can guess from the question alone.",
    Role.CONTROL: "What training can gain without the right pictures.",
    Role.SUPERVISED: "What the same time buys when the answers are given.",
}
"""What a row of the verdict table shows, in one sentence."""


@dataclass(frozen=True)
class Verdict:
    """Headline and sentences of the report's first page."""

    title: str
    standfirst: str
    """What was run."""
    means: str
    does_not_mean: str


def percent(rate: float, digits: int = 1) -> str:
    """0.4567 -> "45.7"; points and percentages are printed without the sign."""
    return f"{100 * rate:.{digits}f}".replace("-", MINUS)


def points(difference: Difference) -> str:
    """ "+12.3 points (95 % interval +9.1 to +15.4)"."""
    value, low, high = (f"{100 * x:+.1f}".replace("-", MINUS) for x in (difference.value, *difference.ci95))
    return f"{value} points (95 % interval {low} to {high})"


def clear(difference: Difference) -> bool:
    """True when the interval leaves out zero."""
    return difference.ci95[0] > 0 or difference.ci95[1] < 0


def duration(seconds: float) -> str:
    """47 -> "47 s", 632 -> "10 min 32 s"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else (f"{rest} s" if seconds >= 10 else f"{seconds:.1f} s")


def verdict(results: RunResults) -> Verdict:
    """The words for one run."""
    return Verdict(
        title=_title(results),
        standfirst=_standfirst(results),
        means=_means(results),
        does_not_mean=_does_not_mean(results),
    )


def _title(results: RunResults) -> str:
    before, after = results.of(Role.BEFORE), results.of(Role.AFTER)
    gain = results.difference(Role.BEFORE)
    if before is None or after is None:
        return f"{results.experiment}: no comparison of before and after"
    span = f"from {percent(before.avg_at_4)} to {percent(after.avg_at_4)} %"
    if gain is None:
        return f"Held-out accuracy went {span}"
    if not clear(gain):
        return f"No clear change of held-out accuracy: {span}"
    return f"Training {'raised' if gain.value > 0 else 'lowered'} held-out accuracy {span}"


def _standfirst(results: RunResults) -> str:
    total = sum(results.wall_seconds.values())
    steps = f"{results.training_steps} steps of reinforcement learning" if results.steps else "no step of training"
    return (
        f"{results.policy}; {steps} with verl. Whole chain from problem to report in {duration(total)}, "
        f"seed {results.seed}."
    )


def _means(results: RunResults) -> str:
    after = results.of(Role.AFTER)
    if after is None:
        return "The policy after training was not measured."
    said = []
    gain = results.difference(Role.BEFORE)
    if gain is not None:
        said.append(
            f"On {gain.n} held-out problems, whose parameters were never trained on, AVG@4 rose by {points(gain)} "
            "during reinforcement learning."
            if clear(gain) and gain.value > 0
            else f"On {gain.n} held-out problems the change was {points(gain)}."
        )
    said.append(_seeing(results, after))
    supervised = results.difference(Role.SUPERVISED)
    if supervised is not None:
        what = "better than" if supervised.value > 0 else "worse than"
        what = what if clear(supervised) else "not clearly different from"
        said.append(f"It is {what} the same seconds of further supervised steps: {points(supervised)}.")
    return " ".join(s for s in said if s)


def _seeing(results: RunResults, after: Measurement) -> str:
    blank = results.difference(Role.BLANK_IMAGE)
    if blank is None:
        return "It was not tested whether the answers come from the images."
    if clear(blank) and blank.value > 0:
        return f"Shown white pages, the same policy loses that skill ({points(blank)} with its images): it looks."
    return f"With white pages it does as well ({points(blank)} with its images): it does not use the images."


def _does_not_mean(results: RunResults) -> str:
    said = ["One run and one seed: the intervals cover the choice of problems and answers, not of another training."]
    if results.parameters is not None and results.parameters < 50_000_000:
        said.append(
            f"A policy of {results.parameters / 1e6:.1f} million parameters that answers one-word questions on small "
            "drawings of the families it was trained on shows that the chain works; it says nothing of other "
            "questions or of a large model."
        )
    said.extend(_missing(results))
    return " ".join(said)


def _missing(results: RunResults) -> list[str]:
    names = {Role.CONTROL: "a policy trained on blank or shuffled images", Role.SUPERVISED: "further supervised steps"}
    missing = [name for role, name in names.items() if results.of(role) is None]
    return [f"Not compared in this run: {' and '.join(missing)}."] if missing else []
