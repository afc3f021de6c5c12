"""A plan printed for a person: its figures, its files, and the commands that make what is missing."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from scigen.training.experiment_plan import Plan


def print_plan(plan: Plan, console: Console) -> None:
    """The plan as two tables: figures, then files with the commands that make what is missing."""
    e = plan.experiment
    table = Table(title=f"plan of {e.name}: nothing is started", show_header=False, title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, value in _figures(plan):
        table.add_row(name, value)
    console.print(table)
    files = Table(title="files", title_justify="left")
    for column in ("what", "path", "rows", "there"):
        files.add_column(column, overflow="fold")
    for i in e.inputs:
        rows = "" if i.rows is None else str(i.rows)
        files.add_row(i.what, str(i.path), rows, "yes" if i.exists else "missing")
    console.print(files)
    commands = list(dict.fromkeys(i.command for i in e.inputs if not i.exists))
    if commands:
        console.print("what is missing is made by, in this order:")
        for command in commands:
            console.print(f"  {command}", soft_wrap=True, highlight=False, markup=False)  # [judge,inverse]
    console.print(f"Time and cost are {plan.assumed.sentence()}.", style="dim")


def _figures(plan: Plan) -> list[tuple[str, str]]:
    e, cost = plan.experiment, plan.estimate
    training = [
        ("steps", str(plan.steps)),
        ("batch", f"{plan.batch} prompts x {plan.rollouts} rollouts, learning rate {plan.learning_rate:g}"),
        ("responses in all", f"{plan.responses:,} in training"),
    ]
    passes = "once" if plan.validations == 1 else f"{plan.validations} times"
    a_step = "" if plan.val_only else f"{cost.step_s:.0f} s a step, "
    images = f"; images {plan.usd_images:,.0f} USD if they must be made" if plan.usd_images else ""
    return [
        ("policy", e.policy),
        *([("training", "none: evaluation alone")] if plan.val_only else training),
        ("tokens", f"at most {plan.max_prompt:,} a prompt, {plan.max_response:,} a response"),
        ("reward", e.reward),
        ("benchmarks", ", ".join(f"{name} ({n})" for name, n in e.benchmarks.items())),
        ("validation", f"AVG@{plan.val_rollouts} at temperature {plan.val_temperature}, {passes}"),
        ("responses each time", f"{plan.val_responses:,}"),
        ("GPUs", f"{plan.policy_gpus} policy + {plan.verifier_gpus} verifier, on {plan.nodes} nodes of 8"),
        ("time", f"{cost.hours:.1f} h: {a_step}{cost.validation_s:.0f} s a validation"),
        ("cost", f"{cost.gpu_hours:,.0f} GPU-hours, about {cost.usd:,.0f} USD{images}"),
        ("output", str(plan.output)),
    ]
