"""From runs to rows: the runs of one experiment, whatever their seeds, are one row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean

from scigen.analysis.paper_study.intervals import ByProblem, Rate, accuracy, difference
from scigen.analysis.paper_study.results import Compared, Curve, Row, Score, State
from scigen.analysis.paper_study.runs import Scores, StudyRun
from scigen.errors import ScigenError

OWN, BASELINE = "its own first validation", "the baseline's runs"
BySeed = Mapping[int, ByProblem]
Reading = Callable[[Row, Row, Rate | None, str], str]
"""Of `scigen.analysis.paper_study.words`."""


def row_of(
    name: str,
    title: str,
    runs: Iterable[StudyRun],
    benchmarks: Sequence[str],
    begun: bool = False,
    baseline: Sequence[StudyRun] = (),
) -> Row:
    """The row of experiment `name`; gains are over `baseline` where there is one, else over each run's own start.

    Raises ScigenError when two runs have one seed.
    """
    own = sorted((r for r in runs if r.experiment == name), key=lambda r: r.seed)
    if not own:
        state: State = "begun, not finished" if begun else "not run"
        return Row(name=name, title=title, state=state)
    seeds = tuple(r.seed for r in own)
    if len(set(seeds)) < len(seeds):
        raise ScigenError(
            f"{name}: two runs have one seed ({', '.join(str(r.folder) for r in own)}). Name one of them."
        )
    there = [b for b in benchmarks if all(b in r.last for r in own)]
    starts = _starts(name, own, baseline)
    gain_over = (BASELINE if baseline and name != "baseline" else OWN) if starts else None
    scores = {b: _score(own, b, starts) for b in there}
    whole = [_after(own, b) for b in there] if len(there) == len(benchmarks) else []
    gains = whole and all(b in starts for b in there)
    return Row(
        name=name,
        title=title,
        state="run",
        runs=tuple(str(r.folder) for r in own),
        seeds=seeds,
        steps=tuple(max(r.by_step) for r in own),
        changed=tuple(dict.fromkeys(o for r in own for o in r.changed)),
        scores=scores,
        average=accuracy(whole),
        average_gain=difference([(after, starts[b]) for after, b in zip(whole, there, strict=True)]) if gains else None,
        gain_over=gain_over,
        curves=_curves(own, there),
    )


def compare(main_row: Row, row: Row, runs: Sequence[StudyRun], what: str, read: Reading) -> Compared:
    """The main row minus `row`, on the benchmarks that both have; `read` says in words what follows."""
    main, own = ([r for r in runs if r.experiment == name] for name in (main_row.name, row.name))
    there = [b for b in main_row.scores if b in row.scores]
    pairs = {b: (_after(main, b), _after(own, b)) for b in there}
    whole = difference(list(pairs.values())) if pairs else None
    each = {b: found for b, pair in pairs.items() if (found := difference([pair])) is not None}
    return Compared(
        row=row, what=what, main_minus_this=whole, by_benchmark=each, reading=read(main_row, row, whole, what)
    )


def _after(runs: Sequence[StudyRun], benchmark: str) -> dict[int, ByProblem]:
    return {r.seed: r.last[benchmark].by_problem for r in runs if benchmark in r.last}


def _starts(name: str, own: Sequence[StudyRun], baseline: Sequence[StudyRun]) -> dict[str, BySeed]:
    """Accuracies of the policy that training started from, by benchmark, seed and problem."""
    if baseline and name != "baseline":
        # One model was evaluated: its runs differ in their samples alone, so each seed is compared with their mean.
        return {b: dict.fromkeys((r.seed for r in own), _mean(baseline, b)) for b in baseline[0].last}
    if any(r.first is None for r in own):
        return {}
    firsts: list[tuple[int, Scores]] = [(r.seed, r.first) for r in own if r.first is not None]
    return {b: {s: first[b].by_problem for s, first in firsts if b in first} for b in firsts[0][1]}


def _mean(runs: Sequence[StudyRun], benchmark: str) -> ByProblem:
    each = [r.last[benchmark].by_problem for r in runs if benchmark in r.last]
    common = set.intersection(*(set(e) for e in each)) if each else set()
    return {p: fmean(e[p] for e in each) for p in sorted(common)}


def _score(own: Sequence[StudyRun], benchmark: str, starts: Mapping[str, BySeed]) -> Score:
    after = _after(own, benchmark)
    found = accuracy([after])
    assert found is not None  # every run has the benchmark, and a benchmark has problems
    last = [r.last[benchmark] for r in own]
    first = [r.first[benchmark] for r in own if r.first is not None and benchmark in r.first]
    before = {r.seed: r.first[benchmark].by_problem for r in own if r.first is not None and benchmark in r.first}
    return Score(
        accuracy=found,
        answers=last[0].k,
        before=accuracy([before]) if before else None,
        gain=difference([(after, starts[benchmark])]) if benchmark in starts else None,
        truncated=_known(s.truncated_rate for s in last),
        no_answer=_known(s.no_answer_rate for s in last),
        truncated_before=_known(s.truncated_rate for s in first),
        no_answer_before=_known(s.no_answer_rate for s in first),
    )


def _known(rates: Iterable[float]) -> float | None:
    """Their mean; None when one is missing (nan: the reward does not say) or there is none."""
    values = list(rates)
    mean = fmean(values) if values else float("nan")
    return None if mean != mean else mean


def _curves(own: Sequence[StudyRun], benchmarks: Sequence[str]) -> dict[str, Curve]:
    lines: dict[str, list[Mapping[int, float]]] = {"reward": [r.rewards for r in own if r.rewards]}
    for b in benchmarks:
        lines[b] = [{step: scores[b].avg_at_k for step, scores in r.by_step.items() if b in scores} for r in own]
    return {name: _curve(each) for name, each in lines.items() if each and any(len(line) > 1 for line in each)}


def _curve(lines: Sequence[Mapping[int, float]]) -> Curve:
    points = {}
    for step in sorted({s for line in lines for s in line}):
        values = [line[step] for line in lines if step in line]
        points[step] = (fmean(values), min(values), max(values))
    return Curve(points=points)
