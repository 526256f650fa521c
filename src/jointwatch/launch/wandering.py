"""What else a chain of plots may be: false plots that fell so by chance, or something that wanders.

In: the plots of one satellite with the density of false ones at each; out: their density if no burn gave
them.  A glint of the sun on clouds or water stays for a minute or two and wanders steadily over the
ground, as a low sun or the wind moves it: for a lone satellite a chain of its plots is much like a slow
burn's, and chance alone a poor account of it.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
WANDER_MS = 300.0
"""How fast it wanders over the ground, standard deviation of each axis."""
SHARE = 0.3
"""Part of the background's plots that are of something that wanders, as far as nothing else is known."""
LIFE_S, BLINKS = 100.0, 0.05
"""How long it stays, and how probably a look does not find it though it is there."""
FAST, SLACK_RAD = 2.5, 1e-4
"""How many times faster than usual one may be, and how far measurements scatter, where it is asked whether it
was there before."""
NEAREST_M = 6.0e6
"""The ground is as far from a satellite as this is from the Earth's middle."""


@njit(cache=True)
def log_not_burning(
    time_s: Floats,
    site: Floats,
    along: Floats,
    sigma_rad: float,
    log_false: Floats,
    log_background: Floats,
    dark_s: float = math.inf,
) -> float:
    """Log-density (a steradian and look each) of one satellite's plots if no burn gave them.

    time_s (n,); along (n, 3); log_false (n,): of the density of false plots at each, log_background (n,) of
    the background's part; dark_s: how long before the first plot a look found nothing near it (inf where one
    did, or there was none): then a wanderer came only just now.  All by chance, all of one wanderer, or
    all but one of a wanderer.
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
    speed = WANDER_MS / (math.sqrt(site[0] ** 2 + site[1] ** 2 + site[2] ** 2) - NEAREST_M)
    came = math.log(SHARE * min(1.0, dark_s / LIFE_S + BLINKS))
    terms = np.full(n + 2, -math.inf)
    terms[0] = chance
    terms[1] = came + _log_steady(time_s, angles, sigma_rad, speed, log_background, -1)
    if n > 2:
        for k in range(n):
            steady = _log_steady(time_s, angles, sigma_rad, speed, log_background, k)
            # where the first is by chance, the second is the wanderer's first
            terms[2 + k] = (came if k else math.log(SHARE)) + steady + log_false[k]
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


def dark_before(along: Floats, site: Floats, before: Floats, passed_s: float) -> NDArray[np.bool_]:
    """Whether nothing was so near in a look passed_s seconds before, with lines of sight before (k, 3),
    that a wanderer could have come from there to lines of sight along (m, 3): (m,)."""
    reach = FAST * WANDER_MS * passed_s / (float(np.linalg.norm(site)) - NEAREST_M) + SLACK_RAD
    if not len(before):
        return np.ones(len(along), np.bool_)
    near = along @ before.T > 1.0 - 0.5 * reach * reach
    return np.asarray(~near.any(axis=1))
