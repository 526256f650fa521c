"""What wanders: how probable a chain of its plots is, and how many there are and how fast, learned."""

import numpy as np
import pytest

from jointwatch.launch.wandering import Wanderers, ground_range_m, log_not_burning, nearest_rad
from jointwatch.sensing.infrared import across

SITE = np.array([42_164e3, 0.0, 0.0])
SIGMA = 2e-5
MIDDLE = np.array([[-1.0, 0.0, 0.0]])


def lines(angles):
    first, second = (a[0] for a in across(MIDDLE))
    along = MIDDLE + angles[:, :1] * first + angles[:, 1:] * second
    return along / np.linalg.norm(along, axis=1)[:, None]


def steady(t, angles, speed, log_background):
    """As it would be written down: differences from the first are Gaussian."""
    n = len(t)
    if n < 2:
        return log_background.max()
    dt, d = t[1:] - t[0], angles[1:] - angles[0]
    covariance = SIGMA**2 * (np.eye(n - 1) + 1.0) + speed**2 * np.outer(dt, dt)
    squares = (d * np.linalg.solve(covariance, d)).sum()
    log_density = -0.5 * squares - np.linalg.slogdet(covariance)[1] - (n - 1) * np.log(2.0 * np.pi)
    return log_background.max() + log_density


@pytest.mark.parametrize("n", [1, 2, 3, 6])
@pytest.mark.parametrize("dark_s", [10.0, np.inf])
def test_the_sums_say_what_the_covariance_does(n, dark_s):
    rng = np.random.default_rng(n)
    t, angles = np.sort(rng.uniform(0.0, 60.0, n)), 1e-4 * rng.standard_normal((n, 2))
    log_false, log_background = rng.uniform(7.0, 9.0, n), rng.uniform(5.0, 7.0, n)
    t -= t[0]
    found = log_not_burning(t, SITE, lines(angles), SIGMA, log_false, log_background, dark_s, 0.2, 250.0)
    terms, speed = [log_false.sum()], 250.0 / ground_range_m(SITE)
    came = np.log(0.2 * min(1.0, dark_s / 100.0 + 0.05))
    if n > 1:
        terms.append(came + steady(t, angles, speed, log_background))
    for k in range(n if n > 2 else 0):
        rest = np.arange(n) != k
        steadily = steady(t[rest], angles[rest], speed, log_background[rest])
        terms.append((came if k else np.log(0.2)) + steadily + log_false[k])
    assert found == pytest.approx(np.logaddexp.reduce(terms), abs=1e-3)


@pytest.mark.parametrize(("share", "speed_ms"), [(0.1, 150.0), (0.5, 250.0)])
def test_how_many_wander_and_how_fast_is_learned(share, speed_ms):
    rng, known = np.random.default_rng(0), Wanderers()
    apart = ground_range_m(SITE)
    for _ in range(500):
        at = rng.uniform(-0.1, 0.1, (20, 2))
        moved = at + 10.0 * speed_ms / apart * rng.standard_normal((20, 2))
        # those that wander were there, but one in ten that came since, and all others were elsewhere
        stayed = rng.uniform(size=20) < share * np.exp(-0.1)
        before = at[stayed] + SIGMA * rng.standard_normal((stayed.sum(), 2))
        off = nearest_rad(lines(moved + SIGMA * rng.standard_normal((20, 2))), lines(before))
        known = known.learn(off, np.ones(20), 10.0, apart, SIGMA)
    assert known.share == pytest.approx(share, rel=0.1)
    assert known.speed_ms == pytest.approx(speed_ms, rel=0.1)
