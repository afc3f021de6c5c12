"""The frame around a glance drawing: a script for one square axes measured in pixels.

It holds no shapes; each family writes its own.
"""

from __future__ import annotations

import textwrap

from scigen.problems.procedural.family import GLANCE_PX

COLORS = ("black", "tab:blue", "tab:red", "tab:green", "tab:purple")
"""Colours that glance drawings take as style; all are dark on white."""

EVEN = tuple(range(-8, 9, 2))
"""Offsets in pixels by which a glance drawing is moved off the centre."""


def glance_script(body: str) -> str:
    """A standalone script of one 96 x 96 px figure; `body` draws into `ax`, in pixels from the lower left corner."""
    head = f"""
        import matplotlib.pyplot as plt
        import numpy as np

        fig = plt.figure(figsize=({GLANCE_PX / 100:g}, {GLANCE_PX / 100:g}), dpi=100)
        ax = fig.add_axes([0, 0, 1, 1])
        ax.set_xlim(0, {GLANCE_PX})
        ax.set_ylim(0, {GLANCE_PX})
        ax.axis("off")
    """
    return "\n".join([textwrap.dedent(head).strip(), textwrap.dedent(body).strip(), 'fig.savefig("figure.png")', ""])
