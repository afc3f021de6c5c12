"""FID and KID of two sets of features, with what their size does to them.

FID (Heusel et al. 2017) compares means and covariances of two Gaussians. With fewer images than a few times the
features' dimension it is mostly bias: it grows as the set shrinks. `fid_by_size` shows that, and extrapolates to
infinitely many images (Chong and Forsyth 2020). KID (Binkowski et al. 2018) has no such bias; it has an interval here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scigen.statistics import Estimate

Matrix = NDArray[np.floating]
"""(images, features)."""
Z = 1.959963984540054
HALVES = 40
SIZES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Shares of the set at which FID is taken to extrapolate it."""
REPEATS = 8
"""Draws a share."""
FEWEST = 8
"""Images below which nothing is said."""


class FidAtSize(NamedTuple):
    """FID over random subsets of both sets."""

    n: int
    mean: float
    sd: float


class FidByInverse(NamedTuple):
    """FID against size, and where it goes."""

    sizes: tuple[FidAtSize, ...]
    infinite: Estimate
    """At infinitely many images, by a straight line in 1/n; interval from fits to half-samples."""


def fid(real: Matrix, made: Matrix) -> float:
    """|m - m'|^2 + tr(S + S' - 2 (S S')^(1/2)), with covariances over n - 1.

    The root's trace is the sum of the singular values of X X'^T / sqrt((n - 1)(n' - 1)), X and X' being the centred
    features: exact, and of the size of the sets or of the features, whichever is smaller.
    """
    x, y = np.asarray(real, dtype=np.float64), np.asarray(made, dtype=np.float64)
    mean = ((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum()
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    n, m = len(x) - 1, len(y) - 1
    cross = np.linalg.svd(_core(x) @ _core(y).T, compute_uv=False).sum() / np.sqrt(n * m)
    return float(mean + (x**2).sum() / n + (y**2).sum() / m - 2 * cross)


def _core(x: Matrix) -> Matrix:
    """A matrix of fewer rows with the same x^T x, so that products with it have the same singular values."""
    if len(x) <= x.shape[1]:
        return x
    return np.asarray(np.linalg.qr(x, mode="r"))


def fid_estimate(real: Matrix, made: Matrix, seed: int = 0) -> Estimate | None:
    """FID as it is published, with an interval for chance (not for bias); None below 8 images.

    A set's spread is that of its random halves (McCarthy 1969): halves drawn without replacement differ from each other
    as much as sets of this size do from the whole.
    """
    n = min(len(real), len(made))
    if n < FEWEST:
        return None
    rng = np.random.default_rng(seed)
    halves = [fid(*_part(real, made, n // 2, rng)) for _ in range(HALVES)]
    value, spread = fid(real, made), Z * float(np.std(halves, ddof=1))
    return Estimate(value, max(0.0, value - spread), value + spread, n)


def fid_by_size(real: Matrix, made: Matrix, seed: int = 0) -> FidByInverse | None:
    """FID at several sizes and extrapolated; None below 16 images."""
    n = min(len(real), len(made))
    if n < 2 * FEWEST:
        return None
    rng = np.random.default_rng(seed)
    sizes = []
    for share in SIZES:
        size = max(FEWEST, round(share * n))
        found = [fid(*_part(real, made, size, rng)) for _ in range(1 if size == n else REPEATS)]
        sizes.append(FidAtSize(size, float(np.mean(found)), float(np.std(found)) if len(found) > 1 else 0.0))
    value = _at_infinity([(s.n, s.mean) for s in sizes])
    halves = []
    for _ in range(REPEATS):
        one, other = _part(real, made, n // 2, rng)
        grid = [max(FEWEST // 2, round(share * (n // 2))) for share in SIZES]
        halves.append(_at_infinity([(size, fid(*_part(one, other, size, rng))) for size in grid]))
    spread = Z * float(np.std(halves, ddof=1))
    return FidByInverse(tuple(sizes), Estimate(value, value - spread, value + spread, n))


def kid(real: Matrix, made: Matrix, paired: bool = False) -> float:
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / d + 1)^3; may be a little below 0.

    With `paired`, row i of both belongs to one problem; the two are alike for that reason alone, so the pair is left
    out of the cross term (Gretton et al. 2012, the U-statistic of lemma 6). Else equal sets would come out below 0.
    """
    return _kid(*_kernels(real, made), paired)


def kid_estimate(real: Matrix, made: Matrix, paired: bool = False) -> Estimate | None:
    """KID with its 95 % interval by the jackknife; None below 8 images.

    One image is left out at a time, or with `paired` one problem. Leaving out works on row sums of the kernels, so it
    costs no more than KID itself.
    """
    n, m = len(real), len(made)
    if min(n, m) < FEWEST or (paired and n != m):
        return None
    xx, yy, xy = _kernels(real, made)
    value = _kid(xx, yy, xy, paired)
    np.fill_diagonal(xx, 0.0)
    np.fill_diagonal(yy, 0.0)
    if paired:
        np.fill_diagonal(xy, 0.0)
    sx, sy, sxy = xx.sum(), yy.sum(), xy.sum()
    less_x, less_y = sx - 2 * xx.sum(axis=1), sy - 2 * yy.sum(axis=1)
    rows, columns = xy.sum(axis=1), xy.sum(axis=0)
    if paired:
        variance = _jackknife((less_x + less_y - 2 * (sxy - rows - columns)) / ((n - 1) * (n - 2)))
    else:
        without_x = less_x / ((n - 1) * (n - 2)) - 2 * (sxy - rows) / ((n - 1) * m)
        without_y = less_y / ((m - 1) * (m - 2)) - 2 * (sxy - columns) / (n * (m - 1))
        variance = _jackknife(without_x) + _jackknife(without_y)
    spread = Z * float(np.sqrt(variance))
    return Estimate(value, value - spread, value + spread, min(n, m))


def _kid(xx: Matrix, yy: Matrix, xy: Matrix, paired: bool) -> float:
    n, m = len(xx), len(yy)
    same = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    cross = (xy.sum() - np.trace(xy)) / (n * (n - 1)) if paired else xy.mean()
    return float(same - 2 * cross)


def _jackknife(left_out: NDArray[np.floating]) -> float:
    n = len(left_out)
    return float((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())


def _kernels(real: Matrix, made: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    x, y = np.asarray(real, dtype=np.float64), np.asarray(made, dtype=np.float64)
    d = x.shape[1]
    return (x @ x.T / d + 1) ** 3, (y @ y.T / d + 1) ** 3, (x @ y.T / d + 1) ** 3


def _part(real: Matrix, made: Matrix, size: int, rng: np.random.Generator) -> tuple[Matrix, Matrix]:
    """Random rows of both, the same ones where both have as many: rows may belong together."""
    rows = rng.permutation(len(real))[:size]
    return real[rows], made[rows] if len(real) == len(made) else made[rng.permutation(len(made))[:size]]


def _at_infinity(points: Sequence[tuple[int, float]]) -> float:
    inverse, values = np.array([1 / n for n, _ in points]), np.array([v for _, v in points])
    return float(np.polyfit(inverse, values, 1)[1])
