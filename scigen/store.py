"""A set on disk: a folder with append-only `records.jsonl`, images by sha256, and a manifest written last.

The promise: kill the writer between any two system calls and open the folder again; every record whose `append`
returned is there once, a half-written last line is cut off, and no image is half-written. A folder without
`manifest.json` is unfinished; a manifest that does not fit its records is refused.
One writer at a time (a lock file held by the kernel sees to it); readers need no lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, KeysView, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from scigen.errors import NO_ROOM, ScigenError
from scigen.records import SCHEMA_VERSION, Record

R = TypeVar("R", bound=Record)

RECORDS, MANIFEST, IMAGES, INPUTS = "records.jsonl", "manifest.json", "images", "inputs"
TAIL = 1 << 20
"""Bytes read at once in search of the last line end."""


class Manifest(BaseModel):
    """The last file written to a finished set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int = SCHEMA_VERSION
    record_type: str
    count: int
    by_status: dict[str, int]
    """Counts by the record's `status`, empty for records without one."""
    set_hash: str
    """sha256 over the records' content hashes in order of key: equal work gives an equal hash."""
    inputs: str
    """Hash of whatever the set was made from; a writer with other inputs starts a new set."""


def write_atomic(path: Path, data: bytes) -> None:
    """Replace `path` by `data` so that a reader sees the old or the new content, never a part.

    Raises ScigenError where there is no room for it.
    """
    try:
        _replace(path, data)
    except OSError as e:
        if e.errno not in NO_ROOM:
            raise
        raise ScigenError(
            f"{path}: could not be written ({e.strerror}). Free some space and run the same command again: what was "
            "written before it is safe."
        ) from e


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fd, tmp = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(fd, "wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        os.chmod(tmp, 0o644)
        os.replace(tmp, path)
    except BaseException:
        Path(tmp).unlink(missing_ok=True)
        raise


def image_path(folder: Path, sha256: str) -> Path:
    """Where the PNG with this hash lies in the set."""
    return folder / IMAGES / sha256[:2] / f"{sha256}.png"


def parse_line(record_type: type[R], line: str, where: str) -> R:
    """One record from one line, or an error that names file:line, field and mend."""
    try:
        return record_type.model_validate_json(line)
    except ValidationError as e:
        first = e.errors()[0]
        field = ".".join(str(x) for x in first["loc"]) or "the line"
        raise ScigenError(
            f"{where}: {field}: {first['msg']} ({record_type.__name__}). "
            f"Mend the line, or delete it and run the command that made the file again."
        ) from e


def iter_records(folder: Path, record_type: type[R], *, torn: bool = False) -> Iterator[R]:
    """The set's records in the order of writing.

    Raises ScigenError at a broken line, and on a last line without its line end, which a killed writer leaves and
    the next writer cuts off; with `torn` that line is passed over.
    """
    path = folder / RECORDS
    if not path.exists():
        raise ScigenError(f"{folder}: no {RECORDS} there. Run the command that makes this set, or mend the path.")
    with path.open(encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            if not line.endswith("\n"):
                if torn:
                    return
                raise ScigenError(f"{path}:{n}: the line is cut off. Run the command that writes the set again.")
            yield parse_line(record_type, line, f"{path}:{n}")


def read_set(folder: Path, record_type: type[R]) -> list[R]:
    """All records of a finished set. Raises ScigenError if it is unfinished or does not fit its manifest."""
    return list(iter_set(folder, record_type))


def read_manifest(folder: Path) -> Manifest | None:
    """The set's manifest, or None while it is unfinished."""
    path = folder / MANIFEST
    if not path.exists():
        return None
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as e:
        raise ScigenError(
            f"{path}: not a manifest ({e.errors()[0]['msg']}). Delete it and run the command again."
        ) from e


def is_set_of(folder: Path, inputs: str) -> bool:
    """Whether the folder holds a finished set that was made from these inputs."""
    mark = folder / INPUTS
    return mark.exists() and mark.read_text() == inputs and read_manifest(folder) is not None


def iter_set(folder: Path, record_type: type[R]) -> Iterator[R]:
    """The records of a finished set one by one, for sets that do not fit into memory.

    Raises ScigenError if the set is unfinished, and after the last record if it does not fit its manifest.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise ScigenError(f"{folder}: the set is unfinished (no {MANIFEST}). Run the command that makes it again.")
    hashes: dict[str, bytes] = {}
    for record in iter_records(folder, record_type):
        hashes[record.key] = _digest(record)
        yield record
    if _set_hash(hashes) != manifest.set_hash:
        raise ScigenError(
            f"{folder}: {RECORDS} was changed after {MANIFEST} was written. Delete {MANIFEST} and run the "
            "command again."
        )


def set_hash(records: Iterable[R]) -> str:
    """sha256 over the content hashes in order of key."""
    return _set_hash({record.key: _digest(record) for record in records})


def _set_hash(hashes: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for key in sorted(hashes):
        digest.update(hashes[key].hex().encode())
    return digest.hexdigest()


def _digest(record: Record) -> bytes:
    """32 bytes a record: what a writer and a reader of a million records keep of each."""
    return bytes.fromhex(record.content_hash())


def inputs_hash(*parts: object) -> str:
    """sha256 of the JSON of `parts`: what a stage's output depends on."""
    body = json.dumps(parts, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()


class SetWriter(Generic[R]):
    """Appends records to a set, skipping what is there already. Use as a context manager; `finish` closes the set.

    `inputs` is the hash of what the set is made from. If the folder holds a set made from something else, that set is
    moved aside to `<folder>.old-<n>`, never overwritten.
    """

    def __init__(self, folder: Path, record_type: type[R], inputs: str) -> None:
        self.folder = folder
        self.record_type = record_type
        self.inputs = inputs
        self._hashes: dict[str, bytes] = {}
        self._statuses: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self._lock = open(self.folder.parent / f".{self.folder.name}.lock", "w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            self._lock.close()
            raise ScigenError(f"{self.folder}: another process is writing this set. Wait for it, or stop it.") from e
        try:
            self._move_aside_if_other_inputs()
            self.folder.mkdir(exist_ok=True)
            write_atomic(self.folder / INPUTS, self.inputs.encode())
            self._cut_torn_tail()
            for record in iter_records(self.folder, self.record_type):
                self._note(record)
            self._fd = os.open(self.folder / RECORDS, os.O_WRONLY | os.O_APPEND)
        except BaseException:
            self._lock.close()
            raise
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        os.close(self._fd)
        self._lock.close()

    @property
    def finished(self) -> bool:
        """Whether the set was finished from these inputs already."""
        return (self.folder / MANIFEST).exists()

    def __contains__(self, key: str) -> bool:
        return key in self._hashes

    def __len__(self) -> int:
        return len(self._hashes)

    @property
    def keys(self) -> KeysView[str]:
        """Keys of the records that are there, in the order of writing."""
        return self._hashes.keys()

    def append(self, record: R) -> None:
        """Add a record; on return it survives the death of this process. Its key must be new."""
        if record.key in self._hashes:
            raise ScigenError(f"{self.folder}: there is a record for {record.key} already; each key is written once.")
        if self.finished:
            (self.folder / MANIFEST).unlink()
        line = memoryview(record.model_dump_json().encode() + b"\n")
        size = os.fstat(self._fd).st_size
        try:
            while line:
                line = line[os.write(self._fd, line) :]
        except OSError as e:
            os.ftruncate(self._fd, size)
            raise ScigenError(
                f"{self.folder / RECORDS}: could not write {record.key} ({e.strerror}). "
                f"Free some space and run the same command again: the {len(self)} records before it are safe."
            ) from e
        self._note(record)

    def put_image(self, png: bytes) -> str:
        """Store a PNG under its sha256 and return that; equal images are stored once."""
        sha256 = hashlib.sha256(png).hexdigest()
        path = image_path(self.folder, sha256)
        if not path.exists():
            write_atomic(path, png)
        return sha256

    def finish(self) -> Manifest:
        """Sync the records to disk and write the manifest, after which the set is finished."""
        os.fsync(self._fd)
        manifest = Manifest(
            record_type=self.record_type.__name__,
            count=len(self),
            by_status=dict(sorted(self._statuses.items())),
            set_hash=_set_hash(self._hashes),
            inputs=self.inputs,
        )
        write_atomic(self.folder / MANIFEST, manifest.model_dump_json(indent=2).encode() + b"\n")
        return manifest

    def _note(self, record: R) -> None:
        self._hashes[record.key] = _digest(record)
        if hasattr(record, "status"):
            self._statuses[str(record.status)] += 1

    def _move_aside_if_other_inputs(self) -> None:
        mark = self.folder / INPUTS
        if not self.folder.exists() or (mark.exists() and mark.read_text() == self.inputs):
            return
        if not any(self.folder.iterdir()):
            return
        move_aside(self.folder)

    def _cut_torn_tail(self) -> None:
        path = self.folder / RECORDS
        with open(path, "a+b") as f:
            end = f.seek(0, os.SEEK_END)
            at, whole = end, 0
            while at > 0 and not whole:  # from the end: the file may be larger than the memory
                start = max(0, at - TAIL)
                f.seek(start)
                whole = start + newline + 1 if (newline := f.read(at - start).rfind(b"\n")) >= 0 else 0
                at = start
            if whole < end:
                f.truncate(whole)


def move_aside(folder: Path) -> Path:
    """Rename a folder to the first free `<folder>.old-<n>` and return that: nothing is overwritten."""
    n = 1
    while (old := folder.with_name(f"{folder.name}.old-{n}")).exists():
        n += 1
    folder.rename(old)
    return old


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder` to write into; it takes that place when the block ends without an error.

    So a reader finds the old or the new files, or for a moment none, but never a part.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        yield part
        part.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
