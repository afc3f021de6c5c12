"""The measurements behind the limits of the contamination check, on the figures and questions of SciGenBench.

    python benchmarks/contamination.py [--data ../shared/data/scigenbench] [--every 1]

Pictures: for each kind of hash how often a figure in another form is within the limit, and how close two different
figures come. Texts: what a question with one to four words changed still shares with itself, and what the questions of
two unrelated sets share. About 3 minutes on one core; `--every 4` takes each fourth figure.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import imagehash
import numpy as np
from PIL import Image, ImageOps
from rich.console import Console
from rich.table import Table

from scigen.problems.contamination import BenchmarkItem, Index, Limits, Row, check
from scigen.problems.contamination.pictures import NoFingerprint, fingerprint

Page = Image.Image
SAME_AGAIN = {"1971"}
"""A figure of the set that is another one (1015) with its lower edge cut."""


def jpeg(page: Page, quality: int) -> Page:
    out = io.BytesIO()
    page.save(out, "JPEG", quality=quality)
    return Image.open(out).convert("L")


def cut(page: Page, share: float) -> Page:
    x, y = int(page.width * share), int(page.height * share)
    return page.crop((x, y, page.width - x, page.height - y))


FORMS: dict[str, Callable[[Page], Page]] = {
    "half": lambda p: p.resize((max(1, p.width // 2), max(1, p.height // 2))),
    "x 1.7": lambda p: p.resize((int(p.width * 1.7), int(p.height * 1.7))),
    "jpeg 30": lambda p: jpeg(p, 30),
    "cut 2 %": lambda p: cut(p, 0.02),
    "cut 5 %": lambda p: cut(p, 0.05),
    "margin 5 %": lambda p: ImageOps.expand(p, max(p.size) // 20, 255),
    "margin 15 %": lambda p: ImageOps.expand(p, max(p.size) * 3 // 20, 255),
    "inverted": ImageOps.invert,
    "turned 2 deg": lambda p: p.rotate(2, fillcolor=255, resample=Image.Resampling.BICUBIC),
}


def png(page: Page) -> bytes:
    out = io.BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def ours(which: tuple[int, ...]) -> Callable[[Page], np.ndarray]:
    def bits(page: Page) -> np.ndarray:
        try:
            prints = fingerprint(png(page))
        except NoFingerprint:
            prints = np.zeros((2, 4), np.uint64)
        return np.unpackbits(prints.view(np.uint8), axis=1)[list(which)]

    return bits


KINDS: dict[str, tuple[int, Callable[[Page], np.ndarray]]] = {
    "pHash 64, page": (8, lambda p: imagehash.phash(p, 8).hash.reshape(1, -1)),
    "dHash 256, page": (40, lambda p: imagehash.dhash(p, 16).hash.reshape(1, -1)),
    "pHash 256, page": (56, ours((0,))),
    "pHash 256, ink": (56, ours((1,))),
    "pHash 256, both": (56, ours((0, 1))),
}


def figures(folder: Path, every: int) -> list[Page]:
    """The different figures, grey on white."""
    found: dict[str, Page] = {}
    for path in sorted(folder.iterdir()):
        if path.stem in SAME_AGAIN:
            continue
        with Image.open(path) as opened:
            page = Image.alpha_composite(Image.new("RGBA", opened.size, "white"), opened.convert("RGBA")).convert("L")
        found.setdefault(hashlib.sha256(repr(page.size).encode() + page.tobytes()).hexdigest(), page)
    return list(found.values())[::every]


def pictures(pages: list[Page]) -> Table:
    table = Table("hash", "limit", "nearest two", "pairs within", *FORMS, title=f"{len(pages)} different real figures")
    for name, (limit, kind) in KINDS.items():
        own = np.array([kind(p) for p in pages], dtype=np.uint8)
        pairs = np.triu_indices(len(pages), 1)
        apart = (own[pairs[0]] != own[pairs[1]]).sum(axis=2).min(axis=1)
        recall = []
        for form in FORMS.values():
            other = np.array([kind(form(p)) for p in pages], dtype=np.uint8)
            recall.append(f"{((own != other).sum(axis=2).min(axis=1) <= limit).mean():.3f}")
        close = f"{(apart <= limit).sum()} / {len(apart)}"
        table.add_row(name, f"{limit} / {own.shape[2]}", str(apart.min()), close, *recall)
    return table


def questions(path: Path) -> dict[str, str]:
    return {str(item["id"]): item["question"] for item in json.loads(path.read_text())}


def best_scores(rows: dict[str, str], items: dict[str, str]) -> np.ndarray:
    """The best score of each row."""
    index = Index.build((BenchmarkItem("b", i, t) for i, t in items.items()), Limits(text=1e-9, stock=10**6))
    found = check((Row(i, (t,)) for i, t in rows.items()), index)
    return np.array([max((m.score for m in v.matches), default=0.0) for v in found])


def texts(scigen: dict[str, str], seephys: dict[str, str]) -> Table:
    table = Table("rows", "n", *(f">= {limit}" for limit in (0.1, 0.2, 0.3, 0.5, 0.7)), "highest", title="texts")

    def add(name: str, scores: np.ndarray) -> None:
        shares = (f"{(scores >= limit).mean():.3f}" for limit in (0.1, 0.2, 0.3, 0.5, 0.7))
        table.add_row(name, str(len(scores)), *shares, f"{scores.max():.3f}")

    add("unrelated: scigen against seephys", best_scores(scigen, seephys))
    add("unrelated: seephys against scigen", best_scores(seephys, scigen))
    random = Random(0)
    for count in (1, 2, 4, 6):
        changed = {}
        for key, text in scigen.items():
            parts = text.split()
            for place in random.sample(range(len(parts)), min(count, len(parts))):
                parts[place] = "otherwise"
            changed[key] = " ".join(parts)
        add(f"copies with {count} words changed", best_scores(changed, scigen))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/scigenbench"))
    parser.add_argument("--every", type=int, default=1)
    args = parser.parse_args()
    console = Console(width=170)
    console.print(texts(questions(args.data / "scigen.json"), questions(args.data / "seephys.json")))
    console.print(pictures(figures(args.data / "seephys_images", args.every)))


if __name__ == "__main__":
    main()
