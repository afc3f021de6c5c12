"""Problems that a benchmark holds are dropped. The comparison is `scigen.problems.contamination`'s; its verdicts are
written as a set of their own, which training reads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from scigen.errors import ScigenError
from scigen.problems.curation.record import CurationRecord
from scigen.problems.curation.stage import SetStage, Surroundings, drop, keep
from scigen.problems.sources import Source
from scigen.records import Problem
from scigen.store import SetWriter, image_path


@dataclass(frozen=True)
class Contaminated(SetStage):
    """Compares each problem, by text and picture, with all items of the benchmarks."""

    name: ClassVar[str] = "contamination"

    benchmarks: Mapping[str, Source]
    verdicts: Path | str | None = None
    """Folder of the set of verdicts; none is written if None."""
    keep_contaminated: bool = False
    """Only remark what is contaminated, drop nothing."""

    def settings(self) -> dict[str, Any]:
        sources = {}
        for name, source in sorted(self.benchmarks.items()):
            with _telling_where(name):
                sources[name] = source.settings()
        kept = {"keep_contaminated": self.keep_contaminated}
        return {"class": type(self).__name__, "version": self.version, "benchmarks": sources, **kept}

    def decide_all(self, problems: Callable[[], Iterator[Problem]], around: Surroundings) -> Iterator[CurationRecord]:
        """Raises ScigenError if there is no benchmark to compare with, or one of them cannot be read."""
        from scigen.problems.contamination import ContaminationVerdict, Index, Row, check

        if not self.benchmarks:
            raise ScigenError(
                "stage.contamination.benchmarks: there is nothing to compare with. Name a benchmark, or leave the "
                "stage out with stages=[...]."
            )
        index = Index.build(self._items())
        waiting: deque[Problem] = deque()  # read, and without a verdict yet: some hundreds

        def rows() -> Iterator[Row]:
            for problem in problems():
                waiting.append(problem)
                path = image_path(around.pictures, problem.image) if problem.image is not None else None
                yield Row.of(problem, path.read_bytes() if path is not None else None)

        if self.verdicts is None:
            yield from self._records(waiting, check(rows(), index))
            return
        with SetWriter(Path(self.verdicts), ContaminationVerdict, around.inputs) as writer:

            def written() -> Iterator[ContaminationVerdict]:
                for verdict in check(rows(), index):
                    if verdict.key not in writer:
                        writer.append(verdict)
                    yield verdict

            yield from self._records(waiting, written())
            writer.finish()

    def _items(self) -> Iterator[Any]:
        from scigen.problems.contamination import BenchmarkItem

        for name, source in self.benchmarks.items():
            with _telling_where(name):
                for item in source.items():
                    if item.problem is not None:
                        yield BenchmarkItem.of(name, item.problem, item.image)

    def _records(self, waiting: deque[Problem], verdicts: Iterator[Any]) -> Iterator[CurationRecord]:
        for verdict in verdicts:
            problem, worst = waiting.popleft(), verdict.worst
            assert verdict.problem_id == problem.id
            if worst is None:
                yield self.record(problem, keep(problem))
                continue
            remark = f"{worst.benchmark}/{worst.item} by {worst.kind}, score {worst.score:.3f}"
            if self.keep_contaminated:
                yield self.record(problem, keep(problem, [f"contaminated: {remark}"]))
            else:
                yield self.record(problem, drop(f"in_{worst.benchmark}", remark))


@contextmanager
def _telling_where(name: str) -> Iterator[None]:
    """A source's error speaks of `problems.path`; here its settings stand elsewhere."""
    try:
        yield
    except ScigenError as e:
        where = f"stage.contamination.benchmarks.{name}"
        raise ScigenError(f"{where}: {e} Here that is {where}.path=; or leave the stage out.") from e
