"""What the drawing processes can draw: one module a language, which the pool and the zygote use without knowing it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, Protocol, cast

from scigen.errors import ScigenError

MODULES = {"matplotlib": "scigen.rendering.script", "tikz": "scigen.rendering.tikz"}

Job = Callable[[], tuple[dict[str, Any], bytes]]
"""What a confined child does: it gives a report and bytes, or puts a program in its place (`os.execve`)."""


class Language(Protocol):
    """What a module of `MODULES` offers."""

    @property
    def TRIAL(self) -> str:
        """A script that shows that scripts can be drawn in the sandbox."""

    def programs(self) -> dict[str, str]:
        """Programs that a child may execute, name to path. In the pool's process. Raises ScigenError if one lacks."""

    def readable_paths(self, programs: Mapping[str, str]) -> list[Path]:
        """Files and folders that children must read, beside Python's, the system's libraries and fonts."""

    def warm_up(self) -> None:
        """Load once, in the zygote, what all children use."""

    def facts(self) -> dict[str, Any]:
        """What is drawn with, for people; after `warm_up`."""

    def jobs(self, source: str, programs: Mapping[str, str], max_pixels: int) -> Generator[Job, int, None]:
        """Steps of one drawing, each for a child of its own in the same work folder; the last one replies.

        A step that replies, is killed or meets a limit ends the drawing. Else its exit code is sent in. Runs in the
        zygote, which is not confined: it must not look at what children wrote.
        """

    def timed_out(self, frame: FrameType | None) -> dict[str, Any]:
        """The report of a child of this process's own code that is still at work, at `frame`, when its time is over."""


def load(name: str) -> Language:
    """Raises ScigenError for a language that is not there."""
    if name not in MODULES:
        raise ScigenError(f"rendering: there is no language {name!r}; there are {', '.join(MODULES)}")
    return cast(Language, import_module(MODULES[name]))
