"""The verdicts against the benchmarks that lie beside a problem set. Curation writes them; training reads them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scigen.store import read_set

if TYPE_CHECKING:
    from scigen.problems.contamination import ContaminationVerdict

FOLDER = "contamination"


def read_verdicts(sets: Path) -> list[ContaminationVerdict]:
    """The verdicts below `sets`; none where no check was made: whether one was needed is the train set's question.

    Raises ScigenError for a set that is unfinished or was changed.
    """
    folder = sets / FOLDER
    if not folder.exists():
        return []
    from scigen.problems.contamination import ContaminationVerdict

    return read_set(folder, ContaminationVerdict)
