"""Procedural families at the shell: what there is, how it looks, whether its answers hold.

python -m scigen.problems.procedural list
python -m scigen.problems.procedural sheet --out FILE.png [FAMILY ...]
python -m scigen.problems.procedural verify --count 100000 [FAMILY ...]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from scigen.errors import ScigenError
from scigen.problems.procedural.registry import families, family
from scigen.problems.procedural.sheet import contact_sheet
from scigen.problems.procedural.verify import made, verify
from scigen.store import write_atomic

SHOWN = 10
"""Disagreements printed a family."""


def main(argv: list[str] | None = None) -> int:
    """Exit status: 0; 1 if an answer does not hold; 2 after a user's error."""
    parser = argparse.ArgumentParser(
        prog="python -m scigen.problems.procedural",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="families by subject and image type")
    sheet = commands.add_parser("sheet", help="a picture of clean drawings at difficulties 1 to 3")
    sheet.add_argument("--out", type=Path, required=True)
    sheet.add_argument("--columns", type=int, default=2, help="families side by side")
    sheet.add_argument("--cell", type=int, nargs=2, default=(300, 240), metavar=("WIDTH", "HEIGHT"), help="pixels")
    check = commands.add_parser("verify", help="make problems, look for repeated ids, solve each a second way")
    check.add_argument("--count", type=int, default=10_000)
    for command in (sheet, check):
        command.add_argument("--seed", type=int, default=0)
        command.add_argument("names", nargs="*", metavar="FAMILY", help="all if none is named")
    args = parser.parse_args(argv)
    console = Console()
    try:
        match args.command:
            case "list":
                return _list(console)
            case "sheet":
                return _sheet(args, console)
            case _:
                return _verify(args, console)
    except ScigenError as e:
        print(f"error: {e}", file=sys.stderr)
        return 2


def _list(console: Console) -> int:
    table = Table("subject", "image type", "family", "glance", "second way", title="procedural families")
    for name, f in sorted(families().items(), key=lambda x: (x[1].subject, x[1].image_type, x[0])):
        table.add_row(f.subject, f.image_type, name, "yes" if f.glance else "", "yes" if f.solve else "")
    console.print(table)
    return 0


def _sheet(args: argparse.Namespace, console: Console) -> int:
    import io

    chosen = [family(n) for n in args.names] or sorted(families().values(), key=lambda f: (f.subject, f.image_type))
    buffer = io.BytesIO()
    contact_sheet(chosen, args.seed, args.columns, tuple(args.cell)).save(buffer, format="PNG", optimize=True)
    write_atomic(args.out, buffer.getvalue())
    console.print(f"{len(chosen)} families in {args.out}")
    return 0


def _verify(args: argparse.Namespace, console: Console) -> int:
    start = time.monotonic()
    problems = made(args.names, args.count, args.seed)
    tallies = verify(track(problems, "make and solve", total=args.count, console=console))
    seconds = time.monotonic() - start
    table = Table("family", "problems", "solved a second way", "disagree", title="answers")
    for name in sorted(tallies):
        tally = tallies[name]
        solved = str(tally.solved) if family(name).solve else "-"
        table.add_row(name, str(tally.problems), solved, str(len(tally.disagreements)))
    wrong = sum(len(t.disagreements) for t in tallies.values())
    table.add_section()
    total = sum(t.problems for t in tallies.values())
    table.add_row("all, every id once", str(total), str(sum(t.solved for t in tallies.values())), str(wrong))
    console.print(table)
    for name, tally in sorted(tallies.items()):
        for line in tally.disagreements[:SHOWN]:
            console.print(f"{name} {line}", markup=False)
    console.print(f"{total / seconds:.0f} problems/s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
