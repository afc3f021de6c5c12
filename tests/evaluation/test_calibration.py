"""Recall, false alarms and drift by hand; a simulated judge of known sharpness is measured as what it is."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from scigen.errors import ScigenError
from scigen.evaluation.calibration import (
    Calibration,
    Drift,
    calibrate,
    calibrations_json,
    drift,
    newcombe,
    read_calibrations,
    turned,
)
from scigen.evaluation.evidence import Evidence
from scigen.records import Defect, GeneratedImage, Problem, Procedure, Status, Verdict, VerdictStatus
from scigen.statistics import effective_number, wilson

DAY = datetime.date(2026, 11, 23)


def evidence(
    kinds: list[Defect | None], passed: Callable[[Defect | None, int], bool | None], score: float = 2.0
) -> Evidence:
    """One image for each of `kinds`; `passed` gives None where the evaluator failed."""
    problems, images, verdicts = [], [], []
    for n, kind in enumerate(kinds):
        problems.append(Problem(id=f"p{n}", source="s", question="?", answer="9", multimodal_question="?"))
        images.append(
            GeneratedImage(problem_id=f"p{n}", generator="g", status=Status.OK, image=f"{n:064d}", planted_defect=kind)
        )
        ok = passed(kind, n)
        verdicts.append(
            Verdict(
                problem_id=f"p{n}",
                generator="g",
                evaluator="judge",
                status=VerdictStatus.UNPARSED if ok is None else VerdictStatus.SCORED,
                passed=bool(ok),
                measures={} if ok is None else {"layout_precision": score if ok else score - 1.5},
                model="m-1",
            )
        )
    return Evidence.of(problems, images, verdicts)


def of(counts: dict[Defect | None, tuple[int, int]], failed: int = 0) -> Calibration:
    """From (images, flagged) by kind."""
    kinds: list[Defect | None] = []
    flags: list[bool | None] = []
    for kind, (n, flagged) in counts.items():
        kinds += [kind] * n
        flags += [True] * flagged + [False] * (n - flagged)
    kinds += [Defect.MISSING_LABEL] * failed
    flags += [None] * failed
    found = calibrate(evidence(kinds, lambda _, n: None if flags[n] is None else not flags[n]), "judge", DAY)
    assert found is not None
    return found


def test_recall_false_alarms_and_precision_by_hand() -> None:
    """Clean: 4 of 40 flagged. Missing labels: 27 of 30; swapped: 6 of 30; the evaluator failed on 5.

    Precision with each kind as frequent as clean images: (0.9 + 0.2) / (0.9 + 0.2 + 0.1) = 11/12.
    """
    found = of({None: (40, 4), Defect.MISSING_LABEL: (30, 27), Defect.SWAPPED_LABELS: (30, 6)}, failed=5)
    assert list(found.kinds) == ["clean", "missing_label", "swapped_labels"]
    missing = found.kinds["missing_label"]
    assert (missing.scored, missing.flagged, missing.failed) == (30, 27, 5)
    assert missing.rate is not None
    assert (missing.rate.low, missing.rate.high) == pytest.approx(wilson(27, 30))
    clean = found.kinds["clean"].rate
    assert clean is not None
    assert clean.value == 0.1
    assert found.precision is not None
    assert found.precision.value == pytest.approx(11 / 12)
    assert found.precision.low < 11 / 12 < found.precision.high
    assert found.models == ("m-1",)


def test_what_a_defect_takes_off_a_dimension() -> None:
    """All clean images have 2, all with swapped labels 0.5: the drop is 1.5 without any spread."""
    drop = of({None: (10, 0), Defect.SWAPPED_LABELS: (10, 10)}).kinds["swapped_labels"].drop["layout_precision"]
    assert (drop.value, drop.low, drop.high) == (1.5, 1.5, 1.5)
    half = of({None: (50, 0), Defect.SWAPPED_LABELS: (50, 25)}).kinds["swapped_labels"].drop["layout_precision"]
    assert half.value == pytest.approx(0.75)
    assert 0.4 < half.low < 0.75 < half.high < 1.1


def test_a_family_that_is_graded_lower_does_not_pass_for_a_defect() -> None:
    """Two families, at 2 and at 0.5; the defect takes off 0.5 in each, but most spoilt images are of the lower one.

    Clean: 3 of the first, 1 of the second (mean 1.625). Spoilt: 1 of the first (1.5), 3 of the second (0; 0.375).
    The difference of the means is 1.25, of which families account for 0.75.
    """
    rows: list[tuple[str, Defect | None, float]] = [
        ("a", None, 2.0),
        ("a", None, 2.0),
        ("a", None, 2.0),
        ("b", None, 0.5),
    ]
    rows += [("a", Defect.WRONG_VALUE, 1.5)] + [("b", Defect.WRONG_VALUE, 0.0)] * 3
    base = evidence([kind for _, kind, _ in rows], lambda kind, _: kind is None)
    problems = [
        p.model_copy(update={"procedure": Procedure(family=f, view="textbook", difficulty=1, params={})})
        for p, (f, _, _) in zip(base.problems.values(), rows, strict=True)
    ]
    verdicts = [
        v.model_copy(update={"measures": {"layout_precision": x}})
        for v, (_, _, x) in zip(base.verdicts, rows, strict=True)
    ]
    found = calibrate(Evidence.of(problems, base.images, verdicts), "judge", DAY)
    assert found is not None
    drop = found.kinds["wrong_value"].drop["layout_precision"]
    assert (drop.value, drop.low, drop.high) == (0.5, 0.5, 0.5)


def test_two_images_of_one_problem_that_go_together_count_as_one() -> None:
    """20 problems with two images each by two generators, both flagged or neither: as sure as 20 images, not 40."""
    half = evidence([Defect.MISSING_LABEL] * 20, lambda _, n: n % 2 == 0)
    twins = [i.model_copy(update={"generator": "h", "image": f"{n + 90:064d}"}) for n, i in enumerate(half.images)]
    again = [v.model_copy(update={"generator": "h"}) for v in half.verdicts]
    both = Evidence.of(half.problems.values(), [*half.images, *twins], [*half.verdicts, *again])
    found = calibrate(both, "judge", DAY)
    assert found is not None
    kind = found.kinds["missing_label"]
    assert (kind.scored, kind.flagged, kind.effective) == (40, 20, 20)
    assert kind.rate is not None
    assert (kind.rate.value, kind.rate.low, kind.rate.high) == pytest.approx((0.5, *wilson(10, 20)))
    (change,) = drift(found, found)
    assert (change.change.low, change.change.high) == pytest.approx(newcombe(0.5, 20, 0.5, 20))
    assert effective_number([[True, True], [False, False]] * 10) == 20


def test_settings_that_were_changed_are_named_and_those_of_sets_with_nothing_planted_left_out(tmp_path: Path) -> None:
    seen = evidence([None, Defect.MISSING_LABEL] * 20, lambda kind, _: kind is None)
    strict = {"g": {"version": 1, "rule": {"least": 2}}, "unspoilt": {"version": 9}}
    before, now, bare = (
        calibrate(seen, "judge", DAY, settings)
        for settings in (strict, {"g": {"version": 1, "rule": {"least": 1, "most": 3}}}, None)
    )
    assert before is not None
    assert now is not None
    assert bare is not None
    assert before.settings == {"version": 1, "rule.least": 2}
    assert turned(now, now) == []
    found = turned(now, before)
    assert found is not None
    assert [(t.name, t.before, t.now) for t in found] == [("rule.least", 2, 1), ("rule.most", None, 3)]
    assert turned(now, bare) is None, "not known is not the same"
    file = tmp_path / "calibration.json"
    file.write_bytes(calibrations_json({"judge": before}))
    assert read_calibrations(file)["judge"] == before


def test_without_planted_faults_there_is_no_calibration() -> None:
    assert calibrate(evidence([None] * 5, lambda *_: True), "judge") is None
    assert calibrate(evidence([Defect.MISSING_LABEL], lambda *_: True), "another") is None


@pytest.mark.slow
def test_a_simulated_judge_is_measured_as_what_it_is() -> None:
    """Its true rates lie in the 95 % intervals in 90 to 99 % of 300 kinds."""
    dice = random.Random(7)
    inside = total = 0
    for _ in range(50):
        truth = {kind: dice.random() for kind in (None, *list(Defect)[:5])}
        kinds = [kind for kind in truth for _ in range(60)]
        found = calibrate(evidence(kinds, lambda kind, n, truth=truth: dice.random() >= truth[kind]), "judge", DAY)  # type: ignore[misc]
        assert found is not None
        for kind, rate in truth.items():
            measured = found.kinds["clean" if kind is None else kind.value].rate
            assert measured is not None
            inside += measured.low <= rate <= measured.high
            total += 1
    assert total == 300
    assert 0.90 <= inside / total <= 0.99


def test_newcombes_interval_is_the_published_example() -> None:
    """Newcombe (1998), table II: 56/70 - 48/80 = 0.2, method 10: 0.0524 to 0.3339."""
    assert newcombe(56 / 70, 70, 48 / 80, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        ((100, 90), (100, 60), Drift.DRIFTED),
        ((100, 60), (100, 90), Drift.DRIFTED),
        ((600, 540), (600, 545), Drift.SAME),
        ((60, 50), (60, 46), Drift.CANNOT_TELL),
        ((10, 10), (10, 1), Drift.CANNOT_TELL),
    ],
)
def test_drift(before: tuple[int, int], now: tuple[int, int], verdict: Drift) -> None:
    kinds: dict[Defect | None, tuple[int, int]] = {None: (50, 1)}
    (_, change) = drift(of({**kinds, Defect.LEAKED_ANSWER: now}), of({**kinds, Defect.LEAKED_ANSWER: before}))
    assert (change.kind, change.verdict) == ("leaked_answer", verdict)
    assert change.change.low <= change.change.value <= change.change.high


def test_calibrations_are_read_back_and_another_file_is_an_error(tmp_path: Path) -> None:
    one = of({None: (10, 0), Defect.LEAKED_ANSWER: (10, 9)})
    path = tmp_path / "calibration.json"
    path.write_bytes(calibrations_json({"judge": one}))
    assert read_calibrations(path) == {"judge": one}
    path.write_text("{}")
    with pytest.raises(ScigenError, match="not calibrations"):
        read_calibrations(path)
    with pytest.raises(ScigenError, match="No such file"):
        read_calibrations(tmp_path / "none.json")
    with pytest.raises(ScigenError, match="cannot be compared"):
        drift(one, one.model_copy(update={"evaluator": "ocr"}))
