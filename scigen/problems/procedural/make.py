"""Makes Problem records from families, and splits them into train and held-out by what they are, not by seed.

It draws nothing: a problem's script is `family.draw(params).script()` or `family.glance.draw(params)`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import cycle
from random import Random
from typing import Any, Literal, cast

from scigen.errors import ScigenError
from scigen.problems.procedural import registry
from scigen.problems.procedural.family import Family, Params
from scigen.records import Problem, Procedure, Quiz, problem_id

View = Literal["textbook", "glance"]
Split = Literal["train", "held_out"]

SOURCE = "procedural"
LETTERS = "ABCD"
PATIENCE = 5000
"""Draws in a row without a new problem after which a family is said to have no more."""


def make_problem(
    family: Family, view: View, difficulty: int, seed_or_rng: int | Random, answer: str | None = None
) -> Problem:
    """One problem. `difficulty` is 1 to 3 (a glance problem is the same at each).

    The answer of a glance problem is drawn uniformly before its parameters unless `answer` sets it.
    """
    rng = Random(f"{family.name}/{view}/{seed_or_rng}") if isinstance(seed_or_rng, int) else seed_or_rng
    if view == "textbook":
        return textbook_problem(family, difficulty, sample_params(family, view, difficulty, rng))
    answer = answer or rng.choice(family.glance.answers)
    return glance_problem(family, difficulty, sample_params(family, view, difficulty, rng, answer), answer)


def sample_params(family: Family, view: View, difficulty: int, rng: Random, answer: str = "") -> dict[str, Any]:
    """Parameters as they look after being stored: JSON has no tuples."""
    params = family.sample(rng, difficulty) if view == "textbook" else family.glance.sample(rng, answer)
    return cast(dict[str, Any], json.loads(json.dumps(dict(params))))


def textbook_problem(family: Family, difficulty: int, params: dict[str, Any]) -> Problem:
    """The record of a textbook problem with these parameters."""
    statement = family.state(params)
    identity = _identity(family, "textbook", statement.question, params)
    return Problem(
        id=identity,
        source=SOURCE,
        question=statement.question,
        answer=statement.answer,
        subject=family.subject,
        image_type=family.image_type,
        elements=tuple(label.text for label in family.draw(params).labels if label.given),
        quizzes=tuple(
            _quiz(f"{identity}/{i}", fact.question, fact.right, fact.wrong, fact.evidence)
            for i, fact in enumerate(statement.facts)
        ),
        multimodal_question=statement.multimodal_question,
        procedure=Procedure(family=family.name, view="textbook", difficulty=difficulty, params=params),
    )


def glance_problem(family: Family, difficulty: int, params: dict[str, Any], answer: str) -> Problem:
    """The record of a glance problem with these parameters, for which `answer` is right."""
    glance = family.glance
    identity = _identity(family, "glance", glance.question, params)
    others = [a for a in glance.answers if a != answer]
    wrong = Random(f"{identity}/wrong").sample(others, min(len(others), len(LETTERS) - 1))
    return Problem(
        id=identity,
        source=SOURCE,
        question=glance.question,
        answer=answer,
        subject=family.subject,
        image_type=family.image_type,
        quizzes=(_quiz(f"{identity}/0", glance.question, answer, wrong, ""),),
        multimodal_question=glance.question,
        procedure=Procedure(family=family.name, view="glance", difficulty=difficulty, params=params),
    )


def _identity(family: Family, view: View, question: str, params: dict[str, Any]) -> str:
    return problem_id(SOURCE, question, {"family": family.name, "view": view, "params": params})


def _quiz(seed: str, question: str, right: str, wrong: Sequence[str], evidence: str) -> Quiz:
    texts = [right, *wrong]
    Random(seed).shuffle(texts)
    options = dict(zip(LETTERS, texts, strict=False))
    return Quiz(question=question, options=options, correct_option=LETTERS[texts.index(right)], evidence=evidence)


def split_key(problem: Problem) -> str:
    """sha256 over family, view and content parameters: two problems with the same key are the same but for style."""
    if problem.procedure is None:
        raise ScigenError(f"problem {problem.id}: only procedural problems are split by parameters; it has none.")
    p = problem.procedure
    return _key(registry.family(p.family), p.view, p.params)


def split_of(problem: Problem, held_out_percent: int) -> Split:
    """Which side of the split the problem is on: a function of `split_key` alone, the same in every run."""
    return _side(split_key(problem), held_out_percent)


def _key(family: Family, view: View, params: Params) -> str:
    content = {name: params[name] for name in family.glance.content} if view == "glance" else params
    body = json.dumps([family.name, view, content], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()


def _side(key: str, held_out_percent: int) -> Split:
    if not 0 <= held_out_percent <= 100:
        raise ScigenError(f"held_out_percent: {held_out_percent} is not a percentage from 0 to 100.")
    return "held_out" if int(key[:12], 16) % 100 < held_out_percent else "train"


def make_problems(
    families: Sequence[Family],
    view: View,
    count: int,
    split: Split,
    held_out_percent: int,
    seed: int,
    difficulty: int | Sequence[int] = (1, 2, 3),
) -> Iterator[Problem]:
    """`count` problems of one split, no two with the same `split_key`, families taking turns.

    A family's glance problems take turns over its answers, its textbook problems over the difficulties. Raises
    ScigenError when a family has not so many distinct problems.
    """
    if not families:
        raise ScigenError("problems.families: the list is empty. Name at least one family.")
    levels = (difficulty,) if isinstance(difficulty, int) else tuple(difficulty)
    streams = [_distinct(family, view, split, held_out_percent, seed, levels) for family in families]
    for _, stream in zip(range(count), cycle(streams), strict=False):
        yield next(stream)


def _distinct(
    family: Family, view: View, split: Split, held_out_percent: int, seed: int, levels: Sequence[int]
) -> Iterator[Problem]:
    """Endless stream of one family's distinct problems of one split."""
    rng = Random(f"{family.name}/{view}/{split}/{seed}")
    seen: set[str] = set()
    turns = cycle(_shuffled(family.glance.answers, rng)) if view == "glance" else cycle([""])
    for level, answer in zip(cycle(levels), turns, strict=False):
        for _ in range(PATIENCE):
            params = sample_params(family, view, level, rng, answer)
            key = _key(family, view, params)
            if key not in seen and _side(key, held_out_percent) == split:
                break
        else:
            what = f'with the answer "{answer}"' if view == "glance" else f"at difficulty {level}"
            raise ScigenError(
                f"family {family.name}: after {len(seen)} distinct {view} problems there is no further one of split "
                f"{split} {what}. Ask for fewer problems, or change held_out_percent ({held_out_percent})."
            )
        seen.add(key)
        if view == "textbook":
            yield textbook_problem(family, level, params)
        else:
            yield glance_problem(family, level, params, answer)


def _shuffled(items: Sequence[str], rng: Random) -> list[str]:
    return rng.sample(list(items), len(items))
