"""Moves of draws and the mixture they are drawn from: densities as SciPy has them, and nothing moved away."""

import math

import numpy as np
import pytest
from scipy.stats import kstest, multivariate_t

from jointwatch.launch.ascent import AZIMUTH, VALUES
from jointwatch.launch.looks import look_row
from jointwatch.launch.mixture import TAILS, WIDER, Mixture, described, draw, log_density, mixture_of
from jointwatch.launch.moves import Chance, Draws, sweep, target_of, weigh
from jointwatch.launch.posterior import rows

SPREAD = np.array([2e3, 1e3, 2.0, 0.1, 3.0, 0.05, 1.0, 1.0])


def three_parts(rng: np.random.Generator) -> Mixture:
    """Two parts of the class 2 and one of the class 3, each with its own slant."""
    means = np.array([[0.0, 0.0, -30.0, 0.5, 40.0, 3.0, 0.0, 0.0]] * 3) + 3.0 * SPREAD * rng.normal(
        size=(3, VALUES)
    )
    lows = np.array([np.tril(0.3 * rng.normal(size=(VALUES, VALUES)), -1) + np.eye(VALUES) for _ in range(3)])
    return mixture_of(
        means, SPREAD[None, :, None] * lows, np.array([2, 2, 3], np.int64), np.array([5.0, 3.0, 2.0])
    )


def drawn(mixture: Mixture, n: int, rng: np.random.Generator) -> Draws:
    """Draws of a mixture itself."""
    part = rng.choice(len(mixture.kinds), n, p=mixture.share)
    values = np.empty((n, VALUES))
    for i in range(n):
        tail = math.sqrt(TAILS / rng.chisquare(TAILS))
        draw(mixture, part[i], rng.standard_normal(VALUES), tail, values[i])
    return Draws(values, mixture.kinds[part], np.zeros(n), np.zeros(n))


def moved(mixture: Mixture, draws: Draws, sweeps: int, rng: np.random.Generator) -> None:
    """Move draws where the density that is kept is the mixture's own."""
    n = len(draws.kind)
    site = np.array([42164e3, 0.0, 0.0])
    looks = np.array([look_row(0.0, site, -site / np.linalg.norm(site), 30e-6, 0.9, 8e3, 1e5)])
    target = target_of(rows(), np.zeros(len(rows())), np.zeros(2), looks)
    chance = Chance(
        rng.standard_normal((sweeps, n, VALUES)),
        np.sqrt(TAILS / rng.chisquare(TAILS, (sweeps, n))),
        rng.random((sweeps, n, 3)),
    )
    weigh(mixture, draws)
    for move in range(sweeps):
        sweep(target, mixture, draws, chance, move, 0.0)


def alike(draws: Draws, fresh: Draws, sigmas: float, least: float) -> None:
    """Assert that four fifths of draws are of the class 2, and each value is spread as fresh ones are."""
    assert abs(np.mean(draws.kind == 2) - 0.8) < sigmas * math.sqrt(0.16 / len(draws.kind))
    for a in range(VALUES):
        assert kstest(draws.values[:, a], fresh.values[:, a]).pvalue > least


def test_the_density_is_of_students_distributions():
    rng = np.random.default_rng(1)
    mixture, z = three_parts(rng), np.empty(VALUES)
    for x in drawn(mixture, 20, rng).values:
        for kind in (2, 3):
            wanted = sum(
                share * multivariate_t.pdf(x, mean, WIDER**2 * low @ low.T, TAILS)
                for share, mean, low, k in zip(
                    mixture.share, mixture.means, mixture.lows, mixture.kinds, strict=True
                )
                if k == kind
            )
            assert log_density(mixture, x, kind, z) == pytest.approx(math.log(wanted), abs=1e-6)
    assert log_density(mixture, mixture.means[0], 5, z) < -1e6


def test_moves_leave_a_distribution_as_it_is():
    """Draws of the mixture stay draws of it: classes within three sigma, each value by Kolmogorov-Smirnov."""
    rng = np.random.default_rng(2)
    mixture = three_parts(rng)
    draws, fresh = drawn(mixture, 3000, rng), drawn(mixture, 3000, rng)
    moved(mixture, draws, 20, rng)
    alike(draws, fresh, 3.0, 1e-3)


def test_moves_find_back_from_elsewhere():
    """All begun in the middle of one part of one class."""
    rng = np.random.default_rng(3)
    mixture = three_parts(rng)
    draws, fresh = drawn(mixture, 2000, rng), drawn(mixture, 2000, rng)
    draws.values[:] = mixture.means[1]
    draws.kind[:] = 2
    moved(mixture, draws, 60, rng)
    alike(draws, fresh, 4.0, 1e-4)


def test_draws_are_described_by_parts_of_their_own():
    """Two heaps of azimuths become two parts; the mixture that they came from keeps a fifth."""
    rng = np.random.default_rng(4)
    former = three_parts(rng)
    values = SPREAD * rng.normal(size=(900, VALUES))
    values[:300, AZIMUTH] = 2.36 + 0.03 * rng.normal(size=300)
    values[300:, AZIMUTH] = -2.36 + 0.03 * rng.normal(size=600)
    found = described(values, np.full(900, 4), former)
    assert found.kinds.tolist() == [4, 4, 2, 2, 3]
    order = np.argsort(found.means[:2, AZIMUTH])
    np.testing.assert_allclose(found.means[:2, AZIMUTH][order], [-2.36, 2.36], atol=0.02)
    np.testing.assert_allclose(found.share[:2][order], [0.8 * 2 / 3, 0.8 / 3], atol=1e-9)
    np.testing.assert_allclose(found.share[2:], 0.2 * former.share, atol=1e-9)
    own = found.lows[order[1]] @ found.lows[order[1]].T
    np.testing.assert_allclose(np.sqrt(np.diag(own))[:2], SPREAD[:2], rtol=0.15)
    # too few draws make no part
    assert described(values[:10], np.full(10, 4), former) is former
