"""Problems against the index: one verdict a row, in their order, in bounded memory.

A verdict depends on its own row and the index alone, not on the rows around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from scigen.problems.contamination.index import BenchmarkIndex, Index, Limits
from scigen.problems.contamination.pictures import SIDE, Fingerprint, NoFingerprint, fingerprint
from scigen.problems.contamination.verdict import ContaminationVerdict, ImageStatus, Match, TextStatus
from scigen.problems.duplicates.shingles import Runs, Shingler
from scigen.problems.duplicates.words import words
from scigen.records import Problem
from scigen.store import Manifest, SetWriter, inputs_hash

BITS = SIDE * SIDE
BATCH = 1024


class Row(NamedTuple):
    """A problem to be compared."""

    problem_id: str
    texts: tuple[str, ...]
    """Its wordings; the closest counts."""
    image: bytes | None = None

    @classmethod
    def of(cls, problem: Problem, image: bytes | None = None) -> Self:
        """Its question and its multimodal question, with the picture that its source shows."""
        return cls(problem.id, tuple(dict.fromkeys((problem.question, problem.multimodal_question))), image)


class _Read(NamedTuple):
    """A row whose picture was hashed and let go."""

    problem_id: str
    texts: list[list[str]]
    image: ImageStatus
    print: Fingerprint | None


def check(rows: Iterable[Row], index: Index) -> Iterator[ContaminationVerdict]:
    """A verdict for each row. Reads `rows` some hundred ahead; their pictures are hashed one by one and let go."""
    shingle = Shingler(index.limits.words)
    stream = iter(rows)
    while batch := [_read(row) for row in islice(stream, BATCH)]:
        yield from _check_batch(batch, index, shingle)


def write_verdicts(folder: Path, rows: Iterable[Row], index: Index, inputs: str) -> Manifest:
    """Verdicts as a set on disk; rows that have theirs are skipped, other inputs start a new set.

    `inputs` is the hash of what the rows are made from (of their set, or their source's settings).
    """
    with SetWriter(folder, ContaminationVerdict, inputs_hash(inputs, index.inputs)) as writer:
        for verdict in check((row for row in rows if row.problem_id not in writer), index):
            writer.append(verdict)
        return writer.finish()


def _read(row: Row) -> _Read:
    texts = [words(text) for text in row.texts]
    if row.image is None:
        return _Read(row.problem_id, texts, ImageStatus.NO_IMAGE, None)
    try:
        return _Read(row.problem_id, texts, ImageStatus.COMPARED, fingerprint(row.image))
    except NoFingerprint as e:
        return _Read(row.problem_id, texts, ImageStatus(str(e)), None)


def _check_batch(batch: list[_Read], index: Index, shingle: Shingler) -> Iterator[ContaminationVerdict]:
    owner = np.repeat(np.arange(len(batch)), [len(row.texts) for row in batch])
    runs = shingle([text for row in batch for text in row.texts])
    found: list[list[Match]] = [[] for _ in batch]
    stock = np.zeros(len(batch), bool)
    for benchmark in index.benchmarks.values():
        distinctive = benchmark.texts.distinctive(runs)
        stock |= np.bincount(owner, distinctive, minlength=len(batch)) == 0
        pictures = _pictures(batch, benchmark, index.limits)
        for i, match in _texts(batch, owner, runs, distinctive, benchmark, index.limits, pictures):
            found[i].append(match)
        for i, match in pictures.items():
            found[i].append(match)
    for i, row in enumerate(batch):
        longest = max((len(text) for text in row.texts), default=0)
        short = longest < index.limits.words
        yield ContaminationVerdict(
            problem_id=row.problem_id,
            status="contaminated" if any(m.contaminated for m in found[i]) else "clean",
            text=TextStatus.SHORT if short else TextStatus.STOCK if stock[i] else TextStatus.COMPARED,
            image=row.image,
            against=tuple(index.benchmarks),
            matches=tuple(found[i]),
        )


def _pictures(batch: list[_Read], benchmark: BenchmarkIndex, limits: Limits) -> dict[int, Match]:
    """The pictures of the batch that are in the benchmark, by row."""
    prints = {i: row.print for i, row in enumerate(batch) if row.print is not None}
    if not prints:
        return {}
    matches = {}
    for i, closest in zip(prints, benchmark.closest_pictures(np.stack(list(prints.values()))), strict=True):
        if closest is not None and closest.bits <= limits.bits:
            same = BITS - closest.bits
            item = benchmark.ids[closest.item]
            matches[i] = Match(
                benchmark=benchmark.name, item=item, kind="image", score=same / BITS, matched=same, contaminated=True
            )
    return matches


def _texts(
    batch: list[_Read],
    owner: np.ndarray[tuple[int], np.dtype[np.int64]],
    runs: Runs,
    distinctive: np.ndarray[tuple[int], np.dtype[np.int64]],
    benchmark: BenchmarkIndex,
    limits: Limits,
    pictures: dict[int, Match],
) -> Iterator[tuple[int, Match]]:
    """The closest text match of each row that comes near one, with the row."""
    first_text = np.concatenate([[0], np.cumsum([len(row.texts) for row in batch])])
    best: dict[int, Match] = {}
    closest = benchmark.texts.closest(runs, distinctive)
    for text, item, score, matched in zip(*(column.tolist() for column in closest), strict=True):
        if score < limits.text / 2:
            continue
        row = int(owner[text])
        short = len(batch[row].texts[text - first_text[row]]) < limits.words
        counts = score >= limits.text and (not short or item not in benchmark.pictured)
        match = Match(
            benchmark=benchmark.name,
            item=benchmark.ids[item],
            kind="text",
            score=score,
            matched=matched,
            contaminated=counts,
        )
        if row not in best or (match.contaminated, score) > (best[row].contaminated, best[row].score):
            best[row] = match
    yield from sorted(best.items(), key=lambda pair: pair[0])
