"""The parent's own look at what came back. It believes the decoded pixels and nothing else."""

from __future__ import annotations

import io
import json
import signal
import struct
from dataclasses import replace
from typing import Any

from PIL import Image

from scigen.records import ScriptError, Status
from scigen.rendering import drawings
from scigen.rendering.capture import MAX_PICTURES
from scigen.rendering.outcome import STDOUT_KEPT, Limits, Rendering
from scigen.rendering.zygote import MAX_THREADS

MOST_S, MOST_LINES = 1e6, 10**7
"""What a report says beyond these is not believed."""


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
    if "A" not in image.getbands() or image.getchannel("A").getextrema() == (255, 255):
        return image.getcolors(1) is not None
    rgba = image.convert("RGBA")
    white = Image.new("RGBA", rgba.size, "white")
    flat = Image.alpha_composite(white, rgba).convert("RGB")
    return all(band.getextrema()[0] == band.getextrema()[1] for band in flat.split())


def unpack(body: bytes) -> tuple[dict[str, Any], bytes]:
    """A child's report and the bytes after it; an empty report if it is none."""
    try:
        size, _ = struct.unpack_from("<II", body)
        report = json.loads(body[8 : 8 + size])
    except (ValueError, RecursionError, struct.error):
        return {}, b""
    return (report, body[8 + size :]) if isinstance(report, dict) else ({}, b"")


def judge(head: dict[str, Any], report: dict[str, Any], pngs: bytes, limits: Limits, seconds: float) -> Rendering:
    """What the zygote's head (trusted) and the child's report and bytes (not trusted) amount to."""
    rendering = _judge(head, report, pngs, limits)
    return replace(rendering, seconds=seconds, cpu_s=head.get("cpu_s", 0.0), phases=_phases(report))


def _judge(head: dict[str, Any], report: dict[str, Any], pngs: bytes, limits: Limits) -> Rendering:
    match head["end"]:
        case "timeout":
            return _failed(Status.TIMEOUT, "Timeout", f"longer than {limits.timeout_s:g} s")
        case "too_big":
            return _failed(Status.BAD_IMAGE, "TooBig", f"more than {limits.max_png_bytes} bytes came back")
        case "folder_full":
            most = f"{limits.work_mb} MiB or {limits.work_files} files"
            return _failed(Status.CODE_ERROR, "FolderFull", f"the script wrote more than {most}")
        case "too_many_threads":
            return _failed(Status.CODE_ERROR, "TooManyThreads", f"the script started more than {MAX_THREADS} threads")
        case "zygote_died":
            return _failed(Status.CODE_ERROR, "ZygoteDied", "the drawing process died twice while drawing this script")
        case "died":
            return _died(head, limits)
    outcome = report.get("outcome")
    error = _error(report.get("error"))
    line = error.line if error else None
    match outcome:
        case "drawn":
            return _drawn(pngs, report.get("sizes"), report.get("drawing"), limits)
        case "no_figure":
            return _failed(Status.BLANK, "NoFigure", "the script left no figure and saved none")
        case "memory":
            return _failed(Status.MEMORY, "MemoryError", f"more than {limits.memory_mb} MiB", line)
        case "timeout":
            return _failed(Status.TIMEOUT, "Timeout", f"longer than {limits.timeout_s:g} s", line)
        case "too_large" if error:
            return Rendering(Status.BAD_IMAGE, error=error)
        case "error" if error:
            return Rendering(Status.CODE_ERROR, error=error)
    return _broken(f"unknown outcome {str(outcome)[:80]!r}")


def _phases(report: dict[str, Any]) -> dict[str, float]:
    given = report.get("seconds")
    phases = given if isinstance(given, dict) else {}
    fit = {name: phases.get(name) for name in ("script", "draw") if type(phases.get(name)) in (int, float)}
    return {name: float(seconds) for name, seconds in fit.items() if seconds is not None and 0 <= seconds <= MOST_S}


def _error(given: Any) -> ScriptError | None:
    """The child's own account, cut to what is of use; None if it gave none."""
    if not isinstance(given, dict):
        return None

    def text(name: str, part: slice) -> str:
        value = given.get(name)
        return (value if isinstance(value, str) else "")[part].encode(errors="replace").decode()

    line = given.get("line")
    return ScriptError(
        type=text("type", slice(200)),
        message=text("message", slice(STDOUT_KEPT)),
        line=line if type(line) is int and 1 <= line <= MOST_LINES else None,
        stdout=text("stdout", slice(-STDOUT_KEPT, None)),
    )


def _drawn(pngs: bytes, sizes: Any, drawing: Any, limits: Limits) -> Rendering:
    """The last picture decides; earlier ones come along if they are pictures at all."""
    if not isinstance(sizes, list) or not 1 <= len(sizes) <= MAX_PICTURES or not all(type(n) is int for n in sizes):
        return _broken("it does not say how long its pictures are")
    parts, at = [], 0
    for size in sizes:
        parts.append(pngs[at : at + max(0, size)])
        at += max(0, size)
    try:
        image = decode(parts[-1], limits)
    except BadPicture as e:
        return _failed(Status.BAD_IMAGE, "BadPicture", str(e))
    if is_blank(image):
        return _failed(Status.BLANK, "Blank", "all pixels have one colour")
    others = _others(parts[:-1], limits)
    drawing = drawings.read(drawing, image.width, image.height)
    return Rendering(Status.OK, parts[-1], image.width, image.height, drawing, others=others)


def _others(pngs: list[bytes], limits: Limits) -> tuple[bytes, ...]:
    """Those that are pictures, the last ones first, as long as they have no more pixels together than one may have."""
    left, kept = limits.max_pixels, []
    for png in reversed(pngs):
        try:
            image = decode(png, replace(limits, max_pixels=left))
        except BadPicture:
            continue
        left -= image.width * image.height
        kept.append(png)
    return tuple(reversed(kept))


def _died(head: dict[str, Any], limits: Limits) -> Rendering:
    """The child ended without a reply: by itself, by a signal, or by the kernel for want of memory or CPU time."""
    number = head["signal"]
    near_limit = head["max_rss_kb"] > 0.8 * limits.memory_mb * 1024
    if number == signal.SIGXCPU:
        return _failed(Status.TIMEOUT, "Timeout", f"longer than {limits.timeout_s:g} s of CPU time")
    if number == signal.SIGKILL or (number in (signal.SIGABRT, signal.SIGSEGV) and near_limit):
        return _failed(Status.MEMORY, "Killed", f"ended by the kernel at {head['max_rss_kb'] >> 10} MiB")
    if number:
        return _failed(Status.CODE_ERROR, signal.Signals(number).name, "the process crashed")
    return _failed(Status.CODE_ERROR, "Exited", "the script ended the process itself (os._exit)")


def _broken(why: str) -> Rendering:
    return _failed(Status.BAD_IMAGE, "BrokenReply", why)


def _failed(status: Status, kind: str, message: str, line: int | None = None) -> Rendering:
    return Rendering(status, error=ScriptError(type=kind, message=message, line=line))
