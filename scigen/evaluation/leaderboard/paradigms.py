"""Code against pixels, domain by domain: the paper's finding that code wins where structure decides, pixels in biology.

Problem by problem: the mean of the code generators minus that of the pixel generators, over problems that both have.
So a group's difference is one of paradigms on the same problems, not of who drew which problem.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from scigen.evaluation.evidence import Evidence, Paradigm
from scigen.evaluation.leaderboard.columns import BY_KEY, Column
from scigen.records import Problem
from scigen.statistics import cluster_bootstrap

LEAST, FEW = 5, 20
"""Problems below which there is no interval, and below which it is Student's: a bootstrap would be too narrow."""


@dataclass(frozen=True)
class Difference:
    """Code minus pixels in one group, in the column's units."""

    group: str
    value: float
    low: float | None
    high: float | None
    n: int
    """Problems."""

    @property
    def clear(self) -> bool:
        """Whether the 95 % interval leaves out 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def code_minus_pixels(
    evidence: Evidence, group_of: Callable[[Problem], str | None], column: Column = BY_KEY["r_inv"]
) -> list[Difference]:
    """Groups by difference, largest first; none if there are no generators of both paradigms.

    Raises ValueError for a column that is no mean over problems.
    """
    if column.values is None:
        raise ValueError(f"column {column.key} has no values problem by problem")
    means: dict[Paradigm, dict[str, float]] = {}
    for paradigm in (Paradigm.CODE, Paradigm.PIXEL):
        found: dict[str, list[float]] = defaultdict(list)
        for generator in evidence.generators:
            if evidence.paradigm(generator) is paradigm:
                for problem, value in column.values(evidence, generator).items():
                    found[problem].append(value)
        means[paradigm] = {problem: sum(values) / len(values) for problem, values in found.items()}
    code, pixel = means[Paradigm.CODE], means[Paradigm.PIXEL]
    groups: dict[str, list[str]] = defaultdict(list)
    for problem in code.keys() & pixel.keys():
        group = group_of(evidence.problems[problem])
        if group is not None:
            groups[group].append(problem)
    differences = []
    for group, problems in groups.items():
        low, high = _interval([code[p] - pixel[p] for p in sorted(problems)])
        value = sum(code[p] - pixel[p] for p in problems) / len(problems)
        differences.append(Difference(group, value, low, high, len(problems)))
    return sorted(differences, key=lambda d: (-d.value, d.group))


def _interval(differences: list[float]) -> tuple[float, float] | tuple[None, None]:
    if len(differences) >= FEW:
        return cluster_bootstrap({str(i): [d] for i, d in enumerate(differences)})
    if len(differences) < LEAST or len(set(differences)) == 1:
        return None, None
    low, high = stats.t.interval(0.95, len(differences) - 1, np.mean(differences), stats.sem(differences))
    return float(low), float(high)
