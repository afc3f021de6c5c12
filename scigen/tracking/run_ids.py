"""The W&B id of a run, kept in a file of its folder: a stage that goes on logs to the same run.

One file a run (`tracking/KEY.json`), so that stages which work in one folder at a time do not meet.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from pydantic import ValidationError

from scigen.errors import ScigenError
from scigen.records import Part
from scigen.store import write_atomic
from scigen.tracking.shapes import JobType

TRAIN = "train"
"""Key of verl's own run in its folder."""


class RunMark(Part):
    """The file's content."""

    id: str
    logged: tuple[str, ...] = ()
    """Hashes of what was sent to the run."""


def mark_path(folder: Path, key: str) -> Path:
    """Where the id of this run is kept."""
    return folder / "tracking" / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', key)}.json"


def read_mark(folder: Path, key: str) -> RunMark:
    """The run's mark; a new one is written where there is none. Raises ScigenError for a file that is none."""
    path = mark_path(folder, key)
    if path.exists():
        try:
            return RunMark.model_validate_json(path.read_bytes())
        except ValidationError as e:
            raise ScigenError(
                f"{path}: not the mark of a W&B run ({e.errors()[0]['msg']}). Delete it for a new run."
            ) from e
    mark = RunMark(id=secrets.token_hex(6))
    write_atomic(path, mark.model_dump_json().encode() + b"\n")
    return mark


def run_id(folder: Path, key: str) -> str:
    """The W&B id of the run `key` in `folder`, the same at every call."""
    return read_mark(folder, key).id


def note_logged(folder: Path, key: str, content: str) -> None:
    """Remember what was sent."""
    mark = read_mark(folder, key)
    more = RunMark(id=mark.id, logged=(*mark.logged, content))
    write_atomic(mark_path(folder, key), more.model_dump_json().encode() + b"\n")


def data_folder(output: Path) -> Path:
    """Where W&B keeps an offline run's artifacts until they are uploaded: beside the run, not in the user's home."""
    return output.resolve() / "wandb" / "data"


def run_environment(folder: Path, job_type: JobType) -> dict[str, str]:
    """What makes verl's `wandb.init` go on with the run of its folder."""
    return {"WANDB_RUN_ID": run_id(folder, TRAIN), "WANDB_RESUME": "allow", "WANDB_JOB_TYPE": job_type.value}
