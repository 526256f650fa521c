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
    n = len(time_s)
    if n < 2:
        return float(log_false.sum())
    # all, and (of more than two) all but each
    of = np.ones((1 + (n if n > 2 else 0), n))
    of[np.arange(1, len(of)), np.arange(len(of) - 1)] = 0.0
    steady = _log_steady(
        of, time_s, _angles(along), sigma_rad, speed_ms / ground_range_m(site), log_background
    )
    came = np.full(len(of), math.log(share * min(1.0, dark_s / LIFE_S + BLINKS)))
    # where the first is by chance, the second is the wanderer's first
    came[1:2] = math.log(share)
    terms = came + steady + (1.0 - of) @ log_false
    return float(np.logaddexp(log_false.sum(), np.logaddexp.reduce(terms)))


def _angles(along: Floats) -> Floats:
    """Angles (n, 2) of lines of sight (n, 3) about the first, along two axes across it: any two will do."""
    x, y, z = along[0].tolist()
    first = np.array([0.0, -z, y]) if abs(z) > 0.9 else np.array([-y, x, 0.0])
    first /= math.sqrt(first @ first)
    a, b, c = first.tolist()
    return np.asarray(along @ np.array([[a, b, c], [y * c - z * b, z * a - x * c, x * b - y * a]]).T)


def _log_steady(
    of: Floats, t: Floats, angles: Floats, sigma: float, speed: float, log_background: Floats
) -> Floats:
    """Log-density (k,) of plots at angles (n, 2) of one thing in steady motion, as dense as the background;
    of (k, n): which plots are its, 1 or 0.

    It may be anywhere and its speed is Gaussian: both are integrated over, so that sums over the plots are
    all that is needed.
    """
    n = of.sum(axis=1)
    # counted from the middle of all, so that little is lost where squares are taken from each other
    t, angles = t - t.mean(), angles - angles.mean(axis=0)
    time, place = of @ t, of @ angles
    times2 = of @ t**2 - time**2 / n
    places2 = (of @ angles**2 - place**2 / n[:, None]).sum(axis=1)
    both = of @ (t[:, None] * angles) - time[:, None] * place / n[:, None]
    v = sigma * sigma
    squares = places2 / v - (both**2).sum(axis=1) / v**2 / (times2 / v + 1.0 / speed**2)
    log_determinant = (n - 1.0) * math.log(v) + np.log(n) + np.log(1.0 + speed**2 * times2 / v)
    highest = np.where(of > 0.0, log_background, -math.inf).max(axis=1)
    return np.asarray(highest - 0.5 * squares - log_determinant - (n - 1.0) * math.log(2.0 * math.pi))


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
