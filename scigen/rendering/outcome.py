"""What goes into a render and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass

from scigen.records import DrawnText, ScriptError, Status


@dataclass(frozen=True)
class Limits:
    """What one script may use."""

    timeout_s: float = 20.0
    """Wall clock, kept by the parent; the kernel also stops the script after as many seconds of CPU."""
    memory_mb: int = 2048
    """Address space above what the warm process has already, in MiB."""
    max_png_bytes: int = 32 << 20
    """Largest PNG that is taken."""
    max_pixels: int = 16_000_000
    """Largest width times height."""


@dataclass(frozen=True)
class Rendering:
    """What became of one script. `png`, `width` and `height` are there exactly when `status` is ok."""

    status: Status
    png: bytes | None = None
    width: int | None = None
    """Pixels."""
    height: int | None = None
    texts: tuple[DrawnText, ...] = ()
    """The texts in the picture as the drawing process reports them: exact for honest scripts, advice for others."""
    error: ScriptError | None = None
    seconds: float = 0.0
    """Wall clock from handing the script over to the checked picture."""
