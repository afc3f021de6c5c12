"""SciGenBench's released items -> Problem records, and a list of what is malformed in them.

It mends only what has one reading (an option label lost at a known place) and says so; it never guesses an answer, a
type or a key, and never changes a question. What it does not judge: whether a quiz can be answered from an image.

Severity `error`: the item, quiz or field is left out, or was mended. `warning`: it is taken up as it stands.
Faults of the released data: the paper's section on the benchmark describes none; these were found by reading it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scigen.errors import ScigenError, nearest
from scigen.problems.answers import answer_fault
from scigen.problems.malformed import Fault, Malformed, Severity
from scigen.problems.sources.base import SourceItem, Split
from scigen.problems.sources.hub import hub_rows, resolve
from scigen.problems.sources.part import Part
from scigen.problems.sources.rows import BadRow
from scigen.problems.sources.scigenbench_quiz import read_flags, read_quizzes
from scigen.problems.taxonomy import SUBJECT_OF
from scigen.records import Flag, ImageType, Problem, Quiz, Subject, problem_id

HUB = "J017athan/SciGenBench"
SPLITS = ("scigen", "seephys")
FIELDS = ("id", "question", "image_type", "answer", "elements", "quizzes", "multimodal_question")
RELEASE = ("flags", "licence", "origin")
"""Fields that a corrected release has beside those of the published one."""
LICENCE = "Apache-2.0"
PICTURES = "seephys_images"
"""Folder beside seephys.json with the split's real pictures, `<id>.png`."""
UNREWARDED = "Kept for drawing; not a ground truth to train on."
FLAGGED: dict[Fault, Flag] = {
    Fault.NO_ANSWER: Flag.UNUSABLE_ANSWER,
    Fault.CHAIN_OF_THOUGHT: Flag.CHAIN_OF_THOUGHT,
    Fault.DUPLICATE_QUESTION: Flag.DUPLICATE,
    Fault.IMAGE_TYPE: Flag.NO_IMAGE_TYPE,
    Fault.NO_MULTIMODAL_QUESTION: Flag.NO_MULTIMODAL_QUESTION,
}
"""Faults that are not listed again where the item carries the flag for them."""


@dataclass(frozen=True)
class SciGenBench(Part):
    """The published benchmark: one of its JSON files, or `hub` for the questions of the hub's data set."""

    path: str
    split: str
    revision: str | None = None
    """Commit of the hub's data set to pin."""

    @property
    def name(self) -> str:
        return f"scigenbench/{self.split}"

    def items(self) -> Iterator[SourceItem]:
        """Raises ScigenError when the file is missing or is no JSON list, or at an unknown split."""
        if self.path == "hub":
            return self.part(from_hub(self.split, revision=self.revision))
        return self.part(read(Path(self.path), self.split))

    def settings(self) -> dict[str, Any]:
        """The file counts by its content, wherever it lies."""
        content = None
        if self.path != "hub":
            content = hashlib.sha256(_bytes(Path(self.path))).hexdigest()
        return {**asdict(self), "path": "hub" if content is None else "", "content": content}

    def split_of(self, problem: Problem) -> Split:
        """A benchmark is for testing only."""
        return "held_out"


def read(path: Path, split: str) -> Iterator[SourceItem]:
    """Read one of the benchmark's JSON files, or a corrected release of one: a list of items.

    Args:
        path: The file, for example `scigen.json`.
        split: `scigen` or `seephys`; becomes part of the problems' `source`.

    Raises:
        ScigenError: no such file, no JSON (with line and column), no list, or an unknown split.
    """
    body = _bytes(path)
    try:
        data = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError as e:
        raise ScigenError(f"{path}: byte {e.start} is not UTF-8. Download the file again.") from e
    except json.JSONDecodeError as e:
        raise ScigenError(f"{path}:{e.lineno}:{e.colno}: not JSON ({e.msg}). Download the file again.") from e
    if not isinstance(data, list):
        raise ScigenError(f"{path}: holds {type(data).__name__} where a list of items is due. Pass the released file.")
    items = from_items(data, split, path.name)
    folder = path.parent / PICTURES
    return (_with_picture(item, folder) for item in items) if split == "seephys" and folder.is_dir() else items


