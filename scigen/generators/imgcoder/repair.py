"""What is said to a model of a script that failed, or whose drawing has faults."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from scigen.records import Finding, FindingKind, ScriptError, Status

MOST_LINES = 12
MOST_OUTPUT = 600
"""Characters of the script's own output that are shown."""

SUMMARY = {
    Status.CODE_ERROR: "It ends in an error.",
    Status.TIMEOUT: "It did not end in time.",
    Status.MEMORY: "It needs more memory than there is.",
    Status.BLANK: "It draws nothing.",
    Status.BAD_IMAGE: "What it draws is no picture that can be taken.",
    Status.NO_CODE: "No script could be found in the answer.",
}
ADVICE = {
    Status.TIMEOUT: "Use fewer points and no loop that may not end; a figure takes about a second.",
    Status.MEMORY: "Use smaller arrays and a smaller canvas.",
    Status.BLANK: "Make one figure, draw the content on it, and save it as figure.png.",
    Status.BAD_IMAGE: "Use about 6 x 4.5 inches at 150 dpi, and save one PNG.",
}
REMEDY = {
    FindingKind.NOT_COVERED: "print it where the plan wants it",
    FindingKind.LEAK: "take it out: it gives the answer away",
    FindingKind.OVERLAP: "move one of them",
    FindingKind.CUT: "move it inside, or enlarge the limits",
    FindingKind.CROSSED: "move the text off the line",
}
WEIGHT = {
    FindingKind.LEAK: 4,
    FindingKind.NOT_COVERED: 2,
    FindingKind.OVERLAP: 1,
    FindingKind.CUT: 1,
    FindingKind.CROSSED: 1,
}
"""How bad a finding is when drawings are compared: a leak spoils the item, a missing value a question about it."""


_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")


@dataclass(frozen=True)
class FaultReport:
    """A summary, single faults, and the error with its line."""

    summary: str
    lines: tuple[str, ...] = ()
    trace: str = ""


def of_error(status: Status, error: ScriptError | None, code: str | None) -> FaultReport:
    """For a script without a picture.

    The words depend on the script alone, not on where it was when its time was over or on addresses in memory, so that
    after a restart the same thing is asked and the journal has the answer.
    """
    lines = [ADVICE[status]] if status in ADVICE else []
    if status is Status.TIMEOUT and (loops := _while_loops(code or "")):
        lines.append(f"Look at the loops in {', '.join(loops)}.")
    if error is None or status in (Status.TIMEOUT, Status.MEMORY):
        return FaultReport(SUMMARY.get(status, "It failed."), tuple(lines))
    trace = [f"{error.type}: {error.message}".strip()]
    if error.line is not None and code is not None:
        source = code.splitlines()
        if 1 <= error.line <= len(source):
            trace.append(f"in line {error.line}: {source[error.line - 1].strip()}")
    if error.stdout.strip():
        trace.append(f"printed before: {error.stdout.strip()[-MOST_OUTPUT:]}")
    return FaultReport(SUMMARY.get(status, "It failed."), tuple(lines), _ADDRESS.sub("0x...", "\n".join(trace)))


def _while_loops(code: str) -> list[str]:
    return [f"line {n}" for n, line in enumerate(code.splitlines(), 1) if line.strip().startswith("while ")][:5]


def of_drawing(findings: Sequence[Finding], seen: Sequence[str]) -> FaultReport:
    """For a picture with faults: what the checks found, and what a model saw."""
    worst = sorted(findings, key=lambda f: -WEIGHT[f.kind])
    lines = [f"{f.detail}: {REMEDY[f.kind]}" for f in worst] + list(seen)
    return FaultReport("It draws a figure with faults.", tuple(lines[:MOST_LINES]))


def badness(findings: Sequence[Finding], seen: Sequence[str]) -> int:
    """Smaller is better; 0 for a drawing without a finding."""
    return sum(WEIGHT[f.kind] for f in findings) + 2 * len(seen)
