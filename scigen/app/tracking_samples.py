"""Rows for W&B's tables of samples: a question, its image, the answer, and what was said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from scigen.analysis.results import Answer, RunResults
from scigen.records import GeneratedImage, Problem, Verdict
from scigen.store import image_path, iter_records
from scigen.tracking import SampleRow


def problem_rows(problems: Path, n: int) -> tuple[SampleRow, ...]:
    """The first n of a set of problems."""
    return tuple(row(p) for p, _ in zip(iter_records(problems, Problem), range(n), strict=False))


def image_rows(
    problems: Path, images: Path, n: int, verdicts: Mapping[str, str] | None = None
) -> tuple[SampleRow, ...]:
    """n of a set's images at equal distances, each with its verdict (by the image's key) or else its status."""
    every = list(iter_records(images, GeneratedImage)) if n else []
    count = min(n, len(every))
    taken = [every[k * len(every) // count] for k in range(count)]
    wanted, said = {i.problem_id for i in taken}, verdicts or {}
    asked = {p.id: p for p in iter_records(problems, Problem) if p.id in wanted}
    return tuple(
        row(asked[i.problem_id], picture(images, i), verdict=said.get(i.key, i.status.value))
        for i in taken
        if i.problem_id in asked
    )


def answer_rows(results: RunResults, images: Path, n: int) -> tuple[SampleRow, ...]:
    """The report's held-out samples with the policy's answers before and after."""
    answered = [s for s in results.samples if s.after][:n]
    return tuple(
        row(
            s.problem,
            picture(images, s.image),
            responses_before=answers_words(s.before),
            responses=answers_words(s.after),
            verdict=f"{sum(a.correct for a in s.after)} of {len(s.after)} right",
        )
        for s in answered
    )


def row(problem: Problem, image: Path | None = None, **said: str) -> SampleRow:
    """One row; `said` are the fields that the stage fills."""
    question = problem.multimodal_question
    return SampleRow(problem_id=problem.id, question=question, image=image, answer=problem.answer, **said)


def picture(folder: Path, image: GeneratedImage) -> Path | None:
    """Its file, if there is one."""
    path = None if image.image is None else image_path(folder, image.image).resolve()
    return path if path is not None and path.exists() else None


def verdict_words(verdict: Verdict) -> str:
    """A verdict in a line."""
    found = "; ".join(dict.fromkeys(str(f.kind) for f in verdict.findings)) or verdict.error
    passed = "passed" if verdict.passed else "not passed"
    return f"{verdict.evaluator}: {verdict.status}, {passed}" + (f" ({found})" if found else "")


def verdicts_by_image(verdicts: Sequence[Verdict]) -> dict[str, str]:
    """By the image's key; of several evaluators the last one's."""
    return {f"{v.problem_id}/{v.generator}": verdict_words(v) for v in verdicts}


def answers_words(answers: Sequence[Answer]) -> str:
    """Each answer in a line, marked right or wrong."""
    return "\n".join(f"{'right' if a.correct else 'wrong'}: {a.text}" for a in answers)
