"""A corrected problem: options permuted, stems freed of references to a text, what cannot be mended flagged.

Nothing is dropped and no answer is guessed; each change is a record with the value before and after.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from scigen.problems.audit.checks import Finding, findings
from scigen.problems.audit.stems import refers_to_text, reworded
from scigen.problems.malformed import Malformed
from scigen.problems.quizzes import permuted
from scigen.records import Flag, Problem, Quiz, Record


class Change(Record):
    """One thing that the corrected release has otherwise than its source."""

    item: str
    field: str
    """The field, as in `quizzes.2.options`."""
    action: str
    """`permuted`, `reworded`, `flagged`, or `read` for what the source's reader mended or left out."""
    before: JsonValue = None
    after: JsonValue = None
    why: str

    @property
    def key(self) -> str:
        return f"{self.item}/{self.field}/{self.action}/{json.dumps(self.after, sort_keys=True, ensure_ascii=False)}"


def read_changes(faults: Iterable[Malformed]) -> Iterator[Change]:
    """What the source's reader mended, left out or noted."""
    for fault in faults:
        why = f"{fault.kind}: {fault.fault}"
        yield Change(item=fault.item, field=fault.field, action="read", before=fault.fault, after=fault.mend, why=why)


def corrected(problem: Problem, whole_set: Iterable[Finding], seed: int) -> tuple[Problem, list[Change]]:
    """The corrected problem and its changes. `whole_set` holds findings that only the set shows (duplicates)."""
    changes: list[Change] = []
    quizzes = []
    for i, quiz in enumerate(problem.quizzes):
        stem = reworded(quiz.question) if refers_to_text(quiz.question) else None
        if stem is not None:
            changes.append(
                Change(
                    item=problem.id,
                    field=f"quizzes.{i}.question",
                    action="reworded",
                    before=quiz.question,
                    after=stem,
                    why="the stem spoke of a text that is not in the image",
                )
            )
            quiz = quiz.model_copy(update={"question": stem})
        quizzes.append(quiz)
    moved = permuted(problem.id, quizzes, seed)
    for i, (old, new) in enumerate(zip(quizzes, moved, strict=True)):
        changes.append(
            Change(
                item=problem.id,
                field=f"quizzes.{i}.options",
                action="permuted",
                before={**old.options, "correct_option": old.correct_option},
                after={**new.options, "correct_option": new.correct_option},
                why=f"options in a new order by seed {seed} and item: the set's keys were skewed",
            )
        )
    better = problem.model_copy(update={"quizzes": tuple(moved)})
    return _flagged(better, [*whole_set, *findings(better)], changes)


def _flagged(problem: Problem, found: list[Finding], changes: list[Change]) -> tuple[Problem, list[Change]]:
    own: list[Flag] = list(problem.flags)
    quizzes: list[Quiz] = list(problem.quizzes)
    for finding in found:
        i = finding.quiz
        held = own if i is None else list(quizzes[i].flags)
        if finding.kind in held:
            continue
        held.append(finding.kind)
        if i is not None:
            quizzes[i] = quizzes[i].model_copy(update={"flags": tuple(held)})
        field = "flags" if i is None else f"quizzes.{i}.flags"
        why = finding.detail
        changes.append(Change(item=problem.id, field=field, action="flagged", after=finding.kind.value, why=why))
    return problem.model_copy(update={"flags": tuple(own), "quizzes": tuple(quizzes)}), changes
