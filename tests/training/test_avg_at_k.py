"""AVG@k from a validation dump, against numbers worked out by hand."""

import json
import math

import pytest

from scigen.errors import ScigenError
from scigen.training import avg_at_k


def dump(path, rows):
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


def row(problem, acc, source="held_out", **extra):
    return {"data_source": source, "problem_id": problem, "acc": acc, "step": 20} | extra


def test_means_rates_and_families(tmp_path):
    accs = {"a": [1, 1, 1, 1], "b": [1, 0, 0, 0], "c": [0, 0, 0, 0]}
    rows = [row(p, a, truncated=1.0 - a, no_answer=0.0) for p, values in accs.items() for a in values]
    rows += [row("a", 0.0, "held_out_blank", no_answer=1.0) for _ in range(4)]
    result = avg_at_k.read(dump(tmp_path / "20.jsonl", rows), {"a": "wave", "b": "wave", "c": "lens"})
    real, blank = result["held_out"], result["held_out_blank"]
    assert real.avg_at_k == pytest.approx(5 / 12)  # (1 + 1/4 + 0) / 3
    assert (real.n_problems, real.k, real.step) == (3, 4, 20)
    assert real.truncated_rate == pytest.approx(7 / 12)
    assert real.by_family == {"lens": 0.0, "wave": pytest.approx(5 / 8)}
    assert real.by_problem == {"a": 1.0, "b": 0.25, "c": 0.0}
    # with 3 problems the 2.5 % and 97.5 % ends are all-c (1/27) and all-a (1/27)
    assert real.ci95 == (0.0, 1.0)
    assert blank.avg_at_k == 0.0
    assert blank.no_answer_rate == 1.0
    assert math.isnan(blank.truncated_rate), "not said is not zero"


def test_unequal_numbers_of_responses_are_refused(tmp_path):
    path = dump(tmp_path / "0.jsonl", [row("a", 1), row("a", 1), row("b", 1)])
    with pytest.raises(ScigenError, match="between 1 and 2 responses"):
        avg_at_k.read(path)


def test_a_record_without_its_problem_is_named(tmp_path):
    path = dump(tmp_path / "0.jsonl", [row("a", 1), {"data_source": "held_out", "acc": 1, "step": 0}])
    with pytest.raises(ScigenError, match=r"0\.jsonl:2: .*problem_id"):
        avg_at_k.read(path)


def test_steps_in_order(tmp_path):
    for name in ("10.jsonl", "9.jsonl", "notes.jsonl"):
        (tmp_path / name).touch()
    assert avg_at_k.steps(tmp_path) == [9, 10]
