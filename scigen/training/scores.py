"""All that one validation dump says of a policy on a benchmark, with 95 % intervals clustered by problem.

`python -m scigen.training.scores DUMP [DUMP...] [--rows PARQUET...]` prints it, and paired differences to the first
dump. AVG@k, pass@k, maj@k, truncation, no answer, and how often the dump's reward and the rule reward disagree: dumped
texts are scored again by the rule, no model is asked. Problems of the benchmark's parquet that the dump lacks count as
not solved in `avg`, `pass_at` and `majority`, and are counted in `missing`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from scigen.statistics import Estimate, cluster_means, estimate, paired_bootstrap, wilson
from scigen.training.avg_at_k import responses, responses_each
from scigen.training.benchmark_rows import BenchmarkRows, read_rows
from scigen.training.votes import answer_of, majority, pass_at_k

Records = list[dict[str, Any]]


@dataclass(frozen=True)
class RuleComparison:
    """The dump's reward against the rule reward, on the responses whose text and reference answer the dump holds."""

    responses: int
    accuracy: Estimate
    """AVG@k by the rule."""
    disagreement: Estimate
    """Share of responses that one of the two finds right and the other does not."""
    right_by_reward_alone: int
    right_by_rule_alone: int


@dataclass(frozen=True)
class BenchmarkScores:
    """One benchmark at one checkpoint. Estimates are means over problems, in 0..1; their `n` counts problems."""

    data_source: str
    step: int
    k: int
    """Responses a problem."""
    responses: int
    missing: int
    """Problems of the benchmark without a response."""
    avg: Estimate
    """AVG@k over all problems, missing ones as 0."""
    avg_scored: Estimate
    """AVG@k over the problems that have responses."""
    pass_at: Mapping[int, Estimate]
    """pass@1, 2, 4, ... up to k."""
    majority: Estimate | None
    """maj@k; None where the dump holds no texts."""
    truncated: Estimate | None
    """Rates are of responses; None where the reward does not say."""
    no_answer: Estimate | None
    """As the reward says: nothing boxed for the rule, an empty response for a verifier."""
    unboxed: Estimate | None
    """Nothing in a final box, from the texts; None where there are none."""
    flags: Mapping[str, Estimate]
    """Other rates of the reward: those of FLAGS that the dump has."""
    rule: RuleComparison | None
    groups: Mapping[str, Mapping[str, Estimate]]
    """AVG@k by subject, level, answer type or family, where known."""
    by_problem: Mapping[str, Mapping[str, float]] = field(repr=False, default_factory=dict)
    """`avg`, `pass` and `majority` of each problem, for paired comparisons."""

    def figures(self) -> dict[str, Any]:
        """For a summary file: everything but the single problems."""
        whole = asdict(self)
        del whole["by_problem"]
        return {**whole, "pass_at": {str(k): asdict(v) for k, v in self.pass_at.items()}}


FLAGS = ("by_rule", "asked", "invalid", "unparsed", "verifier_error")
"""Rates of a verifier's reward, of all responses (`scigen.training.verifier.reward`)."""


def read_scores(path: Path, rows: BenchmarkRows | None = None) -> dict[str, BenchmarkScores]:
    """The benchmarks in one dump, by data source.

    Raises ScigenError for a file that is no dump, and for unequal numbers of responses.
    """
    rows = rows or BenchmarkRows()
    return {
        source: _scores(source, problems, responses_each(path, source, problems), rows)
        for source, problems in sorted(responses(path).items())
    }


def _scores(source: str, problems: Mapping[str, Records], k: int, rows: BenchmarkRows) -> BenchmarkScores:
    right = {p: [float(r["acc"]) for r in records] for p, records in problems.items()}
    missing = rows.ids.get(source, frozenset()) - problems.keys()
    everything = right | {p: [0.0] for p in missing}
    texts = {p: [r["output"] for r in records] for p, records in problems.items() if "output" in records[0]}
    answers = {p: [answer_of(text) for text in outputs] for p, outputs in texts.items()}
    votes = {p: majority(given, right[p]) for p, given in answers.items()}
    solved = {p: float(any(marks)) for p, marks in everything.items()}
    unboxed = {p: [float(a is None) for a in given] for p, given in answers.items()}
    return BenchmarkScores(
        data_source=source,
        step=int(next(iter(problems.values()))[0]["step"]),
        k=k,
        responses=k * len(problems),
        missing=len(missing),
        avg=interval(everything),
        avg_scored=interval(right),
        pass_at={n: _pass_at(right, missing, k, n) for n in (1, 2, 4, 8, 16) if n <= k},
        majority=interval({p: [v] for p, v in (votes | dict.fromkeys(missing, 0.0)).items()}) if votes else None,
        truncated=_rate(problems, "truncated"),
        no_answer=_rate(problems, "no_answer"),
        unboxed=interval(unboxed) if unboxed else None,
        flags={name: rate for name in FLAGS if (rate := _rate(problems, name)) is not None},
        rule=_by_rule(problems),
        groups=_groups(everything, rows),
        by_problem={
            "avg": {p: sum(marks) / len(marks) for p, marks in everything.items()},
            "pass": solved,
            **({"majority": votes | dict.fromkeys(missing, 0.0)} if votes else {}),
        },
    )


