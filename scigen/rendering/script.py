"""Runs one untrusted script and sends off the pictures it makes. Only ever called in a locked-down child of the zygote.

The last picture taken is the script's picture; see `capture` for what is taken. It does not decide what the outcome is
worth: the parent looks at the PNG.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import random
import re
import sys
import time
import traceback
from collections import Counter
from collections.abc import Generator, Mapping
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from scigen.rendering import capture, font_cache, fonts, introspection, text_cache
from scigen.rendering.languages import Job

NAME = "script.py"
TRIAL = "pass"
STDOUT_KEPT = 2000  # as in `outcome`, which this process does without
"""Characters of standard output and error that go with an error."""

PRELOADS = {
    "networkx": ("networkx",),
    "pandas": ("pandas",),
    "scipy": ("scipy.integrate", "scipy.interpolate", "scipy.optimize", "scipy.special", "scipy.stats"),
    "sympy": ("sympy",),
}
"""Slow to load, no threads started, nothing changed for scripts that do not import them (seaborn adds colour maps)."""

_uses: Counter[str] = Counter()


class _Tail(io.TextIOBase):
    """A standard output that remembers its end."""

    def __init__(self) -> None:
        self.text = ""

    def writable(self) -> bool:
        return True

    def write(self, s: str, /) -> int:
        self.text = (self.text + s[-STDOUT_KEPT:])[-STDOUT_KEPT:]
        return len(s)


_tail = _Tail()


def warm_up() -> None:
    """Load and use what scripts use, so that a child finds fonts, formulas and modules in memory."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np

    for name in (
        *("numpy.random", "numpy.linalg", "numpy.fft", "numpy.polynomial", "mpl_toolkits.mplot3d"),
        *("matplotlib.animation", "matplotlib.sankey", "matplotlib.table", "matplotlib.tri", "matplotlib.dates"),
        *("mpl_toolkits.axes_grid1", "contourpy", "PIL.PngImagePlugin"),
        *("decimal", "fractions", "statistics", "calendar"),
    ):
        importlib.import_module(name)
    font_cache.install(fonts.fallback())
    text_cache.install()
    introspection.install()
    figure = plt.figure()
    axes = figure.add_subplot(211)
    axes.set_title(r"$\frac{a}{b}\sqrt{x}\vec{F}\hat{\imath}_1^2 30^\circ$ warm")
    for family in ("sans-serif", "serif", "monospace"):
        for weight in ("normal", "bold"):
            for style in ("normal", "italic"):
                axes.text(0.5, 0.5, "b", family=family, weight=weight, style=style)
    axes.plot([1, 2], label="l")
    axes.legend()
    axes.imshow(np.eye(3))
    solid = figure.add_subplot(212, projection="3d")
    solid.plot([0, 1], [0, 1], [0, 1])
    figure.savefig(io.BytesIO(), bbox_inches="tight")
    plt.close("all")
    matplotlib.rcdefaults()
    matplotlib.use("Agg")
    text_cache.begin()


def facts() -> dict[str, Any]:
    """What this process draws with, for people: versions, and the fonts beside Matplotlib's own."""
    import matplotlib
    import numpy

    names = [os.path.basename(path) for path, _ in fonts.fallback()]
    return {"matplotlib": matplotlib.__version__, "numpy": numpy.__version__, "fonts": names}


def programs() -> dict[str, str]:
    """None: a script is run by the child itself."""
    return {}


def readable_paths(programs: Mapping[str, str]) -> list[Path]:
    """What Matplotlib reads beside its package."""
    return [Path("/usr/share/matplotlib")]


def jobs(source: str, programs: Mapping[str, str], max_pixels: int) -> Generator[Job, int, None]:
    """The one step of a drawing; see `languages.Language`. Loads slow libraries once a second script imports them."""
    for name in set(re.findall(r"^[ \t]*(?:import|from)[ \t]+(\w+)", source, re.MULTILINE)) & PRELOADS.keys():
        _uses[name] += 1
        if _uses[name] == 2:
            for module in PRELOADS[name]:
                with contextlib.suppress(ImportError):
                    importlib.import_module(module)
    yield partial(run, source, max_pixels)


def run(source: str, max_pixels: int) -> tuple[dict[str, Any], bytes]:
    """Execute the script as `__main__`. Gives the report (JSON-ready) and the PNGs, one after the other.

    The report's `outcome` is one of drawn, no_figure, error, memory, too_large.
    """
    start = time.perf_counter()
    gc.set_threshold(100_000, 50, 1000)  # a script rarely lives long enough for its garbage to matter
    _seed()
    sys.stdout = sys.stderr = _tail
    sys.argv = [NAME]
    taken = capture.Capture(max_pixels)
    taken.install()
    report = _execute(source, taken)
    pngs = [p.png for p in taken.pictures.values()] if report["outcome"] == "drawn" else []
    report["seconds"] = {"script": time.perf_counter() - start - taken.draw_s, "draw": taken.draw_s}
    report["texts"] = text_cache.new_texts()
    return report, b"".join(pngs)


def _execute(source: str, taken: capture.Capture) -> dict[str, Any]:
    import matplotlib.pyplot as plt

    ended: SystemExit | None = None
    try:
        try:
            exec(compile(source, NAME, "exec"), _main_namespace())  # noqa: S102 - this is the sandbox's purpose
        except SystemExit as e:
            ended = e
        if not taken.pictures:
            taken.show([plt.figure(n) for n in plt.get_fignums()])
    except MemoryError as e:
        return {"outcome": "memory", "error": _error(e)}
    except capture.PictureTooLarge as e:
        return {"outcome": "too_large", "error": _error(e)}
    except BaseException as e:
        return {"outcome": "error", "error": _error(e)}
    if taken.pictures:
        pictures = list(taken.pictures.values())
        drawing = {**pictures[-1].drawing, "figures": len(pictures)}
        return {"outcome": "drawn", "sizes": [len(p.png) for p in pictures], "drawing": drawing}
    if ended is not None and ended.code not in (None, 0):
        return {"outcome": "error", "error": _error(ended)}
    return {"outcome": "no_figure"}


def timed_out(frame: FrameType | None) -> dict[str, Any]:
    """The report of a script that is still at work when its time is over, with the line it is at."""
    line = None
    while frame is not None and line is None:
        line = frame.f_lineno if frame.f_code.co_filename == NAME else None
        frame = frame.f_back
    return {"outcome": "timeout", "error": {"type": "Timeout", "message": "", "line": line, "stdout": _last_output()}}


def _seed() -> None:
    """Make what is random the same in every run, also for scripts that ask for a fresh seed."""
    import numpy as np

    default_rng, seed_numpy, seed_random = np.random.default_rng, np.random.seed, random.seed
    np.random.default_rng = lambda seed=None: default_rng(0 if seed is None else seed)
    np.random.seed = lambda seed=None: seed_numpy(0 if seed is None else seed)
    setattr(random, "seed", lambda a=None, version=2: seed_random(0 if a is None else a, version))  # noqa: B010
    np.random.seed()
    random.seed()


def _main_namespace() -> dict[str, Any]:
    import types

    main = types.ModuleType("__main__")
    main.__file__ = NAME
    sys.modules["__main__"] = main
    return main.__dict__


def _error(e: BaseException) -> dict[str, Any]:
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
        "stdout": _last_output(),
    }


def _last_output() -> str:
    return _tail.text.encode(errors="replace").decode()
