"""How fast scripts are drawn: the renderer against execution in one process, and against a fresh process a script.

    python benchmarks/rendering.py [--rounds 5] [--tight] [--corpus DIR] [--json FILE]
    python benchmarks/rendering.py --soak 5000 [--corpus DIR] [--json FILE]

All ways run interleaved in one run: each round shuffles the scripts, cuts them into blocks, and draws every block in
every way, in shuffled order, so that a busy moment of the machine hits all alike. A round takes about a minute and a
half on 2 quiet cores. The ways:

  in-process     exec and savefig in one warm process under one lock, asked by 1 and by 2 threads: what others do
  fresh process  python SCRIPT, 1 and 2 at a time; one block of each round only, for it is slow
  pool           scigen.rendering.RenderPool with 1 and 2 workers, which has drawn the corpus before
  ..., unseen    the same two, started anew for each round: no script, formula or module was met before

Ratios are to in-process with 1 thread (unseen to unseen), from the total times over the rounds on the same blocks; the
interval is the 95 % bootstrap interval over rounds. CPU is that of all processes that take part. Latency is a script's
own, from being handed over to its picture; in-process with 2 threads it holds the wait for the lock. "script", "draw"
and "rest" are the shares of that time in the script's own code, in drawing, encoding and recording what is drawn (which
the other ways do not do), and in what the renderer adds.
Most scripts of the corpus end in plt.show(), which all ways draw on the figure's own canvas. With --tight they end in
plt.savefig(..., dpi=100, bbox_inches="tight") instead, as generated scripts mostly do and as others crop them.
With --soak, N scripts go through one pool with 2 workers, and memory is sampled every 250 while the pool is idle.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np
import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

from scigen.rendering import RenderPool, host

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "render_corpus" / "good"
PLAIN = Path(__file__).with_name("plain_matplotlib.py")
BLOCK = 21
SAMPLE_EVERY = 250
BASE, BASE_UNSEEN = "in-process, 1 thread", "in-process, unseen, 1 thread"


@dataclass
class Measured:
    """One block drawn in one way: seconds, and sums over its scripts."""

    scripts: int
    wall_s: float
    cpu_s: float
    latencies: list[float]
    png_bytes: int
    phases: dict[str, float] = field(default_factory=dict)


Way = Callable[[list[Path]], Measured]


def by_pool(pool: RenderPool) -> Way:
    """The pool's throughput over a block by its batch interface."""
    zygotes = [psutil.Process(worker.process.pid) for worker in pool._all]

    def parents_s() -> float:
        times = [z.cpu_times() for z in zygotes]
        return time.process_time() + sum(t.user + t.system for t in times)

    def draw(block: list[Path]) -> Measured:
        texts = [file.read_text() for file in block]
        start, cpu = time.perf_counter(), parents_s()
        results = [r for _, r in pool.as_completed(texts)]
        wall_s, cpu_s = time.perf_counter() - start, parents_s() - cpu
        failed = [r for r in results if r.png is None]
        if failed:
            raise SystemExit(f"a script of the corpus was not drawn: {failed[0]}")
        return Measured(
            scripts=len(results),
            wall_s=wall_s,
            cpu_s=cpu_s + sum(r.cpu_s for r in results),
            latencies=[r.seconds for r in results],
            png_bytes=sum(len(r.png or b"") for r in results),
            phases={name: sum(r.phases.get(name, 0.0) for r in results) for name in ("script", "draw")},
        )

    return draw


