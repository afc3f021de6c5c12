"""A run made up for the tests: real problems and drawings of the families, invented scores and answers."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence

import pytest

from scigen.analysis.results import (
    Answer,
    Difference,
    Measurement,
    ParquetRow,
    Role,
    RunResults,
    Sample,
    Score,
    Stage,
    Step,
)
from scigen.problems.procedural import registry
from scigen.problems.procedural.family import Family
from scigen.problems.procedural.make import View, make_problem
from scigen.records import (
    Defect,
    FilterDecision,
    Finding,
    FindingKind,
    GeneratedImage,
    ScriptError,
    Status,
    Verdict,
)
from scigen.rendering import RenderPool


def drawn(pool: RenderPool, family: Family, view: View, seed: int, defect: Defect | None = None) -> Sample:
    """One sample with a real drawing."""
    problem = make_problem(family, view, 1 + seed % 3, seed)
    assert problem.procedure is not None
    params = problem.procedure.params
    if view == "glance":
        script = family.seen_at_a_glance.draw(params)
    else:
        script = (family.spoil(params, defect, random.Random(seed)) if defect else family.draw(params)).script()
    result = pool.draw(script)
    ok = result.status is Status.OK and result.png is not None
    image = GeneratedImage(
        problem_id=problem.id,
        generator=f"planted/{defect}" if defect else "procedural",
        status=result.status,
        image=hashlib.sha256(result.png).hexdigest() if result.png else None,
        width=result.width,
        height=result.height,
        code=script,
        plan=family.plan(params) if view == "textbook" else None,
        drawing=result.drawing,
        error=result.error,
        planted_defect=defect,
    )
    findings: tuple[Finding, ...] = ()
    if defect is Defect.MISSING_LABEL:
        findings = (Finding(kind=FindingKind.NOT_COVERED, detail="a given value is not drawn"),)
    if defect is Defect.OVERLAPPING_TEXT and len(result.texts) > 1:
        texts = tuple(t.text for t in result.texts[:2])
        findings = (Finding(kind=FindingKind.OVERLAP, detail=f"{texts[0]} and {texts[1]} overlap", texts=texts),)
    check = Verdict(
        problem_id=problem.id,
        generator=image.generator,
        evaluator="glassbox",
        status="scored" if ok else "no_image",
        image=image.image,
        passed=ok and not findings,
        findings=findings,
    )
    if view == "textbook":
        reason = "not for this policy: needs more than 96 px"
        decision = FilterDecision(
            problem_id=problem.id, generator=image.generator, split="train", kept=False, reason=reason
        )
        return Sample(problem=problem, image=image, png=result.png, checks=(check,), decision=decision)
    rng = random.Random(seed)

    def say(chance: float) -> tuple[Answer, ...]:
        texts = [
            problem.answer if rng.random() < chance else rng.choice(family.seen_at_a_glance.answers) for _ in range(4)
        ]
        return tuple(Answer(text=rf"\boxed{{{t}}}", correct=t == problem.answer) for t in texts)

    decision = FilterDecision(
        problem_id=problem.id, generator=image.generator, split="held_out", kept=True, reason="passed"
    )
    return Sample(
        problem=problem, image=image, png=result.png, checks=(check,), decision=decision, split="held_out",
        row=ParquetRow(file="sets/trainset-real/held_out.parquet", row=seed * 7), before=say(0.3), after=say(0.6),
        blank=say(0.0),
    )  # fmt: skip


def measured(role: Role, label: str, rate: float, families: Sequence[str] = (), **more: object) -> Measurement:
    """A measurement over 420 problems with a made-up interval of plus and minus 3.5 points."""
    per_family = {
        f: Score(
            avg_at_4=min(1, max(0, rate + 0.04 * (i % 7 - 3))), ci95=(max(0, rate - 0.2), min(1, rate + 0.2)), n=30
        )
        for i, f in enumerate(families)
    }
    return Measurement.model_validate(
        {
            "role": role, "label": label, "avg_at_4": rate, "ci95": (rate - 0.035, rate + 0.035), "n": 420,
            "data_source": "held_out", "truncated": 0.0125, "no_answer": 0.034, "per_family": per_family, **more,
        }
    )  # fmt: skip


def make_run(families: Sequence[Family], defects: Sequence[Defect], steps: int = 75) -> RunResults:
    """A run with a textbook and a glance sample of each family, and one planted defect each in turn."""
    with RenderPool() as pool:
        samples = [drawn(pool, f, view, n) for n, f in enumerate(families) for view in ("textbook", "glance")]  # type: ignore[arg-type]
        samples += [drawn(pool, families[n % len(families)], "textbook", n, d) for n, d in enumerate(defects)]
    rng = random.Random(0)
    names = [f.name for f in families]
    step = [
        Step(
            step=n, reward=0.4 + 0.22 * n / max(1, steps) + rng.gauss(0, 0.03), response_length=3 + rng.gauss(0, 0.1),
            grad_norm=abs(rng.gauss(0.6, 0.1)), entropy=1.1 - 0.6 * n / max(1, steps) + rng.gauss(0, 0.02), seconds=2.0,
        )
        for n in range(1, steps + 1)
    ]  # fmt: skip
    return RunResults(
        experiment="tiny",
        command="python train.py",
        date="22 November 2026, 22:05 UTC",
        seed=0,
        policy="A Qwen3-VL of 1.1 million parameters, built from scratch",
        parameters=1_100_000,
        wall_seconds={"problems": 4.2, "images": 61, "checks": 3.1, "train set": 2.2, "warm start": 62, "verl": 311.4},
        versions={"python": "3.11.2", "torch": "2.13.0", "transformers": "5.10.4", "verl": "0.9.1"},
        commit="2d9cda5",
        config_yaml="name: tiny\nseed: 0\ntrainset:\n  prompt: '{question} <b>'\n",
        stages=(
            Stage(name="Problems", unit="problems", total=4560, counts={"glance": 4320, "textbook": 240},
                  passed=("glance", "textbook")),
            Stage(name="Images", unit="images", total=4632, counts={"ok": 4629, "timeout": 3}, passed=("ok",),
                  note="72 of them with a planted defect"),
            Stage(name="Checks", unit="verdicts", total=4632,
                  counts={"passed": 4551, "not_covered": 31, "overlap": 28, "leak": 14, "cut": 5, "no_image": 3},
                  passed=("passed",)),
            Stage(name="Filter", unit="images", total=4632,
                  counts={"kept: train": 3890, "kept: held_out": 420, "glassbox: overlap": 28,
                          "not for this policy: needs more than 96 px": 291, "image: timeout": 3},
                  passed=("kept: train", "kept: held_out")),
            Stage(name="Train set", unit="rows", total=4310, counts={"train": 3890, "held_out": 420},
                  passed=("train", "held_out")),
        ),
        samples=tuple(samples),
        steps=tuple(step),
        measurements=(
            measured(Role.UNTRAINED, "Random weights", 0.052),
            measured(Role.BEFORE, "Before GRPO (warm start)", 0.4521, names, step=0, seconds=62, note="150 steps"),
            *(measured(Role.DURING, f"Step {n}", 0.4521 + 0.149 * n / 75, step=n) for n in (15, 30, 45, 60)),
            measured(Role.AFTER, "After GRPO", 0.6012, names, step=75, seconds=311, note="75 steps of 64 x 8 rollouts"),
            measured(Role.BLANK_IMAGE, "After GRPO, shown white pages", 0.2534, data_source="held_out_blank"),
            measured(Role.CONTROL, "Trained on white pages", 0.2488, note="experiment=tiny_blank"),
            measured(Role.SUPERVISED, "Further supervised steps", 0.6690, seconds=311),
        ),
        differences=(
            Difference(name="after minus before", value=0.1491, ci95=(0.121, 0.178), n=420, against=Role.BEFORE),
            Difference(name="after minus white pages", value=0.3478, ci95=(0.301, 0.391), n=420,
                       against=Role.BLANK_IMAGE),
            Difference(name="after minus trained on white pages", value=0.3524, ci95=(0.305, 0.397), n=420,
                       against=Role.CONTROL),
            Difference(name="after minus further supervised steps", value=-0.0678, ci95=(-0.098, -0.035), n=420,
                       against=Role.SUPERVISED),
        ),
        chance=0.243,
    )  # fmt: skip


@pytest.fixture(scope="session")
def run_of() -> Callable[..., RunResults]:
    """Makes a run of chosen families and defects."""
    return make_run


@pytest.fixture(scope="session")
def small_run() -> RunResults:
    """Three drawings of one family: textbook, glance, and one with overlapping texts."""
    return make_run([registry.family("right_triangle")], [Defect.OVERLAPPING_TEXT])


@pytest.fixture
def run_without_image(small_run: RunResults) -> RunResults:
    """The small run, its first drawing replaced by a script that fails."""
    sample = small_run.samples[0]
    image = sample.image.model_copy(
        update={
            "status": Status.CODE_ERROR, "image": None, "width": None, "height": None, "drawing": None,
            "error": ScriptError(type="NameError", message="name 'axx' is not defined", line=7),
        }
    )  # fmt: skip
    check = sample.checks[0].model_copy(update={"status": "no_image", "image": None, "passed": False})
    failed = sample.model_copy(update={"image": image, "png": None, "checks": (check,)})
    return small_run.model_copy(update={"samples": (failed,)})
