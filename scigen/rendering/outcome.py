"""What goes into a render and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scigen.records import Drawing, DrawnText, ScriptError, Status

STDOUT_KEPT = 2000
"""Characters of the script's output, and of its message, that go with an error."""


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
    work_mb: int = 16
    """What the script may write into its working folder, in MiB; it is gone afterwards."""
    work_files: int = 256
    """Files and folders it may make there."""


@dataclass(frozen=True)
class Rendering:
    """What became of one script. `png`, `width` and `height` are there exactly when `status` is ok."""

    status: Status
    png: bytes | None = field(default=None, repr=False)
    width: int | None = None
    """Pixels."""
    height: int | None = None
    drawing: Drawing | None = None
    """What is in the picture, as the drawing process reports it; there when `status` is ok."""
    error: ScriptError | None = None
    others: tuple[bytes, ...] = field(default=(), repr=False)
    """PNGs of the other figures that the script saved or showed, in order; the last one of all is `png`."""
    seconds: float = 0.0
    """Wall clock from handing the script over to its reply."""
    cpu_s: float = 0.0
    """CPU time of the script's process, by the kernel's account."""
    phases: Mapping[str, float] = field(default_factory=dict)
    """Seconds the drawing process says it spent in the `script` and in the `draw`."""

    @property
    def texts(self) -> tuple[DrawnText, ...]:
        """The texts in the picture."""
        return self.drawing.texts if self.drawing else ()
