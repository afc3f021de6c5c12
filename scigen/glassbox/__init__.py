"""What the records of a drawing give away without any model or pixel: see `checks`."""

from scigen.glassbox.checks import NAME, findings
from scigen.glassbox.labels import labels

__all__ = ["NAME", "findings", "labels"]
