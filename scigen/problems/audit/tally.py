"""What a whole set suffers from, counted in one pass: faults by kind, where the keys stand, what a letter alone scores.

Memory grows by a hash an item, not by the items.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from scigen.problems.audit.checks import Finding, findings
from scigen.problems.audit.stems import says_text
from scigen.problems.malformed import Fault, Malformed
from scigen.records import Flag, Problem
from scigen.statistics import wilson

READERS: dict[Fault, Flag] = {
    Fault.QUIZ_KEY: Flag.KEY_OUTSIDE_OPTIONS,
    Fault.QUIZ_LABELS: Flag.OPTION_LABELS,
    Fault.NO_ANSWER: Flag.MALFORMED,
    Fault.NOT_AN_ITEM: Flag.MALFORMED,
    Fault.NO_ID: Flag.MALFORMED,
    Fault.DUPLICATE_ID: Flag.MALFORMED,
    Fault.NO_QUESTION: Flag.MALFORMED,
    Fault.ELEMENTS: Flag.MALFORMED,
    Fault.QUIZ_LEFT_OUT: Flag.MALFORMED,
    Fault.QUIZ_FIELDS: Flag.MALFORMED,
    Fault.UNKNOWN_FIELD: Flag.MALFORMED,
}
"""Faults that only the reader of a source sees. Those that `findings` sees too are left to it (an answer that is kept
and says that there is none)."""


@dataclass(frozen=True)
class Row:
    """One line of the audit's table."""

    name: str
    count: int
    of: int
    unit: str
    """What `of` counts: items or quizzes."""
    flagged: int = 0
    """How many of `count` carry their flag already, or need none because they are no fault of an item."""

    @property
    def rate(self) -> float:
        return self.count / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, Wilson."""
        return wilson(self.count, self.of)

    @property
    def open(self) -> int:
        """Faults that nobody has been told of."""
        return self.count - self.flagged


@dataclass
class Tally:
    """Counts over a set; `add` each problem with its reader's faults, then read `rows`."""

    items: int = 0
    quizzes: int = 0
    keys: Counter[str] = field(default_factory=Counter)
    """Letter of the right option, over quizzes with four options."""
    image_types: Counter[str] = field(default_factory=Counter)
    kinds: Counter[Flag] = field(default_factory=Counter)
    flagged: Counter[Flag] = field(default_factory=Counter)
    says_text: int = 0
    longest: int = 0
    """Quizzes whose right option is longer than each of the others: what "take the longest" scores."""
    questions: dict[bytes, str] = field(default_factory=dict)
    """Hash of a question's words to the first item that has it."""

    def add(self, problem: Problem, near: bool = False) -> list[Finding]:
        """Count one problem and give its findings; `near` marks one that is nearly the same as an earlier one."""
        self.items += 1
        self.image_types[str(problem.image_type or "")] += 1
        found = list(findings(problem))
        if (first := self._same_question(problem)) is not None:
            found.append(Finding(kind=Flag.DUPLICATE, detail=f"has the question of {first}"))
        elif near:
            found.append(Finding(kind=Flag.NEAR_DUPLICATE, detail="is nearly the same as an earlier item"))
        for quiz in problem.quizzes:
            self.quizzes += 1
            self.says_text += says_text(quiz.question)
            lengths = {letter: len(text) for letter, text in quiz.options.items()}
            own = lengths.pop(quiz.correct_option)
            self.longest += own > max(lengths.values(), default=0)
            if len(quiz.options) == 4:
                self.keys[quiz.correct_option] += 1
        for finding in found:
            holder = problem if finding.quiz is None else problem.quizzes[finding.quiz]
            self.kinds[finding.kind] += 1
            self.flagged[finding.kind] += finding.kind in holder.flags
        return found

    def add_faults(self, faults: Iterable[Malformed]) -> None:
        """Count what the reader of the source found and `findings` cannot see."""
        for fault in faults:
            kind = READERS.get(fault.kind)
            if kind is not None and not (fault.kind is Fault.NO_ANSWER and fault.severity == "warning"):
                self.kinds[kind] += 1

    def _same_question(self, problem: Problem) -> str | None:
        words = " ".join(problem.question.split()).casefold()
        key = hashlib.blake2b(words.encode(), digest_size=12).digest()
        first = self.questions.setdefault(key, problem.id)
        return None if first == problem.id else first

    @property
    def skew(self) -> float:
        """p-value of Pearson's chi-square test that the four letters are equally likely; 1.0 without quizzes."""
        if not self.keys:
            return 1.0
        from scipy.stats import chisquare

        return float(chisquare([self.keys[letter] for letter in "ABCD"]).pvalue)

    def rows(self) -> list[Row]:
        """The audit's table."""
        four = self.keys.total()
        return [
            *(Row(f"key is {x}", self.keys[x], four, "quizzes", self.keys[x]) for x in "ABCD"),
            Row("right option is the longest", self.longest, self.quizzes, "quizzes", self.longest),
            Row("stem says text or passage", self.says_text, self.quizzes, "quizzes", self.says_text),
            *(self._row(kind) for kind in Flag),
            Row("image types without an item", self.empty_types, 25, "types", self.empty_types),
        ]

    @property
    def empty_types(self) -> int:
        """How many of the 25 image types no item has."""
        return 25 - len([t for t in self.image_types if t])

    @property
    def open(self) -> int:
        """Faults that are neither mended nor flagged."""
        return sum(self.kinds[kind] - self.flagged[kind] for kind in Flag)

    def _row(self, kind: Flag) -> Row:
        of, unit = (self.quizzes, "quizzes") if kind in OF_QUIZZES else (self.items, "items")
        return Row(kind.value.replace("_", " "), self.kinds[kind], of, unit, self.flagged[kind])


OF_QUIZZES = frozenset(
    {Flag.KEY_OUTSIDE_OPTIONS, Flag.OPTION_LABELS, Flag.REPEATED_OPTION, Flag.REFERS_TO_TEXT, Flag.GIVEN_AWAY}
)
