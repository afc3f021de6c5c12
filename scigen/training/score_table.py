"""Scores for a person: one row a benchmark, groups, and paired gains. Percent, with 95 % intervals and counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.table import Table

from scigen.statistics import Estimate
from scigen.training.scores import BenchmarkScores, paired

Named = Mapping[str, Mapping[str, BenchmarkScores]]
"""By a name such as `before` or a file's, then by data source."""
NAMES = {"avg": "AVG@k", "pass": "pass@k", "majority": "maj@k"}


def score_table(named: Named) -> Table:
    """All rates of every benchmark of every dump, side by side."""
    table = Table(title="scores in %, with 95 % intervals over problems", title_justify="left")
    table.add_column("")
    columns = [(name, source, score) for name, scores in named.items() for source, score in scores.items()]
    for name, source, _ in columns:
        table.add_column(f"{name}\n{source}", justify="right", overflow="fold")
    for label, cells in _lines([score for *_, score in columns]):
        table.add_row(label, *cells)
    return table


def _lines(scores: list[BenchmarkScores]) -> Iterator[tuple[str, list[str]]]:
    yield "problems x responses", [f"{s.avg.n} x {s.k}" for s in scores]
    yield "step", [str(s.step) for s in scores]
    yield "AVG@k", [percent(s.avg) for s in scores]
    for k in sorted({k for s in scores for k in s.pass_at if k > 1}):
        yield f"pass@{k}", [percent(s.pass_at.get(k)) for s in scores]
    yield "maj@k, ties at their expected value", [percent(s.majority) for s in scores]
    yield "truncated, of responses", [percent(s.truncated) for s in scores]
    yield "no answer, as the reward says", [percent(s.no_answer) for s in scores]
    yield "nothing in a box", [percent(s.unboxed) for s in scores]
    for flag in sorted({flag for s in scores for flag in s.flags}):
        yield flag.replace("_", " "), [percent(s.flags.get(flag)) for s in scores]
    yield "AVG@k by the rule", [percent(s.rule.accuracy) if s.rule else "-" for s in scores]
    yield "reward and rule disagree", [percent(s.rule.disagreement) if s.rule else "-" for s in scores]
    yield "  responses compared", [str(s.rule.responses) if s.rule else "-" for s in scores]
    yield "  right by the reward alone", [str(s.rule.right_by_reward_alone) if s.rule else "-" for s in scores]
    yield "  right by the rule alone", [str(s.rule.right_by_rule_alone) if s.rule else "-" for s in scores]
    if any(s.missing for s in scores):
        yield "problems without a response (counted as 0)", [str(s.missing) for s in scores]
        yield "AVG@k without them", [percent(s.avg_scored) for s in scores]


def group_tables(named: Named) -> Iterator[Table]:
    """AVG@k by subject, level and so on, a table for each benchmark and grouping of the last dump."""
    if not named:
        return
    for source, score in list(named.values())[-1].items():
        for grouping, groups in score.groups.items():
            if len(groups) < 2:
                continue
            table = Table(title=f"{source}: AVG@{score.k} by {grouping.replace('_', ' ')}", title_justify="left")
            table.add_column("")
            table.add_column("problems", justify="right")
            table.add_column("AVG@k %", justify="right")
            for group, value in groups.items():
                table.add_row(group, str(value.n), percent(value))
            yield table


def gain_table(title: str, after: Mapping[str, BenchmarkScores], before: Mapping[str, BenchmarkScores]) -> Table:
    """Paired differences in points, for the benchmarks that both have."""
    table = Table(title=title, title_justify="left")
    for name in ("benchmark", "", "points", "problems"):
        table.add_column(name, justify="right" if name in ("points", "problems") else "left")
    for source in sorted(after.keys() & before.keys()):
        if not after[source].by_problem["avg"].keys() & before[source].by_problem["avg"].keys():
            table.add_row(source, "no problem in common", "-", "0")
            continue
        for name, value in paired(after[source], before[source]).items():
            points = f"{100 * value.value:+.1f} ({100 * value.low:+.1f} to {100 * value.high:+.1f})"
            table.add_row(source, NAMES[name], points, str(value.n))
    return table


def percent(value: Estimate | None) -> str:
    """`41.3 (37.7 to 44.8)`; a dash for what is not known."""
    if value is None:
        return "-"
    return f"{100 * value.value:.1f} ({100 * value.low:.1f} to {100 * value.high:.1f})"
