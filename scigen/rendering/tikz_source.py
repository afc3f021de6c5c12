r"""The texts around TikZ: what is compiled for a script, what TeX's log says about a fault, the words on the page.

A script with `\documentclass` is compiled as it is. Anything else is a picture, or only the inside of one, and is put
into a document whose page is cut to it, on the lines that it has in the script.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

JOB = "picture"
"""Name of TeX's job: the document is `picture.tex`."""
STDOUT_KEPT = 2000
"""Characters of the log that go with an error."""
MAX_TEXTS = 1000

PREAMBLE = (
    r"\documentclass[tikz]{scigenpicture}\usepackage{amsmath,amssymb}"
    r"\usetikzlibrary{angles,arrows.meta,backgrounds,calc,decorations.markings,decorations.pathmorphing,fit,"
    r"intersections,matrix,patterns,positioning,quotes,shapes.geometric,trees}"
)
_PACKAGES = {
    r"\\begin\{\w*axis\}|\\pgfplots": r"\usepackage{pgfplots}\pgfplotsset{compat=newest}",
    r"\\begin\{circuitikz\}": r"\usepackage{circuitikz}",
    r"\\tdplot": r"\usepackage{tikz-3dplot}",
}

_CLASS = r"""
\NeedsTeXFormat{LaTeX2e}[2020-10-01]
\ProvidesClass{NAME}[2026/11/01 the whole document is one box, and the page is cut to it]
\newbox\scigen@box
\newdimen\scigen@border \scigen@border=0.5bp
\newif\ifscigen@tikz
\DeclareOption{tikz}{\scigen@tikztrue}
\DeclareOption*{\expandafter\scigen@option\CurrentOption=\@nil}
\def\scigen@option#1=#2\@nil{%
  \def\scigen@name{#1}%
  \def\scigen@wanted{border}\ifx\scigen@name\scigen@wanted\scigen@setborder{#2}\else
  \def\scigen@wanted{margin}\ifx\scigen@name\scigen@wanted\scigen@setborder{#2}\else
  \PassOptionsToClass{\CurrentOption}{article}\fi\fi}
\def\scigen@setborder#1{\afterassignment\scigen@rest\scigen@border=\@firstofone#1bp\relax}
\def\scigen@rest#1\relax{}
\ProcessOptions\relax
\LoadClass{article}
\pagestyle{empty}
\ifdefined\pdfpagewidth\else\let\pdfpagewidth\pagewidth\let\pdfpageheight\pageheight\fi
\ifscigen@tikz\RequirePackage{tikz}\fi
\AddToHook{begindocument/end}{\setbox\scigen@box=\hbox\bgroup\normalcolor\ignorespaces}
\AddToHook{enddocument}{\@checkend{document}\unskip\egroup
  \pdfpagewidth=\dimexpr\wd\scigen@box+2\scigen@border\relax
  \pdfpageheight=\dimexpr\ht\scigen@box+\dp\scigen@box+2\scigen@border\relax
  \hoffset=-1in \voffset=-1in
  \shipout\vbox{\kern\scigen@border\hbox{\kern\scigen@border\box\scigen@box}}}
\endinput
"""

_SETTINGS = re.compile(r"\\(usepackage|usetikzlibrary|tikzset|pgfplotsset|definecolor|colorlet|newcommand|def)\b")


_PICTURE = re.compile(r"\\begin\s*\{(tikzpicture|circuitikz|pgfpicture)\}|\\tikz(?![A-Za-z])")


def classes(standalone: bool) -> dict[str, str]:
    """File name to text of the document classes beside TeX's; `standalone`: whether TeX has that one.

    Debian keeps it in a package of 79 MB, texlive-latex-extra, so a class of ours stands in for it: one page, cut to
    what is on it, with the options tikz and border.
    """
    names = ["scigenpicture", *([] if standalone else ["standalone"])]
    return {f"{name}.cls": _CLASS.replace("NAME", name) for name in names}


def document(script: str) -> str:
    """The document that is compiled; line n of the script is line n of it."""
    if re.search(r"^[^%\n]*\\document(class|style)\b", script, re.MULTILINE):
        return script
    packages = "".join(load for use, load in _PACKAGES.items() if re.search(use, script))
    picture = _PICTURE.search(script)
    if picture is None:
        inside = f"\\begin{{tikzpicture}}{script}\n\\end{{tikzpicture}}"
        return f"{PREAMBLE}{packages}\\begin{{document}}{inside}\\end{{document}}\n"
    settings, body = script[: picture.start()], script[picture.start() :]
    if not _SETTINGS.search(settings):
        settings, body = "", script
    return f"{PREAMBLE}{packages}{settings}\\begin{{document}}{body}\n\\end{{document}}\n"


