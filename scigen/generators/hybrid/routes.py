"""Which generator to ask for which image type: a prior from the paper, and what was measured.

For each type and generator the pass rate has a Beta posterior: the prior's mean and weight, and the counts of verdicts.
The generator with the highest mean is asked. Where an image type has few verdicts the prior decides.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from scigen.errors import ScigenError
from scigen.generators.base import About
from scigen.records import ImageType, Problem, Verdict
from scigen.store import write_atomic

ANY = "any"
"""Stands for the type of problems that have none, and sums over all types."""


SURE = 0.01
"""No prior is surer than this of success or failure."""


class Prior(BaseModel):
    """`prior.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: float
    rate: dict[str, float]
    shift: dict[str, dict[str, float]]
    kinds: dict[str, tuple[ImageType, ...]]

    def mean(self, about: About, image_type: str) -> float:
        """Expected pass rate, 0 to 1, before anything was measured."""
        base = self.rate[about.paradigm] if about.r_inv is None else about.r_inv / 100
        base = min(1 - SURE, max(SURE, base))
        shift = sum(
            self.shift[kind].get(about.paradigm, 0.0) for kind, types in self.kinds.items() if image_type in types
        )
        odds = math.log(base / (1 - base)) + shift
        return 1 / (1 + math.exp(-odds))


class Count(BaseModel):
    """Verdicts on a generator's images of one type."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: int = 0
    passed: int = 0


class Belief(NamedTuple):
    """What is thought of a generator for an image type."""

    name: str
    rate: float
    """Posterior mean of the pass rate."""
    prior: float
    images: int
    passed: int

    def words(self) -> str:
        """For the record."""
        measured = f"{self.passed} of {self.images} measured" if self.images else "nothing measured"
        return f"{self.name} {self.rate:.2f} (prior {self.prior:.2f}, {measured})"


class Routes(BaseModel):
    """Counts by image type and generator; a file that `learn` writes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    counts: dict[str, dict[str, Count]] = {}

    def believed(self, members: Mapping[str, About], image_type: ImageType | None) -> list[Belief]:
        """The members (name to what is known of it), the most promising first; of equals the first named."""
        kind = ANY if image_type is None else image_type.value
        prior = the_prior()
        beliefs = []
        for name, about in members.items():
            count = self.counts.get(kind, {}).get(name, Count())
            mean = prior.mean(about, kind)
            rate = (prior.weight * mean + count.passed) / (prior.weight + count.images)
            beliefs.append(Belief(name, rate, mean, count.images, count.passed))
        return sorted(beliefs, key=lambda b: -b.rate)

    def best_measured(self, kind: str) -> tuple[str, float] | None:
        """The generator with the highest rate in the data alone (Laplace's rule), and that rate; None without data."""
        counts = self.counts.get(kind, {})
        rates = {name: (c.passed + 1) / (c.images + 2) for name, c in counts.items() if c.images}
        return max(rates.items(), key=lambda item: item[1]) if rates else None


@cache
def the_prior() -> Prior:
    """The prior that comes with the package."""
    return Prior.model_validate(yaml.safe_load((files("scigen.generators.hybrid") / "prior.yaml").read_text()))


def learn(problems: Iterable[Problem], checks: Iterable[Verdict], evaluators: Sequence[str] = ()) -> Routes:
    """Counts from verdicts; an image passes if all its verdicts (those of `evaluators`, if named) do.

    Images that are not there count as not passed. Raises ScigenError for a verdict on an unknown problem.
    """
    types = {p.id: ANY if p.image_type is None else p.image_type.value for p in problems}
    passed: dict[tuple[str, str], bool] = {}
    for check in checks:
        if evaluators and check.evaluator not in evaluators:
            continue
        if check.problem_id not in types:
            raise ScigenError(
                f"verdict {check.key}: there is no problem {check.problem_id}. Give the problems that were judged."
            )
        key = check.problem_id, check.generator
        passed[key] = passed.get(key, True) and check.passed
    counts: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for (problem, generator), ok in passed.items():
        for kind in {types[problem], ANY}:
            counts[kind][generator][0] += 1
            counts[kind][generator][1] += ok
    return Routes(
        counts={
            kind: {name: Count(images=n, passed=k) for name, (n, k) in sorted(by_name.items())}
            for kind, by_name in sorted(counts.items())
        }
    )


def read_routes(path: str | Path | None) -> Routes:
    """The routes of a file; none learnt without one. Raises ScigenError."""
    if path is None:
        return Routes()
    try:
        return Routes.model_validate_json(Path(path).read_bytes())
    except OSError as e:
        raise ScigenError(
            f"{path}: {e.strerror}. `python -m scigen.generators.hybrid learn --help` says how to make it; "
            "generator.routes=null takes the prior alone."
        ) from e
    except ValidationError as e:
        raise ScigenError(f"{path}: not a table of routes ({e.errors()[0]['msg']}). Learn it again.") from e


def write_routes(routes: Routes, path: Path) -> None:
    """As JSON that a person can read."""
    write_atomic(path, json.dumps(routes.model_dump(), indent=2).encode() + b"\n")
