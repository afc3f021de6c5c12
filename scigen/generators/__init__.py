"""From problems to images: one GeneratedImage record a problem, whatever happened."""

from scigen.generators.base import Generator
from scigen.generators.procedural import ProceduralGenerator
from scigen.generators.run import generate

__all__ = ["Generator", "ProceduralGenerator", "generate"]
