"""The dashboard from the shell.

    python -m scigen.analysis.dashboard page [RUN...] [--out outputs/dashboard.html]     a local page, without W&B
    python -m scigen.analysis.dashboard spec [--out FILE]                               W&B workspace, report as JSON
    python -m scigen.analysis.dashboard publish --entity NAME                            makes both on the W&B server

`publish` takes the key from WANDB_API_KEY.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from scigen.errors import ScigenError
from scigen.store import write_atomic


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m scigen.analysis.dashboard", description="Curves of runs.")
    commands = parser.add_subparsers(dest="command", required=True)
    page = commands.add_parser("page", help="one HTML page that works without W&B and without a network")
    page.add_argument("runs", type=Path, nargs="*", default=[Path("outputs")], metavar="RUN", help="folders of runs")
    page.add_argument("--out", type=Path, default=Path("outputs/dashboard.html"))
    spec = commands.add_parser("spec", help="W&B workspace and report as JSON; no login")
    spec.add_argument("--out", type=Path, default=Path("outputs/dashboard.json"))
    publish = commands.add_parser("publish", help="make workspace and report on the W&B server; needs WANDB_API_KEY")
    for command in (spec, publish):
        command.add_argument("--entity", required=command is publish, default="entity", help="W&B user or team")
        command.add_argument("--project", default="scigen")
    args = parser.parse_args(arguments)
    try:
        if args.command == "page":
            _page(args.runs, args.out)
        elif args.command == "spec":
            _spec(args.entity, args.project, args.out)
        else:
            _publish(args.entity, args.project)
    except ScigenError as e:
        sys.exit(f"error: {e}")


def _page(places: list[Path], out: Path) -> None:
    from scigen.analysis.dashboard.page import write_page
    from scigen.analysis.dashboard.runs import find

    runs = find(places)
    panels = write_page(runs, out)
    print(f"{panels} panels of {len(runs)} run{'s' if len(runs) > 1 else ''} in {out}")


def _spec(entity: str, project: str, out: Path) -> None:
    from scigen.analysis.dashboard.wandb_spec import spec

    write_atomic(out, json.dumps(spec(entity, project), indent=2).encode() + b"\n")
    print(f"workspace and report of {entity}/{project} in {out}")


def _publish(entity: str, project: str) -> None:
    from scigen.analysis.dashboard.wandb_spec import publish

    try:
        made = publish(entity, project)
    except Exception as e:  # W&B raises plain exceptions, for a missing key too
        raise ScigenError(f"W&B: {e}. Set WANDB_API_KEY, and give an --entity that you may write to.") from e
    for name, url in made.items():
        print(f"{name}: {url}")


if __name__ == "__main__":
    main()
