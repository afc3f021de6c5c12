"""Draws LaTeX with TikZ instead of Python: `RenderPool(language="tikz")`. Needs a TeX installation and poppler's tools.

A script is a whole document or only a picture; see `tikz_source`. It is compiled and its first page converted, at
`DPI`, by programs that run behind the walls of any script: as children of the zygote that may execute these programs
and nothing else. What is put on further pages is not drawn. Debian's packages: see `PACKAGES`; `cm-super` besides for
documents with `\\usepackage[T1]{fontenc}`, texlive-latex-extra for more packages.

`Drawing.texts` has the texts of the page, parted by the gaps between words. Their boxes have the height of the font,
not of the ink, their size is estimated from it, and rotated words have upright boxes. Nothing else of `Drawing` is
known, so it is `partial`.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from scigen.errors import ScigenError
from scigen.rendering import tikz_source
from scigen.rendering.languages import Job
from scigen.rendering.tikz_source import JOB

DPI = 200
COMPILERS = ("pdflatex", "lualatex")
"""In order of preference; one is needed."""
CONVERTERS = ("pdftocairo", "pdftotext")
"""Both are needed."""
PACKAGES = "texlive-latex-base texlive-latex-recommended texlive-pictures poppler-utils"
TRIAL = r"\draw (0,0) -- (1,1) node {a};"

_TREES = ("TEXMF", "TEXMFCNF")
_PDF, _PNG, _WORDS, _SAID = f"{JOB}.pdf", f"{JOB}.page.png", f"{JOB}.words.html", f"{JOB}.said"
_START = r"\ifdefined\pdfsetrandomseed\pdfsetrandomseed 0 \else\setrandomseed 0 \fi\input{" + JOB + ".tex}"
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "PATH": "/",  # LuaTeX wants one
    "TZ": "UTC0",
    "SOURCE_DATE_EPOCH": "0",
    "FORCE_SOURCE_DATE": "1",  # \today and \time too
    "openin_any": "p",  # TeX's own rule: no absolute paths, none that go up, no hidden files
    "openout_any": "p",
    "max_print_line": "10000",  # the log's lines are not broken
    **dict.fromkeys(("MKTEXTEX", "MKTEXTFM", "MKTEXPK", "MKTEXMF", "MKTEXFMT"), "0"),
}
_LOG_KEPT = 1 << 20
_FORMAT = "scigenpicture"
_FORMAT_S = 60.0


@dataclass
class _Installation:
    """What the zygote found out about its TeX."""

    standalone: bool = False
    """Whether the class of this name is there."""
    format: Path | None = None
    """TeX's memory with the preamble of bare pictures loaded."""


_here = _Installation()


def found() -> dict[str, str | None]:
    """The programs of TeX and poppler that are used, by name: their paths, None for one that is missing.

    Of the compilers one is enough.
    """
    return {name: shutil.which(name) for name in (*COMPILERS, "kpsewhich", *CONVERTERS)}


def programs() -> dict[str, str]:
    """Those of `found` that children execute. Raises ScigenError, which says what is missing and what to install."""
    here = found()
    compiler = next((name for name in COMPILERS if here[name]), None)
    lacks = [name for name in ("kpsewhich", *CONVERTERS) if not here[name]]
    if compiler is None or lacks:
        names = ([] if compiler else [" or ".join(COMPILERS)]) + lacks
        raise ScigenError(
            f"rendering: TikZ cannot be drawn here: {', '.join(names)} not found on PATH. Install a TeX distribution "
            f"and poppler's tools; on Debian and Ubuntu: apt install --no-install-recommends {PACKAGES}"
        )
    return {name: _next_to_file(name, path) for name, path in here.items() if path and name in (compiler, *CONVERTERS)}


def _next_to_file(name: str, path: str) -> str:
    """The program where it really lies, under its own name: TeX goes by the name, and finds its trees from there."""
    file = Path(path).resolve()
    named = file.with_name(name)
    return str(named if named.exists() else file)


def readable_paths(programs: Mapping[str, str]) -> list[Path]:
    """The trees of TeX, without the user's own, and what poppler reads."""
    trees = {p for name in _TREES for p in _kpsewhich(programs, f"--expand-path=${name}").split(os.pathsep) if p}
    _here.standalone = bool(_kpsewhich(programs, "standalone.cls"))
    _here.format = _make_format(programs, Path(os.environ["HOME"]) / "format")
    return [
        *([_here.format] if _here.format else []),
        *(Path(tree) for tree in sorted(trees)),
        *(Path(p) for p in ("/usr/share/poppler", "/etc/fonts", "/usr/share/fontconfig", "/var/cache/fontconfig")),
        Path("/etc/ld.so.cache"),  # where the libraries of programs lie
    ]


def _kpsewhich(programs: Mapping[str, str], question: str) -> str:
    """Answer of TeX's file finder; empty if it finds nothing. HOME is the worker's folder, so no tree of a user's."""
    finder = Path(_compiler(programs)).with_name("kpsewhich")
    return subprocess.run([finder, question], capture_output=True, text=True, check=False).stdout.strip()


def _compiler(programs: Mapping[str, str]) -> str:
    return next(programs[name] for name in COMPILERS if name in programs)


