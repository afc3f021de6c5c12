"""Draws hostile scripts through one pool and reports, as JSON, all that the tests want to know. Not a test itself.

`python contain.py FOLDER` takes {"namespaces", "timeout_s", "scripts": {name: source}} from standard input. FOLDER is
this process's own, for its home and temporary files; what is left in it at the end is reported. After each hostile
script an honest one is drawn, so that both zygotes draw both kinds again and again.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

SUBREAPER = 36  # prctl: orphans among our descendants become our children, so none can hide
HONEST = r"""
import matplotlib.pyplot as plt, numpy as np, os
assert os.listdir('.') == [], 'LEAK: ' + str(os.listdir('.'))
fig, ax = plt.subplots(figsize=(3, 2))
ax.plot(np.linspace(0, 1, 50) ** 2, label=r'$\frac{x^2}{\alpha}$')
ax.set_title('honest, áéß')
ax.legend()
plt.show()
"""


def contain(order: dict[str, Any]) -> dict[str, Any]:
    """The report: results by script, and what is there before and after."""
    from scigen.rendering import Limits, RenderPool

    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    me, limits = psutil.Process(), Limits(timeout_s=order["timeout_s"], memory_mb=512)
    with RenderPool(2, limits, namespaces=order["namespaces"]) as pool:
        zygotes = [psutil.Process(worker.process.pid) for worker in pool._all]

        def honest() -> list[str]:
            """The picture from each zygote: two at a time, several times, as either may take two in turn."""
            return sorted({_picture(r) for r in pool.map([HONEST] * 8)})

        before, memory = honest(), [_private_mb(z) for z in zygotes]
        threads_at_first = me.num_threads()
        names = list(order["scripts"])
        sources = (text for name in names for text in (order["scripts"][name], HONEST))
        results, between = {}, []
        for number, r in enumerate(pool.map(sources)):
            if number % 2:
                between.append(_picture(r))
            else:
                results[names[number // 2]] = _facts(r)
        report = {
            "uid": os.getuid(),
            "confinement": pool.confinement,
            "results": results,
            "before": before,
            "between": sorted(set(between)),
            "after": honest(),
            "zygotes_alive": all(z.is_running() and z.status() != psutil.STATUS_ZOMBIE for z in zygotes),
            "zygotes_same": [worker.process.pid for worker in pool._all] == [z.pid for z in zygotes],
            "grown_mb": [round(_private_mb(z) - mb, 1) for z, mb in zip(zygotes, memory, strict=True)],
            "processes_beside_zygotes": [
                p.pid for p in me.children(recursive=True) if p.pid not in {z.pid for z in zygotes}
            ],
            "threads_grown": me.num_threads() - threads_at_first,
            "work_files": [str(p) for folder in pool._folder.glob("*/work") for p in folder.rglob("*")],
        }
    report["processes_at_the_end"] = [str(p) for p in me.children(recursive=True)]
    return report


def _private_mb(process: psutil.Process) -> float:
    """Resident memory that is not of files: what a script could have made a zygote hold; infinite if it has died."""
    try:
        memory = process.memory_info()
    except psutil.NoSuchProcess:
        return float("inf")
    return float(memory.rss - memory.shared) / 2**20


def _picture(r: Any) -> str:
    return hashlib.sha256(r.png).hexdigest() if r.png else f"{r.status}: {r.error}"


def _facts(r: Any) -> dict[str, Any]:
    error = r.error and {"type": r.error.type, "message": r.error.message}
    storable = r.error is None or bool(r.error.model_dump_json())
    texts = len(r.texts)
    return {"status": r.status, "error": error, "seconds": r.seconds, "storable": storable, "texts": texts}


def _files(folder: Path) -> Iterator[str]:
    """What is below the folder, without the font cache."""
    for path in folder.rglob("*"):
        if ".cache" not in path.relative_to(folder).parts:
            yield str(path.relative_to(folder))


if __name__ == "__main__":
    own = Path(sys.argv[1])
    os.environ.update(HOME=str(own), XDG_CACHE_HOME=str(own / ".cache"), TMPDIR=str(own), MPLCONFIGDIR=str(own))
    found = contain(json.load(sys.stdin))
    found["files_at_the_end"] = list(_files(own))
    json.dump(found, sys.stdout)
