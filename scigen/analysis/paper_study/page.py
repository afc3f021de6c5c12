"""The study's pages: one HTML file with everything in it, and the same as markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scigen.analysis.pages import templates
from scigen.analysis.paper_study.words import NOT_RUN

Cells = tuple[str, ...]


@dataclass(frozen=True)
class TableOf:
    """A table in words: what both pages show. A row whose `done` is False is set in grey."""

    title: str
    note: str
    head: Cells
    rows: Sequence[Cells]
    done: Sequence[bool]


@dataclass(frozen=True)
class Plot:
    """A figure as data URIs in both themes, and its file."""

    light: str
    dark: str
    path: str
    caption: str


@dataclass(frozen=True)
class Page:
    """The whole study. `findings` are sentences; `sources` says where the numbers are from."""

    kicker: str
    title: str
    standfirst: str
    findings: Sequence[str]
    tables: Sequence[TableOf]
    plots: Sequence[Plot]
    sources: Sequence[str]
    links: Mapping[str, str]
    """Words to an address relative to the page."""


def html(page: Page) -> str:
    """Everything from records is escaped; no network, no script, no other file."""
    return templates().get_template("study.html.j2").render(p=page, not_run=NOT_RUN) + "\n"


def markdown(page: Page) -> str:
    """The same, for a terminal or a repository; figures are linked."""
    lines = [f"# {page.title}", "", page.standfirst, ""]
    lines += [f"- {sentence}" for sentence in page.findings]
    for table in page.tables:
        lines += ["", f"## {table.title}", "", table.note, "", _line(table.head), _line(["---"] * len(table.head))]
        lines += [_line(row) for row in table.rows]
    for plot in page.plots:
        lines += ["", f"![{plot.caption}]({plot.path})"]
    lines += ["", "## Sources", "", *(f"- {source}" for source in page.sources)]
    lines += [f"- [{words}]({address})" for words, address in page.links.items()]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
