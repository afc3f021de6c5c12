"""What is asked of a model and what comes back. No network and no vendor here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel

from scigen.errors import ScigenError

KEY_VERSION = 1
"""Part of every key: raise it when the same fields come to mean another call."""


class ReplyStatus(StrEnum):
    """What became of a request."""

    OK = "ok"
    UNPARSED = "unparsed"
    """Answers arrived, none of which fits the schema (or all were empty); the raw text is kept."""
    REFUSED = "refused"
    """The model or the vendor's filter declined."""
    API_ERROR = "api_error"
    TIMEOUT = "timeout"


@dataclass(frozen=True)
class Request:
    """One question to a model. Everything in it is part of the cache's key."""

    prompt: str
    system: str = ""
    images: tuple[bytes, ...] = ()
    """PNG, JPEG or WebP files; shown before the prompt, in this order."""
    answer: type[BaseModel] | None = None
    """Shape of the answer: asked for as a JSON schema and checked strictly here. None for free text."""
    prompt_hash: str = ""
    """sha256 of the prompt's template, if it has one: a new template asks again even where the text is the same."""
    max_tokens: int = 1024
    """Length limit of the answer, in tokens."""
    temperature: float = 0.0
    seed: int | None = None


@dataclass(frozen=True)
class Reply:
    """What came back. A failure is a reply with another status, never an exception."""

    status: ReplyStatus
    text: str = ""
    """Raw text of the last answer that arrived, also when it could not be parsed."""
    value: BaseModel | None = None
    """The parsed answer, of the type that was asked for; None unless the status is ok and a type was asked for."""
    error: str = ""
    """Why the status is not ok, with keys blotted out."""
    model: str = ""
    """The model's name as the vendor reports it."""
    input_tokens: int = 0
    """Tokens sent, those that the vendor had cached included, over all answers of this request."""
    output_tokens: int = 0
    usd: float = 0.0
    """What these answers cost when they arrived, in this run or an earlier one; 0 without a known price."""
    seconds: float = 0.0
    """Time that the vendor took for these answers, when they arrived, without waits between attempts."""
    answers: int = 0
    """Answers that arrived: 0, 1, or 2 with the repair."""
    cached: bool = False
    """True if the journal held all of it and nothing was sent."""


def image_kind(data: bytes) -> str:
    """MIME type by the file's first bytes. Raises ScigenError for anything but PNG, JPEG and WebP."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    raise ScigenError(f"an image of {len(data)} bytes is not a PNG, JPEG or WebP file. Convert it before it is asked.")


def cache_key(request: Request, model: dict[str, object]) -> str:
    """sha256 in hex of all that decides the first answer: the request, and `model` (name, address, settings)."""
    body = {
        "version": KEY_VERSION,
        "model": model,
        "system": request.system,
        "prompt": request.prompt,
        "prompt_hash": request.prompt_hash,
        "images": [hashlib.sha256(image).hexdigest() for image in request.images],
        "schema": None if request.answer is None else schema_json(request.answer),
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
    }
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def repair_key(first: str, text: str, complaint: str) -> str:
    """Key of the second answer: the first question, what was answered, and what was wrong with it."""
    return hashlib.sha256(json.dumps([first, "repair", text, complaint]).encode()).hexdigest()


_SCHEMAS: dict[type[BaseModel], str] = {}


def schema_json(answer: type[BaseModel]) -> str:
    """The type's JSON schema as canonical JSON; worked out once per type."""
    if answer not in _SCHEMAS:
        _SCHEMAS[answer] = json.dumps(answer.model_json_schema(), sort_keys=True)
    return _SCHEMAS[answer]
