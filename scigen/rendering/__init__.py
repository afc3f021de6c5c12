"""Sandboxed drawing of untrusted Matplotlib scripts, with what was drawn. See `RenderPool`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scigen.rendering.outcome import Limits, Rendering
    from scigen.rendering.pool import RenderPool

__all__ = ["Limits", "RenderPool", "Rendering"]


def __getattr__(name: str) -> object:
    """Load on first use: the warm process imports this package too, and what it holds every child must be given."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{'pool' if name == 'RenderPool' else 'outcome'}"), name)
