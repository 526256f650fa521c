"""What else a chain of plots may be: false plots that fell so by chance, or something that wanders.

In: the plots of one satellite with the density of false ones at each; out: their density if no burn gave
them.  A glint of the sun on clouds or water stays for a minute or two and wanders steadily over the
ground, as a low sun or the wind moves it: for a lone satellite a chain of its plots is much like a slow
burn's, and chance alone a poor account of it.  How many false plots wander, and how fast, is learned from
those near to which the look before found one (`Wanderers`).  A chain may also be led from one to the next.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LIFE_S, BLINKS = 100.0, 0.05
"""How long one stays, and how probably a look does not find it though it is there."""
FASTEST_MS, SLACK_RAD = 750.0, 1e-4
"""How fast one may be over the ground, and how far measurements scatter, where it is asked whether it was
there before."""
SHARE, SHARE_FAITH = 0.3, 100.0
"""Part of the background's plots that are of something that wanders, held as if seen in so many plots."""
WANDER_MS, WANDER_FAITH = 300.0, 30.0
"""How fast it wanders over the ground, standard deviation of each axis, held as if seen in so many pairs."""
MEMORY_PLOTS = 20_000.0
SUMS = 8
"""Of one, time, two angles, and the squares and products of these, over the plots of a stretch."""
NEAREST_M = 6.0e6
"""The ground is as far from a satellite as this is from the Earth's middle."""


class Wanderers(Struct, frozen=True):
    """What one satellite has learned of them: of so many background plots, how many had one near in the look
    before, and the sum of the squares of how fast these moved along an axis, (m/s)^2."""

    plots: float = SHARE_FAITH
    again: float = SHARE_FAITH * SHARE
    squares: float = WANDER_FAITH * WANDER_MS**2
    pairs: float = WANDER_FAITH

    @property
    def share(self) -> float:
        """Part of the background's plots that are of something that wanders."""
        return min(self.again / self.plots, 0.99)

    @property
    def speed_ms(self) -> float:
        """How fast it wanders, standard deviation of each axis."""
        return math.sqrt(self.squares / self.pairs)

    def learn(
        self, off_rad: Floats, share: Floats, passed_s: float, range_m: float, sigma_rad: float
    ) -> Wanderers:
        """With one look's plots (m,): how far off the nearest one of the look before was, and how probably
        each is the background's.  A plot of a known place tells nothing: what stays is one itself."""
        if not 0.0 < passed_s < LIFE_S:
            return self
        count = float(share.sum())
        kept = 1.0 - count / (MEMORY_PLOTS + count)
        near = share * (off_rad < reach_rad(passed_s, range_m))
        # the two measurements' errors are in the distance as well
        along2 = np.maximum(0.5 * np.where(near > 0.0, off_rad, 0.0) ** 2 - 2.0 * sigma_rad**2, 0.0)
        # one that came since the look before is none of these
        stayed = math.exp(-passed_s / LIFE_S)
        return Wanderers(
            plots=kept * self.plots + count,
            again=kept * self.again + float(near.sum()) / stayed,
            squares=kept * self.squares + float(near @ along2) * (range_m / passed_s) ** 2,
            pairs=kept * self.pairs + float(near.sum()),
        )


def log_not_burning(
    time_s: Floats,
    site: Floats,
    along: Floats,
    sigma_rad: float,
    log_false: Floats,
    log_background: Floats,
    dark_s: Floats,
    share: float,
    speed_ms: float,
) -> float:
    """Log-density (a steradian and look each) of one satellite's plots if no burn gave them.

    time_s (n,); along (n, 3); log_false (n,): of the density of false plots at each, log_background (n,) of
    the background's part; dark_s (n,): how long before each a look found nothing near it (inf where one did,
    or there was none): then a wanderer came only just now.  share, speed_ms: as in `Wanderers`.  Each plot is
    one by chance, or of a wanderer: one after the other, for where one goes a chain may be led on to the
    next; and one of a wanderer's plots may be by chance after all.
    """
    n = len(time_s)
    if n < 2:
        return float(log_false.sum())
    came = np.log(share * np.minimum(1.0, dark_s / LIFE_S + BLINKS))
    # counted from the middle of all, so that little is lost where squares are taken from each other
    time_s, angles = time_s - time_s.mean(), _angles(along)
    angles -= angles.mean(axis=0)
    speed = speed_ms / ground_range_m(site)
    return float(_parted(time_s, angles, sigma_rad, speed, log_false, log_background, came))


