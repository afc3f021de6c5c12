"""How well an evaluator finds faults that were planted: recall a kind, false alarms, and whether either has drifted.

It needs images with `planted_defect`, such as those of the procedural generators; any evaluator will do. An image is
flagged if the evaluator scored it and did not pass it. Images on which the evaluator failed are counted
apart: they are neither found nor missed. What is planted is plain to us, not necessarily to a reader of the picture, so
a recall here is about these defects only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from scigen.errors import ScigenError
from scigen.evaluation.base import decides
from scigen.evaluation.evidence import Evidence
from scigen.records import FAILED, Defect, Verdict, VerdictStatus
from scigen.statistics import LEVEL, effective_number, paired_ratio, wilson

CLEAN = "clean"
SMALL = 0.1
"""A change of a rate that would be worth knowing of."""
ENOUGH = 20
"""Images of a kind below which nothing is said of drift."""


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(_Closed):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


class Kind(_Closed):
    """What became of the images of one kind of defect, or of the clean ones."""

    scored: int
    flagged: int
    failed: int
    """Images on which the evaluator failed."""
    rate: Interval | None
    """flagged / scored: recall, or false alarms on clean images. None if none was scored."""
    effective: float | None = None
    """How many independent images the scored ones are worth, where a problem has several; None for all of them."""
    drop: dict[str, Interval] = {}
    """Measure (a judge's dimension) to what the evaluator takes off: see `_drop`."""


class Calibration(_Closed):
    """One evaluator against known faults."""

    evaluator: str
    day: date
    models: tuple[str, ...]
    """The exact models that looked."""
    settings: dict[str, JsonValue] = {}
    """The evaluator's, by dotted name, as far as they are known; of several sets' those that differ as a list."""
    kinds: dict[str, Kind]
    """By defect, and `clean`."""
    precision: Interval | None
    """Of flagged images those that are spoilt, were clean images and each kind of defect equally frequent."""


class Drift(StrEnum):
    """What can be said of a change between two calibrations."""

    DRIFTED = "drifted"
    SAME = "same"
    """The 95 % interval of the change lies within plus or minus 0.1."""
    CANNOT_TELL = "cannot tell"


class Change(_Closed):
    """Of one kind's rate between two calibrations."""

    kind: str
    before: float
    now: float
    change: Interval
    verdict: Drift


class Turned(_Closed):
    """A setting that differs between two calibrations; None where one of them does not have it."""

    name: str
    before: JsonValue
    now: JsonValue


def calibrate(
    evidence: Evidence,
    evaluator: str,
    day: date | None = None,
    settings: Mapping[str, Mapping[str, JsonValue]] | None = None,
) -> Calibration | None:
    """Over all generators with planted defects and their clean images; None where nothing was planted or looked at.

    `settings` are the evaluator's, by generator, as they were when its images were looked at.
    """
    planted = {i.key: i.planted_defect for i in evidence.images}
    spoiling = {i.generator for i in evidence.images if i.planted_defect is not None}
    groups: dict[str, list[Verdict]] = defaultdict(list)
    for generator in sorted(spoiling):
        for verdict in evidence.verdicts_of(generator, evaluator):
            if verdict.status in FAILED or verdict.status is VerdictStatus.SCORED:
                defect = planted.get(f"{verdict.problem_id}/{generator}")
                groups[CLEAN if defect is None else defect.value].append(verdict)
    if not decides(v for verdicts in groups.values() for v in verdicts):
        return None
    clean = _measures(groups.get(CLEAN, []), evidence)
    kinds = {
        name: _kind(groups[name], {} if name == CLEAN else _drops(clean, _measures(groups[name], evidence)))
        for name in _order(groups)
    }
    return Calibration(
        evaluator=evaluator,
        day=day or date.today(),
        models=tuple(sorted({v.model for vs in groups.values() for v in vs if v.model})),
        settings=_merged([_flat(s) for name, s in sorted((settings or {}).items()) if name in spoiling and s]),
        kinds=kinds,
        precision=_precision(kinds),
    )


def drift(now: Calibration, before: Calibration) -> list[Change]:
    """Kind by kind, for the kinds that both have. Raises ScigenError for calibrations of two evaluators."""
    if now.evaluator != before.evaluator:
        raise ScigenError(f"calibrations of {now.evaluator} and of {before.evaluator} cannot be compared.")
    found = []
    for name in now.kinds.keys() & before.kinds.keys():
        a, b = now.kinds[name], before.kinds[name]
        if a.rate is None or b.rate is None:
            continue
        low, high = newcombe(a.rate.value, _independent(a), b.rate.value, _independent(b))
        value = a.rate.value - b.rate.value
        verdict = Drift.CANNOT_TELL
        if min(_independent(a), _independent(b)) >= ENOUGH and (low > 0 or high < 0):
            verdict = Drift.DRIFTED
        elif low > -SMALL and high < SMALL:
            verdict = Drift.SAME
        change = Interval(value=value, low=low, high=high)
        found.append(Change(kind=name, before=b.rate.value, now=a.rate.value, change=change, verdict=verdict))
    return sorted(found, key=lambda c: list(now.kinds).index(c.kind))


def turned(now: Calibration, before: Calibration) -> list[Turned] | None:
    """The settings that differ, and the models that looked; None where one of the two does not hold its settings."""
    if not now.settings or not before.settings:
        return None
    ours, theirs = ({**c.settings, "models": list(c.models)} for c in (now, before))
    names = sorted(ours.keys() | theirs.keys())
    return [Turned(name=n, before=theirs.get(n), now=ours.get(n)) for n in names if ours.get(n) != theirs.get(n)]


def newcombe(p1: float, n1: float, p2: float, n2: float) -> tuple[float, float]:
    """95 % interval of p1 - p2, rates of n1 and n2 independent trials, by two score intervals.

    Newcombe, Statistics in Medicine 17 (1998), method 10.
    """
    (l1, u1), (l2, u2) = wilson(p1 * n1, n1), wilson(p2 * n2, n2)
    low = p1 - p2 - float(np.hypot(p1 - l1, u2 - p2))
    high = p1 - p2 + float(np.hypot(u1 - p1, p2 - l2))
    return low, high


def read_calibrations(path: Path) -> dict[str, Calibration]:
    """What `write` of the command has left: evaluator to calibration. Raises ScigenError."""
    try:
        return _File.model_validate_json(path.read_bytes()).calibrations
    except OSError as e:
        raise ScigenError(f"{path}: {e.strerror}. Name the calibration.json of an earlier run, or none.") from e
    except ValidationError as e:
        raise ScigenError(f"{path}: not calibrations ({e.errors()[0]['msg']}). Name another file.") from e


def calibrations_json(calibrations: Mapping[str, Calibration]) -> bytes:
    """For `read_calibrations`, readable for people."""
    return _File(calibrations=dict(calibrations)).model_dump_json(indent=2).encode() + b"\n"


class _File(_Closed):
    calibrations: dict[str, Calibration]


def _kind(verdicts: Sequence[Verdict], drop: dict[str, Interval]) -> Kind:
    scored = [v for v in verdicts if v.status is VerdictStatus.SCORED]
    flagged, n = sum(not v.passed for v in scored), len(scored)
    rate, worth = None, None
    if n:
        by_problem: dict[str, list[bool]] = defaultdict(list)
        for verdict in scored:
            by_problem[verdict.problem_id].append(not verdict.passed)
        worth = effective_number(list(by_problem.values()))
        low, high = wilson(flagged / n * worth, worth)
        rate = Interval(value=flagged / n, low=low, high=high)
    return Kind(scored=n, flagged=flagged, failed=len(verdicts) - n, rate=rate, effective=worth, drop=drop)


def _independent(kind: Kind) -> float:
    return kind.scored if kind.effective is None else kind.effective


def _flat(settings: Mapping[str, JsonValue], prefix: str = "") -> dict[str, JsonValue]:
    """Nested settings by dotted names."""
    found: dict[str, JsonValue] = {}
    for name, value in settings.items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found


def _merged(sets: Sequence[Mapping[str, JsonValue]]) -> dict[str, JsonValue]:
    """One value where all agree, else a list of all."""
    found: dict[str, JsonValue] = {}
    for name in sorted({name for one in sets for name in one}):
        values = [one.get(name) for one in sets]
        found[name] = values[0] if all(v == values[0] for v in values) else values
    return found


ByFamily = Mapping[str, Sequence[float]]
"""Values of one measure, by the family of the problem ("" for a problem that is of none)."""


def _measures(verdicts: Iterable[Verdict], evidence: Evidence) -> dict[str, dict[str, list[float]]]:
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for verdict in verdicts:
        procedure = evidence.problems[verdict.problem_id].procedure
        for name, value in verdict.measures.items():
            found[name][procedure.family if procedure else ""].append(value)
    return found


def _drops(clean: Mapping[str, ByFamily], spoilt: Mapping[str, ByFamily]) -> dict[str, Interval]:
    drops = {name: _drop(clean[name], spoilt[name]) for name in clean if name in spoilt}
    return {name: drop for name, drop in drops.items() if drop is not None}


def _drop(clean: ByFamily, spoilt: ByFamily, draws: int = 2000, seed: int = 0) -> Interval | None:
    """Mean over spoilt images of the mean of their family's clean images minus their own value.

    A family that is graded lower throughout does not pass for a defect. Families without both are left out; None if
    none has both. The interval draws the families again; where there is one only, its clean and its spoilt images.
    """
    both = sorted(f for f in clean if f in spoilt)
    if not both:
        return None
    if len(both) > 1:
        off = np.array([np.sum(np.mean(clean[f]) - np.asarray(spoilt[f])) for f in both])
        found = paired_ratio(off, np.array([float(len(spoilt[f])) for f in both]), draws, seed)
        return Interval(value=found.value, low=found.low, high=found.high)
    rng = np.random.default_rng(seed)
    a, b = np.asarray(clean[both[0]]), np.asarray(spoilt[both[0]])
    ours, theirs = rng.integers(0, len(a), (draws, len(a))), rng.integers(0, len(b), (draws, len(b)))
    low, high = np.quantile(a[ours].mean(axis=1) - b[theirs].mean(axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value=float(a.mean() - b.mean()), low=float(low), high=float(high))


def _precision(kinds: Mapping[str, Kind], draws: int = 4000, seed: int = 0) -> Interval | None:
    """Sum of recalls over that sum plus as many false-alarm rates as one; interval by Jeffreys' posteriors."""
    spoilt = [k for name, k in kinds.items() if name != CLEAN and k.scored]
    clean = kinds.get(CLEAN)
    if clean is None or not clean.scored or not spoilt:
        return None
    rng = np.random.default_rng(seed)

    def drawn(k: Kind) -> np.ndarray:
        n, share = _independent(k), k.flagged / k.scored
        return rng.beta(share * n + 0.5, (1 - share) * n + 0.5, draws)

    hits, alarms = sum(drawn(k) for k in spoilt), drawn(clean)
    low, high = np.quantile(hits / (hits + alarms), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    recall, false = sum(k.flagged / k.scored for k in spoilt), clean.flagged / clean.scored
    value = recall / (recall + false) if recall + false else None
    return None if value is None else Interval(value=value, low=float(low), high=float(high))


def _order(groups: Mapping[str, object]) -> list[str]:
    return [name for name in (CLEAN, *(d.value for d in Defect)) if name in groups]
