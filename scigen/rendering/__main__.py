"""Draw scripts from the shell, and show what this machine offers for it: `python -m scigen.rendering --help`."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
import tokenize
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scigen.errors import ScigenError
from scigen.records import ScriptError, Status
from scigen.rendering import Limits, Rendering, RenderPool, host

HELP = """\
Draw Matplotlib scripts and TikZ pictures in a sandbox, or show what this machine offers for it.

  python -m scigen.rendering --probe
      a table: walls against hostile scripts, cores, fonts. Exit 0 if untrusted scripts can be drawn, else 1.

  python -m scigen.rendering draw SCRIPT... --out DIR
      one PNG a script in DIR, and one line of JSON a script on standard output:
      {"name": ..., "status": ..., "image": ..., "error": ..., "seconds": ...}
      Names that end in .tex or .tikz are drawn by TeX, all others by Python.
      status: ok, code_error, timeout, memory, blank, bad_image. Exit 0 when every script got its status.

  options of draw
      --out DIR          where the PNGs go (made if it is not there); NAME.png for NAME.py, also summary.json
      --workers N        drawing processes (default: the cores this process may use)
      --timeout S        wall clock a script in seconds (default {timeout:g})
      --memory MIB       memory a script (default {memory})
      --drawing          add what was drawn to each line: texts with boxes, axes, artists, colours, overlaps
      --no-namespaces    Landlock and seccomp only
      --unsafe           no sandbox: for your own scripts, on a machine that has none

  exit codes: 0 done, 1 not possible on this machine, 2 wrong arguments or a script that cannot be read
"""


TEX_SUFFIXES = (".tex", ".tikz")


class _Parser(argparse.ArgumentParser):
    def format_help(self) -> str:
        return HELP.replace("{timeout:g}", f"{Limits.timeout_s:g}").replace("{memory}", str(Limits.memory_mb))

    def error(self, message: str) -> Any:
        self.exit(2, f"scigen.rendering: {message}. See python -m scigen.rendering --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _Parser(prog="python -m scigen.rendering")
    parser.add_argument("--probe", action="store_true")
    commands = parser.add_subparsers(dest="command", parser_class=_Parser)
    draw = commands.add_parser("draw")
    draw.add_argument("scripts", nargs="+", type=Path, metavar="SCRIPT")
    draw.add_argument("--out", required=True, type=Path)
    draw.add_argument("--workers", type=int)
    draw.add_argument("--timeout", type=float, default=Limits.timeout_s)
    draw.add_argument("--memory", type=int, default=Limits.memory_mb)
    draw.add_argument("--drawing", action="store_true")
    draw.add_argument("--no-namespaces", action="store_true")
    draw.add_argument("--unsafe", action="store_true")
    options = parser.parse_args(arguments)
    try:
        if options.probe:
            return _probe()
        if options.command == "draw":
            return _draw(parser, options)
    except ScigenError as e:
        print(e, file=sys.stderr)
        return 1
    parser.error("say --probe or draw")
    return 2


def _probe() -> int:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows, possible = host.probe()
    table = Table(title="Drawing untrusted scripts on this machine", title_justify="left", show_header=False)
    for row in rows:
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)
    print("untrusted scripts can be drawn here" if possible else "untrusted scripts cannot be drawn here")
    return 0 if possible else 1


def _draw(parser: _Parser, options: argparse.Namespace) -> int:
    for script in options.scripts:
        if not (script.is_file() and os.access(script, os.R_OK)):
            parser.error(f"{script}: no file that can be read; nothing was drawn")
    images = _image_paths(options.scripts, options.out)
    options.out.mkdir(parents=True, exist_ok=True)
    limits = Limits(timeout_s=options.timeout, memory_mb=options.memory)
    start, statuses = time.perf_counter(), Counter[str]()
    sources = [_read(script) for script in options.scripts]
    languages = ["tikz" if script.suffix in TEX_SUFFIXES else "matplotlib" for script in options.scripts]
    with contextlib.ExitStack() as pools:
        drawn = {}
        for language in sorted(set(languages)):
            confined = not options.no_namespaces
            pool = RenderPool(options.workers, limits, language=language, namespaces=confined, unsafe=options.unsafe)
            pools.enter_context(pool)
            own = [s for s, spoken in zip(sources, languages, strict=True) if spoken == language and isinstance(s, str)]
            drawn[language] = pool.map(own)
        for script, source, language, image in zip(options.scripts, sources, languages, images, strict=True):
            rendering = next(drawn[language]) if isinstance(source, str) else source
            statuses[rendering.status.value] += 1
            print(json.dumps(_record(script, rendering, image, options.drawing), ensure_ascii=False), flush=True)
    wall_s = time.perf_counter() - start
    summary = {"command": "draw", "scripts": len(images), "status": dict(statuses), "wall_s": round(wall_s, 3)}
    _write(options.out / "summary.json", (json.dumps(summary, indent=2) + "\n").encode())
    counts = ", ".join(f"{status} {n}" for status, n in statuses.most_common())
    print(f"{len(images)} scripts in {wall_s:.1f} s ({counts}) -> {options.out}", file=sys.stderr)
    return 0


def _image_paths(scripts: Sequence[Path], out: Path) -> list[Path]:
    """NAME.png for NAME.py; scripts of one name get numbers, in the order given."""
    seen, paths = Counter[str](), []
    for script in scripts:
        seen[script.stem] += 1
        number = f"-{seen[script.stem]}" if seen[script.stem] > 1 else ""
        paths.append(out / f"{script.stem}{number}.png")
    return paths


def _read(script: Path) -> str | Rendering:
    """The script's text in the encoding it declares; what cannot be decoded has the status a run would have given."""
    try:
        with open(script, encoding="utf-8") if script.suffix in TEX_SUFFIXES else tokenize.open(script) as f:
            return f.read()
    except (SyntaxError, UnicodeDecodeError) as e:
        return Rendering(Status.CODE_ERROR, error=ScriptError(type="SyntaxError", message=str(e)))


def _record(script: Path, rendering: Rendering, image: Path, with_drawing: bool) -> dict[str, Any]:
    if rendering.png is not None:
        _write(image, rendering.png)
    else:
        image.unlink(missing_ok=True)  # of an earlier run: it would pass for this one's
    record: dict[str, Any] = {
        "name": str(script),
        "status": rendering.status.value,
        "image": str(image) if rendering.png is not None else None,
        "error": rendering.error.model_dump() if rendering.error else None,
        "seconds": round(rendering.seconds, 4),
    }
    if with_drawing:
        record["drawing"] = rendering.drawing.model_dump() if rendering.drawing else None
    return record


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


if __name__ == "__main__":
    sys.exit(main())
