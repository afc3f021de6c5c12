"""Runs one untrusted script and keeps the picture it makes. Only ever called in a locked-down child of the zygote.

Which picture: what the last `savefig` wrote (as PNG, with the script's own arguments), else the last figure at the
last `plt.show`, else the last figure open at the end, on its own canvas at its own dpi. Nothing is cropped unless the
script's savefig asked for it. It does not decide what the outcome is worth: the parent looks at the PNG.
"""

from __future__ import annotations

import io
import os
import random
import sys
import traceback
from dataclasses import dataclass, field
from typing import Any

from scigen.rendering import introspection

NAME = "script.py"
STDOUT_KEPT = 2000
"""Characters of standard output that go with an error."""


class PictureTooLarge(ValueError):
    """The figure has more pixels than the limits allow."""


class _Tail(io.TextIOBase):
    """A standard output that remembers its end."""

    def __init__(self) -> None:
        self.text = ""

    def writable(self) -> bool:
        return True

    def write(self, s: str, /) -> int:
        self.text = (self.text + s[-STDOUT_KEPT:])[-STDOUT_KEPT:]
        return len(s)


@dataclass
class _Capture:
    """The picture so far. `saved` says that it comes from a savefig of the script, which a show does not replace."""

    max_pixels: int
    png: bytes = b""
    texts: list[dict[str, Any]] = field(default_factory=list)
    saved: bool = False


def run(source: str, max_pixels: int) -> tuple[dict[str, Any], bytes]:
    """Execute the script as `__main__`. Gives the report (JSON-ready) and the PNG, empty if there is none.

    The report's `outcome` is one of drawn, no_figure, error, memory, too_large.
    """
    import matplotlib.pyplot as plt
    import numpy as np

    random.seed(0)
    np.random.seed(0)
    default_rng = np.random.default_rng
    np.random.default_rng = lambda seed=None: default_rng(0 if seed is None else seed)
    tail = _Tail()
    sys.stdout, sys.argv = tail, [NAME]
    capture = _Capture(max_pixels)
    _patch(capture)
    ended: SystemExit | None = None
    try:
        try:
            exec(compile(source, NAME, "exec"), _main_namespace())  # noqa: S102 - this is the sandbox's purpose
        except SystemExit as e:
            ended = e
        if not capture.png and plt.get_fignums():
            plt.figure(plt.get_fignums()[-1]).show()
    except MemoryError:
        return {"outcome": "memory"}, b""
    except PictureTooLarge as e:
        return {"outcome": "too_large", "error": _error(e, tail.text)}, b""
    except BaseException as e:
        return {"outcome": "error", "error": _error(e, tail.text)}, b""
    if capture.png:
        return {"outcome": "drawn", "texts": capture.texts}, capture.png
    if ended is not None and ended.code not in (None, 0):
        return {"outcome": "error", "error": _error(ended, tail.text)}, b""
    return {"outcome": "no_figure"}, b""


def _main_namespace() -> dict[str, Any]:
    import types

    main = types.ModuleType("__main__")
    main.__file__ = NAME
    sys.modules["__main__"] = main
    return main.__dict__


def _patch(capture: _Capture) -> None:
    """Let savefig, plt.show and Figure.show hand their picture to `capture`."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    original = Figure.savefig

    def take(figure: Any, **kwargs: Any) -> bytes:
        dpi = kwargs.get("dpi", mpl.rcParams["savefig.dpi"])
        dpi = figure.dpi if dpi in ("figure", None) else float(dpi)
        width, height = figure.get_size_inches() * dpi
        if width * height > capture.max_pixels:
            raise PictureTooLarge(f"{width:.0f} x {height:.0f} px; at most {capture.max_pixels} px are allowed")
        buffer = io.BytesIO()
        original(figure, buffer, **{**kwargs, "format": "png", "metadata": {"Software": None}})
        capture.png, capture.texts = buffer.getvalue(), introspection.drawn()
        return capture.png

    def savefig(self: Any, fname: Any, *, format: str | None = None, **kwargs: Any) -> None:
        kwargs.pop("metadata", None)
        kwargs.pop("pil_kwargs", None)
        kwargs.pop("backend", None)
        png = take(self, **kwargs)
        capture.saved = True
        if hasattr(fname, "write"):
            if (format or "png").lower() == "png":
                fname.write(png)
            else:
                original(self, fname, format=format, **kwargs)
            return
        try:  # for scripts that read their file again; where a path is out of bounds the picture counts, not the file
            with open(os.fspath(fname), "wb") as f:
                f.write(png)
        except OSError:
            pass

    def show_figure(self: Any, *args: Any, **kwargs: Any) -> None:
        if not capture.saved:
            take(self, dpi="figure", facecolor="auto", edgecolor="auto", bbox_inches=None)

    def show(*args: Any, **kwargs: Any) -> None:
        if plt.get_fignums():
            show_figure(plt.figure(plt.get_fignums()[-1]))

    setattr(Figure, "savefig", savefig)  # noqa: B010 - mypy takes a plain assignment for a mistake
    setattr(Figure, "show", show_figure)  # noqa: B010
    plt.show = show


def _error(e: BaseException, stdout: str) -> dict[str, Any]:
    """Shape of `scigen.records.ScriptError`."""
    lines = [f.lineno for f in traceback.extract_tb(e.__traceback__) if f.filename == NAME]
    if isinstance(e, SyntaxError) and e.filename == NAME:
        lines.append(e.lineno)
    try:
        message = str(e)[:2000]
    except Exception:
        message = "(its message cannot be printed)"
    return {
        "type": type(e).__name__[:200],
        "message": message.encode(errors="replace").decode(),
        "line": lines[-1] if lines else None,
        "stdout": stdout.encode(errors="replace").decode(),
    }
