"""The one family of errors that a user can cause and mend."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors of a full disk, an exhausted quota, a file as large as the system lets it be."""


class ScigenError(ValueError):
    """Bad input: the message names file, item, fault and mend. Entry points print it without a traceback."""

    exit_status = 2
    """Of the command that it ends."""


def nearest(word: str, known: Iterable[str], n: int = 3) -> str:
    """`"did you mean a, b?"` for the `n` known words closest to `word`, or the list of all if none is close."""
    names = sorted(set(known))
    close = difflib.get_close_matches(word, names, n=n, cutoff=0.5)
    if close:
        return f"did you mean {', '.join(close)}?"
    return f"known: {', '.join(names)}"
