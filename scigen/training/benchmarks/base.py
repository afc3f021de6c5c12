"""What a benchmark is: where its rows lie, and each row read and checked. A row that cannot be used is reported.

A new benchmark is one class here that says what its columns mean (`draft`), and its node in conf/benchmark.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from scigen.errors import ScigenError, nearest
from scigen.problems.answers import answer_fault
from scigen.problems.malformed import Fault, Malformed, Severity
from scigen.problems.sources.dataset import dataset_rows
from scigen.problems.sources.files import tables
from scigen.problems.sources.pictures import BadPicture, as_pngs
from scigen.problems.sources.rows import BadRow, Row
from scigen.problems.sources.table import MARK, file_marks, half_a_character
from scigen.records import problem_id
from scigen.training.benchmarks.answers import LETTER, AnswerType, answer_type, mended


class Draft(NamedTuple):
    """A row's cells by their meaning, unchecked."""

    question: Any
    """With `<image1>` marks where the data set has them."""
    answer: Any
    pictures: Any
    """One cell or a list of them: bytes, the hub's {bytes, path}, or a file's name beside the table."""
    id: str = ""
    choices: Any = None
    subject: str = ""
    level: str = ""


@dataclass(frozen=True)
class Item:
    """One problem of a benchmark."""

    id: str
    question: str
    """The picture marks still in it."""
    answer: str
    """The letter where there are choices."""
    choices: tuple[str, ...]
    pictures: tuple[bytes, ...]
    """PNGs, in order, at least one."""
    subject: str
    level: str
    origin: str
    """`<data set>@<revision>:<file>:<row>`."""

    @property
    def answer_type(self) -> AnswerType:
        return answer_type(self.answer, bool(self.choices))


class Reading(NamedTuple):
    """What became of one row; `item` is None when it cannot be used."""

    where: str
    item: Item | None
    faults: tuple[Malformed, ...] = ()


class Unusable(ValueError):
    """A row that cannot become a problem: field, kind and fault."""

    def __init__(self, field: str, kind: Fault, fault: str) -> None:
        super().__init__(fault)
        self.field, self.kind = field, kind


