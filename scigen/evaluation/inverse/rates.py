"""R_inv and its floor, from verdicts: over all and over scored, with and without flagged quizzes, above blind guessing.

- R_inv (paper, section 4): the share of images whose quizzes are all answered right. Over all: an image that is not
  there, or on which the evaluator failed, did not pass. Over scored: both are left out; the paper leaves out those that
  are missing and those that an API failure dropped, so this is the nearest to the denominator that it publishes.
- The floor F: the same quizzes, in the same orders, without the image. An image of the problem passes blind if all of
  them come out right by knowledge and luck. Problems on which the blind run failed have no floor: counted as not passed
  they would lower it, and raise what lies above it. `floor_statuses` says how many they are.
- Above the floor: (R - F) / (1 - F), Abbott's correction for guessing (J. Economic Entomology 18, 1925), over the
  problems that both have, which are drawn again in pairs for its interval. 0 says that the image adds nothing; below 0
  it misleads.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scigen.evaluation.base import NO_GENERATOR
from scigen.evaluation.evidence import Evidence
from scigen.records import Problem, Verdict, VerdictStatus
from scigen.statistics import Estimate, estimate, paired_ratio, wilson

INVERSE, BLIND, BLANK, PAPER = "inverse", "inverse_blind", "inverse_blank", "inverse_paper"
ENOUGH = 2
"""Problems that an interval of a difference needs at the least."""


@dataclass(frozen=True)
class Rates:
    """Inverse validation of one generator, or of one group of its images. Rates from 0 to 1; None: cannot be told."""

    name: str
    statuses: Mapping[str, int]
    """Of the verdicts, those that are not applicable included."""
    over_all: Estimate | None
    over_scored: Estimate | None
    unflagged: Estimate | None
    """Over all, by the quizzes that no audit flagged; problems without such a quiz are left out."""
    accuracy: Estimate | None
    """Of the questions that were answered, by problem."""
    floor: Estimate | None
    """Share of the problems that pass without an image, of those whose blind run was scored."""
    floor_accuracy: Estimate | None
    blank_floor: Estimate | None
    """Share of the problems that pass with a blank page."""
    adjusted: Estimate | None
    """R_inv above the blind floor."""
    adjusted_unflagged: Estimate | None
    published_recipe: Estimate | None
    """By `inverse_paper`, over scored."""
    floor_statuses: Mapping[str, int]
    """Of the blind verdicts on the same problems; those that are not scored are in no floor."""


def rates(evidence: Evidence, generator: str, evaluator: str = INVERSE) -> Rates:
    """All of it for one generator."""
    verdicts = [v for v in evidence.verdicts_of(generator, evaluator) if v.counts]
    asked_blind = evidence.verdicts_of(NO_GENERATOR, BLIND)
    blind, blank = _scored(asked_blind), _scored(evidence.verdicts_of(NO_GENERATOR, BLANK))
    passed, floor = passes(evidence, verdicts), passes(evidence, blind)
    clean, clean_floor = passes(evidence, verdicts, flagged=False), passes(evidence, blind, flagged=False)
    return Rates(
        name=generator,
        statuses=Counter(str(v.status) for v in evidence.verdicts_of(generator, evaluator)),
        over_all=share(passed),
        over_scored=share(passes(evidence, _scored(verdicts))),
        unflagged=share(clean),
        accuracy=accuracy(verdicts),
        floor=share(_beside(floor, passed)),
        floor_accuracy=accuracy([v for v in blind if v.problem_id in passed]),
        blank_floor=share(_beside(passes(evidence, blank), passed)),
        adjusted=above_floor(passed, floor),
        adjusted_unflagged=above_floor(clean, clean_floor),
        published_recipe=share(passes(evidence, _scored(evidence.verdicts_of(generator, PAPER)))),
        floor_statuses=Counter(str(v.status) for v in asked_blind if v.problem_id in passed),
    )


def by_group(
    evidence: Evidence, generator: str, group_of: Callable[[Problem], str | None], evaluator: str = INVERSE
) -> dict[str, Rates]:
    """The rates of each group of problems, such as a subject; a problem without a group is in none."""
    members: dict[str, set[str]] = defaultdict(set)
    for problem in evidence.problems.values():
        if (group := group_of(problem)) is not None:
            members[group].add(problem.id)
    parts = {name: evidence.narrowed(lambda p, ids=ids: p.id in ids) for name, ids in sorted(members.items())}  # type: ignore[misc]
    found = {name: rates(part, generator, evaluator) for name, part in parts.items()}
    return {name: r for name, r in found.items() if r.over_all is not None}


def passes(evidence: Evidence, verdicts: Sequence[Verdict], *, flagged: bool = True) -> dict[str, list[bool]]:
    """Problem id to whether its images passed. Without `flagged`, by the quizzes that bear no flag."""
    found: dict[str, list[bool]] = defaultdict(list)
    for verdict in verdicts:
        if not verdict.counts:
            continue
        if flagged:
            found[verdict.problem_id].append(verdict.passed)
            continue
        quizzes = evidence.problems[verdict.problem_id].quizzes
        sound = {n for n, quiz in enumerate(quizzes) if not quiz.flags}
        if sound:
            answers = [a for a in verdict.answers if a.quiz in sound]
            found[verdict.problem_id].append(bool(answers) and all(a.correct for a in answers))
    return dict(found)


def accuracy(verdicts: Sequence[Verdict]) -> Estimate | None:
    """Mean over problems of the share of right answers among those that were given."""
    given: dict[str, list[float]] = defaultdict(list)
    for verdict in verdicts:
        for answer in verdict.answers:
            if answer.status is VerdictStatus.SCORED:
                given[verdict.problem_id].append(float(answer.correct))
    return estimate(given) if given else None


def share(passed: Mapping[str, Sequence[bool]]) -> Estimate | None:
    """Mean over problems: Wilson's interval with one image each, a cluster bootstrap where a problem has several."""
    if not passed:
        return None
    if all(len(images) == 1 for images in passed.values()):
        k, n = sum(images[0] for images in passed.values()), len(passed)
        return Estimate(k / n, *wilson(k, n), n)
    return estimate({p: [float(x) for x in images] for p, images in passed.items()})


def above_floor(passed: Mapping[str, Sequence[bool]], floor: Mapping[str, Sequence[bool]]) -> Estimate | None:
    """(R - F) / (1 - F) over the problems that both have; None if there are too few, or all of them pass blind."""
    common = sorted(passed.keys() & floor.keys())
    if len(common) < ENOUGH:
        return None
    gain = np.array([np.mean(passed[p]) - np.mean(floor[p]) for p in common])
    room = np.array([1 - np.mean(floor[p]) for p in common])
    return paired_ratio(gain, room) if room.sum() > 0 else None


def _scored(verdicts: Iterable[Verdict]) -> list[Verdict]:
    return [v for v in verdicts if v.status is VerdictStatus.SCORED]


def _beside(found: Mapping[str, Sequence[bool]], other: Mapping[str, object]) -> dict[str, Sequence[bool]]:
    return {problem: values for problem, values in found.items() if problem in other}
