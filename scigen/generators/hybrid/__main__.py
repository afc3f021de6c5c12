"""Learns routes from verdicts, and shows them: `python -m scigen.generators.hybrid learn|show --help`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scigen.errors import ScigenError
from scigen.generators.hybrid.routes import ANY, Count, Routes, learn, read_routes, write_routes
from scigen.records import ImageType, Problem, Verdict
from scigen.statistics import wilson
from scigen.store import iter_set


def table(routes: Routes) -> Table:
    """Image types by generators: rate with its 95 % interval and count, and who is best by the data alone."""
    names = sorted({name for counts in routes.counts.values() for name in counts})
    shown = Table(title="pass rates, % (95 % interval, images)", title_justify="left")
    shown.add_column("image type", no_wrap=True)
    for name in names:
        shown.add_column(name, justify="right")
    shown.add_column("best measured")
    shown.caption = "the router adds its prior, which counts for a few images a type"
    for kind in [t.value for t in ImageType] + [ANY]:
        cells = []
        for name in names:
            count = routes.counts.get(kind, {}).get(name, Count())
            low, high = wilson(count.passed, count.images)
            rate = f"{100 * count.passed / count.images:.0f}" if count.images else ""
            cells.append(f"{rate} ({100 * low:.0f} to {100 * high:.0f}, n={count.images})" if count.images else "-")
        best = routes.best_measured(kind)
        shown.add_row(kind, *cells, best[0] if best else "")
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scigen.generators.hybrid", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    learning = commands.add_parser("learn", help="count verdicts by image type and generator, write the table")
    learning.add_argument("--problems", type=Path, required=True, help="the set of problems that were judged")
    learning.add_argument("--checks", type=Path, nargs="+", required=True, help="sets of verdicts, any evaluators")
    learning.add_argument("--evaluators", nargs="*", default=[], help="only these; by default an image must pass all")
    learning.add_argument("--out", type=Path, required=True, help="the table, JSON, for generator.routes=...")
    showing = commands.add_parser("show", help="print a table")
    showing.add_argument("routes", type=Path)
    args = parser.parse_args()
    try:
        if args.command == "learn":
            checks = (check for folder in args.checks for check in iter_set(folder, Verdict))
            routes = learn(iter_set(args.problems, Problem), checks, args.evaluators)
            write_routes(routes, args.out)
        else:
            routes = read_routes(args.routes)
    except ScigenError as e:
        sys.exit(f"error: {e}")
    Console().print(table(routes))
    if args.command == "learn":
        Console().print(f"written to {args.out}; use it with generator=hybrid generator.routes={args.out}")


if __name__ == "__main__":
    main()
