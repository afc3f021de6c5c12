"""Which subject each image type belongs to (SciGenBench's taxonomy, two levels). Data only."""

from __future__ import annotations

from scigen.records import ImageType, Subject

SUBJECT_OF: dict[ImageType, Subject] = {
    ImageType.PLANE_GEOMETRIC: Subject.MATH,
    ImageType.SOLID_GEOMETRIC: Subject.MATH,
    ImageType.ANALYTIC_GEOMETRY: Subject.MATH,
    ImageType.SET_PROBABILITY: Subject.MATH,
    ImageType.MECHANICAL: Subject.PHYSICS,
    ImageType.FIELD_DIAGRAM: Subject.PHYSICS,
    ImageType.OPTICAL_RAY: Subject.PHYSICS,
    ImageType.WAVEFORM: Subject.PHYSICS,
    ImageType.ASTRONOMICAL: Subject.PHYSICS,
    ImageType.CIRCUIT: Subject.PHYSICS,
    ImageType.THERMODYNAMIC: Subject.PHYSICS,
    ImageType.MOLECULAR_STRUCTURE: Subject.CHEMISTRY,
    ImageType.ELECTRON_CONFIG: Subject.CHEMISTRY,
    ImageType.REACTION_SCHEME: Subject.CHEMISTRY,
    ImageType.ORBITAL_QUANTUM: Subject.CHEMISTRY,
    ImageType.CRYSTAL_STRUCTURE: Subject.CHEMISTRY,
    ImageType.SPECTRA: Subject.CHEMISTRY,
    ImageType.GENETICS: Subject.BIOLOGY,
    ImageType.CELL_DIAGRAM: Subject.BIOLOGY,
    ImageType.MOLECULAR_PROCESS: Subject.BIOLOGY,
    ImageType.ECOLOGICAL: Subject.BIOLOGY,
    ImageType.PLOT_CHART: Subject.UNIVERSAL,
    ImageType.TABLE_GRID: Subject.UNIVERSAL,
    ImageType.GRAPH_FLOW: Subject.UNIVERSAL,
    ImageType.EXP_SETUP: Subject.UNIVERSAL,
}