def _angles(along: Floats) -> Floats:
    """Angles (n, 2) of lines of sight (n, 3) about the first, along two axes across it: any two will do."""
    x, y, z = along[0].tolist()
    first = np.array([0.0, -z, y]) if abs(z) > 0.9 else np.array([-y, x, 0.0])
    first /= math.sqrt(first @ first)
    a, b, c = first.tolist()
    return np.asarray(along @ np.array([[a, b, c], [y * c - z * b, z * a - x * c, x * b - y * a]]).T)


@njit(cache=True)
def _parted(
    t: Floats, angles: Floats, sigma: float, speed: float, log_false: Floats, log_background: Floats,
    came: Floats,
) -> float:  # fmt: skip
    """Log-density of plots at angles (n, 2) and times t (n,), summed over all ways to part them into plots by
    chance and stretches of one wanderer.  came (n,): log of how probably a plot is one's first.

    Forward over the plots: what comes before each stretch is summed up already.
    """
    n = len(t)
    so_far = np.full(n + 1, -math.inf)
    so_far[0] = 0.0
    sums, less = np.empty(SUMS), np.empty(SUMS)
    for i in range(n):
        so_far[i + 1] = _log_add(so_far[i + 1], so_far[i] + log_false[i])
        _sums_of(t[i], angles[i, 0], angles[i, 1], sums)
        densest = log_background[i]
        for j in range(i + 1, n):
            _sums_of(t[j], angles[j, 0], angles[j, 1], less)
            sums += less
            densest = max(densest, log_background[j])
            steady = _log_steady(sums, sigma, speed)
            # a first or last one by chance leaves a shorter stretch, which is counted as that
            for k in range(i + 1, j):
                _sums_of(t[k], angles[k, 0], angles[k, 1], less)
                steady = _log_add(steady, log_false[k] + _log_steady(sums - less, sigma, speed))
            so_far[j + 1] = _log_add(so_far[j + 1], so_far[i] + came[i] + densest + steady)
    return float(so_far[n])


@njit(cache=True)
def _sums_of(t: float, x: float, y: float, out: Floats) -> None:
    """Fill out (SUMS,) with what one plot adds to the sums over a stretch."""
    out[0], out[1], out[2], out[3] = 1.0, t, x, y
    out[4], out[5], out[6], out[7] = t * t, x * x + y * y, t * x, t * y


@njit(cache=True)
def _log_steady(sums: Floats, sigma: float, speed: float) -> float:
    """Log-density of plots of one thing in steady motion, but for how dense such things are, from sums
    (SUMS,) over its plots.

    It may be anywhere and its speed is Gaussian: both are integrated over, so that sums are all that is
    needed.
    """
    n, time, v = sums[0], sums[1], sigma * sigma
    times2 = sums[4] - time * time / n
    places2 = sums[5] - (sums[2] * sums[2] + sums[3] * sums[3]) / n
    x, y = sums[6] - time * sums[2] / n, sums[7] - time * sums[3] / n
    squares = places2 / v - (x * x + y * y) / (v * v) / (times2 / v + 1.0 / (speed * speed))
    log_determinant = (n - 1.0) * math.log(v) + math.log(n) + math.log(1.0 + speed * speed * times2 / v)
    return float(-0.5 * squares - log_determinant - (n - 1.0) * math.log(2.0 * math.pi))


@njit(cache=True)
def _log_add(a: float, b: float) -> float:
    """Logarithm of the sum of what a and b are logarithms of; one of them may be -inf."""
    high = max(a, b)
    return high if math.isinf(high) else high + math.log1p(math.exp(min(a, b) - high))


def reach_rad(passed_s: float, range_m: float) -> float:
    """How far off (rad) a wanderer may have been passed_s seconds before, at a range."""
    return FASTEST_MS * passed_s / range_m + SLACK_RAD


def ground_range_m(site: Floats) -> float:
    """How far the ground is from a satellite at a site (3,)."""
    return float(np.linalg.norm(site)) - NEAREST_M


def nearest_rad(along: Floats, before: Floats) -> Floats:
    """How far off (m,) each of lines of sight (m, 3) the nearest one of those before (k, 3) is; inf if there
    was none."""
    if not len(before):
        return np.full(len(along), np.inf)
    return np.asarray(np.sqrt(np.maximum(2.0 - 2.0 * (along @ before.T).max(axis=1), 0.0)))
