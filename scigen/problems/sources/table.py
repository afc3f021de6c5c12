"""Problems from any table, by a field map: the hub's corpora and benchmarks, and a user's own files.

Each of conf/problems' data sets is this class with a map; what a map cannot say needs a class of its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from scigen.errors import ScigenError, nearest
from scigen.problems.answers import answer_fault
from scigen.problems.malformed import Fault, Malformed
from scigen.problems.sources.base import SourceItem, Split
from scigen.problems.sources.dataset import dataset_rows
from scigen.problems.sources.files import tables
from scigen.problems.sources.part import Part
from scigen.problems.sources.pictures import BadPicture, as_png
from scigen.problems.sources.rows import BadRow, Row
from scigen.problems.taxonomy import SUBJECT_OF
from scigen.records import Flag, ImageType, Problem, problem_id

MARK = re.compile(r"<image\s*\d*>")
"""Where some data sets put the picture into the question; it is cut out."""


@dataclass(frozen=True)
class Fields:
    """Column of each field; dotted for nested ones (`meta.answer`), empty where the table has none."""

    question: str = "question"
    answer: str = "answer"
    id: str = ""
    image: str = ""
    image_type: str = ""
    """`Plane Geometric` or `Math - Plane Geometric`; anything else counts as unknown."""
    elements: str = ""
    """A list of texts."""
    multimodal_question: str = ""
    options: str = ""
    """A list of texts, put after the question as (A), (B), ..."""
    licence: str = ""


@dataclass(frozen=True)
class Table(Part):
    """`dataset` on the hub, or a local copy of it (or any table) at `path`."""

    name: str
    licence: str
    """SPDX identifier, or the source's own words."""
    fields: Mapping[str, str] = field(default_factory=dict)
    dataset: str = ""
    config: str | None = None
    split: str = "train"
    revision: str | None = None
    """Commit, tag or branch; the hub's main branch if None."""
    path: str = ""
    """File, folder or glob; empty reads from the hub."""
    benchmark: bool = False
    """Held out as a whole, never trained on."""
    held_out_percent: int = 0
    """Share of a corpus that is set apart, by a hash of the problem's id."""

    def items(self) -> Iterator[SourceItem]:
        """Raises ScigenError when the table cannot be read, or has not the columns that `fields` names."""
        wanted = self._fields()
        columns = {name: column for name, column in asdict(wanted).items() if column}
        rows, at = self._rows(sorted({column.partition(".")[0] for column in columns.values()}))
        met: set[str] = set()
        for row in self.part(rows):
            if isinstance(row.value, BadRow):
                yield SourceItem(None, (self._fault(row.where, "row", Fault.ROW, row.value.fault, "Left out."),))
                continue
            if not met:
                self._check_columns(wanted, row.value, row.where)
            met |= row.value.keys() & {column.partition(".")[0] for column in columns.values()}
            yield self._item(wanted, row, at)
        for name, column in columns.items():
            if met and column.partition(".")[0] not in met:
                fault = f'column "{column}" is in no row'
                yield SourceItem(None, (self._fault("all rows", name, Fault.UNKNOWN_FIELD, fault, "Not used."),))

    def _rows(self, columns: list[str]) -> tuple[Iterator[Row], str]:
        """The rows, and the data set at its revision."""
        return dataset_rows(self.name, self.dataset, self.config, self.split, self.revision, self.path, columns)

    def settings(self) -> dict[str, Any]:
        """A local table counts by the names, sizes and times of its files, wherever they lie."""
        local = file_marks(tables(self.path, self.config, self.split)) if self.path else None
        return {**asdict(self), "fields": dict(self.fields), "path": local}

    def split_of(self, problem: Problem) -> Split:
        if self.benchmark:
            return "held_out"
        digest = int(hashlib.sha256(problem.id.encode()).hexdigest()[:12], 16)
        return "held_out" if digest % 100 < self.held_out_percent else "train"

    def _fields(self) -> Fields:
        known = list(asdict(Fields()))
        for name in self.fields:
            if name not in known:
                raise ScigenError(f'problems.fields: no field "{name}": {nearest(name, known)}')
        return Fields(**self.fields)

    def _check_columns(self, wanted: Fields, row: Mapping[str, Any], where: str) -> None:
        for name in ("question", "answer"):
            column = getattr(wanted, name)
            if column.partition(".")[0] not in row:
                raise ScigenError(
                    f'{where}: no column "{column}" for problems.fields.{name}: {nearest(column, map(str, row))}'
                )

    def _item(self, wanted: Fields, row: Row, at: str) -> SourceItem:
        assert not isinstance(row.value, BadRow)
        value, where, faults = row.value, row.where, []
        question = MARK.sub(" ", _text(_cell(value, wanted.question))).strip()
        answer = _text(_cell(value, wanted.answer)).strip()
        for name, text, kind in (("question", question, Fault.NO_QUESTION), ("answer", answer, Fault.NO_ANSWER)):
            if not text:
                given = _cell(value, getattr(wanted, name))
                return SourceItem(None, (self._fault(where, name, kind, f"is {given!r}", "Left out."),))
            if (at_fault := half_a_character(text)) is not None:
                fault = f"character {at_fault} is half a surrogate pair"
                return SourceItem(None, (self._fault(where, name, Fault.ROW, fault, "Left out."),))
        if (unusable := answer_fault(answer)) is not None:
            kind = Fault.NO_ANSWER if unusable is Flag.UNUSABLE_ANSWER else Fault.CHAIN_OF_THOUGHT
            mend = "Kept; not a ground truth to train on."
            faults.append(self._fault(where, "answer", kind, f"has {len(answer)} characters", mend))
        question = _with_options(question, _cell(value, wanted.options))
        image = None
        try:
            image = as_png(_cell(value, wanted.image), row.folder)
        except BadPicture as e:
            faults.append(self._fault(where, "image", Fault.IMAGE, str(e), "The problem is kept without it."))
        own = _text(_cell(value, wanted.id)).strip()
        image_type = _image_type(_text(_cell(value, wanted.image_type)))
        elements = _cell(value, wanted.elements)
        problem = Problem(
            id=f"{self.name}-{own}" if own else problem_id(self.name, question, self._seen(image)),
            source=self.name,
            origin=f"{at}:{where}",
            licence=_text(_cell(value, wanted.licence)) or self.licence,
            question=question,
            answer=answer,
            subject=SUBJECT_OF[image_type] if image_type else None,
            image_type=image_type,
            elements=tuple(str(e) for e in elements if str(e).strip()) if isinstance(elements, list) else (),
            multimodal_question=_text(_cell(value, wanted.multimodal_question)).strip() or question,
            image=hashlib.sha256(image).hexdigest() if image else None,
        )
        return SourceItem(problem, tuple(faults), image)

    def _seen(self, image: bytes | None) -> str | None:
        """Two pictures asked the same question ("Find x.") are two problems."""
        return hashlib.sha256(image).hexdigest() if image else None

    def _fault(self, where: str, name: str, kind: Fault, fault: str, mend: str) -> Malformed:
        return Malformed(
            item=f"{self.name}:{where}",
            field=name,
            kind=kind,
            fault=fault[:500],
            mend=f"{mend} Mend the row in its source.",
            severity="error",
        )


