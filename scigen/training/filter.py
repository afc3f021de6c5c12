"""Which images are good enough to train on, and which problems must not be trained on at all.

A filter is one class with `evaluators`, `reject` and nothing else; it looks at images. `RefuseContaminated` looks at
problems: what a benchmark contains is no training row, whatever its image is like.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Protocol

from scigen.errors import ScigenError
from scigen.records import Dimension, Flag, GeneratedImage, Problem, Status, Verdict, VerdictStatus

if TYPE_CHECKING:  # its package loads numpy, which reading a configuration has no need of
    from scigen.problems.contamination import ContaminationVerdict

NO_GROUND_TRUTH = (Flag.UNUSABLE_ANSWER, Flag.CHAIN_OF_THOUGHT)
"""Flags of problems whose answer no reward can be paid by."""


class ContaminationRule(Protocol):
    """Decides on one problem from its verdict against the benchmarks."""

    @property
    def benchmarks(self) -> tuple[str, ...]:
        """Those that every problem must have been compared with."""

    def refuse(self, problem: Problem, verdict: ContaminationVerdict | None) -> str | None:
        """Why the problem must not be trained on, or None to take it."""

    def require(self, problems: Iterable[Problem], verdicts: Mapping[str, ContaminationVerdict]) -> None:
        """Raise ScigenError if a verdict is missing that is needed."""


class Filter(Protocol):
    """Decides on one image from its record and its verdicts."""

    evaluators: tuple[str, ...]
    """Evaluators whose records it needs."""

    def reject(self, image: GeneratedImage, verdicts: Mapping[str, Verdict]) -> str | None:
        """Why the image must not be trained on, or None to keep it."""


@dataclass(frozen=True)
class RequirePassed:
    """Keep an image that could be made and that every listed evaluator passed."""

    evaluators: tuple[str, ...]

    def __init__(self, evaluators: list[str] | tuple[str, ...]) -> None:
        object.__setattr__(self, "evaluators", tuple(evaluators))

    def reject(self, image: GeneratedImage, verdicts: Mapping[str, Verdict]) -> str | None:
        """The first reason in the order: no image, a missing verdict, a failed one."""
        if image.status is not Status.OK:
            return f"image: {image.status}"
        for name in self.evaluators:
            verdict = verdicts.get(name)
            if verdict is None:
                return f"{name}: not evaluated"
            if not verdict.passed:
                if verdict.status is not VerdictStatus.SCORED:
                    return f"{name}: {verdict.status}"
                return f"{name}: {verdict.findings[0].kind}" if verdict.findings else f"{name}: failed"
        return None


@dataclass(frozen=True)
class RequireGrades:
    """RequirePassed, and the judge's median grade must reach `least` in every dimension, whatever its own pass rule."""

    evaluators: tuple[str, ...]
    least: float
    judge: str

    def __init__(self, evaluators: list[str] | tuple[str, ...], least: float = 2.0, judge: str = "judge") -> None:
        if judge not in evaluators:
            raise ScigenError(
                f"filter.judge: {judge} is not among filter.evaluators ({', '.join(evaluators)}). Add it."
            )
        object.__setattr__(self, "evaluators", tuple(evaluators))
        object.__setattr__(self, "least", least)
        object.__setattr__(self, "judge", judge)

    def reject(self, image: GeneratedImage, verdicts: Mapping[str, Verdict]) -> str | None:
        """What RequirePassed says, then the first dimension whose median grade is below `least`."""
        reason = RequirePassed(self.evaluators).reject(image, verdicts)
        if reason is not None:
            return reason
        scored = [r.scores for r in verdicts[self.judge].ratings if r.status is VerdictStatus.SCORED]
        if not scored:
            return f"{self.judge}: no grades"
        for dimension in Dimension:
            if median(scores[dimension] for scores in scored) < self.least:
                return f"{self.judge}: {dimension} below {self.least:g}"
        return None


@dataclass(frozen=True)
class RefuseContaminated:
    """Refuse a problem that one of the benchmarks contains; every problem needs a verdict against all of them.

    Procedural problems need none: our families write their words and draw their figures from a seed, so that nothing
    of a benchmark can have been copied. If there is a verdict for one it counts like any other.
    """

    benchmarks: tuple[str, ...]
    """Names as in the verdicts' `against`."""

    def __init__(self, benchmarks: list[str] | tuple[str, ...]) -> None:
        object.__setattr__(self, "benchmarks", tuple(benchmarks))

    def refuse(self, problem: Problem, verdict: ContaminationVerdict | None) -> str | None:
        """Why the problem must not be trained on, `contaminated: <benchmark>:<item>`, or None."""
        if verdict is None:
            return None
        counting = [m for m in verdict.matches if m.contaminated and m.benchmark in self.benchmarks]
        if not counting:
            return None
        worst = max(counting, key=lambda m: (m.score, m.benchmark, m.item))
        return f"contaminated: {worst.benchmark}:{worst.item}"

    def require(self, problems: Iterable[Problem], verdicts: Mapping[str, ContaminationVerdict]) -> None:
        """Raise ScigenError if a problem that is not procedural was not compared with all benchmarks."""
        wanted = set(self.benchmarks)
        missing = []
        for problem in problems:
            verdict = verdicts.get(problem.id)
            compared = set() if verdict is None else set(verdict.against)
            if problem.procedure is None and wanted - compared:
                missing.append((problem.id, sorted(wanted - compared)))
        if missing:
            first, lacking = missing[0]
            raise ScigenError(
                f"{len(missing)} problems were not compared with the benchmarks, first {first} (not with "
                f"{', '.join(lacking)}). Run scripts/curate.py for this problem set with its contamination "
                "stage, which writes the verdicts beside it, or train without the check by contamination=unchecked."
            )


@dataclass(frozen=True)
class Unchecked:
    """Take problems whether or not a benchmark contains them: scores on the benchmarks then prove nothing."""

    benchmarks: tuple[str, ...] = ()

    def refuse(self, problem: Problem, verdict: ContaminationVerdict | None) -> str | None:
        """Nothing is refused."""
        return None

    def require(self, problems: Iterable[Problem], verdicts: Mapping[str, ContaminationVerdict]) -> None:
        """Nothing is required."""


def ground_truth_fault(problem: Problem) -> str | None:
    """Why the problem's answer is no ground truth, by its flags; None if it is one."""
    return next((f"answer: {flag}" for flag in NO_GROUND_TRUTH if flag in problem.flags), None)
