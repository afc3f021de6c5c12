"""What the glass-box checks and the OCR evaluator see of planted defects: recall a kind, false alarms, agreement, time.

    python benchmarks/ocr.py [--per-kind 50] [--seed 0] [--json FILE] [--sheet FILE] [--families NAME ...]

Draws `--per-kind` textbook problems clean and once with each planted defect, the families taking turns, through the
real sandboxed renderer; garbles half of the words (at least one) in copies of the clean pictures in three ways, of
which nothing is recorded, as of a pixel model's: `misspelt` (two letters in five are others), `warped`, `strewn`
(letters cut, mixed and turned over); see garbling.py. Both evaluators, as they are in conf/evaluator, then give their
verdicts as scripts/evaluate.py has them do it. 13 minutes on 2 busy cores.

An image counts as flagged when its verdict is not passed. A defect whose picture is the same as the clean one is left
out, and so is a problem without a word of four letters to garble. Rates are over the images that the evaluator can
judge. Strength of a verdict: its number of findings; Spearman's rank correlation over all images, with a bootstrap of
2,000 over problems.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import tempfile
import textwrap
from collections import Counter, defaultdict
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
import yaml
from garbling import WAYS, garbled_copy
from glassbox import cases
from rich.console import Console
from rich.progress import Progress, TaskID, track
from rich.table import Table
from scipy.stats import spearmanr

from scigen.app.settings import build
from scigen.evaluation import evaluate, items_of
from scigen.generators import Studio
from scigen.problems.procedural.make import make_problems
from scigen.problems.procedural.registry import families, family
from scigen.records import Defect, Drawing, GeneratedImage, Problem, Status, Verdict, VerdictStatus
from scigen.rendering import RenderPool
from scigen.statistics import wilson
from scigen.store import SetWriter, read_set

KINDS = ("clean", *(d.value for d in Defect), *WAYS)
"""One image set each."""
READ = frozenset({Defect.MISSING_LABEL, Defect.WRONG_VALUE, Defect.LEAKED_ANSWER, Defect.OVERLAPPING_TEXT, *WAYS})
"""Kinds that reading can find; the sheet shows the misses of these."""
COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6)
SHARES = (0.0, 0.05, 0.1, 0.2, 0.3)
RESAMPLES = 2000
CONF = Path(__file__).parents[1] / "conf" / "evaluator"


class Seen(NamedTuple):
    """One image before both evaluators."""

    problem: Problem
    kind: str
    png: bytes
    glassbox: Verdict
    ocr: Verdict


def draw(folder: Path, per_kind: int, seed: int, names: list[str]) -> None:
    """One problem set, and an image set for each kind."""
    chosen = [family(name) for name in names] or list(families().values())
    made = list(make_problems(chosen, "textbook", per_kind, "held_out", 50, seed))
    with SetWriter(folder / "problems", Problem, "drawn") as problems:
        for problem in made:
            problems.append(problem)
        problems.finish()
    todo = list(cases(made, seed))
    pictures: dict[str, list[tuple[Problem, bytes, Drawing | None]]] = defaultdict(list)
    with RenderPool() as pool:
        drawn = track(pool.map(code for _, _, code in todo), "draw", total=len(todo))
        for (problem, defect, _), r in zip(todo, drawn, strict=True):
            if r.png is None or r.drawing is None:
                raise SystemExit(f"{problem.id}, {defect}: {r.status}: {r.error}")
            pictures["clean" if defect is None else defect.value].append((problem, r.png, r.drawing))
            for way in WAYS if defect is None else ():
                copy = garbled_copy(r.png, r.drawing.texts, way, Random(f"{seed}/{problem.id}/{way}"))
                if copy is not None:
                    pictures[way].append((problem, copy[0], None))
    for kind, found in pictures.items():
        with SetWriter(folder / kind, GeneratedImage, kind) as images:
            for problem, png, drawing in found:
                sha = images.put_image(png)
                images.append(
                    GeneratedImage(problem_id=problem.id, generator=kind, status=Status.OK, image=sha, drawing=drawing)
                )
            images.finish()


def look(folder: Path) -> list[Seen]:
    """The verdicts of both evaluators on all sets."""
    items = [i for k in KINDS if (folder / k).exists() for i in items_of(folder / "problems", folder / k)]
    verdicts: dict[str, dict[tuple[str, str], Verdict]] = {}
    for name in ("glassbox", "ocr"):
        evaluator = build(yaml.safe_load((CONF / f"{name}.yaml").read_text()), f"evaluator.{name}")
        with Progress() as progress:
            bar = progress.add_task(name, total=len(items))
            evaluate(
                items,
                evaluator,
                folder / "verdicts" / name,
                lambda: Studio(folder / "responses"),
                watch=partial(tick, progress, bar),
            )
        found = read_set(folder / "verdicts" / name, Verdict)
        verdicts[name] = {(v.problem_id, v.generator): v for v in found}
    return [
        Seen(i.problem, i.image.generator, i.png(), *(verdicts[n][i.problem.id, i.image.generator] for n in verdicts))
        for i in items
    ]


def tick(progress: Progress, bar: TaskID, _: Verdict) -> None:
    progress.advance(bar)


def rate(verdicts: list[Verdict]) -> dict[str, Any]:
    """Flagged among those judged, with a 95 % Wilson interval, and findings by kind."""
    judged = [v for v in verdicts if v.status is VerdictStatus.SCORED]
    flagged = sum(not v.passed for v in judged)
    return {
        "n": len(judged),
        "flagged": flagged,
        "rate": flagged / max(len(judged), 1),
        "ci95": list(wilson(flagged, len(judged))),
        "findings": dict(Counter(str(k) for v in judged for k in {f.kind for f in v.findings}).most_common()),
    }


def agreement(seen: list[Seen], seed: int) -> dict[str, Any]:
    """Spearman's correlation of the numbers of findings over images that both can judge."""
    both = [s for s in seen if {s.glassbox.status, s.ocr.status} == {VerdictStatus.SCORED}]
    pairs: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for s in both:
        pairs[s.problem.id].append((len(s.glassbox.findings), len(s.ocr.findings)))
    groups = [np.array(pairs[k], float) for k in sorted(pairs)]
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(RESAMPLES):
        a = np.concatenate([groups[i] for i in rng.integers(0, len(groups), len(groups))])
        values.append(spearmanr(a[:, 0], a[:, 1]).statistic)
    whole = np.concatenate(groups)
    low, high = np.nanquantile(values, [0.025, 0.975])
    return {
        "images": len(both),
        "problems": len(groups),
        "rho": float(spearmanr(whole[:, 0], whole[:, 1]).statistic),
        "ci95": [float(low), float(high)],
    }


