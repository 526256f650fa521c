"""What else a chain of plots may be: false plots that fell so by chance, or something that wanders.

In: the plots of one satellite with the density of false ones at each; out: their density if no burn gave
them.  A glint of the sun on clouds or water stays for a minute or two and wanders steadily over the
ground, as a low sun or the wind moves it: for a lone satellite a chain of its plots is much like a slow
burn's, and chance alone a poor account of it.  How many false plots wander, and how fast, is learned from
those near to which the look before found one (`Wanderers`).
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


@njit(cache=True)
def log_not_burning(
    time_s: Floats,
    site: Floats,
    along: Floats,
    sigma_rad: float,
    log_false: Floats,
    log_background: Floats,
    dark_s: float,
    share: float,
    speed_ms: float,
) -> float:
    """Log-density (a steradian and look each) of one satellite's plots if no burn gave them.

    time_s (n,); along (n, 3); log_false (n,): of the density of false plots at each, log_background (n,) of
    the background's part; dark_s: how long before the first plot a look found nothing near it (inf where one
    did, or there was none): then a wanderer came only just now.  share, speed_ms: as in `Wanderers`.  All by
    chance, all of one wanderer, or all but one of a wanderer.
    """
    chance, n = 0.0, len(time_s)
    for k in range(n):
        chance += log_false[k]
    if n < 2:
        return chance
    # two axes across the first line: which ones is all the same
    axes = np.zeros((2, 3))
    x, y, z = along[0]
    if abs(z) > 0.9:
        axes[0, 1], axes[0, 2] = -z, y
    else:
        axes[0, 0], axes[0, 1] = -y, x
    axes[0] /= math.sqrt(axes[0, 0] ** 2 + axes[0, 1] ** 2 + axes[0, 2] ** 2)
    axes[1, 0] = y * axes[0, 2] - z * axes[0, 1]
    axes[1, 1] = z * axes[0, 0] - x * axes[0, 2]
    axes[1, 2] = x * axes[0, 1] - y * axes[0, 0]
    angles = np.zeros((n, 2))
    for k in range(n):
        for i in range(2):
            for j in range(3):
                angles[k, i] += along[k, j] * axes[i, j]
    speed = speed_ms / (math.sqrt(site[0] ** 2 + site[1] ** 2 + site[2] ** 2) - NEAREST_M)
    came = math.log(share * min(1.0, dark_s / LIFE_S + BLINKS))
    terms = np.full(n + 2, -math.inf)
    terms[0] = chance
    terms[1] = came + _log_steady(time_s, angles, sigma_rad, speed, log_background, -1)
    if n > 2:
        for k in range(n):
            steady = _log_steady(time_s, angles, sigma_rad, speed, log_background, k)
            # where the first is by chance, the second is the wanderer's first
            terms[2 + k] = (came if k else math.log(share)) + steady + log_false[k]
    top, total = terms.max(), 0.0
    for term in terms:
        total += math.exp(term - top)
    log_density: float = top + math.log(total)
    return log_density


@njit(cache=True)
def _log_steady(
    t: Floats, angles: Floats, sigma: float, speed: float, log_background: Floats, without: int
) -> float:
    """Log-density of plots at angles (n, 2) of one thing in steady motion, as dense as the background; one of
    them left out (none: -1).

    It may be anywhere and its speed is Gaussian: both are integrated over, so that sums over the plots are
    all that is needed.
    """
    n, highest, first = 0, -math.inf, -1
    time, place = 0.0, np.zeros(2)
    for k in range(len(t)):
        if k != without:
            # counted from the first, so that little is lost where sums of squares are taken from each other
            first = k if first < 0 else first
            n += 1
            highest = max(highest, log_background[k])
            time += t[k] - t[first]
            for i in range(2):
                place[i] += angles[k, i] - angles[first, i]
    if n < 2:
        return highest
    times2, places2, both = 0.0, 0.0, np.zeros(2)
    for k in range(len(t)):
        if k != without:
            since = t[k] - t[first] - time / n
            times2 += since * since
            for i in range(2):
                off = angles[k, i] - angles[first, i] - place[i] / n
                places2 += off * off
                both[i] += since * off
    v = sigma * sigma
    squares = places2 / v - (both[0] ** 2 + both[1] ** 2) / v**2 / (times2 / v + 1.0 / speed**2)
    log_determinant = (n - 1) * math.log(v) + math.log(n) + math.log(1.0 + speed**2 * times2 / v)
    log_density: float = highest - 0.5 * squares - log_determinant - (n - 1) * math.log(2.0 * math.pi)
    return log_density


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
