"""How well the glass-box checks find planted defects: recall per kind, false alarms and precision, with intervals.

    python benchmarks/glassbox.py [--per-kind 60] [--seed 0] [--json FILE] [--families NAME ...] [--alarms]

Draws `--per-kind` textbook problems clean and once with each planted defect, the families taking turns, through the
real sandboxed renderer, and checks them. Half a minute on 2 cores. The checks read texts only: swapped labels and wrong
geometry are expected to be missed: the table says so in numbers.
A drawing counts as flagged when it has any finding; a defect whose drawing is the same as the clean one is left out.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from rich.console import Console
from rich.progress import track
from rich.table import Table

from scigen.evaluation import Glassbox, Item
from scigen.generators import ProceduralGenerator
from scigen.problems.procedural.make import make_problems
from scigen.problems.procedural.registry import families, family
from scigen.records import Defect, GeneratedImage, Problem, Verdict
from scigen.rendering import RenderPool
from scigen.statistics import wilson


def cases(problems: list[Problem], seed: int) -> Iterator[tuple[Problem, Defect | None, str]]:
    """Problem, planted defect (None for clean) and script."""
    for problem in problems:
        assert problem.procedure is not None
        source, params = family(problem.procedure.family), problem.procedure.params
        clean = source.draw(params).script()
        yield problem, None, clean
        for defect in Defect:
            code = source.spoil(params, defect, Random(f"{seed}/{problem.id}/{defect}")).script()
            if code != clean:
                yield problem, defect, code


def run(per_kind: int, seed: int, names: list[str]) -> list[tuple[Problem, Defect | None, Verdict]]:
    chosen = [family(name) for name in names] or list(families().values())
    problems = list(make_problems(chosen, "textbook", per_kind, "held_out", 50, seed))
    todo = list(cases(problems, seed))
    name = ProceduralGenerator().name
    results = []
    with RenderPool() as pool:
        drawn = track(pool.map(code for _, _, code in todo), "draw and check", total=len(todo))
        for (problem, defect, code), r in zip(todo, drawn, strict=True):
            image = GeneratedImage(
                problem_id=problem.id,
                generator=name,
                status=r.status,
                image="drawn" if r.png else None,
                width=r.width,
                height=r.height,
                code=code,
                drawing=r.drawing,
                error=r.error,
                planted_defect=defect,
            )
            results.append((problem, defect, Glassbox().look(Item(problem, image, Path(), Path()))))
    return results


def summarise(results: list[tuple[Problem, Defect | None, Verdict]]) -> dict[str, dict[str, object]]:
    """Per defect kind and for clean drawings: n, flagged, rate, 95 % interval, findings by kind."""
    summary: dict[str, dict[str, object]] = {}
    for kind in (None, *Defect):
        checks = [c for _, d, c in results if d is kind]
        flagged = sum(not c.passed for c in checks)
        summary[str(kind or "clean")] = {
            "n": len(checks),
            "no_image": sum(c.status == "no_image" for c in checks),
            "flagged": flagged,
            "rate": flagged / max(len(checks), 1),
            "ci95": list(wilson(flagged, len(checks))),
            "findings": dict(Counter(str(k) for c in checks for k in {f.kind for f in c.findings})),
        }
    spoilt = [c for _, d, c in results if d is not None]
    hits = sum(not c.passed for c in spoilt)
    alarms = int(str(summary["clean"]["flagged"]))
    precision = hits / max(hits + alarms, 1)
    summary["precision"] = {"n": hits + alarms, "rate": precision, "ci95": list(wilson(hits, hits + alarms))}
    return summary


def show(summary: dict[str, dict[str, object]]) -> None:
    table = Table("drawing", "n", "flagged", "rate %", "95 % interval", "found by", title="Glass-box checks")
    for kind, row in summary.items():
        low, high = json.loads(str(row["ci95"]))
        found = ", ".join(f"{k} {n}" for k, n in dict(row.get("findings", {})).items())  # type: ignore[call-overload]
        rate = f"{100 * float(str(row['rate'])):.1f}"
        label = {"clean": "clean (false alarms)", "precision": "precision, one of each kind"}.get(kind, kind)
        interval = f"{100 * low:.1f} to {100 * high:.1f}"
        table.add_row(label, str(row["n"]), str(row.get("flagged", "")), rate, interval, found)
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-kind", type=int, default=60, help="textbook problems, each drawn clean and spoilt")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--alarms", action="store_true", help="list the findings on clean drawings")
    parser.add_argument("--families", nargs="*", default=[], metavar="FAMILY", help="all if none is named")
    args = parser.parse_args()
    results = run(args.per_kind, args.seed, args.families)
    summary = summarise(results)
    show(summary)
    if args.alarms:
        for problem, defect, result in results:
            if defect is None and not result.passed:
                assert problem.procedure is not None
                for f in result.findings:
                    print(f"{problem.procedure.family} {problem.id}: {f.kind}: {f.detail}")
    if args.json:
        args.json.write_text(json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    main()
