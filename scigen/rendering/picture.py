"""The parent's own look at what came back. It believes the decoded pixels and nothing else."""

from __future__ import annotations

import io
import json
import signal
import struct
from typing import Any

from PIL import Image
from pydantic import ValidationError

from scigen.records import DrawnText, ScriptError, Status
from scigen.rendering.outcome import Limits, Rendering


class BadPicture(ValueError):
    """The bytes are not a PNG within the limits."""


def decode(png: bytes, limits: Limits) -> Image.Image:
    """The picture, fully decoded. Raises BadPicture."""
    if len(png) > limits.max_png_bytes:
        raise BadPicture(f"{len(png)} bytes; at most {limits.max_png_bytes}")
    try:
        image = Image.open(io.BytesIO(png), formats=["PNG"])
        if image.width * image.height > limits.max_pixels:
            raise BadPicture(f"{image.width} x {image.height} px; at most {limits.max_pixels} px")
        image.load()
    except BadPicture:
        raise
    except Exception as e:  # Pillow raises many types on broken files
        raise BadPicture(f"not a readable PNG: {e}") from e
    return image


def is_blank(image: Image.Image) -> bool:
    """Whether all pixels, on white where transparent, have one colour."""
    rgba = image.convert("RGBA")
    white = Image.new("RGBA", rgba.size, "white")
    flat = Image.alpha_composite(white, rgba).convert("RGB")
    return all(band.getextrema()[0] == band.getextrema()[1] for band in flat.split())


def judge(header: dict[str, Any], body: bytes, limits: Limits, seconds: float) -> Rendering:
    """What the zygote's header (trusted) and the child's bytes (not trusted) amount to."""
    match header["end"]:
        case "timeout":
            return _failed(Status.TIMEOUT, "Timeout", f"longer than {limits.timeout_s:g} s", seconds)
        case "too_big":
            return _failed(Status.BAD_IMAGE, "TooBig", f"more than {limits.max_png_bytes} bytes came back", seconds)
        case "died":
            return _died(header, limits, seconds)
    json_size, png_size = struct.unpack_from("<II", body)
    png = body[8 + json_size : 8 + json_size + png_size]
    try:
        report = json.loads(body[8 : 8 + json_size])
        outcome = report["outcome"]
        error = ScriptError.model_validate(report["error"]) if outcome in ("error", "too_large") else None
        texts = tuple(DrawnText.model_validate(t) for t in report.get("texts", ())) if outcome == "drawn" else ()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ValidationError):
        return _failed(Status.BAD_IMAGE, "BrokenReply", "what came back is not a report of a drawing", seconds)
    match outcome:
        case "drawn":
            return _drawn(png, texts, limits, seconds)
        case "no_figure":
            return _failed(Status.BLANK, "NoFigure", "the script left no figure and saved none", seconds)
        case "memory":
            return _failed(Status.MEMORY, "MemoryError", f"more than {limits.memory_mb} MiB", seconds)
        case "too_large":
            return Rendering(Status.BAD_IMAGE, error=error, seconds=seconds)
        case "error":
            return Rendering(Status.CODE_ERROR, error=error, seconds=seconds)
    return _failed(Status.BAD_IMAGE, "BrokenReply", f"unknown outcome {str(outcome)[:80]!r}", seconds)


def _drawn(png: bytes, texts: tuple[DrawnText, ...], limits: Limits, seconds: float) -> Rendering:
    try:
        image = decode(png, limits)
    except BadPicture as e:
        return _failed(Status.BAD_IMAGE, "BadPicture", str(e), seconds)
    if is_blank(image):
        return _failed(Status.BLANK, "Blank", "all pixels have one colour", seconds)
    return Rendering(Status.OK, png, image.width, image.height, texts, seconds=seconds)


def _died(header: dict[str, Any], limits: Limits, seconds: float) -> Rendering:
    """The child ended without a reply: by itself, by a signal, or by the kernel for want of memory or CPU time."""
    number = header["signal"]
    near_limit = header["max_rss_kb"] > 0.8 * limits.memory_mb * 1024
    if number == signal.SIGXCPU:
        return _failed(Status.TIMEOUT, "Timeout", f"longer than {limits.timeout_s:g} s of CPU time", seconds)
    if number == signal.SIGKILL or (number in (signal.SIGABRT, signal.SIGSEGV) and near_limit):
        return _failed(Status.MEMORY, "Killed", f"ended by the kernel at {header['max_rss_kb'] >> 10} MiB", seconds)
    if number:
        return _failed(Status.CODE_ERROR, signal.Signals(number).name, "the process crashed", seconds)
    return _failed(Status.CODE_ERROR, "Exited", "the script ended the process itself (os._exit)", seconds)


def _failed(status: Status, kind: str, message: str, seconds: float) -> Rendering:
    return Rendering(status, error=ScriptError(type=kind, message=message), seconds=seconds)
