"""study=paper: the paper's tables and figures, published values beside ours where they were run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.table import Table
from rich.text import Text

from scigen.analysis.cards import data_uri
from scigen.analysis.figures import Theme, to_png
from scigen.analysis.paper_study import figures, paper
from scigen.analysis.paper_study.page import Page, Plot, TableOf, html, markdown
from scigen.analysis.paper_study.published import published_table
from scigen.analysis.paper_study.results import Row
from scigen.analysis.paper_study.runs import StudyRun, experiment_of, read_study_run
from scigen.app.analyze import Runs
from scigen.app.stages import CONSOLE
from scigen.evaluation.leaderboard import published as published_systems
from scigen.store import write_atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw = Callable[[Theme], "Figure"]


@dataclass(frozen=True)
class Paper:
    """`images` is the folder where scripts/evaluate.py wrote evaluation.json and the leaderboard, if it has run."""

    images: str
    needs_runs: ClassVar[bool] = False

    def plan(self, runs: Runs) -> Table:
        """The rows, and which runs there are for each."""
        return plan_table(list(published_table().rows), runs)

    def run(self, runs: Runs, output: Path) -> dict[str, Any]:
        """Write paper.html, paper.md, the figures and paper.json; print the training table."""
        found, begun = read_runs(runs, published_table().rows)
        rows = paper.paper_rows(found, begun)
        measured, board = self._images()
        table = published_table()
        titles = {name: b.title for name, b in table.benchmarks.items()}
        draw: dict[str, tuple[Draw, str]] = {
            "accuracies": (
                lambda theme: figures.accuracies(rows, titles, table.rows, theme=theme),
                "Accuracy of each row: ours filled with 95 % intervals, published hollow.",
            )
        }
        if any(row.curves for row in rows):
            draw["curves"] = (
                lambda theme: figures.curves(rows, titles, theme=theme),
                "Training reward and validations by step.",
            )
        page = Page(
            kicker="The paper's tables, published and run again",
            title=_title(rows),
            standfirst=f"{table.paper}. {table.protocol}.",
            findings=paper.findings(rows),
            tables=[paper.training_table(rows), paper.format_table(rows), paper.image_table(measured)],
            plots=write_plots(output, "paper", draw),
            sources=[
                f"Published values: {table.paper}. The average of the untrained model is the mean of its two numbers, "
                "50.45; the paper prints 54.5.",
                f"Published image scores: {published_systems().note}",
                *(f"{row.title}: {', '.join(row.runs)}" for row in rows if row.runs),
                f"Images: {board}" if measured else f"Images: no evaluation.json in {self.images}.",
            ],
            links=_links({"The whole image leaderboard": Path(self.images) / "leaderboard.html"}, output),
        )
        write_page(output, "paper", page, rows)
        average = 1 + 2 * len(titles)  # then published, gain, published
        CONSOLE.print(terminal(page.tables[0], (0, average, average + 1, average + 2)))
        for sentence in page.findings:
            CONSOLE.print(f"- {sentence}", markup=False)
        return {
            "rows": {row.name: figures_of(row) for row in rows},
            "images": sorted(measured),
            "unit": "fraction",
        }

    def _images(self) -> tuple[Mapping[str, Mapping[str, Any]], Path]:
        """The leaderboard's measured rows; none when the images were not evaluated."""
        file = Path(self.images) / "evaluation.json"
        return (json.loads(file.read_bytes())["leaderboard"] if file.exists() else {}), file


def read_runs(runs: Runs, wanted: Collection[str]) -> tuple[list[StudyRun], frozenset[str]]:
    """The finished runs of these experiments, and the experiments that were begun and not finished."""
    untrained = published_table().policy
    found = [run for folder in runs.finished if (run := read_study_run(folder, wanted, untrained)) is not None]
    begun = {name for folder in runs.unfinished if (name := experiment_of(folder)) is not None}
    return found, frozenset(begun - {run.experiment for run in found})


def plan_table(names: Sequence[str], runs: Runs) -> Table:
    """Each experiment with its finished and unfinished runs."""
    table = Table(title="what the study would read", title_justify="left")
    for column in ("experiment", "finished", "not finished"):
        table.add_column(column)
    finished = [(run.experiment, str(run.folder)) for run in read_runs(runs, names)[0]]
    unfinished = [(experiment_of(f), str(f)) for f in runs.unfinished]
    for name in names:
        cells = [", ".join(folder for e, folder in group if e == name) for group in (finished, unfinished)]
        table.add_row(name, *(Text(cell or "none") for cell in cells))
    return table


def write_plots(output: Path, study: str, draw: Mapping[str, tuple[Draw, str]]) -> list[Plot]:
    """The figures as files, and for the page in both themes."""
    plots = []
    for name, (figure, caption) in draw.items():
        light = to_png(figure("light"))
        write_atomic(output / f"{study}-{name}.png", light)
        dark = to_png(figure("dark"))
        plots.append(Plot(data_uri(light), data_uri(dark), f"{study}-{name}.png", caption))
    return plots


def write_page(output: Path, study: str, page: Page, rows: Sequence[Any]) -> None:
    """STUDY.html, STUDY.md, and the rows as STUDY.json."""
    write_atomic(output / f"{study}.html", html(page).encode())
    write_atomic(output / f"{study}.md", markdown(page).encode())
    body = json.dumps([row.model_dump(mode="json") for row in rows], indent=1)
    write_atomic(output / f"{study}.json", body.encode() + b"\n")


def terminal(table: TableOf, columns: Sequence[int]) -> Table:
    """Some of its columns, for the end of the command."""
    shown = Table(title=table.title, title_justify="left")
    for n in columns:
        shown.add_column(table.head[n], justify="left" if n == 0 else "right")
    for row in table.rows:
        shown.add_row(*(Text(row[n]) for n in columns))
    return shown


def figures_of(row: Row) -> dict[str, Any]:
    """For summary.json."""
    return {
        "state": row.state,
        "seeds": list(row.seeds),
        "benchmarks": {
            name: {
                "avg": s.accuracy.value, "ci95": s.accuracy.ci95, "n": s.accuracy.problems, "answers": s.answers,
                "gain": s.gain.model_dump() if s.gain else None, "truncated": s.truncated, "no_answer": s.no_answer,
            }
            for name, s in row.scores.items()
        },
        "average": row.average.model_dump() if row.average else None,
        "average_gain": row.average_gain.model_dump() if row.average_gain else None,
    }  # fmt: skip


def _title(rows: Sequence[Row]) -> str:
    done = sum(row.state == "run" for row in rows)
    if not done:
        return "The paper's tables: nothing of the training was run here"
    return f"The paper's tables: {done} of {len(rows)} training rows run here"


def _links(files: Mapping[str, Path], output: Path) -> dict[str, str]:
    return {words: os.path.relpath(path, output) for words, path in files.items() if path.exists()}
