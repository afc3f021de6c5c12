"""Sandboxed drawing of untrusted Matplotlib scripts, with the texts that were drawn. See `RenderPool`."""

from scigen.rendering.outcome import Limits, Rendering
from scigen.rendering.pool import RenderPool

__all__ = ["Limits", "RenderPool", "Rendering"]
