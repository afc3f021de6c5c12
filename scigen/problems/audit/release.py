"""The corrected release on disk: the benchmark's own JSON form with flags, every change by item, and a dataset card.

`<split>.json` has the fields of the published files plus `flags` (of the item and of each quiz), `licence` and
`origin`, and is read again by the same source. The records themselves lie in a set beside it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from scigen.problems.audit.repair import Change
from scigen.problems.audit.tally import Row, Tally
from scigen.problems.sources.scigenbench import PICTURES
from scigen.records import Flag, Problem
from scigen.store import write_atomic


def audit_figures(tally: Tally) -> dict[str, Any]:
    """What goes into `audit.json`: counts, rates (0 to 1) and 95 % intervals."""
    return {
        "items": tally.items,
        "quizzes": tally.quizzes,
        "key_skew_p": tally.skew,
        "open": tally.open,
        "rows": {
            row.name: {
                "count": row.count,
                "of": row.of,
                "unit": row.unit,
                "rate": row.rate,
                "ci95": list(row.interval),
                "flagged": row.flagged,
            }
            for row in tally.rows()
        },
        "image_types": dict(tally.image_types.most_common()),
    }


def item(problem: Problem) -> dict[str, Any]:
    """The problem in the published form."""
    image_type = f"{problem.subject} - {problem.image_type}" if problem.subject and problem.image_type else ""
    return {
        "id": problem.id,
        "question": problem.question,
        "image_type": image_type,
        "answer": problem.answer,
        "elements": list(problem.elements),
        "quizzes": [
            {
                "question": quiz.question,
                "options": quiz.options,
                "correct_option": quiz.correct_option,
                "evidence_snippet": quiz.evidence,
                "flags": [str(flag) for flag in quiz.flags],
            }
            for quiz in problem.quizzes
        ],
        "multimodal_question": problem.multimodal_question,
        "flags": [str(flag) for flag in problem.flags],
        "licence": problem.licence,
        "origin": problem.origin,
    }


def write_release(
    folder: Path,
    name: str,
    problems: Sequence[Problem],
    pictures: Mapping[str, bytes],
    changes: Sequence[Change],
    before: Tally,
    after: Tally,
) -> None:
    """Writes `<name>.json`, pictures (PNG by sha256 given), `changes.jsonl`, `audit.json`, and the card last."""
    for problem in problems:
        if problem.image is not None and problem.image in pictures:
            write_atomic(folder / PICTURES / f"{problem.id}.png", pictures[problem.image])
    body = json.dumps([item(p) for p in problems], ensure_ascii=False, indent=1)
    write_atomic(folder / f"{name}.json", body.encode() + b"\n")
    lines = "".join(change.model_dump_json(exclude={"schema_version"}) + "\n" for change in changes)
    write_atomic(folder / "changes.jsonl", lines.encode())
    figures = {"source": audit_figures(before), "release": audit_figures(after)}
    write_atomic(folder / "audit.json", json.dumps(figures, indent=2).encode() + b"\n")
    write_atomic(folder / "README.md", card(name, problems, changes, before, after).encode())


def card(name: str, problems: Sequence[Problem], changes: Iterable[Change], before: Tally, after: Tally) -> str:
    """The dataset card: markdown with the hub's YAML head."""
    environment = Environment(
        loader=PackageLoader("scigen.problems.audit", "templates"), undefined=StrictUndefined, trim_blocks=True
    )
    licences = Counter(p.licence or "not stated" for p in problems)
    return environment.get_template("card.md.jinja").render(
        name=name,
        licences=licences.most_common(),
        items=len(problems),
        quizzes=sum(len(p.quizzes) for p in problems),
        flagged_items=sum(bool(p.flags) for p in problems),
        flagged_quizzes=sum(bool(q.flags) for p in problems for q in p.quizzes),
        actions=Counter(c.action for c in changes),
        rows=_pairs(before.rows(), after.rows()),
        flags=_flag_counts(problems),
    )


def _pairs(before: Sequence[Row], after: Sequence[Row]) -> list[Mapping[str, Any]]:
    return [{"name": b.name, "unit": b.unit, "before": b, "after": a} for b, a in zip(before, after, strict=True)]


def _flag_counts(problems: Iterable[Problem]) -> dict[str, int]:
    counts: Counter[Flag] = Counter()
    for problem in problems:
        counts.update(problem.flags)
        for quiz in problem.quizzes:
            counts.update(quiz.flags)
    return {str(flag): counts[flag] for flag in Flag if counts[flag]}
