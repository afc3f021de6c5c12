"""Images as they came from a vendor, by sha256, beside the journal whose lines name them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from scigen.errors import ScigenError
from scigen.store import write_atomic


class Blobs:
    """Files below `<journal>/blobs`; any number of processes may write."""

    def __init__(self, journal: Path) -> None:
        self._folder = journal / "blobs"

    def put(self, data: bytes) -> str:
        """Store the bytes, safe from the death of this process when this returns; gives their sha256."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256)
        if not path.exists():
            write_atomic(path, data)
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes. Raises ScigenError if the file is gone or is not what it was."""
        path = self._path(sha256)
        data = path.read_bytes() if path.exists() else b""
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ScigenError(
                f"{path}: the journal names this image and the file is missing or changed. Put it back, or delete the "
                f"line with {sha256[:16]} from the journal, which asks, and pays, for it again."
            )
        return data

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256
