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


def partings(n):
    """All ways to part n plots into stretches of one and more, one after the other."""
    if n == 0:
        yield []
    for last in range(1, n + 1):
        for before in partings(n - last):
            yield [*before, np.arange(n - last, n)]


@pytest.mark.parametrize("n", [1, 2, 3, 6])
@pytest.mark.parametrize("dark_s", [10.0, np.inf])
def test_the_sums_say_what_the_covariance_does(n, dark_s):
    rng = np.random.default_rng(n)
    t, angles = np.sort(rng.uniform(0.0, 60.0, n)), 1e-4 * rng.standard_normal((n, 2))
    log_false, log_background = rng.uniform(7.0, 9.0, n), rng.uniform(5.0, 7.0, n)
    t -= t[0]
    dark = np.where(rng.uniform(size=n) < 0.5, dark_s, 20.0)
    found = log_not_burning(t, SITE, lines(angles), SIGMA, log_false, log_background, dark, 0.2, 250.0)
    terms, speed = [], 250.0 / ground_range_m(SITE)

    def stretch(of):
        """One stretch: one plot by chance, or more of a wanderer, one between them perhaps by chance."""
        if len(of) == 1:
            return log_false[of[0]]
        densest = log_background[of].max()
        ways = [steady(t[of], angles[of], speed, np.array([densest]))]
        for k in of[1:-1]:
            rest = of[of != k]
            ways.append(steady(t[rest], angles[rest], speed, np.array([densest])) + log_false[k])
        return np.log(0.2 * min(1.0, dark[of[0]] / 100.0 + 0.05)) + np.logaddexp.reduce(ways)

    for parting in partings(n):
        terms.append(sum(stretch(of) for of in parting))
    assert found == pytest.approx(np.logaddexp.reduce(terms), abs=1e-3)


def test_a_chain_led_from_one_glint_to_the_next_is_no_better_than_two():
    t, apart = 10.0 * np.arange(14), ground_range_m(SITE)
    rng = np.random.default_rng(3)
    angles = np.outer(t, [150.0, 80.0]) / apart + SIGMA * rng.standard_normal((14, 2))
    angles[12:] += 12e3 / apart
    log_false, log_background, dark = np.full(14, 7.0), np.full(14, 7.0), np.full(14, np.inf)

    def together(of):
        return log_not_burning(
            t[of], SITE, lines(angles[of]), SIGMA, log_false[of], log_background[of], dark[of], 0.2, 250.0
        )

    whole, parts = together(np.arange(14)), together(np.arange(12)) + together(np.arange(12, 14))
    assert whole == pytest.approx(parts, abs=1.0)
    assert whole > log_false.sum() + 40.0


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
