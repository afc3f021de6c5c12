"""The script within a model's answer."""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+.-]*)[^\n]*\n(.*?)^[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)
_OPEN = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[ \t]*[\w+.-]*[ \t]*$", re.MULTILINE)
_THOUGHTS = re.compile(r"\A\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)


class Language(NamedTuple):
    """A language that the sandbox draws."""

    name: str
    fence: str
    """What its fenced blocks are marked with."""
    tags: frozenset[str]
    """Other marks for it; blocks without one count if they look like a script."""
    begins: str
    """What a script holds."""


MATPLOTLIB = Language("Matplotlib", "python", frozenset({"python", "py", "python3", ""}), "import")
TIKZ = Language("LaTeX", "latex", frozenset({"latex", "tex", "tikz", ""}), "\\documentclass")
LANGUAGES = {"matplotlib": MATPLOTLIB, "tikz": TIKZ}


class Found(NamedTuple):
    """The script, or why there is none."""

    code: str | None
    fault: str = ""


def find_code(answer: str, language: Language) -> Found:
    """The last whole fenced block of the language, or the whole answer if it is a script without a fence.

    The last one, because models that correct themselves give the better script later. An answer whose last block is
    not closed was cut off: half a script is none.
    """
    text = _THOUGHTS.sub("", answer)
    blocks = [(m[2].lower(), m[3], m.end()) for m in _FENCE.finditer(text)]
    rest = text[blocks[-1][2] :] if blocks else text
    if _OPEN.search(rest):
        return Found(None, "the script was cut off before its end; write a shorter one")
    right = [body for tag, body, _ in blocks if tag in language.tags and (tag or language.begins in body)]
    if right:
        return Found(right[-1].strip() + "\n")
    if blocks:
        return Found(None, f"no fenced block holds a {language.name} script")
    if _is_script(text, language):
        return Found(text.strip() + "\n")
    return Found(None, f"the answer holds no fenced block with a {language.name} script")


def _is_script(text: str, language: Language) -> bool:
    if language.begins not in text:
        return False
    if language is not MATPLOTLIB:
        return text.lstrip().startswith(language.begins)
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
