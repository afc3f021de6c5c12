"""All that is known of a benchmark run: problems, image records and verdicts, looked up by generator and evaluator.

Everything that is summed up (leaderboard, failure modes, agreement, figures) starts from here, and from records alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import chain
from pathlib import Path

from scigen.errors import ScigenError
from scigen.evaluation.base import NO_GENERATOR
from scigen.records import GeneratedImage, Problem, Verdict
from scigen.store import iter_set, read_set

CONTROL_PREFIX = "control_"
"""Names of generators that draw nothing: a blank page, the reference shifted by some pixels."""


class Split(StrEnum):
    """Parts of SciGenBench, told by a problem's source; a problem of any other source is in `all` alone."""

    ALL = "all"
    SCIGEN = "scigen"
    SEEPHYS = "seephys"

    def holds(self, problem: Problem) -> bool:
        """Whether the problem belongs to this part."""
        return self is Split.ALL or problem.source == f"scigenbench/{self}"


class Paradigm(StrEnum):
    """How a generator makes its images."""

    PIXEL = "pixel"
    CODE = "code"
    CONTROL = "control"


@dataclass(frozen=True)
class Evidence:
    """The records of one or more generators over one set of problems."""

    problems: Mapping[str, Problem]
    """By id."""
    images: Sequence[GeneratedImage] = ()
    verdicts: Sequence[Verdict] = ()

    @classmethod
    def of(
        cls,
        problems: Iterable[Problem],
        images: Iterable[GeneratedImage] = (),
        verdicts: Iterable[Verdict] = (),
    ) -> Evidence:
        """From records. Raises ScigenError for a record that comes twice, or whose problem is not there."""
        found = cls({p.id: p for p in problems}, tuple(images), tuple(verdicts))
        records: Iterator[GeneratedImage | Verdict] = chain(found.images, found.verdicts)
        seen: set[tuple[type, str]] = set()
        for record in records:
            if (type(record), record.key) in seen:
                raise ScigenError(f"{type(record).__name__} {record.key} comes twice. Name each set once.")
            seen.add((type(record), record.key))
            if record.problem_id not in found.problems:
                raise ScigenError(
                    f"{type(record).__name__} {record.key}: there is no problem {record.problem_id} among the "
                    f"{len(found.problems)} given. Name the problem set that the images were made from."
                )
        return found

    @classmethod
    def read(cls, problems: Path, images: Iterable[Path] = (), verdicts: Iterable[Path] = ()) -> Evidence:
        """From finished sets. Raises ScigenError for a set that is missing, unfinished or broken."""
        return cls.of(
            iter_set(problems, Problem),
            [image for folder in images for image in read_set(folder, GeneratedImage)],
            [verdict for folder in verdicts for verdict in read_set(folder, Verdict)],
        )

    @cached_property
    def generators(self) -> tuple[str, ...]:
        """Names of all that drew or were judged, sorted; not the stand-in of evaluators that look at no picture."""
        names = {i.generator for i in self.images} | {v.generator for v in self.verdicts}
        return tuple(sorted(names - {NO_GENERATOR}))

    @cached_property
    def evaluators(self) -> tuple[str, ...]:
        """Names of all evaluators that gave a verdict, sorted."""
        return tuple(sorted({v.evaluator for v in self.verdicts}))

    def images_of(self, generator: str) -> Sequence[GeneratedImage]:
        """The generator's image records, in the order given."""
        return self._images.get(generator, ())

    def verdicts_of(self, generator: str, evaluator: str) -> Sequence[Verdict]:
        """One evaluator's verdicts on one generator's images, in the order given; none if it did not run."""
        return self._verdicts.get((generator, evaluator), ())

    def narrowed(self, keep: Callable[[Problem], bool]) -> Evidence:
        """What concerns the problems that `keep` takes."""
        problems = {name: p for name, p in self.problems.items() if keep(p)}
        return Evidence(
            problems,
            tuple(i for i in self.images if i.problem_id in problems),
            tuple(v for v in self.verdicts if v.problem_id in problems),
        )

    def paradigm(self, generator: str) -> Paradigm:
        """As the paper says of its own systems; else code if any of its records holds a script; else pixel.

        The images that SciGenBench publishes come without their scripts.
        """
        from scigen.evaluation.leaderboard.published import published  # it needs this module's enums

        if generator.startswith(CONTROL_PREFIX):
            return Paradigm.CONTROL
        if generator in published().systems:
            return published().systems[generator].paradigm
        scripted = any(i.code is not None or i.history for i in self.images_of(generator))
        return Paradigm.CODE if scripted else Paradigm.PIXEL

    @cached_property
    def _images(self) -> dict[str, list[GeneratedImage]]:
        found: dict[str, list[GeneratedImage]] = defaultdict(list)
        for image in self.images:
            found[image.generator].append(image)
        return dict(found)

    @cached_property
    def _verdicts(self) -> dict[tuple[str, str], list[Verdict]]:
        found: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
        for verdict in self.verdicts:
            found[verdict.generator, verdict.evaluator].append(verdict)
        return dict(found)
