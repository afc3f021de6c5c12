"""Makes Problem records from families, and splits them into train and held-out by what they are, not by seed.

It draws nothing: a problem's script is `family.draw(params).script()` or `family.seen_at_a_glance.draw(params)`.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Literal, cast

from scigen.errors import ScigenError
from scigen.problems.procedural import registry
from scigen.problems.procedural.family import Fact, Family, Params
from scigen.problems.quizzes import key_places, placed
from scigen.records import Problem, Procedure, Quiz, problem_id

View = Literal["textbook", "glance"]
Split = Literal["train", "held_out"]

SOURCE = "procedural"
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
    answer = answer or rng.choice(family.seen_at_a_glance.answers)
    return glance_problem(family, difficulty, sample_params(family, view, difficulty, rng, answer), answer)


def sample_params(family: Family, view: View, difficulty: int, rng: Random, answer: str = "") -> dict[str, Any]:
    """Parameters as they look after being stored: JSON has no tuples."""
    params = family.sample(rng, difficulty) if view == "textbook" else family.seen_at_a_glance.sample(rng, answer)
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
        quizzes=tuple(_quizzes(identity, statement.facts)),
        multimodal_question=statement.multimodal_question,
        procedure=Procedure(family=family.name, view="textbook", difficulty=difficulty, params=params),
    )


def glance_problem(family: Family, difficulty: int, params: dict[str, Any], answer: str) -> Problem:
    """The record of a glance problem with these parameters, for which `answer` is right."""
    glance = family.seen_at_a_glance
    identity = _identity(family, "glance", glance.question, params)
    others = [a for a in glance.answers if a != answer]
    wrong = Random(f"{identity}/wrong").sample(others, min(len(others), 3))
    (place,) = key_places(identity, [1 + len(wrong)], 0)
    return Problem(
        id=identity,
        source=SOURCE,
        question=glance.question,
        answer=answer,
        subject=family.subject,
        image_type=family.image_type,
        quizzes=(placed(glance.question, answer, wrong, place, Random(f"{identity}/0")),),
        multimodal_question=glance.question,
        procedure=Procedure(family=family.name, view="glance", difficulty=difficulty, params=params),
    )


def _identity(family: Family, view: View, question: str, params: dict[str, Any]) -> str:
    return problem_id(SOURCE, question, {"family": family.name, "view": view, "params": params})


def _quizzes(identity: str, facts: Sequence[Fact]) -> Iterator[Quiz]:
    places = key_places(identity, [1 + len(fact.wrong) for fact in facts], 0)
    for i, (fact, place) in enumerate(zip(facts, places, strict=True)):
        yield placed(fact.question, fact.right, fact.wrong, place, Random(f"{identity}/{i}"), fact.evidence)


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
    content = {name: params[name] for name in family.seen_at_a_glance.content} if view == "glance" else params
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

    Glance problems come from the families that have such a view. A family's glance problems take turns over its
    answers, its textbook problems over the difficulties. A family that has no further textbook problem leaves the
    round to the others. Raises ScigenError when there is none left, and when an answer of a glance view has no further
    problem, for then the answers would not be balanced.
    """
    families = [f for f in families if view == "textbook" or f.glance]
    if not families:
        raise ScigenError(f"problems.families: there is none with a {view} view. Name at least one family.")
    levels = (difficulty,) if isinstance(difficulty, int) else tuple(difficulty)
    streams = deque(_distinct(family, view, split, held_out_percent, seed, levels) for family in families)
    given = 0
    while given < count:
        stream = streams.popleft()
        try:
            problem = next(stream)
        except Exhausted:
            if view == "glance" or not streams:
                raise
            continue
        streams.append(stream)
        given += 1
        yield problem


class Exhausted(ScigenError):
    """A family has no further problem."""


def _distinct(
    family: Family, view: View, split: Split, held_out_percent: int, seed: int, levels: Sequence[int]
) -> Iterator[Problem]:
    """Stream of one family's distinct problems of one split; ends in Exhausted."""
    rng = Random(f"{family.name}/{view}/{split}/{seed}")
    seen: set[str] = set()
    answers = deque(_shuffled(family.seen_at_a_glance.answers, rng) if view == "glance" else [""])
    rest = deque(levels)
    while rest:
        level, answer = rest[0], answers[0]
        for _ in range(PATIENCE):
            params = sample_params(family, view, level, rng, answer)
            key = _key(family, view, params)
            if key not in seen and _side(key, held_out_percent) == split:
                break
        else:
            if view == "textbook" and len(rest) > 1:
                rest.popleft()
                continue
            what = f'with the answer "{answer}"' if view == "glance" else f"at difficulty {level}"
            raise Exhausted(
                f"family {family.name}: after {len(seen)} distinct {view} problems there is no further one of split "
                f"{split} {what}. Ask for fewer problems, or change held_out_percent ({held_out_percent})."
            )
        seen.add(key)
        rest.rotate(-1)
        answers.rotate(-1)
        if view == "textbook":
            yield textbook_problem(family, level, params)
        else:
            yield glance_problem(family, level, params, answer)


def _shuffled(items: Sequence[str], rng: Random) -> list[str]:
    return rng.sample(list(items), len(items))
