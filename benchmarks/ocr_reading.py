"""How much of what is printed the reader of the OCR evaluator reads, where the truth is known, and how fast.

    python benchmarks/ocr_reading.py [--drawings 60] [--seed 0] [--pictures FOLDER]

Textbook drawings, all families in turn, as they are and made smaller: the share of the texts that the renderer reports
which are read the same up to look-alikes (see scigen.evaluation.ocr.matching), by number of signs. Glance drawings, of
96 px, are left out: they show no text. `--pictures` reads the
images of a folder, of which no truth is known: how many show texts, how many texts look garbled without a problem's own
words, and the time. One process, one thread; 4 minutes.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections import Counter
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.progress import track
from rich.table import Table

from scigen.evaluation.ocr.garbled import garbled
from scigen.evaluation.ocr.matching import fold, matched, squashed
from scigen.evaluation.ocr.reader import engine, read
from scigen.generators import ProceduralGenerator
from scigen.problems.procedural.make import make_problems
from scigen.problems.procedural.registry import families
from scigen.rendering import RenderPool
from scigen.statistics import wilson

GROUPS = ((1, 1, "1 sign"), (2, 4, "2 to 4 signs"), (5, 500, "5 signs and more"))


def drawings(side: int | None, count: int, seed: int, table: Table) -> None:
    """Reads drawings whose longer side was brought to `side` pixels, and adds a row a group of texts."""
    view = f"longer side {side} px" if side else "as drawn"
    problems = list(make_problems(list(families().values()), "textbook", count, "held_out", 50, seed))
    generator = ProceduralGenerator()
    shown: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    seconds = []
    with RenderPool() as pool:
        drawn = pool.map(generator.write(p)[1] for p in problems)
        for r in track(drawn, view, total=len(problems)):
            if r.png is None or r.drawing is None:
                raise SystemExit(f"{r.status}: {r.error}")
            png = shrunk(r.png, side) if side else r.png
            start = time.perf_counter()
            texts = read(png)
            seconds.append(time.perf_counter() - start)
            truth = [t.text for t in r.drawing.texts if squashed(t.text)]
            found = Counter(t.text for t in matched([t.drawn for t in texts], truth))
            for text in truth:
                group = next(name for low, high, name in GROUPS if low <= len(squashed(text)) <= high)
                shown[group] += 1
                if found[fold(text)]:
                    found[fold(text)] -= 1
                    hit[group] += 1
    for _, _, group in GROUPS:
        low, high = (100 * v for v in wilson(hit[group], shown[group]))
        share = f"{100 * hit[group] / shown[group]:.1f} ({low:.1f} to {high:.1f})" if shown[group] else "none drawn"
        table.add_row(view, group, str(shown[group]), share, f"{statistics.fmean(seconds):.2f}")


def shrunk(png: bytes, side: int) -> bytes:
    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        picture.save(out, "PNG")
    return out.getvalue()


def pictures(folder: Path, console: Console) -> None:
    """Reads a folder of pictures."""
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in {".png", ".jpg", ".jpeg", ".webp"})
    seconds, texts = [], []
    for path in track(paths, folder.name):
        start = time.perf_counter()
        texts.append(read(path.read_bytes()))
        seconds.append(time.perf_counter() - start)
    lines = [t for found in texts for t in found]
    noise = [t.text for t in lines if garbled(t.text, frozenset(), t.confidence)]
    console.print(
        f"{len(paths)} pictures: {sum(map(bool, texts))} with texts, {len(lines)} texts, {len(noise)} look garbled; "
        f"seconds: mean {statistics.fmean(seconds):.2f}, median {statistics.median(seconds):.2f}, "
        f"most {max(seconds):.1f}\nfirst of those: {noise[:12]}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drawings", type=int, default=60, help="in each size")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER")
    args = parser.parse_args()
    console = Console(width=130)
    engine()
    table = Table(
        "drawings", "texts of", "n", "read % (95 % interval)", "seconds an image", title="Texts that are read"
    )
    for side in (None, 384, 192, 96):
        drawings(side, args.drawings, args.seed, table)
    console.print(table)
    if args.pictures:
        pictures(args.pictures, console)


if __name__ == "__main__":
    main()
