"""Rows of a published data set, from a local copy or from the hub: where the two ways of reading one meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scigen.errors import ScigenError
from scigen.problems.sources.files import tables
from scigen.problems.sources.hub import hub_rows, resolve
from scigen.problems.sources.rows import Row, local_rows


def dataset_rows(
    name: str,
    dataset: str,
    config: str | None,
    split: str,
    revision: str | None,
    path: str,
    columns: Sequence[str],
    key: str = "problems",
) -> tuple[Iterator[Row], str]:
    """The rows of `dataset`'s split, and the data set at its revision; of a file, folder or glob at `path` if given.

    `key` is where path and data set are configured, for errors. Raises ScigenError when neither can be read.
    """
    if path:
        return local_rows(tables(path, config, split, key), columns), f"{dataset or name}@local"
    if not dataset:
        raise ScigenError(f"{key}.path: is empty, and so is {key}.dataset. Name a file, or a data set's id.")
    at = resolve(dataset, revision, key)
    return hub_rows(at, config, split, columns, key), f"{at.dataset}@{at.commit}"
