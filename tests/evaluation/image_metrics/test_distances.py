"""FID and KID: by hand, against torchmetrics, and what a small set does to them."""

from __future__ import annotations

import numpy as np
import pytest

from scigen import torchvision_shim
from scigen.evaluation.image_metrics.distances import fid, fid_by_size, fid_estimate, kid, kid_estimate


def sample(n: int, d: int = 8, mean: float = 0.0, scale: float = 1.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, scale, (n, d)).astype(np.float32)


def test_fid_by_hand() -> None:
    """One dimension: {0, 2} has mean 1 and variance 2, {3, 5, 7} has 5 and 4: 16 + 2 + 4 - 2 sqrt(8)."""
    assert fid(np.array([[0.0], [2.0]]), np.array([[3.0], [5.0], [7.0]])) == pytest.approx(22 - 2 * 8**0.5)


def test_kid_by_hand() -> None:
    """One dimension, kernel (x y + 1)^3, sets {0, 1} and {1, 2}: pairs within give 1 and 27, across 1, 1, 8, 27."""
    assert kid(np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]])) == pytest.approx(1 + 27 - 2 * 37 / 4)


@pytest.mark.slow
def test_fid_and_kid_are_torchmetrics() -> None:
    torchvision_shim.install()
    import torch
    from torchmetrics.image.fid import FrechetInceptionDistance
    from torchmetrics.image.kid import KernelInceptionDistance

    class Same(torch.nn.Module):
        """An extractor that gives what it gets."""

        num_features = 8

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    real, made = sample(60), sample(70, mean=0.4, scale=1.3, seed=1)
    theirs = FrechetInceptionDistance(feature=Same())
    kernel = KernelInceptionDistance(feature=Same(), subsets=1, subset_size=60)
    for metric, other in ((theirs, made), (kernel, made[:60])):
        metric.update(torch.from_numpy(real), real=True)
        metric.update(torch.from_numpy(other), real=False)
    assert fid(real, made) == pytest.approx(float(theirs.compute()), rel=1e-4)
    assert kid(real, made[:60]) == pytest.approx(float(kernel.compute()[0]), rel=1e-4)


def test_more_features_than_images_is_no_trouble() -> None:
    """The root's trace by singular values against the eigenvalues of the product of the covariances."""
    real, made = sample(20, d=50), sample(25, d=50, seed=3)
    a, b = np.cov(real.T), np.cov(made.T)
    root = np.sqrt(np.maximum(np.linalg.eigvals(a @ b).real, 0)).sum()
    expected = ((real.mean(0) - made.mean(0)) ** 2).sum() + np.trace(a) + np.trace(b) - 2 * root
    assert fid(real, made) == pytest.approx(expected, rel=1e-3)


def test_fid_of_a_small_set_is_mostly_bias_and_kid_is_not() -> None:
    """Two samples of one distribution, 64 features: FID falls with n and is far from 0, its limit is not; KID is 0."""
    real, made = sample(400, d=64), sample(400, d=64, seed=9)
    values = [fid(real[:n], made[:n]) for n in (50, 100, 400)]
    assert values[0] > 2 * values[2] > 5
    found = fid_by_size(real, made)
    assert found is not None
    assert [s.mean for s in found.sizes] == sorted((s.mean for s in found.sizes), reverse=True)
    assert abs(found.infinite.value) < 0.25 * values[2]
    estimate = kid_estimate(real, made)
    assert estimate is not None
    assert estimate.low < 0 < estimate.high


def test_a_set_against_itself_is_zero_when_paired() -> None:
    """With each picture's own pair in the cross term it would be below 0, and its interval would leave out 0."""
    features = sample(50)
    assert kid(features, features, paired=True) == pytest.approx(0, abs=1e-12)
    assert kid(features, features) < -0.1


@pytest.mark.parametrize("paired", [False, True])
def test_the_jackknife_is_that_of_leaving_one_out(paired: bool) -> None:
    real, made = sample(12), sample(12, mean=0.5, seed=4)
    found = kid_estimate(real, made, paired=paired)
    assert found is not None

    def variance(values: list[float]) -> float:
        return 11 / 12 * float(((np.array(values) - np.mean(values)) ** 2).sum())

    def without(x: np.ndarray, n: int) -> np.ndarray:
        return np.delete(x, n, axis=0)

    if paired:
        expected = variance([kid(without(real, n), without(made, n), paired=True) for n in range(12)])
    else:
        expected = variance([kid(without(real, n), made) for n in range(12)])
        expected += variance([kid(real, without(made, n)) for n in range(12)])
    assert (found.high - found.low) / 2 == pytest.approx(1.959964 * expected**0.5, rel=1e-4)
    assert found.value == pytest.approx(kid(real, made, paired=paired))


@pytest.mark.slow
@pytest.mark.parametrize("paired", [False, True])
def test_kids_interval_holds_the_truth(paired: bool) -> None:
    """Against KID of large samples, in 300 draws of 60 pairs; rows that belong together are much alike if `paired`."""
    rng = np.random.default_rng(5)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        base, own = rng.normal(0, 1, (n, 6)), rng.normal(0, 1, (n, 6))
        made = (0.8 * base + 0.6 * own if paired else own) * 1.2 + 0.2
        return base, made

    truth = kid(*draw(4000), paired=paired)
    inside = 0
    for _ in range(300):
        found = kid_estimate(*draw(60), paired=paired)
        assert found is not None
        inside += found.low <= truth <= found.high
    assert 0.88 <= inside / 300 <= 0.99


def test_few_images_say_nothing() -> None:
    assert kid_estimate(sample(7), sample(7)) is None
    assert fid_estimate(sample(7), sample(20)) is None
    assert fid_by_size(sample(15), sample(15)) is None
