"""`python -m scigen.tracking.writer`: reads logs as JSON and writes them as W&B runs. Started by `record`.

Offline, W&B refuses `use_artifact`; what it would send after the upload (the artifact, marked as an input) is written
to the run's file all the same, so that `wandb sync` draws the same lineage as an online run.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from scigen.tracking.record import Parcel
from scigen.tracking.run_ids import data_folder
from scigen.tracking.shapes import Artifact, Destination, SampleRow, StageLog

if TYPE_CHECKING:
    import wandb

COLUMNS = tuple(SampleRow.model_fields)


def write(run_id: str, log: StageLog, to: Destination) -> None:
    """One stage to its run."""
    import wandb

    quiet = {"console": "off", "silent": True, "disable_git": True, "disable_code": True, "x_disable_stats": True}
    settings = wandb.Settings(**quiet, x_save_requirements=False, init_timeout=90)
    with wandb.init(
        project=to.project, mode=to.mode, dir=str(to.folder), id=run_id, resume="allow", name=log.name, group=to.group,
        job_type=log.job_type.value, config=log.config, settings=settings,
    ) as run:  # fmt: skip
        for artifact in log.inputs:
            _use(run, made(artifact))
        for artifact in log.outputs:
            run.log_artifact(made(artifact), aliases=["latest", artifact.hash[:12]])
        if log.samples:
            run.log({"samples": table(log.samples)})
        for key, value in log.summary.items():
            run.summary[key] = value


def _use(run: Any, artifact: Any) -> None:
    if run.offline:
        run._log_artifact(artifact, aliases=[], use_after_commit=True)  # what use_artifact does with a new artifact
    else:
        run.use_artifact(artifact)


def made(artifact: Artifact) -> wandb.Artifact:
    """W&B's artifact; equal content gives an equal digest, and with it the same version."""
    import wandb

    chain = {"hash": artifact.hash, "made_from": list(artifact.made_from)}
    new = wandb.Artifact(artifact.name, artifact.kind.value, metadata={**artifact.metadata, **chain})
    with new.new_file("identity.json") as f:
        json.dump({"kind": artifact.kind.value, "name": artifact.name, "hash": artifact.hash}, f)
    for name, path in artifact.files.items():
        new.add_file(str(path), name=name)
    return new


def table(rows: tuple[SampleRow, ...]) -> wandb.Table:
    """The samples with their pictures."""
    import wandb

    found = wandb.Table(columns=list(COLUMNS))
    for row in rows:
        cells = {**row.model_dump(), "image": None if row.image is None else wandb.Image(str(row.image))}
        found.add_data(*(cells[name] for name in COLUMNS))
    return found


def main() -> None:
    parcel = Parcel.model_validate_json(sys.stdin.read())
    parcel.to.folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("WANDB_DATA_DIR", str(data_folder(parcel.to.folder)))
    for run_id, log in parcel.logs:
        try:
            write(run_id, log, parcel.to)
        except Exception as e:  # W&B raises many types; the parent prints one line
            sys.exit(f"{log.name}: {type(e).__name__}: {e}")


if __name__ == "__main__":
    main()