@contextmanager
def in_process() -> Iterator[Callable[[int], Way]]:
    """Gives a way by number of threads; all ways use the same warm process."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    server = subprocess.Popen(
        [sys.executable, str(PLAIN), "serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    stdin, stdout = server.stdin, server.stdout
    assert stdin is not None
    assert stdout is not None

    def way(threads: int) -> Way:
        def draw(block: list[Path]) -> Measured:
            stdin.write(json.dumps({"scripts": [f.read_text() for f in block], "threads": threads}) + "\n")
            stdin.flush()
            answer = stdout.readline()
            if not answer:
                raise SystemExit("the process of the in-process method ended; what it said is above")
            return Measured(scripts=len(block), **json.loads(answer))

        return draw

    try:
        yield way
    finally:
        stdin.close()
        server.wait()


def by_fresh_processes(at_a_time: int) -> Way:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}

    def draw(block: list[Path]) -> Measured:
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(at_a_time) as threads:

            def one(file: Path) -> tuple[float, int]:
                start, picture = time.perf_counter(), Path(folder, f"{file.stem}.png")
                command = [sys.executable, str(PLAIN), "one", str(file), str(picture)]
                subprocess.run(command, check=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
                return time.perf_counter() - start, picture.stat().st_size

            start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            drawn = list(threads.map(one, block))
            wall_s, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Measured(len(block), wall_s, cpu_s, [s for s, _ in drawn], sum(size for _, size in drawn))

    return draw


def measure(files: list[Path], rounds: int, seed: int) -> tuple[list[dict[str, list[Measured | None]]], str]:
    """For each round, way to its blocks, None where a block was not drawn; and how scripts were confined."""
    with ExitStack() as stack:
        plain = stack.enter_context(in_process())
        seen = {n: stack.enter_context(RenderPool(n)) for n in (1, 2)}
        ways = {f"in-process, {n} thread{'s' * (n > 1)}": plain(n) for n in (1, 2)}
        ways |= {f"pool, {n} worker{'s' * (n > 1)}": by_pool(pool) for n, pool in seen.items()}
        for way in track([ways[BASE], *list(ways.values())[2:] * 2], "warm up"):
            way(files)
        results = []
        for number in range(rounds):
            dice = Random(f"{seed}/{number}")
            shuffled = dice.sample(files, len(files))
            blocks = [shuffled[i : i + BLOCK] for i in range(0, len(shuffled), BLOCK)]
            fresh_block = number % len(blocks)
            with ExitStack() as anew:
                unseen = {f"pool, unseen, {n} worker{'s' * (n > 1)}": anew.enter_context(RenderPool(n)) for n in (1, 2)}
                plain_anew = anew.enter_context(in_process())(1)
                here = {**ways, BASE_UNSEEN: plain_anew, **{name: by_pool(pool) for name, pool in unseen.items()}}
                fresh = {f"fresh process, {n} at a time": by_fresh_processes(n) for n in (1, 2)}
                found: dict[str, list[Measured | None]] = defaultdict(list)
                for i, block in enumerate(track(blocks, f"round {number + 1} of {rounds}")):
                    for name, draw in dice.sample(sorted({**here, **fresh}.items()), len(here) + len(fresh)):
                        found[name].append(draw(block) if name in here or i == fresh_block else None)
            results.append(dict(found))
        return results, seen[1].confinement


def ratio(rounds: list[dict[str, list[Measured | None]]], name: str, seed: int) -> tuple[float, float, float]:
    """Speed relative to BASE, or BASE_UNSEEN, on the same blocks, with the 95 % bootstrap interval over rounds."""
    pairs, base = [], BASE_UNSEEN if "unseen" in name else BASE
    for found in rounds:
        both = [(b.wall_s, m.wall_s) for b, m in zip(found[base], found[name], strict=True) if b and m]
        pairs.append([sum(seconds) for seconds in zip(*both, strict=True)])
    times = np.array(pairs)
    drawn = np.random.default_rng(seed).integers(len(times), size=(4000, len(times)))
    sums = times[drawn].sum(axis=1)
    low, high = np.percentile(sums[:, 0] / sums[:, 1], [2.5, 97.5])
    return float(times[:, 0].sum() / times[:, 1].sum()), float(low), float(high)


def summarise(rounds: list[dict[str, list[Measured | None]]], seed: int) -> dict[str, dict[str, float]]:
    summary: dict[str, dict[str, float]] = {}
    for name in sorted(rounds[0], key=lambda n: (n.startswith("pool"), "unseen" in n, not n.startswith("in"), n)):
        blocks = [m for found in rounds for m in found[name] if m is not None]
        scripts, wall_s = sum(m.scripts for m in blocks), sum(m.wall_s for m in blocks)
        latencies = np.array([s for m in blocks for s in m.latencies])
        times, low, high = ratio(rounds, name, seed)
        row: dict[str, float] = {
            "scripts": scripts,
            "per_s": scripts / wall_s,
            "ratio": times,
            "ratio_low": low,
            "ratio_high": high,
            "p50_ms": 1000 * float(np.percentile(latencies, 50)),
            "p95_ms": 1000 * float(np.percentile(latencies, 95)),
            "cpu_ms": 1000 * sum(m.cpu_s for m in blocks) / scripts,
            "png_kb": sum(m.png_bytes for m in blocks) / scripts / 1000,
        }
        if blocks[0].phases:
            shares = {p: sum(m.phases[p] for m in blocks) / float(latencies.sum()) for p in ("script", "draw")}
            row |= {**shares, "rest": 1 - sum(shares.values())}
        summary[name] = row
    return summary


def show(summary: dict[str, dict[str, float]], rounds: int, title: str) -> None:
    """The closing table; no interval from fewer than 3 rounds."""
    columns = ("way", "scripts/s", "ratio", "95 %", "p50 ms", "p95 ms", "CPU ms", "PNG kB", "script", "draw", "rest")
    table = Table(*columns, title=title)
    table.columns[0].no_wrap = True
    for name, row in summary.items():
        figures = [f"{row[key]:.0f}" for key in ("p50_ms", "p95_ms", "cpu_ms", "png_kb")]
        shares = [f"{100 * row[key]:.0f} %" if key in row else "" for key in ("script", "draw", "rest")]
        interval = (
            "" if name in (BASE, BASE_UNSEEN) or rounds < 3 else f"{row['ratio_low']:.2f} to {row['ratio_high']:.2f}"
        )
        table.add_row(name, f"{row['per_s']:.2f}", f"{row['ratio']:.2f}", interval, *figures, *shares)
    Console(width=max(132, Console().width)).print(table)


def soak(files: list[Path], number: int, seed: int) -> list[dict[str, float]]:
    """Rows of renders so far, scripts a second since the last row, and MB of each process, while the pool is idle."""
    texts, dice = [f.read_text() for f in files], Random(f"{seed}/soak")
    rows: list[dict[str, float]] = []
    with RenderPool(2) as pool:
        processes = {"parent": psutil.Process()}
        processes |= {f"zygote {i}": psutil.Process(w.process.pid) for i, w in enumerate(pool._all)}
        for _ in track(range(0, number, SAMPLE_EVERY), f"{number} renders"):
            done = int(rows[-1]["renders"]) if rows else 0
            count = min(SAMPLE_EVERY, number - done)
            start = time.perf_counter()
            lost = sum(r.png is None for r in pool.map(dice.choice(texts) for _ in range(count)))
            row = {"renders": done + count, "per_s": count / (time.perf_counter() - start), "failed": lost}
            for name, process in processes.items():
                row[f"{name} RSS"] = process.memory_info().rss / 1e6
                try:
                    row[f"{name} PSS"] = process.memory_full_info().pss / 1e6
                except psutil.AccessDenied:  # the zygotes are closed to all but root
                    row[f"{name} PSS"] = float("nan")
            rows.append(row)
    return rows


def show_soak(rows: list[dict[str, float]], title: str) -> dict[str, float]:
    """Also gives, for each column of memory, the mean of the last third less that of the first third, in MB."""
    table = Table(*rows[0], title=title)
    for row in rows:
        table.add_row(
            *(f"{value:.1f}" if name not in ("renders", "failed") else str(value) for name, value in row.items())
        )
    third = max(1, len(rows) // 3)
    changes = {}
    for name in list(rows[0])[3:]:
        first, last = (float(np.mean([row[name] for row in part])) for part in (rows[:third], rows[-third:]))
        changes[name] = last - first
    table.add_section()
    table.add_row("last third less first", "", "", *(f"{change:+.1f}" for change in changes.values()))
    Console(width=max(132, Console().width)).print(table)
    return changes


def tightened(files: list[Path], folder: Path) -> list[Path]:
    """Copies that save a cropped picture where the scripts show a window."""
    copies = [folder / file.name for file in files]
    for file, copy in zip(files, copies, strict=True):
        save = "plt.savefig('picture.png', dpi=100, bbox_inches='tight')"
        copy.write_text(file.read_text().replace("plt.show()", save))
    return copies


def machine(confinement: str) -> str:
    """One line on where this ran."""
    cpu = (x.split(":")[1].strip() for x in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in x)
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    cores = f"{host.cores()} cores {next(cpu, '')}, load {os.getloadavg()[0]:.1f}"
    return f"{system}, {cores}, Python {platform.python_version()}, namespaces: {confinement}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rounds", type=int, default=5, help="over the whole corpus; at least 3 for intervals, better 10"
    )
    parser.add_argument(
        "--corpus", type=Path, default=CORPUS, metavar="DIR", help="folder of scripts that draw one picture"
    )
    parser.add_argument("--tight", action="store_true", help="scripts save a cropped picture instead of showing it")
    parser.add_argument("--soak", type=int, metavar="N", help="instead: N renders through one pool, with its memory")
    parser.add_argument("--seed", type=int, default=0, help="of the order of blocks and ways")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    args = parser.parse_args()
    files = sorted(args.corpus.glob("*.py"))
    if not files:
        parser.error(f"no scripts (*.py) in {args.corpus}: name a folder that has some by --corpus DIR")
    if args.rounds < 1 or (args.soak is not None and args.soak < 1):
        parser.error("--rounds and --soak must be at least 1")
    if args.soak:
        rows = soak(files, args.soak, args.seed)
        with RenderPool(1) as pool:
            line = machine(pool.confinement)
        changes = show_soak(rows, f"{args.soak} renders through one pool with 2 workers; memory in MB")
        figures: dict[str, object] = {"host": line, "rows": rows, "last_third_less_first_mb": changes}
    else:
        with tempfile.TemporaryDirectory() as folder:
            scripts = tightened(files, Path(folder)) if args.tight else files
            rounds, confinement = measure(scripts, args.rounds, args.seed)
        line = machine(confinement)
        summary = summarise(rounds, args.seed)
        show(
            summary,
            args.rounds,
            f"{len(files)} scripts{', cropped' * args.tight}, {args.rounds} rounds; ratio to {BASE}",
        )
        figures = {"host": line, "rounds": args.rounds, "ways": summary}
    print(line)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
