"""Duplicates and contamination on a million made rows with planted truth: rows/s, peak memory, precision and recall.

    python benchmarks/duplicates.py [--rows 1000000] [--items 6000] [--pictures 2000] [--seed 0] [--json FILE]

Each part runs in a process of its own, so that its peak memory is its own; making the rows is part of the time and is
given apart. Beside it, on a size that it can manage, the plain way: every pair of texts, every row with every item.
Rows: 70 % texts of their own, 10 % of few wordings with ever other numbers, and copies of earlier rows: 5 % the same in
other type, 5 % one word changed, 5 % one number changed (another problem), 5 % four words changed (below the limit).
A million rows take about 10 minutes on one core.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from scigen.problems.contamination import BenchmarkItem, ContaminationVerdict, Index, Row, check, write_verdicts
from scigen.problems.contamination.index import BenchmarkIndex, Limits
from scigen.problems.duplicates import find_duplicates
from scigen.problems.duplicates.words import figures, wording, words
from scigen.store import iter_records

Figures = dict[str, Any]
SYLLABLES = [c + v for c in "bcdfghjklmnprstvz" for v in "aeiou"]
WORDS = [a + b + c for a, b, c in zip(SYLLABLES * 60, SYLLABLES[7:] * 70, SYLLABLES[31:] * 95, strict=False)][:5000]
WEIGHTS = np.cumsum(1 / np.arange(10, 10 + len(WORDS))).tolist()
KINDS = ["own"] * 14 + ["wording"] * 2 + ["type", "word", "number", "four words"]


def now() -> np.ndarray:
    """Seconds on the wall, and of this process's work: on a shared machine the second is the one to compare."""
    return np.array([time.perf_counter(), time.process_time()])


def rate(rows: int, seconds: np.ndarray) -> dict[str, float]:
    wall, work = seconds.tolist()
    return {"rows_per_s": rows / wall, "rows_per_cpu_s": rows / work}


def text(seed: str) -> list[str]:
    """30 to 70 words with Zipf's frequencies, among them three numbers."""
    random = Random(seed)
    found = random.choices(WORDS, cum_weights=WEIGHTS, k=random.randint(30, 70))
    for place in random.sample(range(len(found)), 3):
        found[place] = str(random.randint(2, 9999))
    return found


def other_type(found: list[str]) -> str:
    """The same words in other type: capitals, spaces, punctuation, bold."""
    half = len(found) // 2
    return f"**{' '.join(found[:half]).title()}**,\n\t{'  '.join(found[half:]).upper()} ?"


def changed(found: list[str], random: Random, count: int, number: bool) -> list[str]:
    """`count` words, far from each other, or one number replaced by what occurs nowhere else."""
    places = [i for i, w in enumerate(found) if w.isdigit() == number]
    step = len(places) // count
    for n in range(count):
        i = places[n * step + random.randrange(max(step - 4, 1))]
        found[i] = str(random.randint(10**6, 10**9)) if number else f"q{random.choice(WORDS)}{random.choice(WORDS)}"
    return found


