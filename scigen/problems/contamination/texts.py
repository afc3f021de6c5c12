"""Texts of one benchmark, indexed by runs of eight words.

A run that stands in more than a few of the benchmark's items ("find the area of the shaded region round to ...") tells
nothing about any one of them: geometry benchmarks repeat such phrases over different pictures. It is left out on both
sides. Wording only; no paraphrase is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scigen.problems.duplicates.shingles import Hashes, Indices, Runs, Shingler
from scigen.problems.duplicates.words import words

LEAST_RUNS = 5
"""An item must have so many runs for its being contained in a longer text to count."""
BATCH = 2048


class TextMatches(NamedTuple):
    """The closest item of each text that shares a run with any; arrays of one length."""

    text: Indices
    """Number of the text, ascending."""
    item: Indices
    score: npt.NDArray[np.float64]
    matched: Indices


class TextIndex:
    """Finds the item with which a text shares most of its runs."""

    def __init__(self, texts: Sequence[str], size: int, stock: int) -> None:
        """`size`: words of a run; `stock`: a run that stands in more items than this is left out."""
        shingle = Shingler(size)
        parts = [shingle([words(t) for t in texts[at : at + BATCH]]) for at in range(0, len(texts), BATCH)]
        item = np.concatenate([np.zeros(0, np.int64), *(p.rows + i * BATCH for i, p in enumerate(parts))])
        hashes = np.concatenate([np.zeros(0, np.uint64), *(p.hashes for p in parts)])
        order = np.lexsort((item, hashes))
        item, hashes = item[order], hashes[order]
        runs, first, count = np.unique(hashes, return_index=True, return_counts=True)
        self._stock: Hashes = runs[count > stock]
        self._runs: Hashes = runs[count <= stock]
        self._first, self._count = first[count <= stock], count[count <= stock]
        self._item = item
        self._item_runs = np.bincount(item[np.repeat(count <= stock, count)], minlength=len(texts))

    def distinctive(self, texts: Runs) -> Indices:
        """How many of each text's runs are not stock phrases here."""
        return np.bincount(texts.rows[~_among(texts.hashes, self._stock)], minlength=len(texts.starts) - 1)

    def closest(self, texts: Runs, distinctive: Indices) -> TextMatches:
        """For each text the item with the highest score; the first such item if there are several.

        The score is the share of the text's distinctive runs that the item has, or the share of the item's that the
        text has if that is more and the item has at least five: a problem copied into a longer text is there too.
        """
        hit = _among(texts.hashes, self._runs)
        place = np.searchsorted(self._runs, texts.hashes[hit])
        each = self._count[place]
        within = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
        item = self._item[np.repeat(self._first[place], each) + within]
        items = len(self._item_runs)
        pair, shared = np.unique(np.repeat(texts.rows[hit], each) * items + item, return_counts=True)
        text, item = np.divmod(pair, max(items, 1))
        of_text = shared / distinctive[text]
        of_item = np.where(self._item_runs[item] >= LEAST_RUNS, shared / self._item_runs[item], 0.0)
        score = np.maximum(of_text, of_item)
        order = np.lexsort((item, -score, text))
        best = order[np.flatnonzero(np.diff(text[order], prepend=-1))]
        return TextMatches(text[best], item[best], score[best], shared[best])


def _among(values: Hashes, of: Hashes) -> npt.NDArray[np.bool_]:
    """Which values are in the sorted `of`."""
    if not len(of):
        return np.zeros(len(values), bool)
    found: npt.NDArray[np.bool_] = of[np.minimum(np.searchsorted(of, values), len(of) - 1)] == values
    return found
