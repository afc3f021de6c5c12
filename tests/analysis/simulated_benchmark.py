"""A benchmark made up for tests of tables and figures: five generators of known skill, a blank page and a sparse one.

Not a test itself.
"""

from __future__ import annotations

import numpy as np

from scigen.evaluation.evidence import Evidence
from scigen.problems.taxonomy import SUBJECT_OF
from scigen.records import (
    Dimension,
    Finding,
    FindingKind,
    GeneratedImage,
    ImageType,
    Problem,
    Quiz,
    QuizAnswer,
    Rating,
    Status,
    Subject,
    Verdict,
    VerdictStatus,
)

SKILLS = {"coder_large": 0.80, "coder_small": 0.62, "pixel_large": 0.76, "pixel_mid": 0.55, "pixel_old": 0.30}
SCORED, GONE = VerdictStatus.SCORED, VerdictStatus.NO_IMAGE


def problems(count: int) -> list[Problem]:
    """Every fourth from SeePhys, without an image type; every image type in turn."""
    found = []
    for n in range(count):
        kind = list(ImageType)[n % 25]
        seephys = n % 4 == 3
        quizzes = tuple(
            Quiz(question=f"Quiz {q}?", options={"A": "5 cm" if q % 2 else "a circle", "B": "x"}, correct_option="A")
            for q in range(3)
        )
        found.append(
            Problem(
                id=f"p{n:04d}", source=f"scigenbench/{'seephys' if seephys else 'scigen'}", question=f"Question {n}?",
                answer="5", multimodal_question="?", elements=("5 cm",), quizzes=quizzes,
                subject=Subject.PHYSICS if seephys else SUBJECT_OF[kind], image_type=None if seephys else kind,
            )
        )  # fmt: skip
    return found


def benchmark(count: int = 240, seed: int = 0) -> Evidence:
    """Records of all generators; the same for the same arguments."""
    rng = np.random.default_rng(seed)
    made = problems(count)
    hardness = rng.normal(0, 0.12, count)
    images: list[GeneratedImage] = []
    verdicts: list[Verdict] = []
    for name, skill in SKILLS.items():
        for problem, hard in zip(made, hardness, strict=True):
            biology = problem.subject is Subject.BIOLOGY
            chance = skill - hard + (0.18 if biology else 0) * (1 if name.startswith("pixel") else -1)
            if rng.random() < 0.04:
                code = "coder" in name
                images.append(_image(problem, name, Status.CODE_ERROR if code else Status.BLOCKED))
                verdicts += [_gone(problem, name, e) for e in ("inverse", "judge", "glassbox", "ocr", "image_metrics")]
                continue
            images.append(_image(problem, name, Status.OK))
            verdicts += _verdicts(rng, problem, name, float(np.clip(chance, 0.02, 0.98)))
    for problem in made:
        verdicts.append(_answered(rng, problem, "nothing", 0.3, "inverse_blind"))
        verdicts.append(_answered(rng, problem, "control_blank", 0.25, "inverse"))
        if problem.source.endswith("seephys"):
            values = {"psnr": 12.9 + rng.normal(), "ssim": 0.86, "ms_ssim": 0.6, "clip_score": 21.0}
            verdicts.append(_scored(problem, "control_blank", "image_metrics", measures=values))
    for problem in made[:3]:
        images.append(_image(problem, "newcomer", Status.OK))
        verdicts.append(_answered(rng, problem, "newcomer", 0.9, "inverse"))
    return Evidence.of(made, images, verdicts)


def _verdicts(rng: np.random.Generator, problem: Problem, name: str, chance: float) -> list[Verdict]:
    quality = float(np.clip(chance + rng.normal(0, 0.12), 0, 1))
    found = [_answered(rng, problem, name, chance ** (1 / 3), "inverse")]
    if rng.random() < 0.02:
        found.append(Verdict(problem_id=problem.id, generator=name, evaluator="judge", status=VerdictStatus.REFUSED))
    else:
        scores = {d: int(np.clip(round(2 * quality + rng.normal(0.1 * i, 0.5)), 0, 2)) for i, d in enumerate(Dimension)}
        rating = Rating(judge="j", status=SCORED, scores=scores)
        measures = {str(d): float(s) for d, s in scores.items()}
        found.append(_scored(problem, name, "judge", measures=measures, ratings=(rating,)))
    if name.startswith("coder"):
        kinds = [k for k in FindingKind if rng.random() < 0.25 * (1 - quality)]
        findings = tuple(Finding(kind=k, detail="made up", texts=("5 cm",)) for k in kinds)
        found.append(_scored(problem, name, "glassbox", passed=not findings, findings=findings))
    else:
        found.append(_gone(problem, name, "glassbox", VerdictStatus.NOT_APPLICABLE))
    coverage = float(np.clip(quality + rng.normal(0.1, 0.1), 0, 1))
    garbled = float(np.clip(0.5 - quality + rng.normal(0, 0.1), 0, 1)) if name.startswith("pixel") else 0.0
    found.append(_scored(problem, name, "ocr", measures={"coverage": coverage, "garbled": garbled}))
    if problem.source.endswith("seephys"):
        values = {
            "psnr": 12 + rng.normal(), "ssim": float(np.clip(rng.normal(0.82, 0.05), 0, 1)),
            "ms_ssim": float(np.clip(rng.normal(0.5, 0.1), 0, 1)), "clip_score": 24 + quality + rng.normal(),
        }  # fmt: skip
        found.append(_scored(problem, name, "image_metrics", measures=values))
    else:
        found.append(_gone(problem, name, "image_metrics", VerdictStatus.NOT_APPLICABLE))
    return found


def _image(problem: Problem, name: str, status: Status) -> GeneratedImage:
    ok = status is Status.OK
    return GeneratedImage(
        problem_id=problem.id, generator=name, status=status, image="0" * 64 if ok else None,
        code="plot()" if name.startswith("coder") else None, cost_usd=0.02 if ok else 0.001, seconds=9.5,
    )  # fmt: skip


def _answered(rng: np.random.Generator, problem: Problem, name: str, chance: float, evaluator: str) -> Verdict:
    rights = [bool(rng.random() < chance) for _ in problem.quizzes]
    answers = tuple(
        QuizAnswer(quiz=i, order="AB", status=SCORED, said="A" if r else "B", chosen="A" if r else "B", correct=r)
        for i, r in enumerate(rights)
    )
    return _scored(problem, name, evaluator, passed=all(rights), answers=answers)


def _scored(problem: Problem, name: str, evaluator: str, **fields: object) -> Verdict:
    return Verdict.model_validate(
        {"problem_id": problem.id, "generator": name, "evaluator": evaluator, "status": SCORED, **fields}
    )


def _gone(problem: Problem, name: str, evaluator: str, status: VerdictStatus = GONE) -> Verdict:
    return Verdict(problem_id=problem.id, generator=name, evaluator=evaluator, status=status)