def planted(i: int, seed: int) -> tuple[str, str | None, str]:
    """Row i: its text, the row it repeats if it does, and what it is."""
    kind = KINDS[i % len(KINDS)]
    random = Random(f"{seed}/{i}")
    if kind == "own":
        return " ".join(text(f"{seed}/text/{i}")), None, kind
    if kind == "wording":
        found = [str(random.randint(2, 10**9)) if w.isdigit() else w for w in text(f"{seed}/wording/{i % 1000}")]
        return " ".join(found), None, kind
    base = random.randrange(i // len(KINDS) + 1) * len(KINDS) + random.randrange(14)
    found = text(f"{seed}/text/{base}")
    if kind == "type":
        return other_type(found), str(base), kind
    found = changed(found, random, 4 if kind == "four words" else 1, kind == "number")
    return " ".join(found), str(base) if kind == "word" else None, kind


def duplicates(rows: int, seed: int) -> Figures:
    begin = now()
    for i in range(rows):
        planted(i, seed)
    making = now() - begin
    begin = now()
    found = {d.key: d.of for d in find_duplicates((str(i), planted(i, seed)[0]) for i in range(rows))}
    seconds = now() - begin
    truth = {str(i): of for i in range(rows) if (of := planted(i, seed)[1]) is not None}
    right = sum(truth.get(key) == of for key, of in found.items())
    return {
        "rows": rows,
        "seconds": seconds[0],
        "making_rows_s": making[0],
        **rate(rows, seconds - making),
        "planted": len(truth),
        "found": len(found),
        "precision": right / max(len(found), 1),
        "recall": right / max(len(truth), 1),
    }


def benchmark_text(n: int, seed: int) -> list[str]:
    return text(f"{seed}/benchmark/{n}")


def contaminated_row(i: int, seed: int, items: int) -> tuple[Row, str | None]:
    """Every 50th row is an item in other type, with one word changed, or within a longer text; as many share a part."""
    own = text(f"{seed}/text/{i}")
    random = Random(f"{seed}/row/{i}")
    n = random.randrange(items)
    if i % 50 == 0:
        item = benchmark_text(n, seed)
        copies = (other_type(item), " ".join(changed(item, random, 1, False)), " ".join([*own, *item, *own]))
        return Row(str(i), (copies[i // 50 % 3],)), f"made:{n}"
    if i % 50 == 1:  # a quarter of the item within a text of its own
        item = benchmark_text(n, seed)
        return Row(str(i), (" ".join(own + item[: len(item) // 4]),)), None
    return Row(str(i), (" ".join(own),)), None


def contamination(rows: int, seed: int, items: int) -> Figures:
    begin = now()
    index = Index.build(BenchmarkItem("made", str(n), " ".join(benchmark_text(n, seed))) for n in range(items))
    building = now() - begin
    begin = now()
    for i in range(rows):
        contaminated_row(i, seed, items)
    making = now() - begin
    with tempfile.TemporaryDirectory() as folder:
        begin = now()
        write_verdicts(
            Path(folder) / "v", (contaminated_row(i, seed, items)[0] for i in range(rows)), index, inputs="made"
        )
        seconds = now() - begin
        found = {}
        for verdict in iter_records(Path(folder) / "v", ContaminationVerdict):
            if (worst := verdict.worst) is not None:
                found[verdict.problem_id] = f"{worst.benchmark}:{worst.item}"
    truth = {row.problem_id: of for row, of in (contaminated_row(i, seed, items) for i in range(rows)) if of}
    right = sum(truth.get(key) == of for key, of in found.items())
    return {
        "rows": rows,
        "items": items,
        "building_index_s": building[0],
        "seconds": seconds[0],
        "making_rows_s": making[0],
        **rate(rows, seconds - making),
        "planted": len(truth),
        "found": len(found),
        "precision": right / max(len(found), 1),
        "recall": right / max(len(truth), 1),
    }


def hashes_compared(rows: int, seed: int, items: int) -> Figures:
    """Only the comparing: a million fingerprints, a hundredth of them an item's with 40 bits turned in each hash."""
    rng = np.random.default_rng(seed)
    own = {n: rng.integers(0, 2**64, (2, 4), np.uint64) for n in range(items)}
    index = BenchmarkIndex("made", [str(n) for n in range(items)], ["word"] * items, range(items), own, Limits())
    right = wrong = planted_rows = 0
    comparing = np.zeros(2)
    for at in range(0, rows, 1000):
        prints = rng.integers(0, 2**64, (min(1000, rows - at), 2, 4), np.uint64)
        sources = {}
        for place in range(0, len(prints), 100):
            sources[place] = int(rng.integers(items))
            prints[place] = own[sources[place]] ^ np.packbits(_turned(rng, 40)).view(np.uint64)
        begin = now()
        closest = index.closest_pictures(prints)
        comparing += now() - begin
        planted_rows += len(sources)
        for place, match in enumerate(closest):
            if match is not None and match.bits <= Limits().bits:
                right += sources.get(place) == match.item
                wrong += sources.get(place) != match.item
    return {
        "rows": rows,
        "items": items,
        **rate(rows, comparing),
        "precision": right / max(right + wrong, 1),
        "recall": right / planted_rows,
    }


def _turned(rng: np.random.Generator, bits: int) -> np.ndarray:
    turned = np.zeros(256, np.uint8)
    turned[rng.choice(256, bits, replace=False)] = 1
    return turned


def drawing(seed: str) -> bytes:
    """A PNG of 400 x 300 with a dozen lines, ellipses and letters on white."""
    from PIL import Image, ImageDraw

    random = Random(seed)
    page = Image.new("RGB", (400, 300), "white")
    pen = ImageDraw.Draw(page)
    for _ in range(8):
        ends = [(random.randrange(20, 380), random.randrange(20, 280)) for _ in range(2)]
        pen.line(ends, fill="black", width=random.randint(1, 4))
        pen.text(ends[0], random.choice("ABCDEFG"), fill="black")
    x, y = random.randrange(50, 250), random.randrange(50, 150)
    pen.ellipse((x, y, x + random.randrange(30, 120), y + random.randrange(30, 120)), outline="black", width=2)
    out = io.BytesIO()
    page.save(out, format="PNG")
    return out.getvalue()


def pictures(rows: int, seed: int) -> Figures:
    """From bytes to verdict: every fifth picture is one of the benchmark's, smaller, as JPEG or with margin."""
    from PIL import Image, ImageOps

    def copy(n: int) -> bytes:
        page = Image.open(io.BytesIO(drawing(f"item/{n}")))
        out = io.BytesIO()
        if n % 3 == 0:
            page.resize((200, 150)).save(out, format="PNG")
        elif n % 3 == 1:
            page.save(out, format="JPEG", quality=50)
        else:
            ImageOps.expand(page, 40, "white").save(out, format="PNG")
        return out.getvalue()

    items = max(rows // 5, 1)
    index = Index.build(BenchmarkItem("made", str(n), f"item {n}", drawing(f"item/{n}")) for n in range(items))
    made = [Row(str(i), (f"row {i}",), copy(i // 5) if i % 5 == 0 else drawing(f"row/{seed}/{i}")) for i in range(rows)]
    begin = now()
    found = {v.problem_id: v.worst.item for v in check(made, index) if v.worst}
    seconds = now() - begin
    right = sum(int(key) % 5 == 0 and item == str(int(key) // 5) for key, item in found.items())
    return {
        "rows": rows,
        "items": items,
        **rate(rows, seconds),
        "precision": right / max(len(found), 1),
        "recall": right / len(range(0, rows, 5)),
    }


def every_pair(rows: int, seed: int) -> Figures:
    """The plain way and ours on the same rows: sets of three-word runs, each text with each."""
    made = [(str(i), planted(i, seed)[0]) for i in range(rows)]
    begin = now()
    sets = []
    for _, line in made:
        found = words(line)
        plain = wording(found)
        sets.append(({tuple(plain[i : i + 3]) for i in range(max(len(plain) - 2, 1))}, figures(found)))
    slow = set()
    for (_, (a, numbers)), (j, (b, others)) in combinations(enumerate(sets), 2):
        if numbers == others and len(a & b) >= 0.8 * len(a | b):
            slow.add(made[j][0])
    plain_s = now() - begin
    begin = now()
    fast = {d.key for d in find_duplicates(made)}
    ours_s = now() - begin
    return {
        "rows": rows,
        "plain_rows_per_cpu_s": rows / plain_s[1],
        "ours_rows_per_cpu_s": rows / ours_s[1],
        "ratio": plain_s[1] / ours_s[1],
        "same_result": slow == fast,
    }


def every_item(rows: int, seed: int, items: int) -> Figures:
    """The plain way and ours: the eight-word runs of each row with those of each item."""
    texts = [" ".join(benchmark_text(n, seed)) for n in range(items)]
    index = Index.build(BenchmarkItem("made", str(n), t) for n, t in enumerate(texts))
    made = [contaminated_row(i, seed, items)[0] for i in range(rows)]

    def runs(line: str) -> set[tuple[str, ...]]:
        found = words(line)
        return {tuple(found[i : i + 8]) for i in range(len(found) - 7)}

    known = [runs(t) for t in texts]
    begin = now()
    slow = set()
    for row in made:
        own = runs(row.texts[0])
        if any((n := len(own & other)) >= 0.5 * len(own) or n >= 0.5 * len(other) for other in known):
            slow.add(row.problem_id)
    plain_s = now() - begin
    begin = now()
    fast = {v.problem_id for v in check(made, index) if v.worst}
    ours_s = now() - begin
    return {
        "rows": rows,
        "items": items,
        "plain_rows_per_cpu_s": rows / plain_s[1],
        "ours_rows_per_cpu_s": rows / ours_s[1],
        "ratio": plain_s[1] / ours_s[1],
        "same_result": slow == fast,
    }


def apart(part: Callable[..., Figures], *arguments: int) -> Figures:
    """A part in its own process, with the peak of its memory."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (part, arguments))


def _measured(part: Callable[..., Figures], arguments: tuple[int, ...]) -> Figures:
    result = part(*arguments)
    result["peak_GB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return result


def shown(result: Figures) -> Iterator[str]:
    for name, value in result.items():
        yield f"{name} {value:,.3f}" if isinstance(value, float) and value < 100 else f"{name} {value:,.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=6_000)
    parser.add_argument("--pictures", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    small = min(args.rows, 10_000)
    parts: dict[str, tuple[Callable[..., Figures], tuple[int, ...]]] = {
        "duplicates": (duplicates, (args.rows, args.seed)),
        "contamination, texts": (contamination, (args.rows, args.seed, args.items)),
        "contamination, hashes": (hashes_compared, (args.rows, args.seed, args.items)),
        "contamination, pictures": (pictures, (args.pictures, args.seed)),
        "every pair in plain Python": (every_pair, (small, args.seed)),
        "every item in plain Python": (every_item, (small // 30, args.seed, args.items)),
    }
    results = {}
    table = Table("part", "figures")
    for name, (part, arguments) in parts.items():
        results[name] = apart(part, *arguments)
        table.add_row(name, "\n".join(shown(results[name])), end_section=True)
    Console().print(table)
    if args.json:
        args.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