def summarise(seen: list[Seen], seed: int) -> dict[str, Any]:
    """All figures of the tables."""
    by_kind = {k: [s for s in seen if s.kind == k] for k in KINDS}
    seconds = [s.ocr.seconds for s in seen]
    clean = [s.ocr for s in by_kind["clean"]]
    return {
        "kinds": {
            k: {"glassbox": rate([s.glassbox for s in group]), "ocr": rate([s.ocr for s in group])}
            for k, group in by_kind.items()
        },
        "thresholds": {
            str(least): {
                k: sum(s.ocr.measures.get("coverage", 1) < least for s in by_kind[k]) / max(len(by_kind[k]), 1)
                for k in ("clean", "missing_label", "wrong_value")
            }
            for least in COVERAGES
        },
        "garbled_thresholds": {
            str(most): {
                k: sum(s.ocr.measures["garbled"] > most for s in by_kind[k]) / max(len(by_kind[k]), 1)
                for k in ("clean", *WAYS)
            }
            for most in SHARES
        },
        "garbled_texts": {
            "clean": [
                sum(round(v.measures["garbled"] * v.measures["texts"]) for v in clean),
                int(sum(v.measures["texts"] for v in clean)),
            ]
        },
        "spearman": agreement(seen, seed),
        "seconds": {
            "mean": statistics.fmean(seconds),
            "median": statistics.median(seconds),
            "median_clean": statistics.median(v.seconds for v in clean),
            "most": max(seconds),
        },
    }