def _with_picture(item: SourceItem, folder: Path) -> SourceItem:
    """The item with its picture, if there is one."""
    file = folder / f"{item.problem.id}.png" if item.problem else None
    if item.problem is None or file is None or not file.is_file():
        return item
    image = file.read_bytes()
    problem = item.problem.model_copy(update={"image": hashlib.sha256(image).hexdigest()})
    return SourceItem(problem, item.faults, image)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as e:
        raise ScigenError(
            f"{path}: no such file. Download the benchmark ({HUB} on the hub) and pass problems.path=FILE."
        ) from e
    except OSError as e:
        raise ScigenError(f"{path}: cannot be read ({e.strerror}). Pass a JSON file as problems.path=FILE.") from e


def from_hub(split: str, config: str = "gemini-3-flash-imgcoder", revision: str | None = None) -> Iterator[SourceItem]:
    """Read the questions from the hub's data set, which has neither ids nor elements nor quizzes. Not run here.

    Args:
        split: `scigen` or `seephys`.
        config: One of the eleven generators' configs; the questions are the same in all.
        revision: Commit of the data set to pin.
    """
    _check_split(split)
    columns = ("original_question", "answer", "image_type", "multimodal_question")
    rows = hub_rows(resolve(HUB, revision), config, split, columns)
    items = (row.value if isinstance(row.value, BadRow) else _hub_item(row.value, split) for row in rows)
    return from_items(items, split, f"{HUB}/{config}/{split}")


def _hub_item(row: Mapping[str, Any], split: str) -> dict[str, Any]:
    item = {k: v for k, v in row.items() if k != "original_question"} | {"question": row["original_question"]}
    return {"id": problem_id(f"scigenbench/{split}", str(item["question"])), **item}


def from_items(items: Iterable[object], split: str, where: str) -> Iterator[SourceItem]:
    """Problems and faults of already parsed items; `where` names the source in the faults."""
    _check_split(split)
    return _Reader(split, where).each(items)


def normalised(question: str) -> str:
    """The question without differences of case and white space, to find duplicates by."""
    return " ".join(question.split()).casefold()


def _check_split(split: str) -> None:
    if split not in SPLITS:
        raise ScigenError(f'problems.split: no split "{split}": {nearest(split, SPLITS)}')


