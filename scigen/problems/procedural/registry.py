"""Finds the families: every module of `families/` holds one `FAMILY` whose name is the file's name.

It keeps no list of its own, so a new family is one new file. It makes no problems; see `make`.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from scigen.errors import ScigenError, nearest
from scigen.problems.procedural import families as package
from scigen.problems.procedural.family import Family


@cache
def families() -> dict[str, Family]:
    """All families by name, in order of name. Raises ScigenError on a module that does not keep to the rule."""
    found: dict[str, Family] = {}
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        add(found, module.name, getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "FAMILY", None))
    return found


def add(found: dict[str, Family], file: str, candidate: object) -> None:
    """Put the family of one file into `found`; raises ScigenError if it has none, another name, or a name twice."""
    where = f"problems/procedural/families/{file}.py"
    if not isinstance(candidate, Family):
        raise ScigenError(f"{where}: there is no FAMILY = Family(...). Add it, or move the file elsewhere.")
    if candidate.name in found:
        raise ScigenError(f'{where}: there is a family "{candidate.name}" already. Give it the name "{file}".')
    if candidate.name != file:
        raise ScigenError(f'{where}: the family is named "{candidate.name}". Give it the name "{file}".')
    found[file] = candidate


def family(name: str) -> Family:
    """The family with this name; ScigenError with the nearest names if there is none."""
    known = families()
    if name not in known:
        raise ScigenError(f'problems.families: there is no family "{name}"; {nearest(name, known)}')
    return known[name]
