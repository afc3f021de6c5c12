"""AVG@4 of a run's validations, and of the runs it is compared with, in the report's shapes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scigen.analysis.results import Difference, Measurement, Role, Score
from scigen.app.settings import Settings
from scigen.errors import ScigenError
from scigen.statistics import estimate, paired_bootstrap
from scigen.training.avg_at_k import AvgAtK, read, steps

Scores = Mapping[int, Mapping[str, AvgAtK]]
"""By step and data source."""


def read_all(generations: Path) -> Scores:
    """AVG@4 of every validation. Raises ScigenError where there was none."""
    found = steps(generations)
    if not found:
        raise ScigenError(
            f"{generations}: verl has validated nothing, so there is nothing to report. Set verl.trainer.test_freq or "
            "verl.trainer.val_before_train."
        )
    return {step: read(generations / f"{step}.jsonl") for step in found}


def measurements(by_step: Scores, families: Mapping[str, str], note: str, training: str = "GRPO") -> list[Measurement]:
    """Before, during and after the training on the held-out problems, and afterwards with white pages."""
    first, last = min(by_step), max(by_step)
    found = []
    for step, sources in sorted(by_step.items()):
        role = Role.BEFORE if step == first else Role.AFTER if step == last else Role.DURING
        label = {Role.BEFORE: f"Before {training}", Role.AFTER: f"After {training}"}.get(role, f"Step {step}")
        words = note if role is Role.BEFORE else ""
        found.append(measurement(sources["held_out"], families, role, label, words, step))
    blank = by_step[last]["held_out_blank"]
    found.append(measurement(blank, families, Role.BLANK_IMAGE, f"After {training}, white pages", "", None))
    return found


def measurement(
    score: AvgAtK, families: Mapping[str, str], role: Role, label: str, note: str, step: int | None
) -> Measurement:
    """An AvgAtK in the report's shape, with an interval for each family."""
    groups: dict[str, dict[str, list[float]]] = defaultdict(dict)
    for problem, share in score.by_problem.items():
        groups[families[problem]][problem] = [share]
    each = {name: estimate(values) for name, values in sorted(groups.items())}
    return Measurement(
        role=role,
        label=label,
        data_source=score.data_source,
        step=step,
        avg_at_4=score.avg_at_k,
        ci95=score.ci95,
        n=score.n_problems,
        truncated=score.truncated_rate,
        no_answer=score.no_answer_rate,
        per_family={name: Score(avg_at_4=e.value, ci95=(e.low, e.high), n=e.n) for name, e in each.items()},
        note=note,
    )


def differences(by_step: Scores) -> list[Difference]:
    """Paired by problem: after minus before, and after minus the same policy shown white pages."""
    first, last = by_step[min(by_step)], by_step[max(by_step)]
    after = last["held_out"].by_problem
    pairs = [
        ("after minus before", first["held_out"].by_problem, Role.BEFORE),
        ("after minus white pages", last["held_out_blank"].by_problem, Role.BLANK_IMAGE),
    ]
    return [difference(name, after, other, role) for name, other, role in pairs]


def compared(
    settings: Settings, by_step: Scores, families: Mapping[str, str]
) -> tuple[list[Measurement], list[Difference]]:
    """Controls and the supervised comparison: other finished runs, on the same held-out problems."""
    after = by_step[max(by_step)]["held_out"].by_problem
    found, differences_ = [], []
    for run in settings.compare:
        record = run / "summary.json"
        if run.resolve() == settings.paths.output.resolve() or not record.exists():
            continue
        other = json.loads(record.read_bytes())
        validations = read_all(generations_of(run))
        score = validations[max(validations)]["held_out"]
        role = Role.SUPERVISED if other["training"] == "supervised" else Role.CONTROL
        label = "More supervised steps" if role is Role.SUPERVISED else control_label(other)
        note = f"{other['training_s']:.0f} s; run {other['experiment']}, seed {other['seed']}"
        found.append(measurement(score, families, role, label, note, None))
        differences_.append(difference(f"after minus {other['experiment']}", after, score.by_problem, role))
    return found, differences_


def control_label(summary: Mapping[str, Any]) -> str:
    """What was different about a control, from its run's summary."""
    if summary.get("reward") == "format":
        return "Rewarded for format alone"
    return "Trained on text alone" if summary["trained_on"] == "none" else f"Trained on {summary['trained_on']} images"


def generations_of(run: Path) -> Path:
    """Where a run's last validation was dumped; a supervised run validates its end in a folder of its own."""
    return next(f for f in (run / "verl/generations", run / "verl-after/generations") if f.exists())


def difference(name: str, after: Mapping[str, float], other: Mapping[str, float], role: Role) -> Difference:
    """Mean difference over the problems that both answered, with its interval."""
    value, low, high = paired_bootstrap(after, other)
    return Difference(name=name, value=value, ci95=(low, high), n=len(after.keys() & other.keys()), against=role)
