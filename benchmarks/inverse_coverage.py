"""Does R_inv's interval cover the truth? A simulated model with known skill and a known liking for letters, many runs.

    python benchmarks/inverse_coverage.py [--runs 200] [--problems 150] [--seed 0]

Each quiz has a skill: the chance that the image settles it for the model. Where it does not, it takes a letter by
liking, whatever the option. The published keys are skewed (C 40.2 %, B 37.2 %, D 12.1 %, A 10.5 %), so a model that
likes C guesses well as long as the options stay where they are. What is to be estimated is what a model without any
liking would come to: its question accuracy, R_inv, and R_inv above the blind floor. Runs through the package's own code
for orders and rates; no network.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from scigen.evaluation.base import NO_GENERATOR
from scigen.evaluation.evidence import Evidence
from scigen.evaluation.inverse.order import orders
from scigen.evaluation.inverse.rates import rates
from scigen.records import Problem, Quiz, QuizAnswer, Verdict, VerdictStatus
from scigen.statistics import Estimate, wilson

LETTERS = "ABCD"
KEYS = np.array([0.105, 0.372, 0.402, 0.121])
"""Shares of the keys in the released set (PROTOCOL section 6)."""
LIKING = np.array([0.1, 0.3, 0.5, 0.1])
"""The simulated model's choice where the image does not help."""
QUIZZES = 4
TARGETS = ("question accuracy", "R_inv", "R_inv above the floor")


@dataclass(frozen=True)
class Result:
    """Of one target under one protocol."""

    target: str
    truth: float
    mean: float
    covered: int
    runs: int


def simulate(runs: int, problems: int, seed: int, *, permute: bool) -> list[Result]:
    """Coverage of each target over fresh draws of problems, skills and answers.

    The truth is that of the population: skills are uniform on [0.3, 1], a guess is right with chance 1/4.
    """
    rng = np.random.default_rng(seed)
    truth = true_values()
    covered, sums = dict.fromkeys(TARGETS, 0), dict.fromkeys(TARGETS, 0.0)
    for run in track(range(runs), "permuted" if permute else "as given"):
        found = one_run(rng, problems, run, permute)
        for name, estimate in zip(TARGETS, found, strict=True):
            covered[name] += estimate.low <= truth[name] <= estimate.high
            sums[name] += estimate.value / runs
    return [Result(name, truth[name], sums[name], covered[name], runs) for name in TARGETS]


def true_values() -> dict[str, float]:
    """In closed form. A problem's image settles each of its quizzes with the same chance s, uniform on [0.3, 1]."""
    low, high, guess = 0.3, 1.0, 1 / len(LETTERS)
    accuracy = guess + (1 - guess) * (low + high) / 2

    def moment(x: float) -> float:
        return float((guess + (1 - guess) * x) ** (QUIZZES + 1) / ((QUIZZES + 1) * (1 - guess)))

    r_inv = (moment(high) - moment(low)) / (high - low)
    floor = guess**QUIZZES
    return dict(zip(TARGETS, (accuracy, r_inv, (r_inv - floor) / (1 - floor)), strict=True))


def one_run(rng: np.random.Generator, count: int, run: int, permute: bool) -> tuple[Estimate, Estimate, Estimate]:
    """The package's estimates from the verdicts of a simulated evaluation."""
    problems, verdicts = [], []
    for n in range(count):
        keys = rng.choice(len(LETTERS), size=QUIZZES, p=KEYS)
        quizzes = tuple(
            Quiz(question=f"{n}/{q}?", options={x: x for x in LETTERS}, correct_option=LETTERS[k])
            for q, k in enumerate(keys)
        )
        problem = Problem(id=f"p{n}", source="s", question="?", answer="9", multimodal_question="?", quizzes=quizzes)
        skill = rng.uniform(0.3, 1.0)
        problems.append(problem)
        verdicts.append(verdict(rng, problem, "g", "inverse", skill, run, permute))
        verdicts.append(verdict(rng, problem, NO_GENERATOR, "inverse_blind", 0.0, run, permute))
    found = rates(Evidence.of(problems, (), verdicts), "g")
    assert found.accuracy is not None
    assert found.over_all is not None
    assert found.adjusted is not None
    return found.accuracy, found.over_all, found.adjusted


def verdict(
    rng: np.random.Generator, problem: Problem, generator: str, evaluator: str, skill: float, seed: int, permute: bool
) -> Verdict:
    """What the evaluator would record of the simulated model's answers."""
    answers = []
    for number, quiz in enumerate(problem.quizzes):
        order = orders(LETTERS, f"{problem.id}/{number}", 1, seed)[0] if permute else LETTERS
        place = order.index(quiz.correct_option) if rng.random() < skill else rng.choice(len(LETTERS), p=LIKING)
        chosen = order[place]
        answers.append(
            QuizAnswer(
                quiz=number,
                order=order,
                status=VerdictStatus.SCORED,
                said=LETTERS[place],
                chosen=chosen,
                correct=chosen == quiz.correct_option,
            )
        )
    return Verdict(
        problem_id=problem.id,
        generator=generator,
        evaluator=evaluator,
        status=VerdictStatus.SCORED,
        passed=all(a.correct for a in answers),
        answers=tuple(answers),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--problems", type=int, default=150, help="in each run, with four quizzes each")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    table = Table(title=f"95 % intervals in {options.runs} runs of {options.problems} problems")
    for name in ("options", "estimate of", "truth %", "mean estimate %", "intervals that hold it", "%", "95 %"):
        table.add_column(name, justify="left" if name in ("options", "estimate of") else "right")
    for permute in (True, False):
        for r in simulate(options.runs, options.problems, options.seed, permute=permute):
            low, high = (100 * x for x in wilson(r.covered, r.runs))
            row = [f"{100 * r.truth:.1f}", f"{100 * r.mean:.1f}", f"{r.covered} of {r.runs}"]
            share = [f"{100 * r.covered / r.runs:.1f}", f"{low:.1f} to {high:.1f}"]
            table.add_row("permuted" if permute else "as given", r.target, *row, *share)
    Console().print(table)


if __name__ == "__main__":
    main()
