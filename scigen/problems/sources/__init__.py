"""Where problems come from: one file a source, or a field map for a table."""

from scigen.problems.sources.base import Source, SourceItem, collect
from scigen.problems.sources.curated import CuratedSet
from scigen.problems.sources.procedural import Procedural
from scigen.problems.sources.scigenbench import SciGenBench
from scigen.problems.sources.table import Table

__all__ = ["CuratedSet", "Procedural", "SciGenBench", "Source", "SourceItem", "Table", "collect"]
