"""The audit as users run it: on the published files the paper protocol's faults, on its own release none unflagged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scigen.app.audit import run_audit
from scigen.app.curate import CurateSettings
from scigen.problems.sources import SciGenBench
from scigen.records import Flag, Problem
from scigen.store import read_set

DATA = Path(__file__).parents[3] / "shared" / "data" / "scigenbench"
published = pytest.mark.skipif(not DATA.exists(), reason="the benchmark's files are not beside the checkout")


class Settings:
    """What the audit reads of the command's settings."""

    def __init__(self, output: Path, dry_run: bool = False) -> None:
        paths = CurateSettings.model_fields["paths"].annotation
        assert paths is not None
        self.seed, self.dry_run = 0, dry_run
        self.paths = paths(output=output, sets=output / "sets", policy=output / "policy")


def audited(path: Path, split: str, output: Path) -> dict[str, Any]:
    run_audit(SciGenBench(path=str(path), split=split), Settings(output), Console(quiet=True))
    figures: dict[str, Any] = json.loads((output / "audit.json").read_text())
    return figures


@published
def test_the_published_part_has_the_faults_that_the_protocol_names(tmp_path: Path) -> None:
    source = audited(DATA / "scigen.json", "scigen", tmp_path)["source"]
    rows = source["rows"]
    assert (source["items"], source["quizzes"]) == (657, 2571)
    # the whole set: C 40.2, B 37.2, D 12.1, A 10.5 %; these 62 % of it have them within their intervals
    for letter, share in {"C": 0.402, "B": 0.372, "D": 0.121, "A": 0.105}.items():
        low, high = rows[f"key is {letter}"]["ci95"]
        assert low <= share <= high
    low, high = rows["stem says text or passage"]["ci95"]
    assert low <= 0.097 <= high
    assert rows["key outside options"]["count"] == 4
    assert rows["duplicate"]["count"] == 4
    assert rows["unusable answer"]["count"] == 1
    assert rows["chain of thought"]["count"] == 10
    assert rows["no multimodal question"]["count"] == 31
    assert source["key_skew_p"] < 1e-100


@pytest.mark.slow
@published
@pytest.mark.parametrize("split", ["scigen", "seephys"])
def test_the_release_holds_every_item_and_its_own_audit_is_clean(split: str, tmp_path: Path) -> None:
    first = audited(DATA / f"{split}.json", split, tmp_path / "first")
    released = tmp_path / "first" / "release" / f"scigenbench-{split}.json"
    again = audited(released, split, tmp_path / "again")
    ids = [item["id"] for item in json.loads(released.read_text())]
    assert ids == [str(item["id"]) for item in json.loads((DATA / f"{split}.json").read_text())]
    assert first["source"]["open"] > 400
    assert again["source"]["open"] == 0
    assert again["source"]["key_skew_p"] > 0.05
    assert again["source"]["rows"] == again["release"]["rows"]
    assert {p.id for p in read_set(tmp_path / "first" / "sets" / "problems", Problem)} == set(ids)


def test_every_change_of_a_small_release_is_listed_by_item(tmp_path: Path) -> None:
    quiz = {"question": "According to the text, how long is it?", "correct_option": "C",
            "options": {"A": "1 m", "B": "2 m", "C": "3 m", "D": "4 m"}}  # fmt: skip
    item = {"id": "one", "question": "A rod of 3 m.", "image_type": "Physics - Mechanical", "answer": "None",
            "elements": ["3 m"], "quizzes": [quiz], "multimodal_question": "How long?"}  # fmt: skip
    path = tmp_path / "set.json"
    path.write_text(json.dumps([item, {**item, "id": "two"}]))
    audited(path, "scigen", tmp_path / "out")
    changes = [json.loads(line) for line in (tmp_path / "out" / "release" / "changes.jsonl").read_text().splitlines()]
    made = [(c["item"], c["field"], c["action"], c["after"]) for c in changes if c["action"] in ("reworded", "flagged")]
    assert made == [
        ("one", "quizzes.0.question", "reworded", "How long is it?"),
        ("one", "flags", "flagged", "unusable_answer"),
        ("two", "quizzes.0.question", "reworded", "How long is it?"),
        ("two", "flags", "flagged", "duplicate"),
        ("two", "flags", "flagged", "unusable_answer"),
    ]
    one, two = read_set(tmp_path / "out" / "sets" / "problems", Problem)
    assert one.flags == (Flag.UNUSABLE_ANSWER,)
    assert set(two.flags) == {Flag.DUPLICATE, Flag.UNUSABLE_ANSWER}
    assert one.answer == "None"
    assert one.quizzes[0].options[one.quizzes[0].correct_option] == "3 m"
    card = (tmp_path / "out" / "release" / "README.md").read_text()
    assert "license: apache-2.0" in card
    assert "| unusable answer | 2 of 2 items: 100.0" in card


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text(
        json.dumps([{"id": "one", "question": "A rod.", "image_type": "Physics - Mechanical", "answer": "3"}])
    )
    run_audit(
        SciGenBench(path=str(path), split="scigen"), Settings(tmp_path / "out", dry_run=True), Console(quiet=True)
    )
    assert not (tmp_path / "out").exists()
