"""Exact and near duplicates among the texts of a stream, and variants: the same wording, another problem.

Two texts are *exact* duplicates if their words are equal (`words`). They are *near* duplicates if their wording,
numbers left aside, is alike (Jaccard similarity of runs of three words at least `threshold`, or a chain of such
texts), their numbers and signs are the same in the same order, and so are their answers where these are given. With
other numbers or another answer they are *variants*: problems of their own, worth knowing of, not to be removed. Texts
are read once and not kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from scigen.errors import ScigenError
from scigen.problems.duplicates.lsh import Bands
from scigen.problems.duplicates.shingles import Indices, Shingler, hash64
from scigen.problems.duplicates.spill import Spill
from scigen.problems.duplicates.words import figures, wording, words

Kind = Literal["exact", "near", "variant"]
REPEATS: tuple[Kind, ...] = ("exact", "near")
"""The kinds that say the same problem again."""

RUN = 3
"""Words of a shingle."""
BATCH, BATCH_WORDS = 4096, 200_000
"""Rows, and words, held at once."""


Entry = tuple[str, str] | tuple[str, str, str]
"""Key and text, and the answer if there is one to tell apart what is asked of one situation."""


class Duplicate(NamedTuple):
    """A text that an earlier one has said already."""

    key: str
    of: str
    """The first of its cluster, which is never itself an exact or near duplicate."""
    kind: Kind
    similarity: float
    """Jaccard similarity of the wording to that of `of`; below the threshold only where a chain connects the two."""


class _Rows(NamedTuple):
    keys: list[str]
    words: Indices
    """Number of the first row with the same words."""
    sense: Indices
    """Number of the first row with the same numbers, signs and answer; that of `words` counts for all rows like it."""
    wording: Indices
    """Number of the wording in the spill, counted in the order of appearance."""


def find_duplicates(
    rows: Iterable[Entry],
    threshold: float = 0.8,
    kinds: Sequence[Kind] = REPEATS,
    scratch: Path | None = None,
) -> Iterator[Duplicate]:
    """The rows that repeat an earlier row, in their order; the first of each cluster is not among them.

    A row is (key, text) or (key, text, answer). Give answers where there are any: many sets ask several things of one
    situation ("find the energy", "find the period"), and no measure of wording tells these from a typing error. The
    same words are the same problem whatever the answers.

    `rows` is read once, to its end, before the first result. `kinds` are those to report: variants only when asked for.
    `scratch` is the folder for the temporary file of shingles (about 250 bytes a text of 60 words).
    The same rows in the same order give the same result in every process; in another order the clusters are the same
    and another member may be the first.

    Raises ScigenError for a threshold outside (0, 1], and for a key that comes twice.
    """
    if not 0 < threshold <= 1:
        raise ScigenError(f"threshold {threshold}: a share of common wording, above 0 and at most 1; 0.8 is usual.")
    with Spill(scratch) as spill:
        bands = Bands(threshold)
        read = _read(rows, spill, bands)
        cluster = _clusters(len(spill), bands, spill, threshold)[read.wording]
        yield from _report(read, cluster, spill, kinds)


def _read(rows: Iterable[Entry], spill: Spill, bands: Bands) -> _Rows:
    shingler = Shingler(RUN)
    keys: list[str] = []
    seen: dict[int, int] = {}
    codes: list[Indices] = []
    for batch in _batches(rows):
        new: list[list[str]] = []
        part = np.empty((3, len(batch)), np.int64)
        for i, (key, found, answer) in enumerate(batch):
            keys.append(key)
            plain = wording(found)
            code = hash64("\n".join(plain))
            if code not in seen:
                seen[code] = len(seen)
                new.append(plain)
            part[:, i] = (_signed("\n".join(found)), _signed("\n".join([*figures(found), "=", *answer])), seen[code])
        runs = shingler(new)
        spill.add(runs)
        bands.add(runs)
        codes.append(part)
    spill.seal()
    _refuse_repeated(keys)
    same_words, same_sense, wordings = np.concatenate([np.zeros((3, 0), np.int64), *codes], axis=1)
    first = _first_equal(same_words)
    return _Rows(keys, first, _first_equal(same_sense)[first], wordings)


def _batches(rows: Iterable[Entry]) -> Iterator[list[tuple[str, list[str], list[str]]]]:
    """Keys, words and words of the answers of some rows at a time; fewer rows where they are long."""
    batch: list[tuple[str, list[str], list[str]]] = []
    held = 0
    for row in rows:
        found, answer = words(row[1]), words(row[2]) if len(row) == 3 else []
        batch.append((row[0], found, answer))
        held += len(found) + len(answer)
        if len(batch) == BATCH or held >= BATCH_WORDS:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _signed(text: str) -> int:
    return hash64(text) - (1 << 63)


def _first_equal(values: Indices) -> Indices:
    """For each value the number of its first occurrence."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return first[inverse].astype(np.int64)


def _refuse_repeated(keys: list[str]) -> None:
    if len(set(keys)) == len(keys):
        return
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise ScigenError(f'the key "{key}" comes twice. Give each row a key of its own, such as its number.')
        seen.add(key)


def _clusters(count: int, bands: Bands, spill: Spill, threshold: float) -> Indices:
    """For each wording the number of the first one that it is connected to."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    root = np.arange(count)
    for first, second in bands.candidates():
        apart = root[first] != root[second]
        first, second = first[apart], second[apart]
        alike = spill.jaccard(first, second) >= threshold
        nodes, ends = np.unique(root[np.stack([first[alike], second[alike]])], return_inverse=True)
        graph = coo_array((np.ones(ends.shape[1], np.int8), (ends[0], ends[1])), shape=(len(nodes), len(nodes)))
        _, label = connected_components(graph, directed=False)
        smallest = np.full(len(nodes), count)
        np.minimum.at(smallest, label, nodes)
        become = np.arange(count)
        become[nodes] = smallest[label]
        root = become[root]
    return root


def _report(rows: _Rows, cluster: Indices, spill: Spill, kinds: Sequence[Kind]) -> Iterator[Duplicate]:
    """Within a cluster of wordings, rows of the same sense are one problem; the cluster's others are variants."""
    number = np.arange(len(rows.keys))
    problem = _first_of(cluster, rows.sense)
    family = _first_of(cluster, np.zeros_like(cluster))
    repeats = problem != number
    of = np.where(repeats, problem, family)
    for part in np.array_split(np.flatnonzero(of != number), len(number) // BATCH + 1):
        likeness = spill.jaccard(rows.wording[part], rows.wording[of[part]])
        for i, similarity in zip(part.tolist(), likeness.tolist(), strict=True):
            kind: Kind = "variant"
            if repeats[i]:
                kind = "exact" if rows.words[i] == rows.words[of[i]] else "near"
            if kind in kinds:
                yield Duplicate(rows.keys[i], rows.keys[of[i]], kind, similarity)


def _first_of(a: Indices, b: Indices) -> Indices:
    """For each row the number of the first row with the same pair of values."""
    order = np.lexsort((np.arange(len(a)), b, a))
    new = np.ones(len(a), bool)
    new[1:] = (a[order][1:] != a[order][:-1]) | (b[order][1:] != b[order][:-1])
    out = np.empty(len(a), np.int64)
    out[order] = order[new][np.cumsum(new) - 1]
    return out