def _cell(row: Mapping[str, Any], column: str) -> Any:
    """The value at a dotted path, None where there is none."""
    value: Any = row
    for part in column.split(".") if column else ():
        value = value.get(part) if isinstance(value, Mapping) else None
    return value if column else None


def _text(value: Any) -> str:
    """A list of answers as one text."""
    if isinstance(value, list | tuple):
        return ", ".join(_text(v) for v in value)
    return "" if value is None else value if isinstance(value, str) else str(value)


def half_a_character(text: str) -> int | None:
    """Where the text holds a lone surrogate, which no file can take; None for sound text."""
    try:
        text.encode()
    except UnicodeEncodeError as e:
        return e.start
    return None


def file_marks(paths: list[Path]) -> list[tuple[str, int, int]]:
    """What tells a local table from a changed one: names, sizes and times of its files."""
    return [(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in paths]


def _with_options(question: str, options: Any) -> str:
    if not isinstance(options, list | tuple) or not options:
        return question
    listed = [f"({letter}) {option}" for letter, option in zip(ascii_uppercase, options, strict=False)]
    return f"{question}\n" + "\n".join(listed)


def _image_type(text: str) -> ImageType | None:
    name = text.partition(" - ")[2] or text
    return ImageType(name.strip()) if name.strip() in set(ImageType) else None
