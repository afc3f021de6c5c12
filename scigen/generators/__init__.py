"""From problems to images: one GeneratedImage record a problem, whatever happened."""

from scigen.generators.base import About, Generator, Made, image_of_rendering
from scigen.generators.procedural import ProceduralGenerator
from scigen.generators.run import Engine, LocalEngine, generate
from scigen.generators.studio import Studio

__all__ = [
    "About",
    "Engine",
    "Generator",
    "LocalEngine",
    "Made",
    "ProceduralGenerator",
    "Studio",
    "generate",
    "image_of_rendering",
]