def needs_two_runs(script: str) -> bool:
    """Whether the first run finds out positions that the second one needs."""
    return re.search(r"remember\s+picture|\\(page|auto)?ref\b|legend to name", script) is not None


_FAULT = re.compile(r"^(?:(?:\./)?(?P<file>[^\s:]+):(?P<line>\d+): |! )(?P<text>\S.*)$", re.MULTILINE)
_KIND = re.compile(r"^((?:LaTeX|Package|Class|pdfTeX|LuaTeX)\b[\w -]*?error)\s*:?\s*", re.IGNORECASE)
_CONTEXT = re.compile(r"^l\.(\d+) ?(.*)$", re.MULTILINE)


def error(log: str, script: str) -> dict[str, Any]:
    """The first fault in TeX's log, in the shape of `scigen.records.ScriptError`."""
    log = log.partition("\nHere is how much of TeX's memory")[0]
    stdout = log[-STDOUT_KEPT:]
    fault = _FAULT.search(log)
    if fault is None:
        last = next((line for line in reversed(log.splitlines()) if line.strip()), "TeX ended without saying why")
        return {"type": "TeX Error", "message": last[:STDOUT_KEPT], "line": None, "stdout": stdout}
    text, kind = fault["text"].strip(), "TeX Error"
    if named := _KIND.match(text):
        kind, text = named[1], text[named.end() :]
    context = _CONTEXT.search(log, fault.end())
    own = fault["file"] in (None, f"{JOB}.tex")
    at = fault["line"] or (context[1] if context else None)
    line = int(at) if own and at else None
    if context and context[2].strip():
        text += f" (read so far: {context[2].strip()})"
    last_line = script.count("\n") + 1
    return {
        "type": kind[:200],
        "message": text[:STDOUT_KEPT],
        "line": min(line, last_line) if line else None,
        "stdout": stdout,
    }


_WORD = re.compile(r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>', re.DOTALL)
_LINE = re.compile(r"<line [^>]*>(.*?)</line>", re.DOTALL)
_SPACE = 0.55
"""Widest gap within a text by the height of its words: TeX's space is 0.38 of it and stretches by half."""
_PAGE = re.compile(r'<page width="([\d.]+)" height="([\d.]+)">')
_HEIGHT = 0.888
"""Height of a word's box by its size in points, with TeX's own fonts (ascent 0.694, descent 0.194)."""


def page_size(listing: str) -> tuple[float, float] | None:
    """Width and height, in points, of the page in a listing of `pdftotext -bbox-layout`; None if it names none."""
    page = _PAGE.search(listing)
    return (float(page[1]), float(page[2])) if page else None


def texts(listing: str, scale: float) -> list[dict[str, Any]]:
    """Texts of `pdftotext -bbox-layout` in the shape of `DrawnText`: words that follow each other in a line, with a
    space between them, are one text. `scale`: pixels a point."""
    found: list[dict[str, Any]] = []
    for line in _LINE.findall(listing):
        words = [(*map(float, place), unescape(text)) for *place, text in _WORD.findall(line)]
        for run in _runs(words):
            if len(found) == MAX_TEXTS:
                return found
            found.append(_drawn(run, scale))
    return found


_Word = tuple[Any, ...]
"""Left, top, right and bottom in points, and the text."""


def _runs(words: list[_Word]) -> Iterator[list[_Word]]:
    """Words of a line, parted where the gap is wider than a space."""
    run: list[_Word] = []
    for word in words:
        if run and not -_SPACE <= (word[0] - run[-1][2]) / max(0.1, word[3] - word[1]) <= _SPACE:
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _drawn(run: list[_Word], scale: float) -> dict[str, Any]:
    left, top = min(w[0] for w in run) * scale, min(w[1] for w in run) * scale
    right, bottom = max(w[2] for w in run) * scale, max(w[3] for w in run) * scale
    box = {"cx": (left + right) / 2, "cy": (top + bottom) / 2, "width": right - left, "height": bottom - top}
    size = (run[0][3] - run[0][1]) / _HEIGHT
    return {"text": " ".join(w[4] for w in run)[:500], "box": box, "size": round(size, 2)}
