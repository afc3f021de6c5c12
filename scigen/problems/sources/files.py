"""Which files a path means: a table, a folder of tables, a glob, or a local copy of one of the hub's data sets."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from scigen.errors import ScigenError

TABLES = (".jsonl", ".json", ".csv", ".parquet")
SPLITS = ("train", "validation", "valid", "val", "dev", "test", "testmini", "total")
"""Words that name the split of a file on the hub, beside the one that is asked for."""


def tables(pattern: str, config: str | None = None, split: str | None = None, key: str = "problems") -> list[Path]:
    """The tables that `pattern` names, in order of name.

    Of a folder that holds several splits (`data/test-00000-of-00001.parquet`, `test.jsonl`, `test/0.parquet`) those of
    `split`, and of one that has a folder named `config` only what is in there. `key` is where the path is configured.
    Raises ScigenError when nothing is left.
    """
    path = Path(pattern).expanduser()
    if path.is_file():
        return [path]
    if not path.is_dir():
        found = [Path(p) for p in sorted(glob.glob(str(path), recursive=True)) if Path(p).is_file()]
        if not found:
            raise ScigenError(
                f"{pattern}: no such file, folder or glob. Mend {key}.path; where it is null, a data set of the hub is "
                "read from there."
            )
        return found
    if config and (path / config).is_dir():
        path = path / config
    found = [p for p in sorted(path.rglob("*")) if p.name.removesuffix(".gz").endswith(TABLES)]
    if not found:
        raise ScigenError(f"{path}: holds no table ({', '.join(TABLES)}). Mend {key}.path.")
    return found if split is None else _of_split(path, found, split, key)


def _of_split(folder: Path, found: list[Path], split: str, key: str) -> list[Path]:
    named = {p: _split_of(p.relative_to(folder), split) for p in found}
    own = [p for p, name in named.items() if name == split]
    others = sorted({name for name in named.values() if name})
    if own or not others:
        return own or found
    raise ScigenError(f'{folder}: has no table of split "{split}", but of {", ".join(others)}. Mend problems.split.')


def _split_of(path: Path, wanted: str) -> str | None:
    """The split that the file's name or folder says: `test-00000-of-00001` is of test, `testmini-...` is not."""
    words = (re.split(r"[-_.]", path.name)[0], *path.parts[:-1])
    return next((word for word in words if word in (wanted, *SPLITS)), None)
