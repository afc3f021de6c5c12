"""Draws scripts and prints {name: [sha256 of the PNG, sha256 of its pixels]} as JSON. Not a test itself.

`python draw_corpus.py pool FOLDER WORKERS NAMESPACES` draws {name: source} from standard input twice, through a
RenderPool, the second time in reverse, when what came again has been learned. `python draw_corpus.py plain FOLDER`
draws them with Matplotlib alone: each in a fresh process, executed as it stands; the picture is what its last savefig
wrote, or else the last figure by `savefig(dpi="figure")`. FOLDER is for the home and what scripts write.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

from PIL import Image


def hashes(png: bytes) -> list[str]:
    image = Image.open(io.BytesIO(png))
    pixels = f"{image.mode} {image.size}".encode() + image.tobytes()
    return [hashlib.sha256(data).hexdigest() for data in (png, pixels)]


def by_pool(scripts: dict[str, str], workers: int, namespaces: bool) -> dict[str, list[str]]:
    from scigen.rendering import Limits, RenderPool

    found: dict[str, list[str]] = {}
    with RenderPool(workers, Limits(timeout_s=60.0), namespaces=namespaces) as pool:
        for names in (list(scripts), list(reversed(scripts))):
            for name, r in zip(names, pool.map(scripts[name] for name in names), strict=True):
                assert r.png is not None, (name, r)
                assert found.setdefault(name, hashes(r.png)) == hashes(r.png), f"{name}: the second time differs"
    return found


def plainly(scripts: dict[str, str]) -> dict[str, list[str]]:
    found = {}
    for name, text in scripts.items():
        read_fd, write_fd = os.pipe()
        if os.fork() == 0:
            try:
                with open(write_fd, "wb") as out:
                    out.write(plain_picture(text))
                os._exit(0)
            finally:
                os._exit(1)
        os.close(write_fd)
        with open(read_fd, "rb") as answer:
            found[name] = hashes(answer.read())
        assert os.wait()[1] == 0, name
    return found


def plain_picture(text: str) -> bytes:
    import random

    import matplotlib.pyplot as plt
    import numpy as np
    from matplotlib.figure import Figure

    random.seed(0)
    np.random.seed(0)
    saved: list[bytes] = []
    save = Figure.savefig

    def savefig(figure: Figure, name: object, **kwargs: Any) -> None:
        buffer = io.BytesIO()
        save(figure, buffer, **{**kwargs, "format": "png"})
        saved.append(buffer.getvalue())

    setattr(Figure, "savefig", savefig)  # noqa: B010
    setattr(plt, "show", lambda *args, **kwargs: None)  # noqa: B010
    exec(compile(text, "script.py", "exec"), {"__name__": "__main__"})  # noqa: S102 - the corpus' good scripts
    if not saved:
        plt.gcf().savefig("picture", dpi="figure")
    return saved[-1]


if __name__ == "__main__":
    way, folder, *rest = sys.argv[1:]
    os.environ.update(
        HOME=folder, TMPDIR=folder, XDG_CACHE_HOME=f"{folder}/cache", MPLCONFIGDIR=folder, MPLBACKEND="Agg"
    )
    os.chdir(Path(folder))
    asked = json.load(sys.stdin)
    if way == "pool":
        json.dump(by_pool(asked, int(rest[0]), rest[1] == "True"), sys.stdout)
    else:
        import matplotlib.pyplot  # noqa: F401 - once for all: the processes forked from here have drawn nothing

        json.dump(plainly(asked), sys.stdout)
