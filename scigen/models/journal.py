"""The response cache, which is a journal: every answer that arrived is a line on disk before anyone acts on it.

A folder with one JSONL file per writing process, so that many processes on shared storage never write to the same one.
On opening, all files are read; a last line without its line end, which a killed writer leaves, is not an answer and is
passed over. In memory there are 16 bytes of the key and a place in a file for each answer, not the answers.
Not here: errors (they are asked again), requests (the key stands for them), and keys of vendors.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import BinaryIO

from scigen.errors import ScigenError

HEAD = re.compile(rb'\{"key":"([0-9a-f]{64})","usd":([0-9.e+-]+),"output_tokens":([0-9]+),')
"""How each line begins: what the index needs, without reading the rest."""
MAY_HAVE_COST = "unanswered"
"""Key's place in the lines that hold no answer but money that an attempt without one may have cost."""
_UNANSWERED = re.compile(rb'\{"unanswered":true,"usd":([0-9.e+-]+)\}')
PLACE_BITS = 40
"""Bits of a place that are the offset in its file (1 TiB); those above are the number of the file."""


@dataclass(frozen=True)
class Answer:
    """An answer that arrived, as the journal keeps it."""

    text: str
    stop: str
    """Why the model stopped: `stop`, `max_tokens`, `content_filter`, ..."""
    model: str
    """Name as the vendor reports it."""
    input_tokens: int
    output_tokens: int
    usd: float
    seconds: float
    """From sending the request to the answer's last byte."""


class Journal:
    """Answers by key in a folder. One event loop or thread writes; any number of processes share the folder.

    `part` begins the names of the files that this one writes, so that its spending can be told from that of others.
    """

    def __init__(self, folder: Path, part: str = "") -> None:
        self.folder = folder
        self._part = part
        self._usd_by_file: dict[str, float] = {}
        self.usd = 0.0
        """Dollars that the folder's answers have cost."""
        self.output_tokens = 0
        self._places: dict[bytes, int] = {}
        self._paths: list[Path] = []
        self._files: dict[int, BinaryIO] = {}
        self._fd: int | None = None
        self._size = 0
        for path in sorted(folder.glob("*.jsonl")):
            self._read(path)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: str) -> bool:
        return bytes.fromhex(key[:32]) in self._places

    def usd_of(self, parts: str) -> float:
        """Dollars that the parts whose names match the pattern had spent when the folder was opened."""
        return sum(usd for name, usd in self._usd_by_file.items() if fnmatch(name, f"{parts}.*"))

    def get(self, key: str) -> Answer | None:
        """The answer with this key, or None. Raises ScigenError if its line was damaged since it was indexed."""
        place = self._places.get(bytes.fromhex(key[:32]))
        if place is None:
            return None
        number, offset = place >> PLACE_BITS, place & ((1 << PLACE_BITS) - 1)
        if number not in self._files:
            self._files[number] = self._paths[number].open("rb")
        file = self._files[number]
        file.seek(offset)
        try:
            line = json.loads(file.readline())
            if line.pop("key") != key:
                raise ValueError("another key")
            return Answer(**line)
        except (ValueError, TypeError, KeyError) as e:
            raise ScigenError(
                f"{self._paths[number]}: byte {offset}: not an answer ({e}). Delete the line and run the command "
                "again; it will be asked again."
            ) from e

    def put(self, key: str, answer: Answer) -> None:
        """Write an answer; on return it survives the death of this process. The first one with a key counts."""
        body = {"key": key, "usd": answer.usd, "output_tokens": answer.output_tokens, **vars(answer)}
        place = self._append(body)
        self._places.setdefault(bytes.fromhex(key[:32]), place)
        self.usd += answer.usd
        self.output_tokens += answer.output_tokens

    def put_unanswered(self, usd: float) -> None:
        """Write down money that an attempt without an answer may have cost, for the budget of the next run."""
        if usd > 0:
            self._append({MAY_HAVE_COST: True, "usd": usd})
            self.usd += usd

    def close(self) -> None:
        """Close the files; the journal can be used again afterwards."""
        for file in self._files.values():
            file.close()
        self._files.clear()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _append(self, body: dict[str, object]) -> int:
        if self._fd is None:
            self._open()
        assert self._fd is not None
        line = memoryview(json.dumps(body, separators=(",", ":")).encode() + b"\n")
        start = self._size
        try:
            while line:
                written = os.write(self._fd, line)
                self._size += written
                line = line[written:]
        except OSError as e:
            os.ftruncate(self._fd, start)
            self._size = start
            raise ScigenError(
                f"{self._paths[-1]}: could not write an answer ({e.strerror}). Free some space and run the same "
                "command again: the answers before it are safe."
            ) from e
        return self._number << PLACE_BITS | start

    def _open(self) -> None:
        """A file of this process's own: the name holds host, process and chance, since process numbers come again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        path = self.folder / (f"{self._part}.{name}" if self._part else name)
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
        self._number = len(self._paths)
        self._paths.append(path)
        self._size = 0

    def _read(self, path: Path) -> None:
        number, before = len(self._paths), self.usd
        self._paths.append(path)
        for offset, line in _whole_lines(path):
            if head := HEAD.match(line):
                key = bytes.fromhex(head[1][:32].decode())
                self._places.setdefault(key, number << PLACE_BITS | offset)
                self.usd += float(head[2])
                self.output_tokens += int(head[3])
            elif money := _UNANSWERED.match(line):
                self.usd += float(money[1])
            else:
                raise ScigenError(
                    f"{path}: byte {offset}: not a line of the journal. Delete the line and run the command again."
                )
        self._usd_by_file[path.name] = self.usd - before


def _whole_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    offset = 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield offset, line
            offset += len(line)
