"""The judge over HTTP: what is sent, what is read, and that nothing which cannot be read becomes a 0."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "models"))

from chat_server import ChatServer, Faults
from model_evaluator import make_sets
from test_transcripts import settings

from scigen.evaluation import Item, evaluate
from scigen.evaluation.evidence import Evidence
from scigen.evaluation.judge import Judge, PassRule
from scigen.evaluation.leaderboard.columns import COLUMNS
from scigen.generators import Studio
from scigen.records import Dimension, Rating, Verdict, VerdictStatus
from scigen.store import read_set

Answer = Callable[[dict[str, Any]], Any]


def grades(score: int = 2, **other: Any) -> dict[str, Any]:
    return {d.value: {"reason": "seen", "score": other.get(d.value, score)} for d in Dimension}


def number(body: dict[str, Any]) -> int:
    """Of the problem that is spoken of."""
    text = next(m for m in body["messages"] if m["role"] == "user")["content"][-1]["text"]
    return int(text.split('"""\n')[1].split("?")[0])


def run(folder: Path, items: list[Item], answer: Answer, **more: Any) -> tuple[dict[str, Verdict], ChatServer]:
    faults = more.pop("faults", Faults())
    with ChatServer(answer, faults=faults) as server:
        models = {name: settings(server.base_url, args={"x": name} if name != "first" else {}) for name in ["first"]}
        judge = Judge(**{"models": models, **more})
        evaluate(items, judge, folder / "judge", lambda: Studio(folder / "responses"))
        evaluate(items, judge, folder / "judge", lambda: Studio(folder / "responses"))
    return {v.problem_id: v for v in read_set(folder / "judge", Verdict)}, server


def test_five_dimensions_with_reasons_and_the_models_exact_name(tmp_path: Path) -> None:
    items = make_sets(tmp_path, 9, without=[4])
    found, server = run(tmp_path, items, lambda body: grades(2, layout_precision=number(body) % 3))
    assert len(server.seen) == 8, "run again, nothing is asked"
    assert found["p4"].status is VerdictStatus.NO_IMAGE
    for n in (0, 1, 2, 3, 5, 6, 7, 8):
        verdict = found[f"p{n}"]
        (rating,) = verdict.ratings
        assert verdict.measures[Dimension.LAYOUT_PRECISION] == n % 3
        assert rating.reasons[Dimension.LAYOUT_PRECISION] == "seen"
        assert rating.model == server.bodies[0]["model"] == verdict.model
        assert verdict.passed == (n % 3 > 0), "correct, and nowhere bad"
    text = str(server.bodies[0])
    assert "image_url" in text
    assert "must NOT show" in text


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        ({d.value: {"reason": "x", "score": 2} for d in list(Dimension)[:4]}, "a missing dimension"),
        (grades(2, layout_precision=3), "a score out of range"),
        (grades(2, layout_precision=-1), "a negative score"),
        (grades(2, layout_precision=1.5), "half a score"),
        (grades(2, layout_precision="2"), "a score in quotes"),
        (grades(2, layout_precision=None), "no score"),
        ({**grades(2), "overall": 2}, "a sixth dimension"),
        ("I would give it full marks.", "prose"),
    ],
)
def test_what_is_not_five_whole_scores_is_unparsed_and_never_a_zero(tmp_path: Path, broken: Any, what: str) -> None:
    items = make_sets(tmp_path, 4)
    found, server = run(tmp_path, items, lambda body: broken if number(body) == 1 else grades(2))
    assert found["p1"].status is VerdictStatus.UNPARSED, what
    assert (found["p1"].measures, found["p1"].ratings[0].scores) == ({}, {})
    assert found["p1"].error
    assert all(found[f"p{n}"].status is VerdictStatus.SCORED for n in (0, 2, 3))
    assert len(server.seen) == 5, "asked again once, with what was wrong"


def test_a_missing_dimension_does_not_lower_the_mean(tmp_path: Path) -> None:
    """The reference reads it as 0: a judge's slip becomes a generator's fault."""
    short = {d.value: {"reason": "x", "score": 2} for d in list(Dimension)[:4]}
    answers = {n: short if n == 1 else grades(2) for n in range(4)}
    old = [answers[n].get("expressiveness_richness", {"score": 0})["score"] for n in range(4)]
    found, _ = run(tmp_path, make_sets(tmp_path, 4), lambda body: answers[number(body)])
    ours = [v.measures["expressiveness_richness"] for v in found.values() if v.measures]
    assert (sum(old) / len(old), sum(ours) / len(ours), len(ours)) == (1.5, 2.0, 3)


def test_a_slip_that_is_mended_counts(tmp_path: Path) -> None:
    """The second time the judge gives what was asked for."""
    items = make_sets(tmp_path, 3)

    def answer(body: dict[str, Any]) -> Any:
        return grades(1) if body["messages"][-2]["role"] == "assistant" else {"score": 9}

    found, _ = run(tmp_path, items, answer)
    assert all(v.measures["scientific_plausibility"] == 1 for v in found.values())


