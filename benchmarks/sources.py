"""How fast a million-row corpus is read, and in how much memory.

    python benchmarks/sources.py [--rows 1000000] [--forms jsonl csv parquet]

Writes tables of `--rows` made-up questions of some 200 characters to a temporary folder, then reads each in a process
of its own as problems=file would, and prints rows/s and the peak memory of that process beside those of a process that
only imports the package. The baseline is `json.loads` of every line, without records. Five minutes on 2 cores.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

TEXT = "A block of mass slides down a plane with friction and reaches the speed after the distance which angle has"
WORDS = TEXT.split()


def rows(count: int) -> Iterator[dict[str, object]]:
    for i in range(count):
        words = " ".join(WORDS[(i * 7 + k * (1 + i % 5)) % len(WORDS)] for k in range(34))
        yield {"id": i, "question": f"{words} {i}?", "answer": str(i % 97)}


def write(folder: Path, form: str, count: int) -> Path:
    path = folder / f"table.{form}"
    if form == "jsonl":
        with path.open("w") as f:
            f.writelines(json.dumps(row) + "\n" for row in rows(count))
    elif form == "csv":
        with path.open("w", newline="") as f:
            writer = csv.DictWriter(f, fieldnames=["id", "question", "answer"])
            writer.writeheader()
            writer.writerows(rows(count))
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.schema([("id", pa.int64()), ("question", pa.string()), ("answer", pa.string())])
        with pq.ParquetWriter(path, schema) as out:
            batch: list[dict[str, object]] = []
            for row in rows(count):
                batch.append(row)
                if len(batch) == 50_000:
                    out.write_table(pa.Table.from_pylist(batch, schema))
                    batch = []
            if batch:
                out.write_table(pa.Table.from_pylist(batch, schema))
    return path


def read(way: str, path: str) -> None:
    """In a process of its own: prints rows, seconds and peak memory in MB."""
    from scigen.problems.sources import Table as Source

    start, n = time.perf_counter(), 0
    if way == "loads":
        with open(path) as f:
            for line in f:
                json.loads(line)
                n += 1
    elif way == "read":
        fields = {"question": "question", "answer": "answer", "id": "id"}
        for item in Source(name="mine", licence="CC0-1.0", path=path, fields=fields).items():
            n += item.problem is not None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([n, time.perf_counter() - start, peak]))


def measure(way: str, path: str) -> tuple[int, float, float]:
    out = subprocess.run([sys.executable, __file__, "--read", way, path], check=True, capture_output=True, text=True)
    n, seconds, peak = json.loads(out.stdout)
    return n, seconds, peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--forms", nargs="*", default=["jsonl", "csv", "parquet"])
    parser.add_argument("--read", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.read:
        read(*args.read)
        return
    table = Table("way", "rows", "rows/s", "peak memory MB", title="reading a corpus as problems")
    with tempfile.TemporaryDirectory() as folder:
        table.add_row("only the imports", "0", "", f"{measure('imports', '')[2]:.0f}")
        for form in args.forms:
            path = write(Path(folder), form, args.rows)
            ways = (("json.loads of each line, no records", "loads"),) if form == "jsonl" else ()
            for name, way in (*ways, (form, "read")):
                n, seconds, peak = measure(way, str(path))
                assert n == args.rows, f"{n} of {args.rows} rows"
                table.add_row(name, str(n), f"{n / seconds:.0f}", f"{peak:.0f}")
            path.unlink()
    Console().print(table)


if __name__ == "__main__":
    main()