def show(summary: dict[str, Any]) -> None:
    console = Console(width=150)
    table = Table(title="Flagged images: % (95 % interval) of those that can be judged")
    for column in ("image", "n", "glass-box", "found by", "n", "OCR", "found by"):
        table.add_column(column)
    for kind, row in summary["kinds"].items():
        cells = []
        for name in ("glassbox", "ocr"):
            r = row[name]
            low, high = (100 * v for v in r["ci95"])
            share = f"{100 * r['rate']:.1f} ({low:.1f} to {high:.1f})" if r["n"] else "not applicable"
            cells += [str(r["n"]), share, ", ".join(f"{k} {n}" for k, n in r["findings"].items())]
        table.add_row("clean (false alarms)" if kind == "clean" else kind, *cells)
    console.print(table)
    for what, field in (("least coverage", "thresholds"), ("most garbled", "garbled_thresholds")):
        small = Table(what, *next(iter(summary[field].values())), title=f"OCR: % flagged by {what} alone")
        for threshold, row in summary[field].items():
            small.add_row(threshold, *(f"{100 * v:.1f}" for v in row.values()))
        console.print(small)
    noise, texts = summary["garbled_texts"]["clean"]
    console.print(f"garbled texts in clean pictures: {noise} of {texts}")
    s = summary["spearman"]
    low, high = s["ci95"]
    console.print(
        f"Spearman's rho of the numbers of findings: {s['rho']:.2f} ({low:.2f} to {high:.2f}), {s['images']} images of "
        f"{s['problems']} problems"
    )
    t = summary["seconds"]
    console.print(
        f"OCR seconds an image and process: mean {t['mean']:.2f}, median {t['median']:.2f}, "
        f"clean {t['median_clean']:.2f}, most {t['most']:.1f}"
    )


def sheet(seen: list[Seen], path: Path, most: int = 24) -> None:
    """Clean pictures that the OCR evaluator flags, and defects that it could read and passes."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    from PIL import Image

    wrong = [s for s in seen if (s.kind == "clean" and not s.ocr.passed) or (s.kind in READ and s.ocr.passed)]
    taken: Counter[str] = Counter()
    order = []
    for s in wrong:  # the kinds take turns
        order.append((taken[s.kind], KINDS.index(s.kind), s))
        taken[s.kind] += 1
    shown = [s for _, _, s in sorted(order, key=lambda o: o[:2])[:most]]
    columns = 4
    rows = max(1, -(-len(shown) // columns))
    figure, axes = plt.subplots(rows, columns, figsize=(4 * columns, 3.7 * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, s in zip(axes.flat, shown, strict=False):
        with Image.open(io.BytesIO(s.png)) as picture:
            axis.imshow(picture.convert("RGB"))
        assert s.problem.procedure
        said = "; ".join(f.detail for f in s.ocr.findings) or "read: " + " | ".join(s.ocr.texts)
        what = "false alarm" if s.kind == "clean" else f"missed {s.kind}"
        said = "".join(c if c.isascii() or c in "°µΩθ²³₁₂←·" else "?" for c in said)
        caption = f"{what}, {s.problem.procedure.family}: {said}".replace("$", r"\$")
        axis.set_title(textwrap.fill(textwrap.shorten(caption, 190), 58), fontsize=8, loc="left")
    figure.suptitle(f"OCR evaluator: {len(shown)} of {len(wrong)} misses and false alarms", fontsize=12)
    figure.tight_layout(rect=(0, 0, 1, 0.98))
    figure.savefig(path, dpi=80)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-kind", type=int, default=50, help="textbook problems, each drawn clean and spoilt")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--sheet", type=Path, help="write a contact sheet of misses and false alarms here")
    parser.add_argument("--families", nargs="*", default=[], metavar="FAMILY", help="all if none is named")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        draw(Path(name), args.per_kind, args.seed, args.families)
        seen = look(Path(name))
    summary = summarise(seen, args.seed)
    show(summary)
    if args.json:
        args.json.write_text(json.dumps(summary, indent=2) + "\n")
    if args.sheet:
        sheet(seen, args.sheet)


if __name__ == "__main__":
    main()
