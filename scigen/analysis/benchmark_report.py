"""What one folder of verdicts comes to, as files: figures, failure modes, metric agreement. From records alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scigen.analysis.benchmark_figures import (
    domain_radar,
    expressiveness_against_precision,
    judge_bars,
    metrics_against_r_inv,
    r_inv_by_date,
)
from scigen.analysis.fault_figures import (
    agreement_heat_map,
    code_against_pixels,
    failure_mode_bars,
    failure_mode_rates,
)
from scigen.analysis.figures import to_png
from scigen.analysis.spectrum_figure import spectra
from scigen.evaluation.agreement import Coefficient, Correlation, holm, image_level, published_level, system_level
from scigen.evaluation.evidence import Evidence, Paradigm
from scigen.evaluation.failure_modes import (
    Case,
    ModeRate,
    by_generator,
    by_image_type,
    by_paradigm,
    by_subject,
    cases,
    rates,
    rules_table,
    tag,
)
from scigen.evaluation.leaderboard import Kind, Row, subject_of
from scigen.records import Dimension
from scigen.store import write_atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GROUPS: Mapping[str, Callable[[Case], str | None]] = {
    "generator": by_generator,
    "paradigm": by_paradigm,
    "subject": by_subject,
    "image_type": by_image_type,
}


@dataclass(frozen=True)
class Agreement:
    """Correlations image by image, over the measured generators, and over the paper's systems."""

    images: list[Correlation]
    systems: list[Correlation]
    paper: list[Correlation]

    @classmethod
    def of(cls, evidence: Evidence, rows: Sequence[Row], n_boot: int = 1000) -> Agreement:
        """All pairs, all coefficients."""
        return cls(image_level(evidence, n_boot=n_boot), system_level(rows), published_level())


def write_benchmark(evidence: Evidence, rows: Sequence[Row], folder: Path, n_boot: int = 1000) -> list[Path]:
    """Writes `folder`/figures/<name>.png, failure_modes.csv and .md, agreement.csv, each atomically; gives the paths.

    `rows` is the leaderboard over all problems, the paper's rows included.
    """
    agreement = Agreement.of(evidence, rows, n_boot)
    modes = failure_modes(evidence)
    files: dict[str, bytes] = {
        f"figures/{name}.png": to_png(draw()) for name, draw in figures(evidence, rows, agreement).items()
    }
    files["failure_modes.csv"] = failure_modes_csv(modes).encode()
    files["failure_modes.md"] = failure_modes_markdown(modes["generator"]).encode()
    files["agreement.csv"] = agreement_csv(agreement).encode()
    for name, data in files.items():
        write_atomic(folder / name, data)
    return [folder / name for name in files]


def figures(evidence: Evidence, rows: Sequence[Row], agreement: Agreement) -> dict[str, Callable[[], Figure]]:
    """Name to what draws it, for each figure for which something of ours was run. The paper's values are beside it."""
    ours = [r for r in rows if r.kind is Kind.MEASURED]
    have = {key for r in ours for key in r.cells}
    found: dict[str, Callable[[], Figure]] = {}
    if "r_inv" in have:
        found["r_inv_by_date"] = lambda: r_inv_by_date(rows)
        found["r_inv_by_domain"] = lambda: domain_radar(evidence)
        if {r.paradigm for r in ours} >= {Paradigm.CODE, Paradigm.PIXEL}:
            found["code_against_pixels"] = lambda: code_against_pixels(evidence)
            found["code_against_pixels_by_subject"] = lambda: code_against_pixels(evidence, group_of=subject_of)
    if metrics := [key for key in ("psnr", "ssim", "fid", "kid") if {key, "r_inv"} <= have]:
        found["metrics_against_r_inv"] = lambda: metrics_against_r_inv(rows, metrics)
    if Dimension.LAYOUT_PRECISION in have:
        found["judge"] = lambda: judge_bars(rows)
        found["expressiveness_against_precision"] = lambda: expressiveness_against_precision(rows)
    if "high_frequency" in have:
        found["spectra"] = lambda: spectra(evidence, [r.name for r in ours])
    if evidence.images:
        found["failure_modes"] = lambda: failure_mode_bars(evidence)
        found["failure_mode_rates"] = lambda: failure_mode_rates(evidence)
        found["failure_mode_rates_by_subject"] = lambda: failure_mode_rates(evidence, group_of=by_subject)
    if agreement.images:
        found["agreement_of_images"] = lambda: agreement_heat_map(agreement.images)
    if any(c.value is not None for c in agreement.systems):
        found["agreement_of_systems"] = lambda: agreement_heat_map(agreement.systems)
    return found


def failure_modes(evidence: Evidence) -> dict[str, list[ModeRate]]:
    """How often each mode occurs by generator, paradigm, subject and image type."""
    tagged = [tag(case) for case in cases(evidence)]
    return {name: rates(tagged, group_of) for name, group_of in GROUPS.items()}


def failure_modes_csv(modes: Mapping[str, Sequence[ModeRate]]) -> str:
    """One line a grouping, group and mode; a mode about which nothing could be told in a group has no line."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["by", "group", "mode", "count", "n", "rate", "low", "high", "examples"])
    for by, found in modes.items():
        for r in found:
            writer.writerow([by, r.group, r.mode, r.count, r.n, r.rate, r.low, r.high, " ".join(r.examples)])
    return out.getvalue()


def failure_modes_markdown(found: Sequence[ModeRate]) -> str:
    """The modes that occur, with examples, a table a group; then the rules."""
    lines = ["# Failure modes", ""]
    for group in sorted({r.group for r in found}):
        lines += [
            f"## {group}",
            "",
            "| mode | images | share (%) | 95 % interval | examples |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| {str(r.mode).replace('_', ' ')} | {r.count} of {r.n} | {100 * r.rate:.1f} | "
            f"{100 * r.low:.1f} to {100 * r.high:.1f} | {', '.join(f'`{key}`' for key in r.examples)} |"
            for r in found
            if r.group == group and r.count
        ]
        lines.append("")
    return "\n".join([*lines, "## Rules", "", rules_table()])


def agreement_csv(agreement: Agreement) -> str:
    """One line a level, pair and coefficient; those that are not defined have no value but a reason."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    head = ["level", "a", "b", "coefficient", "value", "low", "high", "p", "p_holm", "n", "problems", "reason"]
    writer.writerow(head)
    for level, found in (
        ("image", agreement.images), ("system", agreement.systems), ("paper", agreement.paper),
    ):  # fmt: skip
        for coefficient in Coefficient:
            mine = [c for c in found if c.coefficient is coefficient]
            for c, corrected in zip(mine, holm(mine), strict=True):
                writer.writerow(
                    [level, c.a, c.b, c.coefficient, c.value, c.low, c.high, c.p, corrected, c.n, c.problems, c.reason]
                )
    return out.getvalue()
