"""Items through all stages against a loopback server that fails: one record each, a funnel that adds up, resumable."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "models"))

from chat_server import ChatServer, Faults
from curation_answers import answer
from curation_source import Blocks

from scigen.errors import ScigenError
from scigen.models import Budget, BudgetReached, ModelSettings
from scigen.models.prices import Price
from scigen.problems.curation.classify import Classify
from scigen.problems.curation.contaminated import Contaminated
from scigen.problems.curation.elements import Elements
from scigen.problems.curation.engine import LocalEngine
from scigen.problems.curation.forecast import forecast
from scigen.problems.curation.incoming import Incoming
from scigen.problems.curation.limits import Limits
from scigen.problems.curation.quizzes import Quizzes
from scigen.problems.curation.record import CurationRecord, CurationStatus
from scigen.problems.curation.repeats import Repeats
from scigen.problems.curation.rewrite import Rewrite
from scigen.problems.curation.run import Curation, curate, write_problems
from scigen.problems.curation.tally import Tally
from scigen.problems.curation.visualisable import Visualisable
from scigen.problems.malformed import Malformed
from scigen.problems.sources import SourceItem
from scigen.records import Problem
from scigen.store import image_path, read_manifest, read_set

ALL = (Limits(), Repeats(), Visualisable(), Classify(), Elements(), Quizzes(), Rewrite())
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000" "1f15c489"
    "0000000d49444154789c63f8ffff3f0005fe02fea7357e8a0000000049454e44ae426082"
)  # fmt: skip


def model(server: ChatServer, **changes: Any) -> ModelSettings:
    base = {"name": "openai-api/test/answers", "base_url": server.base_url, "stands_for": "test", "backoff_s": 0.02}
    return ModelSettings.model_validate({**base, **changes})


def run(
    folder: Path,
    source: Any,
    settings: ModelSettings | None,
    stages: tuple[Any, ...] = ALL,
    retry_failed: bool = False,
    budget: Budget | None = None,
) -> list[Tally]:
    curation = Curation(folder, stages, settings, seed=0)
    incoming = Incoming(source, folder / "problems-malformed")
    tallies: list[Tally] = []
    with LocalEngine(settings, folder / "responses", budget, seed=0) as engine:
        curate(curation, incoming, engine, retry_failed, tallies, lambda *_: None)
    write_problems(curation, incoming.inputs)
    return tallies


def records(folder: Path, n: int, name: str) -> list[CurationRecord]:
    return read_set(folder / "curation" / f"{n:02d}-{name}", CurationRecord)


def check_funnel(folder: Path, tallies: list[Tally], came_in: int) -> None:
    """Each item one record a stage, statuses add up, and each stage gets what the one before kept."""
    assert [t.stage for t in tallies] == [s.name for s in ALL]
    expected = came_in
    for n, tally in enumerate(tallies, 1):
        found = records(folder, n, tally.stage)
        assert len({r.problem_id for r in found}) == len(found) == expected
        counts = Counter(r.status.value for r in found)
        assert tally.kept == counts["kept"]
        assert tally.kept + tally.dropped.total() + tally.failed.total() == tally.came_in == expected
        assert tally.failed == {s: c for s, c in counts.items() if s not in ("kept", "dropped")}
        expected = tally.kept
    assert {p.id for p in read_set(folder / "problems", Problem)} == {
        r.problem_id for r in records(folder, len(ALL), "rewrite") if r.problem is not None
    }
    assert all(b.came_in == a.kept for a, b in pairwise(tallies))


@pytest.mark.parametrize(
    ("count", "rate"), [(20, 0.0), pytest.param(200, 0.1, marks=pytest.mark.slow)], ids=["clean", "faults"]
)
def test_every_item_has_one_record_a_stage_and_the_funnel_adds_up(tmp_path: Path, count: int, rate: float) -> None:
    with ChatServer(answer, Faults(rate, slow_s=0.1, retry_after_s=0.05)) as server:
        tallies = run(tmp_path, Blocks(count), model(server))
        delivered = server.delivered()
    check_funnel(tmp_path, tallies, count)
    assert tallies[0].dropped == {"too_short": count // 20, "language": count // 20}
    assert tallies[1].dropped == {"exact_duplicate": count // 20}
    assert max(delivered.values()) == 1
    for problem in read_set(tmp_path / "problems", Problem):
        assert problem.image_type is not None
        assert len(problem.elements) == len(problem.quizzes) == 2
        assert problem.multimodal_question.endswith("the plane shown?")
    quizzes = tallies[5]
    assert quizzes.remarks == {"refers_to_text": quizzes.kept}
    assert tallies[4].remarks == {"not in the question": tallies[4].kept}


@pytest.mark.slow
def test_a_second_run_asks_nothing_and_gives_the_same_sets(tmp_path: Path) -> None:
    with ChatServer(answer) as server:
        first = run(tmp_path, Blocks(40), model(server))
        hashes = {p.parent: p.read_text() for p in tmp_path.rglob("manifest.json")}
        asked = len(server.seen)
        second = run(tmp_path, Blocks(40), model(server))
        assert len(server.seen) == asked > 0
        assert {p.parent: p.read_text() for p in tmp_path.rglob("manifest.json")} == hashes
        assert [t.figures() | {"wall_s": 0} for t in first] == [t.figures() | {"wall_s": 0} for t in second]
        other = run(tmp_path, Blocks(60), model(server))  # another source: new sets, old answers
        assert other[0].came_in == 60
        assert max(server.delivered().values()) == 1
    assert (tmp_path / "curation" / "01-limits.old-1").exists()


@dataclass
class Sulky:
    """Answers with the wrong shape until it is told to behave."""

    well: bool = False
    share: int = 3
    touched: set[str] = field(default_factory=set)

    def __call__(self, body: dict[str, Any]) -> Any:
        given = answer(body)
        if not self.well and "elements" in given and int(given["elements"][0].split()[0]) % self.share == 0:
            return {"elements": "5 kg"}
        return given


def test_failed_items_stay_behind_are_counted_and_are_tried_again_when_asked(tmp_path: Path) -> None:
    sulky = Sulky()
    with ChatServer(sulky) as server:
        before = run(tmp_path, Blocks(40), model(server))
        assert before[4].failed.total() == before[4].failed["unparsed"] > 0
        raw = [r for r in records(tmp_path, 5, "elements") if r.status is CurationStatus.UNPARSED]
        assert {r.raw for r in raw} == {'{"elements": "5 kg"}'}
        assert before[5].came_in == before[4].kept
        sulky.well = True
        asked = len(server.seen)
        again = run(tmp_path, Blocks(40), model(server))
        assert len(server.seen) == asked
        assert again[4].failed == before[4].failed
        retried = run(tmp_path, Blocks(40), model(server), retry_failed=True)
        # one call for each failed item, then quizzes and rewriting for it
        assert len(server.seen) == asked + 3 * before[4].failed.total()
        again_asked = server.bodies[asked : asked + before[4].failed.total()]
        assert {(b["seed"], b["temperature"]) for b in again_asked} == {(1, 0.7)}
        assert {(b["seed"], b["temperature"]) for b in server.bodies[:asked]} == {(0, 0.0)}
    assert retried[4].failed.total() == 0
    assert retried[4].kept == retried[5].came_in == before[4].came_in
    found = records(tmp_path, 5, "elements")
    assert Counter(r.attempt for r in found) == {1: before[4].came_in, 2: len(raw)}
    assert len(read_set(tmp_path / "problems", Problem)) == retried[-1].kept == before[4].came_in


@pytest.mark.slow
def test_an_item_that_fails_again_is_counted_once_and_its_costs_twice(tmp_path: Path) -> None:
    with ChatServer(Sulky()) as server:
        before = run(tmp_path, Blocks(20), model(server))[4]
        after = run(tmp_path, Blocks(20), model(server), retry_failed=True)[4]
    assert after.failed == before.failed
    assert after.came_in == before.came_in
    assert after.calls == before.calls + before.failed.total()
    assert after.input_tokens > before.input_tokens


@pytest.mark.slow
def test_the_budget_stops_the_run_before_it_is_crossed_and_more_money_goes_on_from_there(tmp_path: Path) -> None:
    price = Price(input=10.0, output=10.0)
    with ChatServer(answer) as server:
        settings = model(server, price=price, connections=2)
        with pytest.raises(BudgetReached):
            run(tmp_path, Blocks(40), settings, budget=Budget(0.2))
        spent = sum(s.input_tokens + s.output_tokens for s in server.seen if s.delivered) * 1e-5
        assert 0 < spent <= 0.2
        assert not (tmp_path / "problems" / "manifest.json").exists()
        tallies = run(tmp_path, Blocks(40), settings, budget=Budget(50.0))
        assert max(server.delivered().values()) == 1
        in_all = sum(s.input_tokens + s.output_tokens for s in server.seen if s.delivered) * 1e-5
    check_funnel(tmp_path, tallies, 40)
    assert sum(t.usd for t in tallies) == pytest.approx(in_all)


@pytest.mark.slow
def test_the_forecast_is_an_upper_bound_and_asks_nothing(tmp_path: Path) -> None:
    with ChatServer(answer) as server:
        settings = model(server, price=Price(input=1.0, output=1.0))
        rows = forecast(ALL, Blocks(40), settings, tmp_path / "responses", seed=0)
        assert not server.seen
        assert not (tmp_path / "responses").exists()
        tallies = run(tmp_path, Blocks(40), settings)
        later = forecast(ALL, Blocks(40), settings, tmp_path / "responses", seed=0)
    assert [r.stage for r in rows] == [t.stage for t in tallies]
    for row, tally in zip(rows, tallies, strict=True):
        assert row.items == 40
        assert row.estimate.calls == (40 if row.estimate.calls else 0)
        assert row.estimate.calls >= tally.calls
        assert row.estimate.usd_most >= tally.usd
    repeated = tallies[1].dropped.total()  # their questions are answered in the journal, too
    assert later[2].estimate.cached == tallies[2].calls + repeated


@dataclass(frozen=True)
class Pictures:
    """Two items with the same id, one fault, one picture."""

    name = "pictures"

    def items(self) -> Iterator[SourceItem]:
        import hashlib

        sha = hashlib.sha256(PNG).hexdigest()
        for i, image in ((1, PNG), (2, None), (1, None)):
            problem = Problem(
                id=f"x{i}", source="s", question=f"What is the tension in the rope number {i} of the crane?",
                answer="3 N", multimodal_question="?", image=sha if image else None,
            )  # fmt: skip
            fault = Malformed(
                item=f"f:{i}",
                field="id",
                kind="no id",
                fault="x",
                mend="y",
                severity="warning",  # type: ignore[arg-type]
            )
            yield SourceItem(problem, (fault,) if i == 2 else (), image)

    def settings(self) -> dict[str, Any]:
        return {}

    def split_of(self, problem: Problem) -> str:
        return "train"


def test_pictures_go_along_faults_are_listed_and_an_id_counts_once(tmp_path: Path) -> None:
    tallies = run(tmp_path, Pictures(), None, (Limits(), Repeats()))
    assert tallies[0].came_in == 2
    problems = read_set(tmp_path / "problems", Problem)
    assert [p.id for p in problems] == ["x1", "x2"]
    assert problems[0].image is not None
    assert image_path(tmp_path / "problems", problems[0].image).read_bytes() == PNG
    faults = read_set(tmp_path / "problems-malformed", Malformed)
    assert [(f.kind.value, f.severity) for f in faults] == [("no id", "warning"), ("duplicate id", "error")]


def test_what_a_benchmark_holds_is_dropped_and_every_verdict_is_written(tmp_path: Path) -> None:
    from scigen.problems.contamination import ContaminationVerdict

    class Benchmark(Blocks):
        def items(self) -> Iterator[SourceItem]:
            yield from list(super().items())[3:4]

    stage = Contaminated(benchmarks={"geometry3k": Benchmark(10)}, verdicts=tmp_path / "contamination")
    tallies = run(tmp_path, Blocks(6), None, (Limits(), stage))
    assert tallies[1].dropped["in_geometry3k"] >= 1
    dropped = [r for r in records(tmp_path, 2, "contamination") if r.problem is None]
    assert "b00003" in {r.problem_id for r in dropped}
    assert dropped[0].remarks[0].startswith("geometry3k/b00003 by text, score ")
    verdicts = read_set(tmp_path / "contamination", ContaminationVerdict)
    assert {v.problem_id for v in verdicts if v.status == "contaminated"} == {r.problem_id for r in dropped}
    assert len(verdicts) == 6
    kept = run(tmp_path / "kept", Blocks(6), None, (Limits(), Contaminated({"geometry3k": Benchmark(10)}, None, True)))
    assert kept[1].kept == 6
    assert kept[1].remarks == {"contaminated": len(dropped)}


def test_killed_within_a_stage_it_goes_on_where_it_was(tmp_path: Path) -> None:
    """An engine that dies after some records stands for a kill; test_curation_kill kills the real process."""
    curation = Curation(tmp_path, (Limits(),), None, seed=0)

    class Dies(LocalEngine):
        def run(self, stage: Any, work: Any, write: Any) -> None:
            for n, item in enumerate(work):
                if n == 25:
                    raise KeyboardInterrupt
                write(stage.decide(item.problem, None))

    tallies: list[Tally] = []
    with suppress(KeyboardInterrupt), Dies(None, tmp_path, None, 0) as engine:
        curate(curation, Incoming(Blocks(40), tmp_path / "bad"), engine, False, tallies, lambda *_: None)
    assert tallies[0].decided == 25
    assert read_manifest(curation.folder(1)) is None
    after = run(tmp_path, Blocks(40), None, (Limits(),))
    fresh = run(tmp_path / "fresh", Blocks(40), None, (Limits(),))
    assert after[0].came_in == fresh[0].came_in == 40
    assert read_manifest(curation.folder(1)) == read_manifest(tmp_path / "fresh" / "curation" / "01-limits")


def test_a_stage_set_that_does_not_fit_the_one_before_is_refused(tmp_path: Path) -> None:
    run(tmp_path, Blocks(20), None, (Limits(), Repeats()))
    path = tmp_path / "curation" / "01-limits" / "records.jsonl"
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if "b00001" not in line))
    with pytest.raises(ScigenError, match="items have a record and 17 came from the stage before"):
        run(tmp_path, Blocks(20), None, (Limits(), Repeats()))