def interval(values_by_problem: Mapping[str, Sequence[float]]) -> Estimate:
    """Mean over problems of their means, with the bootstrap's interval over problems.

    Where all problems are alike the bootstrap has no width: 0 of 300 would read as certain. There it is Wilson's
    interval with each problem as one trial.
    """
    found = estimate(values_by_problem)
    if len(set(cluster_means(values_by_problem).values())) > 1:
        return found
    low, high = wilson(found.value * found.n, found.n)
    return Estimate(found.value, low, high, found.n)


def _pass_at(right: Mapping[str, list[float]], missing: frozenset[str], k: int, n: int) -> Estimate:
    shares = {p: [pass_at_k(k, sum(mark > 0 for mark in marks), n)] for p, marks in right.items()}
    return interval(shares | {p: [0.0] for p in missing})


def _rate(problems: Mapping[str, Records], key: str) -> Estimate | None:
    values = {p: [float(r[key]) for r in records if r.get(key) is not None] for p, records in problems.items()}
    return interval(values) if any(values.values()) else None


def _groups(right: Mapping[str, list[float]], rows: BenchmarkRows) -> dict[str, dict[str, Estimate]]:
    found: dict[str, dict[str, Estimate]] = {}
    for name, group_of in rows.groups.items():
        members: dict[str, dict[str, list[float]]] = defaultdict(dict)
        for problem, marks in right.items():
            if group_of.get(problem):
                members[group_of[problem]][problem] = marks
        if members:
            found[name] = {group: interval(marks) for group, marks in sorted(members.items())}
    return found


def _by_rule(problems: Mapping[str, Records]) -> RuleComparison | None:
    """Dumped texts under the rule reward. An equal answer to an equal reference is compared once."""
    known: dict[tuple[str, str], float] = {}
    accuracy: dict[str, list[float]] = defaultdict(list)
    differs: dict[str, list[float]] = defaultdict(list)
    alone = {"reward": 0, "rule": 0}
    for problem, records in problems.items():
        for record in records:
            if record.get("output") is None or record.get("gts") is None:
                continue
            by_rule, by_reward = _rule(record, known), float(float(record["acc"]) > 0)
            accuracy[problem].append(by_rule)
            differs[problem].append(float(by_rule != by_reward))
            if by_rule != by_reward:
                alone["reward" if by_reward else "rule"] += 1
    if not accuracy:
        return None
    return RuleComparison(
        responses=sum(len(marks) for marks in accuracy.values()),
        accuracy=interval(accuracy),
        disagreement=interval(differs),
        right_by_reward_alone=alone["reward"],
        right_by_rule_alone=alone["rule"],
    )


def _rule(record: Mapping[str, Any], known: dict[tuple[str, str], float]) -> float:
    from scigen.training.reward import compute_score, last_boxed

    key = (last_boxed(record["output"]) or "", str(record["gts"]))
    if key not in known:
        known[key] = float(compute_score(record["data_source"], record["output"], key[1])["acc"])
    return known[key]


def paired(after: BenchmarkScores, before: BenchmarkScores) -> dict[str, Estimate]:
    """After minus before on the problems that both have, for `avg`, `pass` and `majority`.

    Raises ValueError when they have no problem in common.
    """
    found = {}
    for name in after.by_problem.keys() & before.by_problem.keys():
        a, b = after.by_problem[name], before.by_problem[name]
        found[name] = Estimate(*paired_bootstrap(a, b), n=len(a.keys() & b.keys()))
    return {name: found[name] for name in ("avg", "pass", "majority") if name in found}


def main() -> None:
    """Print the scores of dumps, and what later ones gained over the first."""
    import argparse
    import sys

    from rich.console import Console

    from scigen.errors import ScigenError
    from scigen.training.score_table import gain_table, group_tables, score_table

    parser = argparse.ArgumentParser(prog="python -m scigen.training.scores", description=main.__doc__)
    parser.add_argument("dumps", nargs="+", type=Path, metavar="DUMP", help="STEP.jsonl of verl's validation")
    parser.add_argument("--rows", nargs="*", type=Path, default=[], metavar="PARQUET", help="what was validated on")
    given = parser.parse_args()
    console = Console()
    try:
        rows = read_rows(given.rows)
        named = {str(path): read_scores(path, rows) for path in given.dumps}
    except (ScigenError, OSError) as e:
        sys.exit(f"error: {e}")
    console.print(score_table(named))
    for table in group_tables(named):
        console.print(table)
    first, *later = named.values()
    for name, scores in zip(list(named)[1:], later, strict=True):
        console.print(gain_table(f"{name} minus {given.dumps[0]}, paired by problem", scores, first))


if __name__ == "__main__":
    main()