def test_an_answer_without_a_fenced_block_is_read_too(tmp_path: Path) -> None:
    """The reference takes nothing but a fenced block."""
    items = make_sets(tmp_path, 2)
    found, _ = run(
        tmp_path,
        items,
        lambda body: f"```json\n{json.dumps(grades(1))}\n```" if number(body) else json.dumps(grades(1)),
    )
    assert Counter(v.status.value for v in found.values()) == {"scored": 2}


def test_failed_images_stay_in_the_mean(tmp_path: Path) -> None:
    """Two of six images are missing: the reference's mean is over four, and rises with every failure."""
    items = make_sets(tmp_path, 6, without=[0, 1])
    found, _ = run(tmp_path, items, lambda body: grades(2))
    evidence = Evidence.of([i.problem for i in items], [i.image for i in items], found.values())
    column = {c.key: c for c in COLUMNS}["correctness_fidelity"]
    assert column.values is not None
    ours = column.values(evidence, "g")
    old = [v.measures["correctness_fidelity"] for v in found.values() if v.measures]
    assert sum(old) / len(old) == 2.0
    assert (sum(ours.values()) / len(ours), len(ours)) == (pytest.approx(8 / 6), 6)


def test_readings_and_judges_are_ratings_of_one_verdict(tmp_path: Path) -> None:
    items = make_sets(tmp_path, 6)
    found, server = run(tmp_path, items, lambda body: grades(body.get("seed", 0) % 3), repeats=3)
    assert len(server.seen) == 18
    assert {(b["seed"], b["temperature"]) for b in server.bodies} == {(0, 0.0), (1, 0.7), (2, 0.7)}
    for verdict in found.values():
        assert [r.scores[Dimension.LAYOUT_PRECISION] for r in verdict.ratings] == [0, 1, 2]
        assert verdict.measures["layout_precision"] == 1.0


def test_two_judges_of_which_one_falls_silent(tmp_path: Path) -> None:
    items = make_sets(tmp_path, 5)

    def answer(body: dict[str, Any]) -> Any:
        return "no" if body["model"] == "silent" else grades(2)

    with ChatServer(answer) as server:
        speaks = settings(server.base_url)
        silent = speaks.model_copy(update={"name": "openai-api/test/silent"})
        judge = Judge(models={"one": speaks, "two": silent})
        evaluate(items, judge, tmp_path / "judge", lambda: Studio(tmp_path / "responses"))
    for verdict in read_set(tmp_path / "judge", Verdict):
        assert verdict.status is VerdictStatus.UNPARSED, "a mean of whoever speaks would be another judge's"
        assert [r.status.value for r in verdict.ratings] == ["scored", "unparsed"]
        assert verdict.measures == {}
        assert not verdict.passed


def test_the_rule_takes_the_median(tmp_path: Path) -> None:
    rule = PassRule(least={Dimension.CORRECTNESS_FIDELITY: 2})

    def ratings(*scores: int) -> list[Rating]:
        return [
            Rating(judge="a", repeat=n, status=VerdictStatus.SCORED, scores=dict.fromkeys(Dimension, s))
            for n, s in enumerate(scores)
        ]

    assert rule.passes(ratings(2, 0, 2))
    assert not rule.passes(ratings(2, 1, 1))
    assert not rule.passes(ratings(2, 1)), "1.5"
    assert not rule.passes([])


def check_faults(folder: Path, count: int) -> None:
    items = make_sets(folder, count, without=range(0, count, 10))
    kinds = ("rate_limit", "error_500", "cut", "garbage", "wrong_json", "empty", "content_filter")

    def answer(body: dict[str, Any]) -> Any:
        kind = number(body) % 12
        return [grades(1), {"correctness_fidelity": {"reason": "", "score": 2}}, grades(7)][
            min(kind, 2) if kind < 3 else 0
        ]

    found, server = run(folder, items, answer, faults=Faults(rate=0.2, kinds=kinds, retry_after_s=0.02))
    statuses = Counter(v.status.value for v in found.values())
    assert len(found) == statuses.total() == count
    assert statuses["no_image"] == -(-count // 10)
    assert statuses["refused"] > 0
    assert statuses["unparsed"] > count / 12
    for verdict in found.values():
        scored = verdict.status is VerdictStatus.SCORED
        assert bool(verdict.measures) == scored
        assert set(verdict.measures.values()) <= {1.0}, "no fault has moved a score"
        if verdict.status in (VerdictStatus.UNPARSED, VerdictStatus.REFUSED):
            assert verdict.error
    assert max(server.delivered().values()) == 1


@pytest.mark.slow
def test_with_every_fault_no_image_vanishes_and_none_becomes_zero(tmp_path: Path) -> None:
    check_faults(tmp_path, 50)


@pytest.mark.slow
def test_with_every_fault_and_many_images(tmp_path: Path) -> None:
    check_faults(tmp_path, 400)
