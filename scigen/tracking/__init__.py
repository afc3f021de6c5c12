"""Runs, artifacts and samples for W&B: what a stage logs, which run it belongs to, and a process that sends it.

verl logs its own curves from within its own process; here is what ties them to the sets they came from. Nothing here
decides what a stage logs (`scigen.app.tracking` does), and nothing here can end or delay a run for long.
"""

from scigen.tracking.artifacts import policy_artifact, set_artifact, train_set_artifact
from scigen.tracking.record import record
from scigen.tracking.run_ids import TRAIN, data_folder, run_environment, run_id
from scigen.tracking.shapes import Artifact, Destination, JobType, Kind, Mode, SampleRow, StageLog, flattened

__all__ = [
    "TRAIN",
    "Artifact",
    "Destination",
    "JobType",
    "Kind",
    "Mode",
    "SampleRow",
    "StageLog",
    "data_folder",
    "flattened",
    "policy_artifact",
    "record",
    "run_environment",
    "run_id",
    "set_artifact",
    "train_set_artifact",
]
