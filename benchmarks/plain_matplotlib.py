"""The two ways of drawing that `rendering.py` is measured against, both without any protection.

    python benchmarks/plain_matplotlib.py one SCRIPT PNG     a fresh process for each script
    python benchmarks/plain_matplotlib.py serve              one warm process, scripts executed in it under one lock

`serve` reads lines {"scripts": [...], "threads": n} and answers each with {"wall_s", "cpu_s", "latencies",
"png_bytes"}: n threads ask for the scripts in turn; a latency is from asking to the picture. The picture is the one
that the renderer makes: what the script's last savefig wrote, or else the current figure, at Matplotlib's own PNG
level.
"""

from __future__ import annotations

import io
import json
import os
import random
import sys
import tempfile
import threading
import time
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

_saved: list[bytes] = []
_savefig = Figure.savefig
_lock = threading.Lock()


def _keep(figure: Figure, name: object, **kwargs: Any) -> None:
    buffer = io.BytesIO()
    _savefig(figure, buffer, **{**kwargs, "format": "png"})
    _saved.append(buffer.getvalue())


setattr(Figure, "savefig", _keep)  # noqa: B010
setattr(plt, "show", lambda *args, **kwargs: None)  # noqa: B010


def draw(source: str) -> bytes:
    """Execute the script here and now. Raises whatever it raises."""
    _saved.clear()
    random.seed(0)
    np.random.seed(0)
    try:
        exec(compile(source, "script.py", "exec"), {"__name__": "__main__"})  # noqa: S102 - the corpus' good scripts
        if not _saved:
            plt.gcf().savefig("picture", dpi="figure")
        return _saved[-1]
    finally:
        plt.close("all")


def block(scripts: list[str], threads: int) -> dict[str, Any]:
    """Draw all, asked for by some threads at a time."""
    latencies: list[float] = []
    sizes: list[int] = []
    waiting, turn = list(reversed(scripts)), threading.Lock()

    def client() -> None:
        while True:
            with turn:
                if not waiting:
                    return
                source = waiting.pop()
            asked = time.perf_counter()
            with _lock:
                png = draw(source)
            latencies.append(time.perf_counter() - asked)
            sizes.append(len(png))

    start, cpu = time.perf_counter(), time.process_time()
    clients = [threading.Thread(target=client) for _ in range(threads)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    if len(sizes) != len(scripts):
        raise RuntimeError("a script failed; its traceback is above")
    wall_s, cpu_s = time.perf_counter() - start, time.process_time() - cpu
    return {"wall_s": wall_s, "cpu_s": cpu_s, "latencies": latencies, "png_bytes": sum(sizes)}


def main() -> None:
    if sys.argv[1] == "one":
        with open(sys.argv[2]) as script, open(sys.argv[3], "wb") as picture:
            picture.write(draw(script.read()))
        return
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what scripts print is no answer
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        draw("import matplotlib.pyplot as plt\nplt.title('$x^2$ warm')\nplt.plot([1, 2])")
        for line in sys.stdin:
            json.dump(block(**json.loads(line)), answers)
            answers.write("\n")
            answers.flush()


if __name__ == "__main__":
    main()
