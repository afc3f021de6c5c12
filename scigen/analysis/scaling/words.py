"""What a scaling study says in sentences, and its page in Markdown; made from the numbers and nothing else."""

from __future__ import annotations

from scigen.analysis.scaling.results import FormFit, Quantity, RowsNeeded, ScalingResult
from scigen.analysis.verdict import MINUS, percent


def statements(result: ScalingResult) -> tuple[str, ...]:
    """Growth, then whether the forms can be told apart, then what cannot be said."""
    return tuple(s for s in (_growth(result), _forms(result), _one_point(result), _seeds(result)) if s)


def _growth(result: ScalingResult) -> str:
    smallest, largest = result.points[0], result.points[-1]
    span = f"from {smallest.size} to {largest.size} rows"
    change = f"{signed(result.growth)} points"
    if result.growth.clear:
        verb = "rises" if result.growth.value > 0 else "falls"
        return f"Accuracy {verb} {span} by {change}."
    return f"The sizes cannot be told apart: {span} accuracy changes by {change}, an interval that holds zero."


def _forms(result: ScalingResult) -> str:
    ranked = sorted((f for f in result.fits if f.delta is not None), key=lambda f: f.delta or 0.0)
    if len(ranked) < len(result.fits):
        return "There are too few cells to compare the forms by AICc: take more sizes or seeds."
    best, second = ranked[0], ranked[1]
    found = (
        f"AICc is lowest for {best.label}, by {second.delta:.1f} below {second.label}, and in "
        f"{100 * best.selected:.0f} % of the draws"
    )
    if result.told_apart:
        return f"The data tell the forms apart: {found}, and no other fits as closely."
    close = [f.label for f in ranked[1:] if f.squares < best.squares]
    closer = f"; {' and '.join(close)} {'fit' if len(close) > 1 else 'fits'} more closely with more parameters"
    return f"The data cannot tell the forms apart: {found}{closer if close else ''}."


def _one_point(result: ScalingResult) -> str:
    said = [f.label for f in result.fits if f.one_point.can_be_said]
    if not said:
        return "How much data one more point needs cannot be said: under no form is there an upper end to it."
    best = min((f for f in result.fits if f.delta is not None), key=lambda f: f.delta or 0.0, default=None)
    if best is None or best.label in said:
        return f"How much data one more point needs can be said under {' and '.join(said)} only."
    return (
        f"How much data one more point needs cannot be said by the best form, {best.label}; "
        f"{' and '.join(said)} would name it, and {'fit' if len(said) > 1 else 'fits'} worse."
    )


def _seeds(result: ScalingResult) -> str:
    if len(result.seeds) == 1:
        return "One seed: the intervals are over problems only, and too narrow by what another training would change."
    return ""


def page(results: list[ScalingResult], figures: dict[str, str]) -> str:
    """The study in Markdown: for each experiment its sentences, figure and tables."""
    return "\n".join(line for result in results for line in _section(result, figures[result.experiment]))


def _section(result: ScalingResult, figure: str) -> list[str]:
    seeds = f"seed{'s' if len(result.seeds) > 1 else ''} {', '.join(map(str, result.seeds))}"
    before = "" if result.before is None else f" Before training: {percent(result.before)} %."
    columns = ("form", "parameters", "ΔAICc", "best in % of draws", "error at the largest size", "rows for +1 point")
    return [
        f"# Scaling of {result.experiment} on {result.benchmark}",
        "",
        f"AVG@{result.answers} of {result.problems} problems after training, {seeds}.{before} Intervals are "
        f"95 %, over problems and seeds ({result.n_boot} draws).",
        "",
        *(f"- {s}" for s in result.statements),
        *(f"- Left out: {s}" for s in result.left_out),
        "",
        f"![accuracy against rows, and residuals]({figure})",
        "",
        "| rows | AVG % | 95 % interval | by seed | above the size before, points |",
        "|---|---|---|---|---|",
        *(
            f"| {p.size} | {percent(p.accuracy.value)} | {interval(p.accuracy)} | "
            f"{', '.join(percent(v) for v in p.by_seed.values())} | {'' if p.step is None else signed(p.step)} |"
            for p in result.points
        ),
        "",
        f"| {' | '.join(columns)} |",
        f"|{'---|' * len(columns)}",
        *(_row(f) for f in result.fits),
        "",
    ]


def _row(fit: FormFit) -> str:
    names = "; ".join(f"{n} = {q.value:.3g} ({q.ci95[0]:.3g} to {q.ci95[1]:.3g})" for n, q in fit.parameters.items())
    bound = f" ({', '.join(fit.at_bound)} at its bound)" if fit.at_bound else ""
    delta = "not defined" if fit.delta is None else f"{fit.delta:.1f}"
    ahead = "not defined" if fit.extrapolation is None else signed(fit.extrapolation.error)
    return (
        f"| {fit.label}: {fit.formula} | {names}{bound} | {delta} | {100 * fit.selected:.0f} | {ahead} | "
        f"{rows_needed(fit.one_point)} |"
    )


def interval(quantity: Quantity) -> str:
    """ "41.2 to 47.0", in percent."""
    return f"{percent(quantity.ci95[0])} to {percent(quantity.ci95[1])}"


def signed(quantity: Quantity) -> str:
    """ "+3.1 (95 % interval −0.4 to +6.6)", in points."""
    value, low, high = (f"{100 * x:+.1f}".replace("-", MINUS) for x in (quantity.value, *quantity.ci95))
    return f"{value} (95 % interval {low} to {high})"


def rows_needed(needed: RowsNeeded) -> str:
    """Rows with their interval, or why there are none."""
    if needed.rows is None:
        return "never, by the best curve"
    if needed.ci95[1] is None:
        return f"cannot be said ({needed.rows:,.0f} by the best curve, no upper end)"
    low = f"{needed.ci95[0]:,.0f}" if needed.ci95[0] is not None else "0"
    return f"{needed.rows:,.0f} ({low} to {needed.ci95[1]:,.0f})"
