"""ImgCoder against a scripted model: how many scripts execute after how many repairs, and what the pipeline costs.

The model is a loopback server in a process of its own that answers at once with our families' scripts; for the first
part, all of its first scripts have one of thirteen errors that takes one to three repairs. So the rates say what the
loop does with errors of these kinds, not what any real model does.

The second part times problems of the same families in three ways, interleaved in rounds: their scripts drawn by a
`RenderPool` alone; through ImgCoder (understand, plan, code, draw, check, record and image on disk); and ImgCoder
again over the finished journal, in a new folder. The ratio of the first two is the overhead of the pipeline.

    python benchmarks/imgcoder.py [--problems 130] [--items 1000] [--rounds 3] [--workers 2]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS / "generators"), str(TESTS / "models")]

from scripted_coder import KINDS, some_problems, trouble_for  # noqa: E402

from scigen.generators import LocalEngine, Studio, generate  # noqa: E402
from scigen.generators.imgcoder import ImgCoder  # noqa: E402
from scigen.models import ModelSettings  # noqa: E402
from scigen.records import GeneratedImage, Problem, Status  # noqa: E402
from scigen.rendering import Limits, RenderPool  # noqa: E402
from scigen.statistics import wilson  # noqa: E402
from scigen.store import read_set  # noqa: E402


@contextmanager
def server(count: int, trouble: float) -> Iterator[str]:
    """Its address."""
    command = [sys.executable, str(TESTS / "models/chat_server.py")]
    command += ["--answer", f"{TESTS / 'generators/scripted_coder.py'}:answer"]
    environment = {**os.environ, "SCRIPTED_COUNT": str(count), "SCRIPTED_TROUBLE": str(trouble)}
    environment["PYTHONPATH"] = str(TESTS / "generators")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(10)


def coder(url: str, repairs: int) -> ImgCoder:
    settings = ModelSettings(name="openai-api/loop/coder", base_url=url, stands_for="scripted", connections=32)
    return ImgCoder(name="coder", model=settings, repairs=repairs)


def rates(console: Console, problems: list[Problem], limits: Limits) -> None:
    """Executed and clean images by rounds of repair."""
    trouble = trouble_for(problems, 1.0)
    table = Table(title=f"{len(problems)} problems, every first script with one of {len(KINDS)} errors")
    for column in ("repairs", "executed", "%", "95 %", "without findings", "%", "95 %"):
        table.add_column(column, justify="right")
    by_kind: dict[str, list[int]] = {}
    with server(len(problems), 1.0) as url, tempfile.TemporaryDirectory() as folder:
        for repairs in range(4):
            engine = LocalEngine(lambda: Studio(Path(folder) / "responses", limits=limits))
            place = Path(folder) / f"set-{repairs}"
            generate(problems, coder(url, repairs), place, engine)
            records = read_set(place, GeneratedImage)
            ok = sum(r.status is Status.OK for r in records)
            clean = [r for r in records if any(a.chosen and not a.findings for a in r.history)]
            cells = []
            for n in (ok, len(clean)):
                low, high = wilson(n, len(records))
                cells += [str(n), f"{100 * n / len(records):.1f}", f"{100 * low:.1f} to {100 * high:.1f}"]
            table.add_row(str(repairs), *cells)
            done = Counter(trouble[r.problem_id][0] for r in clean)
            for kind in KINDS:
                by_kind.setdefault(kind, []).append(done[kind])
    console.print(table)
    of_kind = Counter(kind for kind, _ in trouble.values())
    kinds = Table(title="without findings, by the first script's error")
    for column in ("error", "problems", "0", "1", "2", "3 repairs"):
        kinds.add_column(column, justify="left" if column == "error" else "right")
    for kind, counts in by_kind.items():
        kinds.add_row(kind, str(of_kind[kind]), *map(str, counts))
    console.print(kinds)


def cpu(pid: int) -> tuple[float, float]:
    """CPU seconds of the process itself, and of its descendants (the drawing processes), dead ones included."""
    process = psutil.Process(pid)
    own = process.cpu_times()
    below = sum(sum(p.cpu_times()[:4]) for p in process.children(recursive=True))
    return own.user + own.system, below + own.children_user + own.children_system


def overhead(console: Console, items: int, rounds: int, workers: int) -> None:
    """Time an item of ImgCoder by that of its render."""
    problems = some_problems(items)
    part = -(-items // rounds)
    ways: dict[str, list[tuple[float, float]]] = {"render alone": [], "ImgCoder": [], "ImgCoder, journal": []}
    with server(items, 0.0) as url, tempfile.TemporaryDirectory() as folder:
        warm_up = problems[:8]
        for number, chunk in enumerate([warm_up, *(problems[i : i + part] for i in range(0, items, part))]):
            responses = Path(folder) / f"responses-{number}"
            studio = lambda responses=responses: Studio(responses, workers=workers)  # noqa: E731
            place = Path(folder) / f"set-{number}"
            start, before = time.perf_counter(), cpu(os.getpid())
            generate(chunk, coder(url, 2), place, LocalEngine(studio))
            first, after = time.perf_counter() - start, cpu(os.getpid())
            scripts = [r.code or "" for r in read_set(place, GeneratedImage)]
            start = time.perf_counter()
            with RenderPool(workers) as pool:
                drawn = list(pool.map(scripts))
            alone = time.perf_counter() - start
            assert all(d.status is Status.OK for d in drawn)
            start = time.perf_counter()
            generate(chunk, coder(url, 2), Path(folder) / f"again-{number}", LocalEngine(studio))
            again = time.perf_counter() - start
            if number:
                n = len(chunk)
                ways["render alone"].append((alone / n, 0.0))
                ways["ImgCoder"].append((first / n, (after[0] - before[0]) / n))
                ways["ImgCoder, journal"].append((again / n, 0.0))
    table = Table(title=f"{items} items in {rounds} rounds, {workers} drawing processes, a server that answers at once")
    for column in ("way", "ms an item", "items/s", "ratio to the render", "own CPU, ms an item"):
        table.add_column(column, justify="left" if column == "way" else "right")
    for name, times in ways.items():
        seconds = statistics.median(t for t, _ in times)
        ratios = [t / base for (t, _), (base, _) in zip(times, ways["render alone"], strict=True)]
        own = statistics.median(c for _, c in times)
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        table.add_row(name, f"{1000 * seconds:.1f}", f"{1 / seconds:.1f}", spread, f"{1000 * own:.1f}" if own else "")
    console.print(table)
    console.print("times include starting the drawing processes; in brackets the smallest and largest round")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=130)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    os.environ.setdefault("LOOP_API_KEY", "loopback")
    console = Console()
    if args.problems:
        rates(console, some_problems(args.problems), Limits(timeout_s=3.0, memory_mb=1024))
    if args.items:
        overhead(console, args.items, args.rounds, args.workers)


if __name__ == "__main__":
    main()
