"""From raw problems to drawable, classified, quizzed ones: stages, their records, and the run over a source."""

from scigen.problems.curation.record import CurationRecord, CurationStatus
from scigen.problems.curation.stage import ItemStage, ModelStage, SetStage, Stage

__all__ = ["CurationRecord", "CurationStatus", "ItemStage", "ModelStage", "SetStage", "Stage"]
