"""Scaling of accuracy with the size of the train set: forms, fits with intervals, comparison, figure, words.

`study` takes the cells of a sweep over sizes and seeds and gives a `ScalingResult`. It fits no law in the size of the
policy or in compute, and reads and writes no file.
"""

from scigen.analysis.scaling.figure import scaling_figure
from scigen.analysis.scaling.grid import Cell
from scigen.analysis.scaling.results import ScalingResult
from scigen.analysis.scaling.study import study
from scigen.analysis.scaling.words import page

__all__ = ["Cell", "ScalingResult", "page", "scaling_figure", "study"]
