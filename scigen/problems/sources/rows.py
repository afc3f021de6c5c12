"""Rows of tables, one by one, from files: JSON lines, JSON lists, CSV, parquet, of any size, gzipped or not.

A line or row that cannot be read comes as a `BadRow`; a file that cannot be read on is a ScigenError with file and row.
What the columns mean is `table`'s business.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from scigen.errors import ScigenError

BATCH = 64
"""Parquet rows held at once: few, for rows may carry pictures."""
LONGEST_CELL = 10_000_000


@dataclass(frozen=True)
class BadRow:
    """A row that could not be read."""

    fault: str


class Row(NamedTuple):
    """A row, where it stands, and the folder of its file."""

    where: str
    """`<file>:<number from 1>`: line of a JSON lines file, row of a table."""
    value: Mapping[str, Any] | BadRow
    folder: Path | None = None


Numbered = Iterator[tuple[int, Mapping[str, Any] | BadRow]]


def local_rows(paths: Sequence[Path], columns: Sequence[str] | None = None) -> Iterator[Row]:
    """All rows of the tables, in their order. Raises ScigenError when a file breaks off.

    Files are named by what their paths do not share. Of parquet only `columns` are read, if they are given.
    """
    names = _names(paths)
    for path, name in zip(paths, names, strict=True):
        n = 0
        for n, value in _reader(path)(path, columns):
            yield Row(f"{name}:{n}", value, path.parent)
        if n == 0:
            yield Row(f"{name}:0", BadRow("the file holds no rows"), path.parent)


def _names(paths: Sequence[Path]) -> list[str]:
    if len({p.name for p in paths}) == len(paths):
        return [p.name for p in paths]
    parts = [p.resolve().parts for p in paths]
    shared = 0
    while len({p[: shared + 1] for p in parts}) == 1:
        shared += 1
    return ["/".join(p[shared:]) for p in parts]


def _reader(path: Path) -> Callable[[Path, Sequence[str] | None], Numbered]:
    name = path.name.removesuffix(".gz")
    for ending, reader in ((".jsonl", _json_lines), (".json", _json_list), (".csv", _csv), (".parquet", _parquet)):
        if name.endswith(ending):
            return reader
    raise ScigenError(f"{path}: no table. Name a file that ends in .jsonl, .json, .csv or .parquet.")


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb")) if path.name.endswith(".gz") else path.open("rb")


def _json_lines(path: Path, columns: Sequence[str] | None) -> Numbered:
    n = 0
    try:
        with _open(path) as f:
            for n, line in enumerate(f, 1):
                if line.strip():
                    yield n, _json_object(line)
    except (EOFError, OSError) as e:  # gzip's errors are OSErrors
        raise _broken(path, n + 1, e) from e


def _json_object(line: bytes) -> Mapping[str, Any] | BadRow:
    try:
        value = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as e:
        return BadRow(f"byte {e.start} of the line is not UTF-8")
    except json.JSONDecodeError as e:
        return BadRow(f"is not JSON ({e.msg} at column {e.colno})")
    except RecursionError:
        return BadRow("is nested too deeply")
    return value if isinstance(value, dict) else BadRow(f"is {type(value).__name__}, not an object")


def _json_list(path: Path, columns: Sequence[str] | None) -> Numbered:
    import ijson

    n = 0
    try:
        with _open(path) as f:
            for n, value in enumerate(ijson.items(f, "item", use_float=True), 1):
                yield n, value if isinstance(value, dict) else BadRow(f"is {type(value).__name__}, not an object")
    except (ijson.JSONError, EOFError, OSError, UnicodeDecodeError) as e:
        raise _broken(path, n + 1, e) from e


def _csv(path: Path, columns: Sequence[str] | None) -> Numbered:
    csv.field_size_limit(LONGEST_CELL)
    n = 0
    try:
        with io.TextIOWrapper(_open(path), encoding="utf-8-sig", newline="") as f:
            for n, row in enumerate(csv.DictReader(f, restkey="", restval=None), 1):
                if "" in row:
                    yield n, BadRow("has more cells than the head has names")
                elif None in row.values():
                    yield n, BadRow("has fewer cells than the head has names")
                else:
                    yield n, row
    except (csv.Error, EOFError, OSError, UnicodeDecodeError) as e:
        raise _broken(path, n + 1, e) from e


def _parquet(path: Path, columns: Sequence[str] | None) -> Numbered:
    import pyarrow as pa
    import pyarrow.parquet as pq

    n = 0
    try:
        with pq.ParquetFile(path) as table:
            there = None if columns is None else [c for c in table.schema_arrow.names if c in columns]
            for batch in table.iter_batches(batch_size=BATCH, columns=there or None):
                for row in batch.to_pylist():
                    n += 1
                    yield n, row
    except (pa.ArrowException, OSError) as e:
        raise _broken(path, n + 1, e) from e


def _broken(path: Path, row: int, error: Exception) -> ScigenError:
    return ScigenError(
        f"{path}:{row}: the file cannot be read on ({type(error).__name__}: {error}). Download or write it again; what "
        "was read before this row is safe."
    )