@dataclass(frozen=True, kw_only=True)
class Benchmark(ABC):
    """A split of a data set on the hub, or a local copy of it at `path` (file, folder or glob)."""

    name: str
    """verl's data_source."""
    rows: int
    """How many problems the published split holds."""
    dataset: str
    split: str
    config: str | None = None
    revision: str | None = None
    """Commit, tag or branch; the hub's main branch if None."""
    path: str = ""
    key: str = "benchmark"
    """Where this is configured, for errors."""

    COLUMNS: ClassVar[tuple[str, ...]]
    """Columns that are read; the first ones, `NEEDED` of them, must be there."""
    NEEDED: ClassVar[int]

    @abstractmethod
    def draft(self, row: Mapping[str, Any]) -> Draft:
        """What the row's columns mean."""

    def readings(self) -> Iterator[Reading]:
        """Every row in the data set's order. Raises ScigenError when it cannot be read, or has other columns."""
        place = (self.config, self.split, self.revision, self.path)
        rows, at = dataset_rows(self.name, self.dataset, *place, self.COLUMNS, self.key)
        for n, row in enumerate(rows):
            if n == 0 and not isinstance(row.value, BadRow):
                self._check_columns(row.value, row.where)
            yield self._read(row, at)

    def settings(self) -> dict[str, Any]:
        """All that `readings` depends on; a local copy counts by its files' names, sizes and times."""
        local = file_marks(tables(self.path, self.config, self.split, self.key)) if self.path else None
        return {**asdict(self), "path": local, "reader": type(self).__name__}

    def _check_columns(self, row: Mapping[str, Any], where: str) -> None:
        for column in self.COLUMNS[: self.NEEDED]:
            if column not in row:
                raise ScigenError(
                    f'{where}: no column "{column}" of {self.dataset}: {nearest(column, map(str, row))} Point '
                    f"{self.key}.path at a copy of the data set's split {self.split}."
                )

    def _read(self, row: Row, at: str) -> Reading:
        faults: list[Malformed] = []
        try:
            if isinstance(row.value, BadRow):
                raise Unusable("row", Fault.ROW, row.value.fault)
            item = self._item(self.draft(row.value), row, at, faults)
        except Unusable as e:
            return Reading(row.where, None, (*faults, self.fault(row.where, e.field, e.kind, str(e), "error")))
        return Reading(row.where, item, tuple(faults))

    def _item(self, draft: Draft, row: Row, at: str, faults: list[Malformed]) -> Item:
        question = _text(draft.question, "question", Fault.NO_QUESTION)
        if not MARK.sub("", question).strip():
            fault = f"is {question.strip()!r}: it stands in the picture"
            faults.append(self.fault(row.where, "question", Fault.NO_QUESTION, fault, "warning", "Kept."))
        reference = mended(_text(draft.answer, "answer", Fault.NO_ANSWER))
        if reference.fault:
            faults.append(self.fault(row.where, "answer", Fault.ANSWER, reference.fault, "warning", "Mended."))
        if answer_fault(reference.answer) is not None:
            raise Unusable("answer", Fault.NO_ANSWER, f"is {reference.answer[:80]!r}, which is no reference answer")
        choices = _choices(draft.choices)
        if len(set(choices)) < len(choices) and not all(MARK.fullmatch(c) for c in choices):
            faults.append(self.fault(row.where, "choices", Fault.CHOICES, f"repeat: {choices}", "warning", "Kept."))
        answer = _letter(reference.answer, choices) if choices else reference.answer
        pictures = _pictures(draft.pictures, row.folder)
        seen = [hashlib.sha256(png).hexdigest() for png in pictures]
        return Item(
            id=f"{self.name}-{draft.id}" if draft.id else problem_id(self.name, question, [*seen]),
            question=question,
            answer=answer,
            choices=choices,
            pictures=tuple(pictures),
            subject=draft.subject,
            level=draft.level,
            origin=f"{at}:{row.where}",
        )

    def fault(
        self, where: str, field: str, kind: Fault, fault: str, severity: Severity, mend: str = "Left out."
    ) -> Malformed:
        """The record of a fault of the row at `where`."""
        return Malformed(
            item=f"{self.name}:{where}", field=field, kind=kind, fault=fault[:500], mend=mend, severity=severity
        )


def _text(value: Any, field: str, kind: Fault) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise Unusable(field, kind, f"is {value!r}")
    if (at := half_a_character(value)) is not None:
        raise Unusable(field, Fault.ROW, f"character {at} is half a surrogate pair")
    return value


def _choices(value: Any) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    if not isinstance(value, list | tuple):
        raise Unusable("choices", Fault.CHOICES, f"are {type(value).__name__}, not a list: {value!r}")
    for n, choice in enumerate(value):
        if not isinstance(choice, str) or not choice.strip():
            raise Unusable("choices", Fault.CHOICES, f"choice {chr(ord('A') + n)} is {choice!r}")
    if len(value) == 1:
        raise Unusable("choices", Fault.CHOICES, f"there is one alone: {value[0]!r}")
    return tuple(choice.strip() for choice in value)


def _letter(answer: str, choices: tuple[str, ...]) -> str:
    """The letter of the right choice, which the data set gives as a letter or in full."""
    letters = [chr(ord("A") + n) for n in range(len(choices))]
    if answer in letters:
        return answer
    if not LETTER.fullmatch(answer) and choices.count(answer) == 1:
        return letters[choices.index(answer)]
    raise Unusable("answer", Fault.CHOICES, f"{answer!r} is none of the {len(choices)} choices A to {letters[-1]}")


def _pictures(cell: Any, folder: Path | None) -> list[bytes]:
    """The row's pictures; files are looked for beside the table, and beside its folder."""
    fault: BadPicture | None = None
    for place in (folder, folder.parent if folder else None):
        try:
            found = as_pngs(cell, place)
        except BadPicture as e:
            fault = fault or e
            continue
        if not found:
            raise Unusable("pictures", Fault.IMAGE, "there is none")
        return found
    raise Unusable("pictures", Fault.IMAGE, str(fault))
