"""Evaluators that ask models: Inspect's log shows all of it, the journal and the budget are those of every command."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from model_evaluator import Glance, make_sets

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

from chat_server import ChatServer, Faults

from scigen.errors import ScigenError
from scigen.evaluation import evaluate
from scigen.evaluation.transcripts import log_files
from scigen.generators import Studio
from scigen.models import Budget, BudgetReached, ModelSettings, Price
from scigen.records import Verdict
from scigen.store import iter_records, read_set


def right(body: dict[str, Any]) -> Any:
    """Every image but those of problems whose number ends in 3."""
    text = body["messages"][-1]["content"][-1]["text"]
    return {"right": not text.rstrip("?").endswith("3")}


def settings(url: str, **more: Any) -> ModelSettings:
    patience = {"backoff_s": 0.02, "retries": 3, "connections": 8}
    return ModelSettings(name="openai-api/test/vlm", base_url=url, stands_for="test", **{**patience, **more})


def statuses(folder: Path) -> Counter[str]:
    return Counter(v.status.value for v in read_set(folder, Verdict))


def test_each_image_has_a_verdict_and_a_transcript_with_its_picture(tmp_path: Path) -> None:
    from inspect_ai.log import read_eval_log

    items = make_sets(tmp_path, 24, without=[5])
    with ChatServer(right) as server:
        glance = Glance(model=settings(server.base_url))
        estimate = glance.estimate(items, tmp_path / "responses")
        assert (estimate.calls, estimate.cached) == (23, 0)
        evaluate(items, glance, tmp_path / "v", lambda: Studio(tmp_path / "responses"))
        assert len(server.seen) == 23
        assert glance.estimate(items, tmp_path / "responses").cached == 23
    verdicts = {v.problem_id: v for v in read_set(tmp_path / "v", Verdict)}
    assert statuses(tmp_path / "v") == {"scored": 23, "no_image": 1}
    assert {k for k, v in verdicts.items() if not v.passed} == {"p3", "p5", "p13", "p23"}
    (path,) = log_files(tmp_path)
    log = read_eval_log(str(path))
    assert (log.status, log.eval.task) == ("success", "glance")
    assert log.samples is not None
    assert len(log.samples) == 24
    sample = next(s for s in log.samples if s.id == "p3/g")
    call = next(e for e in sample.events if e.event == "model")
    assert "image" in str(call.input)
    assert call.output.completion == '{"right": false}'
    assert sample.scores is not None
    assert sample.scores["passed"].value in (False, "I", 0)


@pytest.mark.slow
def test_faults_are_statuses_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    items = make_sets(tmp_path, 60)
    kinds = ("rate_limit", "error_500", "cut", "garbage", "wrong_json", "empty", "content_filter")
    with ChatServer(right, faults=Faults(rate=0.3, kinds=kinds, retry_after_s=0.02)) as server:
        glance = Glance(model=settings(server.base_url, retries=6))
        evaluate(items, glance, tmp_path / "v", lambda: Studio(tmp_path / "responses"))
        found = statuses(tmp_path / "v")
        assert found.total() == 60
        assert found["scored"] > 40
        assert found["refused"] > 0
        evaluate(items, glance, tmp_path / "v", lambda: Studio(tmp_path / "responses"), retry_failed=True)
        evaluate(items, glance, tmp_path / "again", lambda: Studio(tmp_path / "responses"))
        assert max(server.delivered().values()) == 1


@pytest.mark.slow
def test_a_budget_stops_the_run_and_what_had_arrived_is_kept(tmp_path: Path) -> None:
    items = make_sets(tmp_path, 40)
    price = Price(input=100.0, output=100.0)
    with ChatServer(right) as server:
        glance = Glance(model=settings(server.base_url, price=price, connections=2), at_once=2)
        with pytest.raises(BudgetReached, match=r"budget\.usd"):
            evaluate(items, glance, tmp_path / "v", lambda: Studio(tmp_path / "responses", Budget(0.6)))
        arrived = len(server.seen)
        assert 0 < arrived < 40
        assert len(list(iter_records(tmp_path / "v", Verdict))) == arrived
        evaluate(items, glance, tmp_path / "v", lambda: Studio(tmp_path / "responses"))
        assert len(server.seen) == 40
    assert statuses(tmp_path / "v") == {"scored": 40}


def test_a_refused_key_ends_the_run_in_words(tmp_path: Path) -> None:
    items = make_sets(tmp_path, 4)
    with ChatServer(right, key="another") as server:
        glance = Glance(model=settings(server.base_url))
        with pytest.raises(ScigenError, match="the key was refused"):
            evaluate(items, glance, tmp_path / "v", lambda: Studio(tmp_path / "responses"))
