"""What all records share: frozen, closed, versioned, with a hash of what they say."""

from __future__ import annotations

import hashlib
import json
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

SCHEMA_VERSION: Literal[1] = 1


class Record(BaseModel):
    """Base of all records: frozen, no unknown fields, versioned."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    VOLATILE: ClassVar[frozenset[str]] = frozenset()

    schema_version: Literal[1] = SCHEMA_VERSION
    """Version of the record's shape; a reader refuses any other."""

    @property
    def key(self) -> str:
        """What makes the record unique within its set."""
        raise NotImplementedError

    def content_hash(self) -> str:
        """sha256 of the canonical JSON without the volatile fields and without fields that hold their default.

        So a field that a later version adds leaves the hashes of older records as they are.
        """
        body = self.model_dump(mode="json", exclude=set(self.VOLATILE), exclude_defaults=True)
        return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class Part(BaseModel):
    """A piece of a record: frozen and closed like it, without a version of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")
