"""Boards as markdown, CSV, LaTeX and HTML. Whatever comes from records is escaped for the format it goes to."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from scigen.evaluation.leaderboard.board import LEGEND, NOT_RUN, TIED, Board, Grid, Text
from scigen.evaluation.leaderboard.columns import COLUMNS
from scigen.evaluation.leaderboard.published import published
from scigen.evaluation.leaderboard.rows import Kind, Mark
from scigen.store import write_atomic

CSV_FIELDS = (
    "split", "generator", "kind", "paradigm", "metric", "value", "low", "high", "n", "mark", "unit", "better",
)  # fmt: skip


def write_all(boards: Sequence[Board], folder: Path) -> dict[str, Path]:
    """leaderboard.md, .csv, .tex and .html in `folder`, each written atomically; gives them by suffix."""
    texts = {"md": markdown(boards), "csv": csv_text(boards), "tex": latex(boards), "html": html(boards)}
    paths = {suffix: folder / f"leaderboard.{suffix}" for suffix in texts}
    for suffix, text in texts.items():
        write_atomic(paths[suffix], text.encode())
    return paths


def markdown(boards: Sequence[Board]) -> str:
    """A heading a part of the benchmark, a table a section."""
    lines = ["# Leaderboard", "", LEGEND, "", f"Published rows: {published().paper}. {published().note}", ""]
    for board in boards:
        lines += [f"## {board.split} ({board.problems} problems)", ""]
        for grid in board.grids():
            lines += [f"### {grid.title}", "", grid.note, "", *_markdown_table(grid), ""]
        if board.outcomes():
            lines += ["### What became of the images", ""]
            rows = [[name, str(n), statuses, bad] for name, n, statuses, bad in board.outcomes()]
            lines += [*_markdown_lines([["generator", "images", "statuses", "evaluators that failed"], *rows]), ""]
    return "\n".join(lines)


def csv_text(boards: Sequence[Board]) -> str:
    """One line a part, row and column of the leaderboard, those not run included: their value is empty.

    Values are unscaled: rates are shares of 1. Breakdowns are lines with `metric` `r_inv[subject=Math]`.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, CSV_FIELDS, lineterminator="\n")
    writer.writeheader()
    for board in boards:
        for row in board.rows:
            for column in COLUMNS:
                cell = row.cells.get(column.key)
                found = {} if cell is None else {
                    "value": cell.value, "low": cell.low, "high": cell.high, "n": cell.n, "mark": cell.mark,
                }  # fmt: skip
                writer.writerow(
                    {"split": board.split, "generator": row.name, "kind": row.kind, "paradigm": row.paradigm,
                     "metric": column.key, "unit": "1" if column.unit == "%" else column.unit,
                     "better": {1: "more", -1: "less", 0: ""}[column.better], **found}
                )  # fmt: skip
        of_row = {row.name: row for row in board.rows if row.kind is not Kind.PUBLISHED}
        for by, found_by in (("subject", board.by_subject), ("image_type", board.by_image_type)):
            for generator, groups in found_by.items():
                for group, cell in groups.items():
                    row = of_row[generator]
                    writer.writerow(
                        {"split": board.split, "generator": generator, "kind": row.kind, "paradigm": row.paradigm,
                         "metric": f"r_inv[{by}={group}]", "value": cell.value, "low": cell.low, "high": cell.high,
                         "n": cell.n, "unit": "1", "better": "more"}
                    )  # fmt: skip
    return out.getvalue()


def latex(boards: Sequence[Board]) -> str:
    """Tables to `\\input`, for the packages booktabs and graphicx."""
    environment = Environment(
        loader=PackageLoader("scigen.evaluation.leaderboard", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    environment.filters.update(tex=tex_escape, cell=_tex_cell, header=_tex_header)
    page = environment.get_template("leaderboard.tex.j2").render(
        boards=boards, legend=LEGEND, paper=published().paper, Kind=Kind
    )
    return page + "\n"


def html(boards: Sequence[Board]) -> str:
    """One page that needs no network and no other file: tabs for the parts, columns that sort at a click."""
    environment = Environment(
        loader=PackageLoader("scigen.evaluation.leaderboard", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    folder = files("scigen.evaluation.leaderboard") / "templates"
    page = environment.get_template("leaderboard.html.j2").render(
        boards=boards,
        legend=LEGEND,
        published=published(),
        css=Markup((folder / "leaderboard.css").read_text(encoding="utf-8")),
        script=Markup((folder / "leaderboard.js").read_text(encoding="utf-8")),
        whisker=whisker,
        Kind=Kind,
        Mark=Mark,
        not_run=NOT_RUN,
        tied=TIED,
    )
    return page + "\n"


def whisker(grid: Grid, index: int, text: Text) -> tuple[float, float, float] | None:
    """Low end, value and high end of a cell's interval in per cent of its column's range; None without an interval."""
    cells = [line.texts[index].cell for line in grid.lines]
    ends = [v for c in cells if c is not None for v in (c.low, c.high, c.value) if v is not None]
    cell = text.cell
    if cell is None or cell.low is None or cell.high is None:
        return None
    low, high = min(ends), max(ends)
    width = (high - low) or 1.0
    return tuple(round(100 * (v - low) / width, 1) for v in (cell.low, cell.value, cell.high))  # type: ignore[return-value]


_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--", "≈": r"$\approx$", "↑": r"$\uparrow$",
    "↓": r"$\downarrow$", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


def tex_escape(text: str) -> str:
    """Text as LaTeX would print it. A character outside Latin-1 that is not known here becomes `?`."""
    return "".join(_TEX.get(c, c if ord(c) < 256 else "?") for c in str(text))


def _tex_cell(text: Text) -> str:
    if text.cell is None:
        return "--"
    value = rf"\textbf{{{text.text}}}" if text.mark is Mark.BEST else text.text
    value += r"\,$\approx$" if text.mark is Mark.TIED else ""
    if not text.interval:
        return value
    return rf"\begin{{tabular}}[t]{{@{{}}r@{{}}}}{value}\\{{\scriptsize {tex_escape(text.interval)}}}\end{{tabular}}"


def _tex_header(text: str) -> str:
    """A long header on two lines, broken at the space nearest to its middle."""
    spaces = [i for i, c in enumerate(text) if c == " "]
    if len(text) <= 12 or not spaces:
        return tex_escape(text)
    at = min(spaces, key=lambda i: abs(i - len(text) / 2))
    return rf"\shortstack[r]{{{tex_escape(text[:at])}\\{tex_escape(text[at + 1 :])}}}"


def _markdown_table(grid: Grid) -> list[str]:
    head, *body = grid.plain()
    for cells, line in zip(body, grid.lines, strict=True):
        cells[3:] = [f"**{t.text}** {t.interval}" if t.mark is Mark.BEST else t.whole for t in line.texts]
    return _markdown_lines([head, *body])


def _markdown_lines(table: Sequence[Sequence[str]]) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(_markdown_escape(c) for c in cells) + " |"

    return [line(table[0]), "|" + "---|" * len(table[0]), *map(line, table[1:])]


def _markdown_escape(text: str) -> str:
    for character in "\\|<`":
        text = text.replace(character, f"\\{character}")
    return text.replace("_", r"\_").replace("\n", " ")