def _make_format(programs: Mapping[str, str], folder: Path) -> Path | None:
    """Load the preamble of bare pictures once: 0.2 s a picture saved, with the same pixels. Not with LuaTeX's Lua."""
    if "pdflatex" not in programs:
        return None
    folder.mkdir(exist_ok=True)
    for name, text in {**tikz_source.classes(True), f"{_FORMAT}.tex": tikz_source.PREAMBLE + r"\dump"}.items():
        (folder / name).write_text(text)
    options = ["-ini", "-no-shell-escape", "-interaction=batchmode", "-halt-on-error", f"-jobname={_FORMAT}"]
    command = [programs["pdflatex"], *options, "&pdflatex", rf"\input{{{_FORMAT}.tex}}"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            command,
            cwd=folder,
            env={**_ENVIRONMENT, "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=_FORMAT_S,
        )
        return folder / f"{_FORMAT}.fmt"
    return None


def warm_up() -> None:
    """Nothing stays in memory: each script has its own TeX."""


def facts() -> dict[str, Any]:
    """What this process draws with, for people."""
    return {"dpi": DPI}


def jobs(source: str, programs: Mapping[str, str], max_pixels: int) -> Generator[Job, int, None]:
    """Compile (twice where positions of the first run are needed), list the words, convert, and tell."""
    document, warm = tikz_source.document(source), []
    if _here.format and document.startswith(tikz_source.PREAMBLE):
        document = document.removeprefix(tikz_source.PREAMBLE)
        warm = [f"-fmt={_here.format}", "-progname=pdflatex"]
    files = {f"{JOB}.tex": document, **tikz_source.classes(_here.standalone)}
    command = [
        _compiler(programs),
        *warm,
        "-no-shell-escape",
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-file-line-error",
    ]
    start = time.perf_counter()
    for _ in range(2 if tikz_source.needs_two_runs(source) else 1):
        if (yield partial(_execute, [*command, f"-jobname={JOB}", _START], files)):
            yield partial(_tell_error, source)
            return
        files = {}
    compiled = time.perf_counter()
    page = ["-f", "1", "-l", "1"]
    png = [programs["pdftocairo"], "-png", "-singlefile", "-r", str(DPI), *page, _PDF, _PNG.removesuffix(".png")]
    code = yield partial(_list_words, [programs["pdftotext"], "-bbox-layout", *page, _PDF, _WORDS])
    code = code or (yield partial(_convert, png, max_pixels))
    if code:
        yield partial(_tell_not_converted, code)
        return
    yield partial(_tell_drawn, {"script": compiled - start, "draw": time.perf_counter() - compiled})


def timed_out(frame: FrameType | None) -> dict[str, Any]:
    """The report of a step that is still at work when its time is over; TeX itself is killed and tells no line."""
    return {"outcome": "timeout"}


def _execute(command: list[str], files: Mapping[str, str]) -> tuple[dict[str, Any], bytes]:
    """Write the files and become the program; what it says goes to a file. Raises OSError."""
    for name, text in files.items():
        Path(name).write_text(text, encoding="utf-8", errors="replace")
    said = os.open(_SAID, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(said, 1)
    os.dup2(said, 2)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and a program would inherit that
        signal.signal(number, signal.SIG_DFL)
    os.execve(command[0], command, {**_ENVIRONMENT, "HOME": os.getcwd(), "TEXMFVAR": os.getcwd()})


def _list_words(command: list[str]) -> tuple[dict[str, Any], bytes]:
    if not os.path.exists(_PDF):
        return {"outcome": "no_figure"}, b""
    return _execute(command, {})


def _convert(command: list[str], max_pixels: int) -> tuple[dict[str, Any], bytes]:
    """Pages that are too large are not even tried; the pool counts the pixels again."""
    width, height = (math.ceil(points * DPI / 72) for points in tikz_source.page_size(_end_of(_WORDS)) or (0, 0))
    if width * height > max_pixels:
        return _bad_page("PictureTooLarge", f"{width} x {height} px; at most {max_pixels} px")
    return _execute(command, {})


def _tell_error(source: str) -> tuple[dict[str, Any], bytes]:
    log = _end_of(f"{JOB}.log") or _end_of(_SAID)
    return {"outcome": "error", "error": tikz_source.error(log, source)}, b""


def _tell_not_converted(code: int) -> tuple[dict[str, Any], bytes]:
    return _bad_page("BadPage", f"the page could not be made a picture (exit code {code})")


def _bad_page(kind: str, message: str) -> tuple[dict[str, Any], bytes]:
    said = _end_of(_SAID)[-tikz_source.STDOUT_KEPT :]
    return {"outcome": "too_large", "error": {"type": kind, "message": message, "line": None, "stdout": said}}, b""


def _tell_drawn(seconds: dict[str, float]) -> tuple[dict[str, Any], bytes]:
    png = Path(_PNG).read_bytes()
    texts = tikz_source.texts(_end_of(_WORDS), DPI / 72)
    drawing = {"texts": texts, "axes": [], "artists": {}, "colors": {}, "crossings": [], "partial": True}
    return {"outcome": "drawn", "sizes": [len(png)], "drawing": drawing, "seconds": seconds}, png


def _end_of(file: str) -> str:
    try:
        with open(file, "rb") as f:
            f.seek(max(0, os.fstat(f.fileno()).st_size - _LOG_KEPT))
            return f.read().decode("utf-8", "replace")
    except OSError:
        return ""
