"""Rows of a data set on the hub, streamed. Not run here: the machine of this project has no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from scigen.errors import ScigenError
from scigen.problems.sources.rows import Row

PATIENCE_S = 10
"""Seconds until the hub is said to be out of reach; its library alone would try again for half a minute."""


class Revision(NamedTuple):
    """A data set at one commit."""

    dataset: str
    commit: str


def resolve(dataset: str, revision: str | None, key: str = "problems") -> Revision:
    """The commit that `revision` (a commit, tag or branch; None is the main branch) means now.

    Raises ScigenError when the hub or the data set is out of reach. A token is taken from HF_TOKEN by the hub's own
    library, and goes nowhere else. `key` is where the data set is configured.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        info = HfApi().dataset_info(dataset, revision=revision, timeout=PATIENCE_S)
    except (HfHubHTTPError, HFValidationError, OSError, ValueError) as e:
        raise _unreachable(dataset, e, key) from e
    except Exception as e:  # the hub's http library has errors of its own
        if type(e).__module__.split(".")[0] not in ("httpx", "requests", "httpcore"):
            raise
        raise _unreachable(dataset, e, key) from e
    return Revision(dataset, info.sha or revision or "main")


def hub_rows(
    at: Revision, config: str | None, split: str, columns: Sequence[str] | None = None, key: str = "problems"
) -> Iterator[Row]:
    """All rows of a split; pictures come as {bytes, path}. Only `columns` are fetched, if they are given."""
    from datasets import load_dataset
    from datasets.exceptions import DatasetNotFoundError
    from huggingface_hub.errors import HfHubHTTPError

    try:
        table = load_dataset(at.dataset, config, split=split, revision=at.commit, streaming=True)
        if columns is not None and table.column_names:
            table = table.select_columns([c for c in table.column_names if c in columns])
        for n, row in enumerate(_undecoded(table)):
            yield Row(f"{split}/{n}", row)
    except (DatasetNotFoundError, HfHubHTTPError, OSError, ValueError) as e:
        raise _unreachable(at.dataset, e, key) from e


def _undecoded(table: Any) -> Any:
    from datasets import Image, List

    for column, feature in (table.features or {}).items():
        if isinstance(feature, Image):
            table = table.cast_column(column, Image(decode=False))
        elif isinstance(getattr(feature, "feature", None), Image):
            table = table.cast_column(column, List(Image(decode=False)))
    return table


def _unreachable(dataset: str, error: Exception, key: str) -> ScigenError:
    first = (str(error).splitlines() or [""])[0]
    return ScigenError(
        f"{dataset}: cannot be read from the hub ({type(error).__name__}: {first}). Check the network, the name, "
        f"config, split and revision, and HF_TOKEN for a gated data set; or pass {key}.path= with a local copy."
    )
