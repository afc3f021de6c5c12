"""study=controls: a run beside its controls and ablations, with differences paired by problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from rich.table import Table

from scigen.analysis.paper_study import controls as study
from scigen.analysis.paper_study import figures, words
from scigen.analysis.paper_study.page import Page
from scigen.analysis.paper_study.results import Compared
from scigen.analysis.paper_study.rows import row_of
from scigen.app.analyze import Runs
from scigen.app.stages import CONSOLE
from scigen.app.studies.paper import Draw, figures_of, plan_table, read_runs, terminal, write_page, write_plots

NOTE = (
    "95 % intervals over problems, and over seeds where there are several. Gains are over each run's own first "
    "validation; differences are paired by problem and, where both have it, by seed. A difference is called clear when "
    "its interval leaves out zero; no correction is made for their number."
)


@dataclass(frozen=True)
class Controls:
    """`controls` and `ablations` are experiments, each with what it is in words; `benchmarks` are data sources."""

    main: str
    benchmarks: Mapping[str, str]
    controls: Mapping[str, str]
    ablations: Mapping[str, str]
    needs_runs: ClassVar[bool] = False

    def plan(self, runs: Runs) -> Table:
        """The experiments, and which runs there are of each."""
        return plan_table([self.main, *self.controls, *self.ablations], runs)

    def run(self, runs: Runs, output: Path) -> dict[str, Any]:
        """Write controls.html, controls.md, figures and controls.json; print the readings."""
        found, begun = read_runs(runs, {self.main, *self.controls, *self.ablations})
        names = list(self.benchmarks)
        main = row_of(self.main, self.main, found, names, self.main in begun)
        against = study.compared_rows(main, self.controls, found, names, words.reading, begun)
        changed = study.compared_rows(main, self.ablations, found, names, words.worth, begun)
        rows = [main, *(c.row for c in (*against, *changed))]
        draw: dict[str, tuple[Draw, str]] = {
            "gaps": (
                lambda theme: figures.gaps(main, [*against, *changed], theme=theme),
                f"Gains over each run's start, and {main.name} minus each, with 95 % intervals.",
            )
        }
        if any(row.curves for row in rows):
            draw["curves"] = (
                lambda theme: figures.curves(rows, self.benchmarks, theme=theme),
                "Training reward (each run's own) and validations by step.",
            )
        tables = [study.comparison_table("Controls", NOTE, main, against, self.benchmarks)]
        if changed:
            tables.append(study.comparison_table("Ablations", NOTE, main, changed, self.benchmarks))
        page = Page(
            kicker=f"Controls and ablations of {self.main}",
            title=study.title_of(main, against),
            standfirst="A gain that a control shares is not owed to what the control takes away.",
            findings=study.findings([*against, *changed]),
            tables=tables,
            plots=write_plots(output, "controls", draw),
            sources=[f"{row.title}: {', '.join(row.runs) or row.state}" for row in rows]
            + [f"{row.title} was started with {', '.join(row.changed)}" for row in rows if row.changed],
            links={},
        )
        write_page(output, "controls", page, [main, *against, *changed])
        for table in tables:
            CONSOLE.print(terminal(table, (0, 1 + len(names), 2 + len(names))))
        for sentence in page.findings:
            CONSOLE.print(f"- {sentence}", markup=False)
        return {
            "main": {self.main: figures_of(main)},
            "compared": {c.row.name: _figures(c) for c in (*against, *changed)},
            "unit": "fraction",
        }


def _figures(compared: Compared) -> dict[str, Any]:
    gap = compared.main_minus_this
    return {
        **figures_of(compared.row),
        "main_minus_this": gap.model_dump() if gap else None,
        "reading": compared.reading,
    }
