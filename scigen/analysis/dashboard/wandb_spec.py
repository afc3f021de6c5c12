"""The panels as a W&B workspace and report. The specs are made without a login; `publish` needs one.

wandb-workspaces has no public way to write a spec to a file: `_to_model` is its own, so its version is pinned.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scigen.analysis.dashboard.panels import SECTIONS, Curves, Levels, Panel, Section

if TYPE_CHECKING:
    from wandb_workspaces.reports.v2 import Report
    from wandb_workspaces.workspaces import Workspace

TITLE = "scigen: training, controls, scaling law"
WIDTH, HEIGHT, COLUMNS = 8, 7, 3
"""Of a panel in a report, whose grid is 24 wide."""


def workspace(entity: str, project: str) -> Workspace:
    """One section of panels for each of ours. Sections show all runs; those without the figure leave no mark."""
    import wandb_workspaces.workspaces as ws

    def section(ours: Section) -> ws.Section:
        return ws.Section(name=ours.title, panels=[p for panel in ours.panels for p in plots(panel)], is_open=True)

    settings = ws.WorkspaceSettings(x_axis="Step", max_runs=50)
    sections = [section(s) for s in SECTIONS]
    return ws.Workspace(entity=entity, project=project, name=TITLE, sections=sections, settings=settings)


def report(entity: str, project: str) -> Report:
    """The same panels with their notes, each section over the runs of its job type."""
    import wandb_workspaces.reports.v2 as wr

    blocks: list[Any] = [wr.P("Made by `python -m scigen.analysis.dashboard publish`."), wr.TableOfContents()]
    for section in SECTIONS:
        blocks += [wr.H1(section.title), wr.P(section.note), grid(section)]
    return wr.Report(entity=entity, project=project, title=TITLE, blocks=blocks, width="fluid")


def grid(section: Section) -> Any:
    """A section's panels over its runs."""
    import wandb_workspaces.reports.v2 as wr
    from wandb_workspaces import expr

    chosen = expr.And(expr.Metric("JobType") == section.job_type.value)
    runs = wr.Runset(name=section.job_type.value, filters=chosen)
    panels = [p for panel in section.panels for p in plots(panel)]
    for n, panel in enumerate(panels):
        panel.layout = wr.Layout(x=WIDTH * (n % COLUMNS), y=HEIGHT * (n // COLUMNS), w=WIDTH, h=HEIGHT)
    return wr.PanelGrid(runsets=[runs], panels=panels)


def plots(panel: Panel) -> list[Any]:
    """W&B's panels for one of ours. W&B shows proportions as they are logged, from 0 to 1."""
    import wandb_workspaces.reports.v2 as wr

    unit = ("proportion" if panel.percent else panel.unit) or None
    if isinstance(panel, Curves):
        line = wr.LinePlot(
            title=panel.title,
            x="Step",
            y=[panel.metric] if panel.metric else [],
            metric_regex=panel.pattern,
            title_y=unit,
            log_y=panel.log_y or None,
            smoothing_type="exponential" if panel.smoothed else "none",
            smoothing_factor=0.6 if panel.smoothed else 0.0,
            smoothing_show_original=True,
        )
        return [line]
    if isinstance(panel, Levels):
        metrics = [wr.SummaryMetric(name) for name in panel.figures]
        return [wr.BarPlot(title=panel.title, metrics=metrics, title_x=unit)]
    x = wr.SummaryMetric(panel.x)
    return [
        wr.ScatterPlot(title=f"{panel.title}: {y}", x=x, y=wr.SummaryMetric(y), log_x=panel.log_x or None)
        for y in panel.y
    ]


def spec(entity: str, project: str) -> dict[str, Any]:
    """Both as W&B's server gets them."""
    models = {"workspace": workspace(entity, project)._to_model(), "report": report(entity, project)._to_model()}
    return {name: json.loads(m.model_dump_json(by_alias=True, exclude_none=True)) for name, m in models.items()}


def publish(entity: str, project: str) -> dict[str, str]:
    """Make both on the server; their addresses. Not run here: it needs an account."""
    space, text = workspace(entity, project), report(entity, project)
    space.save()
    text.save()
    return {"workspace": str(space.url), "report": str(text.url)}
