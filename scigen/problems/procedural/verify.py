"""Verifies made problems: every id once, every answer against the family's second way of finding it, nothing drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from scigen.errors import ScigenError
from scigen.problems.procedural.make import make_problems
from scigen.problems.procedural.registry import families, family
from scigen.records import Problem


@dataclass
class Tally:
    """What was found out about one family's problems."""

    problems: int = 0
    solved: int = 0
    """Problems whose answer a second way found too; 0 for a family without one."""
    disagreements: list[str] = field(default_factory=list)
    """`<id>: <answer> against <solved>`."""


def made(names: Iterable[str], count: int, seed: int) -> Iterator[Problem]:
    """`count` textbook problems of these families (all if there are no names), at difficulties 1 to 3 in turn."""
    chosen = [family(name) for name in names] or list(families().values())
    return make_problems(chosen, "textbook", count, "train", 0, seed)


def verify(problems: Iterable[Problem]) -> dict[str, Tally]:
    """A tally by family. Raises ScigenError at an id that comes twice."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    seen: set[str] = set()
    for problem in problems:
        procedure = problem.procedure
        if procedure is None:
            raise ScigenError(f"problem {problem.id} from {problem.source}: it has no procedure to solve it again by.")
        if problem.id in seen:
            raise ScigenError(f"problem {problem.id} of family {procedure.family}: its id comes twice.")
        seen.add(problem.id)
        tally = tallies[procedure.family]
        tally.problems += 1
        solve = family(procedure.family).solve
        if solve is None:
            continue
        solved = solve(procedure.params)
        if agrees(problem.answer, solved):
            tally.solved += 1
        else:
            tally.disagreements.append(f"{problem.id}: {problem.answer} against {solved}")
    return dict(tallies)


def agrees(answer: str, solved: str | float) -> bool:
    """Texts must be equal; a number must lie within half a unit of the answer's last printed place.

    >>> agrees("0.33", 1 / 3), agrees("0.34", 1 / 3), agrees("A-B", "A-B")
    (True, False, True)
    """
    if isinstance(solved, str):
        return answer == solved
    try:
        printed = float(answer)
    except ValueError:
        return False
    places = len(answer.partition(".")[2])
    return abs(printed - solved) <= 0.5 * 10.0**-places + 1e-9 * max(1.0, abs(solved))
