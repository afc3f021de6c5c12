"""Solves a network of resistors and ideal voltage sources by modified nodal analysis. It draws nothing."""

from __future__ import annotations

from collections.abc import Sequence

Resistor = tuple[str, str, float]
"""Two nodes and ohms."""
Source = tuple[str, str, float]
"""Positive node, negative node, volts."""


def potentials(resistors: Sequence[Resistor], sources: Sequence[Source]) -> tuple[dict[str, float], list[float]]:
    """Potential of each node in volts, 0 at the first source's negative node, and the current each source gives.

    Kirchhoff's current law at every other node and one equation a source, as linear equations (Ho, Ruehli, Brennan:
    The modified nodal approach to network analysis, 1975). Raises numpy.linalg.LinAlgError where no solution is unique.
    """
    import numpy as np

    ground = sources[0][1]
    ends = {end for part in (*resistors, *sources) for end in part[:2]}
    at = {name: i for i, name in enumerate(sorted(ends - {ground}))}
    size = len(at) + len(sources)
    matrix, right = np.zeros((size, size)), np.zeros(size)
    for a, b, ohms in resistors:
        for one, other in ((a, b), (b, a)):
            if one in at:
                matrix[at[one], at[one]] += 1 / ohms
                if other in at:
                    matrix[at[one], at[other]] -= 1 / ohms
    for k, (plus, minus, volts) in enumerate(sources, len(at)):
        for node, sign in ((plus, 1), (minus, -1)):
            if node in at:
                matrix[k, at[node]] = sign
                matrix[at[node], k] = -sign
        right[k] = volts
    found = np.linalg.solve(matrix, right)
    return {ground: 0.0, **{name: float(found[i]) for name, i in at.items()}}, [float(v) for v in found[len(at) :]]
