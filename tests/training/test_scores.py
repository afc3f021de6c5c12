"""Scores of a validation dump, against numbers worked out by hand and against drawing without replacement."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest

from scigen.statistics import Estimate
from scigen.training.benchmark_rows import BenchmarkRows, read_rows
from scigen.training.scores import interval, main, paired, read_scores
from scigen.training.votes import answer_of, majority, pass_at_k


def row(problem: str, answer: str | None, acc: float, **other: Any) -> dict[str, Any]:
    text = "I do not know" if answer is None else f"so \\boxed{{{answer}}}"
    usual = {"data_source": "mini", "problem_id": problem, "step": 20, "acc": acc, "output": text, "gts": "4"}
    return usual | {"truncated": 0.0, "no_answer": float(answer is None)} | other


def dump(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


ROWS = [
    # a: 4 4 4 7 -> avg 3/4, pass 1, maj 1
    *(row("a", x, x == "4") for x in ("4", "4", "4", "7")),
    # b: 4 4 7 7, a tie of two -> avg 1/2, pass 1, maj 1/2
    *(row("b", x, x == "4") for x in ("4", "4", "7", "7")),
    # c: nothing, nothing, 5, 4: a tie of two single votes -> avg 1/4, pass 1, maj 1/2
    row("c", None, 0, truncated=1.0),
    row("c", None, 0, truncated=1.0),
    row("c", "5", 0),
    row("c", "4", 1),
    # d: the verifier finds "four" right, the rule does not; "9" both wrong; the rule alone finds the last one right
    row("d", "four", 1, unparsed=0.0),
    row("d", "9", 0, unparsed=1.0),
    row("d", "9", 0, unparsed=0.0),
    row("d", "4", 0, unparsed=0.0),
]


@pytest.fixture
def scores(tmp_path: Path) -> Any:
    return read_scores(dump(tmp_path / "20.jsonl", ROWS))["mini"]


def test_avg_pass_and_majority_by_hand(scores: Any) -> None:
    assert (scores.k, scores.responses, scores.step, scores.missing) == (4, 16, 20, 0)
    assert scores.avg.value == pytest.approx((3 / 4 + 1 / 2 + 1 / 4 + 1 / 4) / 4)
    assert scores.avg.n == 4
    assert scores.pass_at[1].value == pytest.approx(scores.avg.value)
    # pass@2 = 1 - C(4-c, 2) / 6 for c = 3, 2, 1, 1: 1, 5/6, 1/2, 1/2
    assert scores.pass_at[2].value == pytest.approx((1 + 5 / 6 + 1 / 2 + 1 / 2) / 4)
    assert scores.pass_at[4].value == 1.0
    # d: "9" has two of four votes and is wrong
    assert scores.majority.value == pytest.approx((1 + 1 / 2 + 1 / 2 + 0) / 4)
    assert scores.by_problem["majority"] == {"a": 1.0, "b": 0.5, "c": 0.5, "d": 0.0}


def test_rates_are_of_responses_and_clustered_by_problem(scores: Any) -> None:
    assert scores.truncated.value == pytest.approx(2 / 16)
    assert scores.no_answer.value == scores.unboxed.value == pytest.approx(2 / 16)
    assert scores.flags["unparsed"].value == pytest.approx(1 / 4), "only d's responses say"
    # all truncated responses are one problem's: drawn again, none or up to half of all are
    assert scores.truncated.low == 0.0
    assert scores.truncated.high >= 0.25


def test_the_rule_scores_the_dumped_texts_again(scores: Any) -> None:
    rule = scores.rule
    assert rule.responses == 16
    assert (rule.right_by_reward_alone, rule.right_by_rule_alone) == (1, 1)
    assert rule.disagreement.value == pytest.approx(2 / 16)
    assert rule.accuracy.value == pytest.approx(scores.avg.value), "one each way cancels in d"


def test_without_texts_nothing_is_said_of_majority_and_rule(tmp_path: Path) -> None:
    bare = [{k: v for k, v in r.items() if k not in ("output", "truncated", "no_answer")} for r in ROWS]
    scores = read_scores(dump(tmp_path / "0.jsonl", bare))["mini"]
    assert scores.majority is scores.rule is scores.truncated is scores.unboxed is None
    assert scores.avg.value == pytest.approx(7 / 16)


def test_problems_without_a_response_count_as_not_solved(tmp_path: Path) -> None:
    rows = BenchmarkRows({"mini": frozenset("abcdef")}, {"subject": {"a": "algebra", "b": "algebra", "f": "logic"}})
    scores = read_scores(dump(tmp_path / "0.jsonl", ROWS), rows)["mini"]
    assert (scores.missing, scores.avg.n) == (2, 6)
    assert scores.avg.value == pytest.approx((7 / 4) / 6)
    assert scores.avg_scored.value == pytest.approx(7 / 16)
    assert scores.pass_at[4].value == pytest.approx(4 / 6)
    assert scores.majority.value == pytest.approx(2 / 6)
    assert scores.groups["subject"]["algebra"].value == pytest.approx(5 / 8)
    assert scores.groups["subject"]["logic"] == Estimate(0.0, 0.0, pytest.approx(0.7935, abs=1e-3), 1)


def test_groups_and_ids_come_from_the_parquet(tmp_path: Path) -> None:
    datasets.disable_progress_bars()
    extra = [{"problem_id": p, "subject": s, "level": "2", "answer_type": "number"} for p, s in (("a", "x"), ("b", ""))]
    table = datasets.Dataset.from_list([{"data_source": "mini", "extra_info": e} for e in extra])
    table.to_parquet(tmp_path / "mini.parquet")
    rows = read_rows([tmp_path / "mini.parquet"])
    assert rows.ids == {"mini": frozenset("ab")}
    assert rows.groups == {
        "subject": {"a": "x"},
        "level": {"a": "2", "b": "2"},
        "answer_type": {"a": "number", "b": "number"},
    }


@pytest.mark.parametrize(("responses", "right"), [(4, 0), (4, 1), (4, 3), (8, 2), (8, 8)])
def test_pass_at_k_is_the_share_of_draws_with_a_right_one(responses: int, right: int) -> None:
    marks = [True] * right + [False] * (responses - right)
    for k in range(1, responses + 1):
        draws = [any(draw) for draw in itertools.combinations(marks, k)]
        assert pass_at_k(responses, right, k) == pytest.approx(np.mean(draws))


def test_majority_is_the_mean_over_random_tie_breaks() -> None:
    answers, right = ["1", "2", "2", "3", "3", None], [0.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    rng = np.random.default_rng(0)
    picks = [("2", "3")[rng.integers(2)] == "2" for _ in range(4000)]
    assert majority(answers, right) == 0.5 == pytest.approx(np.mean(picks), abs=0.05)
    assert majority([None, None], [0.0, 0.0]) == 0.0
    assert majority(["x", "x"], [1.0, 0.0]) == 0.5, "one answer, two verdicts"
    with pytest.raises(ValueError, match="2 answers, 1 marks"):
        majority(["1", "2"], [1.0])


@pytest.mark.parametrize(
    ("response", "vote"),
    [
        ("\\boxed{(B)}", "B"),
        ("\\boxed{b.}", "B"),
        ("\\boxed{\\text{B}}", "B"),
        ("\\boxed{$2 \\sqrt{3}$}", "2\\sqrt{3}"),
        ("\\boxed{Left}", "left"),
        ("\\boxed{1} or \\boxed{2}", "2"),
        ("\\boxed{ }", None),
        ("twelve", None),
    ],
)
def test_what_counts_as_one_vote(response: str, vote: str | None) -> None:
    assert answer_of(response) == vote


def test_gains_are_paired_by_problem(tmp_path: Path) -> None:
    before = read_scores(dump(tmp_path / "0.jsonl", ROWS))["mini"]
    after = read_scores(dump(tmp_path / "1.jsonl", [r | {"acc": 1.0, "output": "\\boxed{4}"} for r in ROWS[4:]]))[
        "mini"
    ]
    gains = paired(after, before)
    assert gains["avg"].n == 3, "a is not in both"
    assert gains["avg"].value == pytest.approx(1 - (1 / 2 + 1 / 4 + 1 / 4) / 3)
    assert gains["pass"].value == 0.0
    assert gains["majority"].value == pytest.approx(1 - (1 / 2 + 1 / 2 + 0) / 3)
    assert gains["avg"].low >= 0.5


def test_all_alike_has_the_width_of_wilsons_interval() -> None:
    none = interval({str(i): [0.0, 0.0] for i in range(300)})
    assert (none.value, none.low, none.n) == (0.0, 0.0, 300)
    assert none.high == pytest.approx(0.01264, abs=1e-4)  # z^2 / (n + z^2)


def test_the_command_prints_scores_and_gains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [dump(tmp_path / "0.jsonl", ROWS), dump(tmp_path / "20.jsonl", [r | {"acc": 1.0} for r in ROWS])]
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("sys.argv", ["scores", *map(str, paths)])
    main()
    printed = capsys.readouterr().out
    assert "43.8 (" in printed, "AVG@4 of the first: 7 of 16"
    assert "+56.2 (" in printed
    monkeypatch.setattr("sys.argv", ["scores", str(dump(tmp_path / "bad.jsonl", [{"acc": 1}]))])
    with pytest.raises(SystemExit, match=r"bad\.jsonl:1: not a validation record"):
        main()