class _Reader:
    """Goes through the items of one source and remembers what it has seen."""

    def __init__(self, split: str, where: str) -> None:
        self.split, self.where, self.source = split, where, f"scigenbench/{split}"
        self._faults: list[Malformed] = []
        self._flags: list[Flag] = []
        self._ids: set[str] = set()
        self._questions: dict[str, str] = {}
        self._item = ""

    def each(self, items: Iterable[object]) -> Iterator[SourceItem]:
        """One SourceItem an item, in order."""
        for index, item in enumerate(items):
            self._faults, self._flags = [], []
            problem = self._problem(index, item)
            yield SourceItem(problem, tuple(self._faults))

    def _problem(self, index: int, item: object) -> Problem | None:
        self._item = f"{self.where}:item {index}"
        if not isinstance(item, Mapping):
            self._error("item", Fault.NOT_AN_ITEM, f"is {type(item).__name__}, not an object", "Left out; delete it.")
            return None
        self._flags = list(read_flags(item))
        question, answer = item.get("question"), item.get("answer")
        id_ = self._id(item, question)
        if id_ is None or not self._usable_question(question) or not self._usable_answer(answer):
            return None
        assert isinstance(question, str)
        self._ids.add(id_)
        self._note_duplicate(id_, question)
        for name in sorted(set(item) - {*FIELDS, *RELEASE}, key=str):
            self._warn(str(name), Fault.UNKNOWN_FIELD, "is not a field of the format", "Ignored.")
        subject, image_type = self._image_type(item.get("image_type"))
        return Problem(
            id=id_,
            source=self.source,
            origin=str(item.get("origin") or self._item),
            licence=str(item.get("licence") or LICENCE),
            question=question,
            answer=str(answer),
            subject=subject,
            image_type=image_type,
            elements=self._elements(item.get("elements", [])),
            quizzes=self._quizzes(item.get("quizzes", [])),
            multimodal_question=self._multimodal(item.get("multimodal_question"), question),
            flags=tuple(self._flags),
        )

    def _id(self, item: Mapping[Any, Any], question: object) -> str | None:
        given = item.get("id")
        if isinstance(given, bool) or not isinstance(given, str | int) or str(given).strip() == "":
            new = problem_id(self.source, str(question))
            self._warn("id", Fault.NO_ID, f"is {given!r}", f"Given the id {new}, a hash of source and question.")
            given = new
        id_ = str(given)
        self._item = f"{self.where}:{id_}"
        if id_ not in self._ids:
            return id_
        self._error("id", Fault.DUPLICATE_ID, f"{id_} was there before", "Left out; the first is kept.")
        return None

    def _usable_question(self, question: object) -> bool:
        if isinstance(question, str) and question.strip():
            return True
        self._error("question", Fault.NO_QUESTION, f"is {question!r}", "Left out; an item needs its question.")
        return False

    def _usable_answer(self, answer: object) -> bool:
        text = answer if isinstance(answer, str) else "" if answer is None else str(answer)
        fault = answer_fault(text)
        if not text.strip():
            self._error("answer", Fault.NO_ANSWER, f"is {answer!r}", "Left out; find the answer in the item's origin.")
            return False
        if fault is Flag.UNUSABLE_ANSWER:
            self._warn("answer", Fault.NO_ANSWER, f"is {answer!r}", UNREWARDED)
        elif fault is Flag.CHAIN_OF_THOUGHT:
            self._warn("answer", Fault.CHAIN_OF_THOUGHT, f"has {len(text)} characters", UNREWARDED)
        return True

    def _note_duplicate(self, id_: str, question: str) -> None:
        first = self._questions.setdefault(normalised(question), id_)
        if first != id_:
            self._warn(
                "question",
                Fault.DUPLICATE_QUESTION,
                f"is that of {first}",
                "Kept, as in the published set; count both as one problem in intervals and splits.",
            )

    def _image_type(self, given: object) -> tuple[Subject | None, ImageType | None]:
        if given in (None, "") and self.split == "seephys":
            self._warn("image_type", Fault.IMAGE_TYPE, "is empty", "None; the whole split has none. Classify it.")
            return None, None
        left, _, right = str(given).partition(" - ")
        try:
            subject, image_type = Subject(left.strip()), ImageType(right.strip())
        except ValueError:
            known = [f"{s} - {t}" for t, s in SUBJECT_OF.items()]
            self._error("image_type", Fault.IMAGE_TYPE, f"is {given!r}", f"None; {nearest(str(given), known)}")
            return None, None
        if SUBJECT_OF[image_type] is not subject:
            right_one = f"{SUBJECT_OF[image_type]} - {image_type}"
            self._error("image_type", Fault.IMAGE_TYPE, f"is {given!r}", f"None; the taxonomy has {right_one}.")
            return None, None
        return subject, image_type

    def _elements(self, given: object) -> tuple[str, ...]:
        if not isinstance(given, list):
            self._error("elements", Fault.ELEMENTS, f"is {type(given).__name__}, not a list", "Left out.")
            return ()
        for i, element in enumerate(given):
            if not isinstance(element, str) or not element.strip():
                self._error(f"elements.{i}", Fault.ELEMENTS, f"is {element!r}, not a text", "This element is left out.")
        return tuple(e for e in given if isinstance(e, str) and e.strip())

    def _quizzes(self, given: object) -> tuple[Quiz, ...]:
        quizzes, faults = read_quizzes(given)
        for field, kind, fault, mend, severity in faults:
            self._note(field, kind, fault, mend, severity)
        return quizzes

    def _multimodal(self, given: object, question: str) -> str:
        if isinstance(given, str) and given.strip():
            return given
        if self.split == "scigen":  # in seephys the question itself is asked beside the image
            self._warn(
                "multimodal_question",
                Fault.NO_MULTIMODAL_QUESTION,
                f"is {given!r}",
                "The question is asked in its place, which may need no image; have it rewritten by curation.",
            )
        return question

    def _error(self, field: str, kind: Fault, fault: str, mend: str) -> None:
        self._note(field, kind, fault, mend, "error")

    def _warn(self, field: str, kind: Fault, fault: str, mend: str) -> None:
        self._note(field, kind, fault, mend, "warning")

    def _note(self, field: str, kind: Fault, fault: str, mend: str, severity: Severity) -> None:
        if FLAGGED.get(kind) in self._flags:
            return
        self._faults.append(
            Malformed(item=self._item, field=field, kind=kind, fault=fault, mend=mend, severity=severity)
        )
